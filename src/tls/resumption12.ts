/**
 * Resumption in TLS 1.2 by tickets (RFC 5077): the session's master secret again, with new randoms, and no key exchange.
 *
 * What both roles share: what becomes of a ticket that was offered, and how a full handshake ends with a new one. The
 * abbreviated handshakes are in `client12-abbreviated.ts` and `server12-abbreviated.ts`. Renewed tickets are not given: a
 * session ends with the lifetime of its first.
 */
import { EMPTY } from '../bytes/index.ts'
import { demand } from './alerts.ts'
import type { ClientHello } from './client-hello.ts'
import type { Context } from './context.ts'
import type { GroupName } from '../crypto/index.ts'
import { type PeerIdentity, ResumedPeer } from './proofs.ts'
import type { CipherSuite } from './registry.ts'
import {
  isUsable,
  remainingLifetime,
  type ResolvedResumption,
  type Session,
  type SessionOrigin,
  writeSession,
} from './resumption.ts'
import { peerPart } from './resumption13.ts'
import { NO_STAPLES, type Staples } from './staples.ts'
import { openTicket, readTicket12, sealTicket, writeTicket12 } from './ticket.ts'

/** A session that both ends go on with. */
export interface Taken12 {
  readonly session: Session
  readonly peer: ResumedPeer
}

/** What a finished 1.2 handshake makes a session of. */
export interface Finished12Session {
  readonly suite: CipherSuite
  readonly group: GroupName
  readonly master: Uint8Array
  readonly extendedMasterSecret: boolean
  readonly peer: PeerIdentity
  readonly staples?: Staples
}

function allows(resumption: ResolvedResumption | undefined, extendedMasterSecret: boolean): boolean {
  return resumption !== undefined && (extendedMasterSecret || resumption.withoutExtendedMasterSecret)
}

/**
 * Server: the session in the ClientHello's ticket, where this server goes on with it.
 * @throws AlertError when a session with extended_master_secret is to go on without. TLS12-21
 */
export function takeTicket12(context: Context, hello: ClientHello): Taken12 | undefined {
  const { config, unixTime } = context
  if (hello.sessionTicket === undefined || hello.sessionTicket.length === 0) return undefined
  const session = openTicket(context, hello.sessionTicket)
  if (session === undefined || !isUsable(session, 'TLSv1.2', hello.serverName, unixTime)) return undefined
  const { suite, extendedMasterSecret } = session
  const bindingLost = extendedMasterSecret && !hello.extendedMasterSecret
  demand(!bindingLost, 'handshake-failure', 'a session with extended_master_secret is resumed without')
  const sameBinding = extendedMasterSecret === hello.extendedMasterSecret
  const sameSuite = config.cipherSuites.includes(suite) && hello.cipherSuites.includes(suite.id) // TLS12-22
  if (!sameBinding || !sameSuite || !allows(config.resumption, extendedMasterSecret)) return undefined
  const peer = ResumedPeer.judge(context, session)
  return peer && { session, peer }
}

/** Server: what the ticket at the end of this full handshake will be of; `undefined` when none is promised. TLS12-23 */
export function serverOrigin12(context: Context, hello: ClientHello): SessionOrigin | undefined {
  const { config, unixTime } = context
  const { resumption } = config
  const able = resumption !== undefined && resumption.ticketKeys.length > 0 && hello.sessionTicket !== undefined
  if (!able || !allows(resumption, hello.extendedMasterSecret)) return undefined
  return { serverName: hello.serverName.slice(), authenticatedAt: unixTime }
}

/** Server: the NewSessionTicket that was promised; an empty one where the session makes too long a ticket. TLS12-23 */
export function newTicket12(context: Context, origin: SessionOrigin, done: Finished12Session): Uint8Array {
  const { config, unixTime } = context
  const lifetime = remainingLifetime(origin, config.resumption?.ticketLifetime ?? 0, unixTime)
  const ticket = lifetime === 0 ? undefined : sealTicket(context, sessionOf(context, origin, done, lifetime, EMPTY))
  return ticket === undefined ? writeTicket12(0, EMPTY) : writeTicket12(lifetime, ticket)
}

/** Client: tells the host of the session that a NewSessionTicket made, now that both ends have finished. TLS12-23 */
export function tellSession12(
  context: Context,
  origin: SessionOrigin,
  done: Finished12Session & { readonly newTicket: Uint8Array },
): void {
  const offered = readTicket12(done.newTicket)
  // A server that gives no lifetime leaves it to the client (RFC 5077 section 3.3).
  const lifetime = remainingLifetime(origin, offered.lifetime === 0 ? Infinity : offered.lifetime, context.unixTime)
  const able = offered.ticket.length > 0 && lifetime > 0
  if (!able || !allows(context.config.resumption, done.extendedMasterSecret)) return
  const session = writeSession(sessionOf(context, origin, done, lifetime, offered.ticket))
  context.emit({ type: 'session', session })
}

function sessionOf(
  { unixTime }: Context,
  origin: SessionOrigin,
  { suite, group, master, extendedMasterSecret, peer, staples = NO_STAPLES }: Finished12Session,
  lifetime: number,
  ticket: Uint8Array,
): Session {
  const common = { suite, group, secret: master, extendedMasterSecret, ...peerPart(peer) }
  return { ...origin, ...common, issuedAt: unixTime, lifetime, ageAdd: 0, staples, ticket }
}
