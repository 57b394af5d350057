/**
 * Profiles into configurations of sessions, clients and servers.
 */
import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { ConfigError, toBase64 } from '../../../src/bytes/index.ts'
import { noble } from '../../../src/crypto/index.ts'
import {
  inspectProfile,
  listenAddresses,
  parseProfile,
  toClientConfig,
  toGrant,
  toServerConfig,
  toSessionConfig,
} from '../../../src/profile/index.ts'
import { Session, type SessionConfig } from '../../../src/session/index.ts'
import { generateStaticKey, writeStaticKey } from '../../../src/wire/index.ts'
import { toyPki } from '../../support/pki.ts'
import { seededSource } from '../../support/random.ts'

const pki = toyPki('P-256')
const staticKey = writeStaticKey(generateStaticKey(seededSource('profile')))
const block = (name: string, text: string): string => `<${name}>\n${text.trim()}\n</${name}>\n`
const IDENTITY = block('ca', pki.ca.pem) + block('cert', pki.client.pem) + block('key', pki.client.keyPem)
const CLIENT = `client\ndev tun\nremote 192.0.2.1 1194\nremote-cert-tls server\n${IDENTITY}`
const SERVER = `dev tun\nserver 10.8.0.0 255.255.255.0\n${block('ca', pki.ca.pem)}${block('cert', pki.server.pem)}${block('key', pki.server.keyPem)}`
const PEER = `dev tun\ntls-server\nremote 192.0.2.1\nifconfig 10.0.0.1 10.0.0.2\n${IDENTITY}`

const config = (lines: string, files?: ReadonlyMap<string, string | Uint8Array>): SessionConfig =>
  toSessionConfig(parseProfile(CLIENT + lines, files))

