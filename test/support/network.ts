/**
 * A seeded network between two ends, in virtual time and without a socket: what is sent comes out later, or not at all.
 *
 * A datagram may be lost (evenly or in bursts), doubled, held back past its successors, damaged, or be too large for the
 * path. A stream loses nothing: it arrives in order, cut into other pieces than it was sent in. All of it is drawn from one
 * {@link SeededRandom}, so a seed replays a run to the bit. The network is itself a machine without I/O: `send`, `poll` and
 * `pollTimeout` are all there is.
 */
import type { SeededRandom } from './random.ts'

/** What can happen to a datagram. Probabilities from 0 to 1, times in ms. */
export interface Faults {
  /** One way. */
  readonly latency: number
  /** Added, evenly from 0 to this. */
  readonly jitter: number
  readonly loss: number
  /** Spells of heavy loss: the chance to enter one and to leave it again, per datagram, and the loss inside. */
  readonly burst?: { readonly enter: number; readonly leave: number; readonly loss: number }
  readonly duplicate: number
  /** Chance that a datagram is held back by up to `reorderDelay`. */
  readonly reorder: number
  readonly reorderDelay: number
  /** Chance of a few flipped bits. */
  readonly corrupt: number
  /** Larger datagrams vanish. */
  readonly mtu: number
}

/** A clean link with 20 ms each way. */
export const CLEAN: Faults = {
  latency: 20,
  jitter: 0,
  loss: 0,
  duplicate: 0,
  reorder: 0,
  reorderDelay: 0,
  corrupt: 0,
  mtu: 65_535,
}

/** The rough link of the loss tests: 12.5 % reordering, 10 % duplicates, 3 % corruption. */
export function rough(loss: number): Faults {
  return { ...CLEAN, jitter: 10, loss, duplicate: 0.1, reorder: 0.125, reorderDelay: 120, corrupt: 0.03 }
}

/** Where a datagram goes. */
export type End = 'client' | 'server'

/** A datagram (or piece of the stream) that has arrived. */
export interface Arrival {
  readonly to: End
  readonly bytes: Uint8Array
  /** False when the network damaged it. */
  readonly genuine: boolean
}

interface Flight extends Arrival {
  readonly at: number
  readonly order: number
}

/** The link. */
export class Network {
  faults: Faults
  /** True: nothing passes. */
  partitioned = false
  /** Sees every datagram as it was sent; false makes it vanish. */
  filter: ((bytes: Uint8Array, to: End) => boolean) | undefined
  /** Datagrams that the network kept, by what it did. */
  readonly counts = { sent: 0, lost: 0, duplicated: 0, reordered: 0, corrupted: 0, tooLarge: 0, cut: 0 }
  readonly #random: SeededRandom
  readonly #transport: 'udp' | 'tcp'
  #flights: Flight[] = []
  #order = 0
  #inBurst = false
  readonly #streamUntil = { client: 0, server: 0 }

  constructor(random: SeededRandom, faults: Faults, transport: 'udp' | 'tcp' = 'udp') {
    this.#random = random
    this.faults = faults
    this.#transport = transport
  }

  /** Takes what one end transmits for the other. */
  send(bytes: Uint8Array, to: End, now: number): void {
    this.counts.sent++
    if (this.filter?.(bytes, to) === false) return
    if (this.#transport === 'tcp') {
      this.#sendPieces(bytes, to, now)
      return
    }
    if (this.partitioned || this.#isLost()) {
      this.counts.lost++
      return
    }
    if (bytes.length > this.faults.mtu) {
      this.counts.tooLarge++
      return
    }
    this.#fly(bytes, to, now)
    if (this.#random.chance(this.faults.duplicate)) {
      this.counts.duplicated++
      this.#fly(bytes, to, now)
    }
  }

  /** The next arrival that is due. */
  poll(now: number): Arrival | undefined {
    const [first] = this.#flights
    if (first === undefined || first.at > now) return undefined
    this.#flights.shift()
    return first
  }

  /** When something arrives next; `Infinity` when nothing is on its way. */
  pollTimeout(): number {
    return this.#flights[0]?.at ?? Infinity
  }

  /** Forgets everything on its way. */
  clear(): void {
    this.#flights = []
  }

  #isLost(): boolean {
    const { burst, loss } = this.faults
    if (burst === undefined) return this.#random.chance(loss)
    this.#inBurst = this.#inBurst ? !this.#random.chance(burst.leave) : this.#random.chance(burst.enter)
    return this.#random.chance(this.#inBurst ? burst.loss : loss)
  }

  #fly(bytes: Uint8Array, to: End, now: number): void {
    let at = now + this.faults.latency + this.#random.float() * this.faults.jitter
    if (this.#random.chance(this.faults.reorder)) {
      this.counts.reordered++
      at += this.#random.float() * this.faults.reorderDelay
    }
    const damaged = this.#random.chance(this.faults.corrupt)
    this.#land(damaged ? this.#damage(bytes) : bytes, to, at, !damaged)
  }

  #damage(bytes: Uint8Array): Uint8Array {
    this.counts.corrupted++
    const out = bytes.slice()
    const first = this.#random.below(out.length)
    out[first] = out[first]! ^ (1 << this.#random.below(8))
    for (let flips = this.#random.below(3); flips > 0; flips--) {
      const at = this.#random.below(out.length)
      if (at !== first) out[at] = out[at]! ^ (1 << this.#random.below(8))
    }
    return out
  }

  /** The stream keeps its order and comes in pieces of its own. */
  #sendPieces(bytes: Uint8Array, to: End, now: number): void {
    let at = Math.max(now + this.faults.latency + this.#random.float() * this.faults.jitter, this.#streamUntil[to])
    for (let offset = 0; offset < bytes.length; ) {
      const whole = this.#random.chance(0.5)
      const length = whole ? bytes.length - offset : 1 + this.#random.below(bytes.length - offset)
      if (this.#random.chance(0.2)) at += 1
      this.counts.cut += length < bytes.length ? 1 : 0
      this.#land(bytes.slice(offset, offset + length), to, at, true)
      offset += length
    }
    this.#streamUntil[to] = at
  }

  #land(bytes: Uint8Array, to: End, at: number, genuine: boolean): void {
    const flight: Flight = { at, to, bytes, genuine, order: this.#order++ }
    let index = this.#flights.length
    while (index > 0 && this.#flights[index - 1]!.at > at) index--
    this.#flights.splice(index, 0, flight)
  }
}
