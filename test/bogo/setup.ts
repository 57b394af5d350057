/**
 * From flags to a TLS configuration. Where BoringSSL's defaults differ from this engine's and the runner counts on them,
 * BoringSSL's are used: no Ed25519 and no P-521 signatures accepted unless asked for.
 */
import { readFileSync } from 'node:fs'
import { fromHex } from '../../src/bytes/index.ts'
import type { GroupName, PrivateKey } from '../../src/crypto/index.ts'
import {
  type ChainVerifier,
  CIPHER_SUITES,
  groupByCode,
  parseTlsCipher,
  signatureSchemeById,
  type SignatureSchemeName,
  type TlsConfig,
  type TlsVersion,
} from '../../src/tls/index.ts'
import { parseCertificate, parsePemCertificates, parsePrivateKey } from '../../src/x509/index.ts'
import { type Flags, unimplemented } from './flags.ts'

const VERIFY_DEFAULT: readonly SignatureSchemeName[] = [
  'ecdsa_secp256r1_sha256',
  'rsa_pss_rsae_sha256',
  'rsa_pkcs1_sha256',
  'ecdsa_secp384r1_sha384',
  'rsa_pss_rsae_sha384',
  'rsa_pkcs1_sha384',
  'rsa_pss_rsae_sha512',
  'rsa_pkcs1_sha512',
]

const SIGN_DEFAULT: readonly SignatureSchemeName[] = [
  'ed25519',
  'ecdsa_secp256r1_sha256',
  'rsa_pss_rsae_sha256',
  'rsa_pkcs1_sha256',
  'ecdsa_secp384r1_sha384',
  'rsa_pss_rsae_sha384',
  'rsa_pkcs1_sha384',
  'ecdsa_secp521r1_sha512',
  'rsa_pss_rsae_sha512',
  'rsa_pkcs1_sha512',
  'mldsa44',
  'mldsa65',
  'mldsa87',
]

/**
 * Takes every certificate that can be read, or none, as the flags say. A BoringSSL client that was not told to verify goes on
 * with a certificate that it does not trust; so does a host that says so here.
 */
function verifier(flags: Flags): ChainVerifier {
  const indifferent = !flags.server && !flags.verifyPeer && !flags.customVerify
  return {
    verify(chain) {
      const leaf = parseCertificate(chain[0]!)
      if (typeof leaf === 'string') {
        return { type: 'refused', problem: leaf, detail: 'the certificate cannot be read', alert: 'decode-error' }
      }
      const alert = flags.customVerify ? 'certificate-unknown' : 'handshake-failure'
      return flags.verifyFail && !indifferent
        ? { type: 'refused', problem: 'unknown-issuer', detail: 'refused as the flags say', alert }
        : { type: 'verified', leaf, path: [leaf], username: undefined }
    },
  }
}

function groupNames(codes: readonly number[]): readonly GroupName[] {
  return codes.map((code) => groupByCode(code) ?? unimplemented(`group ${code}`))
}

/** BoringSSL's flags per group: 1 joins it to the next. */
function groupPreference(flags: Flags): readonly (readonly GroupName[])[] {
  const preference: GroupName[][] = []
  for (const [index, group] of groupNames(flags.groups ?? [29, 23, 24]).entries()) {
    if (flags.groupFlags[index - 1] === 1) preference.at(-1)?.push(group)
    else preference.push([group])
  }
  return preference
}

function schemeNames(ids: readonly number[]): readonly SignatureSchemeName[] {
  return ids.map((id) => signatureSchemeById(id)?.name ?? unimplemented(`signature scheme ${id}`))
}

/** What this side may sign with: schemes this engine lacks are left out while there are others. */
function signingNames(ids: readonly number[]): readonly SignatureSchemeName[] {
  const names = ids.flatMap((id) => signatureSchemeById(id)?.name ?? [])
  return names.length > 0 ? names : schemeNames(ids)
}

const VERSIONS: readonly (readonly [number, TlsVersion])[] = [
  [0x0303, 'TLSv1.2'],
  [0x0304, 'TLSv1.3'],
]

function versionRange(flags: Flags): { minVersion: TlsVersion; maxVersion: TlsVersion } {
  const allowed = VERSIONS.filter(
    ([code, name]) =>
      code >= (flags.minVersion ?? 0) &&
      code <= (flags.maxVersion ?? 0xffff) &&
      !(name === 'TLSv1.2' ? flags.noTls12 : flags.noTls13),
  ).map(([, name]) => name)
  const [minVersion] = allowed
  const maxVersion = allowed.at(-1)
  if (minVersion === undefined || maxVersion === undefined) {
    if ((flags.maxVersion ?? 0xffff) < 0x0303) unimplemented('versions below TLS 1.2')
    console.error('no version left')
    process.exit(1)
  }
  return { minVersion, maxVersion }
}

