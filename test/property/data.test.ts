/**
 * Laws of the data channel, and its stateful parts against models that are too simple to be wrong.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  DataCode,
  dataLayout,
  dataReason,
  DataPipeline,
  decompressLz4,
  decompressLzo,
  isAuthentic,
  largestPayload,
  parseFragmentHeader,
  Reassembler,
  sealedLength,
} from '../../src/data/index.ts'
import { AEADS, CBCS, channelPair, DIGESTS, pipelineOpened, pipelineSealed, sealed, VARIANTS } from '../support/data.ts'
import { SeededRandom } from '../support/random.ts'
import { scaled } from '../support/scale.ts'

const settings = { seed: 20_260_101, numRuns: scaled(200, 20_000) }

describe('laws', () => {
  it('DATA-30 sealed length and largest payload are each other’s inverse', () => {
    const choice = fc.record({
      cipher: fc.constantFrom(...AEADS, ...CBCS, 'none' as const, 'BF-CBC' as const),
      auth: fc.constantFrom(...DIGESTS, 'none' as const),
      epoch: fc.boolean(),
      staticKey: fc.boolean(),
      peerId: fc.boolean(),
    })
    fc.assert(
      fc.property(choice, fc.integer({ min: 0, max: 3000 }), (c, length) => {
        const layout = dataLayout(c)
        const size = sealedLength(layout, length)
        expect(largestPayload(layout, size)).toBeGreaterThanOrEqual(length)
        expect(largestPayload(layout, size - 1)).toBeLessThan(length)
      }),
      settings,
    )
  })

  it('DATA-38 a pipeline gives back every packet, in any order, under any setting', () => {
    const setting = fc.record({
      variant: fc.constantFrom(...VARIANTS),
      compression: fc.constantFrom('none', 'comp-lzo', 'stub', 'lzo', 'lz4', 'stub-v2', 'lz4-v2' as const),
      fragment: fc.constantFrom(undefined, 64, 333, 1400),
      device: fc.constantFrom('tun', 'tap' as const),
      lengths: fc.array(fc.integer({ min: 20, max: 1600 }), { minLength: 1, maxLength: 12 }),
      seed: fc.integer(),
    })
    fc.assert(
      fc.property(setting, ({ variant, compression, fragment, device, lengths, seed }) => {
        const random = new SeededRandom(seed)
        const { client, server } = channelPair({ ...variant.options, replay: { window: 4096 } }, seed)
        const options = { device, compression, ...(fragment === undefined ? {} : { fragment }) } as const
        const sender = new DataPipeline(options)
        const receiver = new DataPipeline(options)
        const packets = lengths.map((length) => {
          const packet = random.bytes(length)
          // An Ethernet frame may begin with any byte, 0x50 among them; an IP packet may not.
          packet[0] = device === 'tun' ? 0x45 : random.pick([0x50, 0xfa, 0xfb, packet[0]!])
          return packet
        })
        const datagrams = random.shuffle(packets.flatMap((packet) => pipelineSealed(sender, client, packet)))
        const got = datagrams.map((datagram) => pipelineOpened(receiver, server, datagram))
        const text = (list: readonly (Uint8Array | number)[]): string[] =>
          list.map((bytes) => (typeof bytes === 'number' ? String(bytes) : Buffer.from(bytes).toString('hex'))).sort()
        expect(text(got.filter((result) => result !== DataCode.FRAGMENT_STORED))).toEqual(text(packets))
      }),
      settings,
    )
  })
})

describe('a peer that has the keys and means harm', () => {
  it('DATA-39 DATA-40 COMP-4 COMP-8 FRAG-5: no payload makes a pipeline throw, deliver too much, or deliver no packet', () => {
    const rounds = scaled(20_000, 2_000_000)
    const random = new SeededRandom('hostile peer')
    const framings = ['none', 'comp-lzo', 'stub', 'lz4', 'stub-v2', 'lz4-v2'] as const
    const largestPacket = 300
    const setups = framings.flatMap((compression) =>
      [undefined, 100].flatMap((fragment) =>
        (['tun', 'tap'] as const).map((device) => {
          const { client, server } = channelPair({ cipher: 'none', auth: 'none' })
          const more = fragment === undefined ? {} : { fragment }
          const pipeline = new DataPipeline({
            device,
            compression,
            allowCompression: true,
            largestPacket,
            mss: 100,
            ...more,
          })
          return { device, fragment, client, server, pipeline }
        }),
      ),
    )
    const results = new Map<string, number>()
    let now = 0
    for (let i = 0; i < rounds; i++) {
      const { device, fragment, client, server, pipeline } = random.pick(setups)
      const payload = random.bytes(random.pick([1, 2, 3, 4, 5, 17, 21, 60, 1 + random.below(500)]))
      let at = 0
      if (fragment !== undefined && random.chance(0.9) && payload.length > 4) {
        payload.set([0, 0, random.below(8), random.pick([0, 0, 0, 1, 2, 3, 4, 6])])
        at = 4
      }
      payload[at] = random.pick([0x45, 0x60, 0xfa, 0xfb, 0x66, 0x67, 0x68, 0x69, 0x50, 0x2a, 0x28, payload[at]!])
      if (payload[at] === 0x50 && at + 1 < payload.length) payload[at + 1] = random.below(12)
      now += random.pick([0, 1, 100, 5000])
      const result = pipelineOpened(pipeline, server, sealed(client, payload), now)
      if (typeof result === 'number') {
        if (!isAuthentic(result)) expect.fail(`${dataReason(result)} of an authentic packet`)
        results.set(dataReason(result), (results.get(dataReason(result)) ?? 0) + 1)
        continue
      }
      if (result.length > largestPacket) expect.fail(`${result.length} bytes delivered`)
      if (device === 'tun' && result[0]! >> 4 !== 4 && result[0]! >> 4 !== 6) expect.fail('no IP packet delivered')
      results.set(device, (results.get(device) ?? 0) + 1)
    }
    for (const reason of [
      'tun',
      'tap',
      'not-ip',
      'too-long',
      'unknown-compression',
      'compression-refused',
      'bad-compression',
      'bad-fragment',
      'fragment-stored',
      'fragment-test',
      'empty',
    ]) {
      expect(results.get(reason), `${reason} among ${[...results].join(' ')}`).toBeGreaterThan(rounds / 2000)
    }
  })
})

describe('the replay window of a channel', () => {
  /** All ids ever seen, with their times: the model keeps everything and looks through it each time. */
  class Model {
    readonly seen = new Map<number, number>()
    highest = 0
    expired = 0
    lastSweep = -Infinity
    take(id: number, now: number, size: number, seconds: number): boolean {
      const sweep = (): number => {
        for (let at = this.highest; at > Math.max(this.expired, this.highest - size); at--) {
          const stamp = this.seen.get(at)
          if (stamp !== undefined && stamp < now - seconds * 1000) return at
        }
        return this.expired
      }
      const due = now - this.lastSweep >= 5000
      const expired = due ? sweep() : this.expired
      if (id <= this.highest && (id <= expired || this.highest - id >= size || this.seen.has(id))) return false
      if (due) {
        this.expired = expired
        this.lastSweep = now
      }
      this.seen.set(id, now)
      this.highest = Math.max(this.highest, id)
      return true
    }
  }

  it('DATA-8 judges like the model, whatever arrives when', () => {
    const rounds = scaled(40, 100_000)
    let taken = 0
    let refused = 0
    for (let round = 0; round < rounds; round++) {
      const random = new SeededRandom(`replay ${round}`)
      const size = random.pick([1, 8, 64])
      const seconds = random.pick([1, 15])
      const packets = 250
      const { client, server } = channelPair({
        cipher: 'none',
        auth: 'none',
        replay: { window: size, seconds },
      })
      const datagrams = Array.from({ length: packets }, () => sealed(client, Uint8Array.of(1)))
      const model = new Model()
      let now = 0
      for (let front = 0; front < packets; ) {
        front += random.pick([0, 0, 1, 1, 1, 2, random.below(random.pick([3, 90]))])
        const id = Math.max(1, Math.min(packets, front) - random.pick([0, 0, 1, random.below(20), random.below(100)]))
        now += random.pick([0, 1, 10, 100, random.below(6000)])
        const buffer = datagrams[id - 1]!.slice()
        const accepted = server.open(buffer, 0, buffer.length, now) >= 0
        expect(accepted, `round ${round} id ${id} now ${now}`).toBe(model.take(id, now, size, seconds))
        if (accepted) taken++
        else refused++
      }
    }
    expect(taken).toBeGreaterThan(rounds * 20)
    expect(refused).toBeGreaterThan(rounds * 5)
  })
})

