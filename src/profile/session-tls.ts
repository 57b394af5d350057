/**
 * The TLS half of a session's configuration: certificates, key, and how the peer is judged. PROF-29
 */
import { ConfigError, fromBase64 } from '../bytes/index.ts'
import type { CryptoProvider } from '../crypto/index.ts'
import type { SessionTls } from '../session/index.ts'
import {
  CIPHER_SUITES,
  type CipherSuiteName,
  parseTlsCipher,
  parseTlsCiphersuites,
  parseTlsGroups,
  parseTlsVersion,
  profileRestrictions,
  type TlsVersion,
} from '../tls/index.ts'
import {
  createPeerVerifier,
  equalNames,
  parseCertificate,
  parsePemCertificates,
  parsePkcs12,
  type IdentitySource,
  type PeerVerifierOptions,
  type Pkcs12Contents,
  readIdentity,
} from '../x509/index.ts'
import type { Entry } from './entry.ts'
import type { Profile } from './profile.ts'
import { atLine } from './session-wrap.ts'

/** The TLS settings of a profile. @throws ConfigError at the line of a file that can't be used. */
export function readTls(
  profile: Profile,
  role: 'client' | 'server',
  passphrase: string | undefined,
  crypto: CryptoProvider,
): SessionTls {
  const secret = passphrase ?? readPassphrase(profile)
  const bundle = readBundle(profile, secret, crypto)
  const judge = profile.entry('ca') ?? profile.entry('peer-fingerprint') ?? profile.entry('pkcs12')
  const options = verifierOptions(profile, bundle)
  const verifier = judge === undefined ? undefined : atLine(judge, () => createPeerVerifier(options))
  const clientMode = profile.value('verify-client-cert')
  const clientAuth = clientMode === undefined ? undefined : CLIENT_AUTH[clientMode[0] ?? 'require']
  return {
    ...(bundle === undefined ? readCredential(profile, secret, crypto) : bundleCredential(profile, bundle)),
    ...(verifier === undefined ? {} : { verifier }),
    ...(role === 'server' && clientAuth !== undefined ? { clientAuth } : {}),
    ...versions(profile),
    ...choices(profile),
  }
}

const CLIENT_AUTH = { none: 'none', optional: 'optional', require: 'required' } as const

function readCredential(
  profile: Profile,
  secret: string | undefined,
  crypto: CryptoProvider,
): Pick<SessionTls, 'certificateChain' | 'privateKey'> {
  const cert = profile.entry('cert')
  const key = profile.entry('key')
  if (cert === undefined || key === undefined) return {}
  const extra = profile.entry('extra-certs')
  const atFault = (option: string): Entry => {
    if (option === 'cert') return cert
    return option === 'extra-certs' && extra !== undefined ? extra : key
  }
  const { certificateChain, privateKey } = atLine(atFault, () => {
    const source: IdentitySource = {
      cert: profile.textOf(cert),
      key: profile.textOf(key),
      ...(extra === undefined ? {} : { extraCerts: profile.textOf(extra) }),
      ...(secret === undefined ? {} : { passphrase: secret }),
    }
    return readIdentity(source, crypto)
  })
  return { certificateChain, privateKey }
}

/** The contents of `pkcs12`: a file, or base64 in a block. */
function readBundle(profile: Profile, secret: string | undefined, crypto: CryptoProvider): Pkcs12Contents | undefined {
  const entry = profile.entry('pkcs12')
  if (entry === undefined) return undefined
  return atLine(entry, () => {
    const bytes =
      entry.content === undefined ? profile.bytesOf(entry) : fromBase64(profile.textOf(entry).replace(/\s/g, ''))
    if (bytes === undefined) throw new ConfigError('pkcs12', 'the block is not base64')
    return parsePkcs12(bytes, secret, crypto)
  })
}

/** A bundle's own certificate, and what lies between it and the authorities. */
function bundleCredential(
  profile: Profile,
  bundle: Pkcs12Contents,
): Pick<SessionTls, 'certificateChain' | 'privateKey'> {
  const between = bundle.others.filter((der) => !isSelfSigned(der))
  const extra = profile.entry('extra-certs')
  const more =
    extra === undefined ? [] : atLine(extra, () => parsePemCertificates(profile.textOf(extra), 'extra-certs'))
  return { certificateChain: [bundle.certificate, ...between, ...more], privateKey: bundle.privateKey }
}

function isSelfSigned(der: Uint8Array): boolean {
  const certificate = parseCertificate(der)
  return typeof certificate !== 'string' && equalNames(certificate.subject, certificate.issuer)
}

/** The first line of the file that `askpass` names. */
function readPassphrase(profile: Profile): string | undefined {
  const entry = profile.entry('askpass')
  if (entry?.words[0] === undefined) return undefined
  return profile.textOf(entry).split(/\r?\n/)[0]
}

