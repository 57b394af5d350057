/**
 * What a host says once about a TLS connection, and the checked form that the handshakes read.
 *
 * `resolveConfig` is the only reader of {@link TlsConfig}: it fills defaults, drops what the versions in range cannot
 * use, decides which schemes the own key can sign with, and throws `ConfigError` for whatever could never work.
 */
import { ConfigError, utf8Encode } from '../bytes/index.ts'
import type { CryptoProvider, GroupName, PrivateKey, PublicKey, RandomSource } from '../crypto/index.ts'
import { MAX_CERTIFICATES, MAX_PLAINTEXT } from './limits.ts'
import type { PeerVerdict, PeerVerifier } from '../x509/index.ts'
import type { AlertName } from './alerts.ts'
import {
  CIPHER_SUITES,
  type CipherSuite,
  type CipherSuiteName,
  cipherSuiteByName,
  GROUP_CODES,
  groupFits,
  SIGNATURE_SCHEMES,
  type SignatureScheme,
  type SignatureSchemeName,
  signatureSchemeByName,
  type TlsVersion,
} from './registry.ts'
import { type ResolvedResumption, resolveResumption, type Resumption } from './resumption.ts'
import { schemeFitsKey } from './signatures.ts'

/** A private key that lives elsewhere: signatures are asked for through `signature-needed` outputs. */
export interface ExternalKey {
  readonly type: 'external'
  /** The public half, as in the certificate. */
  readonly publicKey: PublicKey
  /** Schemes the key's holder can make, in order of preference. Default: all that fit the key. */
  readonly schemes?: readonly SignatureSchemeName[]
}

/** The part of a verifier that a connection calls. */
export interface ChainVerifier {
  /** As `PeerVerifier.verify`; a refusal may name the alert that tells the peer. */
  verify(...call: Parameters<PeerVerifier['verify']>): PeerVerdict & { readonly alert?: AlertName }
}

