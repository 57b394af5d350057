import { describe, expect, it } from 'vitest'
import { nodeCrypto } from '../../../src/node/crypto/index.ts'
import { DataKey, KeyRing } from '../../../src/session/key-ring.ts'
import { createDataChannel, type DataChannel, DataCode } from '../../../src/data/index.ts'
import { Timers } from '../../../src/reliability/index.ts'
import { DEFAULT_TIMERS, type Negotiated, type SessionTimers, type TimerName } from '../../../src/session/index.ts'
import { Liveness } from '../../../src/session/liveness.ts'
import { Outbox } from '../../../src/session/outbox.ts'
import type { PacketPath } from '../../../src/session/packet-path.ts'
import { createCounters } from '../../../src/session/stats.ts'
import { Tunnel } from '../../../src/session/tunnel.ts'
import { keyIdOf, Opcode, opcodeOf } from '../../../src/wire/index.ts'
import { type End } from '../../support/network.ts'
import { connectPair, ipPacket, type Pair } from '../../support/pair.ts'
import { wrapPair } from '../../support/wraps.ts'

const crypto = nodeCrypto

function pairWith(client: Partial<SessionTimers>, server: Partial<SessionTimers> = {}): Pair {
  return connectPair({
    crypto,
    client: { timers: client },
    server: { timers: { renegotiateAfter: 0, ...server }, push: { options: [], peerId: 0 } },
  })
}

/** Key ids of the data packets each end sends from now on. */
function dataKeyIds(pair: Pair): Record<End, number[]> {
  const ids: Record<End, number[]> = { client: [], server: [] }
  pair.network.filter = (bytes, to) => {
    const opcode = opcodeOf(bytes[0]!)
    if (opcode === Opcode.DATA_V1 || opcode === Opcode.DATA_V2) {
      ids[to === 'server' ? 'client' : 'server'].push(keyIdOf(bytes[0]!))
    }
    return true
  }
  return ids
}

const renegotiate = (pair: Pair, end: End): void => {
  pair.input(pair.side(end), (session, now) => session.renegotiate(now))
}

const rekeyed = (pair: Pair, end: End): number[] => pair.events(pair.side(end), 'rekeyed').map(({ keyId }) => keyId)

/** The data half alone, with channels whose packet ids begin where a test wants them. */
function tunnelWithKeys(): {
  readonly outbox: Outbox
  readonly timers: Timers<TimerName>
  readonly tunnel: Tunnel
  readonly channelAt: (keyId: number, packetsSent: number) => DataChannel
} {
  const outbox = new Outbox(createCounters(), 'udp')
  const timers = new Timers<TimerName>([
    'reneg-sec',
    'ping',
    'ping-restart',
    'ping-exit',
    'inactive',
    'session-timeout',
  ])
  const liveness = new Liveness(DEFAULT_TIMERS, timers, 0)
  const tunnel = new Tunnel(outbox, timers, liveness, { bytes: Infinity, packets: Infinity }, 'udp')
  const slot = { cipher: new Uint8Array(64).fill(1), hmac: new Uint8Array(64).fill(2) }
  const channelAt = (keyId: number, packetsSent: number): DataChannel =>
    createDataChannel({
      crypto,
      cipher: 'AES-256-GCM',
      keys: { send: slot, receive: slot },
      keyId,
      counterStart: { packetsSent },
    })
  return { outbox, timers, tunnel, channelAt }
}

