import { describe, expect, it } from 'vitest'
import { DataCode, Fragmenter, parseFragmentHeader, Reassembler, REASSEMBLY_LIFE } from '../../../src/data/index.ts'
import { SeededRandom } from '../../support/random.ts'

const random = new SeededRandom('fragment')

function split(fragmenter: Fragmenter, packet: Uint8Array): Uint8Array[] {
  const buffer = new Uint8Array(packet.length + 4)
  buffer.set(packet, 4)
  const out: Uint8Array[] = []
  let length = fragmenter.wrap(buffer, 4, packet.length)
  while (length > 0) {
    out.push(buffer.slice(fragmenter.resultOffset, fragmenter.resultOffset + length))
    length = fragmenter.next(buffer, 4)
  }
  if (length < 0) throw new Error(`wrap answered ${length}`)
  return out
}

function join(reassembler: Reassembler, datagram: Uint8Array, now = 0): Uint8Array | number {
  const length = reassembler.unwrap(datagram, 0, datagram.length, now)
  const start = reassembler.resultOffset
  return length < 0 ? length : reassembler.resultBuffer.slice(start, start + length)
}

/** A fragment by its fields. */
function fragment(type: number, sequence: number, number: number, size: number, length: number, fill = 7): Uint8Array {
  const word = (type | (sequence << 2) | (number << 10) | ((size / 4) << 15)) >>> 0
  return Uint8Array.of(
    word >>> 24,
    (word >>> 16) & 255,
    (word >>> 8) & 255,
    word & 255,
    ...new Uint8Array(length).fill(fill),
  )
}

describe('sending', () => {
  it('FRAG-1 FRAG-2 even sizes, multiples of 4, never above the limit', () => {
    for (let i = 0; i < 500; i++) {
      const limit = random.int(60, 1400)
      const packet = random.bytes(random.int(1, 1700))
      const parts = split(new Fragmenter(limit), packet)
      const headers = parts.map((part) => parseFragmentHeader(part, 0))
      if (packet.length <= limit) {
        expect(headers).toEqual([{ type: 'whole', sequence: 0, number: 0, size: 0 }])
        continue
      }
      const size = parts[0]!.length - 4
      expect(size % 4).toBe(0)
      expect(size).toBeLessThanOrEqual(limit)
      expect(parts.length).toBe(Math.ceil(packet.length / size))
      headers.forEach((header, number) => {
        const last = number === headers.length - 1
        expect(header).toEqual({ type: last ? 'last' : 'not-last', sequence: 1, number, size: last ? size : 0 })
        if (!last) expect(parts[number]!.length).toBe(size + 4)
      })
    }
  })

  it('FRAG-3 more than 32 fragments are not sent', () => {
    const fragmenter = new Fragmenter(43)
    const buffer = new Uint8Array(2000)
    expect(fragmenter.wrap(buffer, 4, 40 * 32 + 1)).toBe(DataCode.UNSPLITTABLE)
    expect(fragmenter.left).toBe(0)
    expect(split(fragmenter, new Uint8Array(40 * 32)).length).toBe(32)
    expect(() => new Fragmenter(3)).toThrow()
  })

  it('a new packet gives up the fragments of the last one; sequence ids go round', () => {
    const fragmenter = new Fragmenter(8)
    const buffer = new Uint8Array(40)
    fragmenter.wrap(buffer, 4, 20)
    expect(fragmenter.left).toBe(2)
    fragmenter.wrap(buffer, 4, 5)
    expect(fragmenter.left).toBe(0)
    expect(fragmenter.next(buffer, 4)).toBe(0)
    for (let i = 2; i < 600; i++) {
      expect(parseFragmentHeader(split(fragmenter, new Uint8Array(9))[0]!, 0).sequence).toBe(i & 255)
    }
  })
})

