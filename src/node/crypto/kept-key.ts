/**
 * A cipher's or MAC's key, kept as numbers in one object.
 *
 * Node takes keys as objects of its own or as arrays, which are three or four places in memory, one behind the other, and
 * some 250 bytes each. With thousands of keys in turn none of them is in a cache, and going there costs more than unpacking.
 */

/** A key between its uses. */
export interface KeptKey {
  /** The key's bytes, good until the next call for any key. */
  unpack(): Uint8Array
}

const WORDS = new Int32Array(8)
const BYTES = new Uint8Array(WORDS.buffer)
/** The first so many bytes. */
const FIRST = Array.from({ length: BYTES.length + 1 }, (_, length) => BYTES.subarray(0, length))

/** Whoever has a key of up to 32 bytes, as numbers among its own fields. */
export abstract class KeyHolder {
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

  /** The key's bytes, good until the next call of any holder. */
  protected unpackKey(): Uint8Array {
    WORDS[0] = this.#word0
    WORDS[1] = this.#word1
    WORDS[2] = this.#word2
    WORDS[3] = this.#word3
    WORDS[4] = this.#word4
    WORDS[5] = this.#word5
    WORDS[6] = this.#word6
    WORDS[7] = this.#word7
    return FIRST[this.#length] as Uint8Array
  }
}

class ShortKey extends KeyHolder implements KeptKey {
  unpack(): Uint8Array {
    return this.unpackKey()
  }
}

class LongKey implements KeptKey {
  readonly #bytes: Uint8Array

  constructor(key: Uint8Array) {
    this.#bytes = Uint8Array.from(key)
  }

  unpack(): Uint8Array {
    return this.#bytes
  }
}

/** Keeps a copy of a key. */
export function keepKey(key: Uint8Array): KeptKey {
  return key.length <= BYTES.length ? new ShortKey(key) : new LongKey(key)
}
