/**
 * Whole connections over rough links, two sessions against each other: how many come up within a minute of virtual time.
 */
import { describe, expect, it } from 'vitest'
import { nodeCrypto } from '../../src/node/crypto/index.ts'
import { CLEAN, type Faults, rough } from '../support/network.ts'
import { ipPacket, Pair, type PairOptions } from '../support/pair.ts'
import { scaled } from '../support/scale.ts'
import { wrapPair } from '../support/wraps.ts'

const crypto = nodeCrypto
const WRAPS = ['tls-auth', 'tls-crypt', 'tls-crypt-v2'] as const

/** Connects once; true when both ends are up in time and a packet crosses each way. */
function attempt(seed: string, faults: Faults, index: number, options: PairOptions = {}): Pair {
  const wrap = wrapPair(WRAPS[index % WRAPS.length]!)
  const pair = new Pair({
    ...options,
    crypto,
    seed,
    faults,
    client: { wrap: wrap.client, ...options.client },
    server: { wrap: wrap.server, ...options.server },
  })
  pair.connect(60_000)
  return pair
}

const isUp = (pair: Pair): boolean => pair.client.connectedAt < Infinity && pair.server.connectedAt < Infinity

/** The value below which `share` of the sorted values lie. */
const quantile = (values: readonly number[], share: number): number =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? Infinity

describe('connecting with 12.5 % reordering, 10 % duplicates and 3 % corruption', () => {
  it.each([
    [0, 1],
    [0.01, 1],
    [0.05, 1],
    [0.1, 0.999],
    [0.3, 0.98],
  ])('loss %d: at least %d come up within 60 s', (loss, share) => {
    const runs = scaled(60, 2_000)
    const times: number[] = []
    const failed: string[] = []
    for (let i = 0; i < runs; i++) {
      const seed = `connect/${loss}/${i}`
      const pair = attempt(seed, rough(loss), i)
      if (isUp(pair)) times.push(pair.now)
      else failed.push(seed)
    }
    const figures = `p50 ${quantile(times, 0.5).toFixed(0)} ms, p99 ${quantile(times, 0.99).toFixed(0)} ms`
    console.log(
      `loss ${loss}: ${times.length} of ${runs} within 60 s, ${figures}${failed.length > 0 ? `; failed: ${failed.join()}` : ''}`,
    )
    expect(times.length).toBeGreaterThanOrEqual(Math.floor(runs * share))
    expect(runs).toBeGreaterThanOrEqual(60)
  })

  it('bursts of heavy loss are waited out', () => {
    const faults: Faults = { ...rough(0.01), burst: { enter: 0.05, leave: 0.2, loss: 0.9 } }
    const runs = scaled(20, 500)
    let up = 0
    for (let i = 0; i < runs; i++) if (isUp(attempt(`burst/${i}`, faults, i))) up++
    expect(up / runs).toBeGreaterThanOrEqual(0.95)
  })

  it('a path with an mtu of 600 is crossed when max-packet-size says so', () => {
    const faults: Faults = { ...CLEAN, mtu: 600 - 48 }
    for (let i = 0; i < 3; i++) {
      const wide = attempt(`wide/${i}`, faults, i)
      expect(isUp(wide)).toBe(false)
      const config = { maxPacketSize: 600 }
      const narrow = attempt(`narrow/${i}`, faults, i, { client: config, server: config })
      // A wrapped client key makes the first packet as large as it is, and that still fits.
      expect(isUp(narrow)).toBe(true)
    }
  })
})

describe('over TCP', () => {
  it('however the stream is cut', () => {
    const runs = scaled(20, 500)
    for (let i = 0; i < runs; i++) {
      const pair = attempt(`tcp/${i}`, { ...CLEAN, jitter: 20 }, i, { transport: 'tcp' })
      expect(isUp(pair)).toBe(true)
      for (let mark = 0; mark < 20; mark++) {
        pair.send(pair.client, ipPacket(mark, 40 + mark * 50))
        pair.send(pair.server, ipPacket(mark, 40 + mark * 50))
      }
      pair.input(pair.client, (session, now) => session.renegotiate(now))
      pair.wait(2_000)
      expect([pair.server.packets.length, pair.client.packets.length]).toEqual([20, 20])
      expect(pair.client.session.stats.rekeys).toBe(1)
      expect(pair.network.counts.cut).toBeGreaterThan(0)
    }
  })
})

describe('repeatable', () => {
  it('the same seed gives the same output bytes twice', () => {
    const runs = scaled(10, 200)
    const run = (seed: string, index: number): string => {
      const pair = attempt(seed, rough(0.15), index, { record: true })
      for (let i = 0; i < 10; i++) {
        pair.send(pair.client, ipPacket(i))
        pair.wait(200)
      }
      return JSON.stringify([pair.client.outputs, pair.server.outputs], (_key, value: unknown) =>
        value instanceof Uint8Array ? value.join() : value,
      )
    }
    for (let i = 0; i < runs; i++) {
      const first = run(`same/${i}`, i)
      expect(first.length).toBeGreaterThan(10_000)
      expect(run(`same/${i}`, i) === first).toBe(true)
    }
  })
})