describe('starting', () => {
  it.each(['client', 'server'] as const)('REKEY-1 REKEY-2 a renegotiation begun by the %s', (end) => {
    const pair = pairWith({})
    renegotiate(pair, end)
    renegotiate(pair, end)
    pair.wait(1_000)
    for (const side of [pair.client, pair.server]) {
      expect(pair.events(side, 'rekeyed')).toMatchObject([{ keyId: 1, initiator: side.end === end ? 'us' : 'peer' }])
    }
  })

  it('REKEY-2 crossed renegotiations meet', () => {
    const pair = pairWith({})
    for (let round = 1; round <= 3; round++) {
      renegotiate(pair, 'client')
      renegotiate(pair, 'server')
      pair.wait(2_000)
    }
    expect([rekeyed(pair, 'client'), rekeyed(pair, 'server')]).toEqual([
      [1, 2, 3],
      [1, 2, 3],
    ])
  })

  it('REKEY-1 key ids run to 7 and then from 1', () => {
    const pair = pairWith({})
    for (let round = 0; round < 16; round++) {
      renegotiate(pair, round % 2 === 0 ? 'client' : 'server')
      pair.wait(1_000)
    }
    const expected = [1, 2, 3, 4, 5, 6, 7, 1, 2, 3, 4, 5, 6, 7, 1, 2]
    expect([rekeyed(pair, 'client'), rekeyed(pair, 'server')]).toEqual([expected, expected])
    expect(pair.watch.seals).toBeGreaterThan(0)
  })

  it('REKEY-2 a soft reset with another key id, or before the first key, is dropped', () => {
    const wrap = wrapPair('tls-auth')
    const pair = connectPair({ crypto, client: { wrap: wrap.client }, server: { wrap: wrap.server } })
    renegotiate(pair, 'client')
    const resets: Uint8Array[] = []
    pair.network.filter = (bytes) => {
      resets.push(bytes.slice())
      return true
    }
    pair.wait(2_000)
    const { session } = pair.server
    const before = session.digest()
    for (const bytes of resets) session.receive(bytes, pair.now)
    expect(session.digest()).toEqual(before)
  })
})

