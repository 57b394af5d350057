import { describe, expect, it } from 'vitest'
import { ConfigError, UsageError } from '../../../src/bytes/index.ts'
import type { HashName } from '../../../src/crypto/index.ts'
import { type OccMessage, writeOcc } from '../../../src/data/index.ts'
import { nodeCrypto } from '../../../src/node/crypto/index.ts'
import { parseProfile, toSessionConfig } from '../../../src/profile/index.ts'
import { Session, type SessionConfig, type SessionEvent } from '../../../src/session/index.ts'
import { generateStaticKey, StreamFramer, writeStaticKey } from '../../../src/wire/index.ts'
import { ipPacket, pairConfigs } from '../../support/pair.ts'
import { PKI_NOW } from '../../support/pki.ts'
import { SeededRandom } from '../../support/random.ts'
import { scaled } from '../../support/scale.ts'

const KEY = generateStaticKey(new SeededRandom('static key').source)

/** One end, with everything that came out of it. */
class End {
  readonly session: Session
  readonly sent: Uint8Array[] = []
  readonly packets: Uint8Array[] = []
  readonly events: SessionEvent[] = []

  constructor(config: Partial<SessionConfig> = {}, now = 0) {
    const base: SessionConfig = {
      role: 'client',
      mode: 'static-key',
      transport: 'udp',
      staticKey: { key: KEY, direction: 0, cipher: 'AES-256-CBC' },
      auth: 'SHA256',
    }
    const { source } = new SeededRandom('end')
    this.session = new Session({ ...base, ...config }, { now, timeOrigin: PKI_NOW, random: source, crypto: nodeCrypto })
    this.drain()
  }

  drain(): void {
    for (let output = this.session.poll(); output !== undefined; output = this.session.poll()) {
      if (output.type === 'transmit') this.sent.push(output.data)
      else if (output.type === 'packet') this.packets.push(output.data)
      else this.events.push(output.event)
    }
  }

  /** Runs every deadline up to `until`. */
  runTo(until: number): void {
    while (this.session.pollTimeout() <= until) {
      this.session.handleTimeout(this.session.pollTimeout())
      this.drain()
    }
  }

  send(packet: Uint8Array, now: number): Uint8Array {
    expect(this.session.send(packet, now)).toBe(true)
    this.drain()
    return this.sent.at(-1)!
  }

  receive(bytes: Uint8Array, now: number): void {
    this.session.receive(bytes, now)
    this.drain()
  }

  /** Sends everything that is waiting to `other`. */
  deliver(other: End, now: number): void {
    for (const datagram of this.sent.splice(0)) other.receive(datagram, now)
  }

  types(): string[] {
    return this.events.map(({ type }) => type)
  }
}

const other = (config: Partial<SessionConfig> = {}): Partial<SessionConfig> => ({
  staticKey: { key: KEY, direction: 1, cipher: 'AES-256-CBC' },
  ...config,
})

function blamed(config: Partial<SessionConfig>): string {
  try {
    new End(config)
  } catch (error) {
    if (error instanceof ConfigError) return error.option
    throw error
  }
  return 'none'
}

