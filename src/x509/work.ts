/**
 * The work one verification may do, counted instead of timed: signature checks, candidate certificates, name
 * comparisons. Whoever sends a chain chooses how it branches; the counters choose when to stop. Rule X509-27.
 */
import { equalBytes } from '../bytes/index.ts'
import type { CryptoProvider } from '../crypto/index.ts'
import { keyFitsAlgorithm } from './algorithm.ts'
import { WorkExhausted } from './fault.ts'
import type { Certificate } from './types.ts'

/** Most signatures checked per chain, those of revocation lists included. */
export const MAX_SIGNATURE_CHECKS = 64
/** Most candidate certificates looked at per chain. */
export const MAX_SEARCH_STEPS = 2000
/** Most comparisons of a name with a constraint per chain. */
export const MAX_NAME_COMPARISONS = 100_000

/** A certificate's or a revocation list's signed part. */
export interface Signed {
  readonly tbs: Uint8Array
  readonly signatureAlgorithm: Certificate['signatureAlgorithm']
  readonly signature: Uint8Array
}

/** Counts down, and remembers signatures already checked. One per verification. */
export class Work {
  readonly #crypto: CryptoProvider
  /** Results by signed part and the issuer's public key: certificates of one CA share them. */
  readonly #verified = new Map<Signed, { readonly key: Uint8Array; readonly valid: boolean }[]>()
  #signatures = 0
  #steps = 0
  #comparisons = 0

  constructor(crypto: CryptoProvider) {
    this.#crypto = crypto
  }

  /** Signature checks done so far. */
  get signatures(): number {
    return this.#signatures
  }

  /** Candidates looked at so far. */
  get steps(): number {
    return this.#steps
  }

  /** Counts one candidate. @throws WorkExhausted */
  step(): void {
    if (this.#steps >= MAX_SEARCH_STEPS) {
      throw new WorkExhausted(`More than ${MAX_SEARCH_STEPS} candidate certificates would be looked at.`)
    }
    this.#steps++
  }

  /** Counts name comparisons about to be made. @throws WorkExhausted */
  compare(count: number): void {
    this.#comparisons += count
    if (this.#comparisons > MAX_NAME_COMPARISONS) {
      throw new WorkExhausted(`More than ${MAX_NAME_COMPARISONS} names would be compared with constraints.`)
    }
  }

  /**
   * True when the signature over the bytes as received verifies under the issuer's key (X509-26). Each pair is counted
   * and checked once. @throws WorkExhausted
   */
  verifies(signed: Signed, issuer: Certificate): boolean {
    let results = this.#verified.get(signed)
    if (results === undefined) this.#verified.set(signed, (results = []))
    const key = issuer.publicKeyInfo
    const known = results.find((result) => equalBytes(result.key, key))
    if (known !== undefined) return known.valid
    const valid = this.#check(signed, issuer)
    results.push({ key, valid })
    return valid
  }

  #check({ tbs, signature, signatureAlgorithm: algorithm }: Signed, issuer: Certificate): boolean {
    const key = issuer.publicKey
    if (algorithm.type === 'unsupported' || key === undefined || !keyFitsAlgorithm(key, algorithm)) return false
    if (this.#signatures >= MAX_SIGNATURE_CHECKS) {
      throw new WorkExhausted(`More than ${MAX_SIGNATURE_CHECKS} signature checks would be needed.`)
    }
    this.#signatures++
    return this.#crypto.verify(algorithm, key, tbs, signature)
  }
}
