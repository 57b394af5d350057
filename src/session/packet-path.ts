/**
 * What lies on the way of a tunnel's packets, led to directly.
 *
 * A packet goes from object to object: conversation, tunnel, key, channel, window. A host with thousands of sessions finds
 * none of them in a cache, and since each leads to the next, it would wait for memory at every step. One look at all of them
 * beforehand lets the processor ask for all of them at once. It changes nothing, and what it reads means nothing (SESS-79).
 */
import type { ChannelParts, DataChannel } from '../data/index.ts'
import type { Counters } from './stats.ts'

/** Something that a packet needs. */
export interface Touchable {
  /** Reads fields of every part that a packet needs; the number says nothing. */
  touch(): number
}

const NOTHING: Touchable = { touch: () => 0 }
const NO_COUNTS = { datagramsReceived: 0, datagramsSent: 0 }

/** The way of one tunnel's packets. Each part is put here by its owner, and replaced when it is. A host may begin it with more. */
export class PacketPath {
  conversation = NOTHING
  tunnel = NOTHING
  pipeline = NOTHING
  keys = NOTHING
  #key = NOTHING
  #channel = NOTHING
  #replay = NOTHING
  #opener: Partial<Touchable> = NOTHING
  #sealer: Partial<Touchable> = NOTHING
  /** The channel's parts that are on the way. */
  parts: ChannelParts | undefined
  liveness = NOTHING
  counters: Pick<Counters, 'datagramsReceived' | 'datagramsSent'> = NO_COUNTS

  /** The newest key, which nearly all packets are for, with what its channel works with; undefined lets the last one go. */
  take(key: (Touchable & { readonly channel: DataChannel }) | undefined): void {
    this.#key = key ?? NOTHING
    this.#channel = key?.channel ?? NOTHING
    this.parts = key?.channel.parts
    this.#replay = this.parts?.replay ?? NOTHING
    this.#opener = this.parts?.opener ?? NOTHING
    this.#sealer = this.parts?.sealer ?? NOTHING
  }

  /** Asks for all that opening a packet needs. */
  touchToOpen(): number {
    return this.#touch() + this.#replay.touch() + (this.#opener.touch?.() ?? 0) + this.counters.datagramsReceived
  }

  /** Asks for all that sealing a packet needs. */
  touchToSeal(): number {
    return this.#touch() + (this.#sealer.touch?.() ?? 0) + this.counters.datagramsSent
  }

  #touch(): number {
    const above = this.conversation.touch() + this.tunnel.touch() + this.pipeline.touch() + this.liveness.touch()
    return above + this.keys.touch() + this.#key.touch() + this.#channel.touch()
  }
}
