import { describe, expect, it } from 'vitest'
import { nodeCrypto } from '../../../src/node/crypto/index.ts'
import { Session } from '../../../src/session/index.ts'
import {
  Opcode,
  opcodeOf,
  parseControlPlain,
  splitWrappedKey,
  TRANSPORT_OVERHEAD,
  writeControlPlain,
} from '../../../src/wire/index.ts'
import { rough } from '../../support/network.ts'
import { writeClientKeyMessage } from '../../../src/control/index.ts'
import { cookieExchange } from '../../support/cookie.ts'
import { connectPair, ipPacket, Pair, pairConfigs } from '../../support/pair.ts'
import { PKI_NOW } from '../../support/pki.ts'
import { RawPeer } from '../../support/raw-peer.ts'
import { forged, tapLine } from '../../support/tap-line.ts'
import { WRAP_KINDS, wrapPair } from '../../support/wraps.ts'

const crypto = nodeCrypto

describe('wraps in use', () => {
  it('SESS-10 a retransmission is wrapped afresh', () => {
    const wrap = wrapPair('tls-crypt')
    const pair = new Pair({ crypto, client: { wrap: wrap.client }, server: { wrap: wrap.server } })
    const resets: string[] = []
    pair.network.clear()
    pair.network.filter = (bytes, to) => {
      if (to === 'server') resets.push(bytes.join())
      return false
    }
    pair.wait(10_000)
    // The first one left in the constructor: repetitions after 2, 4 and 4 s.
    expect(resets).toHaveLength(3)
    expect(new Set(resets).size).toBe(3)
  })

  it.each(['tls-auth', 'tls-crypt'] as const)('SESS-11 a repeated %s packet is dropped', (kind) => {
    const wrap = wrapPair(kind)
    const pair = new Pair({ crypto, client: { wrap: wrap.client }, server: { wrap: wrap.server } })
    const captured: Uint8Array[] = []
    pair.network.filter = (bytes, to) => {
      if (to === 'server' && opcodeOf(bytes[0]!) === Opcode.CONTROL_V1) captured.push(bytes.slice())
      return true
    }
    pair.connect()
    expect(captured.length).toBeGreaterThan(1)
    const { session } = pair.server
    const before = session.digest()
    for (const bytes of captured) session.receive(bytes, pair.now)
    expect(session.digest()).toEqual(before)
    expect(session.stats.dropped['wrap-replayed']).toBe(captured.length)
  })

  it("SESS-12 another session's packet under the same key moves no window", () => {
    const wrap = wrapPair('tls-auth')
    const options = { crypto, client: { wrap: wrap.client }, server: { wrap: wrap.server } }
    const other = new Pair({ ...options, seed: 'other' })
    // A session that began an hour later: its replay time is ahead of everything honest.
    other.now = 3_600_000
    const foreign: Uint8Array[] = []
    other.network.filter = (bytes, to) => {
      if (to === 'server') foreign.push(bytes.slice())
      return true
    }
    other.connect(other.now + 60_000)
    const pair = new Pair({ ...options, seed: 'victim' })
    pair.wait(50)
    const { session } = pair.server
    const before = session.digest()
    for (const bytes of foreign.slice(1)) session.receive(bytes, pair.now)
    expect(session.digest()).toEqual(before)
    expect(session.stats.dropped['session-id-mismatch']).toBe(foreign.length - 1)
    expect(pair.connect()).toBe(true)
  })
})

