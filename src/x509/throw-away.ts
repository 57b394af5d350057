/**
 * A throw-away PKI: one authority, one server and one client certificate, valid for a day around `unixTime`.
 *
 * For demonstrations and tests. Keys never touch the disk here.
 */
import { invariant } from '../bytes/index.ts'
import type { CryptoProvider, PrivateKey, RandomSource } from '../crypto/index.ts'
import { parseCertificate } from './certificate.ts'
import { type CertificateKind, issueCertificate } from './issue.ts'
import { writePem } from './pem.ts'
import { generatePrivateKey, type GeneratedKeyType, writePkcs8 } from './write-key.ts'

/** A certificate with its key, in both forms. */
export interface ThrowAwayIdentity {
  readonly certificate: Uint8Array
  readonly key: PrivateKey
  readonly certificatePem: string
  readonly keyPem: string
}

/** The three of them. */
export interface ThrowAwayPki {
  /** The authority's certificate in PEM. */
  readonly ca: string
  readonly server: ThrowAwayIdentity
  readonly client: ThrowAwayIdentity
}

const DAY = 86_400_000

/** Makes the PKI. Same arguments, same bytes. */
export function makePki(
  type: GeneratedKeyType,
  unixTime: number,
  crypto: CryptoProvider,
  random: RandomSource,
): ThrowAwayPki {
  const validity = { notBefore: unixTime - DAY, notAfter: unixTime + DAY }
  const caKey = generatePrivateKey(type, crypto, random)
  const caDer = issueCertificate(
    { kind: 'ca', subject: [['CN', 'throw-away CA']], publicKey: caKey.public, signingKey: caKey, ...validity },
    crypto,
    random,
  )
  const issuer = parseCertificate(caDer)
  invariant(typeof issuer !== 'string', 'X509-1')
  const issue = (kind: CertificateKind, name: string): ThrowAwayIdentity => {
    const key = generatePrivateKey(type, crypto, random)
    const request = {
      kind,
      subject: [['CN', name]] as const,
      publicKey: key.public,
      signingKey: caKey,
      issuer,
      ...validity,
    }
    const certificate = issueCertificate(request, crypto, random)
    return {
      certificate,
      key,
      certificatePem: writePem('CERTIFICATE', certificate),
      keyPem: writePem('PRIVATE KEY', writePkcs8(key)),
    }
  }
  return { ca: writePem('CERTIFICATE', caDer), server: issue('server', 'server'), client: issue('client', 'client') }
}