/** Without `ca` a bundle's other certificates are the ones to trust. */
function verifierOptions(profile: Profile, bundle: Pkcs12Contents | undefined): PeerVerifierOptions {
  const text = (entry: Entry | undefined): string | undefined =>
    entry === undefined ? undefined : profile.textOf(entry)
  const fingerprints = profile.entriesOf('peer-fingerprint').flatMap((entry) => wordsOf(profile, entry))
  const name = profile.value('verify-x509-name')
  const usage = profile.value('remote-cert-ku')
  const hash = profile.entry('verify-hash')
  const crl = profile.entry('crl-verify')
  const certProfile = profile.value('tls-cert-profile')?.[0]
  const fields = profile.value('x509-username-field')
  return {
    ...optional('ca', text(profile.entry('ca')) ?? bundle?.others),
    ...optional('profile', certProfile === 'insecure' ? 'legacy' : certProfile),
    ...optional('remoteCertTls', profile.value('remote-cert-tls')?.[0]),
    ...optional('remoteCertEku', profile.value('remote-cert-eku')?.[0]),
    ...optional('remoteCertKu', usage?.[0]),
    ...optional('nsCertType', profile.value('ns-cert-type')?.[0]),
    ...(name === undefined ? {} : { verifyName: { type: name[1] ?? 'subject', value: name[0] } }),
    ...(fields === undefined ? {} : { usernameFields: [fields[0], ...fields[1]] }),
    ...(fingerprints.length === 0 ? {} : { peerFingerprints: fingerprints }),
    ...(hash === undefined
      ? {}
      : { verifyHash: { hash: profile.value('verify-hash')?.[1] ?? hashOf(hash), values: wordsOf(profile, hash) } }),
    ...(crl === undefined ? {} : readRevocation(profile, crl)),
  }
}

/** Inline lists of fingerprints are SHA-256, a single word is SHA-1 unless the line says otherwise. */
function hashOf(entry: Entry): 'SHA1' | 'SHA256' {
  return entry.content === undefined && (entry.words[0]?.length ?? 0) < 64 ? 'SHA1' : 'SHA256'
}

/** The word of a directive, or the words of its inline block without comments. */
function wordsOf(profile: Profile, entry: Entry): readonly string[] {
  if (entry.content === undefined) return entry.words.slice(0, 1)
  const lines = profile.textOf(entry).split('\n')
  return lines.map((line) => line.replace(/[#;].*$/, '').trim()).filter((line) => line !== '')
}

/**
 * PROF-40: a file of lists, where an issuer without a list revokes nobody, or a directory whose file names are revoked serial
 * numbers.
 */
function readRevocation(
  profile: Profile,
  entry: Entry,
): Pick<PeerVerifierOptions, 'crls' | 'missingCrl' | 'revokedSerials'> {
  if (entry.words[1] !== 'dir') return { crls: profile.textOf(entry), missingCrl: 'accept' }
  const directory = profile.resolve(entry, entry.words[0] ?? '')
  return { revokedSerials: profile.namesIn(directory) }
}

function optional<K extends string, T>(key: K, value: T | undefined): Partial<Record<K, T>> {
  return value === undefined ? {} : ({ [key]: value } as Record<K, T>)
}

/**
 * PROF-30: a version before 1.2 as the oldest one is raised to it. `or-highest` lowers the demand to what there is, and
 * there is 1.3.
 */
function versions(profile: Profile): Pick<SessionTls, 'minVersion' | 'maxVersion'> {
  const least = profile.value('tls-version-min')?.[0]
  const most = profile.value('tls-version-max')?.[0]
  return {
    ...optional('minVersion', least === undefined ? undefined : parseTlsVersion(least)),
    ...optional('maxVersion', most === undefined ? undefined : parseTlsVersion(most)),
  }
}

/** Suites, groups and schemes: what the lists name, within what `tls-cert-profile` leaves. PROF-31 */
function choices(profile: Profile): Pick<SessionTls, 'cipherSuites' | 'groups' | 'signatureSchemes'> {
  const limits = profileRestrictions(profile.value('tls-cert-profile')?.[0] ?? 'legacy')
  const suites = readSuites(profile)
  const groups = parseTlsGroups(profile.value('tls-groups')?.[0] ?? '').names
  return {
    ...limits,
    ...optional('cipherSuites', within(suites, limits.cipherSuites)),
    ...optional('groups', within(groups.length === 0 ? undefined : groups, limits.groups)),
  }
}

/** The items that are allowed, in the order wanted; what is allowed where nothing is wanted. */
function within<T>(wanted: readonly T[] | undefined, allowed: readonly T[] | undefined): readonly T[] | undefined {
  if (wanted === undefined || allowed === undefined) return wanted ?? allowed
  const both = wanted.filter((item) => allowed.includes(item))
  return both.length === 0 ? allowed : both
}

/** Suites of both versions, where the profile names some of either. */
function readSuites(profile: Profile): readonly CipherSuiteName[] | undefined {
  const old = parseTlsCipher(profile.value('tls-cipher')?.[0] ?? '').names
  const modern = parseTlsCiphersuites(profile.value('tls-ciphersuites')?.[0] ?? '').names
  if (old.length === 0 && modern.length === 0) return undefined
  return [...(modern.length > 0 ? modern : usual('TLSv1.3')), ...(old.length > 0 ? old : usual('TLSv1.2'))]
}

/** The suites that nobody has to ask for by name. */
function usual(version: TlsVersion): readonly CipherSuiteName[] {
  return CIPHER_SUITES.filter((suite) => suite.version === version && suite.protection.type === 'aead').map(
    ({ name }) => name,
  )
}
