/**
 * Send window, receive window and ack list together over a network that loses, repeats and reorders, in virtual time; and
 * each of them against a plain model.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AckList, ReceiveWindow, SendWindow, type SendWindowOptions, Timers } from '../../src/reliability/index.ts'
import { SeededRandom } from '../support/random.ts'
import { scaled } from '../support/scale.ts'

interface Packet {
  acks: number[]
  packetId: number | undefined
  message: number
}

/** One end of a control channel, reduced to its reliability. */
class End {
  readonly send: SendWindow<number>
  readonly receive = new ReceiveWindow<number>()
  readonly acks = new AckList()
  readonly delivered: number[] = []
  readonly #backlog: number[]
  transmissions = 0

  constructor(backlog: number[], options: SendWindowOptions) {
    this.#backlog = backlog
    this.send = new SendWindow(options)
  }

  get done(): boolean {
    return this.#backlog.length === 0 && this.send.inFlight === 0
  }

  arrive(packet: Packet): void {
    for (const id of packet.acks) this.send.acknowledge(id)
    if (packet.packetId === undefined) return
    if (this.receive.accept(packet.packetId, packet.message) !== 'beyond') this.acks.add(packet.packetId)
    for (let message = this.receive.take(); message !== undefined; message = this.receive.take()) {
      this.delivered.push(message)
    }
  }

  /** Everything that leaves at `now`. */
  drain(now: number): Packet[] {
    while (this.#backlog.length > 0 && this.send.room > 0) this.send.push(this.#backlog.shift()!)
    const out: Packet[] = []
    for (let entry = this.send.takeDue(now); entry !== undefined; entry = this.send.takeDue(now)) {
      out.push({ acks: this.acks.take(4), packetId: entry.packetId, message: entry.message })
      this.transmissions++
    }
    if (this.acks.owed > 0) out.push({ acks: this.acks.take(8), packetId: undefined, message: 0 })
    return out
  }
}

interface Link {
  loss: number
  duplicate: number
  jitter: number
}

/** Runs two ends until both are done; returns the virtual time it took. */
function run(random: SeededRandom, ends: [End, End], link: Link, limit: number): number {
  const flying: { at: number; to: End; packet: Packet }[] = []
  let now = 0
  const launch = (from: End, to: End) => {
    for (const packet of from.drain(now)) {
      expect(new Set(packet.acks).size).toBe(packet.acks.length)
      expect(packet.acks.length).toBeLessThanOrEqual(packet.packetId === undefined ? 8 : 4)
      const copies = random.chance(link.loss) ? 0 : random.chance(link.duplicate) ? 2 : 1
      for (let i = 0; i < copies; i++) flying.push({ at: now + 20 + random.below(link.jitter + 1), to, packet })
    }
  }
  while (!ends.every((end) => end.done) && now <= limit) {
    launch(ends[0], ends[1])
    launch(ends[1], ends[0])
    for (const { send, receive } of ends) {
      expect(send.nextId - send.lowestUnacknowledged).toBeLessThanOrEqual(send.size)
      expect(receive.held).toBeLessThanOrEqual(receive.size)
      expect(send.nextDeadline()).toBeGreaterThan(now)
    }
    const next = Math.min(...flying.map(({ at }) => at), ends[0].send.nextDeadline(), ends[1].send.nextDeadline())
    if (next === Infinity) break
    now = Math.max(now, next)
    for (let i = 0; i < flying.length; i++) {
      const { at, to, packet } = flying[i]!
      if (at > now) continue
      flying.splice(i, 1)
      i--
      to.arrive(packet)
    }
  }
  return now
}

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i)