/** One connection's configuration. Arrays of names are in order of preference. */
export interface TlsConfig {
  readonly role: 'client' | 'server'
  /** DER certificates, own leaf first. A server must have one; a client without answers requests with an empty list. */
  readonly certificateChain?: readonly Uint8Array[]
  /** The leaf's key; given exactly when a chain is. */
  readonly privateKey?: PrivateKey | ExternalKey
  /** Judges the peer's chain. A client must have one, a server with `clientAuth` other than `'none'` too. */
  readonly verifier?: ChainVerifier
  /** Server: whether clients are asked for a certificate, and whether they must have one. Default `'none'`. */
  readonly clientAuth?: 'required' | 'optional' | 'none'
  /** Default `'TLSv1.2'`. */
  readonly minVersion?: TlsVersion
  /** Default `'TLSv1.3'`. */
  readonly maxVersion?: TlsVersion
  /**
   * Suites of both versions. A list inside the list holds suites that a server likes equally well: the client's order
   * decides among them. Default: all but CBC, AES-256 first, or CHACHA20 first where AES is slow.
   */
  readonly cipherSuites?: readonly (CipherSuiteName | readonly CipherSuiteName[])[]
  /**
   * A list inside the list holds groups that a server likes equally well: the client's order decides among them.
   * Default: X25519MLKEM768, x25519, secp256r1, secp384r1, secp521r1.
   */
  readonly groups?: readonly (GroupName | readonly GroupName[])[]
  /**
   * Client: groups that get a key share in the first ClientHello. Default: the first group, and the first classical one
   * after a hybrid, since older servers know no hybrids.
   */
  readonly keyShares?: readonly GroupName[]
  /**
   * Client: groups that this server is known to take, from an earlier connection or from its operator. The own first one
   * among them gets the only key share, whatever `keyShares` says, so that no HelloRetryRequest is needed.
   */
  readonly serverGroups?: readonly GroupName[]
  /** Schemes accepted from the peer, advertised in this order. Default: all. */
  readonly signatureSchemes?: readonly SignatureSchemeName[]
  /** Schemes the own key may sign with. Default: all that fit the key. */
  readonly signingSchemes?: readonly SignatureSchemeName[]
  /** Server: DER names of CAs, told to clients that are asked for a certificate. Default: none. */
  readonly certificateAuthorities?: readonly Uint8Array[]
  /**
   * Client: end the handshake where the server asks for a certificate but cannot check the own one, instead of going on
   * without, as the RFCs have it. Default false.
   */
  readonly insistOnCertificate?: boolean
  /** Client: the name that is sent as server_name, for servers with several certificates. Default: none is sent. */
  readonly serverName?: string
  /**
   * Names of application protocols (ALPN). A client offers them; a server takes its first that is offered and refuses
   * clients which offer none of them, but not clients which offer nothing. Default: none.
   */
  readonly applicationProtocols?: readonly string[]
  /** Client: ask the server for a stapled OCSP response. It is told with `TlsInfo` and not judged. Default false. */
  readonly requestOcsp?: boolean
  /** Client: ask the server for signed certificate timestamps, told and not judged likewise. Default false. */
  readonly requestTimestamps?: boolean
  /** Server: DER of the OCSPResponse that goes to clients which ask. Default: none. */
  readonly ocspResponse?: Uint8Array
  /** Server: the SignedCertificateTimestampList that goes to clients which ask. Default: none. */
  readonly certificateTimestamps?: Uint8Array
  /** Longest plaintext put into one record, 64 to 16384. Default 16384. */
  readonly maxFragment?: number
  /** Largest peer Certificate message in bytes. Default 102,400. */
  readonly maxCertificateMessage?: number
  /** Most certificates read from a peer's Certificate message, 1 to 1024. Default 16. */
  readonly maxCertificates?: number
  /** Largest ClientHello a server takes, in bytes. Default 16,384. */
  readonly maxClientHello?: number
  /** Client: send a session id and ChangeCipherSpec so that a 1.3 handshake looks like 1.2. Default true. */
  readonly compatibilityMode?: boolean
  /**
   * Client: take a 1.2 server that does not know secure renegotiation (RFC 5746). Nothing is ever renegotiated here, but
   * such a server may let an attacker's data precede the client's. Default false.
   */
  readonly allowLegacyServer?: boolean
  /**
   * Gives every secret away as `key-log` outputs, in the form that packet analysers read: whoever has them reads the whole
   * connection. For debugging alone. Default false. TLS-38
   */
  readonly keyLog?: boolean
  /** Server: `false` follows the client's order of suites instead of the own. Default true. */
  readonly preferOwnCipherOrder?: boolean
  /** Sessions over several connections. Default: none, as OpenVPN has it. */
  readonly resumption?: Resumption
}

/** What a connection gets from its host besides the configuration: its only time and randomness. TLS-3 */
export interface TlsEnvironment {
  /** Unix time in ms at construction, for validity of certificates; later times come with `receive`. */
  readonly unixTime: number
  readonly random: RandomSource
  readonly crypto: CryptoProvider
}

/** The own certificate and the ways its key can sign. */
export interface Credential {
  readonly chain: readonly Uint8Array[]
  readonly key: PrivateKey | ExternalKey
  readonly publicKey: PublicKey
  /** Schemes the key can make, in order of preference. */
  readonly schemes: readonly SignatureScheme[]
}

