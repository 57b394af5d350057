import { describe, expect, it } from 'vitest'
import { DataCode, writeOcc } from '../../../src/data/index.ts'
import { nodeCrypto } from '../../../src/node/crypto/index.ts'
import { LaneCode, type Session } from '../../../src/session/index.ts'
import { Opcode, opcodeOf } from '../../../src/wire/index.ts'
import { connectPair, ipPacket, markOf, type Pair } from '../../support/pair.ts'

const crypto = nodeCrypto

/** Seals through the fast lane, in a buffer with exactly the room asked for. */
function sealFast(session: Session, packet: Uint8Array, now: number): Uint8Array[] {
  const { headroom, tailroom } = session
  const buffer = new Uint8Array(headroom + packet.length + tailroom)
  buffer.set(packet, headroom)
  const out: Uint8Array[] = []
  for (
    let size = session.seal(buffer, headroom, packet.length, now);
    size > 0;
    size = session.sealNext(buffer, headroom, now)
  ) {
    out.push(buffer.slice(session.resultOffset, session.resultOffset + size))
    if (session.fragmentsLeft === 0) return out
  }
  return out
}

/** What the other end's fast lane makes of a datagram. */
function openFast(session: Session, datagram: Uint8Array, now: number): Uint8Array | number {
  const buffer = new Uint8Array(datagram.length + 20)
  buffer.set(datagram, 7)
  const size = session.open(buffer, 7, datagram.length, now)
  return size < 0 ? size : session.resultBuffer.slice(session.resultOffset, session.resultOffset + size)
}

const exchange = (pair: Pair, packet: Uint8Array): Uint8Array | undefined => {
  pair.send(pair.client, packet)
  pair.wait(100)
  return pair.server.packets.at(-1)
}

