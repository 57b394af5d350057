/**
 * What can be said about one certificate without its neighbours: validity, understood extensions, strength, whether it
 * may act as a CA or as the given end of a TLS connection.
 *
 * These are OpenSSL's rules for chains (purpose `sslserver` or `sslclient`), which is what the reference applies even
 * without `remote-cert-tls`. All refuse by `CertificateFault`. Rules X509-16 to X509-24.
 */
import { ed25519KeyIsSound, isCurvePoint } from '../crypto/index.ts'
import { CertificateFault, WorkExhausted } from './fault.ts'
import { equalNames } from './name.ts'
import { usageName, USAGE_OID } from './oids.ts'
import { checkKeyStrength } from './profile.ts'
import { timeText } from './time.ts'
import type { Certificate, KeyUsage } from './types.ts'
import type { CertificateProfile, PeerRole, Purpose } from './verifier-types.ts'

/** True when issuer and subject are the same name. */
export function isSelfIssued(certificate: Certificate): boolean {
  return equalNames(certificate.issuer, certificate.subject)
}

/** Validity with the end exclusive, both to the second: at `notAfter` a certificate has expired (X509-16). */
export function checkValidity(certificate: Certificate, unixTime: number): void {
  const now = Math.floor(unixTime / 1000) * 1000
  if (!(certificate.notBefore <= now)) {
    throw new CertificateFault(
      'not-yet-valid',
      `It is valid from ${timeText(certificate.notBefore)}; it is ${timeText(now)} here.`,
    )
  }
  if (!(now < certificate.notAfter)) {
    throw new CertificateFault(
      'expired',
      `It expired at ${timeText(certificate.notAfter)}; it is ${timeText(now)} here.`,
    )
  }
}

/** Refuses critical extensions that are not understood (X509-14). */
export function checkCriticalExtensions(certificate: Certificate): void {
  const [oid] = certificate.unknownCritical
  if (oid !== undefined) throw new CertificateFault('unknown-critical-extension', `The extension is ${oid}.`)
}

/** Refuses keys that are not supported or too weak (X509-12, X509-18). */
export function checkKey(certificate: Certificate, profile: CertificateProfile): void {
  const key = certificate.publicKey
  if (key === undefined) throw new CertificateFault('unsupported-public-key', 'Its public key cannot be used here.')
  checkKeyStrength(key, profile)
}

/**
 * As {@link checkKey}, for a key that no signature of the path is checked with: its point must exist too (X509-12).
 */
export function checkLeafKey(certificate: Certificate, profile: CertificateProfile): void {
  checkKey(certificate, profile)
  const key = certificate.publicKey
  const sound =
    key?.type === 'ec' ? isCurvePoint(key.curve, key.point) : key?.type !== 'ed25519' || ed25519KeyIsSound(key.key)
  if (!sound) throw new CertificateFault('unsupported-public-key', 'Its public key is no point of its curve.')
}

function hasAny(certificate: Certificate, usages: readonly KeyUsage[]): boolean {
  const { keyUsage } = certificate.extensions
  return keyUsage === undefined || usages.some((usage) => keyUsage.has(usage))
}

/** The extended key usage that a peer of this role needs. */
export function roleUsage(role: PeerRole): string {
  return role === 'server' ? USAGE_OID.serverAuth : USAGE_OID.clientAuth
}

/** A listed set of purposes must contain the role's, in the leaf as in every CA above it (X509-22). */
function checkExtendedUsage(certificate: Certificate, purpose: Purpose): void {
  const usages = certificate.extensions.extendedKeyUsage
  if (purpose === 'any' || usages === undefined || usages.includes(roleUsage(purpose))) return
  const listed = usages.map(usageName).join(', ')
  throw new CertificateFault(
    'wrong-purpose',
    `Its extended key usage is ${listed}; ${usageName(roleUsage(purpose))} is needed.`,
  )
}

const LEAF_USAGES: Readonly<Record<PeerRole, readonly KeyUsage[]>> = {
  server: ['digitalSignature', 'keyEncipherment', 'keyAgreement'],
  client: ['digitalSignature', 'keyAgreement'],
}

/** nsCertType bit of each role. */
export const NS_CERT_BIT: Readonly<Record<PeerRole, number>> = { client: 0x80, server: 0x40 }

/** Refuses a leaf that may not act in this role (X509-21, X509-22). */
export function checkLeafPurpose(certificate: Certificate, purpose: Purpose): void {
  if (purpose === 'any') return
  checkExtendedUsage(certificate, purpose)
  if (!hasAny(certificate, LEAF_USAGES[purpose])) {
    throw new CertificateFault('wrong-purpose', `Its key usage has none of ${LEAF_USAGES[purpose].join(', ')}.`)
  }
  const { nsCertType } = certificate.extensions
  if (nsCertType !== undefined && (nsCertType & NS_CERT_BIT[purpose]) === 0) {
    throw new CertificateFault('wrong-purpose', `Its nsCertType does not include ${purpose}.`)
  }
}

/**
 * Refuses a certificate that may not issue certificates for this role (X509-23).
 * @param anchor - a root of the host's own may lack basicConstraints when it is of version 1 or has keyUsage keyCertSign.
 */
export function checkIssuer(certificate: Certificate, purpose: Purpose, anchor: boolean): void {
  const { basicConstraints, keyUsage } = certificate.extensions
  if (certificate.subject.rdns.length === 0) throw new CertificateFault('not-a-ca', 'Its subject is empty.')
  const old = anchor && basicConstraints === undefined && (certificate.version === 1 || keyUsage !== undefined)
  if (basicConstraints?.ca !== true && !old) {
    throw new CertificateFault('not-a-ca', 'Its basicConstraints do not say CA:TRUE.')
  }
  if (!hasAny(certificate, ['keyCertSign'])) {
    throw new CertificateFault('not-a-ca', 'Its key usage lacks keyCertSign.')
  }
  checkExtendedUsage(certificate, purpose)
}

/** Refuses a path whose CAs allow fewer CAs below them than follow; self-issued ones do not count (X509-24). */
export function checkPathLengths(path: readonly Certificate[]): void {
  let below = 0
  for (const certificate of path.slice(1)) {
    const limit = certificate.extensions.basicConstraints?.pathLength
    if (limit !== undefined && below > limit) {
      throw new PathFault('path-length-exceeded', `It allows ${limit} CAs below it, ${below} follow.`, certificate)
    }
    if (!isSelfIssued(certificate)) below++
  }
}

/** A fault of a certificate other than the leaf. */
export class PathFault extends CertificateFault {
  readonly certificate: Certificate

  constructor(problem: CertificateFault['problem'], detail: string, certificate: Certificate) {
    super(problem, detail)
    this.certificate = certificate
  }
}

/** Runs `check` and lays its fault at this certificate's door. */
export function blame(certificate: Certificate, check: () => void): void {
  try {
    check()
  } catch (error) {
    if (error instanceof CertificateFault && !(error instanceof PathFault || error instanceof WorkExhausted)) {
      throw new PathFault(error.problem, error.message, certificate)
    }
    throw error
  }
}
