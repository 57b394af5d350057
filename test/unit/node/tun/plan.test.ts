/**
 * Plans of addresses and routes: options in, `ip` commands out.
 */
import { describe, expect, it } from 'vitest'
import { pullOptions, type TunnelOptions } from '../../../../src/control/index.ts'
import { joinOptions, localOptions } from '../../../../src/node/tun/local-options.ts'
import { planNetwork, type PlannedDevice, type Step, type Surroundings } from '../../../../src/node/tun/plan.ts'
import { inspectProfile } from '../../../../src/profile/index.ts'

const TUN: PlannedDevice = { name: 'tun0', kind: 'tun', mtu: 1500 }
const TAP: PlannedDevice = { name: 'tap0', kind: 'tap', mtu: 1400, txQueueLength: 100 }
const AROUND: Surroundings = {
  default4: { via: '192.168.1.1', device: 'eth0', words: ['default', 'via', '192.168.1.1', 'dev', 'eth0'] },
  default6: { via: 'fe80::1', device: 'eth0', words: ['default', 'via', 'fe80::1', 'dev', 'eth0'] },
  remote: { address: '203.0.113.9', way: { via: '192.168.1.1', device: 'eth0' } },
  local4: ['192.168.1.0/24'],
}

function options(lines: readonly string[], device: 'tun' | 'tap' = 'tun'): TunnelOptions {
  const pulled = pullOptions(lines, { device })
  if (pulled.type !== 'pulled' || pulled.refused.length > 0) throw new Error(JSON.stringify(pulled))
  return pulled.options
}

const SUBNET = ['topology subnet', 'ifconfig 10.8.0.2 255.255.255.0', 'route-gateway 10.8.0.1']
const said = (steps: readonly Step[]): string[] => steps.map(({ apply }) => apply.join(' '))
const undone = (steps: readonly Step[]): (string | undefined)[] => steps.map(({ undo }) => undo?.join(' '))

function plan(lines: readonly string[], device = TUN, around = AROUND): ReturnType<typeof planNetwork> {
  return planNetwork(options(lines, device.kind), device, around)
}

describe('options of profile and server together', () => {
  it('PUSH-9 PUSH-13 the profile may say more than a server, and has the first name server', () => {
    const text =
      'client\nremote a\ndns server -1 address 10.0.0.53\ndns server 3 address 10.0.0.54\nroute 10.9.0.0 default\n'
    const local = localOptions(inspectProfile(text).profile, 'tun')
    expect(local.routes).toEqual([{ network: '10.9.0.0', prefix: 32 }])
    const { dns } = joinOptions(local, options(['dns server 0 address 10.8.0.1']))
    expect(dns.servers.map(({ priority }) => priority)).toEqual([-1, 0, 3])
  })
})

describe('addresses', () => {
  it('NODE-3 a subnet, with IPv6', () => {
    const { addresses } = plan([...SUBNET, 'ifconfig-ipv6 fd00::2/64 fd00::1'])
    expect(said(addresses)).toEqual([
      'link set tun0 up mtu 1500',
      '-4 addr add 10.8.0.2/24 brd + dev tun0',
      '-6 addr add fd00::2/64 dev tun0',
    ])
    expect(undone(addresses)).toEqual([
      undefined,
      '-4 addr del 10.8.0.2/24 dev tun0',
      '-6 addr del fd00::2/64 dev tun0',
    ])
  })

  it.each([
    ['net30', 'ifconfig 10.8.0.6 10.8.0.5', '-4 addr add 10.8.0.6 peer 10.8.0.5 dev tun0'],
    ['p2p', 'ifconfig 10.8.0.6 10.8.0.1', '-4 addr add 10.8.0.6 peer 10.8.0.1 dev tun0'],
    ['subnet', 'ifconfig 10.8.0.6 255.255.255.254', '-4 addr add 10.8.0.6/31 dev tun0'],
  ])('NODE-3 topology %s', (topology, ifconfig, command) => {
    expect(said(plan([`topology ${topology}`, ifconfig]).addresses)[1]).toBe(command)
  })

  it('NODE-3 tap: hardware address first, queue length, no duplicate detection', () => {
    const lines = ['ifconfig 10.8.0.2 255.255.255.0', 'ifconfig-ipv6 fd00::2/64 fd00::1', 'lladdr 02:11:22:33:44:55']
    expect(said(plan(lines, TAP).addresses)).toEqual([
      'link set tap0 address 02:11:22:33:44:55',
      'link set tap0 up mtu 1400 txqueuelen 100',
      '-4 addr add 10.8.0.2/24 brd + dev tap0',
      '-6 addr add fd00::2/64 nodad dev tap0',
    ])
  })
})

