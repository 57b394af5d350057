import { createCipheriv } from 'node:crypto'
import { gcm } from '@noble/ciphers/aes.js'
import { chacha20poly1305 } from '@noble/ciphers/chacha.js'
import { describe, expect, it } from 'vitest'
import { equalBytes, UsageError } from '../../../src/bytes/index.ts'
import { AEAD_KEY_LENGTH, type Aead, type AeadAlgorithm, noble } from '../../../src/crypto/index.ts'
import { SeededRandom } from '../../support/random.ts'
import { scaled } from '../../support/scale.ts'
import { providers } from './providers.ts'

const ALGORITHMS = Object.keys(AEAD_KEY_LENGTH) as AeadAlgorithm[]
/** Bytes around each range that no call may touch. */
const MARGIN = 5

/** A packet laid out as tag, additional data, payload (or with the tag last), with margins. */
class Packet {
  readonly bytes: Uint8Array
  readonly aadOffset: number
  readonly aadLength: number
  readonly offset: number
  readonly length: number
  readonly tagOffset: number
  readonly original: Uint8Array

  constructor(random: SeededRandom, aadLength: number, length: number, tagFirst: boolean) {
    this.aadLength = aadLength
    this.length = length
    this.bytes = random.bytes(aadLength + length + 16 + 4 * MARGIN)
    this.tagOffset = tagFirst ? MARGIN : aadLength + length + 3 * MARGIN
    this.aadOffset = tagFirst ? 16 + 2 * MARGIN : MARGIN
    this.offset = this.aadOffset + aadLength + MARGIN
    this.original = this.bytes.slice()
  }

  seal(aead: Aead, nonce: Uint8Array): void {
    aead.seal(this.bytes, this.aadOffset, this.aadLength, this.offset, this.length, this.tagOffset, nonce)
  }

  open(aead: Aead, nonce: Uint8Array): boolean {
    return aead.open(this.bytes, this.aadOffset, this.aadLength, this.offset, this.length, this.tagOffset, nonce)
  }

  get payload(): Uint8Array {
    return this.bytes.subarray(this.offset, this.offset + this.length)
  }

  get tag(): Uint8Array {
    return this.bytes.subarray(this.tagOffset, this.tagOffset + 16)
  }

  get aad(): Uint8Array {
    return this.bytes.subarray(this.aadOffset, this.aadOffset + this.aadLength)
  }

  /** True when nothing outside payload and tag differs from before. */
  get restUntouched(): boolean {
    for (let i = 0; i < this.bytes.length; i++) {
      const inside =
        (i >= this.offset && i < this.offset + this.length) || (i >= this.tagOffset && i < this.tagOffset + 16)
      if (!inside && this.bytes[i] !== this.original[i]) return false
    }
    return true
  }
}

/** Ciphertext and tag by node:crypto. */
function nodeSealed(algorithm: AeadAlgorithm, key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, text: Uint8Array) {
  const cipher = createCipheriv(algorithm.toLowerCase() as 'aes-128-ccm', key, nonce, { authTagLength: 16 })
  cipher.setAAD(aad, { plaintextLength: text.length })
  const sealed = Buffer.concat([cipher.update(text), cipher.final(), cipher.getAuthTag()])
  return new Uint8Array(sealed)
}

/** Ciphertext and tag by @noble/ciphers. */
function nobleSealed(algorithm: AeadAlgorithm, key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, text: Uint8Array) {
  return (algorithm === 'CHACHA20-POLY1305' ? chacha20poly1305 : gcm)(key, nonce, aad).encrypt(text)
}

