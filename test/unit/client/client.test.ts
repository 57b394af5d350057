import { describe, expect, it } from 'vitest'
import { ConfigError, UsageError } from '../../../src/bytes/index.ts'
import { Client, type ClientConfig } from '../../../src/client/index.ts'
import { nodeCrypto } from '../../../src/node/crypto/index.ts'
import type { SessionConfig } from '../../../src/session/index.ts'
import { echoes, remote, server, world } from '../../support/client-start.ts'
import { ClientWorld, type Listener } from '../../support/client-world.ts'
import { ipPacket, pairConfigs } from '../../support/pair.ts'
import { PKI_NOW } from '../../support/pki.ts'
import { rawServer, rawServerOptions } from '../../support/raw-server.ts'
import { SeededRandom } from '../../support/random.ts'

const kinds = (at: ClientWorld): string[] =>
  at.events.map((event) => event.type).filter((type) => type !== 'push-received' && type !== 'options-differ')

describe('a client', () => {
  it('resolves, connects, carries packets, says goodbye', () => {
    const at = world(
      { remotes: [remote('vpn.example')] },
      { 'udp 192.0.2.1:1194': server() },
      { 'vpn.example': ['192.0.2.1'] },
    )
    expect(at.client.state).toBe('resolving')
    expect(at.connect()).toBe(true)
    expect(kinds(at)).toEqual(['attempt', 'tunnel-up', 'connected'])
    expect(at.eventsOf('attempt')[0]).toEqual({ type: 'attempt', remote: 0, address: '192.0.2.1' })
    expect(at.eventsOf('tunnel-up')[0]?.action).toBe('open')
    expect(echoes(at)).toBe(true)
    at.input((client, now) => client.close(now))
    expect(at.run(at.now + 10_000, () => at.client.state === 'closed')).toBe(true)
    expect(at.events.slice(-2)).toEqual([
      { type: 'tunnel-down', keep: false },
      { type: 'closed', reason: { type: 'local' } },
    ])
    expect(at.outputs.at(-3)?.type).toBe('disconnect')
    expect(at.client.pollTimeout()).toBe(Infinity)
    at.run(at.now + 1_000)
    expect(at.serverEvents.at(-1)).toMatchObject({ type: 'closed', reason: { type: 'peer-exit' } })
    const count = at.outputs.length
    at.input((client, now) => {
      client.receive(Uint8Array.of(1), now)
      client.connected(1, now)
      client.disconnected(1, '', now)
      client.resolved(1, ['192.0.2.1'], now)
      client.handleTimeout(now)
      client.renegotiate(now)
      client.close(now)
      client.authenticate({ type: 'response', response: '' }, now)
      expect(client.send(ipPacket(1), now)).toBe(false)
    })
    expect(at.outputs.length).toBe(count)
  })

  it('works over TCP too', () => {
    const tcp = { 'tcp 192.0.2.1:1194': server({}, 'tcp') }
    const at = world({ remotes: [remote('192.0.2.1', {}, { transport: 'tcp' })] }, tcp)
    expect(at.connect()).toBe(true)
    expect(echoes(at)).toBe(true)
    at.input((client, now) => client.close(now))
    expect(at.run(at.now + 10_000, () => at.client.state === 'closed')).toBe(true)
  })

  it('takes the second remote when the first is silent, refuses, or has no name', () => {
    const up = { 'udp 192.0.2.2:1194': server() }
    const silent = world({ remotes: [remote('192.0.2.1'), remote('192.0.2.2')] }, up)
    expect(silent.connect(200_000)).toBe(true)
    expect(silent.eventsOf('retry').map(({ end }) => end.type)).toEqual(['session'])
    expect(silent.eventsOf('attempt').map((event) => event.remote)).toEqual([0, 1])
    const refusing = world({ remotes: [remote('192.0.2.1', {}, { transport: 'tcp' }), remote('192.0.2.2')] }, up)
    expect(refusing.connect()).toBe(true)
    expect(refusing.eventsOf('retry')[0]).toEqual({
      type: 'retry',
      end: { type: 'unreachable', detail: 'connection refused' },
      delay: 1_000,
    })
    const nameless = world({ remotes: [remote('nowhere.example'), remote('192.0.2.2')] }, up)
    expect(nameless.connect()).toBe(true)
    expect(nameless.eventsOf('retry')[0]?.end).toEqual({ type: 'unresolvable', host: 'nowhere.example' })
  })

  it('CLIENT-9 gives a server that never answers only so long', () => {
    const config: ClientConfig = {
      remotes: [remote('192.0.2.1'), remote('192.0.2.2')],
      retry: { pollTimeout: 4_000 },
    }
    const babble: Listener = { peer: (link) => ({ receive: () => link.send(new Uint8Array(60).fill(0x40)) }) }
    const at = world(config, { 'udp 192.0.2.1:1194': babble, 'udp 192.0.2.2:1194': server() })
    expect(at.connect()).toBe(true)
    expect(at.eventsOf('retry').map(({ end }) => end)).toEqual([{ type: 'no-answer' }])
    expect(at.now).toBeLessThan(7_000)
    // A server that has answered has its whole hand-window.
    at.run(at.now + 20_000)
    expect(at.client.state).toBe('session')
  })

  it('CLIENT-7 gives up when every remote had its turns', () => {
    const config: ClientConfig = { remotes: [remote('a.example'), remote('b.example')], retry: { maxTurns: 2 } }
    const at = world(config, {})
    expect(at.run(60_000, () => at.client.state === 'closed')).toBe(true)
    expect(at.eventsOf('closed')).toEqual([
      { type: 'closed', reason: { type: 'exhausted', last: { type: 'unresolvable', host: 'b.example' } } },
    ])
    expect(at.eventsOf('retry').length).toBe(3)
  })

  it('CLIENT-14 reconnects after RESTART, to the same remote or the next', () => {
    for (const [text, next] of [
      ['RESTART', 0],
      ['RESTART,[N]', 1],
    ] as const) {
      const raw = rawServerOptions()
      const both = { 'udp 192.0.2.1:1194': { peer: rawServer(raw) }, 'udp 192.0.2.2:1194': { peer: rawServer(raw) } }
      const at = world({ remotes: [remote('192.0.2.1'), remote('192.0.2.2')] }, both)
      expect(at.connect()).toBe(true)
      raw.say(text)
      expect(at.connect()).toBe(true)
      expect(at.eventsOf('retry')[0]?.end).toMatchObject({ type: 'session', reason: { type: 'peer-restart' } })
      expect(at.eventsOf('attempt').map((event) => event.remote)).toEqual([0, next])
    }
  })

  it('CLIENT-30 CLIENT-31 tells what to do with the tunnel device', () => {
    const raw = rawServerOptions({ push: 'ifconfig 10.8.0.2 10.8.0.1,cipher AES-256-GCM,route 10.1.0.0,ping 5' })
    const listeners = { 'udp 192.0.2.1:1194': { peer: rawServer(raw) } }
    const at = world({ remotes: [remote('192.0.2.1')], persistTun: true }, listeners)
    expect(at.connect()).toBe(true)
    for (const next of ['route 10.1.0.0,ping 9', 'route 10.2.0.0']) {
      raw.push = `ifconfig 10.8.0.2 10.8.0.1,cipher AES-256-GCM,${next}`
      raw.say('RESTART')
      expect(at.connect()).toBe(true)
    }
    expect(at.eventsOf('tunnel-up').map((event) => event.action)).toEqual(['open', 'keep', 'reopen'])
    expect(at.eventsOf('tunnel-down').map((event) => event.keep)).toEqual([true, true])
    const open = world({ remotes: [remote('192.0.2.1')] }, listeners)
    expect(open.connect()).toBe(true)
    raw.say('RESTART')
    expect(open.connect()).toBe(true)
    expect(open.eventsOf('tunnel-up').map((event) => event.action)).toEqual(['open', 'open'])
    expect(open.eventsOf('tunnel-down').map((event) => event.keep)).toEqual([false])
  })

  it('a lost TCP connection is an end like any other', () => {
    const at = world(
      { remotes: [remote('192.0.2.1', {}, { transport: 'tcp' })] },
      { 'tcp 192.0.2.1:1194': server({}, 'tcp') },
    )
    expect(at.connect()).toBe(true)
    at.input((client, now) => client.disconnected(client.link ?? 0, 'reset', now))
    expect(at.eventsOf('retry').at(-1)?.end).toEqual({ type: 'lost', detail: 'reset' })
    expect(kinds(at).slice(-2)).toEqual(['tunnel-down', 'retry'])
    expect(at.connect()).toBe(true)
    expect(echoes(at)).toBe(true)
  })

  it('CLIENT-8 puts a random label in front of names', () => {
    const at = world({ remotes: [remote('vpn.example'), remote('192.0.2.1')], randomHostname: true }, {})
    const [first] = at.outputs
    expect(first?.type === 'resolve' && first.host).toMatch(/^[0-9a-f]{12}\.vpn\.example$/)
  })

  it('hands the local end and float on as data', () => {
    const local = { address: '192.0.2.9', port: 4000 }
    const at = world({ remotes: [remote('192.0.2.1', { local, float: true })] }, {})
    expect(at.outputs.find((output) => output.type === 'connect')).toEqual({
      type: 'connect',
      link: 1,
      transport: 'udp',
      address: '192.0.2.1',
      port: 1194,
      local,
      float: true,
    })
  })

  it('late news of old links and old questions change nothing', () => {
    const at = world({ remotes: [remote('a.example'), remote('192.0.2.1')] }, { 'udp 192.0.2.1:1194': server() })
    expect(at.connect()).toBe(true)
    const { length } = at.outputs
    at.input((client, now) => {
      client.resolved(1, ['192.0.2.7'], now)
      client.connected(99, now)
      client.disconnected(99, 'x', now)
      client.receive(Uint8Array.of(0x38, 0, 0), now, 99)
    })
    expect(at.outputs.length).toBe(length)
    expect(echoes(at)).toBe(true)
  })

  it('the same inputs give the same outputs', () => {
    const run = (): string => {
      const at = world(
        { remotes: [remote('a.example'), remote('b.example')], remoteRandom: true },
        { 'udp 192.0.2.1:1194': server() },
        { 'b.example': ['192.0.2.1'] },
      )
      at.connect()
      echoes(at)
      return JSON.stringify(at.outputs)
    }
    expect(run()).toBe(run())
  })

  it('CLIENT-1 a configuration that cannot work throws before anything is asked', () => {
    const make = (config: ClientConfig) =>
      new Client(config, { now: 0, timeOrigin: PKI_NOW, random: new SeededRandom(1).source, crypto: nodeCrypto })
    const good = remote('192.0.2.1')
    const bad: readonly ClientConfig[] = [
      { remotes: [] },
      { remotes: [{ ...good, port: 0 }] },
      { remotes: [{ ...good, host: '' }] },
      { remotes: [good, { ...good, session: pairConfigs()[1] }] },
      { remotes: [good, { ...good, session: { ...good.session, dataCiphers: ['none'] } }] },
      { remotes: [{ ...good, proxy: { type: 'http', server: { host: 'p', port: 8080 } } }] },
      { remotes: [{ ...good, proxy: { type: 'socks', server: { host: 'p', port: 0 } } }] },
      { remotes: [good], retry: { retry: -1 } },
      { remotes: [good], retry: { maxRetry: 10 } },
      { remotes: [good], retry: { pollTimeout: 0 } },
      { remotes: [good], retry: { maxTurns: Number.NaN } },
    ]
    for (const config of bad) expect(() => make(config)).toThrow(ConfigError)
    expect(make({ remotes: [good] }).state).toBe('connecting')
  })
})

