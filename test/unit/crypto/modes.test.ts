import { createCipheriv, createDecipheriv } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { equalBytes, UsageError } from '../../../src/bytes/index.ts'
import { CBC_LENGTHS, type CbcAlgorithm } from '../../../src/crypto/index.ts'
import { SeededRandom } from '../../support/random.ts'
import { scaled } from '../../support/scale.ts'
import { providers } from './providers.ts'

const MARGIN = 7
const AES_CBC = ['AES-128-CBC', 'AES-192-CBC', 'AES-256-CBC'] as const

describe.each(providers)('block cipher modes of $name', (crypto) => {
  it.each([...AES_CBC, 'DES-EDE3-CBC'] as const)(
    'CRY-30 %s equals OpenSSL on every whole size to 4096',
    (algorithm) => {
      const random = new SeededRandom(`cbc ${algorithm}`)
      const { key: keyLength, block } = CBC_LENGTHS[algorithm]
      const key = random.bytes(keyLength)
      const cbc = crypto.createCbc(algorithm, key)
      if (cbc === undefined) {
        expect(algorithm).toBe('DES-EDE3-CBC')
        expect(crypto.name).toBe('noble')
        return
      }
      expect(cbc.blockLength).toBe(block)
      let equal = 0
      for (let length = 0; length <= 4096; length += block) {
        const iv = random.bytes(block + 3)
        const bytes = random.bytes(length + 2 * MARGIN)
        const before = bytes.slice()
        const cipher = createCipheriv(algorithm.toLowerCase(), key, iv.subarray(3))
        cipher.setAutoPadding(false)
        const expected = Buffer.concat([cipher.update(before.subarray(MARGIN, MARGIN + length)), cipher.final()])
        cbc.encrypt(bytes, MARGIN, length, iv, 3)
        const sealed = equalBytes(bytes.subarray(MARGIN, MARGIN + length), expected)
        const margins =
          equalBytes(bytes.subarray(0, MARGIN), before.subarray(0, MARGIN)) &&
          equalBytes(bytes.subarray(MARGIN + length), before.subarray(MARGIN + length))
        cbc.decrypt(bytes, MARGIN, length, iv, 3)
        if (sealed && margins && equalBytes(bytes, before)) equal++
      }
      expect(equal).toBe(4096 / block + 1)
    },
  )

  it('CRY-30 decrypts any bytes as OpenSSL does', () => {
    const random = new SeededRandom('cbc decrypt')
    for (let round = 0; round < scaled(100, 20_000); round++) {
      const algorithm = random.pick(AES_CBC)
      const key = random.bytes(CBC_LENGTHS[algorithm].key)
      const iv = random.bytes(16)
      const bytes = random.bytes(16 * random.below(40))
      const decipher = createDecipheriv(algorithm.toLowerCase(), key, iv)
      decipher.setAutoPadding(false)
      const expected = Buffer.concat([decipher.update(bytes), decipher.final()])
      crypto.createCbc(algorithm, key)?.decrypt(bytes, 0, bytes.length, iv, 0)
      expect(equalBytes(bytes, expected)).toBe(true)
    }
  })

  it('CRY-30 the IV may lie in the same buffer, before the data', () => {
    const random = new SeededRandom('cbc iv')
    for (const length of [32, 800]) {
      const cbc = crypto.createCbc('AES-256-CBC', random.bytes(32))!
      const bytes = random.bytes(16 + length)
      const apart = bytes.slice(16)
      cbc.encrypt(apart, 0, length, bytes.slice(0, 16), 0)
      cbc.encrypt(bytes, 16, length, bytes, 0)
      expect(bytes.subarray(16)).toEqual(apart)
    }
  })

  it('CRY-31 CTR equals OpenSSL on every size to 2048, from counters about to carry', () => {
    const random = new SeededRandom('ctr')
    let equal = 0
    for (let length = 0; length <= 2048; length++) {
      const key = random.bytes(random.pick([16, 24, 32]))
      const counter = random.bytes(16)
      if (random.chance(0.5)) counter.fill(255, random.pick([0, 3, 4, 8, 12, 15]))
      if (random.chance(0.3)) counter[15] = 250
      const bytes = random.bytes(length + 2 * MARGIN)
      const before = bytes.slice()
      const startedAt = counter.slice()
      const expected = createCipheriv(`aes-${key.length * 8}-ctr`, key, counter).update(
        bytes.subarray(MARGIN, MARGIN + length),
      )
      const ctr = crypto.createCtr(key)
      ctr.apply(bytes, MARGIN, length, counter)
      const sealed = equalBytes(bytes.subarray(MARGIN, MARGIN + length), expected)
      ctr.apply(bytes, MARGIN, length, counter)
      if (sealed && equalBytes(bytes, before) && equalBytes(counter, startedAt)) equal++
    }
    expect(equal).toBe(2049)
  })

  it('CRY-28 partial blocks, ranges outside and short IVs throw', () => {
    for (const length of [160, 800]) {
      const bytes = new Uint8Array(length)
      const cbc = crypto.createCbc('AES-128-CBC', new Uint8Array(16))!
      const ctr = crypto.createCtr(new Uint8Array(16))
      const iv = new Uint8Array(16)
      for (const call of ['encrypt', 'decrypt'] as const) {
        expect(() => cbc[call](bytes, 0, length - 1, iv, 0)).toThrow(UsageError)
        expect(() => cbc[call](bytes, 16, length, iv, 0)).toThrow(UsageError)
        expect(() => cbc[call](bytes, -16, 16, iv, 0)).toThrow(UsageError)
        expect(() => cbc[call](bytes, 0, length, iv, 1)).toThrow(UsageError)
        expect(() => cbc[call](bytes, 0, length, new Uint8Array(15), 0)).toThrow(UsageError)
      }
      expect(() => ctr.apply(bytes, 1, length, iv)).toThrow(UsageError)
      expect(() => ctr.apply(bytes, 0, length, new Uint8Array(12))).toThrow(UsageError)
      expect(bytes).toEqual(new Uint8Array(length))
    }
  })

  it('CRY-34 keys of another length throw', () => {
    for (const algorithm of Object.keys(CBC_LENGTHS) as CbcAlgorithm[]) {
      for (const length of [0, 15, 17, 23, 33]) {
        expect(() => crypto.createCbc(algorithm, new Uint8Array(length))).toThrow(UsageError)
      }
    }
    for (const length of [0, 8, 15, 17, 31, 33, 64]) {
      expect(() => crypto.createCtr(new Uint8Array(length))).toThrow(UsageError)
    }
  })

  it('CRY-33 BF-CBC is offered by neither provider, DES-EDE3-CBC by Node alone', () => {
    expect(crypto.createCbc('BF-CBC', new Uint8Array(16))).toBeUndefined()
    expect(crypto.createCbc('DES-EDE3-CBC', new Uint8Array(24)) !== undefined).toBe(crypto.name !== 'noble')
  })
})
