/**
 * A cipher's key as numbers in one object.
 *
 * Node takes keys as objects of its own or as arrays, which for the processor are three or four places in memory, one
 * behind the other. With thousands of keys in turn none of them is in a cache, and going there costs more than unpacking.
 */
const WORDS = new Int32Array(8)
const BYTES = new Uint8Array(WORDS.buffer)
const KEY_16 = BYTES.subarray(0, 16)
const KEY_24 = BYTES.subarray(0, 24)

/** A key of 16, 24 or 32 bytes. */
export class PackedKey {
  readonly #length: number
  readonly #word0: number
  readonly #word1: number
  readonly #word2: number
  readonly #word3: number
  readonly #word4: number
  readonly #word5: number
  readonly #word6: number
  readonly #word7: number

  constructor(key: Uint8Array) {
    BYTES.fill(0)
    BYTES.set(key)
    this.#length = key.length
    this.#word0 = WORDS[0] as number
    this.#word1 = WORDS[1] as number
    this.#word2 = WORDS[2] as number
    this.#word3 = WORDS[3] as number
    this.#word4 = WORDS[4] as number
    this.#word5 = WORDS[5] as number
    this.#word6 = WORDS[6] as number
    this.#word7 = WORDS[7] as number
  }

  /** The key's bytes, good until the next call for any key. */
  unpack(): Uint8Array {
    WORDS[0] = this.#word0
    WORDS[1] = this.#word1
    WORDS[2] = this.#word2
    WORDS[3] = this.#word3
    if (this.#length === 16) return KEY_16
    WORDS[4] = this.#word4
    WORDS[5] = this.#word5
    if (this.#length === 24) return KEY_24
    WORDS[6] = this.#word6
    WORDS[7] = this.#word7
    return BYTES
  }

  touch(): number {
    return this.#length + this.#word7
  }
}
