import { spawnSync } from 'node:child_process'
import { constants, createPrivateKey, createPublicKey, sign as nodeSign, verify as nodeVerify } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PKCS1_SHA256, PSS, mgf1 } from 'micro-rsa-dsa-dh/rsa.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { describe, expect, it } from 'vitest'
import { equalBytes, UsageError } from '../../../src/bytes/index.ts'
import { bytesToBigInt } from '../../../src/crypto/bigint.ts'
import {
  type HashName,
  noble,
  parseRsaKey,
  type PrivateKey,
  rsaSign,
  type SignatureAlgorithm,
} from '../../../src/crypto/index.ts'
import { nodeCrypto } from '../../../src/node/crypto/index.ts'
import { SeededRandom } from '../../support/random.ts'
import { scaled } from '../../support/scale.ts'
import { hex, providers, rsaKey } from './providers.ts'

const NAMES = ['rsa-1024', 'rsa-2047', 'rsa-2048', 'rsa-2049', 'rsa-2048-e3', 'rsa-3072']
const HASHES: readonly HashName[] = ['SHA1', 'SHA224', 'SHA256', 'SHA384', 'SHA512']
type RsaKey = Extract<PrivateKey, { type: 'rsa' }>

/** The same key as Node has it. */
function nodeKey(key: RsaKey) {
  const jwk: Record<string, string> = { kty: 'RSA' }
  for (const part of ['n', 'e', 'd', 'p', 'q', 'dp', 'dq', 'qi'] as const)
    jwk[part] = Buffer.from(key[part]).toString('base64url')
  return createPrivateKey({ key: jwk, format: 'jwk' })
}

function algorithms(hash: HashName): SignatureAlgorithm[] {
  return [
    { type: 'rsa-pkcs1', hash },
    { type: 'rsa-pss', hash, saltLength: 20 },
    { type: 'rsa-pss', hash, saltLength: 0 },
    { type: 'rsa-pss', hash, saltLength: 32 },
  ]
}

