/** From profiles to client configurations. */
import { describe, expect, it } from 'vitest'
import { ConfigError } from '../../../src/bytes/index.ts'
import { Client, type ClientConfig, type Remote } from '../../../src/client/index.ts'
import { nodeCrypto } from '../../../src/node/crypto/index.ts'
import { inspectProfile, isFatal, toClientConfig } from '../../../src/profile/index.ts'
import { PKI_NOW, toyPki } from '../../support/pki.ts'
import { SeededRandom } from '../../support/random.ts'

const LOGIN = 'user\r\npass\n'

function configOf(
  lines: string,
  files: Readonly<Record<string, string>> = {},
  options: Parameters<typeof toClientConfig>[1] = {},
): ClientConfig {
  const text = `client\ndev tun\nremote-cert-tls server\n<ca>\n${toyPki('ed25519').ca.pem}</ca>\nauth-user-pass\n${lines}\n`
  const { profile, problems } = inspectProfile(text, new Map(Object.entries(files)), { file: 'c.ovpn' })
  expect(problems.filter(isFatal)).toEqual([])
  return toClientConfig(profile, { crypto: nodeCrypto, ...options })
}

function first(
  lines: string,
  files?: Readonly<Record<string, string>>,
  options?: Parameters<typeof toClientConfig>[1],
) {
  return configOf(lines, files, options).remotes[0] as Remote
}

const places = (config: ClientConfig): string[] =>
  config.remotes.map(({ host, port, session }) => `${session.transport} ${host}:${port}`)

