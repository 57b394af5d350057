/** Many keys in use at once: what a provider keeps for one must serve no other, whatever the order of packets. */
import { describe, expect, it } from 'vitest'
import { AEAD_KEY_LENGTH, type AeadAlgorithm, noble } from '../../../src/crypto/index.ts'
import { SeededRandom } from '../../support/random.ts'
import { providers } from './providers.ts'

const HEADER = 8
const TAG = 16
const ALGORITHMS: readonly AeadAlgorithm[] = ['AES-128-GCM', 'AES-192-GCM', 'AES-256-GCM', 'CHACHA20-POLY1305']

describe.each(providers.map((crypto) => [crypto.name, crypto] as const))('%s', (_, crypto) => {
  it.each(ALGORITHMS)(
    'CRY-35 %s: packets of 200 keys in turn, in runs and at random are those of the portable cipher',
    (algorithm) => {
      const random = new SeededRandom(`many/${algorithm}`)
      const keys = Array.from({ length: 200 }, () => random.bytes(AEAD_KEY_LENGTH[algorithm]))
      const ours = keys.map((key) => crypto.createAead(algorithm, key))
      const theirs = keys.map((key) => noble.createAead(algorithm, key))
      const turns = [
        ...Array.from({ length: 600 }, (_value, i) => i % 200),
        ...Array.from({ length: 60 }, (_value, i) => (i - (i % 12)) / 12),
        ...Array.from({ length: 600 }, () => random.below(200)),
      ]
      for (const [i, at] of turns.entries()) {
        const length = 1 + random.below(i % 7 === 0 ? 1400 : 300)
        const nonce = random.bytes(12)
        const packet = random.bytes(HEADER + length + TAG)
        const expected = packet.slice()
        ours[at]!.seal(packet, 0, HEADER, HEADER, length, HEADER + length, nonce)
        theirs[at]!.seal(expected, 0, HEADER, HEADER, length, HEADER + length, nonce)
        expect(packet).toEqual(expected)
        const other = ours[(at + 1) % 200]!
        expect(other.open(packet.slice(), 0, HEADER, HEADER, length, HEADER + length, nonce)).toBe(false)
        expect(ours[at]!.open(packet, 0, HEADER, HEADER, length, HEADER + length, nonce)).toBe(true)
      }
    },
  )
})
