/**
 * A toy PKI: a CA with a server and a client certificate, of any kind of key, the same on every run.
 *
 * Keys and serials come from a seed per kind, RSA keys from `vectors/x509/rsa-keys.json`, because making those is not
 * part of the library. Certificates are valid from 2024 to 2034; {@link PKI_NOW} lies inside. Results are cached, so
 * many tests can ask for the same PKI.
 */
import { readFileSync } from 'node:fs'
import type { MlDsaName, PrivateKey } from '../../src/crypto/index.ts'
import { noble } from '../../src/crypto/index.ts'
import type { Certificate, CertificateRequest } from '../../src/x509/index.ts'
import {
  generatePrivateKey,
  issueCertificate,
  parseCertificate,
  parsePrivateKey,
  writePem,
  writePkcs8,
} from '../../src/x509/index.ts'
import { SeededRandom } from './random.ts'

/** Kinds of keys a toy PKI can be made of. */
export type PkiKind = 'P-256' | 'P-384' | 'P-521' | 'ed25519' | 'rsa-2048' | 'rsa-3072' | 'rsa-pss-2048' | MlDsaName

/** All kinds that OpenSSL 3.0 knows too. */
export const PKI_KINDS: readonly PkiKind[] = [
  'P-256',
  'P-384',
  'P-521',
  'ed25519',
  'rsa-2048',
  'rsa-3072',
  'rsa-pss-2048',
]

/** Start of validity of every toy certificate, Unix milliseconds. */
export const PKI_NOT_BEFORE = 1704067200000
/** End of validity of every toy certificate. */
export const PKI_NOT_AFTER = 2019686400000
/** A moment at which every toy certificate is valid. */
export const PKI_NOW = 1760000000000

/** A certificate with its key. */
export interface Identity {
  readonly certificate: Certificate
  readonly der: Uint8Array
  readonly pem: string
  readonly key: PrivateKey
  readonly keyPem: string
}

/** A CA and two leaves. */
export interface ToyPki {
  readonly kind: PkiKind
  readonly ca: Identity
  readonly server: Identity
  readonly client: Identity
}

const rsaFixtures = new Map<string, string>(
  (
    JSON.parse(readFileSync(new URL('../../vectors/x509/rsa-keys.json', import.meta.url), 'utf8')) as {
      cases: { name: string; pem: string }[]
    }
  ).cases.map(({ name, pem }) => [name, pem]),
)

/** A fixture RSA key by name, for example `rsa-2048a`. */
export function rsaKeyPem(name: string): string {
  const pem = rsaFixtures.get(name)
  if (pem === undefined) throw new Error(`no RSA fixture ${name}`)
  return pem
}

/** A key of the kind; `index` 0 to 2 tells several apart. */
export function toyKey(kind: PkiKind, index: 0 | 1 | 2, seed = 'pki'): PrivateKey {
  if (kind.startsWith('rsa')) return parsePrivateKey(rsaKeyPem(`${kind}${'abc'.charAt(index)}`))
  const random = new SeededRandom(`${seed}/${kind}/key/${index}`)
  return generatePrivateKey(kind as 'P-256', noble, random.source)
}

const seededKeys = new Map<string, PrivateKey>()

/** A P-256 key fixed by the seed. */
function seededKey(seed: string): PrivateKey {
  const key = seededKeys.get(seed) ?? generatePrivateKey('P-256', noble, new SeededRandom(`key/${seed}`).source)
  seededKeys.set(seed, key)
  return key
}

/** Parses DER that must be a certificate. */
export function certificateOf(der: Uint8Array): Certificate {
  const certificate = parseCertificate(der)
  if (typeof certificate === 'string') throw new Error(certificate)
  return certificate
}

/** What {@link issue} needs; the rest has defaults. */
export type IssueOptions = Partial<Omit<CertificateRequest, 'issuer' | 'publicKey' | 'signingKey'>> & {
  readonly key?: PrivateKey
  readonly issuer?: Identity
}

/**
 * Makes an identity: self-signed without `issuer`, under it otherwise. By default a server named `CN=toy` with a P-256
 * key, its key and serial fixed by `seed`.
 */
export function issue(seed: string, options: IssueOptions = {}): Identity {
  const random = new SeededRandom(`issue/${seed}`)
  const { key = seededKey(seed), issuer, ...request } = options
  const der = issueCertificate(
    {
      kind: 'server',
      subject: [['CN', 'toy']],
      notBefore: PKI_NOT_BEFORE,
      notAfter: PKI_NOT_AFTER,
      ...request,
      publicKey: key.public,
      signingKey: issuer?.key ?? key,
      ...(issuer === undefined ? {} : { issuer: issuer.certificate }),
    },
    noble,
    random.source,
  )
  return identityOf(der, key)
}

/** An identity whose certificate is parsed when first looked at, so that malformed ones can be made as well. */
function identityOf(der: Uint8Array, key: PrivateKey): Identity {
  let certificate: Certificate | undefined
  return {
    get certificate(): Certificate {
      certificate ??= certificateOf(der)
      return certificate
    },
    der,
    pem: writePem('CERTIFICATE', der),
    key,
    keyPem: writePem('PRIVATE KEY', writePkcs8(key)),
  }
}

const cache = new Map<PkiKind, ToyPki>()

/** The toy PKI of a kind. */
export function toyPki(kind: PkiKind = 'P-256'): ToyPki {
  const cached = cache.get(kind)
  if (cached !== undefined) return cached
  const subject = (name: string): [string, string][] => [
    ['C', 'KG'],
    ['O', 'Toy PKI'],
    ['CN', `${name} ${kind}`],
  ]
  const ca = issue(`pki/${kind}/ca`, { kind: 'ca', subject: subject('CA'), key: toyKey(kind, 0) })
  const server = issue(`pki/${kind}/server`, { subject: subject('server'), key: toyKey(kind, 1), issuer: ca })
  const client = issue(`pki/${kind}/client`, {
    kind: 'client',
    subject: subject('client'),
    key: toyKey(kind, 2),
    issuer: ca,
  })
  const pki = { kind, ca, server, client }
  cache.set(kind, pki)
  return pki
}
