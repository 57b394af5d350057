import { describe, expect, it } from 'vitest'
import { PushAssembler, pullOptions } from '../../../src/control/index.ts'
import { nodeCrypto } from '../../../src/node/crypto/index.ts'
import { agreeAsClient, ownProtoBits } from '../../../src/session/agreement.ts'
import type { SessionConfig } from '../../../src/session/index.ts'
import { resolveConfig } from '../../../src/session/validate.ts'
import type { TlsInfo } from '../../../src/tls/index.ts'
import { connectPair, ipPacket, Pair, pairConfigs } from '../../support/pair.ts'
import { RawPeer } from '../../support/raw-peer.ts'

const crypto = nodeCrypto
const ASK = { type: 'password', username: 'ada', password: 'pass' } as const
const REPLY = 'PUSH_REPLY,ifconfig 10.8.0.2 255.255.255.0,topology subnet,peer-id 3,cipher AES-256-GCM'

/** A raw server whose client has exchanged keys and waits for its options. */
function waitingClient(session: Partial<SessionConfig> = {}): RawPeer {
  const peer = new RawPeer({ role: 'server', session })
  expect(peer.session.state).toBe('exchanging')
  return peer
}

describe('agreement', () => {
  it('SESS-50 IV_PROTO tells what is true of a pulling client and of a pair', () => {
    const pull = connectPair({ crypto }).server.events.find((event) => event.type === 'connected')
    expect(Number(pull?.negotiated.peerInfo['IV_PROTO'])).toBe(8094)
    const pair = connectPair({ crypto, client: { mode: 'point-to-point' }, server: { mode: 'point-to-point' } })
    const [event] = pair.events(pair.server, 'connected')
    // DATA_V2, exporter, P2P negotiation, EXIT, dynamic wrap, epoch keys.
    expect(Number(event?.negotiated.peerInfo['IV_PROTO'])).toBe(2 + 8 + 32 + 128 + 512 + 1024)
  })

  it('SESS-51 the exporter is offered only over secrets bound to the whole handshake', () => {
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const tls = { minVersion: version, maxVersion: version }
      const peer = new RawPeer({ role: 'server', tls })
      expect(peer.info?.version).toBe(version)
      const text = new TextDecoder().decode(peer.plaintext[0])
      const proto = Number(/IV_PROTO=(\d+)/.exec(text)?.[1])
      expect((proto & 8) !== 0).toBe(peer.info?.extendedMasterSecret)
    }
  })

  it('SESS-51 SESS-56 the exporter is refused where it is not bound to the handshake', () => {
    const [client] = pairConfigs()
    const config = resolveConfig(client, crypto)
    const pushed = pullOptions(['cipher AES-256-GCM', 'peer-id 1', 'protocol-flags tls-ekm'], { device: 'tun' })
    if (pushed.type !== 'pulled') throw new Error('not pulled')
    const agree = (extendedMasterSecret: boolean): unknown =>
      agreeAsClient(config, { extendedMasterSecret } as TlsInfo, pushed.options, '')
    expect(agree(true)).toMatchObject({ keyDerivation: 'tls-ekm' })
    expect(agree(false)).toMatchObject({ type: 'incompatible', option: 'key-derivation' })
    expect(ownProtoBits(config, { extendedMasterSecret: false })).not.toContain('tlsKeyExport')
    expect(ownProtoBits(config, { extendedMasterSecret: false })).not.toContain('dynamicTlsCrypt')
  })

  it('SESS-52 a client takes the pushed cipher from its own list only', () => {
    const good = waitingClient()
    good.say(REPLY)
    expect(good.eventsOf('connected')[0]?.negotiated).toMatchObject({
      dataCipher: 'AES-256-GCM',
      peerId: 3,
      keyDerivation: 'openvpn-prf',
      dataFormat: 'aead',
    })
    const bad = waitingClient()
    bad.say(REPLY.replace('AES-256-GCM', 'AES-192-GCM'))
    expect(bad.session.closeReason).toMatchObject({ type: 'incompatible', option: 'data-ciphers' })
  })

  it('SESS-53 SESS-112 a server pushes in the reference’s order', () => {
    const push = {
      options: ['route-gateway 10.8.0.1', 'ping 10'],
      ifconfig: '10.8.0.2 255.255.255.0',
      ifconfigIpv6: 'fd00::2/64 fd00::1',
      peerId: 7,
      authToken: 'SESS_ID',
    }
    const peer = new RawPeer({ role: 'client', session: { push } })
    expect(peer.texts).toEqual([
      'PUSH_REPLY,route-gateway 10.8.0.1,ping 10,ifconfig-ipv6 fd00::2/64 fd00::1,ifconfig 10.8.0.2 255.255.255.0,' +
        'auth-token SESS_ID,peer-id 7,cipher AES-256-GCM,protocol-flags cc-exit tls-ekm dyn-tls-crypt',
    ])
    expect(peer.eventsOf('connected')[0]?.negotiated).toMatchObject({ keyDerivation: 'tls-ekm', peerId: 7 })
  })

  it('SESS-54 epoch keys are offered only with a peer-id', () => {
    const peerInfo = 'IV_PROTO=8094\nIV_CIPHERS=AES-256-GCM\nIV_NCP=2\n'
    const texts = (peerId: number | undefined): string => {
      const push = { options: [], ...(peerId === undefined ? {} : { peerId }) }
      return new RawPeer({ role: 'client', peerInfo, session: { push } }).texts.join()
    }
    expect(texts(1)).toContain('aead-epoch')
    expect(texts(undefined)).not.toContain('aead-epoch')
    expect(texts(undefined)).not.toContain('peer-id')
  })

  it.each(['udp', 'tcp'] as const)('SESS-55 SESS-120 a pair computes the same at both ends over %s', (transport) => {
    const client = { mode: 'point-to-point', dataCiphers: ['AES-128-GCM', 'CHACHA20-POLY1305'] } as const
    const server = { mode: 'point-to-point', dataCiphers: ['AES-256-GCM', 'CHACHA20-POLY1305', 'AES-128-GCM'] } as const
    const pair = connectPair({ crypto, transport, client, server })
    const [a, b] = [pair.events(pair.client, 'connected')[0], pair.events(pair.server, 'connected')[0]]
    expect(a?.negotiated.dataCipher).toBe('CHACHA20-POLY1305')
    for (const field of ['dataCipher', 'dataFormat', 'keyDerivation', 'peerId', 'dynamicTlsCrypt'] as const) {
      expect(a?.negotiated[field]).toBe(b?.negotiated[field])
    }
    expect(a?.options.routes).toEqual([])
    expect(pair.now).toBeLessThan(1_000)
    pair.send(pair.client, ipPacket(1))
    pair.send(pair.server, ipPacket(2))
    pair.wait(100)
    expect([pair.server.packets.length, pair.client.packets.length]).toEqual([1, 1])
  })

  it('SESS-56 a pushed feature whose conditions do not hold ends the attempt', () => {
    const peer = waitingClient()
    peer.say('PUSH_REPLY,cipher AES-256-GCM,protocol-flags aead-epoch')
    expect(peer.session.closeReason).toMatchObject({ type: 'incompatible', option: 'protocol-flags' })
  })

  it('SESS-57 the host is told in what the options strings differ, once and with what weight', () => {
    const same = connectPair({ crypto })
    const weights = (pair: Pair): string[] =>
      pair.events(pair.client, 'options-differ').flatMap(({ differences }) => differences.map(({ weight }) => weight))
    expect(weights(same)).not.toContain('breaks')
    const pair = connectPair({ crypto, server: { tunMtu: 1400 } })
    const [told, ...more] = pair.events(pair.client, 'options-differ')
    expect(more).toEqual([])
    expect(told?.differences).toContainEqual({
      option: 'tun-mtu',
      expected: 'tun-mtu 1500',
      actual: 'tun-mtu 1400',
      weight: 'breaks',
    })
    expect(pair.events(pair.server, 'options-differ')).toHaveLength(1)
    pair.input(pair.client, (session, now) => session.renegotiate(now))
    pair.wait(2_000)
    expect(pair.events(pair.client, 'options-differ')).toHaveLength(1)
  })
})

