/** Certificate times against the host's calendar. */
import { describe, expect, it } from 'vitest'
import { DerBudget, parseDer } from '../../../src/x509/der.ts'
import { derAscii, derTime } from '../../../src/x509/der-write.ts'
import { civilTimeOf, readTime, timeText, unixTimeOf } from '../../../src/x509/time.ts'
import { SeededRandom } from '../../support/random.ts'

const read = (tag: number, text: string): number => readTime(parseDer(derAscii(tag, text), new DerBudget(1)))

describe('times', () => {
  it('X509-9 reads UTCTime with its two-digit years', () => {
    expect(read(0x17, '491231235959Z')).toBe(Date.UTC(2049, 11, 31, 23, 59, 59))
    expect(read(0x17, '500101000000Z')).toBe(Date.UTC(1950, 0, 1))
    expect(read(0x17, '000229120000Z')).toBe(Date.UTC(2000, 1, 29, 12))
  })

  it('X509-9 reads GeneralizedTime of any year', () => {
    expect(read(0x18, '20240229000000Z')).toBe(Date.UTC(2024, 1, 29))
    expect(read(0x18, '99991231235959Z')).toBe(Date.UTC(9999, 11, 31, 23, 59, 59))
  })

  it.each([
    [0x17, '2401010000Z'],
    [0x17, '240101000000'],
    [0x17, '240101000000+0000'],
    [0x17, '20240101000000Z'],
    [0x17, '240001000000Z'],
    [0x17, '241301000000Z'],
    [0x17, '240100000000Z'],
    [0x17, '240132000000Z'],
    [0x17, '230229000000Z'],
    [0x17, '240101240000Z'],
    [0x17, '240101006000Z'],
    [0x17, '240101000060Z'],
    [0x17, '24010100000 Z'],
    [0x18, '20240101000000.5Z'],
    [0x18, '240101000000Z'],
    [0x18, '19000229000000Z'],
    [0x16, '240101000000Z'],
  ])('X509-9 refuses tag %i %s', (tag, text) => expect(() => read(tag, text)).toThrow())

  it('agrees with the host’s calendar on 2,000 moments', () => {
    const random = new SeededRandom('calendar')
    let count = 0
    for (; count < 2000; count++) {
      const unixTime = random.int(-631152000, 253402300) * 1000 + random.below(2 ** 32) * 1000
      const date = new Date(unixTime)
      const civil = civilTimeOf(unixTime)
      expect(civil).toEqual({
        year: date.getUTCFullYear(),
        month: date.getUTCMonth() + 1,
        day: date.getUTCDate(),
        hour: date.getUTCHours(),
        minute: date.getUTCMinutes(),
        second: date.getUTCSeconds(),
      })
      expect(unixTimeOf(civil)).toBe(unixTime)
      expect(readTime(parseDer(derTime(unixTime), new DerBudget(1)))).toBe(unixTime)
    }
    expect(count).toBe(2000)
  })

  it('writes UTCTime through 2049 and GeneralizedTime after', () => {
    expect(derTime(Date.UTC(2049, 11, 31))[0]).toBe(0x17)
    expect(derTime(Date.UTC(2050, 0, 1))[0]).toBe(0x18)
    expect(timeText(Date.UTC(2024, 1, 3, 4, 5, 6, 789))).toBe('2024-02-03 04:05:06 UTC')
  })
})
