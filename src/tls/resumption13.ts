/**
 * Resumption in TLS 1.3 (RFC 8446 sections 2.2, 4.2.11, 4.6.1): a ticket's key takes the place of the certificate and its
 * signature, next to a fresh key agreement.
 *
 * The client offers its session's ticket with a binder. A server that can open the ticket, and would still take what it says
 * about the client, answers with the ticket's index and both go straight to Finished. Everything else is a full handshake,
 * but for a binder that is wrong: whoever sent it does not hold the key (TLS13-31). No early data either way (TLS13-22).
 */
import { EMPTY, equalConstantTime } from '../bytes/index.ts'
import { HASH_LENGTH } from '../crypto/index.ts'
import { demand } from './alerts.ts'
import type { ClientHello } from './client-hello.ts'
import type { Context } from './context.ts'
import { decodeExtension, type Extensions } from './extensions.ts'
import { binderMac, earlySecret, resumptionMasterSecret, ticketPsk } from './key-schedule.ts'
import { MAX_PSK_IDENTITIES } from './limits.ts'
import type { TlsAgreement } from './output.ts'
import { binderSpace, PSK_DHE_KE, type PskIdentity } from './pre-shared-key.ts'
import { type PeerIdentity, ResumedPeer } from './proofs.ts'
import { type CipherSuite, ExtensionType, signatureSchemeByName } from './registry.ts'
import {
  isUsable,
  remainingLifetime,
  serverNameBytes,
  type Session,
  type SessionOrigin,
  writeSession,
} from './resumption.ts'
import { NO_STAPLES } from './staples.ts'
import { openTicket, readTicket13, sealTicket, writeTicket13 } from './ticket.ts'
import type { Transcript } from './transcript.ts'

/** A pre-shared key that both ends will use. */
export interface TakenPsk {
  readonly type: 'psk'
  /** Which of the identities offered. */
  readonly index: number
  readonly session: Session
  readonly early: Uint8Array
  readonly peer: ResumedPeer
}

/** A session that a client offers. */
export interface OfferedSession {
  readonly session: Session
  readonly peer: ResumedPeer
}

/** The session of the configuration, if it can be offered now. TLS-50, TLS-51, TLS-52 */
export function offerableSession(context: Context): OfferedSession | undefined {
  const { config, unixTime } = context
  const session = config.resumption?.session
  if (session === undefined || session.ticket.length === 0) return undefined
  const { suite } = session
  const wanted = suite.version >= config.minVersion && config.cipherSuites.includes(suite)
  const serverName = serverNameBytes(config.serverName)
  if (!wanted || !isUsable(session, suite.version, serverName, unixTime)) return undefined
  const bound = session.extendedMasterSecret || config.resumption?.withoutExtendedMasterSecret === true // TLS12-21
  const peer = bound ? ResumedPeer.judge(context, session) : undefined
  return peer && { session, peer }
}

/** The ticket as it goes into the hello. TLS13-33 */
export function pskIdentity({ ticket, issuedAt, ageAdd }: Session, unixTime: number): PskIdentity {
  const age = Math.max(0, Math.floor(unixTime - issuedAt))
  return { ticket, obfuscatedAge: (age + ageAdd) % 2 ** 32 }
}

/** Puts the binder into a ClientHello that was written with zeros. TLS13-31 */
export function fillBinder(context: Context, session: Session, message: Uint8Array, before: Transcript): void {
  const { hash } = session.suite
  const length = HASH_LENGTH[hash]
  const beginning = message.subarray(0, message.length - binderSpace(length))
  const early = earlySecret(context.crypto, hash, session.secret)
  message.set(binderMac(context.crypto, hash, early, before.hashWith(beginning)), message.length - length)
}

/** What a ServerHello says about the session offered; `undefined` when the server did not take it. TLS13-32 */
export function selectedPsk(
  { crypto }: Context,
  offered: OfferedSession | undefined,
  extensions: Extensions,
  suite: CipherSuite,
): TakenPsk | undefined {
  const index = decodeExtension(extensions, ExtensionType.preSharedKey, 'pre_shared_key', (r) => r.u16())
  if (index === undefined) return undefined
  demand(offered !== undefined && index === 0, 'illegal-parameter', `the server chose ticket ${index}`)
  const { session, peer } = offered
  const fits = session.suite.hash === suite.hash
  demand(fits, 'illegal-parameter', 'the server chose a ticket and a cipher suite with another hash')
  return { type: 'psk', index, session, peer, early: earlySecret(crypto, suite.hash, session.secret) }
}

/** True when the client could go on with a ticket: what only full handshakes need may then be missing. */
export function offersPsk({ config }: Context, hello: ClientHello): boolean {
  return hasKeys(config.resumption?.ticketKeys) && hello.preSharedKeys !== undefined
}

function hasKeys(keys: readonly Uint8Array[] | undefined): boolean {
  return keys !== undefined && keys.length > 0
}

/**
 * The first ticket of the hello that this server takes; `undefined` where there is none.
 * @param before - the transcript that the hello goes behind.
 * @throws AlertError for a ticket whose binder is wrong. TLS13-31
 */
