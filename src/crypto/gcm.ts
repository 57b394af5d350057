/**
 * AES-GCM with 12-byte nonces (NIST SP 800-38D), in place, with everything that depends on the key alone built once.
 *
 * A packet costs the counter blocks, the hash over them, and no allocation. Rare paths, the last partial block above
 * all, are methods of their own: inside the loops they make the compiler give up on the whole function when packet
 * sizes change.
 */
/* eslint-disable @typescript-eslint/no-non-null-assertion -- indices are within fixed-size scratch arrays or checked ranges */
import { checkAeadRanges } from './ranges.ts'
import { encryptAesBlock, expandAesKey } from './aes.ts'
import { createGhashTable, updateGhash, updateGhashBitwise } from './ghash.ts'
import type { Aead, AeadAlgorithm } from './provider.ts'

/** The bytes `[offset, offset + 4)` as a big-endian word. */
function wordAt(bytes: Uint8Array, offset: number): number {
  return (bytes[offset]! << 24) | (bytes[offset + 1]! << 16) | (bytes[offset + 2]! << 8) | bytes[offset + 3]!
}

/** The block cipher's input and output. */
const STATE = new Int32Array(4)
/** The running hash. */
const HASH = new Int32Array(4)
/** A zero-padded block, and the block of the two lengths. */
const BLOCK = new Uint8Array(16)
const TAG = new Int32Array(4)

/** AES-GCM under one key, which nothing of the object shows. CRY-24 CRY-27 */
export class AesGcm implements Aead {
  readonly algorithm: AeadAlgorithm
  readonly #roundKeys: Int32Array
  /** The hash key itself, until a packet of more than a block makes its table worth 4 KiB. */
  #table: Int32Array

