import { describe, expect, it } from 'vitest'
import { LongPacketIdCounter, ShortPacketIdCounter } from '../../../src/reliability/index.ts'

describe('packet id counters', () => {
  it('REL-50 short ids run from 1 to the last and then stop', () => {
    const ids = new ShortPacketIdCounter()
    expect([ids.next(), ids.next()]).toEqual([1, 2])
    ids.id = 0xfffffffe
    expect([ids.next(), ids.next(), ids.next()]).toEqual([0xffffffff, 0, 0])
  })

  it('REL-51 long ids keep the time of the first one', () => {
    const ids = new LongPacketIdCounter()
    ids.advance(1000.9)
    expect([ids.id, ids.time]).toEqual([1, 1000])
    ids.advance(2000)
    expect([ids.id, ids.time]).toEqual([2, 1000])
  })

  it('REL-51 may begin elsewhere, as early negotiation and cookies need', () => {
    const early = new LongPacketIdCounter(0x0f000000)
    early.advance(5)
    expect(early.id).toBe(0x0f000001)
    const answered = new LongPacketIdCounter(1)
    answered.advance(5)
    expect(answered.id).toBe(2)
  })

  it('REL-52 begin again under a later time, also when the clock stood still', () => {
    for (const [now, expected] of [
      [1000, 1001],
      [500, 1001],
      [5000, 5000],
    ] as const) {
      const ids = new LongPacketIdCounter(0xfffffffe)
      ids.advance(1000)
      expect([ids.id, ids.time]).toEqual([0xffffffff, 1000])
      ids.advance(now)
      expect([ids.id, ids.time]).toEqual([1, expected])
    }
  })

  it('REL-51 in 2038 and 2106 the time is a u32', () => {
    for (const [unixSeconds, time] of [
      [0x7fffffff, 0x7fffffff],
      [0x80000000, 0x80000000],
      [0xffffffff, 0xffffffff],
      [0x100000005, 5],
    ] as const) {
      const ids = new LongPacketIdCounter()
      ids.advance(unixSeconds)
      expect(ids.time).toBe(time)
    }
  })
})
