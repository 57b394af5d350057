import { describe, expect, it, vi } from 'vitest'
import * as bigint from '../../../src/crypto/bigint.ts'
import { CURVES } from '../../../src/crypto/curves.ts'
import { type CurveName, ecdsaSign, noble, parseEcdsaSignature } from '../../../src/crypto/index.ts'
import { ecKey } from './providers.ts'

vi.mock('../../../src/crypto/bigint.ts', { spy: true })

describe('ECDSA signing', () => {
  it('CRY-10 never inverts the bare nonce', () => {
    const { modInverse, bytesToBigInt, bigIntToBytes, mod } = bigint
    let checked = 0
    for (const curve of ['P-256', 'P-384', 'P-521'] as CurveName[]) {
      const { order, Point, length } = CURVES[curve]
      for (let round = 0; round < 5; round++) {
        vi.mocked(modInverse).mockClear()
        let nonce = 0n
        const message = Uint8Array.of(round)
        const signature = ecdsaSign(noble, curve, 'SHA256', ecKey(curve).secret, message, (k) => {
          nonce = bytesToBigInt(k)
          return bigIntToBytes(Point.BASE.multiply(nonce).toAffine().x, length)
        })
        const inverted = vi.mocked(modInverse).mock.calls.map(([value]) => value)
        expect(inverted).toHaveLength(1)
        expect(inverted).not.toContain(nonce)
        // the factor is not a small or known one either: the product and the nonce have no simple ratio
        const factor = mod(inverted[0]! * modInverse(nonce, order)!, order)
        expect(bigint.bitLength(factor)).toBeGreaterThan(length * 8 - 80)
        expect(parseEcdsaSignature(signature)?.r).toBe(mod(Point.BASE.multiply(nonce).toAffine().x, order))
        checked++
      }
    }
    expect(checked).toBe(15)
  })
})
