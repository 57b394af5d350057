/**
 * The wire between the two ends: each datagram arrives after a delay, some later than their successors, some never.
 */
import type { SeededRandom } from './random.ts'

/** Which end of the link. */
export type Side = 'client' | 'server'

/** What the sliders set. */
export interface LinkSettings {
  /** One way, in ms. */
  delay: number
  /** Up to so many ms more, drawn for each datagram: what comes out of it is reordering. */
  jitter: number
  /** 0 to 1. */
  loss: number
}

/** One datagram with its fate. */
export interface Datagram {
  readonly number: number
  readonly from: Side
  readonly bytes: Uint8Array
  readonly sentAt: number
  /** Undefined: lost on the way. */
  readonly arrivesAt: number | undefined
}

/** Keeps datagrams until they are due. */
export class Link {
  readonly settings: LinkSettings
  readonly #random: SeededRandom
  #flying: (Datagram & { readonly arrivesAt: number })[] = []
  #count = 0

  constructor(settings: LinkSettings, random: SeededRandom) {
    this.settings = settings
    this.#random = random
  }

  /** Takes a datagram and says what becomes of it. */
  send(from: Side, bytes: Uint8Array, now: number): Datagram {
    const { delay, jitter, loss } = this.settings
    const isLost = this.#random.float() < loss
    const arrivesAt = now + delay + this.#random.float() * jitter
    const sent = { number: ++this.#count, from, bytes, sentAt: now }
    if (isLost) return { ...sent, arrivesAt: undefined }
    const flying = { ...sent, arrivesAt }
    this.#flying.push(flying)
    this.#flying.sort((a, b) => a.arrivesAt - b.arrivesAt || a.number - b.number)
    return flying
  }

  /** The next datagram that has arrived. */
  poll(now: number): Datagram | undefined {
    const [first] = this.#flying
    return first !== undefined && first.arrivesAt <= now ? this.#flying.shift() : undefined
  }

  /** When the next one arrives. */
  pollTimeout(): number {
    return this.#flying[0]?.arrivesAt ?? Infinity
  }
}
