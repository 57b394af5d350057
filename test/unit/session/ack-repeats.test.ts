/**
 * Acks that a client says again, because its server takes nothing under a new key before its key message is acknowledged.
 */
import { describe, expect, it } from 'vitest'
import { nodeCrypto } from '../../../src/node/crypto/index.ts'
import type { SessionConfig, SessionTimers } from '../../../src/session/index.ts'
import { isDataOpcode, keyIdOf, Opcode, opcodeOf } from '../../../src/wire/index.ts'
import { connectPair, ipPacket, Pair, type PairOptions } from '../../support/pair.ts'
import { RawPeer } from '../../support/raw-peer.ts'
import { WRAP_KINDS, type WrapKind, wrapPair } from '../../support/wraps.ts'

const crypto = nodeCrypto
/** A server does not send its key message again by itself while a test looks. */
const TIMERS: Partial<SessionTimers> = { tlsTimeout: 50_000, tlsTimeoutMax: 50_000, renegotiateAfter: 0 }
const SERVER: Partial<SessionConfig> = { timers: TIMERS, push: { options: [], peerId: 0 } }
const EQUAL: Partial<SessionConfig> = { mode: 'point-to-point', timers: TIMERS }
/** This end sends under a new key after one second. */
const HASTY: Partial<SessionConfig> = { timers: { ...TIMERS, handWindow: 1_000 } }
const AT = [300, 700, 1500, 3000]
const REPLY = 'PUSH_REPLY,ifconfig 10.8.0.2 255.255.255.0,topology subnet,peer-id 3,cipher AES-256-GCM'

/** A connected pair at rest. */
function quietPair(wrap: WrapKind = 'none', more: PairOptions = {}): Pair {
  const keys = wrapPair(wrap)
  const pair = connectPair({
    crypto,
    ...more,
    client: { wrap: keys.client, timers: TIMERS, ...more.client },
    server: { wrap: keys.server, ...SERVER, ...more.server },
  })
  pair.wait(5_000)
  return pair
}

/** When ACK_V1 packets of the client leave under the key id, once it has rekeyed; the first `lost` of them vanish. */
function acksOf(pair: Pair, keyId: number, lost = 0): number[] {
  const acks: number[] = []
  const before = pair.client.session.stats.rekeys
  pair.network.filter = (bytes, to) => {
    const first = bytes[0]!
    const counts = to === 'server' && opcodeOf(first) === Opcode.ACK_V1 && keyIdOf(first) === keyId
    if (!counts || pair.client.session.stats.rekeys === before) return true
    acks.push(pair.now)
    return acks.length > lost
  }
  return acks
}

/** Renegotiates to the end at the client; returns when that was. */
function renegotiate(pair: Pair): number {
  const { session } = pair.client
  const before = session.stats.rekeys
  pair.input(pair.client, (client, now) => client.renegotiate(now))
  expect(pair.run(pair.now + 1_000, () => session.stats.rekeys > before)).toBe(true)
  return pair.now
}

/** One data packet of the server's under the key id, which does not arrive. */
function packetUnder(pair: Pair, keyId: number): Uint8Array {
  const { filter } = pair.network
  let packet: Uint8Array | undefined
  pair.network.filter = (bytes) => {
    if (isDataOpcode(opcodeOf(bytes[0]!)) && keyIdOf(bytes[0]!) === keyId) packet = bytes
    return false
  }
  pair.send(pair.server, ipPacket(keyId))
  pair.network.filter = filter
  if (packet === undefined) throw new Error(`the server does not send under key ${keyId}`)
  return packet
}

const droppedBy = (pair: Pair, end: 'client' | 'server'): string[] =>
  Object.entries(pair.side(end).session.stats.dropped).flatMap(([reason, count]) => (count > 0 ? [reason] : []))

