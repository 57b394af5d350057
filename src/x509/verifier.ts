/**
 * The peer verifier: one place where a received chain becomes a verdict.
 *
 * With a `ca`, the chain is built and validated, then OpenVPN's own checks follow; with `peer-fingerprint` the leaf must
 * also be one of the pinned ones. With fingerprints and no `ca`, the pin replaces the chain. Every fault becomes a
 * `refused` verdict here, at the floor's border. Rules X509-37 to X509-39.
 */
import { ConfigError } from '../bytes/index.ts'
import type { CryptoProvider } from '../crypto/index.ts'
import { MAX_DER_NODES, readCertificate } from './certificate.ts'
import { checkLeafKey, checkLeafPurpose, PathFault } from './certificate-checks.ts'
import { DerBudget } from './der.ts'
import { CertificateFault } from './fault.ts'
import { fingerprint, fingerprintText, matchesFingerprint, parseFingerprint } from './fingerprint.ts'
import { nameText } from './name.ts'
import type { PeerChecks } from './peer-checks.ts'
import { checkPeer, readPeerChecks } from './peer-checks.ts'
import { CERTIFICATE_ADVICE } from './problem.ts'
import { readCertificates, readCrls } from './read-certificates.ts'
import { TrustStore } from './trust-store.ts'
import type { Certificate } from './types.ts'
import type { RevocationData } from './validate.ts'
import { checkSerials, findValidPath } from './validate.ts'
import type {
  CertificateProfile,
  CertificateSource,
  PeerVerdict,
  PeerVerifier,
  PeerVerifierOptions,
  PolicyOptions,
  Purpose,
} from './verifier-types.ts'
import { Work } from './work.ts'

/** Longest chain taken from a peer, in bytes over all its certificates. */
export const MAX_CHAIN_LENGTH = 102400

/**
 * Makes a verifier.
 * @throws ConfigError when an option cannot work: no `ca` and no fingerprints, a certificate or list that cannot be read.
 */
export function createPeerVerifier(options: PeerVerifierOptions): PeerVerifier {
  return new Verifier(options)
}

class Verifier implements PeerVerifier {
  #options: PeerVerifierOptions
  readonly #trust: TrustStore | undefined
  readonly #fingerprints: readonly Uint8Array[] | undefined
  readonly #profile: CertificateProfile
  readonly #checks: PeerChecks
  readonly #policy: PolicyOptions
  #revocation: RevocationData

