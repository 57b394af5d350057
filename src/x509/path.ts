/**
 * Building a path from a leaf to a trust anchor, bounded by counters (RFC 5280 section 6, RFC 4158).
 *
 * A depth-first search with every candidate issuer tried: the host's own roots first, then its other CA certificates,
 * then what the peer sent, each group with a matching key identifier first. A certificate is only stepped onto when it
 * could be an issuer at all and its signature over the child holds; results of signature checks are kept, so a mesh of
 * cross-signed CAs costs each pair once. The first path that passes the whole-path checks wins, otherwise the most
 * telling fault is reported. Rules X509-25 to X509-29.
 */
import { equalBytes } from '../bytes/index.ts'
import type { CryptoProvider } from '../crypto/index.ts'
import { keyFitsAlgorithm } from './algorithm.ts'
import {
  blame,
  checkCriticalExtensions,
  checkIssuer,
  checkKey,
  checkPathLengths,
  checkValidity,
  isSelfIssued,
  PathFault,
} from './certificate-checks.ts'
import { CertificateFault } from './fault.ts'
import { nameKey, nameText } from './name.ts'
import { checkSignatureStrength } from './profile.ts'
import type { Certificate } from './types.ts'
import type { CertificateProfile, PeerRole } from './verifier-types.ts'

/** Most certificates in a path, leaf and anchor included. */
export const MAX_PATH_LENGTH = 16
/** Most signatures checked per chain, those of CRLs included (X509-27). */
export const MAX_SIGNATURE_CHECKS = 64
/** Most candidates looked at per chain (X509-27). */
export const MAX_SEARCH_STEPS = 2000

/** Counts the work one verification may do. */
export class WorkBudget {
  #signatures = MAX_SIGNATURE_CHECKS
  #steps = MAX_SEARCH_STEPS

  /** Signature checks done so far. */
  get signaturesChecked(): number {
    return MAX_SIGNATURE_CHECKS - this.#signatures
  }

  /** Candidates looked at so far. */
  get stepsTaken(): number {
    return MAX_SEARCH_STEPS - this.#steps
  }

  signature(): void {
    if (this.#signatures-- <= 0) {
      this.#signatures = 0
      throw new WorkExhausted(`More than ${MAX_SIGNATURE_CHECKS} signature checks would be needed.`)
    }
  }

  step(): void {
    if (this.#steps-- <= 0) {
      this.#steps = 0
      throw new WorkExhausted(`More than ${MAX_SEARCH_STEPS} candidate certificates would be looked at.`)
    }
  }
}

/** The work allowed for one chain is used up; the search ends at once. */
export class WorkExhausted extends CertificateFault {
  constructor(detail: string) {
    super('certificate-too-complex', detail)
  }
}

/** The host's CA certificates by subject. */
export class TrustStore {
  readonly #anchors = new Map<string, Certificate[]>()
  readonly #others = new Map<string, Certificate[]>()

  constructor(certificates: readonly Certificate[]) {
    // X509-25: only self-signed certificates end a path.
    for (const certificate of certificates) {
      const map = looksSelfSigned(certificate) ? this.#anchors : this.#others
      const key = nameKey(certificate.subject)
      map.set(key, [...(map.get(key) ?? []), certificate])
    }
  }

  /** Anchors with this subject. */
  anchors(subject: string): readonly Certificate[] {
    return this.#anchors.get(subject) ?? []
  }

  /** Other CA certificates with this subject. */
  others(subject: string): readonly Certificate[] {
    return this.#others.get(subject) ?? []
  }

  /** True when this very certificate is a trust anchor. */
  isAnchor(certificate: Certificate): boolean {
    return this.anchors(nameKey(certificate.subject)).some((anchor) => equalBytes(anchor.der, certificate.der))
  }
}

/** Self-issued, and not by another key as far as key identifiers tell. */
function looksSelfSigned(certificate: Certificate): boolean {
  return isSelfIssued(certificate) && identifierMatch(certificate, certificate) !== 'different'
}

/** What the key identifiers say about `issuer` having signed `child`. */
function identifierMatch(child: Certificate, issuer: Certificate): 'same' | 'unknown' | 'different' {
  const wanted = child.extensions.authorityKeyIdentifier?.keyIdentifier
  const offered = issuer.extensions.subjectKeyIdentifier
  if (wanted === undefined || offered === undefined) return 'unknown'
  return equalBytes(wanted, offered) ? 'same' : 'different'
}

/** What a search needs to know. */
export interface PathInputs {
  readonly trust: TrustStore
  /** The peer's other certificates; asked for only when the host's own do not suffice. */
  readonly untrusted: () => readonly Certificate[]
  readonly role: PeerRole
  readonly profile: CertificateProfile
  readonly unixTime: number
  readonly crypto: CryptoProvider
  readonly work: WorkBudget
  /** Judges a complete path; refuses by CertificateFault. */
  readonly checkPath: (path: readonly Certificate[]) => void
}

/** Finds and validates paths for one leaf. */
export class PathSearch {
  readonly #inputs: PathInputs
  /** Results of signature checks by child and issuer. */
  readonly #signatures = new Map<Certificate, Map<Certificate, boolean>>()
  #fault: { readonly fault: CertificateFault; readonly weight: number } | undefined

