/**
 * `tls-cert-profile`: which keys and signatures are strong enough (rules X509-18 to X509-20).
 *
 * The three profiles stand for OpenSSL's security levels 1, 2 and 3, the last with the Suite B restriction to P-256 and
 * P-384. MD5 and SHA-1 signatures fall under all of them. A trust anchor's own signature proves nothing and is not
 * judged, its key is.
 */
import type { PublicKey } from '../crypto/index.ts'
import { CertificateFault } from './fault.ts'
import { bitLength, publicKeyText } from './public-key.ts'
import { signatureAlgorithmText } from './algorithm.ts'
import type { CertificateSignatureAlgorithm } from './types.ts'
import type { CertificateProfile } from './verifier-types.ts'

const MIN_RSA_BITS: Readonly<Record<CertificateProfile, number>> = { legacy: 1024, preferred: 2048, suiteb: Infinity }

/** Refuses a key that is too weak for the profile. @throws CertificateFault */
export function checkKeyStrength(key: PublicKey, profile: CertificateProfile): void {
  const weak =
    key.type === 'rsa'
      ? bitLength(key.n) < MIN_RSA_BITS[profile]
      : profile === 'suiteb' && (key.type !== 'ec' || key.curve === 'P-521')
  if (weak) throw new CertificateFault('weak-key', `${publicKeyText(key)} is not allowed by the profile ${profile}.`)
}

/** Refuses a signature algorithm that is unknown or too weak for the profile. @throws CertificateFault */
export function checkSignatureStrength(algorithm: CertificateSignatureAlgorithm, profile: CertificateProfile): void {
  if (algorithm.type === 'unsupported') {
    throw new CertificateFault('unsupported-signature-algorithm', `The algorithm is ${algorithm.oid}.`)
  }
  // X509-19
  const hashed = 'hash' in algorithm
  const strongHash = !hashed || (algorithm.hash !== 'MD5' && algorithm.hash !== 'SHA1')
  const suiteB = algorithm.type === 'ecdsa' && (algorithm.hash === 'SHA256' || algorithm.hash === 'SHA384')
  if (strongHash && (profile !== 'suiteb' || suiteB)) return
  const name = signatureAlgorithmText(algorithm)
  throw new CertificateFault('weak-signature', `${name} is not allowed by the profile ${profile}.`)
}
