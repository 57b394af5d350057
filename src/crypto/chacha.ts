/**
 * CHACHA20-POLY1305 (RFC 8439), in place and without allocation.
 *
 * Its work depends on lengths only: no tables, no branches on data. In plain JavaScript it is also the fastest cipher
 * there is, so it is the portable provider's first offer.
 */
/* eslint-disable @typescript-eslint/no-non-null-assertion -- indices are within fixed-size scratch arrays or checked ranges */
import { checkAeadRanges } from './ranges.ts'
import { Poly1305 } from './poly1305.ts'
import type { Aead } from './provider.ts'

/** The bytes `[offset, offset + 4)` as a little-endian word. */
function wordAt(bytes: Uint8Array, offset: number): number {
  return bytes[offset]! | (bytes[offset + 1]! << 8) | (bytes[offset + 2]! << 16) | (bytes[offset + 3]! << 24)
}

/** The ChaCha20 block function: sixteen words of key stream from sixteen words of input. CRY-32 */
export function chachaBlock(input: Int32Array, output: Int32Array): void {
  let x0 = input[0]!
  let x1 = input[1]!
  let x2 = input[2]!
  let x3 = input[3]!
  let x4 = input[4]!
  let x5 = input[5]!
  let x6 = input[6]!
  let x7 = input[7]!
  let x8 = input[8]!
  let x9 = input[9]!
  let x10 = input[10]!
  let x11 = input[11]!
  let x12 = input[12]!
  let x13 = input[13]!
  let x14 = input[14]!
  let x15 = input[15]!
  for (let round = 0; round < 20; round += 2) {
    x0 = (x0 + x4) | 0
    x12 ^= x0
    x12 = (x12 << 16) | (x12 >>> 16)
    x8 = (x8 + x12) | 0
    x4 ^= x8
    x4 = (x4 << 12) | (x4 >>> 20)
    x0 = (x0 + x4) | 0
    x12 ^= x0
    x12 = (x12 << 8) | (x12 >>> 24)
    x8 = (x8 + x12) | 0
    x4 ^= x8
    x4 = (x4 << 7) | (x4 >>> 25)
    x1 = (x1 + x5) | 0
    x13 ^= x1
    x13 = (x13 << 16) | (x13 >>> 16)
    x9 = (x9 + x13) | 0
    x5 ^= x9
    x5 = (x5 << 12) | (x5 >>> 20)
    x1 = (x1 + x5) | 0
    x13 ^= x1
    x13 = (x13 << 8) | (x13 >>> 24)
    x9 = (x9 + x13) | 0
    x5 ^= x9
    x5 = (x5 << 7) | (x5 >>> 25)
    x2 = (x2 + x6) | 0
    x14 ^= x2
    x14 = (x14 << 16) | (x14 >>> 16)
    x10 = (x10 + x14) | 0
    x6 ^= x10
    x6 = (x6 << 12) | (x6 >>> 20)
    x2 = (x2 + x6) | 0
    x14 ^= x2
    x14 = (x14 << 8) | (x14 >>> 24)
    x10 = (x10 + x14) | 0
    x6 ^= x10
    x6 = (x6 << 7) | (x6 >>> 25)
    x3 = (x3 + x7) | 0
    x15 ^= x3
    x15 = (x15 << 16) | (x15 >>> 16)
    x11 = (x11 + x15) | 0
    x7 ^= x11
    x7 = (x7 << 12) | (x7 >>> 20)
    x3 = (x3 + x7) | 0
    x15 ^= x3
    x15 = (x15 << 8) | (x15 >>> 24)
    x11 = (x11 + x15) | 0
    x7 ^= x11
    x7 = (x7 << 7) | (x7 >>> 25)
    x0 = (x0 + x5) | 0
    x15 ^= x0
    x15 = (x15 << 16) | (x15 >>> 16)
    x10 = (x10 + x15) | 0
    x5 ^= x10
    x5 = (x5 << 12) | (x5 >>> 20)
    x0 = (x0 + x5) | 0
    x15 ^= x0
    x15 = (x15 << 8) | (x15 >>> 24)
    x10 = (x10 + x15) | 0
    x5 ^= x10
    x5 = (x5 << 7) | (x5 >>> 25)
    x1 = (x1 + x6) | 0
    x12 ^= x1
    x12 = (x12 << 16) | (x12 >>> 16)
    x11 = (x11 + x12) | 0
    x6 ^= x11
    x6 = (x6 << 12) | (x6 >>> 20)
    x1 = (x1 + x6) | 0
    x12 ^= x1
    x12 = (x12 << 8) | (x12 >>> 24)
    x11 = (x11 + x12) | 0
    x6 ^= x11
    x6 = (x6 << 7) | (x6 >>> 25)
    x2 = (x2 + x7) | 0
    x13 ^= x2
    x13 = (x13 << 16) | (x13 >>> 16)
    x8 = (x8 + x13) | 0
    x7 ^= x8
    x7 = (x7 << 12) | (x7 >>> 20)
    x2 = (x2 + x7) | 0
    x13 ^= x2
    x13 = (x13 << 8) | (x13 >>> 24)
    x8 = (x8 + x13) | 0
    x7 ^= x8
    x7 = (x7 << 7) | (x7 >>> 25)
    x3 = (x3 + x4) | 0
    x14 ^= x3
    x14 = (x14 << 16) | (x14 >>> 16)
    x9 = (x9 + x14) | 0
    x4 ^= x9
    x4 = (x4 << 12) | (x4 >>> 20)
    x3 = (x3 + x4) | 0
    x14 ^= x3
    x14 = (x14 << 8) | (x14 >>> 24)
    x9 = (x9 + x14) | 0
    x4 ^= x9
    x4 = (x4 << 7) | (x4 >>> 25)
  }
  output[0] = x0 + input[0]!
  output[1] = x1 + input[1]!
  output[2] = x2 + input[2]!
  output[3] = x3 + input[3]!
  output[4] = x4 + input[4]!
  output[5] = x5 + input[5]!
  output[6] = x6 + input[6]!
  output[7] = x7 + input[7]!
  output[8] = x8 + input[8]!
  output[9] = x9 + input[9]!
  output[10] = x10 + input[10]!
  output[11] = x11 + input[11]!
  output[12] = x12 + input[12]!
  output[13] = x13 + input[13]!
  output[14] = x14 + input[14]!
  output[15] = x15 + input[15]!
}