describe('a client’s login', () => {
  it('asks before the first byte, and again after a refusal with auth-retry interact', () => {
    const asking = server({ admission: 'ask' })
    const at = world(
      {
        remotes: [remote('192.0.2.1', {}, { client: { login: { type: 'ask' } } })],
        authRetry: 'interact',
      },
      { 'udp 192.0.2.1:1194': asking },
    )
    expect(at.client.state).toBe('asking')
    expect(at.outputs.map((output) => output.type)).toEqual(['event'])
    const login = (password: string): void => {
      at.input((client, now) => client.authenticate({ type: 'password', username: 'u', password }, now))
      expect(at.run(at.now + 5_000, () => at.serverEvents.at(-1)?.type === 'login')).toBe(true)
    }
    login('wrong')
    at.atServer(-1, (session, now) => session.deny('no', now))
    expect(at.run(at.now + 10_000, () => at.client.state === 'asking')).toBe(true)
    expect(at.eventsOf('retry')[0]?.end).toMatchObject({ reason: { type: 'auth-failed' } })
    login('right')
    at.atServer(-1, (session, now) => session.allow(now))
    expect(at.connect()).toBe(true)
    expect(() => at.input((client, now) => client.authenticate({ type: 'response', response: 'x' }, now))).toThrow(
      UsageError,
    )
  })

  it('CLIENT-12 a refused login is the end without auth-retry', () => {
    const at = world(
      { remotes: [remote('192.0.2.1', {}, { client: { login: { type: 'password', username: 'u', password: 'p' } } })] },
      { 'udp 192.0.2.1:1194': server({ admission: 'ask' }) },
    )
    expect(at.run(5_000, () => at.serverEvents.at(-1)?.type === 'login')).toBe(true)
    at.atServer(-1, (session, now) => session.deny('no', now))
    expect(at.run(20_000, () => at.client.state === 'closed')).toBe(true)
    expect(at.eventsOf('closed')[0]?.reason).toMatchObject({ type: 'session', reason: { type: 'auth-failed' } })
  })
})

