/**
 * The TLS 1.2 client whose ticket the server took (RFC 5077 section 3.1): the server's Finished comes first.
 *
 * The server says so by echoing the session id. Its flight is ServerHello, a new ticket or not, ChangeCipherSpec, Finished; the
 * client answers with the last two. The peer is who the session says, judged anew, and its Finished proves that it is the
 * same one.
 */
import { demand } from './alerts.ts'
import type { Context } from './context.ts'
import { checkFinished12, openUnder12, sendFinished12, takeNewTicket12 } from './finish12.ts'
import type { HandshakeMessage } from './handshake-stream.ts'
import { type Keys12, type Randoms, recordKeys12 } from './key-schedule12.ts'
import { connected12, type Open12 } from './open12.ts'
import type { CipherSuite } from './registry.ts'
import type { SessionOrigin } from './resumption.ts'
import { type Taken12, tellSession12 } from './resumption12.ts'
import type { Transcript12 } from './transcript12.ts'

/** What the ServerHello fixed. */
export interface Abbreviated12 extends Taken12 {
  readonly suite: CipherSuite
  readonly randoms: Randoms
  readonly extendedMasterSecret: boolean
  readonly encryptThenMac: boolean
  /** Through the ServerHello. */
  readonly transcript: Transcript12
  readonly applicationProtocol: string | undefined
}

interface Keyed extends Abbreviated12 {
  readonly origin: SessionOrigin
  readonly keys: { readonly client: Keys12; readonly server: Keys12 }
}

/** With what may have come before the ChangeCipherSpec. */
interface Ticketed extends Keyed {
  readonly newTicket: Uint8Array | undefined
}

/** States of the abbreviated handshake, named for what they await. */
export type ClientAbbreviatedState =
  | (Keyed & { readonly type: 'expect-renewed-ticket' })
  | (Ticketed & { readonly type: 'expect-resumed-server-change-cipher-spec' })
  | (Ticketed & { readonly type: 'expect-resumed-server-finished' })

type In<Type extends ClientAbbreviatedState['type']> = Extract<ClientAbbreviatedState, { type: Type }>

/** Checks what the ServerHello says against the session. TLS12-21, TLS12-22 */
export function resumeClient12(
  context: Context,
  start: Abbreviated12,
  ticketPromised: boolean,
): ClientAbbreviatedState {
  const { crypto } = context
  const { session, suite, randoms, transcript } = start
  demand(suite === session.suite, 'illegal-parameter', 'a session is resumed with another cipher suite')
  const sameBinding = start.extendedMasterSecret === session.extendedMasterSecret
  demand(sameBinding, 'handshake-failure', 'extended_master_secret differs from that of the session')
  transcript.forget()
  context.keyLog?.master(randoms.client, session.secret)
  const keys = recordKeys12(crypto, suite, session.secret, randoms, start.encryptThenMac)
  const { serverName, authenticatedAt } = session
  const keyed: Keyed = { ...start, keys, origin: { serverName, authenticatedAt } }
  if (ticketPromised) return { ...keyed, type: 'expect-renewed-ticket' }
  return { ...keyed, type: 'expect-resumed-server-change-cipher-spec', newTicket: undefined }
}

export function onRenewedTicket(
  _context: Context,
  state: In<'expect-renewed-ticket'>,
  message: HandshakeMessage,
): ClientAbbreviatedState {
  const newTicket = takeNewTicket12(state.transcript, message)
  return { ...state, type: 'expect-resumed-server-change-cipher-spec', newTicket }
}

/** TLS12-7 */
export function onResumedServerChangeCipherSpec(
  context: Context,
  state: In<'expect-resumed-server-change-cipher-spec'>,
): ClientAbbreviatedState {
  openUnder12(context, state.keys.server)
  return { ...state, type: 'expect-resumed-server-finished' }
}

export function onResumedServerFinished(
  context: Context,
  state: In<'expect-resumed-server-finished'>,
  message: HandshakeMessage,
): Open12 {
  const { keys, newTicket, origin, session, suite, transcript } = state
  const master = session.secret
  const finished = checkFinished12(context, { suite, master, transcript }, 'server', message)
  transcript.add(message.raw)
  sendFinished12(context, { suite, master, transcript, keys })
  const { group, staples } = session
  const done = { ...state, group, staples, master, finished, ownScheme: undefined, peerSignatureAlgorithms: [] }
  const open = connected12(context, { ...done, tlsUnique: message.body.slice() })
  if (newTicket !== undefined) tellSession12(context, origin, { ...done, newTicket })
  return open
}