describe('two ends over a bad link', () => {
  const runs = scaled(300, 20_000)

  it(`REL-2, REL-10, REL-13, REL-20 deliver all messages once and in order, in ${runs} runs`, () => {
    let delivered = 0
    for (let i = 0; i < runs; i++) {
      const random = new SeededRandom(`link ${i}`)
      const link = { loss: random.float() * 0.5, duplicate: random.float() * 0.3, jitter: random.below(2000) }
      const options = { size: random.pick([4, 6]), timeoutCap: random.pick([4000, Infinity]) }
      const counts = [random.int(1, 40), random.below(40)] as const
      const ends: [End, End] = [new End(numbers(counts[0]), options), new End(numbers(counts[1]), options)]
      const now = run(random, ends, link, 1e15)
      expect([ends[1].delivered, ends[0].delivered], `run ${i}, ${now} ms`).toEqual(counts.map(numbers))
      delivered += counts[0] + counts[1]
    }
    expect(delivered).toBeGreaterThan(20 * runs)
  })

  it('REL-3 a clean link carries every message exactly once', () => {
    const ends: [End, End] = [new End(numbers(100), {}), new End(numbers(50), {})]
    run(new SeededRandom('clean'), ends, { loss: 0, duplicate: 0, jitter: 0 }, 1e6)
    expect([ends[0].transmissions, ends[1].transmissions]).toEqual([100, 50])
  })

  it('REL-4 a single lost message is repaired after three later acks, not after two seconds', () => {
    const ends: [End, End] = [new End(numbers(6), {}), new End([], {})]
    const [client, server] = ends
    const first = client.drain(0)
    for (const packet of first.slice(1, 4)) {
      server.arrive(packet)
      for (const answer of server.drain(10)) client.arrive(answer)
    }
    expect(client.drain(20).map((packet) => packet.packetId)).toEqual([0])
  })

  it('REL-3 the cap keeps a handshake of 12 messages a side within 60 s on 30 % loss, 97 times of 100', () => {
    let inTime = 0
    const tries = scaled(300, 10_000)
    for (let i = 0; i < tries; i++) {
      const ends: [End, End] = [new End(numbers(12), {}), new End(numbers(12), {})]
      const random = new SeededRandom(`handshake ${i}`)
      if (run(random, ends, { loss: 0.3, duplicate: 0.1, jitter: 100 }, 120_000) <= 60_000) inTime++
    }
    expect(inTime / tries).toBeGreaterThan(0.97)
  })
})

describe('models', () => {
  const runs = { numRuns: scaled(500, 50_000), seed: 20_260_102 }

  it('REL-10, REL-11, REL-12 the receive window is a set of held ids and a next one', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 12 }),
        fc.array(fc.oneof(fc.integer({ min: 0, max: 40 }), fc.constant('take' as const)), { maxLength: 80 }),
        (size, steps) => {
          const window = new ReceiveWindow<number>(size)
          const held = new Set<number>()
          let next = 0
          for (const step of steps) {
            if (step === 'take') {
              expect(window.take()).toBe(held.has(next) ? next : undefined)
              if (held.delete(next)) next++
              continue
            }
            const verdict = step < next || held.has(step) ? 'duplicate' : step < next + size ? 'new' : 'beyond'
            expect(window.accept(step, step)).toBe(verdict)
            if (verdict === 'new') held.add(step)
            expect([window.nextId, window.held]).toEqual([next, held.size])
          }
        },
      ),
      runs,
    )
  })

  it('REL-20, REL-21, REL-22, REL-23 acks: owed ones first, then recent ones, none twice, none invented', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.integer({ min: 0, max: 15 }), fc.constantFrom('4' as const, '8' as const)), {
          maxLength: 60,
        }),
        (steps) => {
          const acks = new AckList()
          let owed: number[] = []
          let recent: number[] = []
          for (const step of steps) {
            if (typeof step === 'number') {
              const room = owed.includes(step) || owed.length < 12
              expect(acks.add(step)).toBe(room)
              if (room && !owed.includes(step)) owed.push(step)
              continue
            }
            const limit = Number(step)
            const fresh = owed.slice(0, limit)
            owed = owed.slice(limit)
            const expected = [...fresh]
            for (const id of recent) if (expected.length < limit && !expected.includes(id)) expected.push(id)
            expect(acks.available(limit)).toBeGreaterThanOrEqual(expected.length)
            expect(acks.take(limit)).toEqual(expected)
            for (const id of fresh) recent = [id, ...recent.filter((old) => old !== id)]
            recent = recent.slice(0, 8)
            expect(acks.owed).toBe(owed.length)
          }
        },
      ),
      runs,
    )
  })

  it('REL-41 timers fire as a sorted list would', () => {
    const names = ['a', 'b', 'c', 'd'] as const
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom(...names), fc.integer({ min: 0, max: 50 })), { maxLength: 20 }),
        fc.integer({ min: 0, max: 50 }),
        (sets, now) => {
          const timers = new Timers(names)
          const model = new Map<string, number>()
          for (const [name, deadline] of sets) {
            timers.set(name, deadline)
            model.set(name, deadline)
          }
          const expected = names
            .filter((name) => (model.get(name) ?? Infinity) <= now)
            .sort((a, b) => model.get(a)! - model.get(b)!)
          expect(timers.earliest()).toBe(Math.min(Infinity, ...model.values()))
          const fired: string[] = []
          for (let name = timers.takeDue(now); name !== undefined; name = timers.takeDue(now)) fired.push(name)
          expect(fired).toEqual(expected)
        },
      ),
      runs,
    )
  })
})