describe('a server’s refusals', () => {
  const login = { type: 'password', username: 'u', password: 'p' } as const
  const start = (config: Partial<ClientConfig>, refusal: string | undefined, more: Partial<SessionConfig> = {}) => {
    const raw = rawServerOptions({ refusal })
    const peer = { peer: rawServer(raw) }
    const at = world(
      {
        remotes: ['192.0.2.1', '192.0.2.2'].map((host) => remote(host, {}, { client: { login, ...more } })),
        ...config,
      },
      { 'udp 192.0.2.1:1194': peer, 'udp 192.0.2.2:1194': peer },
    )
    return { raw, at }
  }

  it('CLIENT-13 a temporary refusal waits and advances as it says', () => {
    const { raw, at } = start({}, 'AUTH_FAILED,TEMP[backoff 42,advance remote]:full')
    expect(at.run(5_000, () => at.client.state === 'pausing')).toBe(true)
    expect(at.eventsOf('retry')[0]?.delay).toBe(42_000)
    const then = at.now
    raw.refusal = undefined
    expect(at.connect(60_000)).toBe(true)
    expect(at.now - then).toBeGreaterThan(42_000)
    expect(at.eventsOf('attempt').map((event) => event.remote)).toEqual([0, 1])
  })

  it('CLIENT-15 a dynamic challenge is asked and answered under its username', () => {
    const { raw, at } = start({}, 'AUTH_FAILED,CRV1:R:state:Y3I=:Your code?')
    expect(at.run(5_000, () => at.client.state === 'asking')).toBe(true)
    expect(at.eventsOf('credentials-needed')).toEqual([
      { type: 'credentials-needed', challenge: { text: 'Your code?', echo: false }, username: 'cr' },
    ])
    raw.refusal = undefined
    at.input((client, now) => client.authenticate({ type: 'response', response: '123456' }, now))
    expect(at.connect()).toBe(true)
    expect(raw.logins).toEqual([
      { username: 'u', password: 'p' },
      { username: 'cr', password: 'CRV1::state::123456' },
    ])
  })

  it('CLIENT-12 with auth-retry nointeract the same login is tried again, slowly', () => {
    const { raw, at } = start({ authRetry: 'nointeract' }, 'AUTH_FAILED')
    expect(at.run(5_000, () => at.client.state === 'pausing')).toBe(true)
    expect(at.eventsOf('retry')[0]?.delay).toBe(10_000)
    raw.refusal = undefined
    expect(at.connect()).toBe(true)
    expect(raw.logins.map((seen) => seen?.password)).toEqual(['p', 'p'])
  })

  it('CLIENT-10 HALT is the end', () => {
    const { raw, at } = start({}, undefined)
    expect(at.connect()).toBe(true)
    raw.say('HALT,closed for good')
    expect(at.run(at.now + 10_000, () => at.client.state === 'closed')).toBe(true)
    expect(at.eventsOf('closed')[0]?.reason).toEqual({
      type: 'session',
      reason: { type: 'peer-halt', message: 'closed for good' },
    })
    expect(kinds(at).slice(-2)).toEqual(['tunnel-down', 'closed'])
  })

  it('CLIENT-22 an answer to a static challenge is asked for again', () => {
    const staticChallenge = { text: 'PIN', echo: true, format: 'scrv1' } as const
    const { raw, at } = start({}, undefined, { login: { type: 'ask' }, staticChallenge })
    const answer = (response: string): void => {
      expect(at.client.state).toBe('asking')
      const credentials = { type: 'password', username: 'u', password: 'p', response } as const
      at.input((client, now) => client.authenticate(credentials, now))
      expect(at.connect()).toBe(true)
    }
    answer('1')
    raw.say('RESTART,[P]')
    expect(at.run(at.now + 10_000, () => at.client.state === 'asking')).toBe(true)
    answer('2')
    expect(raw.logins.map((seen) => seen?.password)).toEqual(['SCRV1:cA==:MQ==', 'SCRV1:cA==:Mg=='])
  })

  it('SESS-91 CLIENT-21 a pushed token is the login of the next attempt, and CLIENT-11 forgotten when refused', () => {
    const { raw, at } = start({}, undefined)
    const usual = raw.push ?? ''
    raw.push = `${usual},auth-token secret-1,auth-token-user dXNlci0x`
    expect(at.connect()).toBe(true)
    expect(JSON.stringify(at.events)).not.toContain('secret-1')
    raw.push = usual
    raw.say('RESTART')
    expect(at.connect()).toBe(true)
    raw.refusal = 'AUTH_FAILED,SESSION:Token expired'
    raw.say('RESTART')
    expect(at.run(at.now + 20_000, () => raw.logins.length === 3)).toBe(true)
    raw.refusal = undefined
    expect(at.connect()).toBe(true)
    expect(raw.logins).toEqual([
      { username: 'u', password: 'p' },
      { username: 'user-1', password: 'secret-1' },
      { username: 'user-1', password: 'secret-1' },
      { username: 'u', password: 'p' },
    ])
  })
})
