/**
 * Certificates and revocation lists of the host's own, from PEM or DER: whatever is wrong with them is a `ConfigError`
 * that names the directive and the item.
 */
import { ConfigError } from '../bytes/index.ts'
import { MAX_DER_NODES, readCertificate } from './certificate.ts'
import type { Crl } from './crl.ts'
import { readCrl } from './crl.ts'
import { DerBudget } from './der.ts'
import { CertificateFault } from './fault.ts'
import { parsePem, parsePemCertificates } from './pem.ts'
import { checkSecondReading } from './second-reader.ts'
import type { Certificate } from './types.ts'
import type { CertificateSource } from './verifier-types.ts'

/** Parses certificates of the host's own. @throws ConfigError naming `option` and the first bad certificate. */
export function readCertificates(source: CertificateSource, option: string): readonly Certificate[] {
  const items = typeof source === 'string' ? parsePemCertificates(source, option) : source
  return items.map((der, index) => {
    try {
      const certificate = readCertificate(der, new DerBudget(MAX_DER_NODES))
      checkSecondReading(certificate)
      return certificate
    } catch (error) {
      if (!(error instanceof CertificateFault)) throw error
      throw new ConfigError(option, `${option}: certificate ${index + 1} cannot be read. ${error.message}`)
    }
  })
}

/** Parses the lists of a `crl-verify` file. @throws ConfigError */
export function readCrls(source: CertificateSource): readonly Crl[] {
  const option = 'crl-verify'
  const items =
    typeof source === 'string'
      ? parsePem(source, option)
          .filter(({ label }) => label === 'X509 CRL')
          .map(({ der }) => der)
      : source
  if (items.length === 0) throw new ConfigError(option, 'crl-verify: no revocation list was found.')
  return items.map((der, index) => {
    try {
      return readCrl(der)
    } catch (error) {
      if (!(error instanceof CertificateFault)) throw error
      throw new ConfigError(option, `crl-verify: list ${index + 1} cannot be read. ${error.message}`)
    }
  })
}