describe('the ack of the server’s key message is lost', () => {
  it.each(WRAP_KINDS)('REKEY-19 %s: said again, it lets the server take the new key', (wrap) => {
    const pair = quietPair(wrap, { client: HASTY })
    acksOf(pair, 1, 1)
    const active = renegotiate(pair)
    pair.run(active + 310)
    // Not a word of it reached the server: what comes under the new key is dropped.
    expect(pair.server.session.keyStates.at(-1)).toEqual({ keyId: 1, state: 'sent-key' })
    pair.wait(20)
    expect(pair.server.session.keyStates).toEqual([{ keyId: 1, state: 'generated-keys' }])
    pair.wait(1_000)
    for (let mark = 0; mark < 5; mark++) pair.send(pair.client, ipPacket(mark))
    pair.wait(100)
    expect(pair.server.packets).toHaveLength(5)
    pair.wait(5_000)
    expect([droppedBy(pair, 'server'), droppedBy(pair, 'client')]).toEqual([[], []])
  })

  it.each([
    [2, 700],
    [3, 1500],
    [4, 3000],
    [5, Infinity],
  ])('REKEY-19 %d times: %d ms', (lost, expected) => {
    const pair = quietPair('tls-crypt')
    acksOf(pair, 1, lost)
    const active = renegotiate(pair)
    const isThere = (): boolean => pair.server.session.stats.rekeys === 1
    expect(pair.run(active + 10_000, isThere)).toBe(expected < Infinity)
    if (expected < Infinity) expect(pair.now).toBe(active + expected + 20)
  })

  it.each([0, 1])('REKEY-19 between equal ends, of the first key, %d lost', (lost) => {
    const pair = new Pair({ crypto, client: EQUAL, server: EQUAL })
    let acks = 0
    pair.network.filter = (bytes, to) =>
      to === 'client' || opcodeOf(bytes[0]!) !== Opcode.ACK_V1 || pair.client.connectedAt > pair.now || ++acks > lost
    expect(pair.connect()).toBe(true)
    expect(pair.server.connectedAt - pair.client.connectedAt).toBe(20 + 300 * lost)
  })
})

