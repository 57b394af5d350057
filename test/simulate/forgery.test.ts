/**
 * Mutated packets against running sessions: nothing is accepted, nothing moves, nothing is sent.
 */
import { describe, expect, it } from 'vitest'
import { nodeCrypto } from '../../src/node/crypto/index.ts'
import type { Session } from '../../src/session/index.ts'
import { CLEAN } from '../support/network.ts'
import { ipPacket, Pair } from '../support/pair.ts'
import { SeededRandom } from '../support/random.ts'
import { scaled } from '../support/scale.ts'
import { wrapPair } from '../support/wraps.ts'

const WRAPS = ['tls-auth', 'tls-crypt', 'tls-crypt-v2'] as const

/** Packets of every kind that two honest ends send, and where they stopped. */
function record(kind: (typeof WRAPS)[number], steps: number): { pair: Pair; seen: Uint8Array[] } {
  const wrap = wrapPair(kind)
  const pair = new Pair({
    crypto: nodeCrypto,
    seed: `forgery/${kind}`,
    faults: CLEAN,
    client: { wrap: wrap.client },
    server: { wrap: wrap.server },
  })
  const seen: Uint8Array[] = []
  pair.network.filter = (bytes) => {
    seen.push(bytes.slice())
    return true
  }
  for (let i = 0; i < steps; i++) {
    if (i === 14) pair.input(pair.client, (session, now) => session.renegotiate(now))
    pair.send(pair.client, ipPacket(i, 60 + i))
    pair.send(pair.server, ipPacket(i, 60 + i))
    pair.step(Infinity)
  }
  return { pair, seen }
}

/** A packet that differs from every genuine one. */
function mutate(random: SeededRandom, seen: readonly Uint8Array[]): Uint8Array {
  const bytes = random.pick(seen).slice()
  switch (random.below(6)) {
    case 0: {
      const at = random.below(bytes.length)
      bytes[at] = bytes[at]! ^ (1 << random.below(8))
      return bytes
    }
    case 1:
      return bytes.subarray(0, random.below(bytes.length))
    case 2: {
      const out = new Uint8Array(bytes.length + 1 + random.below(40))
      out.set(bytes)
      return out
    }
    case 3: {
      const other = random.pick(seen)
      const cut = random.below(Math.min(bytes.length, other.length))
      bytes.set(other.subarray(0, cut))
      return bytes
    }
    case 4: {
      const at = random.below(bytes.length)
      bytes.set(random.bytes(Math.min(1 + random.below(16), bytes.length - at)), at)
      return bytes
    }
    default:
      return random.bytes(1 + random.below(1400))
  }
}

const dropped = ({ stats }: Session): number => Object.values(stats.dropped).reduce((sum, count) => sum + count, 0)

describe('forgeries', () => {
  const total = scaled(6_000, 110_000)
  const stages = [1, 3, 6, 9, 13, 18, 40]
  it.each(WRAPS)('SESS-9 of %s sessions in every stage accept none', (kind) => {
    const random = new SeededRandom(`mutations/${kind}`)
    let injected = 0
    let genuine = 0
    for (const stage of stages) {
      const { pair, seen } = record(kind, stage)
      const known = new Set(seen.map((bytes) => bytes.join()))
      const rounds = Math.ceil(total / WRAPS.length / stages.length / 2)
      for (const side of [pair.client, pair.server]) {
        const { session } = side
        const before = session.digest()
        const already = dropped(session)
        let count = 0
        for (let i = 0; i < rounds; i++) {
          const bytes = mutate(random, seen)
          if (known.has(bytes.join())) {
            genuine++
            continue
          }
          session.receive(bytes, pair.now)
          count++
          if (session.poll() !== undefined) pair.fail(`an output for ${bytes.join()}`)
        }
        expect(session.digest()).toEqual(before)
        expect(dropped(session) - already).toBe(count)
        injected += count
      }
    }
    expect(injected + genuine).toBeGreaterThanOrEqual(Math.floor(total / WRAPS.length))
    console.log(`${kind}: ${injected} mutated packets, 0 accepted`)
  })

  it('SESS-9 a session under forgeries goes on exactly as its twin without', () => {
    const random = new SeededRandom('twin')
    const run = (forge: boolean): string => {
      const wrap = wrapPair('tls-crypt')
      const pair = new Pair({
        crypto: nodeCrypto,
        seed: 'twin',
        record: true,
        client: { wrap: wrap.client },
        server: { wrap: wrap.server },
      })
      const seen: Uint8Array[] = [new Uint8Array(60)]
      pair.network.filter = (bytes) => {
        seen.push(bytes.slice())
        return true
      }
      for (let i = 0; i < 150; i++) {
        if (i === 40) pair.input(pair.server, (session, now) => session.renegotiate(now))
        if (i % 5 === 0) pair.send(pair.client, ipPacket(i))
        for (const { session } of forge ? [pair.client, pair.server] : []) {
          const bytes = mutate(random, seen)
          if (!seen.some((other) => other.join() === bytes.join())) session.receive(bytes, pair.now)
        }
        pair.step(Infinity)
      }
      return JSON.stringify([pair.client.outputs, pair.server.outputs], (_key, value: unknown) =>
        value instanceof Uint8Array ? value.join() : value,
      )
    }
    const alone = run(false)
    expect(alone.length).toBeGreaterThan(20_000)
    expect(run(true) === alone).toBe(true)
  })
})
