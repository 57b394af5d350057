/**
 * ClientHello, read and written (RFC 8446 section 4.1.2, RFC 5246 section 7.4.1.2).
 *
 * Reading is strict about form: every extension that the engine uses is decoded to its last byte, here and at once, so a
 * handshake never meets a half-checked value. Unknown values inside lists stay in them; the negotiation skips them (TLS-18).
 */
import { EMPTY, Reader, utf8Encode, type Writer } from '../bytes/index.ts'
import { HASH_LENGTH, type HashName } from '../crypto/index.ts'
import { demand } from './alerts.ts'
import { readProtocols, writeProtocols } from './application-protocol.ts'
import {
  decodeExtension,
  decodeFlag,
  demandComplete,
  type Extensions,
  readExtensions,
  readNames,
  readU16List,
  writeExtension,
} from './extensions.ts'
import {
  PSK_DHE_KE,
  type PreSharedKeys,
  type PskIdentity,
  readPreSharedKeys,
  writePreSharedKey,
} from './pre-shared-key.ts'
import { ExtensionType } from './registry.ts'
import { readStatusRequest, writeStapleRequests } from './staples.ts'

/** NameType `host_name` of server_name. */
const HOST_NAME = 0

/** One key share as sent. */
export interface KeyShareEntry {
  readonly group: number
  readonly share: Uint8Array
}

/** A decoded ClientHello. Numbers are registry codes, known and unknown. Absent extensions are `undefined`. */
export interface ClientHello {
  readonly legacyVersion: number
  readonly random: Uint8Array
  readonly sessionId: Uint8Array
  readonly cipherSuites: readonly number[]
  readonly compressionMethods: Uint8Array
  readonly extensions: Extensions
  readonly supportedVersions: readonly number[] | undefined
  readonly supportedGroups: readonly number[] | undefined
  readonly signatureAlgorithms: readonly number[] | undefined
  readonly keyShares: readonly KeyShareEntry[] | undefined
  readonly cookie: Uint8Array | undefined
  readonly extendedMasterSecret: boolean
  readonly encryptThenMac: boolean
  /** renegotiated_connection of renegotiation_info. */
  readonly renegotiationInfo: Uint8Array | undefined
  readonly ecPointFormats: Uint8Array | undefined
  readonly earlyData: boolean
  /** The client takes a stapled OCSP response. */
  readonly statusRequest: boolean
  /** Names of application protocols that the client offers. */
  readonly applicationProtocols: readonly Uint8Array[] | undefined
  /** The client takes signed certificate timestamps. */
  readonly timestampRequest: boolean
  /** The host name of server_name; empty without one. */
  readonly serverName: Uint8Array
  /** A ticket of TLS 1.2, or an empty one that asks for one. */
  readonly sessionTicket: Uint8Array | undefined
  readonly pskModes: Uint8Array | undefined
  /** Tickets of TLS 1.3. */
  readonly preSharedKeys: PreSharedKeys | undefined
}