/** A checked configuration. */
export interface ResolvedConfig {
  readonly role: 'client' | 'server'
  readonly credential: Credential | undefined
  readonly verifier: ChainVerifier | undefined
  readonly clientAuth: 'required' | 'optional' | 'none'
  readonly minVersion: TlsVersion
  readonly maxVersion: TlsVersion
  readonly cipherSuites: readonly CipherSuite[]
  /** The same suites, those of equal preference together. */
  readonly suitePreference: readonly (readonly CipherSuite[])[]
  readonly certificateAuthorities: readonly Uint8Array[]
  readonly groups: readonly GroupName[]
  /** The same groups, those of equal preference together. */
  readonly groupPreference: readonly (readonly GroupName[])[]
  readonly keyShares: readonly GroupName[]
  readonly signatureSchemes: readonly SignatureScheme[]
  readonly maxFragment: number
  readonly maxCertificateMessage: number
  readonly maxCertificates: number
  readonly maxClientHello: number
  readonly compatibilityMode: boolean
  readonly allowLegacyServer: boolean
  readonly preferOwnCipherOrder: boolean
  readonly keyLog: boolean
  readonly insistOnCertificate: boolean
  readonly serverName: string | undefined
  readonly applicationProtocols: readonly string[]
  readonly requestOcsp: boolean
  readonly requestTimestamps: boolean
  readonly ocspResponse: Uint8Array | undefined
  readonly certificateTimestamps: Uint8Array | undefined
  readonly resumption: ResolvedResumption | undefined
}

const NONE: readonly never[] = []

/**
 * Checks a configuration and fills in the defaults. TLS-36
 * @throws ConfigError naming the OpenVPN directive that rules the value.
 */
export function resolveConfig(config: TlsConfig, crypto: CryptoProvider): ResolvedConfig {
  const minVersion = config.minVersion ?? 'TLSv1.2'
  const maxVersion = config.maxVersion ?? 'TLSv1.3'
  if (minVersion > maxVersion) throw new ConfigError('tls-version-min', `${minVersion} is above ${maxVersion}`)
  const credential = resolveCredential(config, crypto)
  const clientAuth = config.clientAuth ?? 'none'
  if (config.role === 'server' && credential === undefined) {
    throw new ConfigError('cert', 'a TLS server needs a certificate and its private key')
  }
  if (config.verifier === undefined && (config.role === 'client' || clientAuth !== 'none')) {
    throw new ConfigError('ca', "a verifier for the peer's certificate is missing")
  }
  const groupPreference = resolveGroups(config, maxVersion)
  const groups = groupPreference.flat()
  const suitePreference = resolveSuites(config, crypto, minVersion, maxVersion)
  return {
    role: config.role,
    credential,
    verifier: config.verifier,
    clientAuth,
    minVersion,
    maxVersion,
    cipherSuites: suitePreference.flat(),
    suitePreference,
    certificateAuthorities: config.certificateAuthorities ?? [],
    groups,
    groupPreference,
    keyShares: resolveShares(config, groups),
    signatureSchemes: resolveSchemes(config, minVersion, maxVersion),
    maxFragment: inRange('maxFragment', config.maxFragment ?? MAX_PLAINTEXT, 64, MAX_PLAINTEXT),
    maxCertificateMessage: inRange('maxCertificateMessage', config.maxCertificateMessage ?? 102_400, 1024, 0xffffff),
    maxCertificates: inRange('maxCertificates', config.maxCertificates ?? MAX_CERTIFICATES, 1, 1024),
    maxClientHello: inRange('maxClientHello', config.maxClientHello ?? 16_384, 1024, 0xffffff),
    compatibilityMode: config.compatibilityMode ?? true,
    allowLegacyServer: config.allowLegacyServer ?? false,
    preferOwnCipherOrder: config.preferOwnCipherOrder ?? true,
    keyLog: config.keyLog ?? false,
    insistOnCertificate: config.insistOnCertificate ?? false,
    serverName: config.serverName === undefined ? undefined : hostName(config.serverName),
    applicationProtocols: protocolNames(config.applicationProtocols ?? []),
    requestOcsp: config.requestOcsp ?? false,
    requestTimestamps: config.requestTimestamps ?? false,
    ocspResponse: config.ocspResponse,
    certificateTimestamps: config.certificateTimestamps,
    resumption: resolveResumption(config.resumption, config.role),
  }
}

