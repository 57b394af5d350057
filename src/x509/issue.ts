/**
 * Making certificates and revocation lists: enough of a CA for small OpenVPN PKIs and for tests.
 *
 * Everything random comes from the caller's source and everything about time from its arguments, so the same inputs
 * make the same bytes. The defaults per kind are what OpenVPN's guides ask for: CAs with basicConstraints, keyCertSign
 * and cRLSign; servers and clients with the extended key usage that `remote-cert-tls` checks. Rules X509-50 to X509-52.
 */
import { concat } from '../bytes/index.ts'
import type { CryptoProvider, PrivateKey, PublicKey, RandomSource, SignatureAlgorithm } from '../crypto/index.ts'
import { HASH_OID, KEY_OID, ML_DSA_OID, signatureOid } from './algorithm.ts'
import { TAG } from './der.ts'
import {
  der,
  derAscii,
  derBits,
  derBoolean,
  derInteger,
  derNamedBits,
  derNull,
  derOctets,
  derOid,
  derSequence,
  derSet,
  derTime,
  derUtf8,
} from './der-write.ts'
import { keyUsageIndex } from './extensions.ts'
import { ConfigError, UsageError, utf8Encode } from '../bytes/index.ts'
import { attributeOid, EXTENSION_OID, USAGE_OID } from './oids.ts'
import type { Certificate, Extension, GeneralName, KeyUsage } from './types.ts'
import { publicKeyBits, writePublicKeyInfo } from './write-key.ts'

/** A distinguished name as attribute and value pairs, for example `[['O', 'Example'], ['CN', 'vpn']]`. */
export type NameInput = readonly (readonly [attribute: string, value: string])[]

/** What a certificate is for. `bare` gets no extensions but those given. */
export type CertificateKind = 'ca' | 'server' | 'client' | 'bare'

/** A certificate to be made. Times are Unix milliseconds. */
export interface CertificateRequest {
  readonly kind: CertificateKind
  readonly subject: NameInput
  /** The key to be certified. */
  readonly publicKey: PublicKey
  /** Key that signs: the issuer's, or the subject's own for a self-signed certificate. */
  readonly signingKey: PrivateKey
  /** The issuer; absent for a self-signed certificate. */
  readonly issuer?: Certificate
  readonly notBefore: number
  readonly notAfter: number
  /** Serial number, big-endian magnitude; 16 random bytes when absent. */
  readonly serial?: Uint8Array
  /** For a CA: how many CAs may follow below it. */
  readonly pathLength?: number
  readonly subjectAltName?: readonly GeneralName[]
  /** Further extensions; one with the identifier of a default extension takes its place. */
  readonly extensions?: readonly Extension[]
  /** How to sign; by default what fits the signing key. */
  readonly signature?: SignatureAlgorithm
}

/** The customary signature algorithm of a key. */
export function defaultSignature(key: PublicKey): SignatureAlgorithm {
  switch (key.type) {
    case 'ed25519':
      return { type: 'ed25519' }
    case 'ml-dsa':
      return { type: 'ml-dsa', parameters: key.parameters }
    case 'ec':
      return { type: 'ecdsa', hash: key.curve === 'P-256' ? 'SHA256' : key.curve === 'P-384' ? 'SHA384' : 'SHA512' }
    case 'rsa': {
      const { hash, saltLength } = key.pssParameters ?? { hash: 'SHA256' as const, saltLength: 32 }
      return key.pssOnly ? { type: 'rsa-pss', hash, saltLength } : { type: 'rsa-pkcs1', hash: 'SHA256' }
    }
  }
}

/** The AlgorithmIdentifier of a signature algorithm. */
export function writeSignatureAlgorithm(algorithm: SignatureAlgorithm): Uint8Array {
  switch (algorithm.type) {
    case 'ed25519':
      return derSequence(derOid(KEY_OID.ed25519))
    case 'ml-dsa':
      return derSequence(derOid(ML_DSA_OID[algorithm.parameters]))
    case 'rsa-pss': {
      const hash = derSequence(derOid(HASH_OID[algorithm.hash]), derNull())
      const mask = derSequence(derOid(KEY_OID.mgf1), hash)
      const parameters = derSequence(der(0xa0, hash), der(0xa1, mask), der(0xa2, derInteger(algorithm.saltLength)))
      return derSequence(derOid(KEY_OID.rsaPss), parameters)
    }
    default: {
      const oid = signatureOid(algorithm.type, algorithm.hash)
      if (oid === undefined) throw new UsageError(`There is no ${algorithm.type} signature with ${algorithm.hash}.`)
      return algorithm.type === 'ecdsa' ? derSequence(derOid(oid)) : derSequence(derOid(oid), derNull())
    }
  }
}