describe.each(providers)('AEADs of $name', (crypto) => {
  it.each(ALGORITHMS)('CRY-27 CRY-32 %s of every size 0 to 4096 equals node:crypto, and opens', (algorithm) => {
    const random = new SeededRandom(`every size ${algorithm}`)
    const key = random.bytes(AEAD_KEY_LENGTH[algorithm])
    const aead = crypto.createAead(algorithm, key)
    let equal = 0
    for (let length = 0; length <= 4096; length++) {
      const packet = new Packet(random, random.below(40), length, random.chance(0.5))
      if (random.chance(0.1)) packet.payload.fill(255)
      const nonce = random.bytes(12)
      const plaintext = packet.payload.slice()
      const expected = nodeSealed(algorithm, key, nonce, packet.aad, plaintext)
      packet.seal(aead, nonce)
      const sealed = equalBytes(packet.payload, expected.subarray(0, length))
      const tagged = equalBytes(packet.tag, expected.subarray(length))
      const opened = packet.open(aead, nonce) && equalBytes(packet.payload, plaintext)
      if (sealed && tagged && opened && packet.restUntouched) equal++
    }
    expect(equal).toBe(4097)
  })

  it.each(ALGORITHMS)('CRY-29 %s: of all forgeries none is accepted, and no plaintext is left', (algorithm) => {
    const random = new SeededRandom(`forgeries ${algorithm}`)
    let forgeries = 0
    let accepted = 0
    let leaked = 0
    for (let round = 0; round < scaled(60, 4000); round++) {
      const aead = crypto.createAead(algorithm, random.bytes(AEAD_KEY_LENGTH[algorithm]))
      const packet = new Packet(
        random,
        random.below(30),
        random.pick([1, 16, 40, 64, 383, 900, 1400]),
        random.chance(0.5),
      )
      const nonce = random.bytes(12)
      const plaintext = packet.payload.slice()
      packet.seal(aead, nonce)
      const sealed = packet.bytes.slice()
      const attempt = (forge: () => Uint8Array): void => {
        const usedNonce = forge()
        const before = packet.payload.slice()
        forgeries++
        if (packet.open(aead, usedNonce)) accepted++
        const bare = packet.length >= 16 && equalBytes(packet.payload, plaintext)
        if (bare || !equalBytes(packet.payload, before)) leaked++
        packet.bytes.set(sealed)
      }
      const flip = (offset: number, length: number) => () => {
        const at = offset + random.below(length)
        packet.bytes[at] = packet.bytes[at]! ^ (1 << random.below(8))
        return nonce
      }
      for (let bit = 0; bit < 128; bit++) {
        attempt(() => {
          const at = packet.tagOffset + (bit >> 3)
          packet.bytes[at] = packet.bytes[at]! ^ (1 << (bit & 7))
          return nonce
        })
      }
      for (let i = 0; i < 8; i++) attempt(flip(packet.offset, packet.length))
      if (packet.aadLength > 0) for (let i = 0; i < 8; i++) attempt(flip(packet.aadOffset, packet.aadLength))
      attempt(() => {
        packet.tag.fill(0)
        return nonce
      })
      attempt(() => {
        packet.tag.set(random.bytes(16))
        return nonce
      })
      attempt(() => {
        const other = nonce.slice()
        other[random.below(12)]! ^= 1 << random.below(8)
        return other
      })
      expect(packet.open(aead, nonce)).toBe(true)
    }
    expect({ accepted, leaked }).toEqual({ accepted: 0, leaked: 0 })
    expect(forgeries).toBeGreaterThan(60 * 138)
  })

  it('CRY-29 a packet cut short, of another key or with additional data moved into the payload is refused', () => {
    const random = new SeededRandom('cut')
    for (const algorithm of ALGORITHMS) {
      const key = random.bytes(AEAD_KEY_LENGTH[algorithm])
      const aead = crypto.createAead(algorithm, key)
      const nonce = random.bytes(12)
      const bytes = random.bytes(120)
      aead.seal(bytes, 16, 8, 24, 96, 0, nonce)
      expect(aead.open(bytes.slice(), 16, 8, 24, 95, 0, nonce)).toBe(false)
      expect(aead.open(bytes.slice(), 16, 7, 23, 97, 0, nonce)).toBe(false)
      expect(aead.open(bytes.slice(), 16, 9, 25, 95, 0, nonce)).toBe(false)
      expect(aead.open(bytes.slice(), 16, 0, 24, 96, 0, nonce)).toBe(false)
      const other = key.slice()
      other[0]! ^= 1
      expect(crypto.createAead(algorithm, other).open(bytes.slice(), 16, 8, 24, 96, 0, nonce)).toBe(false)
      expect(aead.open(bytes, 16, 8, 24, 96, 0, nonce)).toBe(true)
    }
  })

  it('CRY-28 ranges outside the buffer and nonces of another length throw before anything changes', () => {
    const random = new SeededRandom('ranges')
    for (const algorithm of ALGORITHMS) {
      const aead = crypto.createAead(algorithm, random.bytes(AEAD_KEY_LENGTH[algorithm]))
      for (const size of [100, 1000]) {
        const bytes = random.bytes(size)
        const before = bytes.slice()
        const nonce = random.bytes(12)
        const bad: [number, number, number, number, number][] = [
          [0, 8, 8, size, 0],
          [0, 8, 24, size - 23, 8],
          [0, 8, 24, size - 24, size - 15],
          [0, 8, 24, size - 24, -1],
          [-1, 8, 24, size - 24, 8],
          [0, -1, 24, size - 24, 8],
          [0, 8, -1, size - 24, 8],
          [0, 8, 24, -1, 8],
          [size - 7, 8, 24, size - 40, 8],
        ]
        for (const [aadOffset, aadLength, offset, length, tagOffset] of bad) {
          expect(() => aead.seal(bytes, aadOffset, aadLength, offset, length, tagOffset, nonce)).toThrow(UsageError)
          expect(() => aead.open(bytes, aadOffset, aadLength, offset, length, tagOffset, nonce)).toThrow(UsageError)
        }
        for (const length of [0, 11, 13, 16]) {
          expect(() => aead.seal(bytes, 0, 8, 24, size - 24, 8, random.bytes(length))).toThrow(UsageError)
          expect(() => aead.open(bytes, 0, 8, 24, size - 24, 8, random.bytes(length))).toThrow(UsageError)
        }
        expect(bytes).toEqual(before)
      }
    }
  })

  it('CRY-34 keys of another length throw', () => {
    for (const algorithm of ALGORITHMS) {
      for (const length of [0, 8, 15, 16, 24, 31, 32, 33, 64]) {
        if (length === AEAD_KEY_LENGTH[algorithm]) continue
        expect(() => crypto.createAead(algorithm, new Uint8Array(length))).toThrow(UsageError)
      }
    }
  })

  it('CRY-24 a key object keeps its own copy of the key and shows none of it', () => {
    for (const algorithm of ALGORITHMS) {
      const key = new Uint8Array(AEAD_KEY_LENGTH[algorithm]).fill(0xab)
      const aead = crypto.createAead(algorithm, key)
      const expected = crypto.createAead(algorithm, key.slice())
      key.fill(0)
      const nonce = new Uint8Array(12)
      for (const length of [40, 1400]) {
        const one = new Uint8Array(length + 16)
        const two = new Uint8Array(length + 16)
        aead.seal(one, 0, 0, 0, length, length, nonce)
        expected.seal(two, 0, 0, 0, length, length, nonce)
        expect(one).toEqual(two)
      }
      expect(JSON.stringify(aead)).toBe(JSON.stringify({ algorithm }))
    }
  })

  it('works on Node buffers and on views into larger memory', () => {
    const random = new SeededRandom('views')
    for (const algorithm of ALGORITHMS) {
      const aead = crypto.createAead(algorithm, random.bytes(AEAD_KEY_LENGTH[algorithm]))
      const nonce = random.bytes(12)
      for (const length of [20, 1000]) {
        const text = random.bytes(length + 24)
        const plain = text.slice()
        aead.seal(plain, 0, 8, 24, length, 8, nonce)
        const memory = random.bytes(length + 100)
        const view = memory.subarray(33, 33 + length + 24)
        view.set(text)
        aead.seal(view, 0, 8, 24, length, 8, nonce)
        const buffer = Buffer.from(text)
        aead.seal(buffer, 0, 8, 24, length, 8, nonce)
        expect(equalBytes(view, plain) && equalBytes(buffer, plain)).toBe(true)
      }
    }
  })
})