describe('toSessionConfig', () => {
  it('PROF-21 sets what the profile says and nothing else, and a session takes it', () => {
    const plain = config('')
    expect(Object.keys(plain).sort()).toEqual(['device', 'mode', 'role', 'timers', 'tls', 'transport'])
    expect(plain).toMatchObject({ role: 'client', mode: 'client-server', transport: 'udp', device: 'tun' })
    const session = new Session(plain, { now: 0, timeOrigin: 1.76e12, random: seededSource(1), crypto: noble })
    expect(session.poll()?.type).toBeDefined()
    expect(toSessionConfig(parseProfile(SERVER))).toMatchObject({ role: 'server', mode: 'client-server' })
    expect(toSessionConfig(parseProfile(PEER))).toMatchObject({ role: 'server', mode: 'point-to-point' })
  })

  it('PROF-21 makes no session out of a profile with errors', () => {
    const { profile } = inspectProfile(`${CLIENT}bogus\n`, undefined, { file: 'x.ovpn' })
    expect(() => toSessionConfig(profile)).toThrow(ConfigError)
    expect(() => toSessionConfig(profile)).toThrow('no release knows this directive')
  })

  it.each([
    ['', undefined, undefined],
    ['data-ciphers AES-128-GCM:?NO\n', ['AES-128-GCM', '?NO'], undefined],
    ['cipher AES-128-CBC\n', ['DEFAULT', 'AES-128-CBC'], 'AES-128-CBC'],
    ['cipher AES-256-GCM\n', undefined, 'AES-256-GCM'],
    ['cipher BF-CBC\n', undefined, undefined],
    ['cipher none\n', undefined, 'none'],
    ['data-ciphers AES-256-GCM\ncipher none\n', ['AES-256-GCM'], undefined],
    ['data-ciphers AES-256-GCM\ndata-ciphers-fallback none\n', ['AES-256-GCM'], 'none'],
    ['data-ciphers AES-256-GCM\ndata-ciphers-fallback DES-EDE3-CBC\n', ['AES-256-GCM'], 'DES-EDE3-CBC'],
    ['data-ciphers AES-256-GCM\ncipher AES-128-CBC\n', ['AES-256-GCM'], undefined],
    ['data-ciphers AES-256-GCM\ndata-ciphers-fallback AES-256-CBC\n', ['AES-256-GCM'], 'AES-256-CBC'],
    ['data-ciphers-fallback AES-256-CBC\ncipher AES-128-CBC\n', ['DEFAULT', 'AES-128-CBC'], 'AES-128-CBC'],
  ])('PROF-22 chooses ciphers for %j', (lines, list, fallback) => {
    const { dataCiphers, dataCiphersFallback } = config(lines)
    expect(dataCiphers).toEqual(list)
    expect(dataCiphersFallback).toBe(fallback)
  })

  it.each([
    ['2.5.0', ['AES-256-GCM'], undefined, 'asym'],
    ['2.4.7', ['AES-256-GCM', 'AES-128-CBC'], undefined, 'asym'],
    ['2.3.18', ['AES-256-GCM', 'AES-128-CBC'], 'AES-128-CBC', 'asym'],
    ['2.6.0', ['AES-256-GCM'], undefined, undefined],
  ] as const)('PROF-59 compat-mode %s brings defaults of that release back', (release, list, fallback, compression) => {
    const lines = `compat-mode ${release}\ndata-ciphers AES-256-GCM\ncipher AES-128-CBC\n`
    const { allowCompression, dataCiphers, dataCiphersFallback } = config(lines)
    expect([dataCiphers, dataCiphersFallback, allowCompression]).toEqual([list, fallback, compression])
    expect(config(`${lines}allow-compression no\n`).allowCompression).toBe('no')
    expect(config(`compat-mode ${release}\ndata-ciphers AES-256-GCM\ncipher DES-EDE3-CBC\n`).dataCiphers).toEqual([
      'AES-256-GCM',
    ])
  })

  it('PROF-23 reads logins, or asks', () => {
    const login = block('auth-user-pass', 'somebody\nsecret')
    expect(config(login).login).toEqual({ type: 'password', username: 'somebody', password: 'secret' })
    expect(config('auth-user-pass f\n', new Map([['f', 'a\r\nb\r\n']])).login).toMatchObject({
      username: 'a',
      password: 'b',
    })
    expect(config('auth-user-pass\n').login).toEqual({ type: 'ask' })
    expect(config(block('auth-user-pass', 'somebody')).login).toEqual({ type: 'ask', username: 'somebody' })
    expect(config('').login).toBeUndefined()
    expect(() => config('<auth-user-pass>\n</auth-user-pass>\n')).toThrow('no name on the first line')
    expect(config('auth-user-pass\nstatic-challenge "PIN?" 1\n').staticChallenge).toEqual({
      text: 'PIN?',
      echo: true,
      format: 'scrv1',
    })
  })

  it('PROF-24 sends variables as peer info', () => {
    expect(config('setenv UV_ID 7\nsetenv IV_SSO webauth\nsetenv OTHER x\npush-peer-info\n').peerInfo).toEqual({
      pushPeerInfo: true,
      extra: { UV_ID: '7', IV_SSO: 'webauth' },
    })
  })

  it('PROF-25 reads timers', () => {
    expect(config('').timers).toEqual({ pingRestart: 120_000 })
    expect(config('keepalive 10 60\nreneg-sec 100 50\nhand-window 30\ninactive 60 1000\n').timers).toEqual({
      ping: 10_000,
      pingRestart: 60_000,
      renegotiateAfter: 100_000,
      renegotiateAfterMin: 50_000,
      handWindow: 30_000,
      inactive: 60_000,
      inactiveBytes: 1000,
    })
    expect(config('ping-exit 30\n').timers).toEqual({ pingExit: 30_000 })
    expect(toSessionConfig(parseProfile(`${SERVER}keepalive 10 60\n`)).timers).toMatchObject({ pingRestart: 120_000 })
  })

  it('PROF-26 reads sizes', () => {
    expect(config('fragment 1200\nmssfix\n')).toMatchObject({ fragment: 1200, mssfix: { size: 1200, mode: 'mtu' } })
    expect(config('fragment 1228 mtu\n').fragment).toBe(1200)
    expect(config('mssfix 0\n').mssfix).toBe('off')
    expect(config('mssfix 1400 fixed\n').mssfix).toEqual({ size: 1400, mode: 'fixed' })
    expect(config('tun-mtu 1400\nmax-packet-size 1100\nreplay-window 128 30\nexplicit-exit-notify 3\n')).toMatchObject({
      tunMtu: 1400,
      maxPacketSize: 1100,
      replayWindow: { size: 128, time: 30_000 },
      explicitExitNotify: 3,
    })
    expect(config('replay-window 0\n').replayWindow).toEqual({ size: 1, time: 15_000 })
  })

  it.each([
    ['comp-lzo no\n', 'comp-lzo', undefined],
    ['comp-lzo\n', 'comp-lzo', 'asym'],
    ['compress\n', 'stub', undefined],
    ['compress lz4-v2\n', 'lz4-v2', 'asym'],
    ['comp-lzo\ncompress stub-v2\n', 'stub-v2', 'asym'],
    ['compress lz4\nallow-compression no\n', 'lz4', 'no'],
  ])('PROF-27 frames %j', (lines, framing, allowed) => {
    expect(config(lines).compression).toBe(framing)
    expect(config(lines).allowCompression).toBe(allowed)
  })

  it('PROF-28 wraps control packets', () => {
    expect(config('').wrap).toBeUndefined()
    expect(config(`key-direction 1\n${block('tls-auth', staticKey)}`).wrap).toMatchObject({
      type: 'tls-auth',
      direction: 1,
    })
    expect(config('tls-auth ta.key 0\nkey-direction 1\n', new Map([['ta.key', staticKey]])).wrap).toMatchObject({
      direction: 1,
    })
    expect(config(block('tls-auth', staticKey)).wrap).toMatchObject({ direction: undefined })
    expect(config(block('tls-crypt', staticKey)).wrap?.type).toBe('tls-crypt')
    const short = staticKey.replace(/^[0-9a-f]{32}\n/m, '')
    expect(() => config(block('tls-crypt', short))).toThrow(ConfigError)
  })

  it('PROF-29 reads certificates, and names the line of what it can not read', () => {
    const { tls } = config('')
    expect(tls?.certificateChain).toEqual([pki.client.der])
    expect(tls?.privateKey).toMatchObject({ type: 'ec', curve: 'P-256' })
    const verdict = tls?.verifier?.verify([pki.server.der], 'server', 1.76e12, noble)
    expect(verdict?.type).toBe('verified')
    expect(tls?.verifier?.verify([pki.client.der], 'server', 1.76e12, noble).type).toBe('refused')
    const broken = `client\ndev tun\nremote a\n${block('ca', pki.ca.pem.replace('MII', 'AAA'))}${block('cert', pki.client.pem)}${block('key', pki.client.keyPem)}`
    try {
      toSessionConfig(inspectProfile(broken, undefined, { file: 'x.ovpn' }).profile)
      expect.unreachable()
    } catch (error) {
      expect((error as ConfigError).option).toBe('ca')
      expect((error as ConfigError).location).toMatchObject({ file: 'x.ovpn', line: 4 })
    }
  })

  it('PROF-29 checks names, usages and fingerprints as the profile says', () => {
    const judge = (lines: string): string | undefined =>
      config(lines).tls?.verifier?.verify([pki.server.der], 'server', 1.76e12, noble).type
    expect(judge('verify-x509-name "server P-256" name\n')).toBe('verified')
    expect(judge('verify-x509-name other name\n')).toBe('refused')
    expect(judge('remote-cert-eku clientAuth\n')).toBe('refused')
    expect(judge(`peer-fingerprint ${Array(32).fill('AB').join(':')}\n`)).toBe('refused')
  })

  it('PROF-29 refuses a key that is not the certificate’s', () => {
    const mixed = CLIENT.replace(block('key', pki.client.keyPem), block('key', pki.server.keyPem))
    expect(() => parseProfile(mixed)).toThrow('it is not the key of the certificate')
  })

  it('PROF-29 takes certificate, key and authorities out of a bundle', () => {
    const bundle = makeBundle()
    if (bundle === undefined) return
    const text = 'client\ndev tun\nremote a\nremote-cert-tls server\n'
    for (const profile of [
      parseProfile(`${text}pkcs12 c.p12\n`, new Map([['c.p12', bundle]])),
      parseProfile(text + block('pkcs12', toBase64(bundle).replace(/.{64}/g, '$&\n'))),
    ]) {
      const { tls } = toSessionConfig(profile, { passphrase: 'pw' })
      expect(tls?.certificateChain).toEqual([pki.client.der])
      expect(tls?.verifier?.verify([pki.server.der], 'server', 1.76e12, noble).type).toBe('verified')
      expect(() => toSessionConfig(profile, { passphrase: 'no' })).toThrow(ConfigError)
    }
  })

  it('PROF-30 raises old TLS versions', () => {
    expect(config('tls-version-min 1.0\n').tls?.minVersion).toBe('TLSv1.2')
    expect(config('tls-version-min 1.3\n').tls?.minVersion).toBe('TLSv1.3')
    expect(config('tls-version-max 1.2\n').tls?.maxVersion).toBe('TLSv1.2')
  })

  it('PROF-31 keeps the order of lists', () => {
    const { tls } = config('tls-groups secp384r1:X448:X25519\ntls-ciphersuites TLS_AES_128_GCM_SHA256\n')
    expect(tls?.groups).toEqual(['secp384r1', 'x25519'])
    expect(tls?.cipherSuites?.[0]).toBe('TLS_AES_128_GCM_SHA256')
    const strict = config('tls-cert-profile suiteb\ntls-groups X25519:secp384r1\n').tls
    expect(strict?.groups).toEqual(['secp384r1'])
    expect(strict?.cipherSuites?.flat().some((name) => name.startsWith('TLS_CHACHA'))).toBe(false)
  })
})

