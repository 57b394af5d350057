/**
 * The checks OpenVPN adds to a valid chain: `remote-cert-tls`, `remote-cert-ku`, `remote-cert-eku`, `ns-cert-type`,
 * `verify-x509-name`, `x509-username-field`, `verify-hash`. They look at the leaf alone, except the last.
 *
 * Options are understood once, when the verifier is made; a mistake in them is a `ConfigError` then. Rules X509-30 to
 * X509-36.
 */
import { ConfigError } from '../bytes/index.ts'
import type { CryptoProvider } from '../crypto/index.ts'
import { NS_CERT_BIT, roleUsage } from './certificate-checks.ts'
import { CertificateFault } from './fault.ts'
import { fingerprint, fingerprintText, matchesFingerprint, parseFingerprint } from './fingerprint.ts'
import { nameText } from './name.ts'
import { usageName, usageOid } from './oids.ts'
import type { Certificate } from './types.ts'
import type { UsernameField } from './username.ts'
import { parseUsernameFields, readUsernameField } from './username.ts'
import type { NameCheck, PeerVerifierOptions } from './verifier-types.ts'

/** OpenVPN's options, understood. */
export interface PeerChecks {
  /** Masks of which one must be contained in keyUsage; empty: the extension must exist; absent: no demand. */
  readonly keyUsages: readonly number[] | undefined
  /** Extended key usages that must all be listed, as dotted identifiers. */
  readonly extendedUsages: readonly string[]
  readonly nsCertBit: number | undefined
  readonly verifyName: NameCheck | undefined
  readonly usernameFields: readonly UsernameField[]
  readonly usernameRequired: boolean
  readonly issuerHash: { readonly hash: 'SHA1' | 'SHA256'; readonly values: readonly Uint8Array[] } | undefined
}

/** Understands the options. @throws ConfigError */
export function readPeerChecks(options: PeerVerifierOptions): PeerChecks {
  const { remoteCertTls, remoteCertKu, remoteCertEku, nsCertType, verifyName, usernameFields, verifyHash } = options
  const extendedUsages: string[] = []
  if (remoteCertTls !== undefined) extendedUsages.push(roleUsage(remoteCertTls))
  if (remoteCertEku !== undefined) {
    const oid = usageOid(remoteCertEku)
    if (oid === undefined) {
      throw new ConfigError(
        'remote-cert-eku',
        `remote-cert-eku: ${remoteCertEku} is neither a known usage nor an identifier.`,
      )
    }
    extendedUsages.push(oid)
  }
  if (verifyName?.value === '') throw new ConfigError('verify-x509-name', 'verify-x509-name: the name is empty.')
  return {
    keyUsages: remoteCertKu ?? (remoteCertTls === undefined ? undefined : []),
    extendedUsages,
    nsCertBit: nsCertType && NS_CERT_BIT[nsCertType],
    verifyName,
    usernameFields: parseUsernameFields(usernameFields ?? ['CN']),
    usernameRequired: usernameFields !== undefined,
    issuerHash: verifyHash && {
      hash: verifyHash.hash,
      values: verifyHash.values.map((value) => parseFingerprint(value, verifyHash.hash, 'verify-hash')),
    },
  }
}

/**
 * Runs OpenVPN's own checks on a path whose chain is valid.
 * @returns the username, where the certificate has one.
 * @throws CertificateFault
 */
export function checkPeer(
  path: readonly Certificate[],
  checks: PeerChecks,
  crypto: CryptoProvider,
): string | undefined {
  const leaf = path[0] as Certificate
  checkUsages(leaf, checks)
  checkIssuerHash(path, checks, crypto)
  const username = readUsername(leaf, checks)
  if (checks.verifyName !== undefined) checkName(leaf, checks.verifyName, username)
  return username
}

function checkUsages({ extensions }: Certificate, { keyUsages, extendedUsages, nsCertBit }: PeerChecks): void {
  const { keyUsageBits, extendedKeyUsage, nsCertType } = extensions
  if (keyUsages !== undefined) {
    // X509-30, X509-31
    if (keyUsageBits === undefined) throw new CertificateFault('key-usage-missing', 'It has no keyUsage extension.')
    if (keyUsages.length > 0 && !keyUsages.some((mask) => (keyUsageBits & mask) === mask)) {
      const wanted = keyUsages.map((mask) => mask.toString(16)).join(' or ')
      throw new CertificateFault(
        'key-usage-missing',
        `Its keyUsage is ${keyUsageBits.toString(16)}; ${wanted} is asked for.`,
      )
    }
  }
  for (const usage of extendedUsages) {
    if (extendedKeyUsage?.includes(usage) === true) continue
    const listed = extendedKeyUsage?.map(usageName).join(', ') ?? 'absent'
    const detail = `Its extended key usage is ${listed}; ${usageName(usage)} is asked for.`
    throw new CertificateFault('extended-key-usage-missing', detail)
  }
  // X509-32
  if (nsCertBit !== undefined && ((nsCertType ?? 0) & nsCertBit) === 0) {
    throw new CertificateFault('ns-cert-type-mismatch', 'Its nsCertType is absent or another.')
  }
}

function checkIssuerHash(path: readonly Certificate[], { issuerHash }: PeerChecks, crypto: CryptoProvider): void {
  if (issuerHash === undefined) return
  const issuer = path[1]
  // X509-36
  if (issuer === undefined) {
    throw new CertificateFault('issuer-hash-mismatch', 'No certificate stands above the leaf, so none can match.')
  }
  const digest = fingerprint(issuer.der, crypto, issuerHash.hash)
  if (matchesFingerprint(digest, issuerHash.values)) return
  const detail = `The fingerprint of ${nameText(issuer.subject)} is ${fingerprintText(digest)}.`
  throw new CertificateFault('issuer-hash-mismatch', detail)
}

function readUsername(leaf: Certificate, { usernameFields, usernameRequired }: PeerChecks): string | undefined {
  const values = usernameFields.map((field) => readUsernameField(leaf, field))
  const missing = values.indexOf(undefined)
  if (missing < 0) return values.join('_')
  if (!usernameRequired) return undefined
  const { name } = usernameFields[missing] as UsernameField
  throw new CertificateFault('username-missing', `Its field ${name} is absent, not plain text or too long.`)
}

/** Names are compared as a whole and byte for byte, or as a prefix where that is asked for (X509-34). */
function checkName(leaf: Certificate, { type, value }: NameCheck, username: string | undefined): void {
  const actual = type === 'subject' ? nameText(leaf.subject) : username
  if (type === 'name-prefix' ? actual?.startsWith(value) === true : actual === value) return
  const found =
    actual === undefined ? 'It has no such name' : `Its ${type === 'subject' ? 'subject' : 'name'} is ${actual}`
  throw new CertificateFault('name-mismatch', `${found}; ${value} is asked for.`)
}
