import { describe, expect, it } from 'vitest'
import { nodeCrypto } from '../../../src/node/crypto/index.ts'
import type { SessionConfig } from '../../../src/session/index.ts'
import { CLEAN } from '../../support/network.ts'
import { connectPair, ipPacket, Pair } from '../../support/pair.ts'
import { RawPeer } from '../../support/raw-peer.ts'

const crypto = nodeCrypto
const ASK = { type: 'password', username: 'ada', password: 'pass' } as const

describe('server', () => {
  const askingServer = (change: Partial<SessionConfig> = {}, peerInfo?: string): RawPeer =>
    new RawPeer({
      role: 'client',
      login: ASK,
      ...(peerInfo === undefined ? {} : { peerInfo }),
      session: { admission: 'ask', ...change },
    })

  it('SESS-110 the key is used when active, allowed and wanted, in any order', () => {
    const quiet = 'IV_PROTO=2\nIV_CIPHERS=AES-256-GCM\nIV_NCP=2\n'
    const wantedFirst = askingServer({}, quiet)
    wantedFirst.say('PUSH_REQUEST')
    expect(wantedFirst.session.state).toBe('exchanging')
    wantedFirst.session.allow(wantedFirst.now)
    wantedFirst.settle()
    expect(wantedFirst.session.state).toBe('connected')
    const allowedFirst = askingServer({}, quiet)
    allowedFirst.session.allow(allowedFirst.now)
    allowedFirst.settle()
    expect(allowedFirst.session.state).toBe('exchanging')
    expect(allowedFirst.texts).toEqual([])
    allowedFirst.say('PUSH_REQUEST')
    expect(allowedFirst.session.state).toBe('connected')
    // A client that need not ask is answered at once.
    const unasked = askingServer()
    unasked.session.allow(unasked.now, { options: ['ping 7'] })
    unasked.settle()
    expect(unasked.texts[0]).toContain('PUSH_REPLY,ping 7')
  })

  it('SESS-110 packets of a client that is not allowed yet are dropped', () => {
    const peer = askingServer()
    peer.session.receive(Uint8Array.of(0x30, 0, 0, 0, 1, ...new Uint8Array(40)), peer.now)
    expect(peer.session.stats.dropped['key-not-ready']).toBe(1)
    expect(peer.session.send(ipPacket(1), peer.now)).toBe(false)
    expect(() => peer.session.deny('no', peer.now)).not.toThrow()
    expect(() => peer.session.allow(peer.now)).toThrow('no login waits')
  })

  it.each([
    ['none', 'tun', undefined],
    ['comp-lzo', 'tun', 'compress stub-v2'],
    ['stub', 'tun', 'compress stub-v2'],
    ['lz4', 'tap', 'compress stub-v2'],
    ['stub-v2', 'tun', 'compress stub-v2'],
  ] as const)('SESS-59 compress migrate: a client with %s on %s', (compression, device, pushed) => {
    const pair = connectPair({
      crypto,
      faults: CLEAN,
      client: { compression, device },
      server: { migrateCompression: true, device },
    })
    const lines = pair.events(pair.client, 'push-received').flatMap(({ options }) => options)
    expect(lines.find((line) => line.startsWith('comp'))).toBe(pushed)
    const differences = pair.events(pair.server, 'options-differ').flatMap((event) => event.differences)
    expect(differences.filter(({ weight }) => weight !== 'harmless')).toEqual([])
    // Frames may begin with the byte that means something in the framing.
    const packets = [1, 2].map((mark) => (device === 'tun' ? ipPacket(mark) : new Uint8Array(60).fill(0x50)))
    for (const packet of packets) {
      pair.send(pair.client, packet)
      pair.send(pair.server, packet)
    }
    pair.wait(500)
    expect(pair.server.packets).toEqual(packets)
    expect(pair.client.packets).toEqual(packets)
  })

  it('SESS-59 a client that does not tell of the newer framing is moved to the old one', () => {
    const options =
      'V4,dev-type tun,link-mtu 1550,tun-mtu 1500,proto UDPv4,comp-lzo,cipher AES-256-GCM,auth [null-digest]'
    const migrating = {
      session: { migrateCompression: true },
      peerInfo: 'IV_PROTO=6\nIV_CIPHERS=AES-256-GCM\nIV_LZO=1\n',
    }
    for (const [text, line] of [
      [options, 'comp-lzo no'],
      [options.replace('comp-lzo,', ''), undefined],
    ] as const) {
      const peer = new RawPeer({ role: 'client', ...migrating, options: text })
      expect(peer.texts[0]?.split(',').find((word) => word.startsWith('comp'))).toBe(line)
    }
  })

  it('SESS-115 an answer that nobody waits for is no news', () => {
    const peer = askingServer()
    const answers = (): number => peer.events.filter(({ type }) => type === 'login-response').length
    peer.session.defer(30, peer.now)
    peer.settle()
    peer.say('CR_RESPONSE,eWVz')
    expect(answers()).toBe(1)
    peer.session.allow(peer.now)
    peer.settle()
    for (let i = 0; i < 50; i++) peer.say('CR_RESPONSE,bm8=')
    expect(answers()).toBe(1)
    expect(peer.session.state).toBe('connected')
  })

  it('SESS-113 a later negotiation must show the same username', () => {
    const pair = new Pair({ crypto, client: { login: ASK }, server: { admission: 'ask' } })
    pair.run(5_000, () => pair.events(pair.server, 'login').length > 0)
    // The push makes the client go by another name.
    const push = { options: ['auth-token-user Z3JhY2U=', 'auth-token T'], peerId: 1 }
    pair.input(pair.server, (session, now) => session.allow(now, push))
    expect(pair.connect()).toBe(true)
    pair.input(pair.client, (session, now) => session.renegotiate(now))
    pair.wait(2_000)
    expect(pair.events(pair.server, 'rekey-failed')[0]?.reason).toMatchObject({ type: 'denied' })
    expect(pair.server.session.state).toBe('connected')
    pair.send(pair.client, ipPacket(1))
    pair.wait(100)
    expect(pair.server.packets).toHaveLength(1)
  })

  it('SESS-114 SESS-143 a refusal is told, and awaited for five seconds at most', () => {
    const peer = askingServer()
    peer.session.deny('wrong code', peer.now)
    peer.settle()
    expect(peer.texts).toEqual(['AUTH_FAILED,wrong code'])
    expect(peer.session.closeReason).toEqual({ type: 'denied', message: 'wrong code' })
    const pair = new Pair({ crypto, client: { login: ASK }, server: { admission: 'ask' } })
    pair.run(5_000, () => pair.events(pair.server, 'login').length > 0)
    pair.network.partitioned = true
    pair.input(pair.server, (session, now) => session.deny('no', now))
    const denied = pair.now
    pair.wait(4_900)
    expect(pair.server.session.state).toBe('closing')
    pair.wait(200)
    expect(pair.server.closedAt).toBe(denied + 5_000)
  })

  it('SESS-115 a deferred login is told, and refused when nobody decides', () => {
    const peer = askingServer()
    peer.session.defer(20, peer.now)
    peer.settle()
    expect(peer.texts).toEqual(['AUTH_PENDING,timeout 20'])
    peer.wait(19_000)
    expect(peer.session.state).toBe('exchanging')
    peer.wait(2_000)
    expect(peer.texts[1]).toContain('AUTH_FAILED')
    expect(peer.session.closeReason).toMatchObject({ type: 'denied' })
  })

  it('SESS-116 without a shared cipher the client is told', () => {
    const pair = new Pair({
      crypto,
      client: { dataCiphers: ['AES-128-GCM'] },
      server: { dataCiphers: ['CHACHA20-POLY1305'] },
    })
    pair.wait(2_000)
    expect(pair.client.session.closeReason).toMatchObject({
      type: 'auth-failed',
      failure: { type: 'refused', message: 'Data channel cipher negotiation failed (no shared cipher)' },
    })
    expect(pair.server.session.closeReason).toMatchObject({ type: 'incompatible', option: 'data-ciphers' })
  })

  it('SESS-117 a repeated PUSH_REQUEST is answered again after 30 s', () => {
    const peer = new RawPeer({ role: 'client', session: { timers: { ping: 0 } } })
    expect(peer.texts).toHaveLength(1)
    peer.wait(29_000)
    peer.say('PUSH_REQUEST')
    expect(peer.texts).toHaveLength(1)
    peer.wait(2_000)
    peer.say('PUSH_REQUEST')
    expect(peer.texts).toHaveLength(2)
    expect(peer.texts[1]).toBe(peer.texts[0])
  })

  it('SESS-118 a client that falls silent before it has its options is given up', () => {
    const pair = new Pair({ crypto, faults: CLEAN, server: { admission: 'ask' }, client: { login: ASK } })
    pair.run(5_000, () => pair.server.session.state === 'exchanging')
    pair.network.partitioned = true
    const since = pair.now
    pair.wait(65_000)
    expect(pair.server.session.closeReason).toMatchObject({ type: 'timed-out', timer: 'push-request' })
    expect(pair.server.closedAt - since).toBeLessThan(61_000)
  })
})
