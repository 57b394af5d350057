/**
 * A second opinion on the host's own certificates: pkijs and asn1js read each one too, and a certificate that two
 * readers understand differently is not taken into use. The one file that touches those packages.
 *
 * A forged certificate lives from two readers seeing different things in it. Peers' certificates are read by this
 * floor's own strict reader alone, because the second reading costs more than checking a signature; roots, which
 * everything is trusted for, and one's own chain are read twice, once, when the configuration is taken in. asn1js reads
 * BER, so callers must have passed the bytes through `parseDer` first. Rule X509-53.
 */
import { fromBER } from 'asn1js'
import { Certificate as PkiCertificate } from 'pkijs'
import { equalBytes } from '../bytes/index.ts'
import { malformed } from './fault.ts'
import type { Certificate, Extension } from './types.ts'

/** Refuses a certificate that pkijs cannot read or reads differently. @throws CertificateFault */
export function checkSecondReading(certificate: Certificate): void {
  const other = read(certificate.der) ?? malformed('A second reader does not understand it.')
  const same =
    other.version === certificate.version &&
    equalBytes(other.serial, certificate.serial) &&
    equalBytes(other.tbs, certificate.tbs) &&
    equalBytes(other.signature, certificate.signature) &&
    other.attributes === certificate.issuer.rdns.flat().length + certificate.subject.rdns.flat().length &&
    equalExtensions(other.extensions, certificate.rawExtensions)
  if (!same) malformed('A second reader understands it differently.')
}

interface SecondReading {
  readonly version: number
  readonly serial: Uint8Array
  readonly tbs: Uint8Array
  readonly signature: Uint8Array
  /** Attributes in issuer and subject together. */
  readonly attributes: number
  readonly extensions: readonly Extension[]
}

function read(der: Uint8Array): SecondReading | undefined {
  try {
    const { result, offset } = fromBER(der)
    if (offset !== der.length) return undefined
    const certificate = new PkiCertificate({ schema: result })
    return {
      version: certificate.version + 1,
      serial: certificate.serialNumber.valueBlock.valueHexView,
      tbs: certificate.tbsView,
      signature: certificate.signatureValue.valueBlock.valueHexView,
      attributes: certificate.issuer.typesAndValues.length + certificate.subject.typesAndValues.length,
      extensions: (certificate.extensions ?? []).map(({ extnID, critical, extnValue }) => ({
        oid: extnID,
        critical,
        value: extnValue.valueBlock.valueHexView,
      })),
    }
  } catch {
    return undefined
  }
}

function equalExtensions(a: readonly Extension[], b: readonly Extension[]): boolean {
  return (
    a.length === b.length &&
    a.every(({ oid, critical, value }, index) => {
      const other = b[index]
      return other?.oid === oid && other.critical === critical && equalBytes(other.value, value)
    })
  )
}
