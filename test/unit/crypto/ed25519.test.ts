import { describe, expect, it } from 'vitest'
import { UsageError } from '../../../src/bytes/index.ts'
import { bigIntToBytes } from '../../../src/crypto/bigint.ts'
import { EdwardsPoint } from '../../../src/crypto/curves.ts'
import { ed25519KeyIsSound, noble, type PrivateKey } from '../../../src/crypto/index.ts'
import { nodeCrypto } from '../../../src/node/crypto/index.ts'
import { SeededRandom } from '../../support/random.ts'
import { scaled } from '../../support/scale.ts'
import { fixedKey, providers } from './providers.ts'

const random = new SeededRandom('ed25519')
const algorithm = { type: 'ed25519' } as const

describe('Ed25519', () => {
  it('CRY-35 both providers derive, sign and verify alike', () => {
    for (let round = 0; round < scaled(15, 3000); round++) {
      const secret = random.bytes(32)
      const half = noble.derivePublicKey('ed25519', secret)
      expect(nodeCrypto.derivePublicKey('ed25519', secret)).toEqual(half)
      const key: PrivateKey = { type: 'ed25519', secret, public: half }
      const message = random.bytes(random.below(300))
      const signature = noble.sign(algorithm, key, message, random.source)
      expect(nodeCrypto.sign(algorithm, key, message, random.source)).toEqual(signature)
      for (const crypto of providers) {
        expect(crypto.verify(algorithm, half, message, signature)).toBe(true)
        const forged = signature.slice()
        forged[random.below(64)]! ^= 1 << random.below(8)
        expect(crypto.verify(algorithm, half, message, forged)).toBe(false)
      }
    }
  })

  it('CRY-18 exactly the eight points of small order are refused as keys, in every encoding', () => {
    const torsion = new Set<string>()
    for (let i = 0; i < 60; i++) {
      try {
        const point = EdwardsPoint.fromBytes(random.bytes(32), true)
        const small = point.multiplyUnsafe(EdwardsPoint.Fn.ORDER - 1n).add(point)
        for (let j = 0, sum = small; j < 8; j++, sum = sum.add(small)) torsion.add(sum.toHex())
        expect(ed25519KeyIsSound(EdwardsPoint.BASE.multiplyUnsafe(BigInt(i + 1)).toBytes())).toBe(true)
      } catch {
        continue
      }
    }
    expect(torsion.size).toBe(8)
    for (const encoded of torsion) {
      const bytes = new Uint8Array(Buffer.from(encoded, 'hex'))
      expect(ed25519KeyIsSound(bytes)).toBe(false)
      bytes[31]! ^= 128
      expect(ed25519KeyIsSound(bytes)).toBe(false)
    }
    const prime = 2n ** 255n - 19n
    for (let y = prime - 3n; y < 2n ** 255n; y++) {
      expect(ed25519KeyIsSound(bigIntToBytes(y, 32).reverse())).toBe(y === prime - 3n || y === prime - 2n)
    }
    for (const length of [0, 31, 33, 64]) expect(ed25519KeyIsSound(new Uint8Array(length).fill(5))).toBe(false)
  })

  it.each(providers)('$name: a seed of another length is the caller’s mistake', (crypto) => {
    const key = fixedKey('ed25519') as Extract<PrivateKey, { type: 'ed25519' }>
    for (const length of [0, 31, 33, 64]) {
      const secret = new Uint8Array(length)
      expect(() => crypto.derivePublicKey('ed25519', secret)).toThrow(UsageError)
      expect(() => crypto.sign(algorithm, { ...key, secret }, secret, random.source)).toThrow(UsageError)
    }
  })
})