/** A PKCS#12 file by the openssl program; `undefined` where there is none. */
function makeBundle(): Uint8Array | undefined {
  try {
    const input = pki.client.keyPem + pki.client.pem + pki.ca.pem
    return new Uint8Array(
      execFileSync('openssl', ['pkcs12', '-export', '-passout', 'pass:pw'], { input, stdio: 'pipe' }),
    )
  } catch {
    return undefined
  }
}

describe('toClientConfig', () => {
  const client = (lines: string, files?: ReadonlyMap<string, string>) =>
    toClientConfig(parseProfile(CLIENT + lines, files))

  it('PROF-51 makes a remote of every connection', () => {
    expect(
      client('remote b 443 tcp4-client\n').remotes.map(({ host, port, session }) => [host, port, session.transport]),
    ).toEqual([
      ['192.0.2.1', 1194, 'udp'],
      ['b', 443, 'tcp'],
    ])
    expect(client('remote b 443 tcp4-client\nproto-force tcp\n').remotes.map(({ host }) => host)).toEqual(['b'])
    expect(client('remote b 443 tcp4-client\nhttp-proxy-override p 8080\n').remotes.map(({ host }) => host)).toEqual([
      'b',
    ])
    expect(() => client('proto-force tcp\n')).toThrow('there is nobody to call')
  })

  it('PROF-52 says where a remote is called from', () => {
    expect(client('lport 5000\nlocal 10.0.0.1\nfloat\n').remotes[0]).toMatchObject({
      local: { address: '10.0.0.1', port: 5000 },
      float: true,
    })
    expect(client('').remotes[0]?.local).toBeUndefined()
  })

  it('PROF-53 says how to go on', () => {
    expect(client('connect-retry 2 10\nconnect-retry-max 3\nconnect-timeout 0\nresolv-retry infinite\n').retry).toEqual(
      {
        retry: 2000,
        maxRetry: 10_000,
        maxTurns: 3,
        pollTimeout: 1000,
        resolveRetry: Infinity,
      },
    )
    expect(client('connect-retry 400\n').retry).toEqual({ retry: 400_000, maxRetry: 400_000 })
    expect(client('').retry).toBeUndefined()
  })

  it('PROF-54 PROF-55 PROF-56 PROF-58 goes through an HTTP proxy', () => {
    const tcp = 'proto tcp-client\n'
    const proxy = (lines: string, files?: ReadonlyMap<string, string>): unknown =>
      client(tcp + lines, files).remotes[0]?.proxy
    expect(proxy('http-proxy p 8080\n')).toEqual({ type: 'http', server: { host: 'p', port: 8080 } })
    expect(proxy('http-proxy p 8080 auto-nct\n')).toMatchObject({ authentication: 'auto-nct' })
    const files = new Map([['f', 'me\nsecret\n']])
    expect(proxy('http-proxy p 8080 f basic\n', files)).toMatchObject({
      authentication: 'basic',
      login: { username: 'me' },
    })
    expect(proxy('http-proxy p 8080 f digest\n', files)).toMatchObject({ authentication: 'auto-nct' })
    expect(proxy('http-proxy p 8080 f none\n', files)).toMatchObject({ authentication: 'none' })
    expect(() => proxy('http-proxy p 8080 f ntlm2\n', files)).toThrow('the login method is one of')
    expect(() => proxy('http-proxy p 8080 f\n', new Map([['f', 'me\n']]))).toThrow('the name on its first line')
    expect(proxy(`http-proxy p 8080\n${block('http-proxy-user-pass', 'me\nsecret')}`)).toMatchObject({
      authentication: 'auto',
      login: { username: 'me', password: 'secret' },
    })
    const details =
      'http-proxy p 1\nhttp-proxy-option VERSION 1.1\nhttp-proxy-option AGENT a\nhttp-proxy-option CUSTOM-HEADER X y\n'
    expect(proxy(details)).toMatchObject({ version: '1.1', userAgent: 'a', headers: [['X', 'y']] })
  })

  it('PROF-57 goes through a SOCKS proxy', () => {
    const files = new Map([['f', 'me\nsecret\n']])
    expect(client('socks-proxy s\n').remotes[0]?.proxy).toEqual({ type: 'socks', server: { host: 's', port: 1080 } })
    expect(client('socks-proxy s 1081 f\n', files).remotes[0]?.proxy).toMatchObject({ login: { username: 'me' } })
  })
})

