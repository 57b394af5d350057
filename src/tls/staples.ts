/**
 * What a server may staple to its certificate: an OCSP response (RFC 6066 section 8) and signed certificate timestamps
 * (RFC 6962 section 3.3).
 *
 * Both are carried and not judged: a client that asked gets the bytes with `TlsInfo`, a server that has some gives them
 * to clients that ask. In 1.3 they are extensions of the leaf's entry in Certificate; in 1.2 timestamps stand in the
 * ServerHello and the response in a CertificateStatus message. Clients' certificates never carry any (TLS-43).
 */
import { Reader, Writer } from '../bytes/index.ts'
import { demand } from './alerts.ts'
import { decodeExtension, demandComplete, type Extensions, writeExtension } from './extensions.ts'
import { handshakeMessage } from './handshake-stream.ts'
import { ExtensionType, HandshakeType } from './registry.ts'

/** What came with a server's leaf. */
export interface Staples {
  /** DER of an OCSPResponse. */
  readonly ocspResponse: Uint8Array | undefined
  /** A SignedCertificateTimestampList. */
  readonly certificateTimestamps: Uint8Array | undefined
}

/** Nothing stapled. */
export const NO_STAPLES: Staples = { ocspResponse: undefined, certificateTimestamps: undefined }

/** CertificateStatusType `ocsp`. */
const OCSP = 1

/** Writes the requests of a ClientHello. TLS-39 */
export function writeStapleRequests(writer: Writer, ocsp: boolean, timestamps: boolean): void {
  if (ocsp) writeExtension(writer, ExtensionType.statusRequest, (w) => w.u8(OCSP).u16(0).u16(0))
  if (timestamps) writeExtension(writer, ExtensionType.signedCertificateTimestamp, () => undefined)
}

/** True when status_request asks for OCSP; requests of other kinds are skipped. */
export function readStatusRequest(reader: Reader): boolean {
  if (reader.u8() !== OCSP) {
    reader.rest()
    return false
  }
  reader.vector(2)
  reader.vector(2)
  return true
}

/** Extension types that the leaf's entry, or a 1.2 ServerHello, may hold because this client asked. */
export function askedStaples({
  requestOcsp,
  requestTimestamps,
}: {
  readonly requestOcsp: boolean
  readonly requestTimestamps: boolean
}): ReadonlySet<number> {
  return new Set([
    ...(requestOcsp ? [ExtensionType.statusRequest] : []),
    ...(requestTimestamps ? [ExtensionType.signedCertificateTimestamp] : []),
  ])
}

/** Reads the staples of a 1.3 certificate entry. */
export function readStaples13(extensions: Extensions): Staples {
  return {
    ocspResponse: decodeExtension(extensions, ExtensionType.statusRequest, 'status_request', readResponse),
    certificateTimestamps: readTimestamps(extensions),
  }
}

/** The timestamps of a 1.2 ServerHello or a 1.3 entry: a list that is not empty, of entries that are not. */
export function readTimestamps(extensions: Extensions): Uint8Array | undefined {
  const { signedCertificateTimestamp: type } = ExtensionType
  return decodeExtension(extensions, type, 'signed_certificate_timestamp', (reader) => {
    const start = reader.offset
    const list = reader.sub(2)
    if (list.remaining === 0) reader.failed = true
    while (!list.failed && list.remaining > 0) if (list.vector(2).length === 0) list.failed = true
    if (list.failed) reader.failed = true
    return extensions.get(type)?.slice(start, reader.offset)
  })
}

function readResponse(reader: Reader): Uint8Array {
  if (reader.u8() !== OCSP) reader.failed = true
  const response = reader.copy(reader.u24())
  if (response.length === 0) reader.failed = true
  return response
}

/** Reads a CertificateStatus body. @throws AlertError */
export function readCertificateStatus(body: Uint8Array): Uint8Array {
  const reader = new Reader(body)
  const response = readResponse(reader)
  demandComplete(reader, 'the CertificateStatus')
  return response
}

/** What of a server's staples this client asked for. */
export function staplesFor(
  staples: Staples,
  hello: { readonly statusRequest: boolean; readonly timestampRequest: boolean },
): Staples {
  return {
    ocspResponse: hello.statusRequest ? staples.ocspResponse : undefined,
    certificateTimestamps: hello.timestampRequest ? staples.certificateTimestamps : undefined,
  }
}

/** Writes the extensions of a leaf's 1.3 entry. */
export function writeStaples13(writer: Writer, { ocspResponse, certificateTimestamps }: Staples): void {
  if (ocspResponse !== undefined) {
    writeExtension(writer, ExtensionType.statusRequest, (w) => w.u8(OCSP).vector(3, ocspResponse))
  }
  if (certificateTimestamps !== undefined) {
    writeExtension(writer, ExtensionType.signedCertificateTimestamp, (w) => w.bytes(certificateTimestamps))
  }
}

/** A CertificateStatus message. */
export function writeCertificateStatus(response: Uint8Array): Uint8Array {
  const body = new Writer(4 + response.length).u8(OCSP).vector(3, response).finish()
  return handshakeMessage(HandshakeType.certificateStatus, body)
}

/** Refuses extensions on a certificate that were not asked for. TLS13-15 */
export function demandAsked(extensions: Extensions, asked: ReadonlySet<number>): void {
  for (const type of extensions.keys()) {
    demand(asked.has(type), 'unsupported-extension', `extension ${type} on a certificate was not asked for`)
  }
}
