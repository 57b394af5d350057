import { describe, expect, it } from 'vitest'
import { Poly1305 } from '../../../src/crypto/poly1305.ts'
import { SeededRandom } from '../../support/random.ts'
import { scaled } from '../../support/scale.ts'

const PRIME = 2n ** 130n - 5n

function littleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((sum, byte) => sum * 256n + BigInt(byte), 0n)
}

/** RFC 8439 section 2.5 with whole numbers; every message is padded to whole blocks. */
function slowPoly1305(key: Uint8Array, message: Uint8Array): bigint {
  const r = littleEndian(key.subarray(0, 16)) & 0x0ffffffc0ffffffc0ffffffc0fffffffn
  let sum = 0n
  for (let i = 0; i < message.length; i += 16) {
    const block = new Uint8Array(16)
    block.set(message.subarray(i, i + 16))
    sum = ((sum + littleEndian(block) + 2n ** 128n) * r) % PRIME
  }
  return (sum + littleEndian(key.subarray(16))) % 2n ** 128n
}

function fastPoly1305(poly: Poly1305, key: Uint8Array, message: Uint8Array): bigint {
  const words = new Int32Array(8)
  for (let i = 0; i < 32; i++) words[i >> 2]! |= key[i]! << (8 * (i & 3))
  poly.start(words)
  poly.updatePadded(message, 0, message.length)
  const tag = new Int32Array(4)
  poly.finish(tag)
  return tag.reduceRight((sum, word) => sum * 2n ** 32n + BigInt(word >>> 0), 0n)
}

describe('Poly1305', () => {
  const poly = new Poly1305()

  it('CRY-32 equals the definition on random keys and messages', () => {
    const random = new SeededRandom('poly')
    for (let round = 0; round < scaled(3000, 1_000_000); round++) {
      const key = random.bytes(32)
      const message = random.bytes(random.below(120))
      if (random.chance(0.3)) message.fill(255)
      if (random.chance(0.2)) key.fill(255, 0, 16)
      if (random.chance(0.2)) key.fill(255, 16)
      expect(fastPoly1305(poly, key, message)).toBe(slowPoly1305(key, message))
    }
  })

  it('CRY-32 reduces sums on either side of the prime', () => {
    // with r = 1 the sum is the block plus 2^128 for each block: choose blocks so that it ends near 2^130 - 5
    const key = new Uint8Array(32)
    key[0] = 1
    for (let distance = -40n; distance <= 40n; distance++) {
      for (const blocks of [3n, 4n]) {
        const target = PRIME + distance - (blocks - 1n) * 2n ** 128n - 2n ** 128n
        const message = new Uint8Array(16 * Number(blocks))
        let rest = target
        for (let block = 0; block < Number(blocks); block++) {
          let part = rest > 2n ** 128n - 1n ? 2n ** 128n - 1n : rest < 0n ? 0n : rest
          rest -= part
          for (let i = 0; i < 16; i++, part >>= 8n) message[16 * block + i] = Number(part & 255n)
        }
        expect(fastPoly1305(poly, key, message)).toBe(slowPoly1305(key, message))
      }
    }
  })
})