describe('toServerConfig', () => {
  it('PROF-37 plans addresses, limits and wraps', () => {
    const profile = parseProfile(
      `${SERVER}server-ipv6 fd00::/64\nmax-clients 5\nclient-to-client\nconnect-freq 3 10\npush "route 10.9.0.0 255.255.0.0"\n${block('tls-crypt', staticKey)}`,
    )
    const server = toServerConfig(profile)
    expect(server).toMatchObject({
      maxClients: 5,
      clientToClient: true,
      connectFreq: { count: 3, period: 10_000 },
      admission: 'automatic',
    })
    expect(server.addresses.ipv4).toMatchObject({ server: '10.8.0.1', pool: { first: '10.8.0.2', last: '10.8.0.254' } })
    expect(server.addresses.ipv6).toMatchObject({ server: 'fd00::1' })
    expect(server.wraps?.map(({ type }) => type)).toEqual(['tls-crypt'])
    expect(server.push).toEqual(['route 10.9.0.0 255.255.0.0'])
    expect(() => toServerConfig(parseProfile(CLIENT))).toThrow('no server’s profile')
  })

  it('PROF-27 moves clients with compression, and has none itself', () => {
    const { session } = toServerConfig(parseProfile(`${SERVER}compress migrate\n`))
    expect(session?.migrateCompression).toBe(true)
    expect(session?.compression).toBeUndefined()
    expect(toServerConfig(parseProfile(`${SERVER}compress\n`)).session?.migrateCompression).toBeUndefined()
  })

  it('PROF-38 pushes its keepalive and tcp-nodelay', () => {
    expect(toServerConfig(parseProfile(`${SERVER}keepalive 10 60\n`)).push).toEqual(['ping 10', 'ping-restart 60'])
    expect(toServerConfig(parseProfile(`${SERVER}tcp-nodelay\n`)).push).toEqual(['socket-flags TCP_NODELAY'])
  })

  it('PROF-37 makes tokens with a key', () => {
    const text = `${SERVER}auth-gen-token 3600 600 external-auth\nauth-user-pass-verify /x via-env\n`
    const key = new Uint8Array(128).fill(7)
    expect(toServerConfig(parseProfile(text), { authTokenKey: key }).authToken).toEqual({
      key,
      lifetime: 3_600_000,
      renewal: 600_000,
      externalAuth: true,
    })
    expect(() => toServerConfig(parseProfile(text))).toThrow('tokens need a key')
  })

  it('lists its sockets', () => {
    expect(listenAddresses(parseProfile(`${SERVER}port 443\nproto tcp6-server\n`))).toEqual([
      { address: undefined, port: 443, protocol: 'tcp', family: 6 },
    ])
    expect(listenAddresses(parseProfile(`${SERVER}local 10.0.0.1\nlocal * 443 tcp4-server\n`))).toEqual([
      { address: '10.0.0.1', port: 1194, protocol: 'udp', family: undefined },
      { address: undefined, port: 443, protocol: 'tcp', family: 4 },
    ])
  })

  it('PROF-39 grants what a client’s file says', () => {
    const grant = (text: string): unknown => toGrant(inspectProfile(text, undefined, { context: 'per-client' }).profile)
    expect(
      grant(
        'ifconfig-push 10.8.0.5 255.255.255.0\niroute 10.9.0.0 255.255.0.0\niroute 10.10.0.1\niroute-ipv6 fd01::/48\npush "ping 5"\npush-reset\npush-remove route\n',
      ),
    ).toEqual({
      ifconfig: { local: '10.8.0.5', remoteOrNetmask: '255.255.255.0' },
      routes: ['10.9.0.0/16', '10.10.0.1/32', 'fd01::/48'],
      push: ['ping 5'],
      pushReset: true,
      pushRemove: ['route'],
    })
    expect(grant('disable\n')).toBeUndefined()
  })
})