/** CHACHA20-POLY1305 under one key. CRY-32 */
export class ChachaPoly implements Aead {
  readonly algorithm = 'CHACHA20-POLY1305'
  /** Constants, key, counter, nonce. */
  readonly #input = new Int32Array(16)
  readonly #keyStream = new Int32Array(16)
  readonly #poly = new Poly1305()
  readonly #tag = new Int32Array(4)

  constructor(key: Uint8Array) {
    const input = this.#input
    input[0] = 0x61707865
    input[1] = 0x3320646e
    input[2] = 0x79622d32
    input[3] = 0x6b206574
    for (let i = 0; i < 8; i++) input[4 + i] = wordAt(key, 4 * i)
  }

  seal(
    buffer: Uint8Array,
    aadOffset: number,
    aadLength: number,
    offset: number,
    length: number,
    tagOffset: number,
    nonce: Uint8Array,
  ): void {
    checkAeadRanges(buffer, aadOffset, aadLength, offset, length, tagOffset, nonce)
    this.#start(nonce)
    this.#applyKeyStream(buffer, offset, length)
    this.#computeTag(buffer, aadOffset, aadLength, offset, length)
    const tag = this.#tag
    for (let i = 0; i < 4; i++) {
      const word = tag[i]!
      const at = tagOffset + 4 * i
      buffer[at] = word
      buffer[at + 1] = word >>> 8
      buffer[at + 2] = word >>> 16
      buffer[at + 3] = word >>> 24
    }
  }

  open(
    buffer: Uint8Array,
    aadOffset: number,
    aadLength: number,
    offset: number,
    length: number,
    tagOffset: number,
    nonce: Uint8Array,
  ): boolean {
    checkAeadRanges(buffer, aadOffset, aadLength, offset, length, tagOffset, nonce)
    this.#start(nonce)
    this.#computeTag(buffer, aadOffset, aadLength, offset, length)
    const tag = this.#tag
    const difference =
      (tag[0]! ^ wordAt(buffer, tagOffset)) |
      (tag[1]! ^ wordAt(buffer, tagOffset + 4)) |
      (tag[2]! ^ wordAt(buffer, tagOffset + 8)) |
      (tag[3]! ^ wordAt(buffer, tagOffset + 12))
    if (difference !== 0) return false // CRY-29
    this.#applyKeyStream(buffer, offset, length)
    return true
  }

  /** Sets the nonce and takes the one-time key from block 0. */
  #start(nonce: Uint8Array): void {
    const input = this.#input
    input[12] = 0
    input[13] = wordAt(nonce, 0)
    input[14] = wordAt(nonce, 4)
    input[15] = wordAt(nonce, 8)
    chachaBlock(input, this.#keyStream)
    this.#poly.start(this.#keyStream)
  }

  /** XORs the blocks from 1 on onto the range. */
  #applyKeyStream(buffer: Uint8Array, offset: number, length: number): void {
    const input = this.#input
    const keyStream = this.#keyStream
    const end = offset + (length & ~63)
    let counter = 1
    for (let p = offset; p < end; p += 64) {
      input[12] = counter
      counter = (counter + 1) | 0
      chachaBlock(input, keyStream)
      xorWords(buffer, p, keyStream)
    }
    if ((length & 63) !== 0) {
      input[12] = counter
      chachaBlock(input, keyStream)
      xorPartialWords(buffer, end, length & 63, keyStream)
    }
  }

  #computeTag(buffer: Uint8Array, aadOffset: number, aadLength: number, offset: number, length: number): void {
    const poly = this.#poly
    poly.updatePadded(buffer, aadOffset, aadLength)
    poly.updatePadded(buffer, offset, length)
    poly.updateLengths(aadLength, length)
    poly.finish(this.#tag)
  }
}

/** XORs sixteen little-endian words onto 64 bytes. */
function xorWords(buffer: Uint8Array, offset: number, words: Int32Array): void {
  for (let i = 0; i < 16; i++) {
    const word = words[i]!
    const p = offset + 4 * i
    buffer[p]! ^= word
    buffer[p + 1]! ^= word >>> 8
    buffer[p + 2]! ^= word >>> 16
    buffer[p + 3]! ^= word >>> 24
  }
}

/** XORs the first `length` bytes of little-endian words. */
function xorPartialWords(buffer: Uint8Array, offset: number, length: number, words: Int32Array): void {
  for (let i = 0; i < length; i++) buffer[offset + i]! ^= words[i >> 2]! >>> (8 * (i & 3))
}