describe('RSA', () => {
  it.each(NAMES)('CRY-12 CRY-13 CRY-35 %s: both providers sign alike, and OpenSSL agrees', (name) => {
    const random = new SeededRandom(name)
    const key = rsaKey(name)
    const theirs = nodeKey(key)
    for (let round = 0; round < scaled(1, 50); round++) {
      for (const hash of HASHES) {
        for (const algorithm of algorithms(hash)) {
          const message = random.bytes(random.below(200))
          const seed = random.uint32()
          const signature = noble.sign(algorithm, key, message, new SeededRandom(seed).source)
          expect(nodeCrypto.sign(algorithm, key, message, new SeededRandom(seed).source)).toEqual(signature)
          const options =
            algorithm.type === 'rsa-pss'
              ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: algorithm.saltLength }
              : { padding: constants.RSA_PKCS1_PADDING }
          expect(nodeVerify(hash, message, { key: createPublicKey(theirs), ...options }, signature)).toBe(true)
          const made = new Uint8Array(nodeSign(hash, message, { key: theirs, ...options }))
          for (const crypto of providers) {
            expect(crypto.verify(algorithm, key.public, message, made)).toBe(true)
            expect(crypto.verify(algorithm, key.public, random.bytes(60), made)).toBe(false)
          }
        }
      }
    }
  })

  it('CRY-12 CRY-13 another implementation agrees too', () => {
    const random = new SeededRandom('micro')
    for (const name of ['rsa-2048', 'rsa-3072', 'rsa-2048-e3']) {
      const key = rsaKey(name)
      const numbers = { n: bytesToBigInt(key.n), e: bytesToBigInt(key.e) }
      const message = random.bytes(100)
      const pkcs1 = noble.sign({ type: 'rsa-pkcs1', hash: 'SHA256' }, key, message, random.source)
      const pss = noble.sign({ type: 'rsa-pss', hash: 'SHA256', saltLength: 32 }, key, message, random.source)
      expect(PKCS1_SHA256.verify(numbers, message, pkcs1)).toBe(true)
      expect(PSS(sha256, mgf1(sha256), 32).verify(numbers, message, pss)).toBe(true)
    }
  })

  it('CRY-12 CRY-13 the openssl command verifies what is made here', () => {
    const folder = mkdtempSync(join(tmpdir(), 'ovpn-core-rsa-'))
    try {
      const random = new SeededRandom('openssl')
      const key = rsaKey('rsa-2048')
      const message = random.bytes(1000)
      writeFileSync(join(folder, 'message'), message)
      writeFileSync(join(folder, 'public.pem'), createPublicKey(nodeKey(key)).export({ type: 'spki', format: 'pem' }))
      for (const algorithm of algorithms('SHA256')) {
        const signature = noble.sign(algorithm, key, message, random.source)
        writeFileSync(join(folder, 'signature'), signature)
        const pss =
          algorithm.type === 'rsa-pss'
            ? ['-sigopt', 'rsa_padding_mode:pss', '-sigopt', `rsa_pss_saltlen:${algorithm.saltLength}`]
            : []
        const args = ['dgst', '-sha256', '-verify', 'public.pem', '-signature', 'signature', ...pss, 'message']
        expect(spawnSync('openssl', args, { cwd: folder, encoding: 'utf8' }).stdout).toBe('Verified OK\n')
      }
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it.each(providers)('CRY-12 CRY-13 $name: no signature with one bit changed is accepted', (crypto) => {
    const random = new SeededRandom('bits')
    const key = rsaKey('rsa-1024')
    let accepted = 0
    let forgeries = 0
    for (const algorithm of algorithms('SHA256').slice(0, 2)) {
      const message = random.bytes(40)
      const signature = crypto.sign(algorithm, key, message, random.source)
      for (let bit = 0; bit < 1024; bit++) {
        const forged = signature.slice()
        forged[bit >> 3]! ^= 1 << (bit & 7)
        forgeries++
        if (crypto.verify(algorithm, key.public, message, forged)) accepted++
      }
    }
    expect({ accepted, forgeries }).toEqual({ accepted: 0, forgeries: 2048 })
  })

  it.each(providers)('CRY-4 $name draws the salt and 32 bytes, in that order', (crypto) => {
    const key = rsaKey('rsa-1024')
    const message = Uint8Array.of(1)
    for (const [algorithm, expected] of [
      [{ type: 'rsa-pkcs1', hash: 'SHA256' }, [32]],
      [{ type: 'rsa-pss', hash: 'SHA256', saltLength: 32 }, [32, 32]],
      [{ type: 'rsa-pss', hash: 'SHA256', saltLength: 20 }, [20, 32]],
      [{ type: 'rsa-pss', hash: 'SHA256', saltLength: 0 }, [0, 32]],
    ] as const) {
      const draws: number[] = []
      const random = (length: number): Uint8Array => {
        draws.push(length)
        return new Uint8Array(length).fill(5)
      }
      crypto.sign(algorithm, key, message, random)
      expect(draws).toEqual(expected)
    }
    const short = (length: number): Uint8Array => new Uint8Array(Math.max(0, length - 1))
    expect(() => crypto.sign({ type: 'rsa-pkcs1', hash: 'SHA256' }, key, message, short)).toThrow(UsageError)
  })

  it('CRY-15 blinding leaves the signature as it is, whatever it draws', () => {
    const key = rsaKey('rsa-2048')
    const algorithm = { type: 'rsa-pkcs1', hash: 'SHA256' } as const
    const expected = new Uint8Array(nodeSign('sha256', Uint8Array.of(9), nodeKey(key)))
    for (const fill of [0, 1, 127, 255]) {
      const random = (length: number): Uint8Array => new Uint8Array(length).fill(fill)
      expect(noble.sign(algorithm, key, Uint8Array.of(9), random)).toEqual(expected)
    }
  })

  it.each(providers)('CRY-16 $name: a key whose parts do not belong together gives no wrong signature', (crypto) => {
    const random = new SeededRandom('parts')
    const key = rsaKey('rsa-1024')
    let refused = 0
    for (const part of ['d', 'p', 'q', 'dp', 'dq', 'qi'] as const) {
      for (let round = 0; round < 4; round++) {
        const changed = key[part].slice()
        changed[random.below(changed.length)]! ^= 1 << random.below(8)
        const broken: RsaKey = { ...key, [part]: changed }
        try {
          const signature = crypto.sign({ type: 'rsa-pkcs1', hash: 'SHA256' }, broken, changed, random.source)
          expect(crypto.verify({ type: 'rsa-pkcs1', hash: 'SHA256' }, key.public, changed, signature)).toBe(true)
        } catch (error) {
          expect(error).toBeInstanceOf(UsageError)
          refused++
        }
      }
    }
    // a wrong d goes unnoticed where the remainders do the work; OpenSSL falls back on d where they are wrong
    expect(refused).toBe(crypto.name === 'noble' ? 20 : 0)
  })

  it('CRY-16 a fault in one half of the computation is caught', () => {
    const key = rsaKey('rsa-1024')
    const message = Uint8Array.of(3)
    const random = (length: number): Uint8Array => new Uint8Array(length).fill(1)
    const good = noble.sign({ type: 'rsa-pkcs1', hash: 'SHA256' }, key, message, random)
    let caught = 0
    for (let bit = 0; bit < 1000; bit += 37) {
      const faulty = good.slice()
      faulty[bit >> 3]! ^= 1 << (bit & 7)
      expect(() => rsaSign(noble, { type: 'rsa-pkcs1', hash: 'SHA256' }, key, message, random, () => faulty)).toThrow(
        UsageError,
      )
      caught++
    }
    expect(rsaSign(noble, { type: 'rsa-pkcs1', hash: 'SHA256' }, key, message, random, () => good)).toEqual(good)
    expect(caught).toBe(28)
  })

  it.each(providers)('CRY-11 CRY-14 $name: keys outside the rules make no signature', (crypto) => {
    const key = rsaKey('rsa-2048')
    const small = rsaKey('rsa-1024')
    const random = new SeededRandom('rules').source
    const message = Uint8Array.of(1)
    const pkcs1 = { type: 'rsa-pkcs1', hash: 'SHA256' } as const
    const pss = { type: 'rsa-pss', hash: 'SHA256', saltLength: 32 } as const
    expect(() => crypto.sign(pkcs1, { ...key, e: hex('02') }, message, random)).toThrow(UsageError)
    expect(() => crypto.sign(pkcs1, { ...key, n: key.n.subarray(128) }, message, random)).toThrow(UsageError)
    expect(() => crypto.sign({ type: 'rsa-pss', hash: 'SHA512', saltLength: 64 }, small, message, random)).toThrow(
      UsageError,
    )
    const bound: RsaKey = {
      ...key,
      public: { type: 'rsa', n: key.n, e: key.e, pssOnly: true, pssParameters: { hash: 'SHA256', saltLength: 32 } },
    }
    expect(() => crypto.sign(pkcs1, bound, message, random)).toThrow(UsageError)
    expect(() => crypto.sign({ ...pss, saltLength: 20 }, bound, message, random)).toThrow(UsageError)
    expect(() => crypto.sign({ ...pss, hash: 'SHA384' }, bound, message, random)).toThrow(UsageError)
    const signature = crypto.sign(pss, bound, message, random)
    expect(crypto.verify(pss, bound.public, message, signature)).toBe(true)
  })

  it('CRY-11 the limits of a key', () => {
    const numbers = (bits: number, e: bigint) => {
      const n = (1n << BigInt(bits - 1)) + 1n
      const text = (value: bigint) =>
        hex(value.toString(16).padStart(2 * Math.ceil(value.toString(16).length / 2), '0'))
      return parseRsaKey({ n: text(n), e: text(e) })?.bits
    }
    expect(numbers(1024, 3n)).toBe(1024)
    expect(numbers(1023, 3n)).toBeUndefined()
    expect(numbers(8192, 65537n)).toBe(8192)
    expect(numbers(8193, 65537n)).toBeUndefined()
    expect(numbers(2048, 1n)).toBeUndefined()
    expect(numbers(2048, 4n)).toBeUndefined()
    expect(numbers(2048, 2n ** 33n - 1n)).toBe(2048)
    expect(numbers(2048, 2n ** 33n + 1n)).toBeUndefined()
    const { n, e } = rsaKey('rsa-2048')
    const even = n.slice()
    even[255]! ^= 1
    expect(parseRsaKey({ n: even, e })).toBeUndefined()
    expect(parseRsaKey({ n: new Uint8Array([0, ...n]), e: new Uint8Array([0, ...e]) })?.bits).toBe(2048)
    expect(equalBytes(n, rsaKey('rsa-2048').n)).toBe(true)
  })
})
