/**
 * Named deadlines of one machine (spec/reliability.md, REL-40 to REL-42).
 *
 * A machine has a handful of timers, known by name when it is built. Setting one is an array store, so that a timer may be
 * moved with every packet; the earliest is found by looking at all of them. Equal deadlines fire in the order of the names
 * given to the constructor, which makes runs repeatable.
 */
import { invariant } from '../bytes/index.ts'

/** A fixed set of named deadlines in ms; `Infinity` is a timer that is not set. */
export class Timers<Name extends string> {
  readonly names: readonly Name[]
  readonly #deadlines: number[]

  /** @param names - every timer there is, in the order in which equal deadlines fire. */
  constructor(names: readonly Name[]) {
    this.names = names
    this.#deadlines = names.map(() => Infinity)
  }

  #at(name: Name): number {
    const index = this.names.indexOf(name)
    invariant(index >= 0, 'REL-40')
    return index
  }

  /** Moves a timer to `deadline`; `Infinity` clears it. */
  set(name: Name, deadline: number): void {
    this.#deadlines[this.#at(name)] = deadline
  }

  /** Moves a timer to `deadline` unless it fires earlier already. */
  setEarlier(name: Name, deadline: number): void {
    const at = this.#at(name)
    if (deadline < (this.#deadlines[at] as number)) this.#deadlines[at] = deadline
  }

  clear(name: Name): void {
    this.#deadlines[this.#at(name)] = Infinity
  }

  clearAll(): void {
    this.#deadlines.fill(Infinity)
  }

  /** The deadline of a timer; `Infinity` when it is not set. */
  get(name: Name): number {
    return this.#deadlines[this.#at(name)] as number
  }

  /** True when the timer is set. */
  has(name: Name): boolean {
    return this.get(name) !== Infinity
  }

  /** The earliest deadline; `Infinity` when no timer is set. */
  earliest(): number {
    let earliest = Infinity
    for (const deadline of this.#deadlines) if (deadline < earliest) earliest = deadline
    return earliest
  }

  /** The name of the timer that fires first, or `undefined` when none is set. */
  earliestName(): Name | undefined {
    let at = -1
    let earliest = Infinity
    for (let i = 0; i < this.#deadlines.length; i++) {
      const deadline = this.#deadlines[i] as number
      if (deadline < earliest) {
        earliest = deadline
        at = i
      }
    }
    return this.names[at]
  }

  /**
   * Clears the timer that fires first if its deadline is `now` or earlier, and returns its name. Calling it until it
   * returns `undefined` runs everything due in deadline order, also what was set meanwhile (REL-41).
   */
  takeDue(now: number): Name | undefined {
    const name = this.earliestName()
    if (name === undefined || this.get(name) > now) return undefined
    this.clear(name) // REL-42
    return name
  }
}
