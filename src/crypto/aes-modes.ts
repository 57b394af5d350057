/**
 * AES-CBC without padding and AES-CTR with a 128-bit counter (NIST SP 800-38A), in place.
 *
 * CBC padding and its checks belong to the callers, who must authenticate first.
 */
/* eslint-disable @typescript-eslint/no-non-null-assertion -- indices are within fixed-size scratch arrays or checked ranges */
import { UsageError } from '../bytes/index.ts'
import { decryptAesBlock, encryptAesBlock, expandAesKey, invertAesKey } from './aes.ts'
import { xorBlock, xorPartialBlock } from './gcm.ts'
import type { Cbc, CbcAlgorithm, Ctr } from './provider.ts'
import { checkCbcRanges, checkRange } from './ranges.ts'

/** Loads 16 bytes as four big-endian words. */
function loadBlock(bytes: Uint8Array, p: number, state: Int32Array): void {
  state[0] = (bytes[p]! << 24) | (bytes[p + 1]! << 16) | (bytes[p + 2]! << 8) | bytes[p + 3]!
  state[1] = (bytes[p + 4]! << 24) | (bytes[p + 5]! << 16) | (bytes[p + 6]! << 8) | bytes[p + 7]!
  state[2] = (bytes[p + 8]! << 24) | (bytes[p + 9]! << 16) | (bytes[p + 10]! << 8) | bytes[p + 11]!
  state[3] = (bytes[p + 12]! << 24) | (bytes[p + 13]! << 16) | (bytes[p + 14]! << 8) | bytes[p + 15]!
}

/** Stores four words as 16 big-endian bytes. */
function storeBlock(bytes: Uint8Array, p: number, state: Int32Array): void {
  for (let i = 0; i < 4; i++) {
    const word = state[i]!
    bytes[p + 4 * i] = word >>> 24
    bytes[p + 4 * i + 1] = word >>> 16
    bytes[p + 4 * i + 2] = word >>> 8
    bytes[p + 4 * i + 3] = word
  }
}

/** AES-CBC under one key. CRY-30 */
export class AesCbc implements Cbc {
  readonly algorithm: CbcAlgorithm
  readonly blockLength = 16
  readonly #roundKeys: Int32Array
  readonly #inverseRoundKeys: Int32Array
  readonly #state = new Int32Array(4)
  /** The ciphertext block before the current one, or the IV. */
  readonly #previous = new Int32Array(4)
  readonly #next = new Int32Array(4)

  constructor(algorithm: CbcAlgorithm, key: Uint8Array) {
    this.algorithm = algorithm
    this.#roundKeys = expandAesKey(key)
    this.#inverseRoundKeys = invertAesKey(this.#roundKeys)
  }

  encrypt(buffer: Uint8Array, offset: number, length: number, iv: Uint8Array, ivOffset: number): void {
    checkCbcRanges(buffer, offset, length, iv, ivOffset, 16)
    const roundKeys = this.#roundKeys
    const state = this.#state
    loadBlock(iv, ivOffset, state)
    for (let p = offset; p < offset + length; p += 16) {
      xorBlock(buffer, p, state)
      loadBlock(buffer, p, state)
      encryptAesBlock(roundKeys, state)
      storeBlock(buffer, p, state)
    }
  }

  decrypt(buffer: Uint8Array, offset: number, length: number, iv: Uint8Array, ivOffset: number): void {
    checkCbcRanges(buffer, offset, length, iv, ivOffset, 16)
    const roundKeys = this.#inverseRoundKeys
    const state = this.#state
    const previous = this.#previous
    const next = this.#next
    loadBlock(iv, ivOffset, previous)
    for (let p = offset; p < offset + length; p += 16) {
      loadBlock(buffer, p, next)
      state[0] = next[0]!
      state[1] = next[1]!
      state[2] = next[2]!
      state[3] = next[3]!
      decryptAesBlock(roundKeys, state)
      storeBlock(buffer, p, state)
      xorBlock(buffer, p, previous)
      previous[0] = next[0]!
      previous[1] = next[1]!
      previous[2] = next[2]!
      previous[3] = next[3]!
    }
  }
}

/** AES-CTR under one key, the whole block counting. CRY-31 */
export class AesCtr implements Ctr {
  readonly #roundKeys: Int32Array
  readonly #state = new Int32Array(4)
  readonly #counter = new Int32Array(4)

  constructor(key: Uint8Array) {
    this.#roundKeys = expandAesKey(key)
  }

  apply(buffer: Uint8Array, offset: number, length: number, counter: Uint8Array): void {
    checkRange(buffer, offset, length)
    if (counter.length !== 16) throw new UsageError('a counter has 16 bytes')
    const end = offset + (length & ~15)
    loadBlock(counter, 0, this.#counter)
    for (let p = offset; p < end; p += 16) {
      this.#nextKeyStream()
      xorBlock(buffer, p, this.#state)
    }
    if ((length & 15) !== 0) {
      this.#nextKeyStream()
      xorPartialBlock(buffer, end, length & 15, this.#state)
    }
  }

  #nextKeyStream(): void {
    const counter = this.#counter
    const state = this.#state
    state[0] = counter[0]!
    state[1] = counter[1]!
    state[2] = counter[2]!
    state[3] = counter[3]!
    encryptAesBlock(this.#roundKeys, state)
    counter[3] = (counter[3]! + 1) | 0
    if (counter[3] === 0) this.#carry()
  }

  #carry(): void {
    const counter = this.#counter
    for (let i = 2; i >= 0; i--) {
      counter[i] = (counter[i]! + 1) | 0
      if (counter[i] !== 0) return
    }
  }
}