describe('keys', () => {
  it('REKEY-3 both derivations give both ends the same keys, renegotiated ones too', () => {
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const pair = connectPair({ crypto, client: { mode: 'point-to-point' }, server: { mode: 'point-to-point' } })
      expect(version).toMatch(/^TLS/)
      renegotiate(pair, 'client')
      pair.wait(70_000)
      pair.send(pair.client, ipPacket(1))
      pair.send(pair.server, ipPacket(2))
      pair.wait(100)
      expect([pair.server.packets.length, pair.client.packets.length]).toEqual([1, 1])
    }
  })

  it('REKEY-4 REKEY-14 without a successor the session ends tran-window after the first attempt', () => {
    const pair = pairWith({ renegotiateAfter: 100_000, tranWindow: 200_000 })
    const connected = pair.client.connectedAt
    // Control packets stop: data goes on.
    pair.network.filter = (bytes) => opcodeOf(bytes[0]!) === Opcode.DATA_V2
    for (let i = 0; i < 29; i++) {
      pair.wait(10_000)
      pair.send(pair.client, ipPacket(i))
    }
    pair.wait(5_000)
    expect(pair.server.packets).toHaveLength(29)
    pair.wait(15_000)
    expect(pair.client.session.closeReason).toMatchObject({ type: 'timed-out', timer: 'tran-window' })
    expect(pair.client.closedAt).toBe(connected + 300_000)
    expect(pair.events(pair.client, 'rekey-failed').length).toBeGreaterThan(1)
  })

  it('REKEY-5 a third key pushes the oldest out', () => {
    const ring = new KeyRing({ take: () => undefined } as unknown as PacketPath)
    const key = (keyId: number): DataKey =>
      new DataKey({ headroom: 0 } as DataChannel, { keyId } as Negotiated, 0, 100 * keyId)
    ring.replaceAll(key(0))
    ring.install(key(1))
    ring.install(key(2))
    expect([0, 1, 2].map((keyId) => ring.find(keyId)?.keyId)).toEqual([undefined, 1, 2])
    expect(ring.sender?.keyId).toBe(1)
    expect(ring.switchAt).toBe(200)
    expect(ring.switchSender(199)).toBe(false)
    expect(ring.switchSender(200)).toBe(true)
    expect(ring.sender?.keyId).toBe(2)
    expect(() => {
      ring.install(key(2))
    }).toThrow()
  })

  it('REKEY-6 late packets on the old key still open, until it dies', () => {
    const pair = pairWith({ tranWindow: 100_000 }, { tranWindow: 100_000 })
    const late: Uint8Array[] = []
    pair.network.filter = (bytes, to) => {
      if (to === 'server' && opcodeOf(bytes[0]!) === Opcode.DATA_V2) {
        late.push(bytes.slice())
        return false
      }
      return true
    }
    for (let i = 0; i < 3; i++) pair.send(pair.client, ipPacket(i))
    renegotiate(pair, 'client')
    pair.wait(80_000)
    expect(rekeyed(pair, 'server')).toEqual([1])
    pair.input(pair.server, (session, now) => session.receive(late[0]!, now))
    expect(pair.server.packets).toHaveLength(1)
    pair.wait(21_000)
    pair.input(pair.server, (session, now) => session.receive(late[1]!, now))
    expect(pair.server.packets).toHaveLength(1)
    expect(pair.server.session.stats.dropped['unknown-key-id']).toBe(1)
  })

  it.each([
    ['hand-window', { handWindow: 30_000, renegotiateAfter: 3_600_000 }, 30_000],
    ['half of reneg-sec', { renegotiateAfter: 80_000 }, 40_000],
    ['hand-window without reneg-sec', { renegotiateAfter: 0 }, 60_000],
  ])('REKEY-7 the old key sends until %s', (_name, timers, expected) => {
    const pair = pairWith({ ...timers, ping: 1_000 })
    const ids = dataKeyIds(pair)
    const began = pair.now
    renegotiate(pair, 'client')
    pair.wait(expected - 100)
    expect(rekeyed(pair, 'client')).toEqual([1])
    expect(new Set(ids.client)).toEqual(new Set([0]))
    pair.run(began + expected + 1_500)
    expect(ids.client.at(-1)).toBe(1)
  })

  it('REKEY-15 the new key sends as soon as the peer has used it', () => {
    const pair = pairWith({}, { renegotiateAfter: 20_000, renegotiateAfterMin: 20_000, ping: 1_000 })
    const ids = dataKeyIds(pair)
    renegotiate(pair, 'client')
    pair.wait(9_000)
    pair.send(pair.client, ipPacket(1))
    expect(ids.client.at(-1)).toBe(0)
    // The server's own window is ten seconds; the client's is sixty.
    pair.wait(3_000)
    expect(ids.server.at(-1)).toBe(1)
    pair.send(pair.client, ipPacket(2))
    expect(ids.client.at(-1)).toBe(1)
  })

  it.each(['client', 'server'] as const)(
    'REKEY-16 with the next renegotiation begun by the %s, the newest key sends',
    (end) => {
      const pair = pairWith({})
      const ids = dataKeyIds(pair)
      renegotiate(pair, 'client')
      pair.wait(1_000)
      pair.send(pair.client, ipPacket(1))
      expect(ids.client.at(-1)).toBe(0)
      renegotiate(pair, end)
      pair.wait(25)
      pair.send(pair.client, ipPacket(2))
      pair.send(pair.server, ipPacket(2))
      expect([ids.client.at(-1), ids.server.at(-1)]).toEqual([1, 1])
    },
  )

  it('REKEY-8 REKEY-11 at the last packet id a channel stops, asks for a key, and the successor takes over', () => {
    const { outbox, timers, tunnel, channelAt } = tunnelWithKeys()
    tunnel.keys.replaceAll(new DataKey(channelAt(0, 0xffffffff - 3), { keyId: 0 } as Negotiated, 0, 0))
    const seal = (): number => tunnel.seal(new Uint8Array(300), 100, 100, 5)
    for (let i = 0; i < 3; i++) expect(seal()).toBeGreaterThan(100)
    expect(timers.get('reneg-sec')).toBe(5)
    expect(seal()).toBe(DataCode.KEY_EXHAUSTED)
    expect(seal()).toBe(DataCode.KEY_EXHAUSTED)
    tunnel.keys.install(new DataKey(channelAt(1, 0), { keyId: 1 } as Negotiated, 0, 1e9))
    expect(tunnel.keys.sender?.keyId).toBe(0)
    expect(seal()).toBeGreaterThan(100)
    expect(tunnel.keys.sender?.keyId).toBe(1)
    expect(outbox.counters.packetsSent).toBe(4)
  })

  it('REKEY-8 a used-up key sends nothing more, and its successor takes over early', () => {
    const exhausted = { seal: () => -13, headroom: 8, tailroom: 0, renegotiation: undefined } as unknown as DataChannel
    const ring = new KeyRing({ take: () => undefined } as unknown as PacketPath)
    ring.replaceAll(new DataKey(exhausted, { keyId: 0 } as Negotiated, 0, 0))
    expect(ring.useNewest()).toBe(false)
    ring.install(new DataKey(exhausted, { keyId: 1 } as Negotiated, 0, 1e9))
    expect(ring.sender?.keyId).toBe(0)
    expect(ring.useNewest()).toBe(true)
    expect(ring.sender?.keyId).toBe(1)
  })
})