  constructor(options: PeerVerifierOptions) {
    this.#options = options
    const { ca, peerFingerprints, profile = 'legacy', crls, missingCrl = 'refuse', revokedSerials = [] } = options
    // X509-37
    if (ca === undefined && peerFingerprints === undefined) {
      throw new ConfigError('ca', 'ca: give CA certificates, or peer-fingerprint.')
    }
    if (ca === undefined && crls !== undefined) {
      throw new ConfigError('crl-verify', 'crl-verify: lists can only be checked against CA certificates; give ca too.')
    }
    this.#trust = ca === undefined ? undefined : new TrustStore(readCertificates(ca, 'ca'))
    this.#fingerprints = peerFingerprints?.map((text) => parseFingerprint(text, 'SHA256', 'peer-fingerprint'))
    this.#profile = profile
    this.#checks = readPeerChecks(options)
    this.#policy = options.policy ?? {}
    this.#revocation = {
      crls: crls === undefined ? undefined : readCrls(crls),
      missing: missingCrl,
      serials: new Set(revokedSerials),
    }
  }

  get options(): PeerVerifierOptions {
    return this.#options
  }

  verify(chain: readonly Uint8Array[], purpose: Purpose, unixTime: number, crypto: CryptoProvider): PeerVerdict {
    let leaf: Certificate | undefined
    try {
      const budget = new DerBudget(MAX_DER_NODES)
      leaf = readLeaf(chain, budget)
      this.#checkFingerprint(leaf, crypto)
      const path = this.#findPath(leaf, chain, budget, purpose, unixTime, crypto)
      return { type: 'verified', leaf, path, username: checkPeer(path, this.#checks, crypto) }
    } catch (error) {
      if (error instanceof CertificateFault) return refusal(error, leaf)
      throw error
    }
  }

  #checkFingerprint(leaf: Certificate, crypto: CryptoProvider): void {
    if (this.#fingerprints === undefined) return
    const digest = fingerprint(leaf.der, crypto)
    if (matchesFingerprint(digest, this.#fingerprints)) return
    throw new CertificateFault('fingerprint-mismatch', `Its fingerprint is ${fingerprintText(digest)}.`)
  }

  #findPath(
    leaf: Certificate,
    chain: readonly Uint8Array[],
    budget: DerBudget,
    purpose: Purpose,
    unixTime: number,
    crypto: CryptoProvider,
  ): readonly Certificate[] {
    const profile = this.#profile
    checkLeafKey(leaf, profile)
    if (this.#trust === undefined) {
      // X509-38
      checkSerials([leaf], this.#revocation.serials)
      return [leaf]
    }
    checkLeafPurpose(leaf, purpose)
    const others = new Intermediates(chain.slice(1), budget)
    try {
      return findValidPath(leaf, {
        trust: this.#trust,
        untrusted: () => others.certificates,
        purpose,
        profile,
        policy: this.#policy,
        revocation: this.#revocation,
        unixTime,
        crypto,
        work: new Work(crypto),
      })
    } catch (error) {
      if (error instanceof CertificateFault && error.problem === 'unknown-issuer') throw others.fault ?? error
      throw error
    }
  }

  // X509-92
  replaceCrls(crls: CertificateSource): void {
    this.#revocation = { ...this.#revocation, crls: readCrls(crls) }
    this.#options = { ...this.#options, crls }
  }

  replaceRevokedSerials(serials: readonly string[]): void {
    this.#revocation = { ...this.#revocation, serials: new Set(serials) }
    this.#options = { ...this.#options, revokedSerials: serials }
  }
}

function readLeaf(chain: readonly Uint8Array[], budget: DerBudget): Certificate {
  const [leaf] = chain
  if (leaf === undefined) throw new CertificateFault('no-certificate', 'The chain is empty.')
  if (chain.reduce((sum, { length }) => sum + length, 0) > MAX_CHAIN_LENGTH) {
    throw new CertificateFault('certificate-too-complex', `The chain is longer than ${MAX_CHAIN_LENGTH} bytes.`)
  }
  return readCertificate(leaf, budget)
}

/** The peer's certificates above the leaf, parsed when first asked for; unreadable ones help to build no path. */
class Intermediates {
  readonly #chain: readonly Uint8Array[]
  readonly #budget: DerBudget
  #certificates: readonly Certificate[] | undefined
  /** Why the first unreadable one could not be read. */
  fault: CertificateFault | undefined

  constructor(chain: readonly Uint8Array[], budget: DerBudget) {
    this.#chain = chain
    this.#budget = budget
  }

  get certificates(): readonly Certificate[] {
    this.#certificates ??= this.#chain.flatMap((der) => this.#read(der))
    return this.#certificates
  }

  #read(der: Uint8Array): readonly Certificate[] {
    try {
      return [readCertificate(der, this.#budget)]
    } catch (error) {
      if (!(error instanceof CertificateFault) || error.problem === 'certificate-too-complex') throw error
      this.fault ??= error
      return []
    }
  }
}

/** Longest subject text in a verdict: it may come from an attacker. */
const MAX_SUBJECT_TEXT = 512

function refusal(fault: CertificateFault, leaf: Certificate | undefined): PeerVerdict {
  const certificate = fault instanceof PathFault ? fault.certificate : leaf
  const { problem } = fault
  const detail = `${fault.message} ${CERTIFICATE_ADVICE[problem]}`
  if (certificate === undefined) return { type: 'refused', problem, detail }
  return { type: 'refused', problem, subject: nameText(certificate.subject).slice(0, MAX_SUBJECT_TEXT), detail }
}
