/**
 * Copies of bytes to be given away, many in one buffer: a buffer of its own costs the runtime far more than the bytes in it.
 *
 * A buffer that is full is left to those who hold parts of it, and a new one begun. A copy that is kept for long keeps
 * its whole buffer alive, so the buffers are small, and what is large gets one of its own.
 */

/** Bytes of a shared buffer: twenty full packets. */
const SHARED = 32_768
/** Larger copies get a buffer of their own. */
const LARGEST = SHARED / 4
/** Copies begin at multiples of so many bytes. */
const ALIGNMENT = 16

/** Where copies are made. */
export class Arena {
  #shared = new Uint8Array(0)
  #from = 0

  /** The bytes `[offset, offset + length)` of `source`, copied. BYTES-3 */
  copy(source: Uint8Array, offset: number, length: number): Uint8Array {
    if (length > LARGEST) return source.slice(offset, offset + length)
    // Whoever holds a copy may have passed the buffer on to another thread: it is empty then.
    if (this.#from + length > this.#shared.length) {
      this.#shared = new Uint8Array(SHARED)
      this.#from = 0
    }
    const copy = this.#shared.subarray(this.#from, this.#from + length)
    copy.set(source.subarray(offset, offset + length))
    this.#from = (this.#from + length + ALIGNMENT - 1) & -ALIGNMENT
    return copy
  }
}
