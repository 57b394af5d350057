/**
 * Which packet ids were seen: a sliding window with time backtrack (spec/reliability.md, REL-30 to REL-38).
 *
 * `accepts` asks, `commit` notes, and only authenticated packets are committed: a forgery moves nothing. The window spans
 * `size` ids below the highest one. Each seen id is stamped with its time of arrival; every five seconds a sweep looks from
 * the highest id down for the first stamp older than `seconds`, and that id with everything below it, seen or not, expires.
 * A late packet is thus lost when a neighbour above it has aged out, as in the reference.
 *
 * With long ids a newer time starts the window afresh and an older one is refused; with short ids time is always 0. The
 * sweep moves on commits only; a question asked while a sweep is due is answered as if it had been made, so `accepts` never
 * writes. Per packet nothing is allocated (REL-37).
 */
import { invariant } from '../bytes/index.ts'

/** Default width of the window in ids. */
export const REPLAY_WINDOW_SIZE = 64
/** Largest width. */
export const MAX_REPLAY_WINDOW_SIZE = 65_536
/** Default time backtrack in seconds. */
export const REPLAY_WINDOW_SECONDS = 15
/** Largest time backtrack in seconds. */
export const MAX_REPLAY_WINDOW_SECONDS = 600
/** Pause between two sweeps in ms. */
export const REPLAY_SWEEP_INTERVAL = 5000

const UNSEEN = -Infinity

/** A window as plain data, ages instead of times of arrival. */
export interface ReplayWindowSnapshot {
  readonly size: number
  readonly seconds: number
  readonly time: number
  readonly highest: number
  /** This id and all below are refused. */
  readonly expired: number
  /** Ids seen and not expired, highest first, with their age in ms. */
  readonly seen: readonly (readonly [id: number, age: number])[]
}

/** Ids seen under one key. */
export class ReplayWindow {
  readonly size: number
  /** Time backtrack in seconds; 0 switches the sweeps off. */
  readonly seconds: number
  /** Highest id committed under the present time; 0 before the first. */
  highest = 0
  /** Time of the ids in the window: Unix seconds as a u32 with long ids, 0 with short ones. */
  time = 0
  /** This id and all below are refused. */
  #expired = 0
  #lastSweep = -Infinity
  readonly #mask: number
  /** Times of arrival by id modulo the ring's length, a power of two; it grows to that length with the ids. */
  readonly #stamps: number[] = []

  /**
   * @param size - width in ids, 1 to {@link MAX_REPLAY_WINDOW_SIZE}.
   * @param seconds - time backtrack, 0 to {@link MAX_REPLAY_WINDOW_SECONDS}.
   */
  constructor(size: number = REPLAY_WINDOW_SIZE, seconds: number = REPLAY_WINDOW_SECONDS) {
    invariant(Number.isInteger(size) && size >= 1 && size <= MAX_REPLAY_WINDOW_SIZE, 'REL-30')
    invariant(seconds >= 0 && seconds <= MAX_REPLAY_WINDOW_SECONDS, 'REL-30')
    this.size = size
    this.seconds = seconds
    let ring = 1
    while (ring < size) ring *= 2
    this.#mask = ring - 1
  }

  /**
   * True when a packet with this id was not seen and is neither too old nor from an older time. Reads only.
   *
   * @param id - u32 or u48.
   * @param time - of a long id; 0 for the other forms.
   * @param now - ms.
   */
  accepts(id: number, time: number, now: number): boolean {
    if (id === 0) return false // REL-31
    if (time !== this.time) return time > this.time // REL-33
    if (id > this.highest) return true
    return this.#acceptsLate(id, now)
  }

  #acceptsLate(id: number, now: number): boolean {
    if (id <= this.#expired || this.highest - id >= this.size) return false // REL-32
    if (this.#stampOf(id) !== UNSEEN) return false
    return !this.#sweepDue(now) || this.#sweepResult(now, id) < id // REL-36
  }

  /**
   * True when the window no longer covers this id of the present time: it lies behind the window, or aged out. Of an id that
   * `accepts` refuses, false means that it was seen. Reads only.
   */
  isPast(id: number, now: number): boolean {
    if (id <= this.#expired || this.highest - id >= this.size) return true
    return this.#sweepDue(now) && this.#sweepResult(now, id) >= id // REL-36
  }

  /**
   * Notes a packet that `accepts` took and whose authentication held.
   *
   * @param now - ms; the packet's time of arrival.
   */
  commit(id: number, time: number, now: number): void {
    if (this.#sweepDue(now)) {
      this.#expired = this.#sweepResult(now, 1)
      this.#lastSweep = now
    }
    if (time !== this.time) this.#restart(time)
    if (id > this.highest) this.#advance(id)
    this.#stamp(id, now) // REL-34
  }

  /** Reads what every packet needs; the number says nothing. */
  touch(): number {
    return this.highest + this.#expired + this.#lastSweep + this.#stamps.length
  }

  #stamp(id: number, time: number): void {
    const at = id & this.#mask
    while (this.#stamps.length < at) this.#stamps.push(UNSEEN)
    this.#stamps[at] = time
  }

  #stampOf(id: number): number {
    const at = id & this.#mask
    return at < this.#stamps.length ? (this.#stamps[at] as number) : UNSEEN
  }

  #restart(time: number): void {
    this.time = time // REL-33
    this.highest = 0
    this.#expired = 0
  }

  #advance(id: number): void {
    const gap = id - this.highest
    if (gap > this.#mask) {
      this.#stamps.fill(UNSEEN) // REL-35
    } else {
      for (let skipped = this.highest + 1; skipped < id; skipped++) this.#stamp(skipped, UNSEEN)
    }
    this.highest = id
  }

  #sweepDue(now: number): boolean {
    return this.seconds > 0 && now - this.#lastSweep >= REPLAY_SWEEP_INTERVAL
  }

  /** The expiry mark after a sweep at `now` that looks no further down than `least`. */
  #sweepResult(now: number, least: number): number {
    const oldest = now - this.seconds * 1000
    const bottom = Math.max(least, this.#expired + 1, this.highest - this.size + 1)
    for (let id = this.highest; id >= bottom; id--) {
      const stamp = this.#stampOf(id)
      if (stamp !== UNSEEN && stamp < oldest) return id // REL-36
    }
    return this.#expired
  }

  /** The window as data, to be moved elsewhere or compared. */
  snapshot(now: number): ReplayWindowSnapshot {
    const seen: [number, number][] = []
    const bottom = Math.max(this.#expired + 1, this.highest - this.size + 1, 1)
    for (let id = this.highest; id >= bottom; id--) {
      const stamp = this.#stampOf(id)
      if (stamp !== UNSEEN) seen.push([id, now - stamp])
    }
    const { size, seconds, time, highest } = this
    return { size, seconds, time, highest, expired: this.#expired, seen }
  }

  /** The window of a snapshot, its ages counted back from `now`. */
  static restore(snapshot: ReplayWindowSnapshot, now: number): ReplayWindow {
    const window = new ReplayWindow(snapshot.size, snapshot.seconds)
    window.time = snapshot.time
    window.highest = snapshot.highest
    window.#expired = snapshot.expired // REL-38
    for (const [id, age] of snapshot.seen) window.#stamp(id, now - age)
    return window
  }
}
