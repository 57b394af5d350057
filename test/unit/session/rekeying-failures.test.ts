import { describe, expect, it } from 'vitest'
import { nodeCrypto } from '../../../src/node/crypto/index.ts'
import { type SessionTimers } from '../../../src/session/index.ts'
import { keyIdOf, Opcode, opcodeOf } from '../../../src/wire/index.ts'
import { CLEAN, type End, rough } from '../../support/network.ts'
import { connectPair, ipPacket, markOf, type Pair } from '../../support/pair.ts'
import { RawPeer } from '../../support/raw-peer.ts'
import { wrapPair } from '../../support/wraps.ts'

const crypto = nodeCrypto

function pairWith(client: Partial<SessionTimers>, server: Partial<SessionTimers> = {}): Pair {
  return connectPair({
    crypto,
    client: { timers: client },
    server: { timers: { renegotiateAfter: 0, ...server }, push: { options: [], peerId: 0 } },
  })
}

const renegotiate = (pair: Pair, end: End): void => {
  pair.input(pair.side(end), (session, now) => session.renegotiate(now))
}

const rekeyed = (pair: Pair, end: End): number[] => pair.events(pair.side(end), 'rekeyed').map(({ keyId }) => keyId)

const PEER_INFO = 'IV_PROTO=478\nIV_CIPHERS=AES-256-GCM\nIV_NCP=2\n'

/** The peer begins a renegotiation. */
function softReset(peer: RawPeer, keyId: number): void {
  const { sessionId } = peer
  const payload = new Uint8Array(0)
  peer.packet({ opcode: Opcode.CONTROL_SOFT_RESET_V1, keyId, sessionId, acks: [], packetId: 0, payload })
  peer.settle()
}

