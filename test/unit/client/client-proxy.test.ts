import { describe, expect, it } from 'vitest'
import { echoes, remote, server, world } from '../../support/client-start.ts'
import { httpProxyPeer, socksProxyPeer, socksRelayPeer } from '../../support/client-world.ts'

describe('a client behind a proxy', () => {
  const tcp = { 'tcp 192.0.2.1:1194': server({}, 'tcp') }
  const dns = { 'proxy.example': ['192.0.2.80'], 'vpn.example': ['192.0.2.1'] }
  const http = (more: object = {}) =>
    ({ type: 'http', server: { host: 'proxy.example', port: 3128 }, ...more }) as const
  const socks = (more: object = {}) => ({ type: 'socks', server: { host: '192.0.2.80', port: 1080 }, ...more }) as const
  const login = { username: 'user', password: 'pass' }

  it('goes through HTTP CONNECT, the proxy resolving the server’s name', () => {
    const at = world(
      { remotes: [remote('vpn.example', { proxy: http() }, { transport: 'tcp' })] },
      { ...tcp, 'tcp 192.0.2.80:3128': { peer: httpProxyPeer(() => 'ok') } },
      dns,
    )
    expect(at.connect()).toBe(true)
    expect(echoes(at)).toBe(true)
    expect(at.outputs.filter((output) => output.type === 'resolve').map((output) => output.host)).toEqual([
      'proxy.example',
    ])
  })

  it('logs in with Basic and with Digest', () => {
    for (const scheme of ['Basic realm="x"', 'Digest realm="x", nonce="n", qop="auth"']) {
      const asked: (string | undefined)[] = []
      const peer = httpProxyPeer((authorization) => {
        asked.push(authorization?.split(' ')[0])
        return authorization === undefined ? { status: '407 Login', headers: [`Proxy-Authenticate: ${scheme}`] } : 'ok'
      })
      const at = world(
        { remotes: [remote('vpn.example', { proxy: http({ login }) }, { transport: 'tcp' })] },
        { ...tcp, 'tcp 192.0.2.80:3128': { peer } },
        dns,
      )
      expect(at.connect()).toBe(true)
      expect(asked).toEqual([undefined, scheme.split(' ')[0]])
      expect(at.outputs.filter((output) => output.type === 'connect').length).toBe(2)
      expect(echoes(at)).toBe(true)
    }
  })

  it('tells what a proxy refused, and goes on to the next remote', () => {
    const at = world(
      {
        remotes: [
          remote('nowhere.example', { proxy: http() }, { transport: 'tcp' }),
          remote('vpn.example', { proxy: socks() }, { transport: 'tcp' }),
          remote('192.0.2.1', { proxy: http({ server: { host: 'gone.example', port: 1 } }) }, { transport: 'tcp' }),
          remote('192.0.2.1', {}, { transport: 'tcp' }),
        ],
      },
      { ...tcp, 'tcp 192.0.2.80:3128': { peer: httpProxyPeer(() => 'ok') } },
      dns,
    )
    expect(at.connect()).toBe(true)
    expect(at.eventsOf('retry').map(({ end }) => end)).toEqual([
      { type: 'proxy', problem: 'proxy-refused', detail: '502 Bad Gateway' },
      { type: 'proxy', problem: 'proxy-unreachable', detail: 'connection refused' },
      { type: 'unresolvable', host: 'gone.example' },
    ])
  })

  it('goes through SOCKS5 with TCP, with and without a login', () => {
    for (const more of [{}, { login }]) {
      const peer = socksProxyPeer('login' in more ? { login: 'user:pass' } : {})
      const at = world(
        { remotes: [remote('vpn.example', { proxy: socks(more) }, { transport: 'tcp' })] },
        { ...tcp, 'tcp 192.0.2.80:1080': { peer } },
        dns,
      )
      expect(at.connect()).toBe(true)
      expect(echoes(at)).toBe(true)
    }
  })

  it('PROXY-9 PROXY-10 goes through SOCKS5 with UDP, and ends when the proxy does', () => {
    for (const address of ['192.0.2.80', '0.0.0.0']) {
      const at = world(
        { remotes: [remote('vpn.example', { proxy: socks() })] },
        {
          'udp 192.0.2.1:1194': server(),
          'tcp 192.0.2.80:1080': { peer: socksProxyPeer({ relay: { address, port: 1081 } }) },
          'udp 192.0.2.80:1081': { peer: socksRelayPeer },
        },
        dns,
      )
      expect(at.connect()).toBe(true)
      expect(echoes(at)).toBe(true)
      at.input((client, now) => client.disconnected(1, 'closed', now))
      expect(at.eventsOf('retry').at(-1)?.end).toMatchObject({ type: 'proxy', problem: 'proxy-closed' })
      expect(at.connect()).toBe(true)
      at.input((client, now) => client.close(now))
      expect(at.run(at.now + 10_000, () => at.client.state === 'closed')).toBe(true)
      expect(at.outputs.filter((output) => output.type === 'disconnect').length).toBe(3)
    }
  })
})
