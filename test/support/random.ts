/**
 * Seeded randomness for tests: the same seed gives the same values on every machine.
 *
 * xoshiro128** over a state expanded from the seed with splitmix32. It is fast and statistically sound, and of no
 * cryptographic worth. `fork` gives an independent stream, so that adding a draw in one place does not shift the values
 * drawn in another.
 */
import type { RandomSource } from '../../src/crypto/index.ts'

/** A deterministic generator. `source` is the {@link RandomSource} that the library takes. */
export class SeededRandom {
  readonly seed: string
  /** Draws bytes from this generator; usable without its object. */
  readonly source: RandomSource
  readonly #state = new Uint32Array(4)

  constructor(seed: number | string) {
    this.seed = String(seed)
    let hash = 0x811c9dc5
    for (let i = 0; i < this.seed.length; i++) hash = Math.imul(hash ^ this.seed.charCodeAt(i), 0x01000193)
    for (let i = 0; i < 4; i++) {
      hash = (hash + 0x9e3779b9) | 0
      let word = hash ^ (hash >>> 16)
      word = Math.imul(word, 0x21f0aaad)
      word ^= word >>> 15
      word = Math.imul(word, 0x735a2d97)
      this.#state[i] = word ^ (word >>> 15)
    }
    this.source = (length) => this.bytes(length)
  }

  /** A uniform integer in `[0, 2^32)`. */
  uint32(): number {
    const s = this.#state
    const s0 = s[0]!
    const s1 = s[1]!
    const product = Math.imul(s1, 5)
    const result = Math.imul((product << 7) | (product >>> 25), 9) >>> 0
    const s2 = s[2]! ^ s0
    const s3 = s[3]! ^ s1
    s[1] = s1 ^ s2
    s[0] = s0 ^ s3
    s[2] = s2 ^ (s1 << 9)
    s[3] = (s3 << 11) | (s3 >>> 21)
    return result
  }

  /** A uniform number in `[0, 1)`. */
  float(): number {
    return this.uint32() / 0x100000000
  }

  /** A uniform integer in `[0, bound)`; `bound` is 1 to 2^32. */
  below(bound: number): number {
    return Math.floor(this.float() * bound)
  }

  /** A uniform integer in `[min, max]`. */
  int(min: number, max: number): number {
    return min + this.below(max - min + 1)
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.float() < probability
  }

  /** One item of a non-empty list. */
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!
  }

  /** A new array with the items in random order. */
  shuffle<T>(items: readonly T[]): T[] {
    const out = [...items]
    for (let i = out.length - 1; i > 0; i--) {
      const j = this.below(i + 1)
      const item = out[i]!
      out[i] = out[j]!
      out[j] = item
    }
    return out
  }

  /** A fresh array of `length` uniform bytes. */
  bytes(length: number): Uint8Array {
    const out = new Uint8Array(length)
    for (let i = 0; i < length; i += 4) {
      const word = this.uint32()
      out[i] = word
      if (i + 1 < length) out[i + 1] = word >>> 8
      if (i + 2 < length) out[i + 2] = word >>> 16
      if (i + 3 < length) out[i + 3] = word >>> 24
    }
    return out
  }

  /** A generator of its own, fixed by this one's seed and the label. */
  fork(label: number | string): SeededRandom {
    return new SeededRandom(`${this.seed}/${String(label)}`)
  }
}

/** A seeded {@link RandomSource}. */
export function seededSource(seed: number | string): RandomSource {
  return new SeededRandom(seed).source
}
