/**
 * Randomness from a seed, so that a run can be seen again: sfc32, four words of state. Of no cryptographic worth, which is
 * right for a page that shows its keys anyway.
 */
export class SeededRandom {
  readonly #state: Uint32Array

  constructor(seed: string) {
    let hash = 0x811c9dc5
    for (const letter of seed) hash = Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 0x01000193)
    this.#state = Uint32Array.of(hash, 0x9e3779b9, 0x243f6a88, 1)
    for (let round = 0; round < 16; round++) this.word()
  }

  /** A uniform integer in [0, 2^32). */
  word(): number {
    const s = this.#state
    const [a = 0, b = 0, c = 0, counter = 0] = s
    const sum = (a + b + counter) >>> 0
    s[0] = b ^ (b >>> 9)
    s[1] = c + (c << 3)
    s[2] = ((c << 21) | (c >>> 11)) + sum
    s[3] = counter + 1
    return sum
  }

  /** A uniform number in [0, 1). */
  float(): number {
    return this.word() / 0x1_0000_0000
  }

  /** Fresh uniform bytes: what the library takes as its source. */
  bytes(length: number): Uint8Array {
    const out = new Uint8Array(length)
    for (let i = 0; i < length; i++) out[i] = this.word() >>> 24
    return out
  }
}
