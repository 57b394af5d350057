/**
 * What is due next in a session: its own timers and the deadlines of its negotiations, in one order.
 *
 * Equal deadlines fire in a fixed order, timers before negotiations, so that the same inputs always give the same outputs
 * (spec/session.md, SESS-7 and SESS-8).
 */
import type { Timers } from '../reliability/index.ts'
import type { TimerName } from './reasons.ts'

/** A deadline and its name; `at` is `Infinity` for none. */
export interface Deadline {
  readonly at: number
  readonly name: TimerName
}

/** What has deadlines of its own. */
interface Waiting {
  deadline(): Deadline
}

/** The session's clock. */
export class Deadlines {
  readonly #timers: Timers<TimerName>
  readonly #slots: Waiting

  constructor(timers: Timers<TimerName>, slots: Waiting) {
    this.#timers = timers
    this.#slots = slots
  }

  /** The earliest. */
  next(): Deadline {
    const at = this.#timers.earliest()
    const slots = this.#slots.deadline()
    return at <= slots.at ? { at, name: this.#timers.earliestName() ?? 'retransmit' } : slots
  }

  /** Takes what is due first; undefined when nothing is. `slots`: the negotiations are to run what is due. */
  take(now: number): TimerName | 'slots' | undefined {
    const slots = this.#slots.deadline().at
    if (this.#timers.earliest() <= Math.min(now, slots)) return this.#timers.takeDue(now)
    return slots <= now ? 'slots' : undefined
  }
}