describe('toClientConfig', () => {
  it('PROF-51 makes a remote of every connection, in order', () => {
    expect(places(configOf('remote a.example\nremote b.example 443 tcp\nremote 192.0.2.1 53'))).toEqual([
      'udp a.example:1194',
      'tcp b.example:443',
      'udp 192.0.2.1:53',
    ])
    const blocks =
      'remote no.example\n<connection>\nremote a.example 1\nproto tcp\n</connection>\n<connection>\nremote b.example 2\n</connection>'
    expect(places(configOf(blocks))).toEqual(['tcp a.example:1', 'udp b.example:2'])
    expect(places(configOf('proto-force tcp\nremote a.example\nremote b.example 443 tcp'))).toEqual([
      'tcp b.example:443',
    ])
    expect(() => configOf('proto-force tcp\nremote a.example')).toThrow(ConfigError)
  })

  it('PROF-51 http-proxy-override leaves the remotes over TCP, unless there are none', () => {
    const override = 'http-proxy-override proxy.example 8080\n'
    const mixed = configOf(`${override}remote a.example\nremote b.example 443 tcp`)
    expect(places(mixed)).toEqual(['tcp b.example:443'])
    expect(mixed.remotes[0]?.proxy).toMatchObject({ type: 'http', server: { host: 'proxy.example', port: 8080 } })
    const datagrams = configOf(`${override}remote a.example`)
    expect(places(datagrams)).toEqual(['udp a.example:1194'])
    expect(datagrams.remotes[0]?.proxy).toBeUndefined()
  })

  it('PROF-52 gives each remote its own socket and session settings', () => {
    const { remotes } = configOf(
      '<connection>\nremote a.example 1 udp6\nfloat\nlocal 192.0.2.9\nlport 5000\nmssfix 1200\n</connection>\n' +
        '<connection>\nremote b.example 2\nnobind\nexplicit-exit-notify 3\n</connection>',
    )
    expect(remotes[0]).toMatchObject({ family: 6, float: true, local: { address: '192.0.2.9', port: 5000 } })
    expect(remotes[0]?.session.mssfix).toEqual({ size: 1200, mode: 'payload' })
    expect(remotes[1]?.family).toBeUndefined()
    expect(remotes[1]?.float).toBeUndefined()
    expect(remotes[1]?.local).toBeUndefined()
    expect(remotes[1]?.session.explicitExitNotify).toBe(3)
    // One object, so that a client checks it once.
    expect(remotes[1]?.session.tls).toBe(remotes[0]?.session.tls)
  })

  it('PROF-53 reads pauses and patience', () => {
    const retry = (lines: string) => configOf(`remote a.example\n${lines}`).retry
    expect(retry('')).toBeUndefined()
    expect(retry('connect-retry 7')).toEqual({ retry: 7_000, maxRetry: 300_000 })
    expect(retry('connect-retry 400')).toEqual({ retry: 400_000, maxRetry: 400_000 })
    expect(retry('connect-retry 2 20\nconnect-retry-max 3\nserver-poll-timeout 4')).toEqual({
      retry: 2_000,
      maxRetry: 20_000,
      maxTurns: 3,
      pollTimeout: 4_000,
    })
    expect(retry('connect-timeout 0')).toEqual({ pollTimeout: 1_000 })
    expect(retry('resolv-retry infinite')).toEqual({ resolveRetry: Infinity })
    expect(retry('resolv-retry 0')).toEqual({ resolveRetry: 0 })
  })

  it('reads how to go on', () => {
    const config = configOf(
      'remote a.example\nremote-random\nremote-random-hostname\nauth-nocache\nauth-retry interact\npersist-tun\npersist-remote-ip',
    )
    expect(config).toMatchObject({
      remoteRandom: true,
      randomHostname: true,
      authNocache: true,
      authRetry: 'interact',
      persistTun: true,
      persistRemoteIp: true,
    })
    expect(Object.keys(configOf('remote a.example')).sort()).toEqual(['remotes'])
  })

  const tcp = 'remote a.example 443 tcp\n'

  it('PROF-54 PROF-55 reads how to log in at an HTTP proxy', () => {
    const proxy = (line: string, files: Readonly<Record<string, string>> = {}, options = {}) =>
      first(`${tcp}${line}`, files, options).proxy
    const login = { username: 'user', password: 'pass' }
    const host = { proxyLogin: { username: 'h', password: 'i' } }
    const file = { 'login.txt': LOGIN }
    const inline = '<http-proxy-user-pass>\nuser\npass\n</http-proxy-user-pass>'
    expect(proxy('http-proxy p.example 3128')).toEqual({
      type: 'http',
      server: { host: 'p.example', port: 3128 },
    })
    expect(proxy('http-proxy p 1 auto', {}, host)).toMatchObject({ authentication: 'auto', login: host.proxyLogin })
    expect(proxy('http-proxy p 1 auto-nct', {}, host)).toMatchObject({ authentication: 'auto-nct' })
    expect(proxy('http-proxy p 1 login.txt', file)).toMatchObject({ authentication: 'basic', login })
    expect(proxy('http-proxy p 1 login.txt basic', file)).toMatchObject({ authentication: 'basic', login })
    expect(proxy('http-proxy p 1 login.txt digest', file)).toMatchObject({ authentication: 'auto-nct', login })
    expect(proxy('http-proxy p 1 login.txt none', file)).toMatchObject({ authentication: 'none' })
    expect(proxy('http-proxy p 1 stdin basic', {}, host)).toMatchObject({
      authentication: 'basic',
      login: host.proxyLogin,
    })
    expect(proxy(`http-proxy p 1\n${inline}`)).toMatchObject({ authentication: 'auto', login })
    expect(proxy(`http-proxy p 1 auto-nct\n${inline}`, {}, host)).toMatchObject({ authentication: 'auto-nct', login })
    expect(() => proxy('http-proxy p 1 login.txt ntlm', file)).toThrow(ConfigError)
  })

  it('PROF-56 collects what an HTTP proxy is told', () => {
    const above = 'http-proxy p 1\nhttp-proxy-option VERSION 1.1\nhttp-proxy-option CUSTOM-HEADER X-One 1\n'
    const block = `<connection>\nremote a.example 443 tcp\nhttp-proxy-option AGENT me\nhttp-proxy-option CUSTOM-HEADER "X-Two: 2"\n</connection>`
    expect(first(above + block).proxy).toMatchObject({
      version: '1.1',
      userAgent: 'me',
      headers: [
        ['X-One', '1'],
        ['X-Two', '2'],
      ],
    })
  })

  it('PROF-57 reads a SOCKS proxy', () => {
    expect(first('remote a.example\nsocks-proxy s.example').proxy).toEqual({
      type: 'socks',
      server: { host: 's.example', port: 1080 },
    })
    expect(first('remote a.example\nsocks-proxy s.example 9 login.txt', { 'login.txt': LOGIN }).proxy).toEqual({
      type: 'socks',
      server: { host: 's.example', port: 9 },
      login: { username: 'user', password: 'pass' },
    })
  })

  it('PROF-58 names the line of a login that is none, and asks for its file', () => {
    for (const text of ['', 'user\n', '\npass\n']) {
      expect(() => first('remote a.example\nsocks-proxy s 9 login.txt', { 'login.txt': text })).toThrow(
        expect.objectContaining({ option: 'socks-proxy' }) as Error,
      )
    }
    for (const line of ['socks-proxy s 9 login.txt', 'http-proxy s 9 login.txt', 'http-proxy-override s 9 login.txt']) {
      const { profile } = inspectProfile(`client\nremote a.example 443 tcp\n${line}\n`, new Map(), { file: 'c.ovpn' })
      expect(
        profile.missingFiles.map(({ path }) => path),
        line,
      ).toEqual(['login.txt'])
    }
    const { profile } = inspectProfile('client\nremote a 1 tcp\nhttp-proxy s 9 auto\n', new Map(), { file: 'c.ovpn' })
    expect(profile.missingFiles).toEqual([])
  })

  it('CLIENT-1 makes what a client takes', () => {
    const config = configOf('remote a.example\nremote b.example 443 tcp\nhttp-proxy-override p 1')
    const random = new SeededRandom(1).source
    const client = new Client(config, { now: 0, timeOrigin: PKI_NOW, random, crypto: nodeCrypto })
    expect(client.state).toBe('asking')
  })
})
