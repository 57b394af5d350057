/** ML-DSA signatures and the ML-KEM group without a classical half. */
import { describe, expect, it } from 'vitest'
import { UsageError } from '../../../src/bytes/index.ts'
import {
  ML_DSA_PUBLIC_LENGTH,
  mlDsaPublicKey,
  type MlDsaName,
  mlDsaSeedFits,
  type PrivateKey,
} from '../../../src/crypto/index.ts'
import { SeededRandom } from '../../support/random.ts'
import { scaled } from '../../support/scale.ts'
import { providers } from './providers.ts'

const NAMES = Object.keys(ML_DSA_PUBLIC_LENGTH) as MlDsaName[]

function keyOf(name: MlDsaName, random: SeededRandom): Extract<PrivateKey, { type: 'ml-dsa' }> {
  const secret = random.bytes(32)
  return { type: 'ml-dsa', parameters: name, secret, public: mlDsaPublicKey(name, secret) }
}

describe('ML-DSA', () => {
  it.each(NAMES)('CRY-35 CRY-37 %s: every provider derives and signs alike, from the same draw', (name) => {
    const random = new SeededRandom(`ml-dsa ${name}`)
    const key = keyOf(name, random)
    const algorithm = { type: 'ml-dsa', parameters: name } as const
    const message = random.bytes(100)
    const results = providers.map((crypto) => {
      const draws: number[] = []
      const source = new SeededRandom('hedge').source
      const signature = crypto.sign(algorithm, key, message, (length) => {
        draws.push(length)
        return source(length)
      })
      expect(crypto.derivePublicKey(name, key.secret)).toEqual(key.public)
      expect(crypto.verify(algorithm, key.public, message, signature)).toBe(true)
      return { signature, draws }
    })
    expect(results.length).toBeGreaterThan(1)
    for (const result of results) expect(result).toEqual(results[0])
    expect(results[0]!.draws).toEqual([32])
    const other = providers[0]!.sign(algorithm, key, message, new SeededRandom('another hedge').source)
    expect(other).not.toEqual(results[0]!.signature)
  })

  it('CRY-38 no changed signature, message, key or parameter set verifies, and nothing throws', () => {
    const random = new SeededRandom('ml-dsa forgeries')
    let accepted = 0
    let tried = 0
    for (const crypto of providers) {
      for (const name of NAMES) {
        const key = keyOf(name, random)
        const half = key.public as Extract<typeof key.public, { type: 'ml-dsa' }>
        const algorithm = { type: 'ml-dsa', parameters: name } as const
        const message = random.bytes(50)
        const signature = crypto.sign(algorithm, key, message, random.source)
        const flipped = (bytes: Uint8Array): Uint8Array => {
          const copy = bytes.slice()
          copy[random.below(copy.length)]! ^= 1 << random.below(8)
          return copy
        }
        const verifies = (publicKey: typeof half, text: Uint8Array, sig: Uint8Array) => {
          tried++
          if (crypto.verify({ type: 'ml-dsa', parameters: publicKey.parameters }, publicKey, text, sig)) accepted++
        }
        for (let round = 0; round < scaled(6, 200); round++) {
          verifies(half, message, flipped(signature))
          verifies(half, flipped(message), signature)
          verifies({ ...half, key: flipped(half.key) }, message, signature)
        }
        for (const length of [0, 1, signature.length - 1]) verifies(half, message, signature.subarray(0, length))
        verifies(half, message, new Uint8Array([...signature, 0]))
        verifies({ ...half, key: half.key.subarray(1) }, message, signature)
        for (const parameters of NAMES) {
          if (parameters !== name) verifies({ ...half, parameters }, message, signature)
          const mixed = crypto.verify({ type: 'ml-dsa', parameters }, half, message, signature)
          expect(mixed).toBe(parameters === name)
        }
        expect(crypto.verify({ type: 'ed25519' }, half, message, signature)).toBe(false)
      }
    }
    expect(tried).toBeGreaterThanOrEqual(providers.length * NAMES.length * 25)
    expect(accepted).toBe(0)
  })

  it.each(providers)('CRY-37 $name: a seed of another length is the caller’s mistake', (crypto) => {
    const random = new SeededRandom('ml-dsa seeds')
    const key = keyOf('ML-DSA-44', random)
    for (const length of [0, 31, 33]) {
      expect(() => crypto.derivePublicKey('ML-DSA-44', new Uint8Array(length))).toThrow(UsageError)
      const short = { ...key, secret: new Uint8Array(length) }
      const sign = () => crypto.sign({ type: 'ml-dsa', parameters: 'ML-DSA-44' }, short, key.secret, random.source)
      expect(sign).toThrow(UsageError)
    }
    const wrongSet = { type: 'ml-dsa', parameters: 'ML-DSA-65' } as const
    expect(() => crypto.sign(wrongSet, key, key.secret, random.source)).toThrow(UsageError)
    expect(mlDsaSeedFits('ML-DSA-44', key.secret, new Uint8Array(2560))).toBe(false)
  })
})

describe('MLKEM1024', () => {
  it.each(providers)('CRY-39 $name: a changed ciphertext gives another secret, a bad key none', (crypto) => {
    const random = new SeededRandom('ml-kem')
    const share = crypto.createKeyShare('MLKEM1024', random.source)
    const response = crypto.respondKeyShare('MLKEM1024', share.share, random.source)!
    expect(share.agree(response.share)).toEqual(response.secret)
    const changed = response.share.slice()
    changed[random.below(changed.length)]! ^= 1
    expect(share.agree(changed)).not.toEqual(response.secret)
    for (const length of [0, 32, 1567, 1569]) {
      expect(share.agree(new Uint8Array(length))).toBeUndefined()
      expect(crypto.respondKeyShare('MLKEM1024', new Uint8Array(length), random.source)).toBeUndefined()
    }
    const notReduced = share.share.slice()
    notReduced.fill(255, 0, 2)
    expect(crypto.respondKeyShare('MLKEM1024', notReduced, random.source)).toBeUndefined()
  })
})
