import { describe, expect, it } from 'vitest'
import { nodeCrypto } from '../../../src/node/crypto/index.ts'
import { Session } from '../../../src/session/index.ts'
import { Opcode, opcodeOf, parseControlPlain, writeControlPlain } from '../../../src/wire/index.ts'
import { connectPair, ipPacket, Pair, pairConfigs, type PairOptions, type Side } from '../../support/pair.ts'
import { PKI_NOW } from '../../support/pki.ts'
import { RawPeer } from '../../support/raw-peer.ts'
import { SeededRandom } from '../../support/random.ts'
import { tapLine } from '../../support/tap-line.ts'
import { wrapPair } from '../../support/wraps.ts'

const crypto = nodeCrypto

/** The client is replaced by a new one that knows nothing of the old. */
function restartClient(pair: Pair, options: PairOptions = {}): void {
  const [config] = pairConfigs(options)
  const random = new SeededRandom(`restart/${pair.steps}`).source
  const session = new Session(config, { now: pair.now, timeOrigin: PKI_NOW, random, crypto })
  ;(pair.client as { session: Side['session'] }).session = session
  pair.drain(pair.client)
}

/** A client's hard reset with a session id of its own. */
const reset = (seed: string, change: object = {}): Uint8Array =>
  writeControlPlain({
    opcode: Opcode.CONTROL_HARD_RESET_CLIENT_V2,
    keyId: 0,
    sessionId: new SeededRandom(seed).bytes(8),
    acks: [],
    packetId: 0,
    payload: new Uint8Array(0),
    ...change,
  })