describe('the repetition', () => {
  it('REKEY-19 is four packets with the last acks on a quiet link, and then none', () => {
    const pair = quietPair('none', { client: { trace: true } })
    const acks = acksOf(pair, 1)
    const active = renegotiate(pair)
    for (const at of AT) {
      expect(pair.client.session.pollTimeout()).toBe(active + at)
      expect(pair.client.session.pendingTimer).toBe('retransmit')
      pair.run(active + at)
    }
    pair.wait(30_000)
    const [first, ...again] = acks
    expect(first).toBe(active)
    expect(again.map((at) => at - active)).toEqual(AT)
    const sent = pair.events(pair.client, 'trace').filter(({ direction }) => direction === 'sent')
    const named = sent.slice(-5).map(({ acks: ids, keyId, opcode }) => [opcode, keyId, ids.length > 1, ids.join()])
    expect(new Set(named.map(String)).size).toBe(1)
    expect(named[0]?.slice(0, 3)).toEqual(['P_ACK_V1', 1, true])
    expect(droppedBy(pair, 'server')).toEqual([])
  })

  it('REKEY-19 makes up for a late timer once', () => {
    const pair = quietPair()
    const acks = acksOf(pair, 1)
    const active = renegotiate(pair)
    pair.now = active + 2_000
    pair.input(pair.client, (session, now) => session.handleTimeout(now))
    expect(acks).toHaveLength(2)
    expect(pair.client.session.pollTimeout()).toBe(active + 3_000)
  })

  it.each([
    ['by a server', 'udp', 'server'],
    ['over TCP', 'tcp', 'client'],
  ] as const)('REKEY-19 is not made %s', (_name, transport, end) => {
    const pair = quietPair('none', { transport })
    renegotiate(pair)
    pair.wait(100)
    const sent = pair.side(end).session.stats.datagramsSent
    const { session } = pair.side(end)
    expect(session.stats.rekeys).toBe(1)
    expect(session.pendingTimer).not.toBe('retransmit')
    pair.wait(5_000)
    expect(session.stats.datagramsSent).toBe(sent)
  })

  it('REKEY-20 is not made where packets come under the key at once', () => {
    const pair = connectPair({ crypto, client: EQUAL, server: EQUAL })
    const since = pair.client.session.stats.datagramsSent
    pair.send(pair.server, ipPacket(1))
    pair.wait(100)
    expect(pair.client.packets).toHaveLength(1)
    expect(pair.client.session.pendingTimer).not.toBe('retransmit')
    pair.wait(5_000)
    expect(pair.client.session.stats.datagramsSent).toBe(since)
  })

  it('REKEY-20 goes on whatever is forged or under the old key, and ends with a packet under the new one', () => {
    const pair = quietPair('none', { server: HASTY })
    const old = packetUnder(pair, 0)
    const acks = acksOf(pair, 1)
    const active = renegotiate(pair)
    pair.run(active + 1_200)
    const genuine = packetUnder(pair, 1)
    const { session } = pair.client
    const take = (bytes: Uint8Array): void => pair.input(pair.client, (client, now) => client.receive(bytes, now))
    const before = session.digest()
    for (let bit = 8; bit < genuine.length * 8; bit++) {
      const forged = genuine.slice()
      forged[bit >> 3] = forged[bit >> 3]! ^ (1 << (bit & 7))
      take(forged)
      expect(session.pollTimeout()).toBe(active + 1_500)
    }
    expect(session.digest()).toEqual(before)
    take(old)
    expect([session.pollTimeout(), session.stats.packetsReceived]).toEqual([active + 1_500, 1])
    take(genuine)
    expect(session.pendingTimer).not.toBe('retransmit')
    expect(session.stats.packetsReceived).toBe(2)
    pair.wait(10_000)
    expect(acks.map((at) => at - active)).toEqual([0, 300, 700])
  })

  it('REKEY-20 ends with a control message behind the key message', () => {
    const peer = new RawPeer({ role: 'server' })
    const sent = (): number => peer.received.filter(({ opcode }) => opcode === Opcode.ACK_V1).length
    expect(peer.session.pollTimeout()).toBe(300)
    const before = sent()
    peer.wait(700)
    expect(sent() - before).toBe(2)
    peer.say(REPLY)
    expect(peer.session.state).toBe('connected')
    const then = sent()
    expect(peer.session.pollTimeout()).toBeGreaterThan(5_000)
    peer.wait(5_000)
    expect(sent()).toBe(then)
  })

  it('REKEY-20 ends when the peer begins the next renegotiation, and with the key’s control channel', () => {
    for (const how of ['reset', 'close'] as const) {
      const peer = new RawPeer({ role: 'server', session: { mode: 'point-to-point' } })
      expect(peer.session.pendingTimer).toBe('retransmit')
      const { sessionId } = peer
      const payload = new Uint8Array(0)
      if (how === 'reset') {
        peer.packet({ opcode: Opcode.CONTROL_SOFT_RESET_V1, keyId: 1, sessionId, acks: [], packetId: 0, payload })
        peer.settle()
        peer.packet({ opcode: Opcode.ACK_V1, keyId: 1, sessionId, acks: [0], packetId: undefined, payload })
        expect(peer.session.keyStates.map(({ keyId }) => keyId)).toEqual([0, 1])
      } else {
        peer.endTls()
      }
      expect(peer.session.state).toBe('connected')
      const count = (): number =>
        peer.received.filter(({ keyId, opcode }) => keyId === 0 && opcode === Opcode.ACK_V1).length
      const before = count()
      peer.wait(5_000)
      expect(count()).toBe(before)
    }
  })

  it('REKEY-20 ends with the session', () => {
    const pair = quietPair()
    renegotiate(pair)
    const { session } = pair.client
    expect(session.pendingTimer).toBe('retransmit')
    pair.input(pair.client, (client, now) => client.abandon(now))
    const sent = session.stats.datagramsSent
    expect(session.pollTimeout()).toBe(Infinity)
    pair.wait(5_000)
    expect(session.stats.datagramsSent).toBe(sent)
  })
})
