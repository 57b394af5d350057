import { describe, expect, it } from 'vitest'
import { pullOptions, type PulledOptions, type PullPolicy, updateOptions } from '../../../src/control/index.ts'

const policy: PullPolicy = { device: 'tun' }

function start(list: string): PulledOptions {
  const result = pullOptions(list.split(','), policy)
  if (result.type !== 'pulled') throw new Error('rejected')
  return result.state
}

function update(state: PulledOptions, list: string, other: PullPolicy = policy) {
  const result = updateOptions(state, list.split(','), other)
  if (result.type !== 'pulled') throw new Error(`rejected: ${result.option} by ${result.by}`)
  return result
}

const routes = (result: { readonly options: { readonly routes: readonly { readonly network: string }[] } }) =>
  result.options.routes.map((route) => route.network)

describe('PUSH_UPDATE', () => {
  const base = start(
    'ifconfig 10.8.0.2 255.255.255.0,route 10.1.0.0,route 10.2.0.0,route-gateway 10.8.0.1,redirect-gateway def1,' +
      'dhcp-option DNS 1.1.1.1,ping 10,peer-id 4,dns server 1 address 9.9.9.9,tun-mtu 1400',
  )

  it('PUSH-17 the first mention replaces, later ones add', () => {
    const result = update(base, 'route 10.3.0.0,route 10.4.0.0')
    expect(routes(result)).toEqual(['10.3.0.0', '10.4.0.0'])
    expect(result.options).toMatchObject({ routeGateway: '10.8.0.1', mtu: 1400, protocol: { ping: 10_000, peerId: 4 } })
    expect(routes(update(result.state, 'route 10.5.0.0'))).toEqual(['10.5.0.0'])
  })

  it('PUSH-17 a minus removes', () => {
    const result = update(base, '-route,-dhcp-option,-tun-mtu,-dns,-ifconfig')
    expect(routes(result)).toEqual([])
    expect(result.options.mtu).toBeUndefined()
    expect(result.options.ipv4).toBeUndefined()
    expect(result.options.dns.servers).toEqual([])
    expect(routes(update(base, '-route,route 10.7.0.0,route 10.8.0.0'))).toEqual(['10.7.0.0', '10.8.0.0'])
  })

  it('PUSH-17 redirect-gateway and redirect-private are one', () => {
    const result = update(base, 'redirect-private def1')
    expect(result.options.redirectGateway).toBeUndefined()
    expect(result.options.redirectPrivate?.def1).toBe(true)
  })

  it('PUSH-17 dns and dhcp-option are two', () => {
    const result = update(base, 'dhcp-option DNS 2.2.2.2')
    expect(result.options.dhcp.dns).toEqual(['2.2.2.2'])
    expect(result.options.dns.servers[0]?.addresses).toEqual([{ address: '9.9.9.9' }])
  })

  it('PUSH-17 a refused line replaces nothing', () => {
    const result = update(base, 'route nonsense')
    expect(routes(result)).toEqual(['10.1.0.0', '10.2.0.0'])
    expect(result.refused).toMatchObject([{ option: 'route', reason: 'bad-value' }])
    expect(routes(update(base, 'route nonsense,route 10.9.0.0'))).toEqual(['10.9.0.0'])
  })

  it('PUSH-17 over many parts the first mention counts once', () => {
    const parts = Array.from({ length: 200 }, (_, i) => `route 10.50.${i}.0`)
    expect(update(base, parts.join(',push-continuation 2,')).options.routes.length).toBe(200)
  })

  it('PUSH-18 what cannot change ends the session, unless it is optional', () => {
    for (const option of [
      'ping 5',
      '-ping',
      'cipher AES-128-GCM',
      'peer-id 9',
      'auth-token x',
      'frobnicate',
      'up /bin/sh',
    ])
      expect(updateOptions(base, [option], policy)).toMatchObject({ type: 'rejected', by: 'not-updatable' })
    const result = update(base, '?ping 5,-?frobnicate,? up /bin/sh')
    expect(result.refused.map((refusal) => refusal.reason)).toEqual(Array(3).fill('not-updatable'))
    expect(result.options.protocol.ping).toBe(10_000)
  })

  it('PUSH-18 everything else can change', () => {
    const every =
      'topology subnet,ifconfig 10.9.0.2 255.255.255.0,ifconfig-ipv6 fd00::2/64 fd00::1,tun-mtu 1300,route 10.0.0.0,' +
      'route-ipv6 fd00::/8,route-gateway 10.9.0.1,route-metric 4,redirect-gateway,block-ipv6,block-outside-dns,' +
      'dns server 1 address 1.1.1.1,dhcp-option DNS 1.1.1.1,keepalive 5 20'
    const result = update(base, every)
    expect(result.refused).toEqual([])
    expect(result.options.protocol).toMatchObject({ ping: 5000, pingRestart: 20_000, peerId: 4 })
  })

  it('PUSH-16 filters apply', () => {
    const ignore = { ...policy, filter: { rules: [{ action: 'ignore', prefix: 'route' } as const] } }
    expect(routes(update(base, '-route,route 10.3.0.0', ignore))).toEqual(['10.1.0.0', '10.2.0.0'])
    const reject = { ...policy, filter: { rules: [{ action: 'reject', prefix: 'route' } as const] } }
    expect(updateOptions(base, ['route 10.3.0.0'], reject)).toEqual({
      type: 'rejected',
      by: 'pull-filter',
      option: 'route',
    })
  })

  it('reports a problem of a line once, not again with every update', () => {
    const state = start('redirect-gateway def1 future')
    expect(update(state, 'route 10.0.0.0').refused).toEqual([])
    expect(update(state, 'redirect-gateway other').refused).toMatchObject([{ reason: 'unknown-flag', detail: 'other' }])
  })

  it('stays within the cap over any number of updates', () => {
    let state = start('ping 1')
    for (let i = 0; i < 3; i++) {
      const list = Array.from({ length: 4096 }, () => 'route 10.0.0.0').join(',')
      state = update(state, list).state
    }
    expect(state.lines.length).toBe(4096)
  })
})