describe('failures and causes', () => {
  it('REKEY-9 REKEY-10 a failed renegotiation is tried again after ten seconds, under the id that the peer never answered', () => {
    const pair = pairWith({})
    const attempts: { at: number; keyId: number }[] = []
    let blocked = true
    pair.network.filter = (bytes, to) => {
      if (opcodeOf(bytes[0]!) !== Opcode.CONTROL_SOFT_RESET_V1) return true
      if (to === 'server') attempts.push({ at: pair.now, keyId: keyIdOf(bytes[0]!) })
      return !blocked
    }
    const began = pair.now
    renegotiate(pair, 'client')
    pair.wait(60_000)
    expect(pair.events(pair.client, 'rekey-failed')).toMatchObject([{ keyId: 1, reason: { timer: 'hand-window' } }])
    blocked = false
    pair.wait(20_000)
    expect(attempts.find(({ at }) => at > began + 60_000)).toEqual({ at: began + 70_000, keyId: 1 })
    expect([rekeyed(pair, 'client'), rekeyed(pair, 'server')]).toEqual([[1], [1]])
    expect(pair.client.session.stats.failedRekeys).toBe(1)
  })

  it('REKEY-10 REKEY-18 a negotiation that one end finished and the other gave up is overtaken by the next', () => {
    const pair = pairWith({ ping: 5_000 }, { ping: 5_000 })
    // Once the client is done nothing of that negotiation reaches the server, and no packet shows that the key is there.
    pair.network.filter = (bytes, to) =>
      to !== 'server' || keyIdOf(bytes[0]!) !== 1 || pair.client.session.stats.rekeys === 0
    renegotiate(pair, 'client')
    pair.wait(65_000)
    expect(rekeyed(pair, 'client')).toEqual([1])
    expect(pair.events(pair.server, 'rekey-failed')).toMatchObject([{ keyId: 1 }])
    pair.wait(10_000)
    expect([rekeyed(pair, 'client'), rekeyed(pair, 'server')]).toEqual([[1, 2], [2]])
    // The server, which saw the failure, sends under the new key; the client follows.
    pair.send(pair.server, ipPacket(2))
    pair.wait(100)
    pair.send(pair.client, ipPacket(1))
    pair.wait(100)
    expect([pair.server.packets.length, pair.client.packets.length]).toEqual([1, 1])
  })

  it('REKEY-17 the client gives its unanswered negotiation up for the server’s, and the server does not', () => {
    for (const role of ['server', 'client'] as const) {
      const peer = new RawPeer(role === 'server' ? { role } : { role, peerInfo: PEER_INFO })
      if (role === 'server') peer.say('PUSH_REPLY,ifconfig 10.8.0.2 255.255.255.0,topology subnet,cipher AES-256-GCM')
      const { session } = peer
      expect(session.state).toBe('connected')
      session.renegotiate(peer.now)
      peer.settle()
      expect(peer.received.at(-1)).toMatchObject({ opcode: Opcode.CONTROL_SOFT_RESET_V1, keyId: 1 })
      softReset(peer, 3)
      const gaveWay = role === 'server'
      expect(session.stats.dropped['unexpected-reset']).toBe(gaveWay ? 0 : 1)
      expect(peer.received.at(-1)).toMatchObject({ opcode: Opcode.CONTROL_SOFT_RESET_V1, keyId: gaveWay ? 3 : 1 })
      expect(session.state).toBe('connected')
    }
  })

  it('REKEY-17 a negotiation of the peer’s makes room for the one after it, but not at once', () => {
    const peer = new RawPeer({ role: 'client', peerInfo: PEER_INFO })
    const { session } = peer
    const reset = (keyId: number): number => {
      const before = session.stats.dropped['unexpected-reset']
      softReset(peer, keyId)
      return session.stats.dropped['unexpected-reset'] - before
    }
    expect(reset(3)).toBe(0)
    expect([reset(4), reset(5), reset(7)]).toEqual([1, 1, 1])
    peer.wait(5_000)
    expect([reset(5), reset(3), reset(4)]).toEqual([1, 0, 0])
    expect(peer.received.at(-1)).toMatchObject({ keyId: 4 })
    expect(session.state).toBe('connected')
  })

  it('REKEY-11 by time, bytes and packets', () => {
    const byTime = pairWith({ renegotiateAfter: 50_000 })
    byTime.wait(51_000)
    expect(rekeyed(byTime, 'client')).toEqual([1])
    byTime.wait(60_000)
    expect(rekeyed(byTime, 'client')).toEqual([1, 2])
    const byBytes = pairWith({ renegotiateBytes: 10_000, renegotiateAfter: 0 })
    for (let i = 0; i < 30; i++) byBytes.send(byBytes.client, ipPacket(i, 500))
    byBytes.wait(5_000)
    expect(rekeyed(byBytes, 'client')).toEqual([1])
    const byPackets = pairWith({ renegotiatePackets: 20, renegotiateAfter: 0 })
    for (let i = 0; i < 15; i++) byPackets.send(byPackets.client, ipPacket(i))
    byPackets.wait(5_000)
    expect(rekeyed(byPackets, 'client')).toEqual([])
    for (let i = 0; i < 15; i++) byPackets.send(byPackets.server, ipPacket(i))
    byPackets.wait(5_000)
    expect(rekeyed(byPackets, 'client')).toEqual([1])
  })

  it('REKEY-12 renegotiations under the dynamic key need the shared key and the first TLS session', () => {
    for (const kind of ['none', 'tls-auth', 'tls-crypt', 'tls-crypt-v2'] as const) {
      const wrap = wrapPair(kind)
      const pair = connectPair({ crypto, client: { wrap: wrap.client }, server: { wrap: wrap.server } })
      renegotiate(pair, 'server')
      pair.wait(1_000)
      expect(pair.events(pair.client, 'rekeyed')[0]?.negotiated).toMatchObject({ dynamicTlsCrypt: true, wrap: kind })
      expect(pair.client.session.stats.dropped['tls-crypt-mismatch']).toBe(0)
    }
  })

  it('REKEY-13 a server begins at a moment of its own in the last tenth', () => {
    const moments = new Set<number>()
    for (let seed = 0; seed < 12; seed++) {
      const timers = { renegotiateAfter: 100_000 }
      const pair = connectPair({
        crypto,
        seed,
        client: { timers: { renegotiateAfter: 0 } },
        server: { timers, push: { options: [], peerId: 0 } },
      })
      const since = pair.server.connectedAt
      pair.run(since + 200_000, () => pair.server.session.stats.rekeys > 0)
      const after = pair.now - since
      expect(after).toBeGreaterThanOrEqual(90_000)
      expect(after).toBeLessThan(101_000)
      moments.add(Math.round(after))
    }
    expect(moments.size).toBeGreaterThan(8)
    const exact = pairWith({ renegotiateAfter: 0 }, { renegotiateAfter: 50_000, renegotiateAfterMin: 50_000 })
    exact.wait(50_500)
    expect(rekeyed(exact, 'server')).toEqual([1])
  })

  it('no packet is lost over 20 renegotiations under traffic on a clean link', () => {
    const pair = connectPair({ crypto, faults: { ...CLEAN, jitter: 0 } })
    const sent: number[] = []
    for (let i = 0; i < 1_200; i++) {
      if (i % 60 === 0) renegotiate(pair, i % 120 === 0 ? 'client' : 'server')
      if (i % 180 === 0) renegotiate(pair, 'server')
      expect(pair.send(pair.client, ipPacket(i))).toBe(true)
      expect(pair.send(pair.server, ipPacket(i))).toBe(true)
      sent.push(i)
      pair.wait(50)
    }
    pair.wait(1_000)
    expect(pair.server.packets.map(markOf)).toEqual(sent)
    expect(pair.client.packets.map(markOf)).toEqual(sent)
    expect(pair.client.session.stats.rekeys).toBe(20)
  })

  it('renegotiates through 20 % loss with reordering, duplicates and corruption', () => {
    const wrap = wrapPair('tls-crypt')
    const pair = connectPair({
      crypto,
      seed: 'lossy',
      faults: rough(0.2),
      client: { wrap: wrap.client },
      server: { wrap: wrap.server },
    })
    for (let round = 0; round < 10; round++) {
      renegotiate(pair, 'client')
      renegotiate(pair, 'server')
      pair.wait(120_000)
    }
    expect(pair.client.session.state).toBe('connected')
    expect(pair.client.session.stats.rekeys).toBeGreaterThanOrEqual(9)
    expect(pair.client.session.stats.rekeys).toBe(pair.server.session.stats.rekeys)
  })
})
