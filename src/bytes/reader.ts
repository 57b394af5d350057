/**
 * A bounded big-endian cursor over bytes somebody else sent.
 *
 * A short read never throws: it marks the reader `failed`, yields zeros or an empty array, and every later read does the
 * same. A parser reads all its fields and asks `failed` once.
 */
import { EMPTY } from './bytes.ts'

/** Reads big-endian integers and byte ranges from `bytes[start, end)`. */
export class Reader {
  readonly bytes: Uint8Array
  readonly end: number
  /** Index of the next byte to read. */
  offset: number
  /** True once a read went past `end`. */
  failed = false

  constructor(bytes: Uint8Array, start = 0, end: number = bytes.length) {
    this.bytes = bytes
    this.offset = start
    this.end = end
  }

  /** Bytes left. */
  get remaining(): number {
    return this.end - this.offset
  }

  /** True when nothing failed and nothing is left: a message was read exactly. */
  get complete(): boolean {
    return !this.failed && this.offset === this.end
  }

  #claim(length: number): boolean {
    if (this.failed || length > this.end - this.offset) {
      this.failed = true
      this.offset = this.end
      return false
    }
    return true
  }

  /** An unsigned integer of 1 to 6 bytes. */
  uint(length: number): number {
    if (!this.#claim(length)) return 0
    let value = 0
    for (let i = 0; i < length; i++) value = value * 256 + (this.bytes[this.offset++] as number)
    return value
  }

  u8(): number {
    return this.#claim(1) ? (this.bytes[this.offset++] as number) : 0
  }

  u16(): number {
    return this.uint(2)
  }

  u24(): number {
    return this.uint(3)
  }

  u32(): number {
    return this.uint(4)
  }

  u48(): number {
    return this.uint(6)
  }

  /** A 64-bit unsigned integer. */
  u64(): bigint {
    return (BigInt(this.u32()) << 32n) | BigInt(this.u32())
  }

  /** A view of the next `length` bytes. Borrowed: it shares memory with the input. */
  take(length: number): Uint8Array {
    if (!this.#claim(length)) return EMPTY
    const view = this.bytes.subarray(this.offset, this.offset + length)
    this.offset += length
    return view
  }

  /** A copy of the next `length` bytes. */
  copy(length: number): Uint8Array {
    return new Uint8Array(this.take(length))
  }

  skip(length: number): void {
    if (this.#claim(length)) this.offset += length
  }

  /** A view of everything left. */
  rest(): Uint8Array {
    return this.take(this.failed ? 0 : this.remaining)
  }

  /** A vector with a length prefix of `prefix` bytes (1 to 3), as a view. */
  vector(prefix: number): Uint8Array {
    return this.take(this.uint(prefix))
  }

  /** A reader over a vector with a length prefix of `prefix` bytes. It starts failed when this read fails. */
  sub(prefix: number): Reader {
    const length = this.uint(prefix)
    if (!this.#claim(length)) {
      const empty = new Reader(EMPTY)
      empty.failed = true
      return empty
    }
    const reader = new Reader(this.bytes, this.offset, this.offset + length)
    this.offset += length
    return reader
  }
}
