/**
 * A certificate's outer structure: which bytes are which field. The one file that touches pkijs and asn1js.
 *
 * asn1js builds the tree and pkijs matches it against the Certificate schema of RFC 5280; what leaves this file is raw
 * DER per field, cut from the received bytes, and everything that decides is read from those by this floor's own code.
 * Both libraries read BER, so callers must have passed the bytes through `parseDer` first.
 */
import { fromBER } from 'asn1js'
import { Certificate as PkiCertificate } from 'pkijs'
import { malformed } from './fault.ts'

/** Raw fields of a certificate; each is a whole DER value unless said otherwise. */
export interface CertificateStructure {
  /** TBSCertificate. */
  readonly tbs: Uint8Array
  readonly version: 1 | 2 | 3
  /** Contents of serialNumber. */
  readonly serial: Uint8Array
  /** The AlgorithmIdentifier inside the signed part. */
  readonly innerAlgorithm: Uint8Array
  readonly issuer: Uint8Array
  /** The validity SEQUENCE. */
  readonly validity: Uint8Array
  readonly subject: Uint8Array
  readonly publicKeyInfo: Uint8Array
  /** The Extensions SEQUENCE, without its explicit tag. */
  readonly extensions: Uint8Array | undefined
  readonly hasUniqueIdentifiers: boolean
  /** The AlgorithmIdentifier outside the signed part. */
  readonly outerAlgorithm: Uint8Array
  /** The signature BIT STRING. */
  readonly signature: Uint8Array
}

/** What is used of asn1js's blocks. */
interface Block {
  readonly idBlock: { readonly tagClass: number; readonly tagNumber: number }
  readonly valueBeforeDecodeView: Uint8Array
  readonly valueBlock: { readonly value?: readonly Block[] }
}

/** Cuts a certificate into its fields. The bytes must be strict DER. */
export function readStructure(der: Uint8Array): CertificateStructure {
  const certificate = decode(der)
  const [tbs, outerAlgorithm, signature] = certificate.root.valueBlock.value as [Block, Block, Block]
  const fields = tbs.valueBlock.value ?? []
  const tagged = (number: number): Block | undefined =>
    fields.find(({ idBlock }) => idBlock.tagClass === 3 && idBlock.tagNumber === number)
  const version = certificate.version
  if (version !== 1 && version !== 2 && version !== 3) malformed('The version is not one to three.')
  const first = tagged(0) === undefined ? 0 : 1
  const raw = (index: number): Uint8Array =>
    fields[first + index]?.valueBeforeDecodeView ?? malformed('A field is missing.')
  return {
    tbs: tbs.valueBeforeDecodeView,
    version,
    serial: certificate.serial,
    innerAlgorithm: raw(1),
    issuer: raw(2),
    validity: raw(3),
    subject: raw(4),
    publicKeyInfo: raw(5),
    extensions: tagged(3)?.valueBlock.value?.[0]?.valueBeforeDecodeView,
    hasUniqueIdentifiers: tagged(1) !== undefined || tagged(2) !== undefined,
    outerAlgorithm: outerAlgorithm.valueBeforeDecodeView,
    signature: signature.valueBeforeDecodeView,
  }
}

function decode(der: Uint8Array): { root: Block; version: number; serial: Uint8Array } {
  try {
    const { result, offset } = fromBER(der)
    if (offset !== der.length) malformed('It is not one structure.')
    const certificate = new PkiCertificate({ schema: result })
    return {
      root: result as unknown as Block,
      version: certificate.version + 1,
      serial: certificate.serialNumber.valueBlock.valueHexView,
    }
  } catch {
    return malformed('It does not have the structure of a certificate.')
  }
}
