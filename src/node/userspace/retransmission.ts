/**
 * How long to wait for an acknowledgement: RFC 6298, measured on segments that were sent once.
 */
const FIRST = 1000
const LEAST = 200
const MOST = 60_000

/** The retransmission timeout of one connection. */
export class RetransmissionTimeout {
  /** In ms. */
  ms = FIRST
  #smoothed: number | undefined
  #variation = 0
  #timing: { readonly seq: number; readonly at: number } | undefined

  /** A segment that ends before `seq` leaves; measured unless another is. */
  sent(seq: number, now: number): void {
    this.#timing ??= { seq, at: now }
  }

  /** Something was sent again: what is under way measures nothing any more. */
  cancel(): void {
    this.#timing = undefined
  }

  /** The timer rang. NODE-23 */
  backOff(): void {
    this.ms = Math.min(this.ms * 2, MOST)
    this.#timing = undefined
  }

  /** Everything before `ack` has arrived. NODE-23 */
  acknowledged(ack: number, now: number): void {
    const timing = this.#timing
    if (timing === undefined || ((ack - timing.seq) | 0) < 0) return
    const took = now - timing.at
    this.#timing = undefined
    if (this.#smoothed === undefined) {
      this.#smoothed = took
      this.#variation = took / 2
    } else {
      this.#variation = 0.75 * this.#variation + 0.25 * Math.abs(this.#smoothed - took)
      this.#smoothed = 0.875 * this.#smoothed + 0.125 * took
    }
    this.ms = Math.min(Math.max(this.#smoothed + 4 * this.#variation, LEAST), MOST)
  }
}
