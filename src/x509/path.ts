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
import { CertificateFault, WorkExhausted } from './fault.ts'
import { nameKey, nameText } from './name.ts'
import { checkSignatureStrength } from './profile.ts'
import type { TrustStore } from './trust-store.ts'
import { identifierMatch } from './trust-store.ts'
import type { Certificate } from './types.ts'
import type { CertificateProfile, Purpose } from './verifier-types.ts'
import type { Work } from './work.ts'

/** Most certificates in a path, leaf and anchor included. */
export const MAX_PATH_LENGTH = 16
/** What a search needs to know. */
export interface PathInputs {
  readonly trust: TrustStore
  /** The peer's other certificates; asked for only when the host's own do not suffice. */
  readonly untrusted: () => readonly Certificate[]
  readonly purpose: Purpose
  readonly profile: CertificateProfile
  readonly unixTime: number
  readonly work: Work
  /** Judges a complete path; refuses by CertificateFault. */
  readonly checkPath: (path: readonly Certificate[]) => void
}

/** Finds and validates paths for one leaf. */
export class PathSearch {
  readonly #inputs: PathInputs
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
    const { purpose, profile, unixTime, trust } = this.#inputs
    try {
      blame(issuer, () => {
        checkCriticalExtensions(issuer)
        checkValidity(issuer, unixTime)
        checkKey(issuer, profile)
        checkIssuer(issuer, purpose, trust.isAnchor(issuer))
      })
      blame(child, () => checkSignatureStrength(child.signatureAlgorithm, profile))
    } catch (error) {
      if (!(error instanceof CertificateFault)) throw error
      this.#note(identifierMatch(child, issuer) === 'different' ? 1 : 3, error)
      return false
    }
    if (this.#inputs.work.verifies(child, issuer)) return true // X509-26
    const detail = `It was not signed by the key of ${nameText(issuer.subject)}.`
    this.#note(2, new PathFault('bad-signature', detail, child))
    return false
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
      ? new PathFault('untrusted-root', 'It is self-issued, and no trusted certificate stands above it.', certificate)
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