describe('negotiation', () => {
  it('SESS-21 message 0 is a reset and no other is', () => {
    const pair = new Pair({ crypto })
    const tapped = tapLine(pair)
    pair.wait(70)
    const hello = tapped.find(({ to, packet }) => to === 'server' && packet.opcode === Opcode.CONTROL_V1)!
    const { session } = pair.server
    const before = session.digest()
    session.receive(forged(hello.packet, { packetId: 0 }), pair.now)
    session.receive(forged(hello.packet, { opcode: Opcode.CONTROL_SOFT_RESET_V1, packetId: 2 }), pair.now)
    session.receive(forged(hello.packet, { opcode: Opcode.CONTROL_HARD_RESET_CLIENT_V2, packetId: 5 }), pair.now)
    expect(session.digest()).toEqual(before)
    expect(session.stats.dropped['unexpected-reset']).toBe(3)
    expect(pair.connect()).toBe(true)
  })

  it('SESS-22 the first packet of the peer sends everything in flight again', () => {
    const pair = connectPair({ crypto })
    const tapped = tapLine(pair)
    pair.input(pair.client, (session, now) => session.renegotiate(now))
    pair.input(pair.server, (session, now) => session.renegotiate(now))
    pair.wait(25)
    const resets = tapped.filter(({ packet }) => packet.opcode === Opcode.CONTROL_SOFT_RESET_V1)
    expect(resets.map(({ to }) => to).sort()).toEqual(['client', 'client', 'server', 'server'])
  })

  it('SESS-23 a message ahead of the window is dropped without an ack, and its acks count', () => {
    const pair = connectPair({ crypto })
    const { session } = pair.server
    const tapped = tapLine(pair, ({ to }) => to === 'client')
    pair.input(pair.server, (server, now) => server.pushUpdate(['route-metric 5'], now))
    pair.wait(100)
    const update = tapped.find(({ to }) => to === 'client')!.packet
    const ack = tapped.find(({ to }) => to === 'server')!.packet
    const repeated = session.stats.retransmissions
    session.receive(forged(ack, { opcode: Opcode.CONTROL_V1, packetId: 99, acks: [update.packetId!] }), pair.now)
    expect(session.poll()).toBeUndefined()
    expect(session.stats.dropped['packet-id-out-of-window']).toBe(1)
    pair.wait(8_000)
    expect(session.stats.retransmissions).toBe(repeated)
  })

  it('SESS-24 a negotiation without an answer ends at hand-window, and says so', () => {
    const pair = new Pair({ crypto, client: { timers: { handWindow: 30_000 } } })
    pair.network.partitioned = true
    pair.network.clear()
    pair.wait(29_000)
    expect(pair.client.session.state).toBe('negotiating')
    pair.wait(2_000)
    expect(pair.client.closedAt).toBe(30_000)
    expect(pair.client.session.closeReason).toEqual({
      type: 'timed-out',
      timer: 'hand-window',
      detail: 'no answer from the peer',
    })
  })

  it('SESS-24 a negotiation that stops half-way names the state', () => {
    const silent = new Pair({ crypto })
    tapLine(silent, ({ packet }) => packet.opcode !== Opcode.CONTROL_V1)
    silent.wait(70_000)
    expect(silent.client.session.closeReason).toMatchObject({
      timer: 'hand-window',
      detail: expect.stringContaining('fell silent at our first TLS message') as string,
    })
    const pair = new Pair({ crypto })
    let fromServer = 0
    tapLine(pair, ({ packet, to }) => packet.opcode !== Opcode.CONTROL_V1 || to === 'server' || ++fromServer < 2)
    pair.wait(70_000)
    expect(fromServer).toBeGreaterThan(1)
    expect(pair.client.session.closeReason).toMatchObject({
      timer: 'hand-window',
      detail: expect.stringMatching(/^the negotiation stopped in state (start|sent-key|got-key)$/) as string,
    })
  })

  it('SESS-25 a server is active only when its key message is acknowledged', () => {
    const pair = new Pair({ crypto })
    // The client's last acks are held back: the server has everything, and the client waits.
    let closed = false
    tapLine(pair, ({ to, packet }) => !(closed && to === 'server' && packet.acks.length > 0))
    pair.run(120, () => pair.server.session.state === 'negotiating' && pair.client.session.stats.datagramsSent >= 3)
    closed = true
    pair.wait(8_000)
    expect(pair.server.session.state).toBe('negotiating')
    closed = false
    expect(pair.connect()).toBe(true)
  })

  it.each(['udp', 'tcp'] as const)('SESS-26 control packets stay within max-packet-size over %s', (transport) => {
    for (const kind of WRAP_KINDS) {
      for (const maxPacketSize of [400, 1250]) {
        const wrap = wrapPair(kind)
        const pair = new Pair({
          crypto,
          transport,
          pki: 'rsa-2048',
          client: { wrap: wrap.client, maxPacketSize },
          server: { wrap: wrap.server, maxPacketSize },
        })
        let largest = 0
        pair.network.filter = (bytes) => {
          const v3 = opcodeOf(bytes[0]!) === Opcode.CONTROL_HARD_RESET_CLIENT_V3
          // The first packet with its wrapped key is as large as it is; whatever can be cut is.
          if (!v3) largest = Math.max(largest, bytes.length)
          return true
        }
        expect(pair.connect()).toBe(true)
        // Four acks are always counted; a fifth never travels with a message.
        const framed = transport === 'tcp' ? 2 : 0
        expect(largest - framed).toBeLessThanOrEqual(maxPacketSize - TRANSPORT_OVERHEAD[`${transport}6`] + framed)
        expect(largest).toBeGreaterThan(maxPacketSize - 150)
      }
    }
  })

  it('SESS-27 the key message is the first record, whole: what does not parse ends the negotiation', () => {
    const right = new RawPeer({ role: 'client' })
    expect(right.session.state).toBe('connected')
    const whole = writeClientKeyMessage({
      preMaster: new Uint8Array(48),
      random1: new Uint8Array(32),
      random2: new Uint8Array(32),
      options: 'V4',
    })
    for (const length of [1, 5, 53, 116, whole.length - 7]) {
      const cut = new RawPeer({ role: 'client', keyMessage: whole.slice(0, length) })
      expect(cut.session.closeReason).toMatchObject({ type: 'malformed', what: 'key method message' })
      expect(cut.closed).toBe(true)
    }
  })

  it('SESS-28 without a request the wrapped key travels with the reset only', () => {
    const wrap = wrapPair('tls-crypt-v2')
    const pair = new Pair({ crypto, client: { wrap: wrap.client }, server: { wrap: wrap.server } })
    const opcodes: number[] = []
    pair.network.filter = (bytes, to) => {
      if (to === 'server') opcodes.push(opcodeOf(bytes[0]!))
      return true
    }
    expect(pair.connect()).toBe(true)
    expect(opcodes).not.toContain(Opcode.CONTROL_WKC_V1)
  })

  it('SESS-28 a server that stays without state gets the wrapped key again with message 1', () => {
    const cookie = cookieExchange('tls-crypt-v2')
    const { pair, opcodes } = cookie
    expect(pair.connect()).toBe(true)
    // The reset's copies left before the answer came; message 1 repeats the key, the others do not.
    expect(opcodes.filter((opcode) => opcode === Opcode.CONTROL_WKC_V1)).toHaveLength(1)
    expect(opcodes.indexOf(Opcode.CONTROL_WKC_V1)).toBe(1)
  })

  it.each(['none', 'tls-auth', 'tls-crypt', 'tls-crypt-v2'] as const)(
    'SESS-86 a server goes on behind a stateless exchange under %s, also on a rough link',
    (kind) => {
      for (const seed of [1, 2, 3, 4, 5]) {
        const { pair } = cookieExchange(kind, { seed, faults: { ...rough(0.1), corrupt: kind === 'none' ? 0 : 0.03 } })
        expect(pair.connect(pair.now + 60_000)).toBe(true)
        expect(pair.server.session.stats.dropped['session-id-mismatch']).toBe(0)
      }
    },
  )

  it('SESS-29 a peer that proved its address and says nothing has cost a server no randoms', () => {
    const [, server] = pairConfigs()
    const [sessionId, peerSessionId] = [new Uint8Array(8).fill(1), new Uint8Array(8).fill(2)]
    let drawn = 0
    const random = (length: number): Uint8Array => {
      drawn += length
      return new Uint8Array(length).fill(drawn)
    }
    const session = new Session(
      { ...server, resume: { sessionId, peerSessionId, replayPacketId: 1 } },
      { now: 0, timeOrigin: PKI_NOW, random, crypto },
    )
    const from = { keyId: 0, sessionId: peerSessionId, acks: [], payload: new Uint8Array(0) }
    const ack = { opcode: Opcode.ACK_V1, acks: [0], peerSessionId: sessionId, packetId: undefined }
    session.receive(writeControlPlain({ ...from, ...ack }), 10)
    session.receive(writeControlPlain({ ...from, opcode: Opcode.CONTROL_V1, packetId: 1 }), 20)
    expect(session.stats.dropped).toMatchObject({ 'session-id-mismatch': 0, 'unexpected-reset': 0 })
    expect(session.poll()).toMatchObject({ type: 'transmit' })
    expect(drawn).toBe(0)
    const header = new Uint8Array([22, 3, 1, 0, 4])
    session.receive(writeControlPlain({ ...from, opcode: Opcode.CONTROL_V1, packetId: 2, payload: header }), 30)
    expect(drawn).toBe(64)
  })

  it('SESS-36 renegotiations use the dynamic key, key id 0 keeps the configured wrap', () => {
    const wrap = wrapPair('tls-auth')
    const pair = connectPair({ crypto, client: { wrap: wrap.client, trace: true }, server: { wrap: wrap.server } })
    const sizes: number[] = []
    pair.network.filter = (bytes) => {
      if (opcodeOf(bytes[0]!) === Opcode.CONTROL_SOFT_RESET_V1) sizes.push(bytes.length)
      return true
    }
    pair.input(pair.client, (session, now) => session.renegotiate(now))
    pair.wait(1_000)
    expect(pair.events(pair.client, 'rekeyed')).toHaveLength(1)
    // 14 bytes of packet under tls-crypt's 40, not under tls-auth's 28.
    expect(Math.min(...sizes)).toBe(54)
    expect(pair.events(pair.client, 'rekeyed')[0]?.negotiated.dynamicTlsCrypt).toBe(true)
  })

  it.each(WRAP_KINDS)('connects, carries packets and renegotiates with wrap %s on a rough link', (kind) => {
    const wrap = wrapPair(kind)
    const faults = { ...rough(0.1), corrupt: kind === 'none' ? 0 : 0.03 }
    const pair = connectPair({
      crypto,
      faults,
      seed: kind,
      client: { wrap: wrap.client },
      server: { wrap: wrap.server },
    })
    for (const side of [pair.client, pair.server]) {
      pair.input(side, (session, now) => session.renegotiate(now))
      pair.wait(30_000)
    }
    expect(pair.events(pair.client, 'rekeyed').map(({ keyId }) => keyId)).toEqual([1, 2])
    for (let i = 0; i < 50; i++) pair.send(pair.client, ipPacket(i))
    pair.wait(1_000)
    expect(pair.server.packets.length).toBeGreaterThan(30)
    expect(splitWrappedKey(new Uint8Array(10))).toBe('too-short')
  })
})

