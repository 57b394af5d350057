/**
 * What this engine speaks, by registry number: versions, cipher suites, groups, signature schemes, message and extension
 * types.
 *
 * A table entry says everything the code needs to know about a suite or a scheme, so that nothing else in this floor
 * compares numbers or names. Values that are missing here are unknown: they are skipped in a peer's list and refused in
 * a peer's choice. RSA key transport, static DH, PSK, anonymous, null, RC4, 3DES, SHA-1 and MD5 signatures are missing
 * on purpose.
 */
import type {
  AeadAlgorithm,
  CbcAlgorithm,
  CurveName,
  GroupName,
  HashName,
  MlDsaName,
  SignatureAlgorithm,
} from '../crypto/index.ts'

/** Protocol versions, in OpenSSL's spelling. */
export type TlsVersion = 'TLSv1.2' | 'TLSv1.3'

/** Wire numbers of the versions. */
export const VERSION_CODES: Readonly<Record<TlsVersion, number>> = { 'TLSv1.2': 0x0303, 'TLSv1.3': 0x0304 }

/** Record content types. */
export const ContentType = { changeCipherSpec: 20, alert: 21, handshake: 22, applicationData: 23 } as const

/** Handshake message types; `messageHash` is the synthetic one of RFC 8446 section 4.4.1. */
export const HandshakeType = {
  helloRequest: 0,
  clientHello: 1,
  serverHello: 2,
  newSessionTicket: 4,
  endOfEarlyData: 5,
  encryptedExtensions: 8,
  certificate: 11,
  serverKeyExchange: 12,
  certificateRequest: 13,
  serverHelloDone: 14,
  certificateVerify: 15,
  clientKeyExchange: 16,
  finished: 20,
  certificateStatus: 22,
  keyUpdate: 24,
  messageHash: 254,
} as const

/** Extension types that this engine sends or looks at. */
export const ExtensionType = {
  serverName: 0,
  maxFragmentLength: 1,
  statusRequest: 5,
  supportedGroups: 10,
  ecPointFormats: 11,
  signatureAlgorithms: 13,
  alpn: 16,
  signedCertificateTimestamp: 18,
  encryptThenMac: 22,
  extendedMasterSecret: 23,
  sessionTicket: 35,
  preSharedKey: 41,
  earlyData: 42,
  supportedVersions: 43,
  cookie: 44,
  pskKeyExchangeModes: 45,
  certificateAuthorities: 47,
  oidFilters: 48,
  postHandshakeAuth: 49,
  signatureAlgorithmsCert: 50,
  keyShare: 51,
  renegotiationInfo: 0xff01,
} as const

/** TLS_EMPTY_RENEGOTIATION_INFO_SCSV (RFC 5746). */
export const RENEGOTIATION_SCSV = 0x00ff
/** TLS_FALLBACK_SCSV (RFC 7507). */
export const FALLBACK_SCSV = 0x5600

/** Names of the cipher suites, as IANA writes them. */
export type CipherSuiteName = (typeof SUITES)[number]['name']

/** How records of a suite are protected. */
export type SuiteProtection =
  | {
      readonly type: 'aead'
      readonly algorithm: AeadAlgorithm /** AES-GCM in 1.2 sends 8 nonce bytes with each record. */
      readonly explicitNonce: boolean
    }
  | { readonly type: 'cbc'; readonly algorithm: CbcAlgorithm; readonly mac: HashName }

/** One cipher suite. */
export interface CipherSuite {
  readonly name: CipherSuiteName
  readonly id: number
  readonly version: TlsVersion
  /** Hash of HKDF (1.3) or of the PRF (1.2). */
  readonly hash: HashName
  readonly protection: SuiteProtection
  /** Key kind of the server's certificate: Ed25519 counts as ECDSA (RFC 8422 section 2); 1.3 suites take any. */
  readonly authentication: 'ecdsa' | 'rsa' | 'any'
}

function aead(algorithm: AeadAlgorithm, explicitNonce = false): SuiteProtection {
  return { type: 'aead', algorithm, explicitNonce }
}

function cbc(algorithm: CbcAlgorithm, mac: HashName): SuiteProtection {
  return { type: 'cbc', algorithm, mac }
}

const AES128 = aead('AES-128-GCM', true)
const AES256 = aead('AES-256-GCM', true)
const CHACHA = aead('CHACHA20-POLY1305')

