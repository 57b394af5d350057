/**
 * The receiving half of the control channel's reliability: messages in any order in, in sequence out
 * (spec/reliability.md, REL-10 to REL-13).
 *
 * Twelve ids from the next expected one on are taken. A message below or already held is a duplicate: its ack was lost,
 * so the caller acknowledges it again. One beyond the window is dropped without an ack, so the peer sends it again later.
 * Memory is bounded by the window: at most `size` messages are held.
 */

/** Ids taken from the next expected one on. */
export const RECEIVE_WINDOW = 12

/** What became of a message: `new` and `duplicate` are acknowledged, `beyond` is not. */
export type ReceiveVerdict = 'new' | 'duplicate' | 'beyond'

/** A window as plain data. */
export interface ReceiveWindowSnapshot<T> {
  readonly nextId: number
  readonly held: readonly { readonly packetId: number; readonly message: T }[]
}

/** Messages waiting for their turn. */
export class ReceiveWindow<T> {
  readonly size: number
  #next: number
  #held = 0
  readonly #slots: (T | undefined)[]

  /**
   * @param size - {@link RECEIVE_WINDOW} by default.
   * @param firstId - id expected first; 0 by default, 1 behind a stateless hard reset.
   */
  constructor(size: number = RECEIVE_WINDOW, firstId = 0) {
    this.size = size
    this.#next = firstId
    this.#slots = new Array<T | undefined>(size).fill(undefined)
  }

  /** Lowest id not yet taken out. */
  get nextId(): number {
    return this.#next
  }

  /** Messages held. */
  get held(): number {
    return this.#held
  }

  /** What `accept` would answer. */
  verdict(packetId: number): ReceiveVerdict {
    if (packetId < this.#next) return 'duplicate' // REL-11
    if (packetId - this.#next >= this.size || packetId > 0xffffffff) return 'beyond' // REL-12
    return this.#slots[packetId % this.size] === undefined ? 'new' : 'duplicate'
  }

  /** Holds a message that is `new`; the others leave the window as it was. */
  accept(packetId: number, message: T): ReceiveVerdict {
    const verdict = this.verdict(packetId)
    if (verdict === 'new') {
      this.#slots[packetId % this.size] = message // REL-10
      this.#held++
    }
    return verdict
  }

  /** The next message in sequence, or `undefined` when it has not come yet. */
  take(): T | undefined {
    const at = this.#next % this.size
    const message = this.#slots[at]
    if (message === undefined) return undefined
    this.#slots[at] = undefined
    this.#held--
    this.#next++ // REL-13
    return message
  }

  /** The window as data, to be moved elsewhere. */
  snapshot(): ReceiveWindowSnapshot<T> {
    const held: { packetId: number; message: T }[] = []
    for (let packetId = this.#next; packetId < this.#next + this.size; packetId++) {
      const message = this.#slots[packetId % this.size]
      if (message !== undefined) held.push({ packetId, message })
    }
    return { nextId: this.#next, held }
  }

  /** The window of a snapshot. REL-60 */
  static restore<T>(snapshot: ReceiveWindowSnapshot<T>): ReceiveWindow<T> {
    const window = new ReceiveWindow<T>(undefined, snapshot.nextId)
    for (const { message, packetId } of snapshot.held) window.accept(packetId, message)
    return window
  }

  /** The messages held, in no particular order. */
  *messages(): Generator<T> {
    for (const message of this.#slots) if (message !== undefined) yield message
  }
}