describe('slots', () => {
  it('SESS-31 SESS-32 both session ids must be right', () => {
    const pair = connectPair({ crypto })
    const tapped = tapLine(pair)
    pair.input(pair.server, (session, now) => session.pushUpdate(['route-metric 1'], now))
    pair.wait(500)
    const { session } = pair.server
    const genuine = tapped.filter(({ to }) => to === 'server').map(({ packet }) => packet)
    expect(genuine.some(({ acks }) => acks.length > 0)).toBe(true)
    const before = session.digest()
    let sent = 0
    for (const packet of genuine) {
      const other = new SeededRandom('other').bytes(8)
      session.receive(writeControlPlain({ ...packet, sessionId: other }), pair.now)
      sent++
      if (packet.acks.length === 0) continue
      session.receive(writeControlPlain({ ...packet, peerSessionId: other }), pair.now)
      sent++
    }
    expect(session.digest()).toEqual(before)
    expect(session.stats.dropped['session-id-mismatch']).toBe(sent)
  })

  it('SESS-32 a client learns the session id from a first hard reset only', () => {
    const peer = new Pair({ crypto })
    const { session } = peer.client
    const before = session.digest()
    const server = { opcode: Opcode.CONTROL_HARD_RESET_SERVER_V2 }
    session.receive(reset('x', { ...server, packetId: 1 }), peer.now)
    session.receive(reset('x', { ...server, keyId: 1 }), peer.now)
    session.receive(reset('x', { opcode: Opcode.CONTROL_V1, packetId: 1 }), peer.now)
    expect(session.digest()).toEqual(before)
    expect(session.stats.dropped['session-id-mismatch']).toBe(3)
    session.receive(reset('x', server), peer.now)
    expect(session.digest()).not.toEqual(before)
  })

  it('SESS-80 a restarted client is judged by its own slot; the tunnel of the old one stands', () => {
    const pair = connectPair({ crypto })
    const { session } = pair.server
    session.receive(reset('spoofed'), pair.now)
    expect(session.state).toBe('connected')
    pair.drain(pair.server)
    pair.send(pair.client, ipPacket(1))
    pair.wait(100_000)
    expect(pair.server.packets).toHaveLength(1)
    expect(pair.client.session.state).toBe('connected')
    expect(pair.events(pair.server, 'peer-restarted')).toEqual([])
  })

  it('SESS-81 nothing but a client reset opens a session', () => {
    const pair = connectPair({ crypto })
    const fresh = new RawPeer({ role: 'client' }).session
    expect(fresh.state).toBe('connected')
    const [, config] = pairConfigs()
    const random = new SeededRandom('listen').source
    const session = new Session(config, { now: 0, timeOrigin: PKI_NOW, random, crypto })
    const before = session.digest()
    for (let opcode = 0; opcode < 32; opcode++) {
      if (opcode === Opcode.CONTROL_HARD_RESET_CLIENT_V2) continue
      const bytes = reset(`opcode ${opcode}`)
      bytes[0] = opcode << 3
      session.receive(bytes, 1)
    }
    expect(session.poll()).toBeUndefined()
    expect(session.digest()).toEqual(before)
    expect(Object.values(session.stats.dropped).reduce((a, b) => a + b)).toBe(31)
    expect(pair.server.session.state).toBe('connected')
  })

  it('SESS-82 with tls-crypt-v2 a reset without its wrapped key opens nothing', () => {
    const wrap = wrapPair('tls-crypt-v2')
    const [, config] = pairConfigs({ server: { wrap: wrap.server } })
    const random = new SeededRandom('v2').source
    const session = new Session(config, { now: 0, timeOrigin: PKI_NOW, random, crypto })
    const before = session.digest()
    session.receive(reset('plain'), 1)
    session.receive(Uint8Array.of(Opcode.CONTROL_HARD_RESET_CLIENT_V3 << 3, ...new Uint8Array(400)), 1)
    expect(session.digest()).toEqual(before)
    expect(session.poll()).toBeUndefined()
    expect(session.stats.dropped['opcode-wrong-direction']).toBe(1)
    expect(session.stats.dropped['wrapped-key-length']).toBe(1)
  })

  it('SESS-83 the opening reset is message 0 of key id 0 and acknowledges nothing', () => {
    const [, config] = pairConfigs()
    const random = new SeededRandom('first').source
    const session = new Session(config, { now: 0, timeOrigin: PKI_NOW, random, crypto })
    const before = session.digest()
    session.receive(reset('a', { packetId: 1 }), 1)
    session.receive(reset('a', { keyId: 1 }), 1)
    session.receive(reset('a', { acks: [0], peerSessionId: new Uint8Array(8).fill(1) }), 1)
    expect(session.digest()).toEqual(before)
    expect(session.stats.dropped['unexpected-reset']).toBe(3)
  })

  it('SESS-84 further resets disturb neither the session nor a restarted client under way', () => {
    const pair = connectPair({ crypto })
    const { session } = pair.server
    for (let i = 0; i < 20; i++) session.receive(reset(`flood ${i}`), pair.now)
    restartClient(pair)
    pair.wait(65)
    for (let i = 0; i < 20; i++) session.receive(reset(`late ${i}`), pair.now)
    pair.drain(pair.server)
    expect(session.stats.dropped['unexpected-reset']).toBe(20)
    pair.wait(5_000)
    expect(pair.client.session.state).toBe('connected')
    expect(pair.events(pair.server, 'connected')).toHaveLength(2)
  })

  it.each(['none', 'tls-auth', 'tls-crypt', 'tls-crypt-v2'] as const)(
    'SESS-85 a restarted client takes the tunnel over (%s)',
    (kind) => {
      const wrap = wrapPair(kind)
      const options = { crypto, client: { wrap: wrap.client }, server: { wrap: wrap.server } }
      const pair = connectPair(options)
      pair.wait(60_000)
      restartClient(pair, options)
      pair.wait(5_000)
      expect(pair.server.events.map(({ type }) => type).filter((type) => type !== 'options-differ')).toEqual([
        'connected',
        'peer-restarted',
        'connected',
      ])
      pair.send(pair.client, ipPacket(5))
      pair.send(pair.server, ipPacket(6))
      pair.wait(100)
      expect(pair.server.packets).toHaveLength(1)
      expect(pair.client.packets).toHaveLength(1)
    },
  )

  it('SESS-130 SESS-134 a second session that fails concerns nobody else', () => {
    const pair = connectPair({ crypto })
    const other = new RawPeer({ role: 'client', keyMessage: Uint8Array.of(1, 2, 3) })
    expect(other.session.closeReason?.type).toBe('malformed')
    // The same peer as the second session of a server that has a tunnel: only that session ends.
    const { session } = pair.server
    session.receive(reset('doomed'), pair.now)
    pair.drain(pair.server)
    pair.wait(120_000)
    expect(session.state).toBe('connected')
    expect(session.digest()).toContain('none')
    pair.send(pair.client, ipPacket(1))
    pair.wait(100)
    expect(pair.server.packets).toHaveLength(1)
  })

  it('SESS-138 nothing of a session stays that another one replaced', () => {
    const pair = connectPair({ crypto })
    for (let times = 1; times <= 3; times++) {
      restartClient(pair)
      pair.run(pair.now + 5_000, () => pair.events(pair.server, 'peer-restarted').length === times)
      expect(pair.events(pair.server, 'peer-restarted')).toHaveLength(times)
      expect(pair.server.session.digest().at(-1)).toBe(1)
    }
  })

  it('SESS-87 a restarted client whose login is refused hears so, whatever is lost; the tunnel stands', () => {
    const login = { type: 'password', username: 'u', password: 'p' } as const
    const options: PairOptions = { crypto, client: { login }, server: { admission: 'ask' } }
    for (const moment of ['at once', 'later', 'through loss'] as const) {
      const pair = new Pair(options)
      pair.run(5_000, () => pair.events(pair.server, 'login').length > 0)
      pair.input(pair.server, (session, now) => session.allow(now))
      expect(pair.connect()).toBe(true)
      restartClient(pair, options)
      pair.run(5_000, () => pair.events(pair.server, 'login').length > 1)
      expect(pair.events(pair.server, 'login')).toHaveLength(2)
      if (moment === 'later') {
        pair.input(pair.server, (session, now) => session.defer(60, now))
        pair.wait(10_000)
      }
      let lost = 0
      if (moment === 'through loss') pair.network.filter = (_bytes, to) => to !== 'client' || ++lost > 1
      pair.input(pair.server, (session, now) => session.deny('not again', now))
      expect(() => pair.server.session.deny('twice', pair.now)).toThrow('no login waits')
      pair.wait(6_000)
      expect(pair.client.session.closeReason).toEqual({
        type: 'auth-failed',
        failure: { type: 'refused', message: 'not again' },
      })
      if (moment === 'through loss') expect(lost).toBeGreaterThan(1)
      // The old tunnel stands; of the refused session nothing is left, and its place is free.
      expect(pair.server.session.state).toBe('connected')
      expect(pair.server.session.digest().filter((part) => part === 'none').length).toBeGreaterThanOrEqual(2)
      const sent = pair.server.session.stats.datagramsSent
      pair.wait(8_000)
      expect(pair.server.session.stats.datagramsSent - sent).toBeLessThan(3)
    }
  })

  it('SESS-131 a client that never answers is forgotten, and the server waits as before', () => {
    const [, config] = pairConfigs()
    const random = new SeededRandom('forget').source
    const session = new Session(config, { now: 0, timeOrigin: PKI_NOW, random, crypto })
    session.receive(reset('nobody'), 0)
    expect(session.state).toBe('negotiating')
    const answers: number[] = []
    for (let now = 0; now <= 70_000; now += 1_000) {
      session.handleTimeout(now)
      for (let output = session.poll(); output !== undefined; output = session.poll()) {
        if (output.type === 'transmit') answers.push(opcodeOf(output.data[0]!))
      }
    }
    expect(session.state).toBe('waiting')
    expect(session.pollTimeout()).toBe(Infinity)
    expect(new Set(answers)).toEqual(new Set([Opcode.CONTROL_HARD_RESET_SERVER_V2]))
    const packet = parseControlPlain(reset('somebody'))
    expect(typeof packet).toBe('object')
    session.receive(reset('somebody'), 71_000)
    expect(session.state).toBe('negotiating')
  })
})
