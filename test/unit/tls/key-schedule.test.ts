/** The constants that the 1.3 key schedule begins with, worked out again. */
import { describe, expect, it } from 'vitest'
import { digest, expandLabel, HASH_LENGTH, hkdfExtract, noble } from '../../../src/crypto/index.ts'
import { SCHEDULE_CONSTANTS } from '../../../src/tls/key-schedule.ts'
import { CIPHER_SUITES } from '../../../src/tls/index.ts'

const hashes = [
  ...new Set(CIPHER_SUITES.filter(({ version }) => version === 'TLSv1.3').map(({ hash }) => hash)),
] as const

describe('key schedule', () => {
  it('knows every hash of a 1.3 suite', () => {
    expect(Object.keys(SCHEDULE_CONSTANTS).sort()).toEqual([...hashes].sort())
  })

  it.each(hashes)('TLS13-1 begins where RFC 8446 section 7.1 begins, with %s', (hash) => {
    const zeros = new Uint8Array(HASH_LENGTH[hash])
    const empty = digest(noble, hash)
    const early = hkdfExtract(noble, hash, zeros, zeros)
    expect(SCHEDULE_CONSTANTS[hash]).toEqual({
      emptyHash: empty,
      earlyDerived: expandLabel(noble, hash, early, 'tls13 ', 'derived', empty, HASH_LENGTH[hash]),
    })
  })
})