describe('static key', () => {
  it('SESS-150 the tunnel is up before a byte moves', () => {
    const { session, events, sent } = new End()
    expect(session.state).toBe('connected')
    expect(sent).toEqual([])
    expect(events).toHaveLength(1)
    expect(events[0]).toMatchObject({
      type: 'connected',
      negotiated: { dataCipher: 'AES-256-CBC', dataAuth: 'SHA256', dataFormat: 'cbc', keyDerivation: 'static-key' },
    })
  })

  it.each([
    ['AES-256-CBC', 'SHA256', 0, 1],
    ['AES-128-CBC', 'SHA1', 1, 0],
    ['AES-192-CBC', 'SHA512', undefined, undefined],
    ['AES-128-CBC', 'MD5', undefined, undefined],
    ['DES-EDE3-CBC', 'SHA1', 0, 1],
  ] as const)('SESS-151 packets cross with %s and %s, directions %s and %s', (cipher, auth, ours, theirs) => {
    const a = new End({ auth, staticKey: { key: KEY, cipher, direction: ours } })
    const b = new End({ auth, staticKey: { key: KEY, cipher, direction: theirs } })
    for (let i = 0; i < 300; i++) {
      b.receive(a.send(ipPacket(i, 28 + i), i), i)
      a.receive(b.send(ipPacket(i, 700 - i), i), i)
    }
    expect(b.packets.map(String)).toEqual(Array.from({ length: 300 }, (_, i) => String(ipPacket(i, 28 + i))))
    expect(a.packets.map(String)).toEqual(Array.from({ length: 300 }, (_, i) => String(ipPacket(i, 700 - i))))
    // The first bytes are those of an HMAC: all sorts of opcodes were among them.
    expect(new Set(a.sent.map((datagram) => datagram[0]! >> 3)).size).toBe(32)
  })

  it('SESS-151 both ends with the same direction understand nothing', () => {
    const [a, b] = [new End(), new End()]
    b.receive(a.send(ipPacket(1), 0), 0)
    expect(b.packets).toEqual([])
    expect(b.session.stats.dropped['bad-tag']).toBe(1)
  })

  it('SESS-151 over TCP packets are framed, and the fast lane makes the same bytes', () => {
    const [a, b] = [new End({ transport: 'tcp' }), new End(other({ transport: 'tcp', role: 'server' }))]
    const stream = new StreamFramer(65_535)
    for (let i = 0; i < 20; i++) {
      stream.push(a.send(ipPacket(i, 100 + i), 0))
      expect(stream.next()).toBeDefined()
      expect(stream.next()).toBeUndefined()
    }
    for (const piece of a.sent) for (const byte of piece) b.receive(Uint8Array.of(byte), 0)
    expect(b.packets).toHaveLength(20)

    const fast = new End({ transport: 'tcp' })
    const { headroom, tailroom } = fast.session
    const packet = ipPacket(0, 100)
    const buffer = new Uint8Array(headroom + packet.length + tailroom)
    buffer.set(packet, headroom)
    const length = fast.session.seal(buffer, headroom, packet.length, 0)
    const { resultOffset } = fast.session
    expect(buffer.slice(resultOffset, resultOffset + length)).toEqual(a.sent[0])
  })

  it('SESS-151 forged, flipped, cut and replayed datagrams: none is accepted, all are counted', () => {
    const [a, b] = [new End(), new End(other())]
    const random = new SeededRandom('forgeries')
    const total = scaled(3_000, 100_000)
    const stranger = new End({
      staticKey: { key: generateStaticKey(random.source), direction: 0, cipher: 'AES-256-CBC' },
    })
    let honest = 0
    let forged = 0
    for (let i = 0; i < total; i++) {
      const datagram = a.send(ipPacket(i, 40 + (i % 200)), 0)
      const forgeries = [datagram.slice(), datagram.slice(0, random.below(datagram.length)), random.source(48 + 16 * 4)]
      const place = random.below(datagram.length)
      forgeries[0]![place]! ^= 1 << random.below(8)
      forgeries.push(stranger.send(ipPacket(i), 0), new Uint8Array(0))
      for (const bytes of forgeries) {
        const before = b.session.digest()
        b.receive(bytes, 0)
        forged++
        expect(b.session.digest()).toEqual(before)
      }
      b.receive(datagram, 0)
      honest++
      b.receive(datagram, 0)
      forged++
    }
    expect(b.packets).toHaveLength(honest)
    const dropped = Object.values(b.session.stats.dropped).reduce((sum, count) => sum + count, 0)
    expect(dropped).toBe(forged)
    expect(b.session.stats.dropped.replayed).toBe(total)
    expect(b.session.stats.dropped['bad-tag']).toBeGreaterThan(2 * total)
  })

  it('SESS-151 packets of an earlier session are refused once one of this session came', () => {
    const b = new End(other())
    const old = new End().send(ipPacket(1), 0)
    const late = new End({}, 5_000)
    b.receive(late.send(ipPacket(2), 5_000), 5_000)
    b.receive(old, 5_001)
    expect(b.packets).toEqual([ipPacket(2)])
  })

  it('SESS-152 the peer is asked for its options every ten seconds until it answers', () => {
    const [a, b] = [new End({ timers: { ping: 0 } }), new End(other({ auth: 'SHA256', tunMtu: 1400 }))]
    a.runTo(9_999)
    expect(a.sent).toHaveLength(0)
    a.runTo(35_000)
    expect(a.sent).toHaveLength(3)
    a.sent.splice(0, 2)
    a.deliver(b, 35_000)
    expect(b.sent).toHaveLength(1)
    b.deliver(a, 35_000)
    expect(a.events.at(-1)).toMatchObject({
      type: 'options-differ',
      differences: [{ option: 'link-mtu' }, { option: 'tun-mtu', expected: 'tun-mtu 1500', actual: 'tun-mtu 1400' }],
    })
    a.runTo(1_000_000)
    expect(a.sent).toHaveLength(0)

    const alone = new End()
    alone.runTo(10_000_000)
    expect(alone.sent).toHaveLength(12)
    expect(alone.session.pollTimeout()).toBe(Infinity)
  })

  it('SESS-152 equal settings make no event', () => {
    const [a, b] = [new End(), new End(other())]
    a.runTo(10_000)
    a.deliver(b, 10_000)
    b.deliver(a, 10_000)
    expect(a.types()).toEqual(['connected'])
  })

  it('SESS-153 close() says goodbye as often as configured, and the peer hears it', () => {
    const [a, b] = [new End({ explicitExitNotify: 2 }), new End(other())]
    a.session.close(100)
    a.drain()
    expect(a.session.state).toBe('closing')
    a.runTo(5_000)
    expect(a.sent).toHaveLength(2)
    expect(a.events.at(-1)).toEqual({ type: 'closed', reason: { type: 'local' } })
    expect(a.session.pollTimeout()).toBe(Infinity)
    a.deliver(b, 5_000)
    expect(b.events.at(-1)).toEqual({ type: 'closed', reason: { type: 'peer-exit' } })
    expect(b.types().filter((type) => type === 'closed')).toHaveLength(1)

    for (const quiet of [new End(), new End({ explicitExitNotify: 2, transport: 'tcp' })]) {
      quiet.session.close(100)
      quiet.drain()
      expect(quiet.sent).toHaveLength(0)
      expect(quiet.types()).toEqual(['connected', 'closed'])
    }
  })

  it('SESS-60, SESS-61 pings go out, are swallowed, and their absence ends the session', () => {
    const timers = { ping: 3_000, pingRestart: 20_000 }
    const [a, b] = [new End({ timers }), new End(other({ timers }))]
    for (let now = 0; now <= 60_000; now += 500) {
      a.runTo(now)
      b.runTo(now)
      a.deliver(b, now)
      b.deliver(a, now)
    }
    expect([a.session.state, b.session.state]).toEqual(['connected', 'connected'])
    expect(b.session.stats.pingsReceived).toBeGreaterThan(10)
    expect(b.packets).toEqual([])
    a.runTo(100_000)
    expect(a.events.at(-1)).toMatchObject({ type: 'closed', reason: { type: 'timed-out', timer: 'ping-restart' } })
  })

  it('SESS-77 probes of the path are answered, one a second, with a datagram of the size asked for', () => {
    const b = new End(other())
    const ask = (message: OccMessage, now: number): Uint8Array[] => {
      const before = b.sent.length
      b.receive(sealRaw(writeOcc(message), now), now)
      return b.sent.slice(before)
    }
    const [load] = ask({ type: 'mtu-load-request', size: 1200 }, 1_000)
    expect(load!.length).toBeLessThanOrEqual(1200)
    expect(load!.length).toBeGreaterThan(1200 - 32)
    expect(ask({ type: 'mtu-load-request', size: 1024 }, 1_500)).toEqual([])
    expect(ask({ type: 'mtu-load-request', size: 65_535 }, 2_500)[0]!.length).toBeLessThanOrEqual(2048)
    const [reply] = ask({ type: 'mtu-request' }, 4_000)
    expect(reply!.length).toBeLessThan(200)
  })

  it('SESS-155 nothing for a cipher or a digest only where it is permitted', () => {
    const none = { key: KEY, cipher: 'none' } as const
    expect(blamed({ staticKey: none, auth: 'none' })).toBe('cipher')
    expect(blamed({ staticKey: none, auth: 'SHA1' })).toBe('cipher')
    expect(blamed({ auth: 'none' })).toBe('auth')
    for (const auth of ['none', 'SHA256'] as const satisfies readonly (HashName | 'none')[]) {
      const config = { staticKey: none, auth, allowInsecure: true }
      const [a, b] = [new End(config), new End(config)]
      b.receive(a.send(ipPacket(7), 0), 0)
      expect(b.packets).toEqual([ipPacket(7)])
      expect(b.events[1]).toEqual({ type: 'unprotected', encrypted: false, authenticated: auth !== 'none' })
    }
  })

  it('SESS-41 what the mode has no use for, or lacks, is refused', () => {
    const [client] = pairConfigs()
    expect(blamed({ tls: client.tls! })).toBe('secret')
    expect(blamed({ wrap: { type: 'tls-crypt', key: KEY } })).toBe('tls-crypt')
    expect(blamed({ push: { options: [] } })).toBe('secret')
    expect(blamed({ login: { type: 'ask' } })).toBe('secret')
    expect(blamed({ staticKey: { key: KEY, cipher: 'AES-256-GCM' } })).toBe('secret')
    expect(blamed({ staticKey: { key: KEY, cipher: 'BF-CBC' } })).toBe('cipher')
    expect(blamed({ mode: 'point-to-point' })).toBe('secret')
    const { session } = new End()
    for (const call of [
      () => {
        session.authenticate({ type: 'response', response: '' }, 0)
      },
      () => {
        session.allow(0)
      },
      () => {
        session.provideSignature(0, new Uint8Array(1), 0)
      },
    ]) {
      expect(call).toThrow(UsageError)
    }
    expect(session.pushUpdate([], 0)).toBe(false)
    session.renegotiate(0)
    expect(session.state).toBe('connected')
  })

  it('SESS-154 a profile with `secret` becomes such a session; without a usable cipher it is refused with the reason', () => {
    const block = `<secret>\n${writeStaticKey(KEY)}</secret>\n`
    const lines = `dev tun\nremote 192.0.2.1\nifconfig 10.8.0.2 10.8.0.1\n${block}`
    const config = toSessionConfig(parseProfile(`${lines}cipher AES-128-CBC\nauth SHA256\nkey-direction 1\n`))
    expect(config).toMatchObject({ mode: 'static-key', auth: 'SHA256', transport: 'udp' })
    expect(config.staticKey).toMatchObject({ direction: 1, cipher: 'AES-128-CBC' })
    expect(config.staticKey?.key.exportBytes()).toEqual(KEY.exportBytes())
    expect(config.tls).toBeUndefined()
    expect(JSON.stringify(config)).not.toContain(writeStaticKey(KEY).split('\n')[5])
    const filed = parseProfile(
      'dev tun\nremote 192.0.2.1\nsecret k 0\ncipher AES-256-CBC\n',
      new Map([['k', writeStaticKey(KEY)]]),
    )
    expect(toSessionConfig(filed).staticKey?.direction).toBe(0)
    expect(toSessionConfig(parseProfile(`${lines}cipher AES-256-CBC\n`)).staticKey?.direction).toBeUndefined()
    const open = toSessionConfig(parseProfile(`${lines}cipher none\nauth none\n`))
    expect(open).toMatchObject({ allowInsecure: true, auth: 'none', staticKey: { cipher: 'none' } })
    expect(() => parseProfile(lines)).toThrow(/BF-CBC where none is named/)
  })
})

/** A payload of any kind, sealed by a session of its own that began at `now`, so that its ids are the newest. */
function sealRaw(payload: Uint8Array, now: number): Uint8Array {
  const tap = new End({ device: 'tap' }, now)
  const { headroom, tailroom } = tap.session
  const buffer = new Uint8Array(headroom + payload.length + tailroom)
  buffer.set(payload, headroom)
  const length = tap.session.seal(buffer, headroom, payload.length, now)
  expect(length).toBeGreaterThan(0)
  return buffer.slice(tap.session.resultOffset, tap.session.resultOffset + length)
}
