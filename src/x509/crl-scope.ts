/**
 * Does this list speak about this certificate? Distribution points against issuing distribution points, and for which
 * revocation reasons (RFC 5280 section 6.3.3 (b) and (d)). Rules X509-82 and X509-83.
 */
import { equalBytes } from '../bytes/index.ts'
import type { Crl } from './crl.ts'
import { equalNames, lowerAscii } from './name.ts'
import type { Certificate, DistributionPoint, GeneralName, Name } from './types.ts'

/** All reason flags that a list can cover: bits 1 to 8. */
export const ALL_REASONS = 0x1fe

/** True when both are the same name. */
function equalGeneralNames(a: GeneralName, b: GeneralName): boolean {
  switch (a.type) {
    case 'directory':
      return b.type === 'directory' && equalNames(a.value, b.value)
    case 'ip':
      return b.type === 'ip' && equalBytes(a.value, b.value)
    case 'other':
      return b.type === 'other' && a.tag === b.tag && equalBytes(a.raw, b.raw)
    case 'uri':
      return b.type === 'uri' && a.value === b.value
    default:
      return b.type === a.type && lowerAscii(a.value) === lowerAscii(b.value)
  }
}

function shareName(a: readonly GeneralName[], b: readonly GeneralName[]): boolean {
  return a.some((name) => b.some((other) => equalGeneralNames(name, other)))
}

/** True when a directory name among `names` equals `name`. */
export function includesName(names: readonly GeneralName[], name: Name): boolean {
  return names.some((other) => other.type === 'directory' && equalNames(other.value, name))
}

/** Which reasons the list covers for the certificate: a mask, zero when it says nothing about it. */
export function coveredReasons(crl: Crl, certificate: Certificate): number {
  if (!coversKind(crl, certificate)) return 0
  let reasons = 0
  for (const point of certificate.extensions.crlDistributionPoints ?? []) {
    if (coversPoint(crl, certificate, point)) reasons |= point.reasons ?? ALL_REASONS
  }
  // X509-83: lists of the certificate's own issuer count even where no distribution point names them.
  const fallback: DistributionPoint = {
    names: [{ type: 'directory', value: certificate.issuer }],
    reasons: undefined,
    crlIssuer: undefined,
  }
  if (coversPoint(crl, certificate, fallback)) reasons = ALL_REASONS
  return reasons & (crl.scope?.reasons ?? ALL_REASONS) & ALL_REASONS
}

/** onlyContainsUserCerts and its kin (X509-82). */
function coversKind({ scope }: Crl, { extensions }: Certificate): boolean {
  if (scope === undefined) return true
  const ca = extensions.basicConstraints?.ca === true
  if (scope.onlyAttributeCertificates) return false
  return ca ? !scope.onlyUserCertificates : !scope.onlyCaCertificates
}

function coversPoint({ issuer, scope }: Crl, certificate: Certificate, point: DistributionPoint): boolean {
  if (point.crlIssuer === undefined) {
    if (!equalNames(issuer, certificate.issuer)) return false
  } else if (scope?.indirect !== true || !includesName(point.crlIssuer, issuer)) {
    return false
  }
  const listed = scope?.names
  return listed === undefined || shareName(listed, point.names ?? point.crlIssuer ?? [])
}