  constructor(algorithm: AeadAlgorithm, key: Uint8Array) {
    this.algorithm = algorithm
    this.#roundKeys = expandAesKey(key)
    encryptAesBlock(this.#roundKeys, STATE.fill(0))
    this.#table = STATE.slice()
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
    this.#applyKeyStream(buffer, offset, length, nonce)
    this.#computeTag(buffer, aadOffset, aadLength, offset, length, nonce)
    const tag = TAG
    for (let i = 0; i < 4; i++) {
      const word = tag[i]!
      const at = tagOffset + 4 * i
      buffer[at] = word >>> 24
      buffer[at + 1] = word >>> 16
      buffer[at + 2] = word >>> 8
      buffer[at + 3] = word
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
    this.#computeTag(buffer, aadOffset, aadLength, offset, length, nonce)
    const tag = TAG
    const difference =
      (tag[0]! ^ wordAt(buffer, tagOffset)) |
      (tag[1]! ^ wordAt(buffer, tagOffset + 4)) |
      (tag[2]! ^ wordAt(buffer, tagOffset + 8)) |
      (tag[3]! ^ wordAt(buffer, tagOffset + 12))
    if (difference !== 0) return false // CRY-29
    this.#applyKeyStream(buffer, offset, length, nonce)
    return true
  }

  touch(): number {
    const roundKeys = this.#roundKeys
    return roundKeys[0]! + roundKeys[16]! + roundKeys[32]! + this.#table[0]!
  }

  /** XORs the counter blocks from 2 on onto the range. */
  #applyKeyStream(buffer: Uint8Array, offset: number, length: number, nonce: Uint8Array): void {
    const n0 = wordAt(nonce, 0)
    const n1 = wordAt(nonce, 4)
    const n2 = wordAt(nonce, 8)
    const roundKeys = this.#roundKeys
    const state = STATE
    const end = offset + (length & ~15)
    let counter = 2
    for (let p = offset; p < end; p += 16) {
      state[0] = n0
      state[1] = n1
      state[2] = n2
      state[3] = counter
      counter = (counter + 1) | 0
      encryptAesBlock(roundKeys, state)
      xorBlock(buffer, p, state)
    }
    if ((length & 15) !== 0) {
      state[0] = n0
      state[1] = n1
      state[2] = n2
      state[3] = counter
      encryptAesBlock(roundKeys, state)
      xorPartialBlock(buffer, end, length & 15, state)
    }
  }

  /** The tag of what the ranges hold now, into `#tag`. */
  #computeTag(
    buffer: Uint8Array,
    aadOffset: number,
    aadLength: number,
    offset: number,
    length: number,
    nonce: Uint8Array,
  ): void {
    const hash = HASH.fill(0)
    if (length > 16 && this.#table.length === 4) this.#table = createGhashTable(this.#table)
    this.#absorb(buffer, aadOffset, aadOffset + aadLength)
    if ((aadLength & 15) !== 0) this.#absorbPartial(buffer, aadOffset + aadLength, aadLength & 15)
    this.#absorb(buffer, offset, offset + length)
    if ((length & 15) !== 0) this.#absorbPartial(buffer, offset + length, length & 15)
    this.#absorbLengths(aadLength, length)
    const state = STATE
    state[0] = wordAt(nonce, 0)
    state[1] = wordAt(nonce, 4)
    state[2] = wordAt(nonce, 8)
    state[3] = 1
    encryptAesBlock(this.#roundKeys, state)
    const tag = TAG
    tag[0] = hash[0]! ^ state[0]
    tag[1] = hash[1]! ^ state[1]
    tag[2] = hash[2]! ^ state[2]
    tag[3] = hash[3]! ^ state[3]
  }

  #absorb(bytes: Uint8Array, start: number, end: number): void {
    if (this.#table.length > 4) updateGhash(this.#table, HASH, bytes, start, end)
    else updateGhashBitwise(this.#table, HASH, bytes, start, end)
  }

  /** The last `length` bytes before `end`, padded with zeros. */
  #absorbPartial(buffer: Uint8Array, end: number, length: number): void {
    const block = BLOCK.fill(0)
    for (let i = 0; i < length; i++) block[i] = buffer[end - length + i]!
    this.#absorb(block, 0, 16)
  }

  /** Both lengths in bits, 64 bits each. */
  #absorbLengths(aadLength: number, length: number): void {
    const block = BLOCK
    writeBits(block, 0, aadLength)
    writeBits(block, 8, length)
    this.#absorb(block, 0, 16)
  }
}

/** A length in bytes as a 64-bit number of bits. */
function writeBits(block: Uint8Array, offset: number, length: number): void {
  const high = Math.floor(length / 0x20000000)
  const low = length << 3
  block[offset] = 0
  block[offset + 1] = 0
  block[offset + 2] = 0
  block[offset + 3] = high
  block[offset + 4] = low >>> 24
  block[offset + 5] = low >>> 16
  block[offset + 6] = low >>> 8
  block[offset + 7] = low
}

/** XORs the four words of `state` onto 16 bytes. */
export function xorBlock(buffer: Uint8Array, p: number, state: Int32Array): void {
  const s0 = state[0]!
  const s1 = state[1]!
  const s2 = state[2]!
  const s3 = state[3]!
  buffer[p]! ^= s0 >>> 24
  buffer[p + 1]! ^= s0 >>> 16
  buffer[p + 2]! ^= s0 >>> 8
  buffer[p + 3]! ^= s0
  buffer[p + 4]! ^= s1 >>> 24
  buffer[p + 5]! ^= s1 >>> 16
  buffer[p + 6]! ^= s1 >>> 8
  buffer[p + 7]! ^= s1
  buffer[p + 8]! ^= s2 >>> 24
  buffer[p + 9]! ^= s2 >>> 16
  buffer[p + 10]! ^= s2 >>> 8
  buffer[p + 11]! ^= s2
  buffer[p + 12]! ^= s3 >>> 24
  buffer[p + 13]! ^= s3 >>> 16
  buffer[p + 14]! ^= s3 >>> 8
  buffer[p + 15]! ^= s3
}

/** XORs the first `length` bytes of the words of `state`. */
export function xorPartialBlock(buffer: Uint8Array, offset: number, length: number, state: Int32Array): void {
  for (let i = 0; i < length; i++) buffer[offset + i]! ^= state[i >> 2]! >>> (24 - 8 * (i & 3))
}