export function takePsk(
  context: Context,
  hello: ClientHello,
  suite: CipherSuite,
  before: Transcript,
  message: Uint8Array,
): TakenPsk | undefined {
  const { crypto, unixTime } = context
  const { preSharedKeys, serverName } = hello
  if (preSharedKeys === undefined || !takesTickets(context, hello)) return undefined
  const beginning = message.subarray(0, message.length - preSharedKeys.bindersLength)
  for (const [index, { ticket }] of preSharedKeys.identities.slice(0, MAX_PSK_IDENTITIES).entries()) {
    const session = openTicket(context, ticket)
    if (session === undefined || session.suite.hash !== suite.hash) continue // TLS13-32
    if (!isUsable(session, 'TLSv1.3', serverName, unixTime)) continue
    const early = earlySecret(crypto, suite.hash, session.secret)
    const expected = binderMac(crypto, suite.hash, early, before.hashWith(beginning))
    const bound = equalConstantTime(expected, preSharedKeys.binders[index] ?? EMPTY)
    demand(bound, 'decrypt-error', 'the binder of a ticket is wrong')
    const peer = ResumedPeer.judge(context, session)
    if (peer !== undefined) return { type: 'psk', index, session, peer, early }
  }
  return undefined
}

/** The client knows the one mode in which tickets are used here. TLS13-30 */
function takesTickets({ config }: Context, hello: ClientHello): boolean {
  return hasKeys(config.resumption?.ticketKeys) && hello.pskModes?.includes(PSK_DHE_KE) === true
}

/** Server: what a ticket of this handshake would be of; `undefined` when none is to be made. */
export function serverOrigin(
  context: Context,
  hello: ClientHello,
  taken: Session | undefined,
): SessionOrigin | undefined {
  if (!takesTickets(context, hello)) return undefined
  return { serverName: hello.serverName.slice(), authenticatedAt: taken?.authenticatedAt ?? context.unixTime }
}

/** Client: what a session of this handshake would be of; `undefined` when none is wanted. */
export function clientOrigin(context: Context, taken: Session | undefined): SessionOrigin | undefined {
  const { config, unixTime } = context
  if (config.resumption === undefined) return undefined
  return { serverName: serverNameBytes(config.serverName), authenticatedAt: taken?.authenticatedAt ?? unixTime }
}

/** What sessions of a finished connection are made of. */
export interface ResumptionRoot {
  readonly origin: SessionOrigin
  readonly resumptionMasterSecret: Uint8Array
}

/** @param transcript - through the client's Finished. */
export function resumptionRoot(
  { crypto }: Context,
  suite: CipherSuite,
  masterSecret: Uint8Array,
  transcript: Transcript,
  origin: SessionOrigin,
): ResumptionRoot {
  const secret = resumptionMasterSecret(crypto, suite.hash, masterSecret, transcript.hash())
  return { origin, resumptionMasterSecret: secret }
}

/** What a session says about the peer. */
export function peerPart(peer: PeerIdentity): Pick<Session, 'peerCertificates' | 'peerScheme'> {
  if (peer.type === 'anonymous') return { peerCertificates: [], peerScheme: undefined }
  return { peerCertificates: peer.chain?.certificates ?? [], peerScheme: peer.scheme }
}

/** The nonce of the one ticket that a connection gives. */
const NONCE = Uint8Array.of(0)

/** Server: sends a ticket for this connection. TLS13-34 */
export function sendTicket13(
  context: Context,
  root: ResumptionRoot,
  about: Pick<Session, 'suite' | 'group' | 'peerCertificates' | 'peerScheme'>,
): void {
  const { config, crypto, random, records, unixTime } = context
  const lifetime = remainingLifetime(root.origin, config.resumption?.ticketLifetime ?? 0, unixTime)
  if (lifetime === 0) return
  const ageAdd = new DataView(random(4).slice().buffer).getUint32(0)
  const ticket = sealTicket(context, {
    ...about,
    ...root.origin,
    extendedMasterSecret: true,
    secret: ticketPsk(crypto, about.suite.hash, root.resumptionMasterSecret, NONCE),
    issuedAt: unixTime,
    lifetime,
    ageAdd,
    staples: NO_STAPLES,
    ticket: EMPTY,
  })
  if (ticket !== undefined) records.sendHandshake(writeTicket13({ lifetime, ageAdd, nonce: NONCE, ticket }))
}

/** Client: a ticket came; the host gets a session where it wants one. TLS13-23 */
export function onTicket13(
  context: Context,
  root: ResumptionRoot | undefined,
  suite: CipherSuite,
  info: TlsAgreement,
  body: Uint8Array,
): void {
  const { crypto, unixTime } = context
  const { ticket, nonce, ageAdd, ...offered } = readTicket13(body)
  if (root === undefined) return
  const lifetime = remainingLifetime(root.origin, offered.lifetime, unixTime)
  if (lifetime === 0) return
  const { group, peerCertificates, peerSignatureScheme: name, ocspResponse, certificateTimestamps } = info
  const session = writeSession({
    ...root.origin,
    suite,
    group,
    peerCertificates,
    peerScheme: name === undefined ? undefined : signatureSchemeByName(name),
    extendedMasterSecret: true,
    secret: ticketPsk(crypto, suite.hash, root.resumptionMasterSecret, nonce),
    issuedAt: unixTime,
    lifetime,
    ageAdd,
    staples: { ocspResponse, certificateTimestamps },
    ticket,
  })
  context.emit({ type: 'session', session })
}
