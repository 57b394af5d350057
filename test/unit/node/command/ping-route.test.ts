/** The address that a probe pings when it is told none. */
import { describe, expect, it } from 'vitest'
import { pingRoute } from '../../../../src/node/command/ping-route.ts'
import { options, pull } from '../../../support/pull.ts'

const shown = (list: string, asked?: Uint8Array, configured: Parameters<typeof pingRoute>[2] = {}) => {
  const route = pingRoute(options(list), asked, configured, list.split(','))
  return route && [route.source, route.target].map((bytes) => (bytes.length === 4 ? bytes.join('.') : bytes.length))
}

describe('the address that a probe pings', () => {
  it('is the pushed gateway', () => {
    expect(shown('topology subnet,route-gateway 10.8.0.1,ifconfig 10.8.0.2 255.255.255.0')).toEqual([
      '10.8.0.2',
      '10.8.0.1',
    ])
  })

  it('is the other end of a pair of addresses', () => {
    expect(shown('topology p2p,ifconfig 10.8.0.2 10.8.0.1,route 10.9.0.0 255.255.0.0')).toEqual([
      '10.8.0.2',
      '10.8.0.1',
    ])
  })

  it('with net30 it is the server’s address, not the half of the pair that belongs to nobody', () => {
    const pair = 'topology net30,ifconfig 10.8.0.6 10.8.0.5'
    expect(shown(`route 10.8.0.1,${pair}`)).toEqual(['10.8.0.6', '10.8.0.1'])
    // Among several, the one that is nearest to the own address; none that leads elsewhere.
    expect(shown(`route 192.0.2.1,route 10.8.0.1,${pair}`)).toEqual(['10.8.0.6', '10.8.0.1'])
    expect(shown(`route 10.8.0.3 255.255.255.255 net_gateway,route 10.8.0.1,${pair}`)).toEqual(['10.8.0.6', '10.8.0.1'])
    // Without a word on the topology it is net30, too.
    expect(shown('route 10.8.0.1,ifconfig 10.8.0.6 10.8.0.5')).toEqual(['10.8.0.6', '10.8.0.1'])
  })

  it('with net30 and clients that reach each other it is the first address of their network', () => {
    const pair = 'topology net30,ifconfig 10.8.3.6 10.8.3.5'
    expect(shown(`route 10.0.0.0 255.0.0.0 net_gateway,route 10.8.0.0 255.255.0.0,${pair}`)).toEqual([
      '10.8.3.6',
      '10.8.0.1',
    ])
    // A network that the own address is not in says nothing.
    expect(shown(`route 10.9.0.0 255.255.0.0,${pair}`)).toEqual(['10.8.3.6', '10.8.3.5'])
  })

  it('with net30 it is found where the profile takes no routes, too', () => {
    const list = 'topology net30,route 10.8.0.1,ifconfig 10.8.0.6 10.8.0.5'
    const { options } = pull(list, { device: 'tun', filter: { rules: [], routeNopull: true } })
    expect(options.routes).toEqual([])
    expect(pingRoute(options, undefined, {}, list.split(','))?.target).toEqual(new Uint8Array([10, 8, 0, 1]))
  })

  it('is the one asked for, of either family, or what the profile itself says', () => {
    const six = 'ifconfig-ipv6 fd00::2/64 fd00::1'
    expect(shown(`ifconfig 10.8.0.2 10.8.0.1,${six}`, new Uint8Array([10, 9, 9, 9]))).toEqual(['10.8.0.2', '10.9.9.9'])
    expect(shown(`ifconfig 10.8.0.2 10.8.0.1,${six}`, new Uint8Array(16))).toEqual([16, 16])
    expect(shown(six)).toEqual([16, 16])
    expect(shown('ping 10', undefined, { ipv4: '10.8.0.2', peer4: '10.8.0.1' })).toEqual(['10.8.0.2', '10.8.0.1'])
  })

  it('is none where there is none', () => {
    expect(shown('topology subnet,ifconfig 10.8.0.2 255.255.255.0')).toBeUndefined()
    expect(shown('topology subnet,route-gateway dhcp,ifconfig 10.8.0.2 255.255.255.0')).toBeUndefined()
    expect(shown('ifconfig 10.8.0.2 10.8.0.1', new Uint8Array(16))).toBeUndefined()
  })
})
