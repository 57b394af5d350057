/**
 * Certificate, CertificateRequest and CertificateVerify of both versions (RFC 8446 section 4.4, RFC 5246 section 7.4).
 *
 * Certificate entries may carry only extensions that were asked for.
 * Lists of acceptable CAs are checked for form and otherwise ignored: an OpenVPN end has one certificate.
 */
import { concat, EMPTY, Reader, utf8Encode, Writer } from '../bytes/index.ts'
import { demand } from './alerts.ts'
import {
  decodeExtension,
  demandComplete,
  readExtensions,
  readNames,
  readU16List,
  writeExtension,
} from './extensions.ts'
import { handshakeMessage } from './handshake-stream.ts'
import { ExtensionType, HandshakeType, type SignatureScheme } from './registry.ts'
import { demandAsked, NO_STAPLES, readStaples13, type Staples, writeStaples13 } from './staples.ts'

/** A 1.3 Certificate message as read. */
interface Certificate13 {
  /** DER certificates, leaf first. */
  readonly certificates: readonly Uint8Array[]
  /** What came with the leaf. */
  readonly staples: Staples
}

/**
 * Reads a 1.3 Certificate body.
 * @param asked - extensions that entries may hold; those of CAs are checked for form and forgotten.
 * @throws AlertError TLS13-15
 */
export function readCertificate13(
  body: Uint8Array,
  most: number,
  asked: ReadonlySet<number> | 'anything',
): Certificate13 {
  const reader = new Reader(body)
  const context = reader.vector(1)
  const list = reader.sub(3)
  const certificates: Uint8Array[] = []
  let staples = NO_STAPLES
  while (!list.failed && list.remaining > 0) {
    demandRoom(certificates.length, most)
    certificates.push(readEntry(list))
    const extensions = readExtensions(list)
    if (asked !== 'anything') demandAsked(extensions, asked)
    const read = readStaples13(extensions)
    if (certificates.length === 1) staples = read
  }
  demand(!list.failed, 'decode-error', 'the Certificate message is malformed')
  demandComplete(reader, 'the Certificate message')
  demand(context.length === 0, 'illegal-parameter', 'a certificate_request_context during the handshake')
  return { certificates, staples }
}

/** Reads a 1.2 Certificate body. @throws AlertError */
export function readCertificate12(body: Uint8Array, most: number): readonly Uint8Array[] {
  const reader = new Reader(body)
  const list = reader.sub(3)
  const chain: Uint8Array[] = []
  while (!list.failed && list.remaining > 0) {
    demandRoom(chain.length, most)
    chain.push(readEntry(list))
  }
  demand(!list.failed, 'decode-error', 'the Certificate message is malformed')
  demandComplete(reader, 'the Certificate message')
  return chain
}

/** TLS-12 */
function demandRoom(count: number, most: number): void {
  demand(count < most, 'bad-certificate', `more than ${most} certificates`)
}

function readEntry(list: Reader): Uint8Array {
  const der = list.copy(list.u24())
  demand(list.failed || der.length > 0, 'decode-error', 'an empty certificate entry')
  return der
}

/** A 1.3 Certificate message; what is stapled goes with the leaf. */
export function writeCertificate13(
  chain: readonly Uint8Array[],
  context: Uint8Array,
  staples: Staples = NO_STAPLES,
): Uint8Array {
  const writer = new Writer(1024)
  writer.vector(1, context).block(3, (w) => {
    for (const [index, der] of chain.entries()) {
      w.vector(3, der).block(2, (x) => writeStaples13(x, index === 0 ? staples : NO_STAPLES))
    }
  })
  return handshakeMessage(HandshakeType.certificate, writer.finish())
}

/** A 1.2 Certificate message. */
export function writeCertificate12(chain: readonly Uint8Array[]): Uint8Array {
  const writer = new Writer(1024)
  writer.block(3, (w) => {
    for (const der of chain) w.vector(3, der)
  })
  return handshakeMessage(HandshakeType.certificate, writer.finish())
}

/** What a server asks of a client's certificate. */
export interface CertificateRequest {
  /** Echoed in the answer; empty in 1.2 and during a 1.3 handshake. */
  readonly context: Uint8Array
  readonly signatureAlgorithms: readonly number[]
  /** ClientCertificateType values; 1.2 only. */
  readonly certificateTypes: Uint8Array
  /** DER names of the CAs that the server would like; told on, otherwise ignored. */
  readonly authorities: readonly Uint8Array[]
}

/** What a client tells its host about a request. */
export function requestInfo(request: CertificateRequest | undefined): {
  readonly peerSignatureAlgorithms: readonly number[]
  readonly certificateAuthorities: readonly Uint8Array[]
} {
  return {
    peerSignatureAlgorithms: request?.signatureAlgorithms ?? [],
    certificateAuthorities: request?.authorities ?? [],
  }
}