/** The configuration of a connection whose handshake is over: what was on offer is given up, as there may be thousands. */
export function atRest(config: ResolvedConfig): ResolvedConfig {
  return {
    ...config,
    credential: undefined,
    cipherSuites: NONE,
    suitePreference: NONE,
    certificateAuthorities: NONE,
    groups: NONE,
    groupPreference: NONE,
    keyShares: NONE,
    signatureSchemes: NONE,
    resumption: config.resumption && { ...config.resumption, session: undefined },
  }
}

function resolveCredential(config: TlsConfig, crypto: CryptoProvider): Credential | undefined {
  const { certificateChain: chain, privateKey: key } = config
  if (chain === undefined && key === undefined) return undefined
  if (chain?.[0] === undefined) throw new ConfigError('cert', 'a private key needs its certificate')
  if (key === undefined) throw new ConfigError('key', 'a certificate needs its private key')
  const publicKey = key.type === 'external' ? key.publicKey : key.public
  const wanted = schemesByName(config.signingSchemes) ?? curveFirst(publicKey)
  const makeable = key.type === 'external' ? (schemesByName(key.schemes) ?? SIGNATURE_SCHEMES) : SIGNATURE_SCHEMES
  // A holder's own order wins, since it knows what its device can do; otherwise the configuration's.
  const [order, filter] = key.type === 'external' && key.schemes !== undefined ? [makeable, wanted] : [wanted, makeable]
  const schemes = order.filter((scheme) => filter.includes(scheme) && schemeFitsKey(scheme, publicKey, 'any-version'))
  if (schemes.length === 0) {
    throw new ConfigError('key', `no signature scheme fits the ${publicKey.type} key (provider ${crypto.name})`)
  }
  return { chain, key, publicKey, schemes }
}

/** All schemes, those of an ECDSA key's own curve first: 1.2 would take any. */
function curveFirst(key: PublicKey): readonly SignatureScheme[] {
  const own = SIGNATURE_SCHEMES.filter((scheme) => schemeFitsKey(scheme, key, 'TLSv1.3'))
  return [...own, ...SIGNATURE_SCHEMES.filter((scheme) => !own.includes(scheme))]
}

/** Suites in range that the provider can do, in groups of equal preference. */
function resolveSuites(
  config: TlsConfig,
  crypto: CryptoProvider,
  minVersion: TlsVersion,
  maxVersion: TlsVersion,
): readonly (readonly CipherSuite[])[] {
  const named = config.cipherSuites?.map((entry) => (typeof entry === 'string' ? [entry] : entry).map(suiteByName))
  const usable = ({ version }: CipherSuite) => version >= minVersion && version <= maxVersion
  const groups = (named ?? defaultSuites(crypto).map((suite) => [suite]))
    .map((group) => group.filter((suite) => usable(suite) && providerHas(crypto, suite)))
    .filter((group) => group.length > 0)
  if (!groups.flat().some((suite) => suite.version === maxVersion)) {
    const option = maxVersion === 'TLSv1.3' ? 'tls-ciphersuites' : 'tls-cipher'
    throw new ConfigError(option, `no usable ${maxVersion} cipher suite`)
  }
  return groups
}

function suiteByName(name: CipherSuiteName): CipherSuite {
  const suite = cipherSuiteByName(name)
  if (suite === undefined) throw new ConfigError('tls-cipher', `unknown cipher suite ${name}`)
  return suite
}

/** All AEAD suites: CBC is used only where a host names it. TLS12-14 */
function defaultSuites(crypto: CryptoProvider): readonly CipherSuite[] {
  const suites = CIPHER_SUITES.filter((suite) => suite.protection.type === 'aead')
  if (crypto.fastAes) return suites
  const isChacha = (suite: CipherSuite) => suite.protection.algorithm === 'CHACHA20-POLY1305'
  return [...suites.filter(isChacha), ...suites.filter((suite) => !isChacha(suite))]
}