const SUITES = [
  suite('TLS_AES_256_GCM_SHA384', 0x1302, 'TLSv1.3', 'SHA384', aead('AES-256-GCM'), 'any'),
  suite('TLS_CHACHA20_POLY1305_SHA256', 0x1303, 'TLSv1.3', 'SHA256', CHACHA, 'any'),
  suite('TLS_AES_128_GCM_SHA256', 0x1301, 'TLSv1.3', 'SHA256', aead('AES-128-GCM'), 'any'),
  suite('TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384', 0xc02c, 'TLSv1.2', 'SHA384', AES256, 'ecdsa'),
  suite('TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384', 0xc030, 'TLSv1.2', 'SHA384', AES256, 'rsa'),
  suite('TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256', 0xcca9, 'TLSv1.2', 'SHA256', CHACHA, 'ecdsa'),
  suite('TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256', 0xcca8, 'TLSv1.2', 'SHA256', CHACHA, 'rsa'),
  suite('TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256', 0xc02b, 'TLSv1.2', 'SHA256', AES128, 'ecdsa'),
  suite('TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256', 0xc02f, 'TLSv1.2', 'SHA256', AES128, 'rsa'),
  suite('TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384', 0xc024, 'TLSv1.2', 'SHA384', cbc('AES-256-CBC', 'SHA384'), 'ecdsa'),
  suite('TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384', 0xc028, 'TLSv1.2', 'SHA384', cbc('AES-256-CBC', 'SHA384'), 'rsa'),
  suite('TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256', 0xc023, 'TLSv1.2', 'SHA256', cbc('AES-128-CBC', 'SHA256'), 'ecdsa'),
  suite('TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256', 0xc027, 'TLSv1.2', 'SHA256', cbc('AES-128-CBC', 'SHA256'), 'rsa'),
  suite('TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA', 0xc00a, 'TLSv1.2', 'SHA256', cbc('AES-256-CBC', 'SHA1'), 'ecdsa'),
  suite('TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA', 0xc014, 'TLSv1.2', 'SHA256', cbc('AES-256-CBC', 'SHA1'), 'rsa'),
  suite('TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA', 0xc009, 'TLSv1.2', 'SHA256', cbc('AES-128-CBC', 'SHA1'), 'ecdsa'),
  suite('TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA', 0xc013, 'TLSv1.2', 'SHA256', cbc('AES-128-CBC', 'SHA1'), 'rsa'),
] as const

function suite<Name extends string>(
  name: Name,
  id: number,
  version: TlsVersion,
  hash: HashName,
  protection: SuiteProtection,
  authentication: 'ecdsa' | 'rsa' | 'any',
): Omit<CipherSuite, 'name'> & { readonly name: Name } {
  return { name, id, version, hash, protection, authentication }
}

/** Every suite of this engine, strongest first. */
export const CIPHER_SUITES: readonly CipherSuite[] = SUITES

const SUITE_BY_ID = new Map<number, CipherSuite>(SUITES.map((entry) => [entry.id, entry]))
const SUITE_BY_NAME = new Map<string, CipherSuite>(SUITES.map((entry) => [entry.name, entry]))

/** The suite with a registry number, or `undefined` when this engine has none. */
export function cipherSuiteById(id: number): CipherSuite | undefined {
  return SUITE_BY_ID.get(id)
}

/** The suite with an IANA name, or `undefined` when this engine has none. */
export function cipherSuiteByName(name: string): CipherSuite | undefined {
  return SUITE_BY_NAME.get(name)
}

/** Wire numbers of the groups. */
export const GROUP_CODES: Readonly<Record<GroupName, number>> = {
  secp256r1: 23,
  secp384r1: 24,
  secp521r1: 25,
  x25519: 29,
  X25519MLKEM768: 4588,
  MLKEM1024: 514,
}

const GROUP_BY_CODE = new Map(Object.entries(GROUP_CODES).map(([name, code]) => [code, name as GroupName]))

/** The group with a registry number, or `undefined` when this engine has none. */
export function groupByCode(code: number): GroupName | undefined {
  return GROUP_BY_CODE.get(code)
}

/** True for a group that TLS 1.2 can use: those with ML-KEM exist in 1.3 only. */
export function groupFits(group: GroupName, version: TlsVersion): boolean {
  return version === 'TLSv1.3' || !group.includes('MLKEM')
}

/** Names of the signature schemes, as RFC 8446 writes them. */
export type SignatureSchemeName = (typeof SCHEMES)[number]['name']

