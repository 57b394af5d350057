/**
 * The whole of path validation in one call: search, and for each complete path name constraints, policies and
 * revocation (RFC 5280 section 6).
 */
import type { CryptoProvider } from '../crypto/index.ts'
import { blame, checkCriticalExtensions, checkKey, checkValidity } from './certificate-checks.ts'
import type { Crl } from './crl.ts'
import { CertificateFault } from './fault.ts'
import { checkNameConstraints } from './name-constraints.ts'
import { nameKey } from './name.ts'
import { PathSearch } from './path.ts'
import { checkPolicies } from './policy.ts'
import { RevocationCheck } from './revocation.ts'
import type { TrustStore } from './trust-store.ts'
import type { Certificate } from './types.ts'
import { serialDecimal } from './username.ts'
import type { CertificateProfile, PolicyOptions, Purpose } from './verifier-types.ts'
import type { Work } from './work.ts'

/** Revocation data in force. */
export interface RevocationData {
  /** Parsed `crl-verify` file; absent when the option is not set. */
  readonly crls: readonly Crl[] | undefined
  readonly missing: 'refuse' | 'accept'
  /** Revoked serials in decimal, from a `crl-verify` directory. */
  readonly serials: ReadonlySet<string>
}

/** Everything a validation depends on. */
export interface ChainInputs {
  readonly trust: TrustStore
  /** The peer's other certificates; asked for only when the host's own do not suffice. */
  readonly untrusted: () => readonly Certificate[]
  readonly purpose: Purpose
  readonly profile: CertificateProfile
  readonly policy: PolicyOptions
  readonly revocation: RevocationData
  readonly unixTime: number
  readonly crypto: CryptoProvider
  readonly work: Work
}

/**
 * The first valid path for a leaf whose purpose has been checked.
 * @returns leaf first, trust anchor last.
 * @throws CertificateFault
 */
export function findValidPath(leaf: Certificate, inputs: ChainInputs): readonly Certificate[] {
  return search(leaf, inputs, false)
}

function search(leaf: Certificate, inputs: ChainInputs, forListIssuer: boolean): readonly Certificate[] {
  const { profile, unixTime, policy, work, revocation } = inputs
  blame(leaf, () => {
    checkCriticalExtensions(leaf)
    checkValidity(leaf, unixTime)
    checkKey(leaf, profile)
  })
  const checkPath = (path: readonly Certificate[]): void => {
    checkNameConstraints(path, work)
    checkPolicies(path, policy)
    checkSerials(path, revocation.serials)
    if (revocation.crls !== undefined) checkLists(path, inputs, revocation.crls, forListIssuer)
  }
  return new PathSearch({ ...inputs, checkPath }).find(leaf)
}

/** A `crl-verify` directory revokes by serial number alone, at any height of the path (X509-91). */
export function checkSerials(path: readonly Certificate[], serials: ReadonlySet<string>): void {
  if (serials.size === 0) return
  for (const certificate of path) {
    if (!serials.has(serialDecimal(certificate.serial))) continue
    blame(certificate, () => {
      const detail = `Its serial number ${serialDecimal(certificate.serial)} is listed in the crl-verify directory.`
      throw new CertificateFault('revoked', detail)
    })
  }
}

function checkLists(
  path: readonly Certificate[],
  inputs: ChainInputs,
  crls: readonly Crl[],
  forListIssuer: boolean,
): void {
  const { trust, untrusted, revocation, profile, unixTime, work } = inputs
  const check = new RevocationCheck({
    crls,
    missing: revocation.missing,
    profile,
    unixTime,
    work,
    selfVouching: forListIssuer,
    issuersNamed: (subject) => [
      ...trust.anchors(subject),
      ...trust.others(subject),
      ...untrusted().filter((certificate) => nameKey(certificate.subject) === subject),
    ],
    validateIssuer: (issuer) => {
      // X509-87: one level deep, so that lists cannot vouch for each other's issuers in a circle.
      if (forListIssuer)
        throw new CertificateFault('crl-unusable', 'Its own revocation depends on another list issuer.')
      return search(issuer, inputs, true)
    },
  })
  check.check(path)
}