function providerHas(crypto: CryptoProvider, { protection }: CipherSuite): boolean {
  if (protection.type === 'aead') return true
  return (
    crypto.createCbc(protection.algorithm, new Uint8Array(protection.algorithm === 'AES-128-CBC' ? 16 : 32)) !==
    undefined
  )
}

const DEFAULT_GROUPS: readonly GroupName[] = ['X25519MLKEM768', 'x25519', 'secp256r1', 'secp384r1', 'secp521r1']

/** Groups in range, each once, in groups of equal preference. */
function resolveGroups(config: TlsConfig, maxVersion: TlsVersion): readonly (readonly GroupName[])[] {
  const seen = new Set<GroupName>()
  const usable = (name: GroupName): boolean => {
    if (!(name in GROUP_CODES)) throw new ConfigError('tls-groups', `unknown group ${name}`)
    if (seen.has(name) || !groupFits(name, maxVersion)) return false
    seen.add(name)
    return true
  }
  const groups = (config.groups ?? DEFAULT_GROUPS)
    .map((entry) => (typeof entry === 'string' ? [entry] : entry).filter(usable))
    .filter((entry) => entry.length > 0)
  if (groups.length === 0) throw new ConfigError('tls-groups', `no group is usable with ${maxVersion}`)
  return groups
}

function protocolNames(names: readonly string[]): readonly string[] {
  for (const name of names) {
    const { length } = utf8Encode(name)
    if (length < 1 || length > 255) throw new ConfigError('applicationProtocols', 'a protocol name has 1 to 255 bytes')
  }
  return names
}

/** What server_name may hold: a DNS name in ASCII, no address (RFC 6066 section 3). TLS-42 */
function hostName(name: string): string {
  const valid = /^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/i.test(name) && name.length <= 253 && !/^[0-9.]+$/.test(name)
  if (!valid)
    throw new ConfigError('serverName', `${JSON.stringify(name)} is not a DNS name in ASCII without final dot`)
  return name
}

/** TLS-37 */
function resolveShares({ serverGroups, keyShares }: TlsConfig, groups: readonly GroupName[]): readonly GroupName[] {
  const known = groups.find((group) => serverGroups?.includes(group))
  if (known !== undefined) return [known]
  return groups.filter((group) => (keyShares ?? defaultShares(groups)).includes(group))
}

/** Schemes of the versions in range. */
function resolveSchemes(config: TlsConfig, minVersion: TlsVersion, maxVersion: TlsVersion): readonly SignatureScheme[] {
  const schemes = (schemesByName(config.signatureSchemes) ?? SIGNATURE_SCHEMES).filter(
    // 1.2's own schemes stay: under 1.3 they are the peer's word for what its certificates may be signed with.
    ({ versions }) => versions.includes('TLSv1.2') || versions.some((v) => v >= minVersion && v <= maxVersion),
  )
  if (schemes.length === 0)
    throw new ConfigError('tls-cert-profile', `no signature scheme is usable with ${maxVersion}`)
  return schemes
}

function defaultShares(groups: readonly GroupName[]): readonly GroupName[] {
  const [first, ...rest] = groups
  if (first === undefined) return []
  const classical = rest.find((group) => groupFits(group, 'TLSv1.2'))
  return groupFits(first, 'TLSv1.2') || classical === undefined ? [first] : [first, classical]
}

function schemesByName(names: readonly SignatureSchemeName[] | undefined): readonly SignatureScheme[] | undefined {
  return names?.map((name) => {
    const scheme = signatureSchemeByName(name)
    if (scheme === undefined) throw new ConfigError('tls-cert-profile', `unknown signature scheme ${name}`)
    return scheme
  })
}

function inRange(option: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value
  throw new ConfigError(option, `${option} must be an integer from ${least} to ${most}, not ${value}`)
}