/** One signature scheme. */
export interface SignatureScheme {
  readonly name: SignatureSchemeName
  readonly id: number
  readonly algorithm: SignatureAlgorithm
  /** Kind of key that makes it: `rsa-pss` is an id-RSASSA-PSS key. */
  readonly key: 'ec' | 'ed25519' | 'ml-dsa' | 'rsa' | 'rsa-pss'
  /** The curve that 1.3 binds an ECDSA scheme to; 1.2 takes any. */
  readonly curve?: CurveName
  /** The versions in which handshakes may be signed with it. */
  readonly versions: readonly TlsVersion[]
}

const BOTH: readonly TlsVersion[] = ['TLSv1.2', 'TLSv1.3']

const SCHEMES = [
  { name: 'ed25519', id: 0x0807, algorithm: { type: 'ed25519' }, key: 'ed25519', versions: BOTH },
  ecdsa('ecdsa_secp256r1_sha256', 0x0403, 'SHA256', 'P-256'),
  ecdsa('ecdsa_secp384r1_sha384', 0x0503, 'SHA384', 'P-384'),
  ecdsa('ecdsa_secp521r1_sha512', 0x0603, 'SHA512', 'P-521'),
  pss('rsa_pss_rsae_sha256', 0x0804, 'SHA256', 32, 'rsa'),
  pss('rsa_pss_rsae_sha384', 0x0805, 'SHA384', 48, 'rsa'),
  pss('rsa_pss_rsae_sha512', 0x0806, 'SHA512', 64, 'rsa'),
  pss('rsa_pss_pss_sha256', 0x0809, 'SHA256', 32, 'rsa-pss'),
  pss('rsa_pss_pss_sha384', 0x080a, 'SHA384', 48, 'rsa-pss'),
  pss('rsa_pss_pss_sha512', 0x080b, 'SHA512', 64, 'rsa-pss'),
  pkcs1('rsa_pkcs1_sha256', 0x0401, 'SHA256'),
  pkcs1('rsa_pkcs1_sha384', 0x0501, 'SHA384'),
  pkcs1('rsa_pkcs1_sha512', 0x0601, 'SHA512'),
  mlDsa('mldsa44', 0x0904, 'ML-DSA-44'),
  mlDsa('mldsa65', 0x0905, 'ML-DSA-65'),
  mlDsa('mldsa87', 0x0906, 'ML-DSA-87'),
] as const

type SchemeEntry<Name> = Omit<SignatureScheme, 'name'> & { readonly name: Name }

function ecdsa<Name extends string>(name: Name, id: number, hash: HashName, curve: CurveName): SchemeEntry<Name> {
  return { name, id, algorithm: { type: 'ecdsa', hash }, key: 'ec', curve, versions: BOTH }
}

function pss<Name extends string>(
  name: Name,
  id: number,
  hash: HashName,
  saltLength: number,
  key: 'rsa' | 'rsa-pss',
): SchemeEntry<Name> {
  return { name, id, algorithm: { type: 'rsa-pss', hash, saltLength }, key, versions: BOTH }
}

function pkcs1<Name extends string>(name: Name, id: number, hash: HashName): SchemeEntry<Name> {
  return { name, id, algorithm: { type: 'rsa-pkcs1', hash }, key: 'rsa', versions: ['TLSv1.2'] }
}

/** draft-ietf-tls-mldsa: 1.3 only. */
function mlDsa<Name extends string>(name: Name, id: number, parameters: MlDsaName): SchemeEntry<Name> {
  return { name, id, algorithm: { type: 'ml-dsa', parameters }, key: 'ml-dsa', versions: ['TLSv1.3'] }
}

/** Every signature scheme of this engine, in order of preference. */
export const SIGNATURE_SCHEMES: readonly SignatureScheme[] = SCHEMES

const SCHEME_BY_ID = new Map<number, SignatureScheme>(SCHEMES.map((entry) => [entry.id, entry]))
const SCHEME_BY_NAME = new Map<string, SignatureScheme>(SCHEMES.map((entry) => [entry.name, entry]))

/** The scheme with a registry number, or `undefined` when this engine has none. */
export function signatureSchemeById(id: number): SignatureScheme | undefined {
  return SCHEME_BY_ID.get(id)
}

/** The scheme with an RFC name, or `undefined` when this engine has none. */
export function signatureSchemeByName(name: string): SignatureScheme | undefined {
  return SCHEME_BY_NAME.get(name)
}
