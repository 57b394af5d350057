/**
 * Long lives: tunnels that renegotiate by the hour through loss, outages, a sleeping machine, changed addresses and stepping
 * clocks, for days of virtual time.
 */
import { describe, expect, it } from 'vitest'
import { nodeCrypto } from '../../src/node/crypto/index.ts'
import { rough } from '../support/network.ts'
import { connectPair, ipPacket, type Pair } from '../support/pair.ts'
import { SeededRandom } from '../support/random.ts'
import { scaled } from '../support/scale.ts'
import { wrapPair } from '../support/wraps.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** Sends a packet each way every second until both have crossed; how long that took. */
function recovery(pair: Pair, longest: number): number {
  const from = pair.now
  const [toServer, toClient] = [pair.server.packets.length, pair.client.packets.length]
  for (let mark = 0; pair.now - from < longest; mark++) {
    pair.send(pair.client, ipPacket(pair.steps + mark))
    pair.send(pair.server, ipPacket(pair.steps + mark))
    pair.wait(1_000)
    if (pair.server.packets.length > toServer && pair.client.packets.length > toClient) break
  }
  return pair.now - from
}

/** The client's packets come from elsewhere from now on: what is under way to the old address is gone. */
function moveClient(pair: Pair): void {
  const { server } = pair
  pair.network.clear()
  const heard = (): number => {
    const { datagramsReceived, dropped } = server.session.stats
    return Object.values(dropped).reduce((left, count) => left - count, datagramsReceived)
  }
  const before = heard()
  pair.network.filter = (_bytes, to) => to === 'server' || heard() > before
}

/** Keeps the records of a long run small. */
function forget(pair: Pair): void {
  for (const side of [pair.client, pair.server]) {
    side.packets.length = 0
    side.events.length = 0
    side.pending.clear()
  }
}

describe('long lives', () => {
  it('renegotiates by the hour through 1 to 30 % loss, outages, sleep, new addresses and clocks that step', {
    timeout: scaled(60_000, 900_000),
  }, () => {
    const days = scaled(1, 30)
    const wrap = wrapPair('tls-crypt')
    // The old key must outlive a sleep and an outage in a row: a machine that sleeps longer has to connect anew.
    const timers = { ping: 10_000, renegotiateAfter: HOUR, tranWindow: 4 * HOUR }
    const random = new SeededRandom('days')
    const pair = connectPair({
      crypto: nodeCrypto,
      seed: 'days',
      faults: rough(0.01),
      client: { wrap: wrap.client, timers },
      server: {
        wrap: wrap.server,
        timers: { ...timers, renegotiateAfterMin: HOUR - 5 * MINUTE },
        push: { options: ['ping 10'], peerId: 1 },
      },
    })
    const end = pair.now + days * DAY
    let outages = 0
    let moves = 0
    let clockSteps = 0
    let rekeys = 0
    let longest = 0
    while (pair.now < end) {
      pair.network.faults = rough(0.01 + random.float() * 0.29)
      pair.wait(random.int(20, 70) * MINUTE)
      const what = random.float()
      if (what < 0.4) {
        pair.network.partitioned = true
        pair.wait(10 * MINUTE)
        pair.network.partitioned = false
        outages++
      } else if (what < 0.52) {
        // The machine sleeps: the clock jumps, what was on its way is gone.
        pair.network.clear()
        pair.now += random.int(1, 50) * MINUTE
      } else if (what < 0.72) {
        // The client's address changes: nothing reaches it until something authentic of it has come from there.
        moveClient(pair)
        moves++
      } else if (what < 0.85) {
        // One end's clock steps forward; a step backward would count as standing still.
        pair.ahead[random.chance(0.5) ? 'client' : 'server'] += random.int(1, 30) * MINUTE
        clockSteps++
      }
      longest = Math.max(longest, recovery(pair, 90_000))
      if (pair.client.session.state !== 'connected' || pair.server.session.state !== 'connected') {
        pair.fail(
          `the tunnel died: ${JSON.stringify(pair.client.session.closeReason ?? pair.server.session.closeReason)}`,
        )
      }
      rekeys = pair.client.session.stats.rekeys
      forget(pair)
    }
    expect(outages).toBeGreaterThanOrEqual(days * 4)
    expect(moves).toBeGreaterThanOrEqual(days)
    expect(clockSteps).toBeGreaterThanOrEqual(days)
    // No datagram was sealed twice under one nonce: the watch stops the run at the first; here that it saw them all.
    expect(pair.watch.seals).toBeGreaterThan(days * 5_000)
    expect(rekeys).toBeGreaterThanOrEqual(days * 18)
    // An end may finish what the other gives up; the next renegotiation brings both together.
    expect(Math.abs(pair.server.session.stats.rekeys - rekeys)).toBeLessThanOrEqual(1 + days / 10)
    expect(longest).toBeLessThan(90_000)
    // Nothing piles up: the state is as small as after an hour.
    expect(pair.client.session.digest().join().length).toBeLessThan(8_000)
    console.log(
      `${days} days: ${rekeys} renegotiations, ${pair.client.session.stats.failedRekeys} failed attempts, ${outages} outages, ${moves} moves, ${clockSteps} clock steps, longest recovery ${longest} ms, ${pair.watch.seals} nonces`,
    )
  })

  it('a thousand short-lived keys in a row, begun from both sides, lose no packet on a clean link', () => {
    const rounds = scaled(60, 1_000)
    const pair = connectPair({ crypto: nodeCrypto, seed: 'short' })
    for (let round = 0; round < rounds; round++) {
      const side = round % 2 === 0 ? pair.client : pair.server
      pair.input(side, (session, now) => session.renegotiate(now))
      for (let i = 0; i < 8; i++) {
        pair.send(pair.client, ipPacket(round * 8 + i))
        pair.send(pair.server, ipPacket(round * 8 + i))
        pair.wait(50)
      }
      expect([pair.client.session.stats.rekeys, pair.server.session.stats.rekeys]).toEqual([round + 1, round + 1])
    }
    pair.wait(1_000)
    expect(pair.server.packets.length).toBe(rounds * 8)
    expect(pair.client.packets.length).toBe(rounds * 8)
  })
})