/** Reads a ClientHello body. @throws AlertError */
export function readClientHello(body: Uint8Array): ClientHello {
  const reader = new Reader(body)
  const legacyVersion = reader.u16()
  const random = reader.take(32)
  const sessionId = reader.vector(1)
  const cipherSuites = readU16List(reader, 2)
  const compressionMethods = reader.vector(1)
  demand(!reader.failed && sessionId.length <= 32, 'decode-error', 'the ClientHello is malformed')
  demand(compressionMethods.length > 0, 'decode-error', 'the ClientHello names no compression method')
  const extensions: Extensions = reader.remaining > 0 ? readExtensions(reader) : new Map()
  demandComplete(reader, 'the ClientHello')
  checkUnused(extensions)
  const preSharedKey = checkPlace(extensions)
  return {
    legacyVersion,
    random,
    sessionId,
    cipherSuites,
    compressionMethods,
    extensions,
    supportedVersions: decodeExtension(extensions, ExtensionType.supportedVersions, 'supported_versions', (r) =>
      readU16List(r, 1),
    ),
    supportedGroups: decodeExtension(extensions, ExtensionType.supportedGroups, 'supported_groups', (r) =>
      readU16List(r, 2),
    ),
    signatureAlgorithms: decodeExtension(extensions, ExtensionType.signatureAlgorithms, 'signature_algorithms', (r) =>
      readU16List(r, 2),
    ),
    keyShares: decodeExtension(extensions, ExtensionType.keyShare, 'key_share', readKeyShares),
    cookie: decodeExtension(extensions, ExtensionType.cookie, 'cookie', readNonEmpty(2)),
    extendedMasterSecret: decodeFlag(extensions, ExtensionType.extendedMasterSecret, 'extended_master_secret'),
    encryptThenMac: decodeFlag(extensions, ExtensionType.encryptThenMac, 'encrypt_then_mac'),
    renegotiationInfo: decodeExtension(extensions, ExtensionType.renegotiationInfo, 'renegotiation_info', (r) =>
      r.vector(1),
    ),
    ecPointFormats: decodeExtension(extensions, ExtensionType.ecPointFormats, 'ec_point_formats', readNonEmpty(1)),
    earlyData: decodeFlag(extensions, ExtensionType.earlyData, 'early_data'),
    statusRequest:
      decodeExtension(extensions, ExtensionType.statusRequest, 'status_request', readStatusRequest) ?? false,
    applicationProtocols: readProtocols(extensions),
    timestampRequest: decodeFlag(extensions, ExtensionType.signedCertificateTimestamp, 'signed_certificate_timestamp'),
    serverName: readServerName(extensions),
    sessionTicket: extensions.get(ExtensionType.sessionTicket),
    pskModes: decodeExtension(extensions, ExtensionType.pskKeyExchangeModes, 'psk_key_exchange_modes', readNonEmpty(1)),
    preSharedKeys: preSharedKey && readPreSharedKeys(preSharedKey),
  }
}

function readNonEmpty(prefix: number): (reader: Reader) => Uint8Array {
  return (reader) => {
    const value = reader.vector(prefix)
    if (value.length === 0) reader.failed = true
    return value
  }
}

/** client_shares: may be empty, but no share in it may. */
function readKeyShares(reader: Reader): readonly KeyShareEntry[] {
  const list = reader.sub(2)
  const shares: KeyShareEntry[] = []
  while (!list.failed && list.remaining > 0) {
    const group = list.u16()
    const share = list.vector(2)
    if (share.length === 0) list.failed = true
    shares.push({ group, share })
  }
  if (list.failed) reader.failed = true
  return shares
}

/**
 * The host name of server_name, empty without: at least one name, one of a kind, host names in printable ASCII (RFC 6066
 * section 3). TLS-47
 */
function readServerName(extensions: Extensions): Uint8Array {
  const kinds: number[] = []
  const hosts: Uint8Array[] = []
  decodeExtension(extensions, ExtensionType.serverName, 'server_name', (reader) => {
    const names = reader.sub(2)
    while (!names.failed && names.remaining > 0) {
      const kind = names.u8()
      const name = names.vector(2)
      kinds.push(kind)
      if (kind === HOST_NAME) hosts.push(name)
      if (name.length === 0) names.failed = true
    }
    if (names.failed || kinds.length === 0) reader.failed = true
  })
  demand(new Set(kinds).size === kinds.length, 'illegal-parameter', 'two names of one kind in server_name')
  const printable = hosts.every((name) => name.every((byte) => byte > 0x20 && byte < 0x7f))
  demand(printable, 'illegal-parameter', 'server_name is not a host name in ASCII')
  return hosts[0] ?? EMPTY
}

/** Form checks of extensions that are otherwise ignored. */
function checkUnused(extensions: Extensions): void {
  decodeExtension(extensions, ExtensionType.signatureAlgorithmsCert, 'signature_algorithms_cert', (r) =>
    readU16List(r, 2),
  )
  decodeExtension(extensions, ExtensionType.certificateAuthorities, 'certificate_authorities', readNames)
}

/** The value of pre_shared_key, which stands last and beside psk_key_exchange_modes. TLS13-9 */
function checkPlace(extensions: Extensions): Uint8Array | undefined {
  const value = extensions.get(ExtensionType.preSharedKey)
  if (value === undefined) return undefined
  const last = [...extensions.keys()].at(-1)
  demand(last === ExtensionType.preSharedKey, 'illegal-parameter', 'pre_shared_key is not the last extension')
  const hasModes = extensions.has(ExtensionType.pskKeyExchangeModes)
  demand(hasModes, 'missing-extension', 'pre_shared_key without psk_key_exchange_modes')
  return value
}