const PRINTABLE_ATTRIBUTES: ReadonlySet<string> = new Set(['2.5.4.6', '2.5.4.5', '2.5.4.46'])
const IA5_ATTRIBUTES: ReadonlySet<string> = new Set(['1.2.840.113549.1.9.1', '0.9.2342.19200300.100.1.25'])

/** A Name in DER, one attribute per relative name. @throws ConfigError for an attribute that is not known. */
export function writeName(name: NameInput): Uint8Array {
  const rdns = name.map(([attribute, value]) => {
    const oid = attributeOid(attribute)
    if (oid === undefined) throw new ConfigError('subject', `subject: the attribute ${attribute} is not known.`)
    const text = PRINTABLE_ATTRIBUTES.has(oid)
      ? derAscii(TAG.printableString, value)
      : IA5_ATTRIBUTES.has(oid)
        ? derAscii(TAG.ia5String, value)
        : derUtf8(value)
    return derSet(derSequence(derOid(oid), text))
  })
  return derSequence(...rdns)
}

/** A GeneralName in DER. */
export function writeGeneralName(name: GeneralName): Uint8Array {
  switch (name.type) {
    case 'email':
      return der(0x81, utf8Encode(name.value))
    case 'dns':
      return der(0x82, utf8Encode(name.value))
    case 'uri':
      return der(0x86, utf8Encode(name.value))
    case 'ip':
      return der(0x87, name.value)
    case 'directory':
      return der(0xa4, name.value.der)
    case 'other':
      return der(name.tag === 8 ? 0x88 : 0xa0 | name.tag, name.raw)
  }
}

/** An extension from its identifier, critical mark and DER contents. */
export function extension(oid: string, critical: boolean, value: Uint8Array): Extension {
  return { oid, critical, value }
}

/** An Extensions SEQUENCE. */
export function writeExtensions(extensions: readonly Extension[]): Uint8Array {
  return derSequence(
    ...extensions.map(({ oid, critical, value }) =>
      derSequence(derOid(oid), ...(critical ? [derBoolean(true)] : []), derOctets(value)),
    ),
  )
}

/** The identifier of a public key: SHA-1 of its bits (RFC 5280 section 4.2.1.2, method 1). */
export function keyIdentifier(key: PublicKey, crypto: CryptoProvider): Uint8Array {
  return crypto.createHash('SHA1').update(publicKeyBits(key)).finish()
}

function defaultExtensions(request: CertificateRequest, crypto: CryptoProvider): readonly Extension[] {
  if (request.kind === 'bare') return []
  const own = keyIdentifier(request.publicKey, crypto)
  const issuers = request.issuer === undefined ? own : request.issuer.extensions.subjectKeyIdentifier
  const ca = request.kind === 'ca'
  const length = request.pathLength === undefined ? [] : [derInteger(request.pathLength)]
  const usages: readonly KeyUsage[] = ca
    ? ['keyCertSign', 'cRLSign']
    : request.publicKey.type === 'rsa' && !request.publicKey.pssOnly
      ? ['digitalSignature', 'keyEncipherment']
      : ['digitalSignature']
  const usageMask = usages.reduce((mask, usage) => mask | (1 << keyUsageIndex(usage)), 0)
  const purpose = request.kind === 'server' ? USAGE_OID.serverAuth : USAGE_OID.clientAuth
  return [
    extension(EXTENSION_OID.basicConstraints, ca, ca ? derSequence(derBoolean(true), ...length) : derSequence()),
    extension(EXTENSION_OID.subjectKeyIdentifier, false, derOctets(own)),
    ...(issuers === undefined
      ? []
      : [extension(EXTENSION_OID.authorityKeyIdentifier, false, derSequence(der(0x80, issuers)))]),
    extension(EXTENSION_OID.keyUsage, true, derNamedBits(usageMask)),
    ...(ca ? [] : [extension(EXTENSION_OID.extendedKeyUsage, false, derSequence(derOid(purpose)))]),
  ]
}

function allExtensions(request: CertificateRequest, crypto: CryptoProvider): readonly Extension[] {
  const given = request.extensions ?? []
  const defaults = defaultExtensions(request, crypto).filter(({ oid }) => !given.some((other) => other.oid === oid))
  const names = request.subjectAltName
  const alternative =
    names === undefined
      ? []
      : [extension(EXTENSION_OID.subjectAltName, false, derSequence(...names.map(writeGeneralName)))]
  return [...defaults, ...alternative, ...given]
}

