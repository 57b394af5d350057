/**
 * The TLS 1.2 server that goes on with a ticket's session (RFC 5077 section 3.1): its Finished goes out first.
 *
 * ServerHello with the client's session id, ChangeCipherSpec, Finished; then the client's ChangeCipherSpec and Finished. The
 * client is who the ticket says, judged anew, and its Finished proves that it is the same one.
 */
import type { Context } from './context.ts'
import { checkFinished12, openUnder12, sendFinished12 } from './finish12.ts'
import type { HandshakeMessage } from './handshake-stream.ts'
import { type Keys12, type Randoms, recordKeys12 } from './key-schedule12.ts'
import { connected12, type Open12 } from './open12.ts'
import type { Taken12 } from './resumption12.ts'
import type { Transcript12 } from './transcript12.ts'

/** What the hellos fixed. */
export interface ServerAbbreviated12 extends Taken12 {
  readonly randoms: Randoms
  readonly encryptThenMac: boolean
  /** Through the ServerHello. */
  readonly transcript: Transcript12
  readonly applicationProtocol: string | undefined
  readonly peerSignatureAlgorithms: readonly number[]
}

/** The server's Finished is out. */
interface Sent extends ServerAbbreviated12 {
  readonly tlsUnique: Uint8Array
  readonly keys: { readonly client: Keys12; readonly server: Keys12 }
}

/** States of the abbreviated handshake, named for what they await. */
export type ServerAbbreviatedState =
  | (Sent & { readonly type: 'expect-resumed-client-change-cipher-spec' })
  | (Sent & { readonly type: 'expect-resumed-client-finished' })

type In<Type extends ServerAbbreviatedState['type']> = Extract<ServerAbbreviatedState, { type: Type }>

/** Sends the rest of the flight behind the ServerHello. TLS12-20 */
export function resumeServer12(context: Context, start: ServerAbbreviated12): ServerAbbreviatedState {
  const { session, randoms, transcript, encryptThenMac } = start
  const { suite, secret: master } = session
  transcript.forget()
  context.keyLog?.master(randoms.client, master)
  const keys = recordKeys12(context.crypto, suite, master, randoms, encryptThenMac)
  const tlsUnique = sendFinished12(context, { suite, master, transcript, keys })
  return { ...start, type: 'expect-resumed-client-change-cipher-spec', keys, tlsUnique }
}

/** TLS12-7 */
export function onResumedClientChangeCipherSpec(
  context: Context,
  state: In<'expect-resumed-client-change-cipher-spec'>,
): ServerAbbreviatedState {
  openUnder12(context, state.keys.client)
  return { ...state, type: 'expect-resumed-client-finished' }
}

export function onResumedClientFinished(
  context: Context,
  state: In<'expect-resumed-client-finished'>,
  message: HandshakeMessage,
): Open12 {
  const { session, transcript } = state
  const { suite, secret: master, group, extendedMasterSecret } = session
  const finished = checkFinished12(context, { suite, master, transcript }, 'client', message)
  return connected12(context, { ...state, suite, group, master, extendedMasterSecret, finished, ownScheme: undefined })
}
