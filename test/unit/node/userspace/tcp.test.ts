/**
 * The TCP connection against a peer written here: each rule by hand-made segments, and whole transfers over a path that
 * loses, repeats and reorders.
 */
import { describe, expect, it } from 'vitest'
import { FLAG, type Segment } from '../../../../src/node/userspace/packet.ts'
import { TcpConnection, type TcpOutput } from '../../../../src/node/userspace/tcp.ts'
import { SeededRandom } from '../../../support/random.ts'
import { scaled } from '../../../support/scale.ts'

const MSS = 1000
const PEER = 5000
const EMPTY = new Uint8Array()
const SEEDS = Array.from({ length: scaled(3, 100) }, (_, i) => i + 1)

function segment(fields: Partial<Segment>): Segment {
  return { seq: PEER + 1, ack: 0, flags: FLAG.ack, window: 60_000, payload: EMPTY, ...fields }
}

function drain(tcp: TcpConnection): TcpOutput[] {
  const outputs: TcpOutput[] = []
  for (let output = tcp.poll(); output !== undefined; output = tcp.poll()) outputs.push(output)
  return outputs
}

const segments = (outputs: readonly TcpOutput[]): Segment[] =>
  outputs.flatMap((output) => (output.type === 'segment' ? [output.segment] : []))
const news = (outputs: readonly TcpOutput[]): string[] =>
  outputs.flatMap((output) => (output.type === 'segment' ? [] : [output.type]))

/** An open connection whose first byte has number 101, to a peer whose first byte has PEER + 1. */
function open(window = 60_000, isn = 100): TcpConnection {
  const tcp = new TcpConnection({ isn, mss: MSS, now: 0 })
  drain(tcp)
  const answer = { seq: PEER, ack: (isn + 1) >>> 0, flags: FLAG.syn | FLAG.ack, window, mss: MSS }
  tcp.receive(segment(answer), 50)
  expect(news(drain(tcp))).toEqual(['connected'])
  return tcp
}

