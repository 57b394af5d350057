/**
 * One's own identity: `cert`, `key` and `extra-certs`, or a `pkcs12` bundle, checked to belong together.
 */
import { ConfigError, equalBytes } from '../bytes/index.ts'
import type { CryptoProvider, PrivateKey } from '../crypto/index.ts'
import { noble } from '../crypto/index.ts'
import { parsePkcs12 } from './pkcs12.ts'
import { parsePrivateKey } from './private-key.ts'
import type { Certificate } from './types.ts'
import type { CertificateSource } from './verifier-types.ts'
import { readCertificates } from './read-certificates.ts'
import { writePublicKeyInfo } from './write-key.ts'

/** Where one's own certificate and key come from. */
export interface IdentitySource {
  /** `cert`: the certificate first, then whatever the file holds of its chain. */
  readonly cert: CertificateSource
  /** `key`: PEM or DER. */
  readonly key: string | Uint8Array
  /** `extra-certs`: sent after the certificate, trusted for nothing. */
  readonly extraCerts?: CertificateSource
  /** `askpass`. */
  readonly passphrase?: string | Uint8Array
}

/** A certificate chain to send, and the key of its first certificate. */
export interface OwnIdentity {
  /** DER, leaf first. */
  readonly certificateChain: readonly Uint8Array[]
  readonly leaf: Certificate
  readonly privateKey: PrivateKey
}

/**
 * Reads certificate and key.
 * @throws ConfigError when one cannot be read or the key belongs to another certificate (X509-43).
 */
export function readIdentity(source: IdentitySource, crypto: CryptoProvider = noble): OwnIdentity {
  const certificates = readCertificates(source.cert, 'cert')
  const extra = source.extraCerts === undefined ? [] : readCertificates(source.extraCerts, 'extra-certs')
  const leaf = certificates[0]
  if (leaf === undefined) throw new ConfigError('cert', 'cert: no certificate was given.')
  const privateKey = parsePrivateKey(source.key, source.passphrase, crypto)
  if (!belongsTo(privateKey, leaf))
    throw new ConfigError('key', 'key: the private key does not belong to the certificate.')
  return { certificateChain: [...certificates, ...extra].map(({ der }) => der), leaf, privateKey }
}

/**
 * Reads a `pkcs12` bundle; its other certificates become the rest of the chain.
 * @throws ConfigError
 */
export function readPkcs12Identity(der: Uint8Array, password?: string, crypto: CryptoProvider = noble): OwnIdentity {
  const { privateKey, certificate, others } = parsePkcs12(der, password, crypto)
  const certificates = readCertificates([certificate, ...others], 'pkcs12')
  return { certificateChain: [certificate, ...others], leaf: certificates[0] as Certificate, privateKey }
}

/** True when the private key is that of the certificate. */
export function belongsTo(key: PrivateKey, certificate: Certificate): boolean {
  const certified = certificate.publicKey
  if (certified === undefined || certified.type !== key.public.type) return false
  if (certified.type === 'rsa' && key.public.type === 'rsa') {
    // A plain RSA key file may go with an RSA-PSS certificate: the numbers are what counts.
    return equalBytes(certified.n, key.public.n) && equalBytes(certified.e, key.public.e)
  }
  return equalBytes(writePublicKeyInfo(certified), writePublicKeyInfo(key.public))
}