/** A positive serial number of 16 random bytes (X509-50). */
function randomSerial(random: RandomSource): Uint8Array {
  const serial = random(16).slice()
  serial[0] = ((serial[0] as number) & 0x3f) | 0x40
  return serial
}

/**
 * Makes a certificate; the same inputs make the same bytes (X509-52).
 * @returns its DER.
 * @throws ConfigError for an unknown subject attribute, UsageError for a signature the key cannot make.
 */
export function issueCertificate(
  request: CertificateRequest,
  crypto: CryptoProvider,
  random: RandomSource,
): Uint8Array {
  const algorithm = request.signature ?? defaultSignature(request.signingKey.public)
  const algorithmIdentifier = writeSignatureAlgorithm(algorithm)
  const subject = writeName(request.subject)
  const extensions = allExtensions(request, crypto)
  const tbs = derSequence(
    der(0xa0, derInteger(2)),
    unsignedSerial(request.serial ?? randomSerial(random)),
    algorithmIdentifier,
    request.issuer === undefined ? subject : request.issuer.subject.der,
    derSequence(derTime(request.notBefore), derTime(request.notAfter)),
    subject,
    writePublicKeyInfo(request.publicKey),
    ...(extensions.length === 0 ? [] : [der(0xa3, writeExtensions(extensions))]),
  )
  return signed(tbs, algorithm, algorithmIdentifier, request.signingKey, crypto, random)
}

function unsignedSerial(serial: Uint8Array): Uint8Array {
  const first = serial.findIndex((byte) => byte !== 0)
  const digits = first < 0 ? new Uint8Array(1) : serial.subarray(first)
  return (digits[0] as number) >= 0x80 ? der(TAG.integer, concat(new Uint8Array(1), digits)) : der(TAG.integer, digits)
}

function signed(
  tbs: Uint8Array,
  algorithm: SignatureAlgorithm,
  algorithmIdentifier: Uint8Array,
  key: PrivateKey,
  crypto: CryptoProvider,
  random: RandomSource,
): Uint8Array {
  return derSequence(tbs, algorithmIdentifier, derBits(crypto.sign(algorithm, key, tbs, random)))
}

/** One revoked certificate of a list. */
export interface RevokedEntry {
  /** Contents of the revoked certificate's serial number, as in {@link Certificate.serial}. */
  readonly serial: Uint8Array
  /** When, Unix milliseconds. */
  readonly revocationDate: number
  readonly extensions?: readonly Extension[]
}

/** A revocation list to be made. Times are Unix milliseconds. */
export interface CrlRequest {
  readonly issuer: Certificate
  readonly signingKey: PrivateKey
  readonly thisUpdate: number
  readonly nextUpdate: number
  readonly revoked: readonly RevokedEntry[]
  /** cRLNumber; 1 when absent. */
  readonly number?: number
  readonly extensions?: readonly Extension[]
  readonly signature?: SignatureAlgorithm
}

/**
 * Makes a certificate revocation list.
 * @returns its DER.
 */
export function issueCrl(request: CrlRequest, crypto: CryptoProvider, random: RandomSource): Uint8Array {
  const algorithm = request.signature ?? defaultSignature(request.signingKey.public)
  const algorithmIdentifier = writeSignatureAlgorithm(algorithm)
  const identifier = request.issuer.extensions.subjectKeyIdentifier
  const entries = request.revoked.map(({ serial, revocationDate, extensions = [] }) =>
    derSequence(
      der(TAG.integer, serial),
      derTime(revocationDate),
      ...(extensions.length === 0 ? [] : [writeExtensions(extensions)]),
    ),
  )
  const extensions = [
    ...(identifier === undefined
      ? []
      : [extension(EXTENSION_OID.authorityKeyIdentifier, false, derSequence(der(0x80, identifier)))]),
    extension(EXTENSION_OID.crlNumber, false, derInteger(request.number ?? 1)),
    ...(request.extensions ?? []),
  ]
  const tbs = derSequence(
    derInteger(1),
    algorithmIdentifier,
    request.issuer.subject.der,
    derTime(request.thisUpdate),
    derTime(request.nextUpdate),
    ...(entries.length === 0 ? [] : [derSequence(...entries)]),
    der(0xa0, writeExtensions(extensions)),
  )
  return signed(tbs, algorithm, algorithmIdentifier, request.signingKey, crypto, random)
}
