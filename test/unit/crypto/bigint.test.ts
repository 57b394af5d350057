import { describe, expect, it } from 'vitest'
import {
  bigIntToBytes,
  bitLength,
  bytesToBigInt,
  mod,
  modInverse,
  modPow,
  modPowSecret,
} from '../../../src/crypto/bigint.ts'
import { SeededRandom } from '../../support/random.ts'

const random = new SeededRandom('bigint')

function draw(): bigint {
  return bytesToBigInt(random.bytes(random.int(1, 40)))
}

describe('whole numbers', () => {
  it('bytes and numbers, both ways', () => {
    expect(bytesToBigInt(new Uint8Array(0))).toBe(0n)
    expect(bigIntToBytes(0n, 3)).toEqual(new Uint8Array(3))
    expect(bigIntToBytes(0x1234n, 2)).toEqual(Uint8Array.of(0x12, 0x34))
    expect(bigIntToBytes(0x123n, 4)).toEqual(Uint8Array.of(0, 0, 1, 0x23))
    for (let i = 0; i < 500; i++) {
      const bytes = random.bytes(random.below(50))
      expect(bigIntToBytes(bytesToBigInt(bytes), bytes.length)).toEqual(bytes)
    }
  })

  it('lengths in bits', () => {
    expect(bitLength(0n)).toBe(0)
    expect(bitLength(1n)).toBe(1)
    expect(bitLength(255n)).toBe(8)
    expect(bitLength(256n)).toBe(9)
  })

  it('inverses, where there are any', () => {
    expect(modInverse(0n, 7n)).toBeUndefined()
    expect(modInverse(6n, 9n)).toBeUndefined()
    expect(modInverse(-1n, 7n)).toBe(6n)
    for (let i = 0; i < 500; i++) {
      const modulus = draw() + 2n
      const value = draw()
      const inverse = modInverse(value, modulus)
      if (inverse !== undefined) expect(mod(value * inverse, modulus)).toBe(1n)
      else expect(modInverse(value + modulus, modulus)).toBeUndefined()
    }
  })

  it('CRY-15 powers by windows equal powers bit by bit', () => {
    for (let i = 0; i < 300; i++) {
      const modulus = draw() + 2n
      const base = draw()
      const exponent = random.pick([0n, 1n, 31n, 32n, draw()])
      expect(modPowSecret(base, exponent, modulus, Math.max(1, bitLength(exponent)))).toBe(
        modPow(base, exponent, modulus),
      )
      expect(modPowSecret(base, exponent, modulus, 330)).toBe(modPow(base, exponent, modulus))
    }
  })
})
