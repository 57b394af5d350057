import { describe, expect, it } from 'vitest'
import { InvariantError } from '../../../src/bytes/index.ts'
import { ReplayWindow } from '../../../src/reliability/index.ts'

/** Offers an id; commits it when it is taken. */
function offer(window: ReplayWindow, id: number, now = 0, time = 0): boolean {
  if (!window.accepts(id, time, now)) return false
  window.commit(id, time, now)
  return true
}

describe('ReplayWindow', () => {
  it('REL-30 spans 64 ids and 15 s, within bounds', () => {
    const window = new ReplayWindow()
    expect([window.size, window.seconds]).toEqual([64, 15])
    for (const [size, seconds] of [
      [0, 15],
      [65_537, 15],
      [1.5, 15],
      [64, -1],
      [64, 601],
    ] as const) {
      expect(() => new ReplayWindow(size, seconds)).toThrow(InvariantError)
    }
    expect(new ReplayWindow(65_536, 600).size).toBe(65_536)
  })

  it('REL-31 refuses id 0', () => {
    const window = new ReplayWindow()
    expect(offer(window, 0)).toBe(false)
    offer(window, 1)
    expect(offer(window, 0)).toBe(false)
    expect(offer(window, 0, 0, 1)).toBe(false)
  })

  it('REL-32 takes each id once, late ones within the window', () => {
    const window = new ReplayWindow()
    expect(offer(window, 100)).toBe(true)
    expect(offer(window, 100)).toBe(false)
    expect(offer(window, 37)).toBe(true)
    expect(offer(window, 37)).toBe(false)
    expect(offer(window, 36)).toBe(false)
    for (let id = 38; id < 100; id++) expect(offer(window, id), String(id)).toBe(true)
    for (let id = 1; id <= 100; id++) expect(offer(window, id), String(id)).toBe(false)
  })

  it('REL-32 a window of one takes rising ids only', () => {
    const window = new ReplayWindow(1, 15)
    expect([5, 4, 5, 6, 5, 9].map((id) => offer(window, id))).toEqual([true, false, false, true, false, true])
  })

  it('REL-33 a newer time starts afresh, an older one is refused', () => {
    const window = new ReplayWindow()
    expect(offer(window, 50, 0, 1000)).toBe(true)
    expect(offer(window, 50, 0, 999)).toBe(false)
    expect(offer(window, 51, 0, 0)).toBe(false)
    expect(offer(window, 1, 0, 1001)).toBe(true)
    expect([window.highest, window.time]).toEqual([1, 1001])
    expect(offer(window, 51, 0, 1000)).toBe(false)
    expect(offer(window, 1, 0, 1001)).toBe(false)
    expect(offer(window, 2, 0, 1001)).toBe(true)
    expect(offer(window, 3, 0, 0xffffffff)).toBe(true)
  })

  it('REL-34 asking never writes', () => {
    const window = new ReplayWindow()
    for (const id of [1, 2, 5, 70]) offer(window, id, id * 1000)
    const before = JSON.stringify(window.snapshot(100_000))
    for (let id = 0; id < 300; id++) {
      for (const time of [0, 1, 0xffffffff]) window.accepts(id, time, 500_000 + id)
    }
    expect(JSON.stringify(window.snapshot(100_000))).toBe(before)
  })

  it('REL-35 a jump leaves the ids below unseen, wherever it lands', () => {
    for (const jump of [64, 65, 127, 128, 129, 2 ** 31, 0xffffffff - 200]) {
      const window = new ReplayWindow()
      for (let id = 101; id <= 200; id++) offer(window, id)
      const top = 200 + jump
      expect(offer(window, top)).toBe(true)
      for (let id = top - 63; id < top; id++) expect(offer(window, id), `${jump} ${id}`).toBe(true)
      expect(offer(window, top - 64)).toBe(false)
    }
  })

  it('REL-35 a jump within the window keeps what was seen', () => {
    const window = new ReplayWindow()
    offer(window, 10)
    offer(window, 50)
    expect([10, 11, 49, 50].map((id) => offer(window, id))).toEqual([false, true, true, false])
  })

  it('REL-36 an id that aged out takes all below it along, seen or not', () => {
    const window = new ReplayWindow()
    offer(window, 10, 0)
    offer(window, 20, 1000)
    offer(window, 30, 4000)
    expect([9, 15, 25].map((id) => window.accepts(id, 0, 15_000))).toEqual([true, true, true])
    expect([9, 15, 25].map((id) => window.accepts(id, 0, 15_001))).toEqual([false, true, true])
    expect([9, 15, 25].map((id) => window.accepts(id, 0, 16_001))).toEqual([false, false, true])
    expect([9, 15, 25].map((id) => window.accepts(id, 0, 19_001))).toEqual([false, false, false])
    expect(window.accepts(31, 0, 1e9)).toBe(true)
  })

  it('REL-36 sweeps at most every five seconds', () => {
    const window = new ReplayWindow()
    offer(window, 10, 0)
    offer(window, 20, 12_000)
    offer(window, 21, 14_000)
    expect(window.accepts(5, 0, 15_500)).toBe(true)
    expect(window.accepts(5, 0, 16_999)).toBe(true)
    expect(window.accepts(5, 0, 17_000)).toBe(false)
  })

  it('REL-36 a backtrack of 0 s means no limit in time', () => {
    const window = new ReplayWindow(64, 0)
    offer(window, 10, 0)
    expect(offer(window, 9, 1e12)).toBe(true)
  })

  it('REL-37 holds one stamp per id and no more', () => {
    const window = new ReplayWindow(64, 15)
    for (let id = 1; id < 100_000; id += 3) offer(window, id, id)
    expect(window.snapshot(100_000).seen.length).toBeLessThanOrEqual(64)
  })

  it('REL-38 a restored window refuses what the saved one refuses', () => {
    const window = new ReplayWindow(100, 15)
    for (let id = 1; id < 400; id += 1 + (id % 7)) offer(window, id, 300 * id, 7)
    const now = 300 * window.highest
    expect(window.snapshot(now).expired).toBeGreaterThan(window.highest - 99)
    const restored = ReplayWindow.restore(JSON.parse(JSON.stringify(window.snapshot(now))) as never, 1000)
    let taken = 0
    for (const later of [0, 1000, 5000, 20_000]) {
      for (let id = 0; id < 500; id++) {
        for (const time of [6, 7, 8]) {
          if (!restored.accepts(id, time, 1000 + later)) continue
          expect(window.accepts(id, time, now + later), `${id} ${time} ${later}`).toBe(true)
          taken++
        }
      }
    }
    expect(taken).toBeGreaterThan(2400)
    expect([window.accepts(window.highest - 1, 7, now), restored.accepts(window.highest - 1, 7, 1000)]).toEqual([
      true,
      true,
    ])
  })

  it('REL-38 what expired stays expired where nothing seen is left to tell', () => {
    const window = new ReplayWindow()
    offer(window, 50, 0)
    offer(window, 60, 20_000)
    const restored = ReplayWindow.restore(window.snapshot(20_000), 0)
    expect([49, 50, 51].map((id) => window.accepts(id, 0, 20_000))).toEqual([false, false, true])
    expect([49, 50, 51].map((id) => restored.accepts(id, 0, 0))).toEqual([false, false, true])
  })

  it('REL-32 works for 48-bit counters', () => {
    const window = new ReplayWindow()
    const top = 0xffffffffffff
    expect([top, top - 63, top - 64, top].map((id) => offer(window, id))).toEqual([true, true, false, false])
    const crossing = new ReplayWindow()
    for (let id = 0xffffffff - 40; id <= 0xffffffff + 40; id++) expect(offer(crossing, id)).toBe(true)
    for (let id = 0xffffffff - 20; id <= 0xffffffff + 40; id++) expect(offer(crossing, id)).toBe(false)
  })
})