describe('routes', () => {
  it('NODE-4 gateways, keywords and metrics', () => {
    const { routes, notes } = plan([
      ...SUBNET,
      'route-metric 50',
      'route 10.20.0.0 255.255.0.0',
      'route 10.30.0.0 255.255.0.0 10.8.0.9 7',
      'route 198.51.100.0 255.255.255.0 net_gateway',
      'route remote_host 255.255.255.255 net_gateway',
      'route-ipv6 2001:db8::/32',
    ])
    expect(said(routes)).toEqual([
      '-4 route add 10.20.0.0/16 via 10.8.0.1 dev tun0 metric 50',
      '-4 route add 10.30.0.0/16 via 10.8.0.9 dev tun0 metric 7',
      '-4 route add 198.51.100.0/24 via 192.168.1.1 dev eth0',
      '-4 route add 203.0.113.9/32 via 192.168.1.1 dev eth0',
      '-6 route add 2001:db8::/32 dev tun0 metric 50',
    ])
    expect(routes.map(({ outlives }) => outlives)).toEqual([false, false, true, true, false])
    expect(undone(routes)).toEqual(said(routes).map((line) => line.replace(' add ', ' del ')))
    expect(notes).toEqual([])
  })

  it('NODE-4 a route without its address is left out and said so', () => {
    const { routes, notes } = plan([...SUBNET, 'route 198.51.100.0 255.255.255.0 net_gateway'], TUN, {
      ...AROUND,
      default4: undefined,
    })
    expect(routes).toEqual([])
    expect(notes).toEqual(['route 198.51.100.0/24 left out: there is no way around the tunnel'])
  })

  it('NODE-5 NODE-6 def1: two halves, and the server stays outside', () => {
    expect(said(plan([...SUBNET, 'redirect-gateway def1 bypass-dhcp']).routes)).toEqual([
      '-4 route add 203.0.113.9/32 via 192.168.1.1 dev eth0',
      '-4 route add 0.0.0.0/1 via 10.8.0.1 dev tun0',
      '-4 route add 128.0.0.0/1 via 10.8.0.1 dev tun0',
    ])
  })

  it('NODE-5 without def1 the default route gives way and comes back', () => {
    const { routes } = plan([...SUBNET, 'redirect-gateway'])
    expect(said(routes).slice(1)).toEqual([
      '-4 route del default via 192.168.1.1 dev eth0',
      '-4 route add default via 10.8.0.1 dev tun0',
    ])
    expect(undone(routes)[1]).toBe('-4 route add default via 192.168.1.1 dev eth0')
    expect(routes[1]?.outlives).toBe(true)
  })

  it('NODE-5 ipv6 and !ipv4', () => {
    const routes = said(plan([...SUBNET, 'ifconfig-ipv6 fd00::2/64 fd00::1', 'redirect-gateway ipv6 !ipv4']).routes)
    expect(routes.filter((line) => line.startsWith('-6'))).toEqual(
      ['::/3', '2000::/4', '3000::/4', 'fc00::/7'].map((network) => `-6 route add ${network} dev tun0`),
    )
    expect(routes.some((line) => line.includes('0.0.0.0/1'))).toBe(false)
  })

  it.each([
    ['flag local', ['redirect-gateway local def1'], AROUND],
    [
      'a server on this machine',
      ['redirect-gateway def1'],
      { ...AROUND, remote: { address: '127.0.0.1', way: undefined } },
    ],
    ['nothing that covers it', ['route 10.20.0.0 255.255.0.0'], AROUND],
  ])('NODE-6 no host route with %s', (_name, lines, around) => {
    expect(said(plan([...SUBNET, ...lines], TUN, around).routes).some((line) => line.includes('/32'))).toBe(false)
  })

  it('NODE-6 a route that covers the server does not catch it', () => {
    expect(said(plan([...SUBNET, 'route 203.0.0.0 255.0.0.0']).routes)).toEqual([
      '-4 route add 203.0.113.9/32 via 192.168.1.1 dev eth0',
      '-4 route add 203.0.0.0/8 via 10.8.0.1 dev tun0',
    ])
  })

  it('NODE-7 the local network in halves, its gateway apart', () => {
    const routes = said(plan([...SUBNET, 'redirect-gateway def1 block-local']).routes)
    expect(routes.slice(1, 4)).toEqual([
      '-4 route add 192.168.1.1/32 dev eth0',
      '-4 route add 192.168.1.0/25 via 10.8.0.1 dev tun0',
      '-4 route add 192.168.1.128/25 via 10.8.0.1 dev tun0',
    ])
  })
})
