import { createHash, createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { UsageError } from '../../../src/bytes/index.ts'
import { HASH_LENGTH, type HashName, hashByName, hkdfExpand, hmac, tls1Prf } from '../../../src/crypto/index.ts'
import { SeededRandom } from '../../support/random.ts'
import { providers } from './providers.ts'

const HASHES = Object.keys(HASH_LENGTH) as HashName[]

describe('hash names', () => {
  it('CRY-1 takes every spelling in any case', () => {
    const names: Record<HashName, string[]> = {
      MD5: ['MD5', 'md5', 'RSA-MD5', 'ssl3-md5'],
      SHA1: ['SHA1', 'sha1', 'SHA-1', 'RSA-SHA1', 'rsa-sha1-2', 'ssl3-sha1', '1.3.14.3.2.26'],
      SHA224: ['SHA224', 'sha-224', 'SHA2-224', 'RSA-SHA224'],
      SHA256: [
        'SHA256',
        'sha256',
        'Sha-256',
        'SHA2-256',
        'RSA-SHA256',
        'sha256WithRSAEncryption',
        '2.16.840.1.101.3.4.2.1',
      ],
      SHA384: ['SHA384', 'SHA-384', 'RSA-SHA384'],
      SHA512: ['SHA512', 'SHA2-512', 'RSA-SHA512'],
    }
    for (const hash of HASHES) for (const name of names[hash]) expect(hashByName(name)).toBe(hash)
  })

  it('CRY-1 knows nothing else', () => {
    for (const name of [
      '',
      'none',
      '[null-digest]',
      'SHA',
      'SHA3-256',
      'SHA512-256',
      'SHA-512/256',
      'BLAKE2b512',
      'sha1WithRSA',
      '2.16.840.1.101.3.4.2.8',
      ' SHA1',
    ]) {
      expect(hashByName(name)).toBeUndefined()
    }
  })
})

describe.each(providers)('hashes of $name', (crypto) => {
  it.each(HASHES)('%s: pieces, ranges and clones give the digest of the whole', (hash) => {
    const random = new SeededRandom(hash)
    for (let round = 0; round < 60; round++) {
      const message = random.bytes(random.below(400))
      const expected = new Uint8Array(createHash(hash).update(message).digest())
      const cut = random.below(message.length + 1)
      const state = crypto.createHash(hash).update(message.subarray(0, cut))
      const copy = state.clone()
      state.update(message, cut)
      expect(state.finish()).toEqual(expected)
      copy.update(message, cut, message.length)
      expect(copy.finish()).toEqual(expected)
    }
  })

  it.each(HASHES)('CRY-3 HMAC with %s keeps its key from message to message', (hash) => {
    const random = new SeededRandom(`hmac ${hash}`)
    for (const keyLength of [0, 1, 20, 63, 64, 65, 127, 128, 129, 300]) {
      const key = random.bytes(keyLength)
      const mac = crypto.createHmac(hash, key)
      expect(mac.length).toBe(HASH_LENGTH[hash])
      const given = key.slice()
      key.fill(0)
      for (let round = 0; round < 6; round++) {
        const message = random.bytes(random.below(300))
        const expected = new Uint8Array(createHmac(hash, given).update(message).digest())
        const cut = random.below(message.length + 1)
        mac.update(message, 0, cut).update(message, cut)
        const out = random.bytes(mac.length + 9)
        const around = out.slice()
        if (round % 2 === 0) {
          mac.finishInto(out, 4)
          around.set(expected, 4)
          expect(out).toEqual(around)
        } else {
          expect(mac.finish()).toEqual(expected)
        }
      }
    }
  })

  it('CRY-3 an empty message has a MAC, also as the first and after another', () => {
    const expected = new Uint8Array(createHmac('sha256', 'k').digest())
    const mac = crypto.createHmac('SHA256', Uint8Array.of(0x6b))
    expect(mac.finish()).toEqual(expected)
    mac.update(Uint8Array.of(1)).finish()
    expect(mac.finish()).toEqual(expected)
  })

  it('CRY-24 neither hash nor MAC shows state or key', () => {
    expect(JSON.stringify(crypto.createHash('SHA256').update(Uint8Array.of(1)))).toBe('{}')
    expect(JSON.stringify(crypto.createHmac('SHA256', Uint8Array.of(1)))).toBe('{"length":32}')
  })

  it('CRY-20 HKDF-Expand ends at 255 blocks', () => {
    const prk = new Uint8Array(32).fill(9)
    const info = Uint8Array.of(1, 2)
    expect(hkdfExpand(crypto, 'SHA256', prk, info, 255 * 32)).toHaveLength(255 * 32)
    expect(hkdfExpand(crypto, 'SHA256', prk, info, 0)).toHaveLength(0)
    expect(() => hkdfExpand(crypto, 'SHA256', prk, info, 255 * 32 + 1)).toThrow(UsageError)
  })

  it('CRY-22 both halves of an odd secret hold its middle byte', () => {
    const secret = Uint8Array.of(1, 2, 3)
    const seed = Uint8Array.of(7)
    const once = (hash: HashName, key: Uint8Array): Uint8Array => {
      const a1 = hmac(crypto, hash, key, seed)
      return hmac(crypto, hash, key, a1, seed)
    }
    const md5 = once('MD5', Uint8Array.of(1, 2))
    const sha1 = once('SHA1', Uint8Array.of(2, 3))
    expect(tls1Prf(crypto, secret, seed, 16)).toEqual(md5.map((byte, i) => byte ^ sha1[i]!))
  })
})