describe('packets', () => {
  it.each(['udp', 'tcp'] as const)('SESS-70 both lanes make the same datagrams over %s', (transport) => {
    const plain = connectPair({ crypto, transport, record: true })
    const fast = connectPair({ crypto, transport })
    for (let i = 0; i < 50; i++) {
      const packet = ipPacket(i, 30 + i * 25)
      plain.client.outputs.length = 0
      plain.send(plain.client, packet)
      const sent = plain.client.outputs.map((output) => (output.type === 'transmit' ? output.data : new Uint8Array(0)))
      expect(sealFast(fast.client.session, packet, plain.now)).toEqual(sent)
    }
    expect(fast.client.session.stats.packetsSent).toBe(50)
    expect(fast.client.session.stats).toEqual(plain.client.session.stats)
  })

  it('SESS-70 without a tunnel a packet is refused and counted in both lanes', () => {
    const pair = connectPair({ crypto })
    pair.input(pair.client, (session, now) => session.close(now))
    const { session } = pair.client
    expect(session.send(ipPacket(1), pair.now)).toBe(false)
    expect(session.seal(new Uint8Array(300), 100, 100, pair.now)).toBe(LaneCode.NO_TUNNEL)
    expect(session.stats.dropped['no-tunnel']).toBe(2)
    expect(pair.server.session.send(new Uint8Array(0), pair.now)).toBe(false)
    expect(pair.server.session.send(ipPacket(1, 5000), pair.now)).toBe(false)
    expect(pair.server.session.stats.dropped['packet-too-large']).toBe(1)
  })

  it('SESS-71 the fast lane opens what the plain lane opens, and hands control packets on', () => {
    const pair = connectPair({ crypto })
    const { session } = pair.server
    for (let i = 0; i < 20; i++) {
      const [datagram] = sealFast(pair.client.session, ipPacket(i), pair.now)
      expect(openFast(session, datagram!, pair.now)).toEqual(ipPacket(i))
      expect(openFast(session, datagram!, pair.now)).toBe(DataCode.REPLAYED)
    }
    expect(session.stats.packetsReceived).toBe(20)
    expect(session.stats.dropped.replayed).toBe(20)
    const [datagram] = sealFast(pair.client.session, ipPacket(99), pair.now)
    datagram![0] = (Opcode.DATA_V2 << 3) | 5
    expect(openFast(session, datagram!, pair.now)).toBe(LaneCode.UNKNOWN_KEY_ID)
    expect(openFast(session, Uint8Array.of(Opcode.CONTROL_V1 << 3, 1, 2), pair.now)).toBe(LaneCode.NOT_DATA)
    expect(openFast(session, new Uint8Array(0), pair.now)).toBe(LaneCode.NOT_DATA)
    expect(session.stats.dropped['unknown-key-id']).toBe(1)
    expect(session.stats.dropped['too-short']).toBe(2)
  })

  it('SESS-71 a renegotiation through the fast lane works without receive', () => {
    const pair = connectPair({ crypto })
    pair.network.filter = (bytes, to) => {
      // Everything goes in through the fast lane.
      const side = pair.side(to)
      pair.network.send = (more, end) => queue.push({ bytes: more, to: end })
      openFast(side.session, bytes, pair.now)
      return false
    }
    const queue: { bytes: Uint8Array; to: 'client' | 'server' }[] = []
    pair.input(pair.client, (session, now) => session.renegotiate(now))
    for (let i = 0; i < 200; i++) {
      pair.drain(pair.client)
      pair.drain(pair.server)
      const next = queue.shift()
      if (next === undefined) break
      openFast(pair.side(next.to).session, next.bytes, pair.now)
    }
    expect(pair.events(pair.client, 'rekeyed')).toHaveLength(1)
    expect(pair.events(pair.server, 'rekeyed')).toHaveLength(1)
  })

  it('SESS-72 pings are never delivered', () => {
    const timers = { ping: 1_000 }
    const pair = connectPair({
      crypto,
      client: { timers },
      server: { timers, push: { options: ['ping 1'], peerId: 0 } },
    })
    pair.wait(30_000)
    for (const { packets, session } of [pair.client, pair.server]) {
      expect(session.stats.pingsSent).toBeGreaterThan(25)
      expect(session.stats.pingsReceived).toBeGreaterThan(25)
      expect(packets).toEqual([])
    }
  })

  it.each(['comp-lzo', 'stub', 'stub-v2', 'lz4-v2'] as const)(
    'SESS-74 SESS-76 fragments and %s framing cross in both lanes',
    (compression) => {
      const layers = { compression, fragment: 500 }
      const pair = connectPair({ crypto, client: layers, server: { ...layers } })
      for (const length of [40, 500, 1400]) {
        expect(exchange(pair, ipPacket(length, length))).toEqual(ipPacket(length, length))
        const datagrams = sealFast(pair.client.session, ipPacket(1, length), pair.now)
        expect(datagrams.every((datagram) => datagram.length <= 500)).toBe(true)
        const results = datagrams.map((datagram) => openFast(pair.server.session, datagram, pair.now))
        expect(results.at(-1)).toEqual(ipPacket(1, length))
      }
      expect(pair.server.session.stats.packetsReceived).toBe(6)
    },
  )

  it('SESS-76 a client takes the pushed framing, mtu and block-ipv6 over', () => {
    const push = { options: ['compress stub-v2', 'tun-mtu 1400', 'block-ipv6'], peerId: 1 }
    const pair = connectPair({ crypto, server: { push, compression: 'stub-v2' } })
    expect(exchange(pair, ipPacket(3))).toEqual(ipPacket(3))
    const ipv6 = new Uint8Array(60)
    ipv6[0] = 0x60
    expect(pair.send(pair.client, ipv6)).toBe(false)
    expect(pair.client.session.stats.dropped['ipv6-blocked']).toBe(1)
  })

  it('carries Ethernet frames', () => {
    const pair = connectPair({ crypto, client: { device: 'tap' }, server: { device: 'tap' } })
    const frame = new Uint8Array(64).fill(7)
    expect(exchange(pair, frame)).toEqual(frame)
  })

  it('SESS-75 the question for our options is answered once in ten seconds, and an OCC exit ends', () => {
    const pair = connectPair({ crypto, client: { mode: 'point-to-point' }, server: { mode: 'point-to-point' } })
    const { session } = pair.server
    // The tunnel of the other end is reached through its own seal: OCC messages are payloads like any other.
    const request = writeOcc({ type: 'request' })
    const before = session.stats.datagramsSent
    for (let i = 0; i < 5; i++) pair.send(pair.client, request)
    pair.wait(100)
    expect(session.stats.datagramsSent - before).toBe(1)
    expect(pair.client.packets).toEqual([])
    pair.send(pair.client, writeOcc({ type: 'exit' }))
    pair.wait(100)
    expect(session.closeReason).toEqual({ type: 'peer-exit' })
  })

  it('counts what crosses', () => {
    const pair = connectPair({ crypto })
    for (let i = 0; i < 10; i++) exchange(pair, ipPacket(i, 100))
    expect(pair.client.session.stats).toMatchObject({ packetsSent: 10, tunnelBytesSent: 1000 })
    expect(pair.server.session.stats).toMatchObject({ packetsReceived: 10, tunnelBytesReceived: 1000 })
    expect(pair.server.packets.map(markOf)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(opcodeOf(0x48)).toBe(Opcode.DATA_V2)
  })
})
