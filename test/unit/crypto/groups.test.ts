import { describe, expect, it } from 'vitest'
import { equalBytes, UsageError } from '../../../src/bytes/index.ts'
import { type GroupName, noble, type RandomSource } from '../../../src/crypto/index.ts'
import { nodeCrypto } from '../../../src/node/crypto/index.ts'
import { SeededRandom } from '../../support/random.ts'
import { scaled } from '../../support/scale.ts'
import { providers } from './providers.ts'

const LENGTHS: Readonly<Record<GroupName, { initiator: number; responder: number; secret: number }>> = {
  x25519: { initiator: 32, responder: 32, secret: 32 },
  secp256r1: { initiator: 65, responder: 65, secret: 32 },
  secp384r1: { initiator: 97, responder: 97, secret: 48 },
  secp521r1: { initiator: 133, responder: 133, secret: 66 },
  X25519MLKEM768: { initiator: 1216, responder: 1120, secret: 64 },
  MLKEM1024: { initiator: 1568, responder: 1568, secret: 32 },
}
const GROUPS = Object.keys(LENGTHS) as GroupName[]

/** Records the lengths drawn from a seeded source. */
function recording(seed: string): { random: RandomSource; draws: number[] } {
  const { source } = new SeededRandom(seed)
  const draws: number[] = []
  const random = (length: number): Uint8Array => {
    draws.push(length)
    return source(length)
  }
  return { random, draws }
}

describe('key agreement', () => {
  it.each(GROUPS)('CRY-4 CRY-35 %s: shares, secrets and draws are the same in both providers', (group) => {
    for (let round = 0; round < scaled(3, 300); round++) {
      const results = providers.map((crypto) => {
        const initiator = recording(`${group} initiator ${round}`)
        const responder = recording(`${group} responder ${round}`)
        const share = crypto.createKeyShare(group, initiator.random)
        const response = crypto.respondKeyShare(group, share.share, responder.random)!
        expect(share.group).toBe(group)
        expect(share.agree(response.share)).toEqual(response.secret)
        expect({
          initiator: share.share.length,
          responder: response.share.length,
          secret: response.secret.length,
        }).toEqual(LENGTHS[group])
        return { share: share.share, response, draws: [initiator.draws, responder.draws] }
      })
      expect(results[1]).toEqual(results[0])
    }
  })

  it.each(GROUPS)('%s: one side on each provider', (group) => {
    const random = new SeededRandom(`mixed ${group}`)
    const share = noble.createKeyShare(group, random.source)
    const response = nodeCrypto.respondKeyShare(group, share.share, random.source)!
    expect(share.agree(response.share)).toEqual(response.secret)
    const other = nodeCrypto.createKeyShare(group, random.source)
    const answer = noble.respondKeyShare(group, other.share, random.source)!
    expect(other.agree(answer.share)).toEqual(answer.secret)
  })

  it.each(providers)('CRY-4 $name: what each group draws', (crypto) => {
    const expected: Record<GroupName, [number[], number[]]> = {
      x25519: [[32], [32]],
      secp256r1: [[48], [48]],
      secp384r1: [[64], [64]],
      secp521r1: [[82], [82]],
      X25519MLKEM768: [
        [64, 32],
        [32, 32],
      ],
      MLKEM1024: [[64], [32]],
    }
    for (const group of GROUPS) {
      const initiator = recording('a')
      const responder = recording('b')
      const { share } = crypto.createKeyShare(group, initiator.random)
      crypto.respondKeyShare(group, share, responder.random)
      expect([initiator.draws, responder.draws]).toEqual(expected[group])
    }
  })

  it.each(providers)('CRY-4 $name: a source that gives another number of bytes is the host’s mistake', (crypto) => {
    for (const group of GROUPS) {
      expect(() => crypto.createKeyShare(group, (length) => new Uint8Array(length + 1))).toThrow(UsageError)
      expect(() => crypto.createKeyShare(group, () => new Uint8Array(0))).toThrow(UsageError)
    }
  })

  it.each(providers)('CRY-5 CRY-6 CRY-17 $name: random bytes as a share never throw', (crypto) => {
    const random = new SeededRandom('junk')
    let taken = 0
    for (const group of GROUPS.filter((name) => name !== 'x25519')) {
      const share = crypto.createKeyShare(group, random.source)
      for (let round = 0; round < scaled(30, 1000); round++) {
        const { initiator, responder } = LENGTHS[group]
        const bytes = random.bytes(random.pick([responder, initiator, random.below(1300)]))
        if (random.chance(0.5)) bytes[0] = 4
        // the ciphertext of ML-KEM may be anything, a point may not
        const secret = share.agree(bytes)
        if (!group.includes('MLKEM')) {
          if (secret !== undefined) taken++
          if (crypto.respondKeyShare(group, bytes, random.source) !== undefined) taken++
        }
      }
    }
    expect(taken).toBe(0)
  })

  it.each(providers)('CRY-17 $name: a changed hybrid share gives no common secret', (crypto) => {
    const random = new SeededRandom('hybrid')
    const share = crypto.createKeyShare('X25519MLKEM768', random.source)
    const response = crypto.respondKeyShare('X25519MLKEM768', share.share, random.source)!
    let common = 0
    for (let round = 0; round < 20; round++) {
      const changed = response.share.slice()
      changed[random.below(1120)]! ^= 1 << random.below(7)
      const secret = share.agree(changed)
      if (secret !== undefined && equalBytes(secret, response.secret)) common++
    }
    expect(common).toBe(0)
    for (const length of [0, 32, 1088, 1119, 1121]) expect(share.agree(new Uint8Array(length))).toBeUndefined()
    expect(share.agree(response.share)).toEqual(response.secret)
  })

  it.each(providers)(
    'CRY-17 $name: an encapsulation key that is not reduced, or a low-order point, is refused',
    (crypto) => {
      const random = new SeededRandom('hybrid bad')
      const { share } = crypto.createKeyShare('X25519MLKEM768', random.source)
      const notReduced = share.slice()
      notReduced.fill(255, 0, 2)
      expect(crypto.respondKeyShare('X25519MLKEM768', notReduced, random.source)).toBeUndefined()
      const lowOrder = share.slice()
      lowOrder.fill(0, 1184)
      expect(crypto.respondKeyShare('X25519MLKEM768', lowOrder, random.source)).toBeUndefined()
      for (const length of [0, 32, 1184, 1215, 1217]) {
        expect(crypto.respondKeyShare('X25519MLKEM768', new Uint8Array(length), random.source)).toBeUndefined()
      }
      expect(crypto.respondKeyShare('X25519MLKEM768', share, random.source)).toBeDefined()
    },
  )

  it.each(providers)('CRY-24 $name: a key share shows its public half only', (crypto) => {
    for (const group of GROUPS) {
      const share = crypto.createKeyShare(group, new SeededRandom('shown').source)
      expect(Object.keys(share).sort()).toEqual(['group', 'share'])
    }
  })
})
