/**
 * Bytes on their way to a peer, from the first one that is not acknowledged. Of bounded size, in one piece of memory.
 */

/** Most bytes that wait. */
export const SEND_BUFFER = 1 << 19

/** A queue of bytes that can be read again until they are dropped. */
export class SendBuffer {
  readonly #bytes = new Uint8Array(2 * SEND_BUFFER)
  #start = 0
  #end = 0

  get length(): number {
    return this.#end - this.#start
  }

  get room(): number {
    return SEND_BUFFER - this.length
  }

  /** Takes as much as there is room for; the number of bytes taken. */
  append(data: Uint8Array): number {
    const taken = Math.min(data.length, this.room)
    if (this.#end + taken > this.#bytes.length) {
      this.#bytes.copyWithin(0, this.#start, this.#end)
      this.#end -= this.#start
      this.#start = 0
    }
    this.#bytes.set(data.subarray(0, taken), this.#end)
    this.#end += taken
    return taken
  }

  /** Bytes from `offset` on, as a view until the next `append`. */
  read(offset: number, length: number): Uint8Array {
    const from = this.#start + offset
    return this.#bytes.subarray(from, Math.min(from + length, this.#end))
  }

  /** Forgets the first bytes. */
  drop(length: number): void {
    this.#start = Math.min(this.#start + length, this.#end)
  }
}
