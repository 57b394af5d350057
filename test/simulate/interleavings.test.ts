/**
 * Small worlds, searched whole: every order of a few events on a running pair, and every move that the tables allow.
 */
import { describe, expect, it, vi } from 'vitest'
import { nodeCrypto } from '../../src/node/crypto/index.ts'
import { KEY_MOVES, SESSION_MOVES, Session, type SessionConfig } from '../../src/session/index.ts'
import type * as KeyMovesModule from '../../src/session/key-moves.ts'
import type * as SessionMovesModule from '../../src/session/session-moves.ts'
import { CLEAN, rough } from '../support/network.ts'
import { connectPair, ipPacket, Pair, pairConfigs } from '../support/pair.ts'
import { RawPeer } from '../support/raw-peer.ts'
import { SeededRandom } from '../support/random.ts'
import { scaled } from '../support/scale.ts'
import { Opcode, opcodeOf } from '../../src/wire/index.ts'
import { wrapPair } from '../support/wraps.ts'

/** Moves taken anywhere in this file. */
const taken = vi.hoisted(() => ({ key: new Set<string>(), session: new Set<string>() }))

vi.mock('../../src/session/key-moves.ts', async (original) => {
  const module = await original<typeof KeyMovesModule>()
  const moveKey: typeof module.moveKey = (state, input) => {
    taken.key.add(`${state} ${input}`)
    return module.moveKey(state, input)
  }
  return { ...module, moveKey }
})
vi.mock('../../src/session/session-moves.ts', async (original) => {
  const module = await original<typeof SessionMovesModule>()
  const moveSession: typeof module.moveSession = (state, input) => {
    taken.session.add(`${state} ${input}`)
    return module.moveSession(state, input)
  }
  return { ...module, moveSession }
})

const crypto = nodeCrypto

/** Events whose order is nobody's to choose. */
const EVENTS: Readonly<Record<string, (pair: Pair) => void>> = {
  deliver: (pair) => pair.step(pair.now + 40),
  'renegotiate client': (pair) => pair.input(pair.client, (session, now) => session.renegotiate(now)),
  'renegotiate server': (pair) => pair.input(pair.server, (session, now) => session.renegotiate(now)),
  'lose all': (pair) => {
    pair.network.clear()
    pair.now += 2_100
    for (const side of [pair.client, pair.server]) pair.input(side, (session, now) => session.handleTimeout(now))
  },
  'hand-window': (pair) => {
    pair.network.clear()
    pair.now += 61_000
    for (const side of [pair.client, pair.server]) pair.input(side, (session, now) => session.handleTimeout(now))
  },
  traffic: (pair) => {
    pair.send(pair.client, ipPacket(pair.steps * 2))
    pair.send(pair.server, ipPacket(pair.steps * 2 + 1))
  },
}

function* sequences(length: number): Generator<readonly string[]> {
  const names = Object.keys(EVENTS)
  const total = names.length ** length
  for (let code = 0; code < total; code++) {
    let rest = code
    yield Array.from({ length }, () => {
      const name = names[rest % names.length]!
      rest = Math.floor(rest / names.length)
      return name
    })
  }
}

const quiet: Partial<SessionConfig> = { timers: { ping: 10_000, renegotiateAfter: 0 } }

describe('all orders', () => {
  it('of events around renegotiations leave a tunnel that works', () => {
    const depth = scaled(2, 5)
    let count = 0
    for (const events of sequences(depth)) {
      const pair = connectPair({
        crypto,
        faults: CLEAN,
        client: quiet,
        server: { ...quiet, push: { options: ['ping 10'], peerId: 0 } },
      })
      for (const event of events) EVENTS[event]!(pair)
      pair.wait(200_000)
      const before = [pair.server.packets.length, pair.client.packets.length]
      pair.send(pair.client, ipPacket(1_000_001))
      pair.send(pair.server, ipPacket(1_000_002))
      pair.wait(100)
      const after = [pair.server.packets.length, pair.client.packets.length]
      if (after[0] !== before[0]! + 1 || after[1] !== before[1]! + 1) pair.fail(`no traffic after ${events.join(', ')}`)
      expect(pair.client.session.stats.rekeys).toBe(pair.server.session.stats.rekeys)
      count++
    }
    expect(count).toBe(Object.keys(EVENTS).length ** depth)
  })

  it('of login answers, requests and time end in a tunnel or a refusal', () => {
    const denials: string[] = []
    const answers: Readonly<Record<string, (pair: Pair) => void>> = {
      allow: (pair) => {
        try {
          pair.input(pair.server, (session, now) => session.allow(now))
        } catch (error) {
          expect(String(error)).toContain('no login waits')
        }
      },
      deny: (pair) => {
        try {
          pair.input(pair.server, (session, now) => session.deny('no', now))
          denials.push('deny')
        } catch (error) {
          expect(String(error)).toContain('no login waits')
        }
      },
      deliver: (pair) => {
        for (let i = 0; i < 3; i++) pair.step(pair.now + 100)
      },
      time: (pair) => pair.wait(6_000),
      close: (pair) => pair.input(pair.client, (session, now) => session.close(now)),
    }
    const names = Object.keys(answers)
    const depth = scaled(3, 4)
    const places = Array.from({ length: depth }, (_value, index) => index)
    let count = 0
    for (let code = 0; code < names.length ** depth; code++) {
      const order = places.map((place) => names[Math.floor(code / names.length ** place) % names.length]!)
      const pair = new Pair({
        crypto,
        client: { login: { type: 'password', username: 'u', password: 'p' } },
        server: { admission: 'ask' },
      })
      denials.length = 0
      for (let i = 0; i < 5; i++) pair.step(1_000)
      for (const name of order) answers[name]!(pair)
      pair.wait(130_000)
      const end = pair.client.session
      const reason = end.closeReason?.type ?? end.state
      expect(['connected', 'auth-failed', 'local', 'timed-out', 'peer-exit'], order.join()).toContain(reason)
      if (denials.length > 0 && !order.includes('close')) expect(reason, order.join()).toBe('auth-failed')
      count++
    }
    expect(count).toBe(names.length ** depth)
  })
})