describe('receiving', () => {
  it('takes fragments in any order, packets interleaved', () => {
    const fragmenter = new Fragmenter(100)
    const reassembler = new Reassembler(2000)
    for (let round = 0; round < 200; round++) {
      const packets = Array.from({ length: random.int(1, 20) }, () => random.bytes(random.int(101, 2000)))
      const parts = random.shuffle(packets.flatMap((packet) => split(fragmenter, packet)))
      const done = parts.map((part) => join(reassembler, part)).filter((result) => typeof result !== 'number')
      const text = (list: readonly Uint8Array[]): string[] =>
        list.map((bytes) => Buffer.from(bytes).toString('hex')).sort()
      expect(text(done)).toEqual(text(packets))
    }
    expect(reassembler.abandoned).toBe(0)
  })

  it('FRAG-4 FRAG-5 refuses broken fragments', () => {
    const reassembler = new Reassembler(1000)
    for (const length of [0, 1, 2, 3]) expect(join(reassembler, new Uint8Array(length))).toBe(DataCode.BAD_FRAGMENT)
    expect(join(reassembler, fragment(1, 1, 0, 0, 0)), 'empty').toBe(DataCode.BAD_FRAGMENT)
    expect(join(reassembler, fragment(1, 1, 0, 0, 10)), 'no multiple of 4').toBe(DataCode.BAD_FRAGMENT)
    expect(join(reassembler, fragment(2, 1, 1, 0, 8)), 'size 0').toBe(DataCode.BAD_FRAGMENT)
    expect(join(reassembler, fragment(2, 1, 1, 8, 9)), 'last above size').toBe(DataCode.BAD_FRAGMENT)
    expect(join(reassembler, fragment(2, 1, 31, 0x3fff * 4, 4)), 'huge size').toBe(DataCode.BAD_FRAGMENT)
    expect(join(reassembler, fragment(1, 1, 10, 0, 92)), 'beyond the largest').toBe(DataCode.BAD_FRAGMENT)
    expect(join(reassembler, fragment(1, 1, 9, 0, 100)), 'exactly the largest').toBe(DataCode.FRAGMENT_STORED)
    expect(join(reassembler, fragment(0, 0, 0, 0, 0)), 'whole and empty').toBe(DataCode.EMPTY)
  })

  it('FRAG-9 swallows test fragments', () => {
    expect(join(new Reassembler(100), fragment(3, 9, 3, 12, 50))).toBe(DataCode.FRAGMENT_TEST)
  })

  it('FRAG-8 a place is filled once; a packet with a hole in it never comes', () => {
    const reassembler = new Reassembler(100)
    expect(join(reassembler, fragment(1, 1, 0, 0, 8))).toBe(DataCode.FRAGMENT_STORED)
    expect(join(reassembler, fragment(1, 1, 0, 0, 8))).toBe(DataCode.DUPLICATE_FRAGMENT)
    expect(join(reassembler, fragment(2, 1, 2, 8, 3))).toBe(DataCode.FRAGMENT_STORED)
    expect(join(reassembler, fragment(1, 1, 2, 0, 8))).toBe(DataCode.DUPLICATE_FRAGMENT)
    expect(join(reassembler, fragment(1, 1, 5, 0, 8)), 'behind the last').toBe(DataCode.DUPLICATE_FRAGMENT)
    expect(join(reassembler, fragment(2, 1, 1, 8, 3)), 'a second last').toBe(DataCode.DUPLICATE_FRAGMENT)
    expect(join(reassembler, fragment(1, 1, 1, 0, 8))).toHaveProperty('length', 19)
  })

  it('FRAG-7 another size under the same id begins anew', () => {
    const reassembler = new Reassembler(100)
    join(reassembler, fragment(1, 1, 0, 0, 8, 1))
    expect(join(reassembler, fragment(1, 1, 0, 0, 12, 2))).toBe(DataCode.FRAGMENT_STORED)
    expect(reassembler.abandoned).toBe(1)
    const packet = join(reassembler, fragment(2, 1, 1, 12, 4, 3))
    expect(packet).toEqual(Uint8Array.of(...new Uint8Array(12).fill(2), ...new Uint8Array(4).fill(3)))
  })

  it('FRAG-6 25 slots: ids ahead push old ones out, ids far away empty all', () => {
    const reassembler = new Reassembler(100)
    const begin = (sequence: number): unknown => join(reassembler, fragment(1, sequence, 0, 0, 8))
    const finish = (sequence: number): unknown => join(reassembler, fragment(2, sequence, 1, 8, 8))
    for (let sequence = 240; sequence < 240 + 25; sequence++)
      expect(begin(sequence & 255)).toBe(DataCode.FRAGMENT_STORED)
    expect(reassembler.abandoned).toBe(0)
    expect(finish(240)).toHaveProperty('length', 16)
    expect(begin((240 + 25) & 255)).toBe(DataCode.FRAGMENT_STORED)
    expect(reassembler.abandoned, '240 was complete').toBe(0)
    expect(begin((240 + 26) & 255)).toBe(DataCode.FRAGMENT_STORED)
    expect(reassembler.abandoned, '241 was not').toBe(1)
    expect(finish(242)).toHaveProperty('length', 16)
    expect(finish(241), 'a slot of its own no more').toBe(DataCode.FRAGMENT_STORED)
    begin(100)
    expect(reassembler.abandoned).toBeGreaterThan(20)
    expect(finish(250), 'emptied').toBe(DataCode.FRAGMENT_STORED)
  })

  it('FRAG-6 incomplete packets are given up after 10 seconds, looked at every 5', () => {
    const reassembler = new Reassembler(100)
    const begin = (sequence: number, now: number): unknown => join(reassembler, fragment(1, sequence, 0, 0, 8), now)
    const finish = (sequence: number, now: number): unknown => join(reassembler, fragment(2, sequence, 1, 8, 8), now)
    const whole = fragment(0, 0, 0, 0, 5)
    begin(1, 0)
    begin(2, 4000)
    for (let now = 1000; now <= REASSEMBLY_LIFE; now += 1000) join(reassembler, whole, now)
    expect(reassembler.abandoned).toBe(0)
    expect(finish(2, 11_000)).toHaveProperty('length', 16)
    join(reassembler, whole, 15_000)
    expect(reassembler.abandoned).toBe(1)
    expect(finish(1, 15_001)).toBe(DataCode.FRAGMENT_STORED)
  })
})
