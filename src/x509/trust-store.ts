/**
 * The host's CA certificates, by subject: which of them end a path, which only help to build one. Rule X509-25.
 */
import { equalBytes } from '../bytes/index.ts'
import { keyFitsAlgorithm } from './algorithm.ts'
import { isSelfIssued } from './certificate-checks.ts'
import { includesName } from './crl-scope.ts'
import { nameKey } from './name.ts'
import type { Certificate } from './types.ts'

/** CA certificates by subject. */
export class TrustStore {
  readonly #anchors = new Map<string, Certificate[]>()
  readonly #others = new Map<string, Certificate[]>()

  constructor(certificates: readonly Certificate[]) {
    for (const certificate of certificates) {
      // X509-25: an intermediate in `ca` is no anchor.
      const map = looksSelfSigned(certificate) ? this.#anchors : this.#others
      const key = nameKey(certificate.subject)
      map.set(key, [...(map.get(key) ?? []), certificate])
    }
  }

  /** Anchors with this subject. */
  anchors(subject: string): readonly Certificate[] {
    return this.#anchors.get(subject) ?? []
  }

  /** Other CA certificates with this subject. */
  others(subject: string): readonly Certificate[] {
    return this.#others.get(subject) ?? []
  }

  /** True when this very certificate is a trust anchor. */
  isAnchor(certificate: Certificate): boolean {
    return this.anchors(nameKey(certificate.subject)).some((anchor) => equalBytes(anchor.der, certificate.der))
  }
}

/** Self-issued, and not by another certificate or kind of key as far as it says itself. */
function looksSelfSigned(certificate: Certificate): boolean {
  const { publicKey, signatureAlgorithm: algorithm } = certificate
  const sameKind = publicKey === undefined || algorithm.type === 'unsupported' || keyFitsAlgorithm(publicKey, algorithm)
  return (
    isSelfIssued(certificate) &&
    identifierMatch(certificate, certificate) !== 'different' &&
    namesItself(certificate) &&
    sameKind
  )
}

/** False when the authority key identifier gives the issuer's own issuer or serial number, and they are not these. */
function namesItself({ extensions, issuer, serial }: Certificate): boolean {
  const { authorityKeyIdentifier: wanted } = extensions
  const names = wanted?.issuer?.filter(({ type }) => type === 'directory') ?? []
  return (
    (wanted?.serial === undefined || equalBytes(wanted.serial, serial)) &&
    (names.length === 0 || includesName(names, issuer))
  )
}

/** What the key identifiers say about `issuer` having signed `child`. */
export function identifierMatch(child: Certificate, issuer: Certificate): 'same' | 'unknown' | 'different' {
  const wanted = child.extensions.authorityKeyIdentifier?.keyIdentifier
  const offered = issuer.extensions.subjectKeyIdentifier
  if (wanted === undefined || offered === undefined) return 'unknown'
  return equalBytes(wanted, offered) ? 'same' : 'different'
}