describe('login', () => {
  it.each([
    ['scrv1', 'SCRV1:cGFzcw==:MTIzNA=='],
    ['concat', 'pass1234'],
  ] as const)('SESS-90 the answer to a static challenge travels as %s', (format, expected) => {
    const pair = connectPair({
      crypto,
      client: { login: { ...ASK, response: '1234' }, staticChallenge: { text: 'PIN', echo: true, format } },
    })
    expect(pair.server.events.some((event) => event.type === 'login')).toBe(false)
    const asking = new Pair({
      crypto,
      client: { login: { type: 'ask' }, staticChallenge: { text: 'PIN', echo: true, format } },
      server: { admission: 'ask' },
    })
    expect(asking.client.events).toEqual([{ type: 'credentials-needed', challenge: { text: 'PIN', echo: true } }])
    expect(asking.client.session.state).toBe('waiting')
    asking.input(asking.client, (session, now) => session.authenticate({ ...ASK, response: '1234' }, now))
    asking.wait(2_000)
    const [login] = asking.events(asking.server, 'login')
    expect([login?.username, login?.password.reveal()]).toEqual(['ada', expected])
  })

  it('SESS-91 a pushed token takes the password’s place in every later key message', () => {
    const pair = new Pair({
      crypto,
      client: { login: ASK },
      server: { admission: 'ask', push: { options: [], peerId: 1, authToken: 'TOKEN-1' } },
    })
    pair.run(5_000, () => pair.events(pair.server, 'login').length > 0)
    pair.input(pair.server, (session, now) => session.allow(now))
    expect(pair.connect()).toBe(true)
    pair.input(pair.client, (session, now) => session.renegotiate(now))
    pair.wait(1_000)
    const [first, second] = pair.events(pair.server, 'login')
    expect([first?.password.reveal(), second?.password.reveal()]).toEqual(['pass', 'TOKEN-1'])
    expect(second?.keyId).toBe(1)
  })
})

