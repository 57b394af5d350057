/**
 * The last two messages of each end in TLS 1.2, full and abbreviated handshake alike: ChangeCipherSpec and Finished.
 *
 * See spec/tls12.md.
 */
import { demand } from './alerts.ts'
import { type Context, send } from './context.ts'
import { type HandshakeMessage, handshakeMessage } from './handshake-stream.ts'
import { createOpener12, createSealer12, finished12, type Keys12 } from './key-schedule12.ts'
import { FinishedProof } from './proofs.ts'
import { type CipherSuite, HandshakeType } from './registry.ts'
import { readTicket12 } from './ticket.ts'
import type { Transcript12 } from './transcript12.ts'

type Role = 'client' | 'server'

/** What a Finished is made of. */
interface Master {
  readonly suite: CipherSuite
  readonly master: Uint8Array
  readonly transcript: Transcript12
}

/** Sends both, the second under the new key, and notes it in the transcript. The verify_data. TLS12-7 */
export function sendFinished12(
  context: Context,
  { keys, master, suite, transcript }: Master & { readonly keys: Readonly<Record<Role, Keys12>> },
): Uint8Array {
  const { config, crypto, random, records } = context
  const mac = finished12(crypto, suite, master, config.role, transcript.hash())
  records.sendChangeCipherSpec()
  records.setSealer(createSealer12(crypto, keys[config.role], random))
  send(context, transcript, handshakeMessage(HandshakeType.finished, mac))
  return mac
}

/** The peer's ChangeCipherSpec came: what follows is under its new key. TLS12-7 */
export function openUnder12({ crypto, records }: Context, keys: Keys12): void {
  records.setOpener(createOpener12(crypto, keys))
}

/** The peer's Finished is right, and ends its flight. */
export function checkFinished12(
  { crypto, records }: Context,
  { master, suite, transcript }: Master,
  sender: Role,
  { body, type }: HandshakeMessage,
): FinishedProof {
  demand(type === HandshakeType.finished, 'unexpected-message', 'expected a Finished')
  records.endOfFlight()
  return FinishedProof.check(finished12(crypto, suite, master, sender, transcript.hash()), body)
}

/** The ticket of a well-formed NewSessionTicket, which goes into the transcript. TLS12-23 */
export function takeNewTicket12(transcript: Transcript12, { body, raw, type }: HandshakeMessage): Uint8Array {
  demand(type === HandshakeType.newSessionTicket, 'unexpected-message', 'expected a NewSessionTicket')
  readTicket12(body)
  transcript.add(raw)
  return body
}