/** Reads a 1.3 CertificateRequest body. @throws AlertError TLS13-17 */
export function readCertificateRequest13(body: Uint8Array): CertificateRequest {
  const reader = new Reader(body)
  const context = reader.copy(reader.u8())
  const extensions = readExtensions(reader)
  demandComplete(reader, 'the CertificateRequest')
  demand(context.length === 0, 'illegal-parameter', 'a certificate_request_context during the handshake')
  const signatureAlgorithms = decodeExtension(
    extensions,
    ExtensionType.signatureAlgorithms,
    'signature_algorithms',
    (r) => readU16List(r, 2),
  )
  demand(signatureAlgorithms !== undefined, 'missing-extension', 'a CertificateRequest without signature_algorithms')
  const { certificateAuthorities: type } = ExtensionType
  const authorities = decodeExtension(extensions, type, 'certificate_authorities', readNames) ?? []
  return { context, signatureAlgorithms, certificateTypes: EMPTY, authorities }
}

/** Reads a 1.2 CertificateRequest body. @throws AlertError */
export function readCertificateRequest12(body: Uint8Array): CertificateRequest {
  const reader = new Reader(body)
  const certificateTypes = reader.copy(reader.u8())
  const signatureAlgorithms = readU16List(reader, 2)
  const names = reader.sub(2)
  const authorities: Uint8Array[] = []
  while (!names.failed && names.remaining > 0) authorities.push(names.copy(names.u16()))
  demand(!names.failed && certificateTypes.length > 0, 'decode-error', 'the CertificateRequest is malformed')
  demandComplete(reader, 'the CertificateRequest')
  return { context: EMPTY, signatureAlgorithms, certificateTypes, authorities }
}

/** A 1.3 CertificateRequest message. */
export function writeCertificateRequest13(
  schemes: readonly SignatureScheme[],
  authorities: readonly Uint8Array[],
): Uint8Array {
  const writer = new Writer(64)
  writer.u8(0).block(2, (w) => {
    writeExtension(w, ExtensionType.signatureAlgorithms, (x) => x.block(2, (y) => putSchemes(y, schemes)))
    if (authorities.length > 0) {
      writeExtension(w, ExtensionType.certificateAuthorities, (x) => x.block(2, (y) => putNames(y, authorities)))
    }
  })
  return handshakeMessage(HandshakeType.certificateRequest, writer.finish())
}

/** A 1.2 CertificateRequest message, for RSA and ECDSA certificates. */
export function writeCertificateRequest12(
  schemes: readonly SignatureScheme[],
  authorities: readonly Uint8Array[],
): Uint8Array {
  const writer = new Writer(64)
  writer
    .vector(1, Uint8Array.of(1, 64))
    .block(2, (w) => putSchemes(w, schemes))
    .block(2, (w) => putNames(w, authorities))
  return handshakeMessage(HandshakeType.certificateRequest, writer.finish())
}

function putSchemes(writer: Writer, schemes: readonly SignatureScheme[]): void {
  for (const { id } of schemes) writer.u16(id)
}

function putNames(writer: Writer, names: readonly Uint8Array[]): void {
  for (const name of names) writer.vector(2, name)
}

/** A CertificateVerify, or the signed part of a ServerKeyExchange. */
export interface DigitallySigned {
  readonly scheme: number
  readonly signature: Uint8Array
}

/** Reads a scheme and a signature; the caller checks that nothing follows. */
export function readDigitallySigned(reader: Reader): DigitallySigned {
  const scheme = reader.u16()
  return { scheme, signature: reader.vector(2) }
}

/** Reads a CertificateVerify body. @throws AlertError */
export function readCertificateVerify(body: Uint8Array): DigitallySigned {
  const reader = new Reader(body)
  const signed = readDigitallySigned(reader)
  demandComplete(reader, 'the CertificateVerify')
  return signed
}

/** A CertificateVerify message. */
export function writeCertificateVerify(scheme: SignatureScheme, signature: Uint8Array): Uint8Array {
  const body = new Writer(4 + signature.length).u16(scheme.id).vector(2, signature).finish()
  return handshakeMessage(HandshakeType.certificateVerify, body)
}

const SIGNED_BY = {
  server: utf8Encode('TLS 1.3, server CertificateVerify'),
  client: utf8Encode('TLS 1.3, client CertificateVerify'),
}

/** What a 1.3 CertificateVerify signs (RFC 8446 section 4.4.3). TLS13-14 */
export function signedContent13(signer: 'client' | 'server', transcriptHash: Uint8Array): Uint8Array {
  return concat(new Uint8Array(64).fill(0x20), SIGNED_BY[signer], new Uint8Array(1), transcriptHash)
}