describe('the portable AEADs', () => {
  it.each(ALGORITHMS)('CRY-27 CRY-32 %s equals @noble/ciphers on random sizes', (algorithm) => {
    const random = new SeededRandom(`noble ${algorithm}`)
    for (let round = 0; round < scaled(150, 20_000); round++) {
      const key = random.bytes(AEAD_KEY_LENGTH[algorithm])
      const packet = new Packet(random, random.below(100), random.below(random.pick([20, 200, 4097])), true)
      const nonce = random.bytes(12)
      const expected = nobleSealed(algorithm, key, nonce, packet.aad, packet.payload.slice())
      packet.seal(noble.createAead(algorithm, key), nonce)
      expect(equalBytes(packet.payload, expected.subarray(0, packet.length))).toBe(true)
      expect(equalBytes(packet.tag, expected.subarray(packet.length))).toBe(true)
    }
  })

  it('CRY-32 Poly1305 with keys and data at the edges of its arithmetic', () => {
    // r clamped from all ones, sums that end just below and just above the prime, pads that overflow
    const random = new SeededRandom('poly edges')
    let cases = 0
    for (const keyByte of [0x00, 0x01, 0x7f, 0x80, 0xff]) {
      for (const dataByte of [0x00, 0x01, 0x7f, 0x80, 0xff]) {
        for (const length of [0, 1, 15, 16, 17, 48, 1000]) {
          const key = new Uint8Array(32).fill(keyByte)
          const nonce = random.bytes(12)
          const text = new Uint8Array(length).fill(dataByte)
          const aad = new Uint8Array(length % 33).fill(dataByte)
          const bytes = new Uint8Array([...aad, ...text, ...new Uint8Array(16)])
          const aead = noble.createAead('CHACHA20-POLY1305', key)
          aead.seal(bytes, 0, aad.length, aad.length, length, aad.length + length, nonce)
          expect(bytes.subarray(aad.length)).toEqual(nobleSealed('CHACHA20-POLY1305', key, nonce, aad, text))
          cases++
        }
      }
    }
    expect(cases).toBe(175)
  })
})
