/**
 * Known attacks on the control channel and on session slots, one test each. The letters are those of the project's list of
 * vulnerability classes: A before authentication, B on slots, renegotiation and messages.
 */
import { describe, expect, it } from 'vitest'
import { concat, utf8Encode } from '../../src/bytes/index.ts'
import { OCC_MAGIC, writeOcc } from '../../src/data/index.ts'
import { nodeCrypto } from '../../src/node/crypto/index.ts'
import { Session } from '../../src/session/index.ts'
import { isDataOpcode, Opcode, opcodeOf, parseControlPlain, writeControlPlain } from '../../src/wire/index.ts'
import { expectDropped, stopped } from '../support/dropped.ts'
import { connectPair, ipPacket, markOf, Pair, pairConfigs } from '../support/pair.ts'
import { RawPeer } from '../support/raw-peer.ts'
import { SeededRandom } from '../support/random.ts'

const crypto = nodeCrypto

describe('B: slots, renegotiation, messages', () => {
  it('B1 CVE-2026-40215 after a takeover nothing of the old session leaves any more', () => {
    const pair = connectPair({ crypto, transport: 'udp' })
    // The old session has an unacknowledged message and its retransmissions.
    pair.network.filter = () => false
    pair.input(pair.server, (session, now) => session.pushUpdate(['route-metric 3'], now))
    pair.input(pair.server, (session, now) => session.renegotiate(now))
    pair.network.filter = undefined
    const oldClient = pair.client.session
    const [config] = pairConfigs()
    const restarted = new Session(config, { ...pair.environment('client'), random: new SeededRandom('new').source })
    ;(pair.client as { session: Session }).session = restarted
    pair.drain(pair.client)
    pair.run(pair.now + 5_000, () => pair.events(pair.server, 'peer-restarted').length > 0)
    const after: string[] = []
    pair.network.filter = (bytes, to) => {
      const packet = to === 'client' ? parseControlPlain(bytes) : 'data'
      if (typeof packet !== 'string') after.push(packet.sessionId.join())
      return true
    }
    pair.wait(120_000)
    expect(oldClient.state).toBe('connected')
    expect(new Set(after).size).toBeLessThanOrEqual(1)
    expect(restarted.state).toBe('connected')
  })

  it('B2 CVE-2020-15078 nothing is pushed and no packet taken before the login is allowed', () => {
    const peer = new RawPeer({
      role: 'client',
      login: { username: 'u', password: 'p' },
      session: { admission: 'ask' },
    })
    for (let i = 0; i < 20; i++) peer.say('PUSH_REQUEST')
    expect(peer.texts).toEqual([])
    expect(peer.session.state).toBe('exchanging')
    peer.session.receive(Uint8Array.of(0x30, ...new Uint8Array(60)), peer.now)
    expect(peer.session.stats.dropped['key-not-ready']).toBe(1)
    peer.session.deny('no', peer.now)
    peer.settle()
    peer.say('PUSH_REQUEST')
    expect(peer.texts).toEqual(['AUTH_FAILED,no'])
    expect(peer.session.state).toBe('closed')
  })

  it('B4 CVE-2024-28882 the end comes at its first deadline, whatever is said meanwhile', () => {
    const pair = new Pair({
      crypto,
      client: { login: { type: 'password', username: 'u', password: 'p' } },
      server: { admission: 'ask' },
    })
    pair.run(5_000, () => pair.events(pair.server, 'login').length > 0)
    pair.input(pair.server, (session, now) => session.deny('no', now))
    // The client's acks never arrive; it goes on asking.
    pair.network.filter = (_bytes, to) => to === 'client'
    const since = pair.now
    for (let i = 0; i < 40; i++) {
      pair.input(pair.server, (session, now) => session.close(now))
      pair.wait(200)
    }
    expect(pair.server.closedAt).toBe(since + 5_000)
  })

  it('B7 CVE-2024-5594 a message with control characters is ignored, whole', () => {
    let ignored = 0
    for (let code = 0; code < 256; code++) {
      if (code === 0 || code === 10 || code === 13 || (code >= 32 && code !== 127)) continue
      const peer = new RawPeer({ role: 'server' })
      const text = utf8Encode('PUSH_REPLY,cipher AES-256-GCM')
      peer.write(Uint8Array.of(...text.slice(0, 12), code, ...text.slice(12), 0))
      expect(peer.session.state).toBe('exchanging')
      ignored++
    }
    expect(ignored).toBe(30)
    const chomped = new RawPeer({ role: 'server' })
    chomped.write(utf8Encode('PUSH_REPLY,cipher AES-256-GCM\r\n\0'))
    expect(chomped.session.state).toBe('connected')
  })

  it('B11 a soft reset before the first key is dropped', () => {
    for (const steps of [1, 2, 3, 4, 5]) {
      const { pair, seen } = stopped('none', steps)
      for (const side of [pair.client, pair.server]) {
        const sample = seen.find((entry) => entry.side === side)
        const packet = sample === undefined ? 'none' : parseControlPlain(sample.bytes)
        if (typeof packet === 'string') continue
        const reset = writeControlPlain({
          opcode: Opcode.CONTROL_SOFT_RESET_V1,
          keyId: 1,
          sessionId: packet.sessionId,
          acks: [],
          packetId: 0,
          payload: new Uint8Array(0),
        })
        expectDropped(pair, side.session, reset, `a soft reset in step ${steps}`)
      }
    }
  })

  it('B12 a peer that resets every millisecond has one renegotiation at a time, and keeps its tunnel', () => {
    const peer = new RawPeer({ role: 'client', peerInfo: 'IV_PROTO=478\nIV_CIPHERS=AES-256-GCM\nIV_NCP=2\n' })
    const { session } = peer
    const sent = session.stats.datagramsSent
    for (let i = 0; i < 3_000; i++) {
      peer.now++
      for (const keyId of [1, 2, 3]) {
        peer.packet({
          opcode: Opcode.CONTROL_SOFT_RESET_V1,
          keyId,
          sessionId: peer.sessionId,
          acks: [],
          packetId: 0,
          payload: new Uint8Array(0),
        })
      }
      while (session.poll() !== undefined);
    }
    expect(session.state).toBe('connected')
    expect(session.stats.dropped['unknown-key-id'] + session.stats.dropped['unexpected-reset']).toBe(6_000)
    // One answer per reset of the one key id that may be: never more bytes out than in.
    expect(session.stats.datagramsSent - sent).toBeLessThanOrEqual(3_010)
  })

  it('B13 packets of sixteen generations of keys are replayed, none is taken twice', () => {
    const pair = connectPair({ crypto })
    const old: Uint8Array[] = []
    pair.network.filter = (bytes, to) => {
      if (to === 'server' && isDataOpcode(opcodeOf(bytes[0]!))) old.push(bytes.slice())
      return true
    }
    for (let round = 0; round < 16; round++) {
      for (let i = 0; i < 5; i++) pair.send(pair.client, ipPacket(round * 10 + i))
      pair.wait(200)
      pair.input(pair.client, (session, now) => session.renegotiate(now))
      pair.wait(1_000)
    }
    expect(pair.server.packets.length).toBe(80)
    expect(old.length).toBeGreaterThanOrEqual(80)
    for (const bytes of old) pair.input(pair.server, (session, now) => session.receive(bytes, now))
    expect(pair.server.packets.map(markOf)).toHaveLength(80)
  })

  it('B14 a flood of acks, of anything sent or not, makes no packet', () => {
    const peer = new RawPeer({ role: 'client' })
    const { session } = peer
    const random = new SeededRandom('acks')
    const before = session.stats.datagramsSent
    for (let i = 0; i < 20_000; i++) {
      const acks = Array.from({ length: 1 + random.below(8) }, () =>
        random.chance(0.5) ? random.below(20) : random.uint32(),
      )
      peer.packet({
        opcode: Opcode.ACK_V1,
        keyId: 0,
        sessionId: peer.sessionId,
        acks,
        packetId: undefined,
        payload: new Uint8Array(0),
      })
    }
    expect(session.stats.datagramsSent).toBe(before)
    expect(session.state).toBe('connected')
  })

  it('B17 a farewell counts only inside the authenticated channel', () => {
    const occ = concat(OCC_MAGIC, Uint8Array.of(6))
    const pair = connectPair({ crypto })
    for (const first of [0x30, 0x48]) {
      for (const header of [1, 4, 8, 24, 25]) {
        const bytes = new Uint8Array(header + occ.length)
        bytes[0] = first
        bytes.set(occ, header)
        for (const { session } of [pair.client, pair.server]) expectDropped(pair, session, bytes, 'a spoofed exit')
      }
    }
    const early = new RawPeer({ role: 'server', keyMessage: new TextEncoder().encode('EXIT\0') })
    expect(early.session.closeReason?.type).toBe('malformed')
  })

  it('B21 VORACLE nothing is ever compressed, and what claims to be is refused, whatever its first byte', () => {
    const ends = { client: { compression: 'comp-lzo' }, server: { compression: 'comp-lzo' } } as const
    const honest = connectPair({ crypto, ...ends })
    const sent = honest.client.session.stats.bytesSent
    honest.send(honest.client, ipPacket(1, 1_000))
    expect(honest.client.session.stats.bytesSent - sent).toBeGreaterThan(1_000)
    // The client's end has no framing, so its packets' first byte is what the server takes for the compressor's.
    const pair = connectPair({ crypto, server: ends.server })
    const { dropped } = pair.server.session.stats
    for (let first = 0; first < 256; first++) {
      const packet = Uint8Array.of(first, ...ipPacket(first))
      const inner = packet.slice(1).join()
      pair.client.pending.set(inner, 1)
      pair.send(pair.client, packet)
      pair.wait(50)
    }
    expect(pair.server.packets).toHaveLength(1)
    // 0xfb means uncompressed with the last byte moved to the front: then it is no IP packet.
    expect(dropped).toMatchObject({ 'unknown-compression': 250, 'compression-refused': 4, 'not-ip': 1 })
    expect(pair.server.session.state).toBe('connected')
  })

  it('B22 a flood of questions for our options draws one answer in ten seconds', () => {
    const pair = connectPair({ crypto, client: { mode: 'point-to-point' }, server: { mode: 'point-to-point' } })
    const { stats } = pair.server.session
    const before = stats.datagramsSent
    for (let i = 0; i < 1_000; i++) {
      pair.send(pair.client, writeOcc({ type: 'request' }))
      pair.wait(25)
    }
    expect(stats.datagramsSent - before).toBeGreaterThanOrEqual(1)
    expect(stats.datagramsSent - before).toBeLessThanOrEqual(3)
    expect(pair.client.packets).toEqual([])
  })
})