describe('lost acknowledgements', () => {
  it.each(['client', 'server'] as const)(
    'SESS-25 a text of the peer stands for the acks that the %s never saw',
    (end) => {
      const pair = new Pair({ crypto, server: { push: { options: ['ping 10'], ifconfig: '10.8.0.2 255.255.255.0' } } })
      // Every ack behind the resets is taken out on the way to one end.
      pair.network.filter = (bytes, to) => {
        const packet = parseControlPlain(bytes)
        if (to !== end || typeof packet === 'string' || packet.acks.every((id) => id === 0)) return true
        const acks = packet.acks.filter((id) => id === 0)
        const { peerSessionId, ...rest } = packet
        const edited = writeControlPlain(acks.length === 0 ? { ...rest, acks } : { ...packet, acks })
        expect(peerSessionId).toBeDefined()
        pair.input(pair.side(end), (session, now) => {
          session.receive(edited, now)
        })
        return false
      }
      pair.connect()
      expect(pair.client.session.state).toBe('connected')
      expect(pair.server.session.state).toBe('connected')
    },
  )

  it('SESS-25 a renegotiating client has its keys with the server’s key message: releases up to 2.5 send under them at once', () => {
    const pair = new Pair({ crypto })
    expect(pair.connect()).toBe(true)
    // No ack of the renegotiation reaches the client but that of its reset.
    pair.network.filter = (bytes, to) => {
      const packet = parseControlPlain(bytes)
      if (to !== 'client' || typeof packet === 'string' || packet.acks.every((id) => id === 0)) return true
      const acks = packet.acks.filter((id) => id === 0)
      const { peerSessionId, ...rest } = packet
      const edited = writeControlPlain(acks.length === 0 ? { ...rest, acks } : { ...packet, acks })
      expect(peerSessionId).toBeDefined()
      pair.input(pair.client, (session, now) => {
        session.receive(edited, now)
      })
      return false
    }
    pair.input(pair.client, (session, now) => {
      session.renegotiate(now)
    })
    pair.wait(2_000)
    expect(pair.events(pair.client, 'rekeyed').map(({ keyId }) => keyId)).toEqual([1])
  })
})