describe('client', () => {
  it('SESS-100 SESS-101 PUSH_REQUEST goes out after a second and then every five', () => {
    const peer = waitingClient()
    peer.wait(999)
    expect(peer.texts).toEqual([])
    peer.wait(1)
    expect(peer.texts).toEqual(['PUSH_REQUEST'])
    peer.wait(4_999)
    expect(peer.texts).toHaveLength(1)
    peer.wait(1)
    expect(peer.texts).toHaveLength(2)
    peer.say(REPLY)
    peer.wait(20_000)
    expect(peer.texts).toHaveLength(2)
  })

  it('SESS-102 the attempt ends when no reply came within hand-window', () => {
    const peer = waitingClient()
    peer.wait(59_000)
    expect(peer.session.state).toBe('exchanging')
    peer.wait(2_000)
    expect(peer.session.closeReason).toMatchObject({ type: 'timed-out', timer: 'push-request' })
  })

  it('SESS-102 it ends earlier when nothing comes at all, however long the login may take', () => {
    const pair = new Pair({ crypto, client: { login: ASK }, server: { admission: 'ask' } })
    pair.run(5_000, () => pair.events(pair.server, 'login').length > 0)
    pair.input(pair.server, (session, now) => session.defer(1_000, now))
    pair.wait(120_000)
    expect(pair.client.session.state).toBe('exchanging')
    pair.network.partitioned = true
    pair.wait(70_000)
    expect(pair.client.session.closeReason).toMatchObject({ type: 'timed-out', timer: 'auth-pending' })
  })

  it('SESS-103 AUTH_PENDING moves the deadline within our own limits', () => {
    const peer = waitingClient({ timers: { renegotiateAfter: 400_000 } })
    peer.say('AUTH_PENDING,timeout 100')
    expect(peer.eventsOf('auth-pending')).toEqual([{ type: 'auth-pending', timeout: 100_000 }])
    peer.wait(99_000)
    expect(peer.session.state).toBe('exchanging')
    peer.say('AUTH_PENDING,timeout 86400')
    expect(peer.eventsOf('auth-pending')[1]?.timeout).toBe(200_000)
    peer.wait(199_000)
    expect(peer.session.state).toBe('exchanging')
    peer.wait(10_000)
    expect(peer.session.closeReason).toMatchObject({ type: 'timed-out', timer: 'auth-pending' })
  })

  it('SESS-104 after the first reply only a token is taken', () => {
    const peer = waitingClient({ login: ASK })
    peer.say(REPLY)
    const before = peer.events.length
    peer.say('PUSH_REPLY,ifconfig 10.9.9.9 255.255.255.0,ping 1,auth-token NEW')
    expect(peer.events.length).toBe(before)
    expect(peer.session.state).toBe('connected')
  })

  it('takes a reply in parts, and refuses one without end', () => {
    const peer = waitingClient()
    peer.say('PUSH_REPLY,route 10.1.0.0 255.255.0.0,push-continuation 2')
    expect(peer.session.state).toBe('exchanging')
    peer.say(`${REPLY},push-continuation 1`)
    expect(peer.eventsOf('connected')[0]?.options.routes).toHaveLength(1)
    const flood = waitingClient()
    const part = `PUSH_REPLY,${'echo x,'.repeat(120)}push-continuation 2`
    for (let i = 0; i < 100 && flood.session.state === 'exchanging'; i++) flood.say(part)
    expect(flood.session.closeReason).toMatchObject({ type: 'malformed', what: 'PUSH_REPLY' })
    expect(new PushAssembler().add(part).type).toBe('more')
  })

  it('SESS-105 PUSH_UPDATE changes the options as one event', () => {
    const pair = connectPair({ crypto })
    const options = ['route 192.168.5.0 255.255.255.0', 'block-ipv6']
    expect(pair.input(pair.server, (session, now) => session.pushUpdate(options, now))).toBe(true)
    pair.wait(200)
    const [event] = pair.events(pair.client, 'options-updated')
    expect(event?.options.routes).toMatchObject([{ network: '192.168.5.0', prefix: 24 }])
    expect(event?.options.blockIpv6).toBe(true)
    const old = new RawPeer({ role: 'client' })
    expect(old.session.pushUpdate(options, old.now)).toBe(false)
  })

  it('SESS-106 tokens show in no event', () => {
    const peer = waitingClient({ login: ASK })
    peer.say(`${REPLY},auth-token SECRET-TOKEN,auth-token-user YWRh`)
    expect(peer.session.state).toBe('connected')
    expect(JSON.stringify(peer.events)).not.toContain('SECRET-TOKEN')
    expect(peer.eventsOf('push-received')[0]?.options).toContain('auth-token […]')
  })

  it.each([
    ['RESTART', { advance: false, keepCredentials: false, message: '' }],
    ['RESTART,[N]bye', { advance: true, keepCredentials: false, message: 'bye' }],
    ['RESTART,[P]', { advance: false, keepCredentials: true, message: '' }],
    ['RESTART,[NP]', { advance: true, keepCredentials: true, message: '' }],
  ])('SESS-107 %s ends the session with what it says', (text, reason) => {
    const peer = waitingClient()
    peer.say(REPLY)
    peer.say(text)
    expect(peer.session.closeReason).toEqual({ type: 'peer-restart', ...reason })
  })

  it('SESS-107 HALT and AUTH_FAILED end it for good', () => {
    const halted = waitingClient()
    halted.say('HALT,[P]maintenance')
    expect(halted.session.closeReason).toEqual({ type: 'peer-halt', message: 'maintenance' })
    const failed = waitingClient()
    failed.say('AUTH_FAILED,CRV1:R,E:state:YWRh:Code?')
    expect(failed.session.closeReason).toMatchObject({
      type: 'auth-failed',
      failure: { type: 'challenge', challenge: { text: 'Code?', username: 'ada', stateId: 'state' } },
    })
    const temporary = waitingClient()
    temporary.say('AUTH_FAILED,TEMP[backoff 42,advance remote]:later')
    expect(temporary.session.closeReason).toMatchObject({
      failure: { type: 'temporary', backoffSeconds: 42, advance: 'remote', message: 'later' },
    })
  })

  it('answers a text request once, and only when asked', () => {
    const peer = waitingClient()
    const answer = { type: 'response', response: '1234' } as const
    expect(() => peer.session.authenticate(answer, peer.now)).toThrow('no answer was asked for')
    peer.say('INFO_PRE,CR_TEXT:R,E:Your code')
    expect(peer.eventsOf('login-request')[0]?.request).toMatchObject({ type: 'text', text: 'Your code' })
    peer.session.authenticate(answer, peer.now)
    peer.settle()
    expect(peer.texts).toEqual(['CR_RESPONSE,MTIzNA=='])
    expect(() => peer.session.authenticate(answer, peer.now)).toThrow('no answer was asked for')
  })

  it('reports what it refuses, and stops at pull-filter reject', () => {
    const peer = waitingClient({ pullFilter: { rules: [{ action: 'ignore', prefix: 'route ' }] } })
    peer.say(`${REPLY},route 1.2.3.0 255.255.255.0,up /bin/sh,frobnicate`)
    expect(peer.eventsOf('push-refused')[0]?.refused.map(({ option, reason }) => [option, reason])).toEqual([
      ['route', 'filtered'],
      ['up', 'not-pullable'],
      ['frobnicate', 'unknown-option'],
    ])
    const strict = waitingClient({ pullFilter: { rules: [{ action: 'reject', prefix: 'redirect-gateway' }] } })
    strict.say(`${REPLY},redirect-gateway def1`)
    expect(strict.session.closeReason).toEqual({
      type: 'push-rejected',
      option: 'redirect-gateway',
      by: 'pull-filter',
    })
  })
})
