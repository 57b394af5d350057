/**
 * The replay window once more, slow and plain: a list of slots from the highest id down, each unseen, seen at some time, or
 * expired. Tests compare the real window with it.
 */

type Slot = { state: 'unseen' } | { state: 'seen'; at: number } | { state: 'expired' }

/** A replay window as a list. */
export class ReplayModel {
  readonly #size: number
  readonly #seconds: number
  #time = 0
  #highest = 0
  #lastSweep: number | undefined = undefined
  /** Slot 0 is the highest id. */
  #slots: Slot[] = []

  constructor(size: number, seconds: number) {
    this.#size = size
    this.#seconds = seconds
  }

  get highest(): number {
    return this.#highest
  }

  accepts(id: number, time: number, now: number): boolean {
    if (id < 1) return false
    if (time > this.#time) return true
    if (time < this.#time) return false
    if (id > this.#highest) return true
    const slots = this.#sweepDue(now) ? this.#swept(now) : this.#slots
    return slots[this.#highest - id]?.state === 'unseen'
  }

  /** Why an id of the present time is refused: true when it is not covered any more, false when it was seen. */
  isPast(id: number, now: number): boolean {
    const slots = this.#sweepDue(now) ? this.#swept(now) : this.#slots
    return (slots[this.#highest - id]?.state ?? 'expired') === 'expired'
  }

  commit(id: number, time: number, now: number): void {
    if (this.#sweepDue(now)) {
      this.#slots = this.#swept(now)
      this.#lastSweep = now
    }
    if (time > this.#time || this.#slots.length === 0) {
      this.#time = time
      this.#slots = Array.from({ length: Math.min(this.#size, id) }, () => ({ state: 'unseen' }))
      this.#highest = id
    }
    const gap = id - this.#highest
    if (gap > 0) {
      const fresh = Array.from({ length: Math.min(gap, this.#size) }, (): Slot => ({ state: 'unseen' }))
      this.#slots = [...fresh, ...this.#slots].slice(0, this.#size)
      this.#highest = id
    }
    this.#slots[this.#highest - id] = { state: 'seen', at: now }
  }

  #sweepDue(now: number): boolean {
    return this.#seconds > 0 && (this.#lastSweep === undefined || now - this.#lastSweep >= 5000)
  }

  #swept(now: number): Slot[] {
    let expired = false
    return this.#slots.map((slot) => {
      if (slot.state === 'seen' && slot.at + this.#seconds * 1000 < now) expired = true
      return expired ? { state: 'expired' } : slot
    })
  }
}