describe('reassembly', () => {
  interface Pending {
    size: number
    readonly parts: Map<number, Uint8Array>
    last: number
    touched: number
  }
  /** Packets by absolute id, nothing shared: ids near the top are alive, everything else is not. */
  class Model {
    pending = new Map<number, Pending>()
    top = 0
    nextSweep = -Infinity
    take(datagram: Uint8Array, largest: number, now: number): Uint8Array | number {
      if (now >= this.nextSweep) {
        this.nextSweep = now + 5000
        for (const [id, p] of this.pending) if (now - p.touched > 10_000) this.pending.delete(id)
      }
      if (datagram.length < 4) return DataCode.BAD_FRAGMENT
      const header = parseFragmentHeader(datagram, 0)
      const body = datagram.slice(4)
      if (header.type === 'whole') return body.length > 0 ? body : DataCode.EMPTY
      if (header.type === 'test') return DataCode.FRAGMENT_TEST
      const last = header.type === 'last'
      const size = last ? header.size : body.length
      if (body.length === 0 || body.length > size || size % 4 !== 0) return DataCode.BAD_FRAGMENT
      if (header.number * size + body.length > largest) return DataCode.BAD_FRAGMENT
      let distance = (header.sequence - (this.top & 255)) & 255
      if (distance > 127) distance -= 256
      const id = this.top + distance
      if (Math.abs(distance) >= 25) this.pending.clear()
      if (distance > 0 || Math.abs(distance) >= 25) this.top = id
      for (const other of this.pending.keys()) if (other <= this.top - 25) this.pending.delete(other)
      let entry = this.pending.get(id)
      if (entry?.size !== size) {
        entry = { size, parts: new Map(), last: -1, touched: now }
        this.pending.set(id, entry)
      }
      const { number } = header
      const closed = entry.last >= 0 && number >= entry.last
      const overlapped = last && [...entry.parts.keys()].some((n) => n >= number)
      if (entry.parts.has(number) || closed || overlapped) return DataCode.DUPLICATE_FRAGMENT
      entry.parts.set(number, body)
      entry.touched = now
      if (last) entry.last = number
      if (entry.last < 0 || entry.parts.size !== entry.last + 1) return DataCode.FRAGMENT_STORED
      this.pending.delete(id)
      return Uint8Array.from([...entry.parts].sort(([a], [b]) => a - b).flatMap(([, part]) => [...part]))
    }
  }

  it('FRAG-4 to FRAG-9: judges like the model, honest and hostile fragments mixed', () => {
    const operations = scaled(40_000, 10_000_000)
    const random = new SeededRandom('reassembly')
    const largest = 200
    const reassembler = new Reassembler(largest)
    const model = new Model()
    const counts = new Map<string, number>()
    let sequence = 0
    let now = 0
    for (let i = 0; i < operations; i++) {
      if (random.chance(0.15)) sequence += random.pick([1, 1, 1, 2, random.below(60)])
      if (random.chance(0.3)) now += random.pick([1, 50, 500, random.below(9000)])
      const number = random.pick([0, 1, 2, 3, random.below(32)])
      const size = random.pick([8, 8, 8, 8, 12, 0, 4 * random.below(30)])
      const length = random.chance(0.95) ? size : random.below(40)
      const type = random.pick([1, 1, 1, 1, 2, 2, 2, 0, 3])
      const word = type | (((sequence - random.pick([0, 0, 0, 1, 3, random.below(40)])) & 255) << 2) | (number << 10)
      const datagram = random.bytes(4 + (type === 2 ? random.below(length + 2) : length))
      new DataView(datagram.buffer).setUint32(0, (word | (type === 2 ? (size / 4) << 15 : 0)) >>> 0)
      const cut = random.chance(0.01) ? datagram.slice(0, random.below(5)) : datagram
      const copy = cut.slice()
      const result = reassembler.unwrap(copy, 0, copy.length, now)
      const start = reassembler.resultOffset
      const got = result < 0 ? result : reassembler.resultBuffer.slice(start, start + result)
      const wanted = model.take(cut, largest, now)
      if (typeof got === 'number' || typeof wanted === 'number') expect(got, `operation ${i}`).toBe(wanted)
      else expect(Buffer.compare(got, wanted), `operation ${i}`).toBe(0)
      const name = typeof got === 'number' ? String(got) : type === 0 ? 'whole' : 'packet'
      counts.set(name, (counts.get(name) ?? 0) + 1)
    }
    expect([...counts.keys()].sort()).toEqual(
      [
        DataCode.BAD_FRAGMENT,
        DataCode.DUPLICATE_FRAGMENT,
        DataCode.FRAGMENT_STORED,
        DataCode.FRAGMENT_TEST,
        DataCode.EMPTY,
        'packet',
        'whole',
      ]
        .map(String)
        .sort(),
    )
    expect(counts.get('packet')).toBeGreaterThan(operations / 100)
  })
})

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
