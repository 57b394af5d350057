import { createPublicKey, sign as nodeSign, verify as nodeVerify, createPrivateKey } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { equalBytes, UsageError } from '../../../src/bytes/index.ts'
import { bigIntToBytes, bytesToBigInt } from '../../../src/crypto/bigint.ts'
import { CURVES } from '../../../src/crypto/curves.ts'
import {
  type CurveName,
  type HashName,
  noble,
  parseEcdsaSignature,
  type PrivateKey,
  writeEcdsaSignature,
} from '../../../src/crypto/index.ts'
import { nodeCrypto } from '../../../src/node/crypto/index.ts'
import { SeededRandom } from '../../support/random.ts'
import { scaled, soaking } from '../../support/scale.ts'
import { ecKey, providers } from './providers.ts'

const CURVE_NAMES: readonly CurveName[] = ['P-256', 'P-384', 'P-521']
const HASHES: readonly HashName[] = ['SHA1', 'SHA224', 'SHA256', 'SHA384', 'SHA512']
const random = new SeededRandom('ecdsa')

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url')
}

/** The same key as Node has it. */
function nodeKey(key: Extract<PrivateKey, { type: 'ec' }>) {
  const point = key.public.type === 'ec' ? key.public.point : new Uint8Array(0)
  const half = (point.length - 1) / 2
  const jwk = {
    kty: 'EC',
    crv: key.curve,
    x: base64url(point.subarray(1, 1 + half)),
    y: base64url(point.subarray(1 + half)),
    d: base64url(key.secret),
  }
  return createPrivateKey({ key: jwk, format: 'jwk' })
}

function freshKey(curve: CurveName): Extract<PrivateKey, { type: 'ec' }> {
  const secret = bigIntToBytes(
    bytesToBigInt(random.bytes(CURVES[curve].length)) % CURVES[curve].order,
    CURVES[curve].length,
  )
  return { type: 'ec', curve, secret, public: nodeCrypto.derivePublicKey(curve, secret) }
}