/** What a ClientHello of this engine holds. Extensions that are `undefined`, `false` or empty are left out. */
export interface ClientHelloFields {
  readonly random: Uint8Array
  readonly sessionId: Uint8Array
  readonly cipherSuites: readonly number[]
  readonly supportedVersions: readonly number[]
  readonly supportedGroups: readonly number[]
  readonly signatureAlgorithms: readonly number[]
  /** `undefined` when 1.3 is not offered. */
  readonly keyShares: readonly KeyShareEntry[] | undefined
  readonly cookie: Uint8Array | undefined
  /** True when 1.2 is offered: its extensions are then written. */
  readonly offers12: boolean
  readonly encryptThenMac: boolean
  readonly serverName: string | undefined
  readonly applicationProtocols: readonly string[]
  readonly requestOcsp: boolean
  readonly requestTimestamps: boolean
  /** What resumption adds; `undefined` where the host does not want it. */
  readonly resumption: ResumptionFields | undefined
}

/** Extensions by which a client resumes sessions and gets new ones. */
export interface ResumptionFields {
  /** A ticket of 1.2, or an empty one that asks for one. */
  readonly sessionTicket: Uint8Array
  /** A ticket of 1.3, with room for a binder of this hash. */
  readonly psk: { readonly identity: PskIdentity; readonly hash: HashName } | undefined
}

/** Writes a ClientHello body. */
export function writeClientHello(writer: Writer, fields: ClientHelloFields): void {
  writer.u16(0x0303).bytes(fields.random).vector(1, fields.sessionId)
  writer.block(2, (w) => putU16s(w, fields.cipherSuites))
  writer.u8(1).u8(0)
  writer.block(2, (w) => writeClientExtensions(w, fields))
}

function writeClientExtensions(w: Writer, fields: ClientHelloFields): void {
  const { serverName, resumption } = fields
  if (serverName !== undefined) {
    // TLS-42
    writeExtension(w, ExtensionType.serverName, (x) =>
      x.block(2, (y) => y.u8(HOST_NAME).vector(2, utf8Encode(serverName))),
    )
  }
  if (fields.offers12) {
    writeExtension(w, ExtensionType.renegotiationInfo, (x) => x.u8(0)) // TLS12-3
    writeExtension(w, ExtensionType.extendedMasterSecret, () => undefined)
    writeExtension(w, ExtensionType.ecPointFormats, (x) => x.u8(1).u8(0))
    if (resumption !== undefined)
      writeExtension(w, ExtensionType.sessionTicket, (x) => x.bytes(resumption.sessionTicket))
    if (fields.encryptThenMac) writeExtension(w, ExtensionType.encryptThenMac, () => undefined)
  }
  writeExtension(w, ExtensionType.supportedGroups, (x) => x.block(2, (y) => putU16s(y, fields.supportedGroups)))
  writeExtension(w, ExtensionType.signatureAlgorithms, (x) => x.block(2, (y) => putU16s(y, fields.signatureAlgorithms)))
  writeProtocols(w, fields.applicationProtocols)
  writeStapleRequests(w, fields.requestOcsp, fields.requestTimestamps)
  const { keyShares, cookie } = fields
  if (keyShares === undefined) return
  writeExtension(w, ExtensionType.supportedVersions, (x) => x.block(1, (y) => putU16s(y, fields.supportedVersions)))
  if (cookie !== undefined) writeExtension(w, ExtensionType.cookie, (x) => x.vector(2, cookie))
  writeExtension(w, ExtensionType.keyShare, (x) =>
    x.block(2, (y) => {
      for (const { group, share } of keyShares) y.u16(group).vector(2, share)
    }),
  )
  if (resumption === undefined) return
  writeExtension(w, ExtensionType.pskKeyExchangeModes, (x) => x.vector(1, Uint8Array.of(PSK_DHE_KE)))
  const { psk } = resumption
  if (psk !== undefined) writePreSharedKey(w, psk.identity, HASH_LENGTH[psk.hash])
}

/** Writes 16-bit numbers one after another. */
export function putU16s(writer: Writer, values: readonly number[]): void {
  for (const value of values) writer.u16(value)
}
