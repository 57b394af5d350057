import { describe, expect, it } from 'vitest'
import { nodeCrypto } from '../../../src/node/crypto/index.ts'
import { keyIdOf, Opcode, opcodeOf } from '../../../src/wire/index.ts'
import { describeCloseReason, DROP_REASONS, type CloseReason } from '../../../src/session/index.ts'
import { createPeerVerifier } from '../../../src/x509/index.ts'
import { connectPair, ipPacket, Pair, pairConfigs } from '../../support/pair.ts'
import { issue, toyPki } from '../../support/pki.ts'
import { RawPeer } from '../../support/raw-peer.ts'

const crypto = nodeCrypto

/** A raw peer with a tunnel whose later negotiations stay unwrapped. */
function connectedPeer(role: 'client' | 'server'): RawPeer {
  const peer = new RawPeer({ role, peerInfo: 'IV_PROTO=478\nIV_CIPHERS=AES-256-GCM\nIV_NCP=2\n' })
  if (role === 'server') peer.say('PUSH_REPLY,cipher AES-256-GCM')
  expect(peer.session.state).toBe('connected')
  return peer
}

describe('failures', () => {
  it('SESS-137 a refused server certificate: alert on the wire, then closed with the problem, within a second', () => {
    const [config] = pairConfigs()
    const stranger = issue('stranger', { kind: 'ca', subject: [['CN', 'another CA']] })
    const pair = new Pair({
      crypto,
      record: true,
      client: { tls: { ...config.tls, verifier: createPeerVerifier({ ca: stranger.pem }) } },
    })
    pair.wait(1_000)
    expect(pair.client.session.closeReason).toMatchObject({ type: 'certificate' })
    expect(pair.client.closedAt).toBeLessThan(1_000)
    const [transmit, closed] = pair.client.outputs.slice(-2)
    expect([transmit?.type, closed?.type]).toEqual(['transmit', 'event'])
    expect(pair.server.session.closeReason).toMatchObject({ type: 'tls-alert', sentBy: 'peer' })
  })

  it('SESS-137 a refused client certificate reaches the client as an alert', () => {
    const [config] = pairConfigs()
    const pki = toyPki('P-384')
    const tls = { ...config.tls, certificateChain: [pki.client.der], privateKey: pki.client.key }
    const pair = new Pair({ crypto, client: { tls } })
    pair.wait(2_000)
    expect(pair.server.session.closeReason).toMatchObject({ type: 'certificate' })
    expect(pair.client.session.closeReason).toMatchObject({ type: 'tls-alert', sentBy: 'peer' })
  })

  it.each(['client', 'server'] as const)(
    'SESS-132 a TLS fault in a renegotiation leaves the tunnel of a %s alone',
    (role) => {
      const peer = connectedPeer(role === 'client' ? 'server' : 'client')
      const { session } = peer
      const message = { keyId: 1, sessionId: peer.sessionId, acks: [] }
      peer.packet({ ...message, opcode: Opcode.CONTROL_SOFT_RESET_V1, packetId: 0, payload: new Uint8Array(0) })
      peer.settle()
      peer.packet({ ...message, opcode: Opcode.ACK_V1, acks: [0], packetId: undefined, payload: new Uint8Array(0) })
      peer.packet({ ...message, opcode: Opcode.CONTROL_V1, packetId: 1, payload: new Uint8Array(50).fill(0xff) })
      peer.settle()
      expect(session.stats.failedRekeys).toBe(1)
      expect(peer.eventsOf('rekey-failed')[0]?.reason).toMatchObject({ type: 'tls-alert', sentBy: 'us' })
      expect(session.state).toBe('connected')
      expect(session.send(ipPacket(1), peer.now)).toBe(true)
      expect(session.pendingTimer).toBe('reneg-sec')
    },
  )

  it.each(['client', 'server'] as const)(
    'SESS-133 a %s whose control channel fails keeps its tunnel and renegotiates',
    (role) => {
      const peer = connectedPeer(role === 'client' ? 'server' : 'client')
      const { session } = peer
      peer.send(Opcode.CONTROL_V1, new Uint8Array(50).fill(0xff))
      peer.settle()
      expect(session.state).toBe('connected')
      expect(session.send(ipPacket(1), peer.now)).toBe(true)
      peer.wait(11_000)
      expect(peer.received.at(-1)).toMatchObject({ opcode: Opcode.CONTROL_SOFT_RESET_V1, keyId: 1 })
      expect(session.state).toBe('connected')
    },
  )

  it('SESS-132 forged control packets under a dynamic key break no renegotiation', () => {
    const pair = connectPair({ crypto })
    let damaged = 0
    pair.network.filter = (bytes) => {
      // The first three copies of every message are damaged.
      if (opcodeOf(bytes[0]!) !== Opcode.CONTROL_V1 || damaged++ >= 3) return true
      bytes[bytes.length - 1]! ^= 1
      return true
    }
    pair.input(pair.client, (session, now) => session.renegotiate(now))
    pair.wait(30_000)
    expect(pair.events(pair.client, 'rekeyed')).toHaveLength(1)
    const { dropped } = pair.server.session.stats
    expect(dropped['tls-crypt-mismatch'] + pair.client.session.stats.dropped['tls-crypt-mismatch']).toBe(3)
  })

  it('options and the end of TLS in one packet end the session without a throw', () => {
    const peer = new RawPeer({ role: 'server' })
    expect(() => peer.sayAndClose('PUSH_REPLY,cipher AES-256-GCM,protocol-flags tls-ekm dyn-tls-crypt')).not.toThrow()
    expect(peer.session.closeReason).toMatchObject({ type: 'tls-alert', alert: 'close-notify' })
    expect(peer.eventsOf('connected')).toEqual([])
  })

  it('SESS-135 EXIT inside the active session ends it', () => {
    const peer = new RawPeer({ role: 'client' })
    expect(peer.session.state).toBe('connected')
    peer.say('EXIT')
    expect(peer.session.closeReason).toEqual({ type: 'peer-exit' })
  })

  it('SESS-138 the server’s key is there when its reply leaves', () => {
    const pair = new Pair({ crypto })
    pair.run(60_000, () => pair.client.connectedAt < Infinity)
    expect(pair.server.connectedAt).toBeLessThan(pair.client.connectedAt)
    pair.send(pair.client, ipPacket(1))
    pair.wait(50)
    expect(pair.server.packets).toHaveLength(1)
  })

  it('has a line for every reason', () => {
    const reasons: CloseReason[] = [
      { type: 'local' },
      { type: 'timed-out', timer: 'ping-restart', detail: 'd' },
      { type: 'tls-alert', sentBy: 'us', alert: 'decode-error', detail: 'd' },
      { type: 'certificate', problem: 'expired', subject: undefined, detail: 'd' },
      { type: 'auth-failed', failure: { type: 'refused', message: 'm' } },
      { type: 'denied', message: 'm' },
      { type: 'peer-exit' },
      { type: 'peer-restart', message: '', advance: false, keepCredentials: false },
      { type: 'peer-halt', message: 'm' },
      { type: 'incompatible', option: 'data-ciphers', detail: 'd' },
      { type: 'push-rejected', option: 'route', by: 'pull-filter' },
      { type: 'malformed', what: 'w', detail: 'd' },
    ]
    expect(new Set(reasons.map(describeCloseReason)).size).toBe(reasons.length)
    for (const text of Object.values(DROP_REASONS)) expect(text.length).toBeGreaterThan(15)
  })
})

