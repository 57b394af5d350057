/**
 * A server's two places, searched whole: while a restarted client stands beside the tunnel of its former self, everything
 * that may happen next (a datagram, a timer, an answer to the login, a renegotiation, a farewell) in every order.
 *
 * The search is a tree of inputs. Two orders that lead to the same state of both ends and of the network are followed only
 * once, which keeps six events deep within reach; what was cut off is counted.
 */
import { describe, expect, it } from 'vitest'
import { nodeCrypto } from '../../src/node/crypto/index.ts'
import { Session } from '../../src/session/index.ts'
import { ipPacket, Pair, pairConfigs, type PairOptions, type Side } from '../support/pair.ts'
import { SeededRandom } from '../support/random.ts'
import { scaled } from '../support/scale.ts'

const crypto = nodeCrypto
const login = { type: 'password', username: 'ada', password: 'p' } as const
const OPTIONS: PairOptions = {
  crypto,
  client: { login },
  server: { admission: 'ask', timers: { ping: 10_000, pingRestart: 120_000 } },
}

/** A host's answer, which comes when nothing asked as well. */
function answer(pair: Pair, body: (session: Session, now: number) => void): void {
  try {
    pair.input(pair.server, body)
  } catch (error) {
    expect(String(error)).toContain('no login waits')
  }
}

const EVENTS: Readonly<Record<string, (pair: Pair) => void>> = {
  receive: (pair) => pair.step(pair.now + 40),
  timeout: (pair) => {
    pair.network.clear()
    pair.now += 2_100
    for (const side of [pair.client, pair.server]) pair.input(side, (session, now) => session.handleTimeout(now))
  },
  allow: (pair) => answer(pair, (session, now) => session.allow(now)),
  deny: (pair) => answer(pair, (session, now) => session.deny('no', now)),
  renegotiate: (pair) => pair.input(pair.server, (session, now) => session.renegotiate(now)),
  close: (pair) => pair.input(pair.client, (session, now) => session.close(now)),
}

/** A tunnel whose client was just replaced by a new one, in its first steps or with a login that waits for its answer. */
function restarted(loginWaits: boolean): Pair {
  const pair = new Pair({ ...OPTIONS, watch: false })
  pair.run(5_000, () => pair.events(pair.server, 'login').length > 0)
  pair.input(pair.server, (session, now) => session.allow(now))
  expect(pair.connect()).toBe(true)
  const [config] = pairConfigs(OPTIONS)
  const environment = { ...pair.environment('client'), random: new SeededRandom('again').source }
  ;(pair.client as { session: Side['session'] }).session = new Session(config, environment)
  pair.drain(pair.client)
  if (loginWaits) pair.run(pair.now + 5_000, () => pair.events(pair.server, 'login').length > 1)
  else for (let i = 0; i < 4; i++) pair.step(pair.now + 40)
  return pair
}

/** What both ends are and what is under way, the counters aside. */
function stateOf(pair: Pair): string {
  const sides = [pair.client, pair.server].map(({ session }) => session.digest().join())
  return [...sides, pair.now, pair.network.pollTimeout(), pair.events(pair.server, 'login').length].join('|')
}

/** The end of the story: whoever still talks has a tunnel, and nobody is stuck. */
function judge(pair: Pair, order: readonly string[]): void {
  // Whoever was asked is answered in the end.
  for (let round = 0; round < 4; round++) {
    pair.wait(20_000)
    answer(pair, (session, now) => session.deny('late', now))
  }
  pair.wait(130_000)
  const [client, server] = [pair.client.session, pair.server.session]
  const ends = ['connected', 'auth-failed', 'local', 'timed-out', 'peer-exit', 'denied']
  for (const session of [client, server])
    expect(ends, order.join()).toContain(session.closeReason?.type ?? session.state)
  if (!order.includes('allow')) expect(client.state, order.join()).toBe('closed')
  if (client.state !== 'connected') return
  expect(server.state, order.join()).toBe('connected')
  const before = [pair.server.packets.length, pair.client.packets.length]
  pair.send(pair.client, ipPacket(1))
  pair.send(pair.server, ipPacket(2))
  pair.wait(100)
  expect([pair.server.packets.length, pair.client.packets.length], order.join()).toEqual(before.map((n) => n + 1))
}

describe('a session beside the tunnel', () => {
  it('comes to a good end in every order of events', { timeout: scaled(120_000, 1_800_000) }, () => {
    const depth = scaled(3, 6)
    const names = Object.keys(EVENTS)
    const ends = new Set<string>()
    let judged = 0
    let cut = 0
    // A session that has just been opened, and one whose login waits.
    for (const loginWaits of [false, true]) {
      expect(restarted(loginWaits).server.events.filter(({ type }) => type === 'login')).toHaveLength(
        loginWaits ? 2 : 1,
      )
      const seen = new Set<string>()
      let level: (readonly string[])[] = [[]]
      for (let length = 1; length <= depth; length++) {
        const next: (readonly string[])[] = []
        for (const prefix of level) {
          for (const name of names) {
            const order = [...prefix, name]
            const pair = restarted(loginWaits)
            for (const event of order) EVENTS[event]!(pair)
            const state = stateOf(pair)
            if (seen.has(state)) {
              cut++
              continue
            }
            seen.add(state)
            next.push(order)
            judge(pair, order)
            ends.add(pair.client.session.closeReason?.type ?? pair.client.session.state)
            judged++
          }
        }
        level = next
      }
    }
    console.log(`depth ${depth}: ${judged} orders judged, ${cut} led to a state known already`)
    for (const end of ['connected', 'auth-failed', 'local']) expect(ends).toContain(end)
    expect(judged).toBeGreaterThan(depth * 20)
  })
})
