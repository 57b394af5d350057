/**
 * LZ4 and LZO1X: what writers of our own wrote is read back, and hostile input does no harm.
 */
import { describe, expect, it } from 'vitest'
import { decompressLz4, decompressLzo } from '../../src/data/index.ts'
import { SeededRandom } from '../support/random.ts'
import { scaled } from '../support/scale.ts'

describe('decompressors', () => {
  /** A random block or stream with what it decodes to. */
  type Written = readonly [packed: number[], plain: number[]]

  function continued(length: number, base: number): number[] {
    const bytes: number[] = []
    let rest = length - base
    while (rest > 255) {
      bytes.push(0)
      rest -= 255
    }
    return [...bytes, rest]
  }

  function copyMatch(plain: number[], distance: number, length: number): void {
    for (let i = 0; i < length; i++) plain.push(plain[plain.length - distance]!)
  }

  function writeLz4(random: SeededRandom): Written {
    const packed: number[] = []
    const plain: number[] = []
    const extra = (value: number): number[] => {
      const bytes: number[] = []
      for (let rest = value - 15; rest >= 0; rest -= 255) bytes.push(Math.min(255, rest))
      if (bytes.at(-1) === 255) bytes.push(0)
      return value < 15 ? [] : bytes
    }
    for (let sequences = random.below(8); sequences >= 0; sequences--) {
      const literals = random.pick([0, 1, 3, 14, 15, 16, 270, 525, random.below(60)])
      const bytes = [...random.bytes(literals)]
      const length = random.pick([4, 5, 18, 19, 20, 274, 600, 4 + random.below(40)])
      const last = sequences === 0 || plain.length + literals === 0
      packed.push((Math.min(15, literals) << 4) | (last ? random.below(16) : Math.min(15, length - 4)))
      packed.push(...extra(literals), ...bytes)
      plain.push(...bytes)
      if (last) break
      const distance = 1 + random.below(Math.min(plain.length, 65_535))
      packed.push(distance & 255, distance >> 8, ...extra(length - 4))
      copyMatch(plain, distance, length)
    }
    return [packed, plain]
  }

  function writeLzo(random: SeededRandom): Written {
    const packed: number[] = []
    const plain: number[] = []
    let state = 0
    const literals = (count: number): void => {
      const bytes = [...random.bytes(count)]
      packed.push(...bytes)
      plain.push(...bytes)
    }
    if (random.chance(0.5)) {
      const count = random.pick([1, 2, 3, 4, 5, 238])
      packed.push(17 + count)
      literals(count)
      state = Math.min(4, count)
    }
    for (let left = random.below(12); left > 0; left--) {
      const trailing = random.below(4)
      const near = (most: number): number => 1 + random.below(Math.min(most, plain.length))
      const kind = plain.length === 0 ? 'run' : random.pick(['run', 'two', 'short', 'near', 'middle', 'far'])
      if (kind === 'run') {
        if (state !== 0) continue
        const count = random.pick([4, 18, 19, 273, 274, 600, 4 + random.below(30)])
        packed.push(...(count <= 18 ? [count - 3] : [0, ...continued(count, 18)]))
        literals(count)
        state = 4
        continue
      }
      let distance: number
      let length: number
      if (kind === 'two') {
        if (state === 0 || (state === 4 && plain.length < 2049)) continue
        const base = state === 4 ? 2049 : 1
        distance = base + random.below(Math.min(1024, plain.length - base + 1))
        length = state === 4 ? 3 : 2
        packed.push((((distance - base) & 3) << 2) | trailing, (distance - base) >> 2)
      } else if (kind === 'short') {
        distance = near(2048)
        length = random.int(3, 4)
        packed.push(0x40 | ((length - 3) << 5) | (((distance - 1) & 7) << 2) | trailing, (distance - 1) >> 3)
      } else if (kind === 'near') {
        distance = near(2048)
        length = random.int(5, 8)
        packed.push(0x80 | ((length - 5) << 5) | (((distance - 1) & 7) << 2) | trailing, (distance - 1) >> 3)
      } else if (kind === 'middle') {
        distance = near(16_384)
        length = random.pick([3, 33, 34, 289, 290, 600])
        packed.push(...(length <= 33 ? [0x20 | (length - 2)] : [0x20, ...continued(length, 33)]))
        packed.push((((distance - 1) & 63) << 2) | trailing, (distance - 1) >> 6)
      } else {
        if (plain.length < 16_385) {
          // Fill up far enough, cheaply.
          if (plain.length < 1000) continue
          packed.push(0x20, ...continued(17_000, 33), 0, 0)
          copyMatch(plain, 1, 17_000)
        }
        const beyond = 1 + random.below(Math.min(32_767, plain.length - 16_384))
        distance = 16_384 + beyond
        length = random.pick([3, 9, 10, 265, 300])
        const high = (beyond >> 14) << 3
        packed.push(...(length <= 9 ? [0x10 | high | (length - 2)] : [0x10 | high, ...continued(length, 9)]))
        packed.push(((beyond & 63) << 2) | trailing, (beyond >> 6) & 255)
      }
      copyMatch(plain, distance, length)
      literals(trailing)
      state = trailing
    }
    packed.push(0x11, 0, 0)
    return [packed, plain]
  }

  const decoders = [
    { name: 'LZ4', decode: decompressLz4, write: writeLz4 },
    { name: 'LZO1X', decode: decompressLzo, write: writeLzo },
  ]

  it.each(decoders)('COMP-9 COMP-11 $name: everything that can be written is read back', ({ decode, write }) => {
    const rounds = scaled(3000, 300_000)
    const output = new Uint8Array(80_000)
    let bytes = 0
    for (let i = 0; i < rounds; i++) {
      const [packed, plain] = write(new SeededRandom(`write ${i}`))
      const input = Uint8Array.from(packed)
      const length = decode(input, 0, input.length, output, 0, plain.length)
      expect(length, `seed ${i}`).toBe(plain.length)
      for (let at = 0; at < length; at++) if (output[at] !== plain[at]) expect.fail(`seed ${i} byte ${at}`)
      if (plain.length > 0) expect(decode(input, 0, input.length, output, 0, plain.length - 1)).toBe(-1)
      bytes += length
    }
    expect(bytes).toBeGreaterThan(rounds * 100)
  })

  it.each(decoders)(
    'COMP-9 COMP-10 COMP-11 COMP-12 $name: hostile input writes nothing past its room and never throws',
    ({ decode, write }) => {
      const rounds = scaled(50_000, 5_000_000)
      const random = new SeededRandom('hostile')
      const room = 256
      const output = new Uint8Array(room + 32)
      const twin = new Uint8Array(room + 32)
      let refused = 0
      let read = 0
      let written: Written = [[], []]
      for (let i = 0; i < rounds; i++) {
        if (i % 16 === 0) written = write(random)
        let input: Uint8Array = Uint8Array.from(written[0].slice(0, 400))
        if (random.chance(0.4)) input = random.bytes(random.below(48))
        for (let flips = random.below(4); flips > 0 && input.length > 0; flips--) {
          input[random.below(input.length)] = random.pick([0, 255, 17, random.below(256)])
        }
        if (random.chance(0.3)) input = input.subarray(0, random.below(input.length + 1))
        // What lies around the input must not matter: it stands in a larger array, first of bytes that end a stream.
        const around = new Uint8Array(input.length + 16).fill(0x11)
        around.set(input, 8)
        output.fill(0xee)
        const length = decode(around, 8, 8 + input.length, output, 16, 16 + room)
        if (i % 8 === 0) {
          around.fill(i, 0, 8)
          around.fill(i, 8 + input.length)
          const again = decode(around, 8, 8 + input.length, twin, 16, 16 + room)
          if (again !== length) expect.fail(`input ${i} was read past its end`)
          for (let at = 0; at < length; at++) if (twin[16 + at] !== output[16 + at]) expect.fail(`input ${i} differs`)
        }
        if (length < 0) refused++
        else read++
        for (let at = 0; at < 16; at++) {
          if (output[at] !== 0xee || output[16 + room + at] !== 0xee) expect.fail(`input ${i} left its room`)
        }
        if (length > room) expect.fail(`input ${i} claims ${length} bytes`)
      }
      expect(refused).toBeGreaterThan(rounds / 4)
      expect(read).toBeGreaterThan(rounds / 100)
    },
  )
})
