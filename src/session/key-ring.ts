/**
 * The data keys in use: which one sends, which ones still receive (spec/rekeying.md).
 *
 * At most two exist. The primary is the newest. The lame duck is the one before it: it opens late packets until it dies,
 * and it goes on sending until the peer has surely installed the new key. A third key pushes the lame duck out. Packets
 * name their key by key id alone; two keys of the ring never share one.
 *
 * Nothing here looks at a clock per packet: `sender` changes only in the moves below, which timers call.
 */
import { invariant } from '../bytes/index.ts'
import type { DataChannel } from '../data/index.ts'
import type { AckRepeats } from './ack-repeats.ts'
import type { Negotiated } from './output.ts'
import type { PacketPath } from './packet-path.ts'

/** One data key with its history. */
export class DataKey {
  readonly keyId: number
  readonly channel: DataChannel
  /** Bytes and packets it carried, both directions. */
  bytes = 0
  packets = 0
  /** True once its limits asked for a successor. */
  successorAsked = false
  readonly negotiated: Negotiated
  /** When the key became usable. */
  readonly since: number
  /** When it may replace an older sender. */
  readonly sendFrom: number
  /** When it must not be used any more; `Infinity` until a successor's negotiation starts. */
  dieAt = Infinity
  /** Client, until a packet came under this key: acks of its negotiation that are said again. */
  ackRepeats: AckRepeats | undefined

  constructor(channel: DataChannel, negotiated: Negotiated, since: number, sendFrom: number) {
    this.keyId = negotiated.keyId
    this.channel = channel
    this.negotiated = negotiated
    this.since = since
    this.sendFrom = sendFrom
  }

  touch(): number {
    return this.keyId + this.bytes + this.sendFrom
  }
}

/** The keys of one tunnel. */
export class KeyRing {
  #primary: DataKey | undefined
  #lameDuck: DataKey | undefined
  #sender: DataKey | undefined
  readonly #path: PacketPath

  /** @param path - is told of every newest key. */
  constructor(path: PacketPath) {
    this.#path = path
    path.keys = this
  }

  touch(): number {
    return this.#primary === this.#sender ? 1 : 0
  }

  /** The newest key. */
  get primary(): DataKey | undefined {
    return this.#primary
  }

  /** The key before it. */
  get lameDuck(): DataKey | undefined {
    return this.#lameDuck
  }

  /** The key that seals. */
  get sender(): DataKey | undefined {
    return this.#sender
  }

  /** The key with that id, if it may still receive. REKEY-6 */
  find(keyId: number): DataKey | undefined {
    if (this.#primary?.keyId === keyId) return this.#primary
    return this.#lameDuck?.keyId === keyId ? this.#lameDuck : undefined
  }

  /** Takes a new key in; the former primary becomes the lame duck and keeps sending for now. REKEY-4, REKEY-5 */
  install(key: DataKey): void {
    invariant(this.#primary?.keyId !== key.keyId, 'REKEY-5')
    this.#lameDuck = this.#primary
    this.#setPrimary(key)
    this.#sender = this.#lameDuck ?? key
  }

  /** The keys of another session of the same peer take over: nothing of the former one stays. */
  replaceAll(key: DataKey): void {
    this.#lameDuck = undefined
    this.#setPrimary(key)
    this.#sender = key
  }

  /** Goes on with the keys of another process's tunnel. */
  restore(primary: DataKey, lameDuck: DataKey | undefined, lameDuckSends: boolean): void {
    this.#setPrimary(primary)
    this.#lameDuck = lameDuck
    this.#sender = lameDuckSends ? (lameDuck ?? primary) : primary
  }

  /** Lets the primary send once its time has come; true when that changed the sender. REKEY-7 */
  switchSender(now: number): boolean {
    if (this.#primary === undefined || this.#sender === this.#primary || now < this.#primary.sendFrom) return false
    this.#sender = this.#primary
    return true
  }

  /** The newest key sends from now on, whatever its time; true when that changed the sender. REKEY-8, REKEY-15, REKEY-16 */
  useNewest(): boolean {
    if (this.#sender === this.#primary) return false
    this.#sender = this.#primary
    return true
  }

  /** Drops keys past their life. */
  expire(now: number): void {
    if (this.#lameDuck !== undefined && now >= this.#lameDuck.dieAt) {
      if (this.#sender === this.#lameDuck) this.#sender = this.#primary
      this.#lameDuck = undefined
    }
    if (this.#primary !== undefined && now >= this.#primary.dieAt) this.clear()
  }

  /** When `switchSender` is next due. */
  get switchAt(): number {
    return this.#sender === this.#primary || this.#primary === undefined ? Infinity : this.#primary.sendFrom
  }

  /** When `expire` is next due. */
  get expireAt(): number {
    return Math.min(this.#primary?.dieAt ?? Infinity, this.#lameDuck?.dieAt ?? Infinity)
  }

  /** Forgets every key. */
  clear(): void {
    this.#setPrimary(undefined)
    this.#lameDuck = undefined
    this.#sender = undefined
  }

  #setPrimary(key: DataKey | undefined): void {
    this.#primary = key
    this.#path.take(key)
  }
}
