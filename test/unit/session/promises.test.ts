import { describe, expect, it } from 'vitest'
import { nodeCrypto } from '../../../src/node/crypto/index.ts'
import type { Output } from '../../../src/session/index.ts'
import { Session } from '../../../src/session/index.ts'
import { rough } from '../../support/network.ts'
import { connectPair, ipPacket, Pair, pairConfigs } from '../../support/pair.ts'
import { PKI_NOW } from '../../support/pki.ts'
import { SeededRandom } from '../../support/random.ts'
import { wrapPair } from '../../support/wraps.ts'

const crypto = nodeCrypto

/** Every output of a session, bytes as text. */
function outputsOf(session: Session): string[] {
  const out: string[] = []
  for (let output = session.poll(); output !== undefined; output = session.poll()) out.push(textOf(output))
  return out
}

function textOf(output: Output): string {
  return JSON.stringify(output, (_key, value: unknown) => (value instanceof Uint8Array ? [...value] : value))
}

describe('promises', () => {
  it('SESS-3 a smaller now counts as the last one', () => {
    const pair = connectPair({ crypto })
    const { session } = pair.client
    const before = session.digest()
    session.handleTimeout(-1e9)
    session.handleTimeout(0)
    expect(session.digest()).toEqual(before)
    expect(session.send(ipPacket(1), -5)).toBe(true)
    expect(session.digest()[1]).toBe(pair.now)
    expect(session.pollTimeout()).toBeGreaterThan(pair.now)
  })

  it('SESS-4 inputs never throw for what a peer sent, and leave the bytes alone', () => {
    const pair = connectPair({ crypto })
    const random = new SeededRandom('noise')
    let count = 0
    for (const { session } of [pair.client, pair.server]) {
      for (let i = 0; i < 2000; i++) {
        const bytes = random.bytes(random.below(200))
        const copy = bytes.slice()
        session.receive(bytes, pair.now)
        expect(bytes).toEqual(copy)
        count++
      }
      outputsOf(session)
      expect(session.state).toBe('connected')
    }
    expect(count).toBe(4000)
  })

  it('SESS-4 outputs are given away: changing them changes nothing', () => {
    const scribble = (output: Output): void => {
      if (output.type !== 'event') output.data.fill(0)
    }
    const pair = connectPair({ crypto })
    const { session } = pair.client
    session.send(ipPacket(1), pair.now)
    const first = session.poll()
    if (first !== undefined) scribble(first)
    expect(pair.send(pair.client, ipPacket(2))).toBe(true)
    pair.wait(100)
    expect(pair.server.packets).toEqual([ipPacket(2)])
  })

  it('SESS-5 a TCP stream out of step ends the session, a UDP datagram never does', () => {
    const tcp = connectPair({ crypto, transport: 'tcp' })
    tcp.input(tcp.client, (session, now) => session.receive(Uint8Array.of(0, 0, 1, 2), now))
    expect(tcp.client.session.closeReason).toEqual({
      type: 'malformed',
      what: 'TCP framing',
      detail: 'frame-length',
    })
    const udp = connectPair({ crypto })
    udp.input(udp.client, (session, now) => session.receive(Uint8Array.of(0, 0, 1, 2), now))
    expect(udp.client.session.state).toBe('connected')
  })

  it('SESS-6 closed comes once and last, and everything after it does nothing', () => {
    const pair = connectPair({ crypto, server: { explicitExitNotify: 0 } })
    const { session, events } = pair.server
    pair.input(pair.server, (server, now) => server.close(now))
    expect(events.filter((event) => event.type === 'closed')).toHaveLength(1)
    expect(events.at(-1)?.type).toBe('closed')
    const later = pair.now + 1e6
    const digest = session.digest()
    session.receive(ipPacket(1), later)
    expect(session.send(ipPacket(1), later)).toBe(false)
    expect(session.seal(new Uint8Array(200), 100, 50, later)).toBeLessThan(0)
    expect(session.open(new Uint8Array(200), 0, 50, later)).toBeLessThan(0)
    session.renegotiate(later)
    session.handleTimeout(later)
    session.authenticate({ type: 'password', username: 'u', password: 'p' }, later)
    session.allow(later)
    session.deny('no', later)
    session.close(later)
    expect(session.poll()).toBeUndefined()
    expect(session.pollTimeout()).toBe(Infinity)
    expect(session.pendingTimer).toBeUndefined()
    expect(session.digest()).toEqual(digest)
  })

  it('SESS-7 handleTimeout early or twice changes nothing', () => {
    const pair = new Pair({ crypto, faults: rough(0.2), seed: 'early' })
    for (let i = 0; i < 60; i++) {
      for (const { session } of [pair.client, pair.server]) {
        const due = session.pollTimeout()
        if (due <= pair.now) continue
        const before = session.digest()
        session.handleTimeout(pair.now)
        session.handleTimeout(pair.now)
        expect(session.digest()).toEqual(before)
        expect(session.poll()).toBeUndefined()
        expect(session.pollTimeout()).toBe(due)
      }
      pair.step(1e9)
    }
    expect(pair.steps).toBeGreaterThan(50)
  })

  it('SESS-7 handleTimeout late runs everything due in the order of the deadlines', () => {
    const timers = { ping: 10_000, pingRestart: 30_000, renegotiateAfter: 20_000 }
    const pair = connectPair({ crypto, client: { timers }, server: { push: { options: [] }, timers } })
    const { session } = pair.client
    session.handleTimeout(pair.now + 100_000)
    const outputs = outputsOf(session)
    // Ping, soft reset, then the end: nothing after it.
    const kinds = outputs.map((text) => (text.includes('"transmit"') ? 'transmit' : 'event'))
    expect(kinds).toEqual(['transmit', 'transmit', 'event'])
    expect(outputs.at(-1)).toContain('ping-restart')
  })

  it.each(['udp', 'tcp'] as const)('SESS-8 the same inputs give the same bytes over %s', (transport) => {
    const run = (): string[] => {
      const pair = new Pair({
        crypto,
        transport,
        seed: 'twice',
        faults: rough(transport === 'udp' ? 0.1 : 0),
        record: true,
        client: { wrap: wrapPair('tls-crypt').client, trace: true },
        server: { wrap: wrapPair('tls-crypt').server, trace: true },
      })
      pair.connect()
      for (let i = 0; i < 20; i++) {
        pair.send(pair.client, ipPacket(i))
        pair.send(pair.server, ipPacket(i))
        pair.wait(100)
      }
      pair.input(pair.client, (session, now) => session.renegotiate(now))
      pair.wait(20_000)
      pair.input(pair.client, (session, now) => session.close(now))
      pair.wait(20_000)
      return [...pair.client.outputs, ...pair.server.outputs].map(textOf)
    }
    const first = run()
    expect(first.length).toBeGreaterThan(80)
    expect(run()).toEqual(first)
  })

  it('SESS-8 two configurations with different randomness differ', () => {
    const [config] = pairConfigs()
    const first = (seed: string): string[] => {
      const { source } = new SeededRandom(seed)
      return outputsOf(new Session(config, { now: 0, timeOrigin: PKI_NOW, random: source, crypto }))
    }
    expect(first('a')).toEqual(first('a'))
    expect(first('a')).not.toEqual(first('b'))
  })
})