  constructor(inputs: PathInputs) {
    this.#inputs = inputs
  }

  /**
   * The first valid path for `leaf`, which must have passed the checks of its own.
   * @throws CertificateFault (often PathFault) with the most telling fault when there is none.
   */
  find(leaf: Certificate): readonly Certificate[] {
    const path = this.#extend([leaf])
    if (path !== undefined) return path
    throw this.#fault?.fault ?? new CertificateFault('unknown-issuer', 'No issuer was found.')
  }

  #extend(path: readonly Certificate[]): readonly Certificate[] | undefined {
    const current = path[path.length - 1] as Certificate
    if (this.#inputs.trust.isAnchor(current)) return this.#complete(path)
    if (path.length >= MAX_PATH_LENGTH) {
      return this.#note(1, new CertificateFault('chain-too-long', `Paths of up to ${MAX_PATH_LENGTH} are followed.`))
    }
    let found = false
    for (const issuer of this.#issuers(current)) {
      this.#inputs.work.step()
      // X509-28: the same CA never appears twice.
      if (path.some((other) => isSameCa(other, issuer))) continue
      found = true
      if (!this.#mayIssue(current, issuer)) continue
      const complete = this.#extend([...path, issuer])
      if (complete !== undefined) return complete
    }
    if (!found) this.#noteDeadEnd(current)
    return undefined
  }

  *#issuers(child: Certificate): Generator<Certificate> {
    const { trust, untrusted } = this.#inputs
    const name = nameKey(child.issuer)
    yield* ranked(child, trust.anchors(name))
    yield* ranked(child, trust.others(name))
    yield* ranked(
      child,
      untrusted().filter((candidate) => nameKey(candidate.subject) === name),
    )
  }

  #mayIssue(child: Certificate, issuer: Certificate): boolean {
    const { role, profile, unixTime, trust } = this.#inputs
    try {
      blame(issuer, () => {
        checkCriticalExtensions(issuer)
        checkValidity(issuer, unixTime)
        checkKey(issuer, profile)
        checkIssuer(issuer, role, trust.isAnchor(issuer))
      })
      blame(child, () => checkSignatureStrength(child.signatureAlgorithm, profile))
    } catch (error) {
      if (!(error instanceof CertificateFault)) throw error
      this.#note(identifierMatch(child, issuer) === 'different' ? 1 : 3, error)
      return false
    }
    if (this.#signedBy(child, issuer)) return true
    const detail = `It was not signed by the key of ${nameText(issuer.subject)}.`
    this.#note(2, new PathFault('bad-signature', detail, child))
    return false
  }

  // X509-26
  #signedBy(child: Certificate, issuer: Certificate): boolean {
    const known = this.#signatures.get(child)?.get(issuer)
    if (known !== undefined) return known
    const result = verifySignature(child, issuer, this.#inputs.crypto, this.#inputs.work)
    const results = this.#signatures.get(child) ?? new Map<Certificate, boolean>()
    this.#signatures.set(child, results.set(issuer, result))
    return result
  }

  #complete(path: readonly Certificate[]): readonly Certificate[] | undefined {
    try {
      checkPathLengths(path)
      this.#inputs.checkPath(path)
      return path
    } catch (error) {
      if (!(error instanceof CertificateFault) || error instanceof WorkExhausted) throw error
      return this.#note(4, error)
    }
  }

  #noteDeadEnd(certificate: Certificate): void {
    const fault = isSelfIssued(certificate)
      ? new PathFault('untrusted-root', 'It is self-signed and not in ca.', certificate)
      : new PathFault('unknown-issuer', `Its issuer ${nameText(certificate.issuer)} was not found.`, certificate)
    this.#note(1, fault)
  }

  /** Keeps the weightiest fault, the first among equals. */
  #note(weight: number, fault: CertificateFault): undefined {
    if (this.#fault === undefined || weight > this.#fault.weight) this.#fault = { fault, weight }
  }
}

/** Issuers whose key identifier matches first, those that contradict it last (X509-29). */
function ranked(child: Certificate, candidates: readonly Certificate[]): readonly Certificate[] {
  if (candidates.length < 2) return candidates
  const order = { same: 0, unknown: 1, different: 2 } as const
  return [...candidates].sort((a, b) => order[identifierMatch(child, a)] - order[identifierMatch(child, b)])
}

/** Same name and same key: a detour over such a certificate proves nothing new. */
function isSameCa(a: Certificate, b: Certificate): boolean {
  return nameKey(a.subject) === nameKey(b.subject) && equalBytes(a.publicKeyInfo, b.publicKeyInfo)
}

/** A certificate's or a revocation list's signed part. */
export interface Signed {
  readonly tbs: Uint8Array
  readonly signatureAlgorithm: Certificate['signatureAlgorithm']
  readonly signature: Uint8Array
}

/** True when the signature over the bytes as received verifies under the issuer's key. Counted against `work`. */
export function verifySignature(child: Signed, issuer: Certificate, crypto: CryptoProvider, work: WorkBudget): boolean {
  const algorithm = child.signatureAlgorithm
  const key = issuer.publicKey
  if (algorithm.type === 'unsupported' || key === undefined || !keyFitsAlgorithm(key, algorithm)) return false
  work.signature()
  return crypto.verify(algorithm, key, child.tbs, child.signature)
}
