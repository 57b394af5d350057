/**
 * So many in so long: a counter over fixed windows of the injected clock, as `connect-freq` and `connect-freq-initial` count.
 */
import type { Frequency } from './config.ts'

/** One limit. */
export class RateLimit {
  readonly #count: number
  readonly #period: number
  #windowStart = -Infinity
  #used = 0

  /** @param frequency - `undefined`: no limit. */
  constructor(frequency: Frequency | undefined) {
    this.#count = frequency?.count ?? Infinity
    this.#period = frequency?.period ?? 0
  }

  /** Takes one; false when the window has none left. */
  take(now: number): boolean {
    if (now - this.#windowStart >= this.#period) {
      this.#windowStart = now
      this.#used = 0
    }
    if (this.#used >= this.#count) return false
    this.#used++
    return true
  }

  /** Gives one back: what it was taken for turned out honest. */
  refund(): void {
    if (this.#used > 0) this.#used--
  }
}
