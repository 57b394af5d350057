/**
 * Known attacks on the reliability of the control channel and on replay windows, one test each. The letters are those of the
 * threat table in the security notes.
 */
import { describe, expect, it } from 'vitest'
import { AckList, ReceiveWindow, ReplayWindow, SendWindow, Timers } from '../../src/reliability/index.ts'
import { SeededRandom } from '../support/random.ts'
import { scaled } from '../support/scale.ts'

/** Sends everything due; returns how many left. */
function drain(window: SendWindow<string>, now: number): number {
  let count = 0
  while (window.takeDue(now) !== undefined) count++
  return count
}

describe('reliability', () => {
  it('B14 a flood of acks, true, false and repeated, draws a bounded number of packets', () => {
    const random = new SeededRandom('ack flood')
    const window = new SendWindow<string>()
    for (let i = 0; i < 6; i++) window.push('message')
    let sent = drain(window, 0)
    const flood = scaled(100_000, 1_000_000)
    for (let i = 0; i < flood; i++) {
      window.acknowledge(random.pick([3, 4, 5, 6, 7, 1000, 0xffffffff]))
      sent += drain(window, 1)
    }
    expect(window.lowestUnacknowledged).toBe(0)
    expect(sent).toBeLessThanOrEqual(6 + 3)
    for (let i = 0; i < flood; i++) window.acknowledge(random.int(6, 0xffffffff))
    expect([window.inFlight, window.nextId]).toEqual([3, 6])
  })

  it('B14 acks of messages that were never sent acknowledge nothing', () => {
    const window = new SendWindow<string>()
    window.push('waiting')
    for (let id = 0; id < 100; id++) expect(window.acknowledge(id)).toBe(false)
    expect(drain(window, 0)).toBe(1)
  })

  it('B15 ids far ahead, gaps never filled and old ids neither fill memory nor block what is missing', () => {
    const random = new SeededRandom('message ids')
    const window = new ReceiveWindow<number>()
    let acknowledged = 0
    for (let i = 0; i < 100_000; i++) {
      const id = random.pick([random.int(1, 11), random.int(12, 100), random.uint32(), 0xffffffff, 12])
      const verdict = window.accept(id, id)
      if (verdict !== 'beyond') acknowledged++
      expect(id >= 12 ? verdict === 'beyond' : verdict !== 'beyond').toBe(true)
      expect(window.held).toBeLessThanOrEqual(11)
    }
    expect(acknowledged).toBeGreaterThan(10_000)
    expect(window.take()).toBeUndefined()
    expect(window.accept(0, 0)).toBe('new')
    const out: number[] = []
    for (let message = window.take(); message !== undefined; message = window.take()) out.push(message)
    expect(out).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
  })

  it('B15 a flood of old ids owes a bounded number of acks and cannot starve new ones for long', () => {
    const random = new SeededRandom('old ids')
    const acks = new AckList()
    for (let i = 0; i < 100_000; i++) acks.add(random.uint32())
    expect(acks.owed).toBe(12)
    expect(acks.available(100)).toBeLessThanOrEqual(12 + 8)
    acks.take(8)
    expect(acks.add(7)).toBe(true)
  })

  it('B13 a packet of one key is judged by that key’s window only, also when key ids come again', () => {
    const windows = Array.from({ length: 16 }, () => new ReplayWindow())
    for (const window of windows) for (let id = 1; id <= 50; id++) window.commit(id, 0, id)
    let refused = 0
    for (const window of windows) {
      for (let id = 1; id <= 50; id++) if (!window.accepts(id, 0, 100)) refused++
      expect(window.accepts(51, 0, 100)).toBe(true)
    }
    expect(refused).toBe(16 * 50)
  })

  it('C3 a jump of 2^31 and the edges of the window: nothing is taken twice', () => {
    const window = new ReplayWindow()
    const taken = new Map<number, number>()
    const random = new SeededRandom('edges')
    for (let i = 0; i < 50_000; i++) {
      const base = random.pick([1, 64, 65, 128, 2 ** 31, 2 ** 31 + 64, 2 ** 32 - 1])
      const id = Math.min(2 ** 32 - 1, Math.max(0, base + random.int(-70, 70)))
      if (!window.accepts(id, 0, i)) continue
      window.commit(id, 0, i)
      taken.set(id, (taken.get(id) ?? 0) + 1)
    }
    expect(Math.max(...taken.values())).toBe(1)
    expect(taken.size).toBeGreaterThan(50)
  })

  it('B16 timers at the edges of numbers neither fire early nor get lost', () => {
    const timers = new Timers(['hand-window', 'reneg'] as const)
    for (const deadline of [2 ** 31, 2 ** 32, 2 ** 53, Number.MAX_VALUE]) {
      timers.set('reneg', deadline)
      expect(timers.takeDue(deadline * (1 - Number.EPSILON))).toBeUndefined()
      expect(timers.takeDue(deadline)).toBe('reneg')
    }
    timers.set('reneg', Infinity)
    expect(timers.takeDue(Number.MAX_VALUE)).toBeUndefined()
  })
})