describe('farewell', () => {
  it('SESS-136 close() says goodbye where there is somebody to tell, and ends at once elsewhere', () => {
    const alone = new Pair({ crypto })
    alone.input(alone.client, (session, now) => session.close(now))
    alone.input(alone.server, (session, now) => session.close(now))
    expect([alone.client.session.state, alone.server.session.state]).toEqual(['closed', 'closed'])
    const pair = connectPair({ crypto })
    pair.input(pair.client, (session, now) => session.close(now))
    expect(pair.client.session.state).toBe('closing')
    pair.input(pair.client, (session, now) => session.close(now))
    pair.wait(100)
    expect(pair.client.session.closeReason).toEqual({ type: 'local' })
    expect(pair.server.session.closeReason).toEqual({ type: 'peer-exit' })
  })

  it('SESS-140 over TCP, or with no farewells configured, the session ends without one', () => {
    for (const options of [{ transport: 'tcp' as const }, { client: { explicitExitNotify: 0 } }]) {
      const pair = connectPair({ crypto, ...options })
      const sent = pair.client.session.stats.datagramsSent
      pair.input(pair.client, (session, now) => session.close(now))
      expect(pair.client.session.state).toBe('closed')
      expect(pair.client.session.stats.datagramsSent).toBe(sent)
    }
  })

  it('SESS-141 an EXIT that nobody acknowledges is given up after as many seconds as configured', () => {
    const pair = connectPair({ crypto, client: { explicitExitNotify: 3 } })
    pair.network.partitioned = true
    const since = pair.now
    pair.input(pair.client, (session, now) => session.close(now))
    pair.wait(2_900)
    expect(pair.client.session.state).toBe('closing')
    expect(pair.send(pair.client, ipPacket(1))).toBe(false)
    pair.wait(200)
    expect(pair.client.closedAt).toBe(since + 3_000)
    expect(pair.client.session.stats.retransmissions).toBeGreaterThan(0)
  })

  it('SESS-141 an EXIT during a renegotiation reaches the peer as well', () => {
    const pair = connectPair({ crypto })
    pair.input(pair.client, (session, now) => session.renegotiate(now))
    pair.wait(30)
    pair.input(pair.client, (session, now) => session.close(now))
    pair.wait(2_000)
    expect(pair.server.session.closeReason).toEqual({ type: 'peer-exit' })
  })

  it.each([
    ['old', 0],
    ['new', 1],
  ] as const)('SESS-141 of an EXIT during a renegotiation one is enough: under the %s key', (_name, heard) => {
    const pair = connectPair({ crypto, client: { explicitExitNotify: 3 } })
    pair.input(pair.client, (session, now) => session.renegotiate(now))
    pair.wait(50)
    // From now on the server hears nothing of the other key.
    pair.network.filter = (bytes, to) => to === 'client' || keyIdOf(bytes[0]!) === heard
    const since = pair.now
    pair.input(pair.client, (session, now) => session.close(now))
    expect(pair.client.session.keyStates.at(-1)).toMatchObject({ keyId: 1, state: 'start' })
    pair.wait(1_000)
    expect(pair.server.session.closeReason).toEqual({ type: 'peer-exit' })
    expect(pair.client.closedAt - since).toBeLessThan(500)
  })

  it('SESS-139 once the farewell is said, nothing the peer says inside TLS changes the end', () => {
    const peer = new RawPeer({
      role: 'client',
      ackUntil: 2,
      login: { username: 'u', password: 'p' },
      session: { admission: 'ask' },
    })
    peer.session.deny('no', peer.now)
    peer.settle()
    expect(peer.session.state).toBe('closing')
    for (const text of ['PUSH_REQUEST', 'EXIT', 'CR_RESPONSE,x', 'RESTART']) peer.say(text)
    expect(peer.session.state).toBe('closing')
    peer.wait(6_000)
    expect(peer.session.closeReason).toEqual({ type: 'denied', message: 'no' })
    expect(peer.eventsOf('closed')).toHaveLength(1)
  })

  it('SESS-139 a renegotiation that ends during the farewell changes nothing any more', () => {
    const pair = connectPair({ crypto, client: { explicitExitNotify: 3 } })
    pair.input(pair.client, (session, now) => session.renegotiate(now))
    // Nothing of key id 0 gets through, and nothing more once the renegotiation is done: the farewell stays unheard.
    const ended = { keyId: 1, state: 'active' }
    const done = (): boolean => pair.client.session.keyStates.at(-1)?.state === ended.state
    pair.network.filter = (bytes) => keyIdOf(bytes[0]!) !== 0 && !done()
    pair.wait(10)
    pair.input(pair.client, (session, now) => session.close(now))
    pair.wait(2_000)
    expect(pair.client.session.state).toBe('closing')
    expect(pair.client.session.keyStates.at(-1)).toEqual(ended)
    expect(pair.events(pair.client, 'rekeyed')).toEqual([])
    pair.wait(2_000)
    expect(pair.client.session.closeReason).toEqual({ type: 'local' })
  })

  it('SESS-142 peers without EXIT get the farewell of the data channel, one per second', () => {
    const peer = new RawPeer({ role: 'server', session: { explicitExitNotify: 3 } })
    peer.say('PUSH_REPLY,cipher AES-256-GCM')
    expect(peer.session.state).toBe('connected')
    const data = (): number => peer.session.stats.datagramsSent
    const before = data()
    peer.session.close(peer.now)
    peer.settle()
    expect(data() - before).toBe(1)
    peer.wait(1_000)
    expect(data() - before).toBe(2)
    expect(peer.session.state).toBe('closing')
    peer.wait(1_000)
    expect(data() - before).toBe(3)
    expect(peer.session.closeReason).toEqual({ type: 'local' })
  })
})
