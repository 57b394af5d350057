/**
 * The stateful parts of the data channel, replay windows and reassembly, against models that are too simple to be wrong.
 */
import { describe, expect, it } from 'vitest'
import { DataCode, parseFragmentHeader, Reassembler } from '../../src/data/index.ts'
import { channelPair, sealed } from '../support/data.ts'
import { SeededRandom } from '../support/random.ts'
import { scaled } from '../support/scale.ts'

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
