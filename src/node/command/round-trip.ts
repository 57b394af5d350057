/**
 * The round trip to the peer, from control packets and their acknowledgements: no packet is sent for it.
 *
 * Packets that were repeated do not count, since nobody knows which copy was acknowledged. The least of a negotiation is
 * what the path takes; the rest is the peer thinking.
 */
import type { ControlTrace } from '../../session/index.ts'

/** Acknowledgements later than this belong to no measurement, in ms. */
const LONGEST = 10_000

/** Measures one session after the other. */
export class RoundTrip {
  readonly #sent = new Map<string, number>()
  #ms: number | undefined
  #keyId = -1

  /** Of the newest negotiation; undefined before the first acknowledgement. */
  get ms(): number | undefined {
    return this.#ms
  }

  /** Another session begins. */
  reset(): void {
    this.#sent.clear()
    this.#keyId = -1
  }

  /** A control packet passed. */
  trace({ direction, keyId, packetId, acks, repeated }: ControlTrace, now: number): void {
    if (direction === 'sent') {
      if (packetId === undefined) return
      if (repeated) this.#sent.delete(`${keyId} ${packetId}`)
      else this.#sent.set(`${keyId} ${packetId}`, now)
      return
    }
    for (const ack of acks) {
      const at = this.#sent.get(`${keyId} ${ack}`)
      if (at === undefined) continue
      this.#sent.delete(`${keyId} ${ack}`)
      const ms = now - at
      if (ms > LONGEST) continue
      if (keyId !== this.#keyId || this.#ms === undefined || ms < this.#ms) this.#ms = ms
      this.#keyId = keyId
    }
  }
}
