/**
 * Which signature scheme goes with which key, in which version.
 *
 * RFC 8446 section 4.2.3: 1.3 binds an ECDSA scheme to one curve and forbids PKCS#1 v1.5 in CertificateVerify; 1.2 binds
 * neither. `rsa_pss_pss_*` is for id-RSASSA-PSS keys only, and such keys make nothing else (RFC 8446 section 4.2.3, RFC
 * 4055 for keys bound to one hash and a least salt). ML-DSA signs in 1.3 only (TLS13-29).
 */
import type { PublicKey } from '../crypto/index.ts'
import type { SignatureScheme, TlsVersion } from './registry.ts'

/** True when a key can make signatures of a scheme in a version, or in at least one version. */
export function schemeFitsKey(scheme: SignatureScheme, key: PublicKey, version: TlsVersion | 'any-version'): boolean {
  if (version !== 'any-version' && !scheme.versions.includes(version)) return false
  switch (key.type) {
    case 'ed25519':
      return scheme.key === 'ed25519'
    case 'ml-dsa':
      return scheme.algorithm.type === 'ml-dsa' && scheme.algorithm.parameters === key.parameters
    case 'ec':
      return scheme.key === 'ec' && (version !== 'TLSv1.3' || scheme.curve === key.curve)
    case 'rsa':
      return rsaSchemeFits(scheme, key)
  }
}

function rsaSchemeFits(scheme: SignatureScheme, key: PublicKey & { type: 'rsa' }): boolean {
  if (scheme.key !== (key.pssOnly ? 'rsa-pss' : 'rsa')) return false
  const { algorithm } = scheme
  if (algorithm.type !== 'rsa-pss') return true
  // EMSA-PSS needs room for the hash, the salt and two bytes (RFC 8017 section 9.1.1).
  if (key.n.length < 2 * algorithm.saltLength + 2) return false
  const bound = key.pssParameters
  return bound === undefined || (bound.hash === algorithm.hash && bound.saltLength <= algorithm.saltLength)
}