describe('ECDSA', () => {
  it.each(CURVE_NAMES)('CRY-7 CRY-9 CRY-35 %s: both providers sign alike, and OpenSSL agrees', (curve) => {
    for (let round = 0; round < scaled(2, 200); round++) {
      const key = freshKey(curve)
      expect(noble.derivePublicKey(curve, key.secret)).toEqual(key.public)
      const theirs = nodeKey(key)
      for (const hash of HASHES) {
        const message = random.bytes(random.below(200))
        const algorithm = { type: 'ecdsa', hash } as const
        const signature = noble.sign(algorithm, key, message, random.source)
        expect(nodeCrypto.sign(algorithm, key, message, random.source)).toEqual(signature)
        expect(nodeVerify(hash, message, createPublicKey(theirs), signature)).toBe(true)
        const made = new Uint8Array(nodeSign(hash, message, theirs))
        for (const crypto of providers) {
          expect(crypto.verify(algorithm, key.public, message, made)).toBe(true)
          expect(crypto.verify(algorithm, key.public, random.bytes(40), made)).toBe(false)
        }
      }
    }
  })

  it('CRY-25 both halves of the range of s are valid', () => {
    for (const curve of CURVE_NAMES) {
      const key = ecKey(curve)
      const algorithm = { type: 'ecdsa', hash: 'SHA256' } as const
      const signature = noble.sign(algorithm, key, random.bytes(3), random.source)
      const message = random.bytes(8)
      const numbers = parseEcdsaSignature(noble.sign(algorithm, key, message, random.source))!
      expect(signature.length).toBeGreaterThan(0)
      const other = writeEcdsaSignature({ r: numbers.r, s: CURVES[curve].order - numbers.s })
      for (const crypto of providers) {
        expect(crypto.verify(algorithm, key.public, message, writeEcdsaSignature(numbers))).toBe(true)
        expect(crypto.verify(algorithm, key.public, message, other)).toBe(true)
      }
    }
  })

  it.each(providers)('CRY-8 $name: no signature with one bit changed is accepted', (crypto) => {
    let accepted = 0
    let forgeries = 0
    const step = crypto.name === 'noble' && !soaking() ? 5 : 1
    for (const curve of soaking() ? CURVE_NAMES : (['P-256'] as const)) {
      const key = ecKey(curve)
      const algorithm = { type: 'ecdsa', hash: 'SHA256' } as const
      const message = random.bytes(50)
      const signature = crypto.sign(algorithm, key, message, random.source)
      for (let bit = 0; bit < signature.length * 8; bit += step) {
        const forged = signature.slice()
        forged[bit >> 3]! ^= 1 << (bit & 7)
        forgeries++
        if (crypto.verify(algorithm, key.public, message, forged)) accepted++
      }
    }
    expect(accepted).toBe(0)
    expect(forgeries).toBeGreaterThan(100)
  })

  it('CRY-8 DER of any two numbers reads back, and only in that form', () => {
    for (let round = 0; round < scaled(2000, 500_000); round++) {
      const r = bytesToBigInt(random.bytes(random.int(1, 66)))
      const s = bytesToBigInt(random.bytes(random.int(1, 66)))
      const der = writeEcdsaSignature({ r, s })
      expect(parseEcdsaSignature(der)).toEqual({ r, s })
      const changed = der.slice()
      changed[random.below(changed.length)]! ^= 1 << random.below(8)
      const read = parseEcdsaSignature(changed)
      if (read !== undefined) expect(equalBytes(writeEcdsaSignature(read), changed)).toBe(true)
      expect(parseEcdsaSignature(der.subarray(0, random.below(der.length)))).toBeUndefined()
    }
  })

  it('CRY-8 random bytes are never a signature, and never throw', () => {
    let accepted = 0
    for (let round = 0; round < scaled(3000, 300_000); round++) {
      const bytes = random.bytes(random.below(150))
      if (random.chance(0.7)) bytes.set([0x30, bytes.length - 2, 2].slice(0, bytes.length))
      for (const crypto of providers) {
        if (crypto.verify({ type: 'ecdsa', hash: 'SHA256' }, ecKey('P-256').public, bytes, bytes)) accepted++
      }
    }
    expect(accepted).toBe(0)
  })

  it.each(providers)('$name: private keys out of range or of another length are the caller’s mistake', (crypto) => {
    for (const curve of CURVE_NAMES) {
      const { length, order } = CURVES[curve]
      const bad = [0n, order, order + 1n].map((scalar) => bigIntToBytes(scalar, length))
      bad.push(new Uint8Array(0), new Uint8Array(length - 1).fill(1), new Uint8Array(length + 1).fill(1))
      for (const secret of bad) {
        expect(() => crypto.derivePublicKey(curve, secret)).toThrow(UsageError)
        const key = { ...ecKey(curve), secret }
        expect(() => crypto.sign({ type: 'ecdsa', hash: 'SHA256' }, key, secret, random.source)).toThrow(UsageError)
      }
    }
  })

  it.each(providers)(
    'CRY-19 $name: keys and algorithms that do not fit are false to verify and a mistake to sign',
    (crypto) => {
      const message = random.bytes(5)
      const signature = crypto.sign({ type: 'ecdsa', hash: 'SHA256' }, ecKey('P-256'), message, random.source)
      expect(crypto.verify({ type: 'ed25519' }, ecKey('P-256').public, message, signature)).toBe(false)
      expect(crypto.verify({ type: 'rsa-pkcs1', hash: 'SHA256' }, ecKey('P-256').public, message, signature)).toBe(
        false,
      )
      expect(crypto.verify({ type: 'ecdsa', hash: 'SHA256' }, ecKey('P-384').public, message, signature)).toBe(false)
      expect(() => crypto.sign({ type: 'ed25519' }, ecKey('P-256'), message, random.source)).toThrow(UsageError)
      expect(() =>
        crypto.sign({ type: 'rsa-pss', hash: 'SHA256', saltLength: 32 }, ecKey('P-256'), message, random.source),
      ).toThrow(UsageError)
    },
  )
})