describe('TcpConnection', () => {
  it('NODE-21 opens with MSS and scale, and takes only an answer to its SYN', () => {
    const tcp = new TcpConnection({ isn: 100, mss: MSS, now: 0 })
    expect(segments(drain(tcp))).toMatchObject([{ seq: 100, flags: FLAG.syn, mss: MSS, scale: 7 }])
    for (const wrong of [
      { ack: 100, flags: FLAG.syn | FLAG.ack },
      { ack: 102, flags: FLAG.syn | FLAG.ack },
      { ack: 101, flags: FLAG.ack },
      { ack: 102, flags: FLAG.rst | FLAG.ack },
      { ack: 0, flags: FLAG.rst },
    ]) {
      tcp.receive(segment(wrong), 10)
      expect(drain(tcp)).toEqual([])
    }
    tcp.receive(segment({ seq: PEER, ack: 101, flags: FLAG.syn | FLAG.ack, mss: 500, scale: 3 }), 50)
    const outputs = drain(tcp)
    expect(news(outputs)).toEqual(['connected'])
    expect(segments(outputs)).toMatchObject([{ seq: 101, ack: PEER + 1, flags: FLAG.ack }])
  })

  it('NODE-21 repeats its SYN five times, then gives up; RST refuses', () => {
    const tcp = new TcpConnection({ isn: 100, mss: MSS, now: 0 })
    let count = segments(drain(tcp)).length
    let last: string[] = []
    while (!tcp.isClosed) {
      tcp.handleTimeout(tcp.pollTimeout())
      const outputs = drain(tcp)
      count += segments(outputs).length
      last = news(outputs)
    }
    expect(count).toBe(6)
    expect(last).toEqual(['closed'])
    const refused = new TcpConnection({ isn: 100, mss: MSS, now: 0 })
    drain(refused)
    refused.receive(segment({ ack: 101, flags: FLAG.rst | FLAG.ack }), 1)
    expect(drain(refused)).toEqual([{ type: 'closed', reason: 'refused' }])
  })

  it('NODE-22 never sends beyond the peer’s window, nor small segments while more could go with them', () => {
    const tcp = open(2500)
    tcp.write(new Uint8Array(5000), 60)
    expect(segments(drain(tcp)).map(({ payload }) => payload.length)).toEqual([1000, 1000])
    tcp.receive(segment({ ack: 2101, window: 2500 }), 70)
    expect(segments(drain(tcp)).map(({ payload }) => payload.length)).toEqual([1000, 1000])
    tcp.receive(segment({ ack: 4101, window: 2500 }), 80)
    expect(segments(drain(tcp))).toMatchObject([{ flags: FLAG.ack | FLAG.psh }])
  })

  it('NODE-23 sends again when the timer rings, ever later, and gives up after eight', () => {
    const tcp = open()
    tcp.write(new Uint8Array(10), 60)
    drain(tcp)
    const waits: number[] = []
    let now = 60
    for (;;) {
      waits.push(tcp.pollTimeout() - now)
      now = tcp.pollTimeout()
      tcp.handleTimeout(now)
      const outputs = drain(tcp)
      if (tcp.isClosed) {
        expect(outputs).toEqual([{ type: 'closed', reason: 'timed-out' }])
        break
      }
      expect(segments(outputs)).toMatchObject([{ seq: 101 }])
    }
    expect(waits.length).toBe(9)
    expect(waits[0]).toBe(200)
    expect(waits.slice(1, 6).every((wait, index) => wait === (waits[index] ?? 0) * 2)).toBe(true)
  })

  it('NODE-24 three repeated acknowledgements resend the first segment at once', () => {
    const tcp = open()
    tcp.write(new Uint8Array(5000), 60)
    drain(tcp)
    for (let i = 0; i < 2; i++) {
      tcp.receive(segment({ ack: 101 }), 61)
      expect(segments(drain(tcp))).toEqual([])
    }
    tcp.receive(segment({ ack: 101 }), 62)
    expect(segments(drain(tcp))[0]).toMatchObject({ seq: 101 })
  })

  it('NODE-24 probes a closed window as long as the peer answers, and goes on when it opens', () => {
    const tcp = open(0)
    tcp.write(Uint8Array.of(1, 2, 3), 60)
    expect(segments(drain(tcp))).toEqual([])
    let now = 60
    for (let i = 0; i < 20; i++) {
      now = tcp.pollTimeout()
      tcp.handleTimeout(now)
      expect(segments(drain(tcp)).map(({ payload }) => payload.length)).toEqual([1])
      tcp.receive(segment({ ack: 101, window: 0 }), now)
      drain(tcp)
    }
    tcp.receive(segment({ ack: 101, window: 1000 }), now)
    expect(segments(drain(tcp)).map(({ payload }) => [...payload])).toEqual([[1, 2, 3]])
  })

  it('NODE-25 delivers once and in order', () => {
    const tcp = open()
    const text = (from: number, to: number): Partial<Segment> => ({
      seq: PEER + 1 + from,
      ack: 101,
      payload: Uint8Array.from({ length: to - from }, (_, i) => from + i),
    })
    const got: number[] = []
    for (const [from, to] of [
      [4, 8],
      [0, 2],
      [6, 10],
      [0, 5],
      [3, 4],
      [0, 10],
    ] as const) {
      tcp.receive(segment(text(from, to)), 60)
      const outputs = drain(tcp)
      for (const output of outputs) if (output.type === 'data') got.push(...output.data)
      expect(segments(outputs).at(-1)?.ack).toBe(PEER + 1 + got.length)
    }
    expect(got).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  it('NODE-25 takes no more than it offered, and tells when there is room again', () => {
    const tcp = open()
    let sent = 0
    let offered = Infinity
    while (offered > 0 && sent < 4_000_000) {
      tcp.receive(segment({ seq: PEER + 1 + sent, ack: 101, payload: new Uint8Array(1000) }), 60)
      sent += 1000
      offered = segments(drain(tcp)).at(-1)?.window ?? 0
    }
    expect(sent).toBeGreaterThan(60_000)
    expect(sent).toBeLessThan(1_100_000)
    tcp.receive(segment({ seq: PEER + 1 + sent, ack: 101, payload: new Uint8Array(1_000_000) }), 61)
    expect(news(drain(tcp)).length).toBeLessThanOrEqual(1)
    tcp.consumed(600_000)
    expect(segments(drain(tcp))[0]?.window).toBeGreaterThan(0)
  })

  it('NODE-26 closes each half for itself, and answers a repeated FIN', () => {
    const tcp = open()
    tcp.end(60)
    expect(segments(drain(tcp))).toMatchObject([{ seq: 101, flags: FLAG.fin | FLAG.ack }])
    tcp.receive(segment({ ack: 102, payload: Uint8Array.of(7) }), 61)
    expect(news(drain(tcp))).toEqual(['data'])
    const fin = segment({ seq: PEER + 2, ack: 102, flags: FLAG.fin | FLAG.ack })
    tcp.receive(fin, 62)
    const outputs = drain(tcp)
    expect(news(outputs)).toEqual(['end'])
    expect(segments(outputs).at(-1)).toMatchObject({ ack: PEER + 3 })
    tcp.receive(fin, 63)
    expect(segments(drain(tcp)).at(-1)).toMatchObject({ ack: PEER + 3 })
    tcp.handleTimeout(tcp.pollTimeout())
    expect(drain(tcp)).toEqual([{ type: 'closed', reason: 'done' }])
  })

  it('NODE-27 RST only with exactly the next number', () => {
    const tcp = open()
    for (const seq of [PEER, PEER + 2, PEER + 1000, 0]) {
      tcp.receive(segment({ seq, ack: 101, flags: FLAG.rst }), 60)
      expect(tcp.isClosed).toBe(false)
    }
    tcp.receive(segment({ ack: 101, flags: FLAG.rst }), 61)
    expect(drain(tcp).at(-1)).toEqual({ type: 'closed', reason: 'reset' })
  })

  it.each(SEEDS)('NODE-22 NODE-23 NODE-24 NODE-25 both ways over a bad path, seed %d', (seed) => {
    const random = new SeededRandom(seed)
    // Near the end of the number space, so that numbers wrap.
    const left = new TcpConnection({ isn: 0xffff_f000, mss: MSS, now: 0 })
    const size = 60_000
    const bytes = Uint8Array.from({ length: size }, (_, i) => (i * 7 + (i >> 8)) & 0xff)
    // The peer is a plain mirror: it takes in order, and says back what it has.
    const mirror = { next: 0, isn: 0, started: false, sent: 0, acked: 0, taken: [] as number[] }
    const flying: { at: number; segment: Segment; toLeft: boolean }[] = []
    const put = (one: Segment, toLeft: boolean, now: number): void => {
      const copies = random.float() < 0.1 ? 2 : random.float() < 0.15 ? 0 : 1
      for (let i = 0; i < copies; i++) {
        flying.push({ at: now + 10 + random.float() * 30, segment: { ...one, payload: one.payload.slice() }, toLeft })
      }
    }
    const hear = (one: Segment, now: number): void => {
      if ((one.flags & FLAG.syn) !== 0) {
        mirror.isn = one.seq
        const flags = FLAG.syn | FLAG.ack
        put(segment({ seq: PEER, ack: (one.seq + 1) >>> 0, flags, mss: MSS, scale: 7, window: 500 }), true, now)
        return
      }
      mirror.acked = Math.max(mirror.acked, (one.ack - PEER - 1) | 0)
      const at = (one.seq - mirror.isn - 1) | 0
      if (one.payload.length > 0 && at <= mirror.next) {
        for (let i = mirror.next - at; i < one.payload.length; i++) mirror.taken.push(one.payload[i]!)
        mirror.next = mirror.taken.length
      }
      answer(now)
    }
    const answer = (now: number): void => {
      // Everything it has is what it got: it sends a window of it again and again until that is acknowledged.
      for (let at = mirror.acked, n = 0; at < mirror.next && n < 4; at += MSS, n++) {
        const payload = Uint8Array.from(mirror.taken.slice(at, at + MSS))
        put(
          segment({ seq: (PEER + 1 + at) >>> 0, ack: (mirror.isn + 1 + mirror.next) >>> 0, window: 500, payload }),
          true,
          now,
        )
      }
      put(segment({ seq: PEER + 1 + mirror.acked, ack: (mirror.isn + 1 + mirror.next) >>> 0, window: 500 }), true, now)
    }
    const back: number[] = []
    let written = 0
    let now = 0
    let steps = 0
    const run = (): void => {
      for (const output of drain(left)) {
        if (output.type === 'segment') put(output.segment, false, now)
        else if (output.type === 'data') {
          back.push(...output.data)
          left.consumed(output.data.length)
        } else if (output.type === 'closed') throw new Error(output.reason)
        if (output.type === 'connected' || output.type === 'drain') written += left.write(bytes.subarray(written), now)
      }
    }
    run()
    while (back.length < size && steps++ < 200_000) {
      flying.sort((a, b) => a.at - b.at)
      const first = flying[0]
      const timer = left.pollTimeout()
      if (first !== undefined && first.at <= timer) {
        flying.shift()
        now = Math.max(now, first.at)
        if (first.toLeft) left.receive(first.segment, now)
        else hear(first.segment, now)
      } else if (timer < Infinity) {
        now = Math.max(now, timer)
        left.handleTimeout(now)
      } else {
        now += 50
        answer(now)
      }
      run()
      if (written < size && back.length > 0) written += left.write(bytes.subarray(written), now)
    }
    expect(back.length).toBe(size)
    expect(Uint8Array.from(back)).toEqual(bytes)
  })
})
