/**
 * The two ways of GHASH: bit by bit, while a key has seen nothing but packets of a block, and by its table from then on. Both
 * give the tags that @noble/ciphers gives, on every size and where a key goes over from one to the other.
 */
import { gcm } from '@noble/ciphers/aes.js'
import { describe, expect, it } from 'vitest'
import { createGhashTable, updateGhash, updateGhashBitwise } from '../../../src/crypto/ghash.ts'
import { noble } from '../../../src/crypto/index.ts'
import { SeededRandom } from '../../support/random.ts'

const MOST = 300

/** A sealed packet: additional data, payload, tag. */
function seal(aead: ReturnType<typeof noble.createAead>, nonce: Uint8Array, aad: Uint8Array, text: Uint8Array): string {
  const bytes = new Uint8Array(aad.length + text.length + 16)
  bytes.set(aad)
  bytes.set(text, aad.length)
  aead.seal(bytes, 0, aad.length, aad.length, text.length, aad.length + text.length, nonce)
  return Buffer.from(bytes.subarray(aad.length)).toString('hex')
}

describe('GHASH', () => {
  it('CRY-27 the bitwise way and the table agree on every number of blocks, from any sum', () => {
    const random = new SeededRandom('ghash ways')
    for (let length = 0; length <= MOST; length++) {
      const words = random.bytes(32)
      const view = new DataView(words.buffer, words.byteOffset)
      const h = Int32Array.from({ length: 4 }, (_, i) => view.getInt32(4 * i))
      const slow = Int32Array.from({ length: 4 }, (_, i) => view.getInt32(16 + 4 * i))
      const fast = slow.slice()
      const bytes = random.bytes(length + 3)
      updateGhashBitwise(h, slow, bytes, 3, length + 3)
      updateGhash(createGhashTable(h), fast, bytes, 3, length + 3)
      expect(slow).toEqual(fast)
    }
  })

  it.each(['AES-128-GCM', 'AES-256-GCM'] as const)('CRY-27 %s: a fresh key and a used one give equal tags', (name) => {
    const random = new SeededRandom(`ghash ${name}`)
    const key = random.bytes(name === 'AES-128-GCM' ? 16 : 32)
    const used = noble.createAead(name, key)
    seal(used, random.bytes(12), new Uint8Array(0), random.bytes(100))
    let cases = 0
    // Every payload under short additional data, and every additional data over payloads that leave the key without a table.
    for (let length = 0; length <= MOST; length++) {
      for (const [aadLength, textLength] of [
        [8, length],
        [length, 0],
        [length, 15],
        [length, 16],
      ] as const) {
        const [nonce, aad, text] = [random.bytes(12), random.bytes(aadLength), random.bytes(textLength)]
        const expected = Buffer.from(gcm(key, nonce, aad).encrypt(text)).toString('hex')
        expect(seal(noble.createAead(name, key), nonce, aad, text)).toBe(expected)
        expect(seal(used, nonce, aad, text)).toBe(expected)
        cases++
      }
    }
    expect(cases).toBe(4 * (MOST + 1))
  })

  it('CRY-27 CRY-29 a key that goes over to its table seals and opens as before', () => {
    const random = new SeededRandom('ghash switch')
    const key = random.bytes(32)
    const sealing = noble.createAead('AES-256-GCM', key)
    const opening = noble.createAead('AES-256-GCM', key)
    for (const length of [0, 1, 15, 16, 17, 16, 0, 15, 300, 16, 1]) {
      const [nonce, aad, text] = [random.bytes(12), random.bytes(8), random.bytes(length)]
      const sealed = seal(sealing, nonce, aad, text)
      expect(sealed).toBe(Buffer.from(gcm(key, nonce, aad).encrypt(text)).toString('hex'))
      const bytes = new Uint8Array([...aad, ...Buffer.from(sealed, 'hex')])
      const forged = bytes.slice()
      forged[forged.length - 1]! ^= 1
      expect(opening.open(forged, 0, 8, 8, length, 8 + length, nonce)).toBe(false)
      expect(opening.open(bytes, 0, 8, 8, length, 8 + length, nonce)).toBe(true)
      expect(bytes.slice(8, 8 + length)).toEqual(text)
    }
  })
})
