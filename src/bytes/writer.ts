/**
 * A growing big-endian writer with back-patched length prefixes.
 */
import { invariant } from './errors.ts'

/** Collects bytes; `finish` gives them away. */
export class Writer {
  #buffer: Uint8Array
  #length = 0

  /** @param capacity - first guess of the final size in bytes. */
  constructor(capacity = 256) {
    this.#buffer = new Uint8Array(capacity)
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length
  }

  #reserve(length: number): number {
    const start = this.#length
    const needed = start + length
    if (needed > this.#buffer.length) {
      const larger = new Uint8Array(Math.max(needed, this.#buffer.length * 2))
      larger.set(this.#buffer)
      this.#buffer = larger
    }
    this.#length = needed
    return start
  }

  #put(offset: number, value: number, length: number): void {
    let rest = value
    for (let i = length - 1; i >= 0; i--) {
      this.#buffer[offset + i] = rest % 256
      rest = Math.floor(rest / 256)
    }
    invariant(rest === 0, 'BYTES-1')
  }

  /** An unsigned integer in `length` bytes (1 to 6); it must fit. */
  uint(value: number, length: number): this {
    this.#put(this.#reserve(length), value, length)
    return this
  }

  u8(value: number): this {
    return this.uint(value, 1)
  }

  u16(value: number): this {
    return this.uint(value, 2)
  }

  u24(value: number): this {
    return this.uint(value, 3)
  }

  u32(value: number): this {
    return this.uint(value, 4)
  }

  u48(value: number): this {
    return this.uint(value, 6)
  }

  /** A 64-bit unsigned integer. */
  u64(value: bigint): this {
    return this.u32(Number(value >> 32n)).u32(Number(value & 0xffffffffn))
  }

  bytes(bytes: Uint8Array): this {
    const start = this.#reserve(bytes.length) // First: it may replace the buffer.
    this.#buffer.set(bytes, start)
    return this
  }

  /** `bytes` behind a length prefix of `prefix` bytes. */
  vector(prefix: number, bytes: Uint8Array): this {
    return this.uint(bytes.length, prefix).bytes(bytes)
  }

  /** Whatever `body` writes, behind a length prefix of `prefix` bytes. */
  block(prefix: number, body: (writer: this) => void): this {
    const at = this.#reserve(prefix)
    body(this)
    this.#put(at, this.#length - at - prefix, prefix)
    return this
  }

  /** The bytes written, as an array of their own. */
  finish(): Uint8Array {
    return this.#buffer.slice(0, this.#length)
  }
}
