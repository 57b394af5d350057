/**
 * The replay window against its model: the same verdict on every one of a long run of random operations, in windows of many
 * sizes, with short and long ids, duplicates, late packets, jumps and pauses.
 */
import { describe, expect, it } from 'vitest'
import { ReplayWindow } from '../../src/reliability/index.ts'
import { ReplayModel } from '../support/replay-model.ts'
import { SeededRandom } from '../support/random.ts'
import { scaled } from '../support/scale.ts'

/** An id near the highest one, mostly. */
function drawId(random: SeededRandom, highest: number, size: number): number {
  const kind = random.below(100)
  if (kind < 45) return highest + 1
  if (kind < 60) return highest + random.int(1, 4)
  if (kind < 85) return Math.max(0, highest - random.below(size + 4))
  if (kind < 93) return Math.max(0, highest - random.below(8))
  if (kind < 97) return highest + random.int(1, 2 * size + 2)
  if (kind < 98) return random.below(3)
  return highest < 1e6 ? highest + random.int(1, 5000) : random.int(1, highest)
}

describe('replay window', () => {
  const operations = scaled(400_000, 10_000_000)
  const shapes: [size: number, seconds: number, long: boolean][] = [
    [64, 15, true],
    [64, 15, false],
    [1, 15, true],
    [2, 1, true],
    [17, 3, true],
    [100, 0, true],
    [128, 60, false],
    [300, 600, true],
  ]

  it(`REL-32, REL-33, REL-35, REL-36 agrees with the model on ${operations} operations`, () => {
    let asked = 0
    let taken = 0
    let late = 0
    let past = 0
    let seen = 0
    for (const [index, [size, seconds, long]] of shapes.entries()) {
      const random = new SeededRandom(`replay ${index}`)
      let window = new ReplayWindow(size, seconds)
      let model = new ReplayModel(size, seconds)
      let now = 0
      let time = long ? 1000 : 0
      for (let i = 0; i < operations / shapes.length; i++) {
        if (random.below(20_000) === 0) {
          window = new ReplayWindow(size, seconds)
          model = new ReplayModel(size, seconds)
        }
        if (random.chance(0.3)) now += random.below(random.chance(0.02) ? 30_000 : 400)
        let packetTime = time
        if (long && random.below(500) === 0) packetTime = time + random.int(-3, 3)
        const id = drawId(random, model.highest, size)
        const expected = model.accepts(id, packetTime, now)
        const actual = window.accepts(id, packetTime, now)
        if (actual !== expected) {
          throw new Error(`shape ${index}, step ${i}: id ${id} of ${model.highest} at ${now} is ${actual}`)
        }
        asked++
        if (!actual && id > 0 && packetTime === time) {
          const isPast = model.isPast(id, now)
          if (window.isPast(id, now) !== isPast)
            throw new Error(`shape ${index}, step ${i}: id ${id} is past: ${!isPast}`)
          if (isPast) past++
          else seen++
        }
        if (!actual || random.chance(0.05)) continue
        if (id < window.highest) late++
        window.commit(id, packetTime, now)
        model.commit(id, packetTime, now)
        taken++
        if (packetTime > time) time = packetTime
      }
    }
    expect(asked).toBe(operations)
    expect(taken).toBeGreaterThan(operations / 3)
    expect(late).toBeGreaterThan(operations / 50)
    expect(Math.min(past, seen)).toBeGreaterThan(operations / 100)
  })

  it('REL-34 a question never changes a later answer', () => {
    const random = new SeededRandom('questions')
    const asked = new ReplayWindow(64, 15)
    const quiet = new ReplayWindow(64, 15)
    let now = 0
    for (let i = 0; i < scaled(20_000, 1_000_000); i++) {
      now += random.below(500)
      for (let j = 0; j < 3; j++)
        asked.accepts(drawId(random, asked.highest, 64), random.below(2), now + random.below(99_000))
      const id = drawId(random, quiet.highest, 64)
      const verdict = quiet.accepts(id, 0, now)
      expect(asked.accepts(id, 0, now)).toBe(verdict)
      if (!verdict) continue
      asked.commit(id, 0, now)
      quiet.commit(id, 0, now)
    }
    expect(asked.snapshot(now)).toEqual(quiet.snapshot(now))
  })
})
