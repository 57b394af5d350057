/**
 * Sessions that outlive their connection (RFC 8446 section 2.2, RFC 5077), for hosts that ask for it. OpenVPN never does.
 *
 * A session is a secret and what the full handshake proved about the peer: its certificates, not a verdict on them. Whoever
 * resumes judges them again, at its own time and under its own configuration (TLS-50), so a certificate that expired or was
 * revoked since ends the session with it. The client keeps sessions as bytes, the server gives them away sealed (`ticket.ts`).
 *
 * Bounds: a session is dead when its ticket's lifetime is over, and seven days after its peer last signed something, however
 * often it was renewed meanwhile (TLS-51).
 */
import { ConfigError, EMPTY, equalBytes, Reader, utf8Encode, Writer } from '../bytes/index.ts'
import type { GroupName } from '../crypto/index.ts'
import {
  type CipherSuite,
  cipherSuiteById,
  GROUP_CODES,
  groupByCode,
  type SignatureScheme,
  signatureSchemeById,
  type TlsVersion,
} from './registry.ts'
import type { Staples } from './staples.ts'

/** What a host says about resumption. Absent: none is offered, taken or made possible. TLS-53 */
export interface Resumption {
  /**
   * Client: a session of an earlier connection to the same server, as its `session` output gave it. One that cannot be used
   * any more is left out without a word. A session should be used once: who sees it twice can tell that it is one client.
   */
  readonly session?: Uint8Array
  /** Server: secrets of at least 32 bytes. The first seals tickets, all of them open tickets; without any none are made. */
  readonly ticketKeys?: readonly Uint8Array[]
  /** Server: how long a ticket is good, in seconds, 1 to 604,800. Default 86,400. */
  readonly ticketLifetime?: number
  /**
   * Resume 1.2 sessions without extended_master_secret, which RFC 7627 advises against: a server in the middle can make two
   * connections share one secret. Default false.
   */
  readonly withoutExtendedMasterSecret?: boolean
}

/** {@link Resumption}, checked. */
export interface ResolvedResumption {
  readonly session: Session | undefined
  readonly ticketKeys: readonly Uint8Array[]
  readonly ticketLifetime: number
  readonly withoutExtendedMasterSecret: boolean
}

/** Longest life of a session in seconds (RFC 8446 section 4.6.1). */
export const MAX_SESSION_LIFETIME = 604_800
/** How far two clocks may be apart, in ms, before a session seems to come from the future. */
const CLOCK_SKEW = 60_000
const LEAST_TICKET_KEY = 32
const MAX_TICKET_KEYS = 8

/** What a session is of, whatever becomes of it. */
export interface SessionOrigin {
  /** What the client sent as server_name; empty without. */
  readonly serverName: Uint8Array
  /** Unix ms at which the peer last proved its key with a signature. */
  readonly authenticatedAt: number
}

/** A session. Secret. */
export interface Session extends SessionOrigin {
  readonly suite: CipherSuite
  /** 1.3: the pre-shared key; 1.2: the master secret. */
  readonly secret: Uint8Array
  readonly extendedMasterSecret: boolean
  readonly group: GroupName
  /** Unix ms at which the ticket was made or came. */
  readonly issuedAt: number
  /** Seconds. */
  readonly lifetime: number
  /** 1.3: hides the ticket's age on the wire. */
  readonly ageAdd: number
  /** The peer's certificates and the scheme it signed with; empty for a client that showed none. */
  readonly peerCertificates: readonly Uint8Array[]
  readonly peerScheme: SignatureScheme | undefined
  /** Client: what was stapled to the server's certificate. Nothing inside a ticket. */
  readonly staples: Staples
  /** Client: what the server is shown. Empty inside a ticket. */
  readonly ticket: Uint8Array
}

/** @throws ConfigError TLS-53 */
export function resolveResumption(
  resumption: Resumption | undefined,
  role: 'client' | 'server',
): ResolvedResumption | undefined {
  if (resumption === undefined) return undefined
  const { session, ticketKeys = [], ticketLifetime = 86_400, withoutExtendedMasterSecret = false } = resumption
  const misplaced = role === 'client' ? ticketKeys.length > 0 : session !== undefined
  if (misplaced) throw new ConfigError('resumption', `a ${role} has no ${role === 'client' ? 'ticketKeys' : 'session'}`)
  if (ticketKeys.length > MAX_TICKET_KEYS || ticketKeys.some((key) => key.length < LEAST_TICKET_KEY)) {
    throw new ConfigError('resumption', `ticketKeys are at most ${MAX_TICKET_KEYS}, of at least 32 bytes each`)
  }
  const inRange = Number.isInteger(ticketLifetime) && ticketLifetime >= 1 && ticketLifetime <= MAX_SESSION_LIFETIME
  if (!inRange) throw new ConfigError('resumption', `ticketLifetime is 1 to ${MAX_SESSION_LIFETIME} seconds`)
  return {
    session: session === undefined ? undefined : readSession(session),
    ticketKeys,
    ticketLifetime,
    withoutExtendedMasterSecret,
  }
}

