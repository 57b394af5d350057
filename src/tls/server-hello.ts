/**
 * ServerHello and HelloRetryRequest (RFC 8446 sections 4.1.3 and 4.1.4, RFC 5246 section 7.4.1.3), read and written.
 *
 * Both are the same message; a HelloRetryRequest is told by its random. The last eight bytes of a real random say that
 * a server which knows a higher version was talked down.
 */
import { equalBytes, fromHex, Reader, Writer } from '../bytes/index.ts'
import { demand } from './alerts.ts'
import { writeProtocols } from './application-protocol.ts'
import type { ClientHello } from './client-hello.ts'
import { demandComplete, type Extensions, readExtensions, writeExtension } from './extensions.ts'
import { handshakeMessage } from './handshake-stream.ts'
import {
  type CipherSuite,
  ExtensionType,
  HandshakeType,
  RENEGOTIATION_SCSV,
  type TlsVersion,
  VERSION_CODES,
} from './registry.ts'
import type { Staples } from './staples.ts'

/** A decoded ServerHello. */
export interface ServerHello {
  readonly legacyVersion: number
  readonly random: Uint8Array
  readonly sessionId: Uint8Array
  readonly cipherSuite: number
  readonly compressionMethod: number
  readonly extensions: Extensions
}

/** SHA-256 of "HelloRetryRequest". */
const RETRY_RANDOM = fromHex('cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c') as Uint8Array

/** Marks of RFC 8446 section 4.1.3: a server of 1.3 that negotiated 1.2, and one that negotiated less. */
const DOWNGRADE_12 = fromHex('444f574e47524401') as Uint8Array
const DOWNGRADE_11 = fromHex('444f574e47524400') as Uint8Array

/** Reads a ServerHello body. @throws AlertError */
export function readServerHello(body: Uint8Array): ServerHello {
  const reader = new Reader(body)
  const legacyVersion = reader.u16()
  const random = reader.copy(32)
  const sessionId = reader.vector(1)
  const cipherSuite = reader.u16()
  const compressionMethod = reader.u8()
  demand(!reader.failed && sessionId.length <= 32, 'decode-error', 'the ServerHello is malformed')
  const onDuplicate = equalBytes(random, RETRY_RANDOM) ? 'illegal-parameter' : 'decode-error'
  const extensions: Extensions = reader.remaining > 0 ? readExtensions(reader, onDuplicate) : new Map()
  demandComplete(reader, 'the ServerHello')
  return { legacyVersion, random, sessionId, cipherSuite, compressionMethod, extensions }
}

/** True for a HelloRetryRequest. */
export function isHelloRetryRequest(hello: ServerHello): boolean {
  return equalBytes(hello.random, RETRY_RANDOM)
}

/** True when the random says that the server could have spoken a higher version than `version`. */
export function showsDowngrade(random: Uint8Array): boolean {
  const tail = random.subarray(24)
  return equalBytes(tail, DOWNGRADE_12) || equalBytes(tail, DOWNGRADE_11)
}

/** Marks a random of a server that knows 1.3 but negotiated 1.2. TLS-16 */
export function markDowngrade(random: Uint8Array): Uint8Array {
  const marked = random.slice()
  marked.set(DOWNGRADE_12, 24)
  return marked
}

/** What a ServerHello of this engine holds. */
export interface ServerHelloFields {
  /** `undefined` writes a HelloRetryRequest. */
  readonly random: Uint8Array | undefined
  readonly sessionId: Uint8Array
  readonly cipherSuite: number
}

/** Writes a ServerHello body; `extensions` writes what goes into the block, and no block is written without it. */
export function writeServerHello(
  writer: Writer,
  fields: ServerHelloFields,
  extensions: ((writer: Writer) => void) | undefined,
): void {
  writer
    .u16(0x0303)
    .bytes(fields.random ?? RETRY_RANDOM)
    .vector(1, fields.sessionId)
    .u16(fields.cipherSuite)
    .u8(0)
  if (extensions !== undefined) writer.block(2, extensions)
}

/** Writes supported_versions of a ServerHello. */
export function writeSelectedVersion(writer: Writer, version: TlsVersion): void {
  writeExtension(writer, ExtensionType.supportedVersions, (w) => w.u16(VERSION_CODES[version]))
}

/** What a 1.2 server answers to the ClientHello's extensions. */
export interface Answers12 {
  readonly encryptThenMac: boolean
  readonly applicationProtocol: string | undefined
  readonly staples: Staples
  /** A NewSessionTicket will follow. */
  readonly ticketPromised: boolean
}

/**
 * A 1.2 ServerHello message.
 * @param sessionId - the client's where its session is resumed, otherwise empty: sessions have no names here. TLS12-4
 */
export function serverHello12(
  hello: ClientHello,
  suite: CipherSuite,
  random: Uint8Array,
  sessionId: Uint8Array,
  answers: Answers12,
): Uint8Array {
  const { encryptThenMac, applicationProtocol, ticketPromised } = answers
  const { ocspResponse, certificateTimestamps: timestamps } = answers.staples
  const secureRenegotiation = hello.renegotiationInfo !== undefined || hello.cipherSuites.includes(RENEGOTIATION_SCSV)
  const writeExtensions = (w: Writer) => {
    if (secureRenegotiation) writeExtension(w, ExtensionType.renegotiationInfo, (x) => x.u8(0))
    if (hello.extendedMasterSecret) writeExtension(w, ExtensionType.extendedMasterSecret, () => undefined)
    if (hello.ecPointFormats !== undefined) writeExtension(w, ExtensionType.ecPointFormats, (x) => x.u8(1).u8(0))
    if (encryptThenMac) writeExtension(w, ExtensionType.encryptThenMac, () => undefined)
    if (ticketPromised) writeExtension(w, ExtensionType.sessionTicket, () => undefined)
    writeProtocols(w, applicationProtocol === undefined ? [] : [applicationProtocol])
    if (ocspResponse !== undefined) writeExtension(w, ExtensionType.statusRequest, () => undefined)
    if (timestamps !== undefined)
      writeExtension(w, ExtensionType.signedCertificateTimestamp, (x) => x.bytes(timestamps))
  }
  const extensions = new Writer(64)
  writeExtensions(extensions)
  const writer = new Writer(128)
  const any = extensions.length > 0
  writeServerHello(writer, { random, sessionId, cipherSuite: suite.id }, any ? writeExtensions : undefined)
  return handshakeMessage(HandshakeType.serverHello, writer.finish())
}