/** BoringSSL's list language: `[A|B]` holds suites of equal preference. Suites this engine lacks are left out. */
function cipherSuites(text: string): NonNullable<TlsConfig['cipherSuites']> {
  const groups = text.match(/\[[^\]]*\]|[^:[\]]+/g) ?? []
  const named = groups.map((group) => parseTlsCipher(group.replace(/[[\]]/g, '').replaceAll('|', ':')).names)
  if (named.flat().length === 0) unimplemented(`cipher ${text}`)
  return [...CIPHER_SUITES.filter((suite) => suite.version === 'TLSv1.3').map((suite) => suite.name), ...named]
}

/** A credential that exists only for the host to refuse to use it. */
function refusedCredential(flags: Flags): Pick<TlsConfig, 'certificateChain' | 'privateKey'> {
  const file = flags.certFile ?? flags.trustFile ?? unimplemented('a refusal without any certificate')
  const certificateChain = parsePemCertificates(readFileSync(file, 'utf8'))
  const leaf = parseCertificate(certificateChain[0]!)
  if (typeof leaf === 'string' || leaf.publicKey === undefined) return unimplemented(`certificate ${file}`)
  return { certificateChain, privateKey: { type: 'external', publicKey: leaf.publicKey } }
}

/** The DER names of a list in hex. */
function names(list: string): readonly Uint8Array[] {
  if (list.startsWith('<')) return []
  return list.split(',').map((hex) => fromHex(hex) ?? unimplemented(`CA list ${list}`))
}

function privateKey(file: string): PrivateKey {
  try {
    return parsePrivateKey(readFileSync(file, 'utf8'))
  } catch (error) {
    return unimplemented(`private key: ${String(error)}`)
  }
}

/** The same for all connections of one test. */
const TICKET_KEY = new Uint8Array(32).fill(1)

/**
 * The configuration that the flags describe.
 * @param session - that the connection before left.
 */
export function buildConfig(flags: Flags, session: Uint8Array | undefined): TlsConfig {
  const { certFile, keyFile, requireClientCertificate, verifyPeer } = flags
  return {
    role: flags.server ? 'server' : 'client',
    ...versionRange(flags),
    ...(flags.refuseWith !== undefined && refusedCredential(flags)),
    ...(flags.clientCas !== undefined && { certificateAuthorities: names(flags.clientCas) }),
    ...(flags.refuseWith === undefined &&
      certFile !== undefined &&
      keyFile !== undefined && {
        certificateChain: parsePemCertificates(readFileSync(certFile, 'utf8')),
        privateKey: privateKey(keyFile),
        signingSchemes: flags.signingPrefs === undefined ? SIGN_DEFAULT : signingNames(flags.signingPrefs),
      }),
    verifier: verifier(flags),
    clientAuth: requireClientCertificate ? 'required' : verifyPeer ? 'optional' : 'none',
    groups: groupPreference(flags),
    ...(flags.hostName !== undefined && { serverName: flags.hostName }),
    applicationProtocols: flags.protocols,
    requestOcsp: flags.requestOcsp,
    requestTimestamps: flags.requestTimestamps,
    ...(flags.ocspResponse !== undefined && { ocspResponse: flags.ocspResponse }),
    ...(flags.timestamps !== undefined && { certificateTimestamps: flags.timestamps }),
    ...(flags.keyShares !== undefined && { keyShares: groupNames(flags.keyShares) }),
    serverGroups: flags.serverGroups.flatMap((code) => groupByCode(code) ?? []),
    signatureSchemes: flags.verifyPrefs === undefined ? VERIFY_DEFAULT : schemeNames(flags.verifyPrefs),
    ...(flags.cipher !== undefined && { cipherSuites: cipherSuites(flags.cipher) }),
    ...(flags.maxSendFragment !== undefined && { maxFragment: flags.maxSendFragment }),
    // BoringSSL counts the bytes of a chain and not its certificates.
    maxCertificates: 1024,
    ...(flags.maxCertList !== undefined && { maxCertificateMessage: flags.maxCertList }),
    keyLog: flags.exportTrafficSecrets,
    // BoringSSL resumes with and without extended_master_secret.
    resumption: {
      withoutExtendedMasterSecret: true,
      ...(flags.server ? { ticketKeys: [TICKET_KEY] } : session !== undefined && { session }),
    },
    insistOnCertificate: true,
    allowLegacyServer: !flags.noLegacyServer,
  }
}
