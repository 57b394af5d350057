/**
 * The TLS half of a session's configuration: certificates, key, and how the peer is judged. PROF-29
 */
import { ConfigError } from '../bytes/index.ts'
import type { CryptoProvider } from '../crypto/index.ts'
import type { SessionTls } from '../session/index.ts'
import type { TlsVersion } from '../tls/index.ts'
import { createPeerVerifier, parsePemCertificates, parsePrivateKey, type PeerVerifierOptions } from '../x509/index.ts'
import type { Entry } from './entry.ts'
import { resolvePath } from './paths.ts'
import type { Profile } from './profile.ts'
import { atLine } from './session-wrap.ts'
import { defaultSuitesFor, groupsOf, isCipherExpression, suitesFor, suitesOf } from './tls-names.ts'

/** The TLS settings of a profile. @throws ConfigError at the line of a file that can't be used. */
export function readTls(
  profile: Profile,
  role: 'client' | 'server',
  passphrase: string | undefined,
  crypto: CryptoProvider,
): SessionTls {
  const judge = profile.entry('ca') ?? profile.entry('peer-fingerprint')
  const verifier = judge === undefined ? undefined : atLine(judge, () => createPeerVerifier(verifierOptions(profile)))
  const [minVersion, maxVersion] = versions(profile)
  const suites = readSuites(profile)
  const groups = groupsOf(profile.value('tls-groups')?.[0] ?? '')
  const clientMode = profile.value('verify-client-cert')
  const clientAuth = clientMode === undefined ? undefined : CLIENT_AUTH[clientMode[0] ?? 'require']
  return {
    ...readCredential(profile, passphrase, crypto),
    ...(verifier === undefined ? {} : { verifier }),
    ...(role === 'server' && clientAuth !== undefined ? { clientAuth } : {}),
    ...(minVersion === undefined ? {} : { minVersion }),
    ...(maxVersion === undefined ? {} : { maxVersion }),
    ...(suites === undefined ? {} : { cipherSuites: suites }),
    ...(groups.length === 0 ? {} : { groups }),
  }
}

const CLIENT_AUTH = { none: 'none', optional: 'optional', require: 'required' } as const

function readCredential(
  profile: Profile,
  passphrase: string | undefined,
  crypto: CryptoProvider,
): Pick<SessionTls, 'certificateChain' | 'privateKey'> {
  const cert = profile.entry('cert')
  const key = profile.entry('key')
  if (cert === undefined || key === undefined) return {}
  const own = atLine(cert, () => parsePemCertificates(profile.textOf(cert), 'cert'))
  const extra = profile.entry('extra-certs')
  const more =
    extra === undefined ? [] : atLine(extra, () => parsePemCertificates(profile.textOf(extra), 'extra-certs'))
  const secret = passphrase ?? readPassphrase(profile)
  const privateKey = atLine(key, () => parsePrivateKey(profile.textOf(key), secret, crypto))
  return { certificateChain: [...own, ...more], privateKey }
}

/** The first line of the file that `askpass` names. */
function readPassphrase(profile: Profile): string | undefined {
  const entry = profile.entry('askpass')
  if (entry?.words[0] === undefined) return undefined
  return profile.textOf(entry).split(/\r?\n/)[0]
}

function verifierOptions(profile: Profile): PeerVerifierOptions {
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
    ...optional('ca', text(profile.entry('ca'))),
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

/** A list of revoked certificates, or a directory whose file names are revoked serial numbers. */
function readRevocation(profile: Profile, entry: Entry): Pick<PeerVerifierOptions, 'crls' | 'revokedSerials'> {
  if (entry.words[1] !== 'dir') return { crls: profile.textOf(entry) }
  const directory = resolvePath(entry.directory, entry.words[0] ?? '')
  return { revokedSerials: profile.namesIn(directory) }
}

function optional<K extends string, T>(key: K, value: T | undefined): Partial<Record<K, T>> {
  return value === undefined ? {} : ({ [key]: value } as Record<K, T>)
}

/** PROF-30: versions before 1.2 are raised to it; `or-highest` asks for the newest there is. */
function versions(profile: Profile): [TlsVersion | undefined, TlsVersion | undefined] {
  const [least, or] = profile.value('tls-version-min') ?? []
  const most = profile.value('tls-version-max')?.[0]
  const minVersion =
    least === undefined ? undefined : or === 'or-highest' && most === undefined ? 'TLSv1.2' : toVersion(least)
  if (most !== undefined && most < '1.2') {
    throw new ConfigError(
      'tls-version-max',
      'this library speaks TLS 1.2 and 1.3',
      profile.entry('tls-version-max')?.place,
    )
  }
  return [minVersion, most === undefined ? undefined : toVersion(most)]
}

function toVersion(text: string): TlsVersion {
  return text === '1.3' ? 'TLSv1.3' : 'TLSv1.2'
}

/** Suites of both versions, where the profile names some of either. */
function readSuites(profile: Profile): SessionTls['cipherSuites'] {
  const old = profile.value('tls-cipher')?.[0]
  const modern = profile.value('tls-ciphersuites')?.[0]
  if (old === undefined && modern === undefined) return undefined
  const oldSuites = old === undefined || isCipherExpression(old) ? [] : suitesOf(old, 'TLSv1.2')
  const modernSuites = modern === undefined ? [] : suitesOf(modern, 'TLSv1.3')
  if (oldSuites.length === 0 && modernSuites.length === 0) return undefined
  return [
    ...(modernSuites.length > 0 ? modernSuites : suitesFor('TLSv1.3')),
    ...(oldSuites.length > 0 ? oldSuites : defaultSuitesFor('TLSv1.2')),
  ]
}