/** A host name as server_name carries it. */
export function serverNameBytes(name: string | undefined): Uint8Array {
  return name === undefined ? EMPTY : utf8Encode(name)
}

/** True while a session may be used, and only for the name that it is of. TLS-51, TLS-52 */
export function isUsable(session: Session, version: TlsVersion, serverName: Uint8Array, unixTime: number): boolean {
  const age = unixTime - session.issuedAt
  const sinceProof = unixTime - session.authenticatedAt
  return (
    session.suite.version === version &&
    age >= -CLOCK_SKEW &&
    age <= session.lifetime * 1000 &&
    sinceProof >= -CLOCK_SKEW &&
    sinceProof <= MAX_SESSION_LIFETIME * 1000 &&
    equalBytes(session.serverName, serverName)
  )
}

/** Seconds that a session of this origin may still live, at most `wanted`; 0 when none. TLS-51 */
export function remainingLifetime({ authenticatedAt }: SessionOrigin, wanted: number, unixTime: number): number {
  const left = Math.floor(MAX_SESSION_LIFETIME - (unixTime - authenticatedAt) / 1000)
  return Math.max(0, Math.min(wanted, left, MAX_SESSION_LIFETIME))
}

/** Goes up with every change of what a session holds. */
const FORMAT = 1

/** The bytes of a session. */
export function writeSession(session: Session): Uint8Array {
  const writer = new Writer(1024)
    .u8(FORMAT)
    .u16(session.suite.id)
    .u16(GROUP_CODES[session.group])
    .u16(session.peerScheme?.id ?? 0)
    .u8(session.extendedMasterSecret ? 1 : 0)
    .vector(1, session.secret)
    .u48(Math.max(0, Math.floor(session.authenticatedAt)))
    .u48(Math.max(0, Math.floor(session.issuedAt)))
    .u32(session.lifetime)
    .u32(session.ageAdd)
    .vector(2, session.serverName)
  writer.block(3, (w) => {
    for (const der of session.peerCertificates) w.vector(3, der)
  })
  const { ocspResponse, certificateTimestamps } = session.staples
  writer.vector(3, ocspResponse ?? EMPTY).vector(2, certificateTimestamps ?? EMPTY)
  return writer.vector(2, session.ticket).finish()
}

/** A session out of its bytes; `undefined` for what is malformed, of another format or of a suite that is not known here. */
export function readSession(bytes: Uint8Array): Session | undefined {
  const reader = new Reader(bytes)
  if (reader.u8() !== FORMAT) return undefined
  const suite = cipherSuiteById(reader.u16())
  const group = groupByCode(reader.u16())
  const schemeId = reader.u16()
  const peerScheme = signatureSchemeById(schemeId)
  const flags = reader.u8()
  const secret = reader.copy(reader.u8())
  const authenticatedAt = reader.u48()
  const issuedAt = reader.u48()
  const lifetime = reader.u32()
  const ageAdd = reader.u32()
  const serverName = reader.copy(reader.u16())
  const list = reader.sub(3)
  const peerCertificates: Uint8Array[] = []
  while (!list.failed && list.remaining > 0) peerCertificates.push(list.copy(list.u24()))
  const ocspResponse = reader.copy(reader.u24())
  const timestamps = reader.copy(reader.u16())
  const ticket = reader.copy(reader.u16())
  const known = suite !== undefined && group !== undefined && (peerScheme !== undefined) === peerCertificates.length > 0
  if (list.failed || !reader.complete || !known || flags > 1 || (peerScheme === undefined && schemeId > 0)) {
    return undefined
  }
  return {
    suite,
    group,
    peerScheme,
    extendedMasterSecret: flags === 1,
    secret,
    authenticatedAt,
    issuedAt,
    lifetime,
    ageAdd,
    serverName,
    peerCertificates,
    staples: {
      ocspResponse: ocspResponse.length === 0 ? undefined : ocspResponse,
      certificateTimestamps: timestamps.length === 0 ? undefined : timestamps,
    },
    ticket,
  }
}