describe('every move of the tables', () => {
  it('is taken by some simulation', () => {
    // Ordinary lives: connecting, renegotiating, leaving, over every wrap.
    for (const kind of ['none', 'tls-crypt'] as const) {
      const wrap = wrapPair(kind)
      const faults = kind === 'none' ? CLEAN : rough(0.1)
      const pair = connectPair({ crypto, faults, client: { wrap: wrap.client }, server: { wrap: wrap.server } })
      pair.input(pair.client, (session, now) => session.renegotiate(now))
      pair.wait(60_000)
      pair.input(pair.client, (session, now) => session.close(now))
      pair.wait(20_000)
    }
    // Behind a cookie, and a server that waits in vain.
    const [, config] = pairConfigs()
    const environment = { now: 0, timeOrigin: 1_760_000_000_000, random: new SeededRandom('e').source, crypto }
    const resume = { sessionId: new Uint8Array(8).fill(1), peerSessionId: new Uint8Array(8).fill(2), replayPacketId: 1 }
    new Session({ ...config, resume }, environment).handleTimeout(70_000)
    const forgotten = new Session(config, environment)
    forgotten.receive(Uint8Array.of(0x38, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0, 0), 0)
    forgotten.handleTimeout(70_000)
    // Negotiations that stop, or fail inside TLS, in each state.
    for (let steps = 1; steps < 12; steps++) {
      const pair = new Pair({ crypto })
      for (let i = 0; i < steps; i++) pair.step(1_000)
      pair.network.partitioned = true
      pair.network.clear()
      pair.wait(200_000)
    }
    for (const { garbage, after } of [0, 1, 2, 3, 4].map((after) => ({
      garbage: new Uint8Array(40).fill(0xff),
      after,
    }))) {
      for (const role of ['client', 'server'] as const) {
        const peer = new RawPeer({ role })
        if (role === 'server' && after > 2) peer.say('PUSH_REPLY,cipher AES-256-GCM')
        peer.send(Opcode.CONTROL_V1, garbage)
        peer.settle()
      }
    }
    stopAtKeyMessages()
    // A client that is told to wait, and a peer that is restarted.
    const asking = new Pair({ crypto, client: { login: { type: 'ask' } } })
    asking.input(asking.client, (session, now) => session.close(now))
    const restarted = connectPair({ crypto })
    const [client] = pairConfigs()
    ;(restarted.client as { session: Session }).session = new Session(client, {
      ...restarted.environment('client'),
      random: new SeededRandom('again').source,
    })
    restarted.drain(restarted.client)
    restarted.wait(5_000)
    for (const end of ['client', 'server'] as const) {
      const pair = connectPair({ crypto, server: { explicitExitNotify: 1 } })
      pair.input(pair.side(end), (session, now) => session.close(now))
      pair.wait(3_000)
    }
    const denied = new Pair({ crypto, server: { admission: 'ask' } })
    denied.run(5_000, () => denied.events(denied.server, 'login').length > 0)
    expect(denied.server.session.state).toBe('negotiating')
    denied.input(denied.server, (session, now) => session.deny('no', now))
    denied.wait(10_000)
    const late = new Pair({ crypto, server: { admission: 'ask' } })
    late.run(5_000, () => late.server.session.state === 'exchanging')
    late.input(late.server, (session, now) => session.deny('no', now))
    late.wait(10_000)

    const missing = (table: object, moves: ReadonlySet<string>): string[] =>
      Object.entries(table).flatMap(([state, row]) =>
        Object.keys(row as object)
          .map((input) => `${state} ${input}`)
          .filter((move) => !moves.has(move)),
      )
    expect(missing(KEY_MOVES, taken.key)).toEqual([])
    expect(missing(SESSION_MOVES, taken.session)).toEqual([])
  })
})

/** Key messages that are sent or received and never acknowledged, on both sides. */
function stopAtKeyMessages(): void {
  for (let datagrams = 1; datagrams < 8; datagrams++) {
    for (const blocked of ['client', 'server'] as const) {
      const pair = new Pair({ crypto })
      let left = datagrams
      pair.network.filter = (bytes, to) => to !== blocked || opcodeOf(bytes[0]!) > 8 || left-- > 0
      pair.wait(150_000)
    }
  }
  // A client that has everything but the last acks.
  new RawPeer({ role: 'server', ackUntil: 1 }).wait(70_000)
  // A server whose key message is never acknowledged, while everything else is.
  const pair = new Pair({ crypto, client: { timers: { handWindow: 30_000 } } })
  pair.network.filter = (bytes, to) =>
    !(to === 'server' && pair.client.session.state === 'exchanging' && opcodeOf(bytes[0]!) === Opcode.ACK_V1)
  pair.wait(200_000)
}
