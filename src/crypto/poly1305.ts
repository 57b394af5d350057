/**
 * Poly1305 (RFC 8439 section 2.5) in floating point.
 *
 * Numbers modulo 2^130 - 5 are six limbs of 22 bits in doubles. A product of two limbs, one of them multiplied by 20
 * where 2^132 wraps around, stays below 2^50, and the sum of six below 2^53: every intermediate is an exact integer, and
 * a double multiplies faster than JavaScript's 32-bit integers carry. There are no branches or look-ups on data.
 *
 * Bounds: after a block's carries each limb is below 2^22 + 2^13; adding a message block keeps it below 2^23; limbs of
 * `r` are below 2^22 and times 20 below 2^26.4; six products of 2^23 * 2^26.4 sum to less than 2^52.
 */
/* eslint-disable @typescript-eslint/no-non-null-assertion -- indices are within fixed-size arrays or the given range */

const LIMB = 0x400000
const PER_LIMB = 1 / LIMB
const PER_WORD = 1 / 0x100000000
/** The top limb holds 20 of the 130 bits. */
const TOP = 0x100000

/** One Poly1305 sum; set up afresh for each message by {@link Poly1305.start}. */
export class Poly1305 {
  /** The six limbs of the clamped key half. */
  readonly #r = new Float64Array(6)
  /** The running sum. */
  readonly #h = new Float64Array(6)
  /** What is added to the sum at the end. */
  readonly #pad = new Int32Array(4)
  readonly #block = new Uint8Array(16)

  /** Starts a message under a one-time key of eight little-endian words. */
  start(key: Int32Array): void {
    const k0 = key[0]! & 0x0fffffff
    const k1 = key[1]! & 0x0ffffffc
    const k2 = key[2]! & 0x0ffffffc
    const k3 = key[3]! & 0x0ffffffc
    splitLimbs(this.#r, k0, k1, k2, k3)
    this.#h.fill(0)
    const pad = this.#pad
    pad[0] = key[4]!
    pad[1] = key[5]!
    pad[2] = key[6]!
    pad[3] = key[7]!
  }

  /** Adds `bytes[offset, offset + length)` and zeros up to a whole block, as the AEAD construction has it. */
  updatePadded(bytes: Uint8Array, offset: number, length: number): void {
    const whole = length & ~15
    this.#updateBlocks(bytes, offset, offset + whole)
    if (whole !== length) this.#updatePartial(bytes, offset + whole, length - whole)
  }

  #updatePartial(bytes: Uint8Array, offset: number, length: number): void {
    const block = this.#block.fill(0)
    for (let i = 0; i < length; i++) block[i] = bytes[offset + i]!
    this.#updateBlocks(block, 0, 16)
  }

  /** Adds both lengths, 64 bits each, little-endian. */
  updateLengths(first: number, second: number): void {
    const block = this.#block
    writeLength(block, 0, first)
    writeLength(block, 8, second)
    this.#updateBlocks(block, 0, 16)
  }

