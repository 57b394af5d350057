import { describe, expect, it } from 'vitest'
import { ConfigError, UsageError } from '../../../src/bytes/index.ts'
import { noble } from '../../../src/crypto/index.ts'
import { nodeCrypto } from '../../../src/node/crypto/index.ts'
import { Session, type SessionConfig } from '../../../src/session/index.ts'
import { resolveConfig } from '../../../src/session/validate.ts'
import { connectPair, Pair, pairConfigs } from '../../support/pair.ts'
import { PKI_NOW, toyPki } from '../../support/pki.ts'
import { SeededRandom } from '../../support/random.ts'
import { wrapPair } from '../../support/wraps.ts'

const [client, server] = pairConfigs()
const wraps = wrapPair('tls-crypt-v2')

function build(config: SessionConfig, change: Partial<SessionConfig>): Session {
  const random = new SeededRandom('config').source
  return new Session({ ...config, ...change }, { now: 0, timeOrigin: PKI_NOW, random, crypto: nodeCrypto })
}

function optionBlamed(config: SessionConfig, change: Partial<SessionConfig>): string {
  try {
    build(config, change)
  } catch (error) {
    if (error instanceof ConfigError) return error.option
    throw error
  }
  return 'none'
}

describe('configuration', () => {
  it('SESS-40 a configuration that cannot work throws before a byte moves, also for TLS and also at a server', () => {
    const { verifier, ...bare } = client.tls!
    expect(verifier).toBeDefined()
    expect(optionBlamed(client, { tls: bare })).toBe('ca')
    expect(optionBlamed(server, { tls: { verifier: server.tls!.verifier! } })).toBe('cert')
    expect(optionBlamed(server, { tls: { ...server.tls!, certificateChain: [toyPki('ed25519').server.der] } })).toBe(
      'none',
    )
    expect(optionBlamed(client, { dataCiphers: ['AES-256-GCM', 'ROT13'] })).toBe('data-ciphers')
    expect(optionBlamed(client, { dataCiphersFallback: 'none' })).toBe('data-ciphers-fallback')
  })

  it.each<[string, SessionConfig, Partial<SessionConfig>]>([
    ['tls-crypt-v2', server, { wrap: wraps.client }],
    ['tls-crypt-v2', client, { wrap: wraps.server }],
    ['tls-auth', client, { wrap: wrapPair('tls-auth').client, auth: 'none' }],
    ['fragment', client, { fragment: 1200, transport: 'tcp' }],
    ['fragment', client, { fragment: 30 }],
    ['static-challenge', client, { staticChallenge: { text: 'PIN', echo: false, format: 'scrv1' } }],
    ['auth', client, { auth: 'none', dataCiphers: ['AES-256-CBC'] }],
    ['auth', client, { auth: 'none', dataCiphersFallback: 'AES-128-CBC' }],
    [
      'resume',
      client,
      { resume: { sessionId: new Uint8Array(8), peerSessionId: new Uint8Array(8), replayPacketId: 1 } },
    ],
  ])('SESS-41 a contradiction is refused: %s', (option, config, change) => {
    expect(optionBlamed(config, change)).toBe(option)
  })

  it('SESS-42 without AES hardware the default list begins with CHACHA20-POLY1305', () => {
    expect(resolveConfig(client, noble).dataCiphers).toEqual(['CHACHA20-POLY1305', 'AES-256-GCM', 'AES-128-GCM'])
    expect(resolveConfig(client, nodeCrypto).dataCiphers).toEqual(['AES-256-GCM', 'AES-128-GCM', 'CHACHA20-POLY1305'])
  })

  it.each<[string, Partial<SessionConfig>]>([
    ['max-packet-size', { maxPacketSize: 153 }],
    ['max-packet-size', { maxPacketSize: 2049 }],
    ['tun-mtu', { tunMtu: 67 }],
    ['replay-window', { replayWindow: { size: 0, time: 15_000 } }],
    ['replay-window', { replayWindow: { size: 64, time: 601_000 } }],
    ['hand-window', { timers: { handWindow: 0 } }],
    ['hand-window', { timers: { handWindow: NaN } }],
    ['tls-timeout', { timers: { tlsTimeout: 0 } }],
    ['tls-timeout', { timers: { tlsTimeout: 5000, tlsTimeoutMax: 4000 } }],
    ['reneg-sec', { timers: { renegotiateAfter: -1 } }],
    ['reneg-sec', { timers: { renegotiateAfter: 1000, renegotiateAfterMin: 2000 } }],
    ['ping', { timers: { ping: 86_400_001 } }],
    ['ping-restart', { timers: { pingRestart: Infinity } }],
    ['explicit-exit-notify', { explicitExitNotify: 11 }],
    ['peer-id', { push: { options: [], peerId: 0xffffff } }],
  ])('SESS-43 a number out of range is refused: %s', (option, change) => {
    expect(optionBlamed(client, change)).toBe(option)
  })

  it.each<[string, SessionConfig, Partial<SessionConfig>]>([
    ['push', server, { push: { options: ['route 1.2.3.4,x'] } }],
    ['push', server, { push: { options: [''] } }],
    ['push', server, { push: { options: ['echo a\nb'] } }],
    ['push', server, { push: { options: ['x'.repeat(1500)] } }],
    ['auth-user-pass', client, { login: { type: 'password', username: 'u'.repeat(1500), password: 'p'.repeat(600) } }],
    ['auth-user-pass', client, { login: { type: 'password', username: 'a\0b', password: 'p' } }],
    ['auth-user-pass', client, { peerInfo: { platform: 'läptop' } }],
    ['fragment', client, { fragment: 90, dataCiphers: ['AES-256-CBC'], auth: 'SHA512' }],
  ])('SESS-44 what could not be written later is refused now: %s', (option, config, change) => {
    expect(optionBlamed(config, change)).toBe(option)
  })

  it('a role among the settings of TLS counts for nothing, and who asks for no certificate says so', () => {
    const tls = { ...server.tls, role: 'client' } as unknown as NonNullable<SessionConfig['tls']>
    expect(resolveConfig({ ...server, tls }, noble).tls).toMatchObject({ role: 'server', clientAuth: 'required' })
  })

  it('SESS-44 a call that brings what cannot be written throws and changes nothing', () => {
    const ask = { login: { type: 'password', username: 'u', password: 'p' } } as const
    const pair = new Pair({ crypto: nodeCrypto, client: ask, server: { admission: 'ask' } })
    pair.run(5_000, () => pair.events(pair.server, 'login').length > 0)
    const { session } = pair.server
    const before = session.digest()
    expect(() => session.deny('no\nway', pair.now)).toThrow(UsageError)
    expect(() => session.deny('TEMP', pair.now)).toThrow(UsageError)
    expect(() => session.allow(pair.now, { options: ['a,b'] })).toThrow(UsageError)
    expect(session.digest()).toEqual(before)
    session.allow(pair.now)
    expect(pair.connect()).toBe(true)
    expect(() => session.pushUpdate(['a,b'], pair.now)).toThrow(UsageError)
    const asking = build(client, { login: { type: 'ask' } })
    const long = { type: 'password', username: 'u', password: 'p'.repeat(600) } as const
    expect(() => asking.authenticate(long, 0)).toThrow(UsageError)
    expect(asking.state).toBe('waiting')
  })

  it('keeps secrets out of what a host may print', () => {
    const secret = 'correct horse battery staple'
    const pair = connectPair({
      crypto: nodeCrypto,
      client: {
        login: { type: 'password', username: 'user', password: secret },
        ...{ wrap: wrapPair('tls-auth').client },
      },
      server: { admission: 'automatic', wrap: wrapPair('tls-auth').server },
    })
    for (const { session, events } of [pair.client, pair.server]) {
      expect(JSON.stringify(session)).toBe('{}')
      expect(JSON.stringify(events)).not.toContain(secret)
    }
  })
})