  #updateBlocks(bytes: Uint8Array, start: number, end: number): void {
    // constants of this scope for the reason given in aes.ts
    const LIMB = 0x400000
    const PER_LIMB = 1 / 0x400000
    const r = this.#r
    const h = this.#h
    const r0 = r[0]!
    const r1 = r[1]!
    const r2 = r[2]!
    const r3 = r[3]!
    const r4 = r[4]!
    const r5 = r[5]!
    const w1 = 20 * r1
    const w2 = 20 * r2
    const w3 = 20 * r3
    const w4 = 20 * r4
    const w5 = 20 * r5
    let h0 = h[0]!
    let h1 = h[1]!
    let h2 = h[2]!
    let h3 = h[3]!
    let h4 = h[4]!
    let h5 = h[5]!
    for (let p = start; p < end; p += 16) {
      const a = bytes[p]! | (bytes[p + 1]! << 8) | (bytes[p + 2]! << 16) | (bytes[p + 3]! << 24)
      const b = bytes[p + 4]! | (bytes[p + 5]! << 8) | (bytes[p + 6]! << 16) | (bytes[p + 7]! << 24)
      const c = bytes[p + 8]! | (bytes[p + 9]! << 8) | (bytes[p + 10]! << 16) | (bytes[p + 11]! << 24)
      const d = bytes[p + 12]! | (bytes[p + 13]! << 8) | (bytes[p + 14]! << 16) | (bytes[p + 15]! << 24)
      h0 += a & 0x3fffff
      h1 += ((a >>> 22) | (b << 10)) & 0x3fffff
      h2 += ((b >>> 12) | (c << 20)) & 0x3fffff
      h3 += (c >>> 2) & 0x3fffff
      h4 += ((c >>> 24) | (d << 8)) & 0x3fffff
      h5 += (d >>> 14) | 0x40000
      let d0 = h0 * r0 + h1 * w5 + h2 * w4 + h3 * w3 + h4 * w2 + h5 * w1
      let d1 = h0 * r1 + h1 * r0 + h2 * w5 + h3 * w4 + h4 * w3 + h5 * w2
      let d2 = h0 * r2 + h1 * r1 + h2 * r0 + h3 * w5 + h4 * w4 + h5 * w3
      let d3 = h0 * r3 + h1 * r2 + h2 * r1 + h3 * r0 + h4 * w5 + h5 * w4
      let d4 = h0 * r4 + h1 * r3 + h2 * r2 + h3 * r1 + h4 * r0 + h5 * w5
      let d5 = h0 * r5 + h1 * r4 + h2 * r3 + h3 * r2 + h4 * r1 + h5 * r0
      // two chains of carries side by side, one from limb 0 and one from limb 3
      let low = Math.floor(d0 * PER_LIMB)
      let high = Math.floor(d3 * PER_LIMB)
      d0 -= low * LIMB
      d1 += low
      d3 -= high * LIMB
      d4 += high
      low = Math.floor(d1 * PER_LIMB)
      high = Math.floor(d4 * PER_LIMB)
      h1 = d1 - low * LIMB
      d2 += low
      h4 = d4 - high * LIMB
      d5 += high
      low = Math.floor(d2 * PER_LIMB)
      high = Math.floor(d5 * PER_LIMB)
      h2 = d2 - low * LIMB
      d3 += low
      h5 = d5 - high * LIMB
      d0 += 20 * high
      low = Math.floor(d0 * PER_LIMB)
      high = Math.floor(d3 * PER_LIMB)
      h0 = d0 - low * LIMB
      h1 += low
      h3 = d3 - high * LIMB
      h4 += high
    }
    h[0] = h0
    h[1] = h1
    h[2] = h2
    h[3] = h3
    h[4] = h4
    h[5] = h5
  }

  /** Writes the tag as four little-endian words. */
  finish(tag: Int32Array): void {
    const h = this.#h
    carry(h)
    carry(h)
    subtractModulus(h)
    const pad = this.#pad
    const h0 = h[0]!
    const h1 = h[1]!
    const h2 = h[2]!
    const h3 = h[3]!
    const h4 = h[4]!
    const h5 = h[5]!
    // the limbs as four words, then the pad added with carries
    let sum = ((h0 | (h1 << 22)) >>> 0) + (pad[0]! >>> 0)
    tag[0] = sum
    sum = (((h1 >>> 10) | (h2 << 12)) >>> 0) + (pad[1]! >>> 0) + Math.floor(sum * PER_WORD)
    tag[1] = sum
    sum = (((h2 >>> 20) | (h3 << 2) | (h4 << 24)) >>> 0) + (pad[2]! >>> 0) + Math.floor(sum * PER_WORD)
    tag[2] = sum
    sum = (((h4 >>> 8) | (h5 << 14)) >>> 0) + (pad[3]! >>> 0) + Math.floor(sum * PER_WORD)
    tag[3] = sum
  }
}

/** The limbs of a 128-bit number of four little-endian words. */
function splitLimbs(limbs: Float64Array, a: number, b: number, c: number, d: number): void {
  limbs[0] = a & 0x3fffff
  limbs[1] = ((a >>> 22) | (b << 10)) & 0x3fffff
  limbs[2] = ((b >>> 12) | (c << 20)) & 0x3fffff
  limbs[3] = (c >>> 2) & 0x3fffff
  limbs[4] = ((c >>> 24) | (d << 8)) & 0x3fffff
  limbs[5] = d >>> 14
}

/** One pass of carries, the last into the first modulo 2^130 - 5; the top limb is left with 20 bits. */
function carry(h: Float64Array): void {
  for (let i = 0; i < 5; i++) {
    const over = Math.floor(h[i]! * PER_LIMB)
    h[i]! -= over * LIMB
    h[i + 1]! += over
  }
  const over = Math.floor(h[5]! / TOP)
  h[5]! -= over * TOP
  h[0]! += 5 * over
}

/** Brings a number below 2^130 + small into `[0, 2^130 - 5)`, with the same work either way. */
function subtractModulus(h: Float64Array): void {
  carry(h)
  let over = 5
  for (let i = 0; i < 5; i++) over = Math.floor((h[i]! + over) * PER_LIMB)
  over = Math.floor((h[5]! + over) / TOP)
  // over is 1 when h + 5 reaches 2^130: then h - p = h + 5 - 2^130
  let add = 5 * over
  for (let i = 0; i < 5; i++) {
    const limb = h[i]! + add
    add = Math.floor(limb * PER_LIMB)
    h[i] = limb - add * LIMB
  }
  const top = h[5]! + add
  h[5] = top - Math.floor(top / TOP) * TOP
}

function writeLength(block: Uint8Array, offset: number, length: number): void {
  block[offset] = length
  block[offset + 1] = length >>> 8
  block[offset + 2] = length >>> 16
  block[offset + 3] = length >>> 24
  block[offset + 4] = Math.floor(length / 0x100000000)
  block[offset + 5] = 0
  block[offset + 6] = 0
  block[offset + 7] = 0
}
