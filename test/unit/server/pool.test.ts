/**
 * Plans and leases; limits of time; wraps side by side.
 */
import { describe, expect, it } from 'vitest'
import { ConfigError } from '../../../src/bytes/index.ts'
import { AddressPool } from '../../../src/server/address-pool.ts'
import { DeadlineHeap, type HeapItem } from '../../../src/server/deadline-heap.ts'
import { planAddresses, type AddressDirectives } from '../../../src/server/index.ts'
import { SeededRandom } from '../../support/random.ts'
import { PKI_NOW } from '../../support/pki.ts'
import { ServerWorld } from '../../support/server-world.ts'
import { wrapPair } from '../../support/wraps.ts'

const plan = (more: Partial<AddressDirectives>, netmask = '255.255.255.0'): ReturnType<typeof planAddresses> =>
  planAddresses({ device: 'tun', server: { network: '10.8.0.0', netmask }, ...more })

describe('plans', () => {
  it('SRV-20: subnet and net30', () => {
    const subnet = new AddressPool(plan({}))
    expect(subnet.size).toBe(253)
    expect(subnet.addresses(0).ipv4).toEqual({ local: '10.8.0.2', remoteOrNetmask: '255.255.255.0' })
    expect(subnet.addresses(252).ipv4?.local).toBe('10.8.0.254')
    const net30 = new AddressPool(plan({ topology: 'net30' }))
    expect(net30.size).toBe(62)
    expect(net30.addresses(0).ipv4).toEqual({ local: '10.8.0.6', remoteOrNetmask: '10.8.0.5' })
    expect(net30.addresses(61).ipv4).toEqual({ local: '10.8.0.250', remoteOrNetmask: '10.8.0.249' })
    expect(plan({ topology: 'net30' }).push).toEqual(['route 10.8.0.1', 'topology net30'])
    expect(plan({ topology: 'net30', clientToClient: true }).push[0]).toBe('route 10.8.0.0 255.255.255.0')
  })

  it('SRV-21: p2p', () => {
    // The other end is the server: that is a route of its own.
    expect(plan({ topology: 'p2p' }).push).toEqual(['topology p2p'])
    expect(plan({ topology: 'p2p', clientToClient: true }).push).toContain('route 10.8.0.0 255.255.255.0')
    const pool = new AddressPool(plan({ topology: 'p2p' }))
    expect(pool.addresses(0).ipv4).toEqual({ local: '10.8.0.4', remoteOrNetmask: '10.8.0.1' })
  })

  it.each([
    ['subnet', '255.255.255.240', '10.8.0.14', 13],
    ['subnet', '255.255.255.248', '10.8.0.6', 5],
    ['net30', '255.255.255.240', '10.8.0.11', 2],
    ['net30', '255.255.255.248', '10.8.0.7', 1],
    ['p2p', '255.255.255.0', '10.8.0.251', 248],
    ['p2p', '255.255.255.240', '10.8.0.11', 8],
    ['p2p', '255.255.255.248', '10.8.0.7', 4],
  ] as const)('SRV-20, SRV-21: the pool of %s with %s ends at %s', (topology, netmask, last, size) => {
    const made = plan({ topology }, netmask)
    expect(made.ipv4?.pool?.last).toBe(last)
    expect(new AddressPool(made).size).toBe(size)
  })

  it.each([
    ['10.8.0.4', '10.8.0.254', 63],
    ['10.8.0.5', '10.8.0.12', 3],
    ['10.8.0.6', '10.8.0.253', 63],
  ])('SRV-27: ifconfig-pool %s %s has blocks for all that it touches', (first, last, size) => {
    const own = { address: '10.8.0.1', remoteOrNetmask: '10.8.0.2' }
    expect(new AddressPool(planAddresses({ device: 'tun', topology: 'net30', own, pool: { first, last } })).size).toBe(
      size,
    )
  })

  it.each([
    ['fd00:8::', 64, 65_536],
    ['fd00:8::', 111, 65_536],
    ['fd00:8::', 112, 65_534],
    ['fd00:8::4', 112, 65_530],
    ['fd00:8::', 120, 254],
    ['fd00:8::', 124, 14],
  ])('SRV-22: server-ipv6 %s/%i has places to the end of its network', (address, prefix, size) => {
    expect(new AddressPool(planAddresses({ device: 'tun', serverIpv6: { address, prefix } })).size).toBe(size)
  })

  it('SRV-25: ifconfig-ipv6-pool has places to the end of its network', () => {
    const pool6 = (address: string, prefix: number): number =>
      new AddressPool(planAddresses({ device: 'tun', ipv6Pool: { address, prefix, server: 'fd00:9::1' } })).size
    expect([pool6('fd00:8::ff00', 112), pool6('fd00:8::fffe', 112), pool6('fd00:8::ff00', 104)]).toEqual([
      256, 2, 65_536,
    ])
  })

  it('SRV-22: IPv6 beside it or alone', () => {
    const both = new AddressPool(plan({ serverIpv6: { address: 'fd00:1::', prefix: 64 } }))
    expect(both.addresses(3)).toMatchObject({
      ipv4: { local: '10.8.0.5' },
      ipv6: { address: 'fd00:1::1003', remote: 'fd00:1::1' },
    })
    const alone = new AddressPool(planAddresses({ device: 'tun', serverIpv6: { address: 'fd00:2::', prefix: 112 } }))
    expect(alone.addresses(0).ipv6).toMatchObject({ address: 'fd00:2::2', prefix: 112 })
    expect(alone.addresses(0).ipv4).toBeUndefined()
    expect(alone.size).toBe(65_534)
  })

  it('refuses networks that are none', () => {
    expect(() => plan({ server: { network: '10.8.0.1', netmask: '255.255.255.0' } })).toThrow(ConfigError)
    expect(() => plan({}, '255.255.255.252')).not.toThrow()
    expect(() => plan({ topology: 'net30' }, '255.255.255.252')).toThrow(ConfigError)
    expect(() => plan({ serverIpv6: { address: 'fd00::', prefix: 63 } })).toThrow(ConfigError)
  })
})

describe('leases', () => {
  it('SRV-23: the own place, then a fresh one, then the one free for longest', () => {
    const pool = new AddressPool(plan({}, '255.255.255.248'))
    expect(pool.size).toBe(5)
    const take = (name: string): number => pool.acquire(name, true)!.index
    expect(['a', 'b', 'c'].map(take)).toEqual([0, 1, 2])
    pool.release(1)
    pool.release(0)
    expect(take('d')).toBe(3)
    expect(take('a')).toBe(0)
    expect(take('e')).toBe(4)
    expect(take('f')).toBe(1)
    expect(pool.acquire('b', true)).toBeUndefined()
    pool.release(2)
    expect(take('b')).toBe(2)
  })

  it('SRV-24: random steps give no place to two, and lose none', () => {
    const random = new SeededRandom('leases')
    const pool = new AddressPool(plan({}, '255.255.255.192'))
    const held = new Map<number, string>()
    let refused = 0
    for (let step = 0; step < 20_000; step++) {
      if (random.chance(0.52)) {
        const name = `n${random.below(90)}`
        const lease = pool.acquire(name, random.chance(0.9))
        if (lease === undefined) {
          expect(held.size).toBe(pool.size)
          refused++
        } else {
          expect(held.has(lease.index)).toBe(false)
          held.set(lease.index, name)
        }
      } else if (held.size > 0) {
        const index = random.pick([...held.keys()])
        held.delete(index)
        pool.release(index)
      }
      expect(pool.used).toBe(held.size)
    }
    expect(refused).toBeGreaterThan(100)
  })
})

it('SRV-50: the heap gives the earliest deadline whatever was moved', () => {
  const random = new SeededRandom('heap')
  const heap = new DeadlineHeap<HeapItem>()
  const items: HeapItem[] = Array.from({ length: 60 }, () => ({ deadline: Infinity, heapIndex: -1 }))
  for (let step = 0; step < 20_000; step++) {
    heap.set(random.pick(items), random.chance(0.2) ? Infinity : random.below(1000))
    expect(heap.earliest).toBe(Math.min(...items.map(({ deadline }) => deadline)))
  }
})

it('SRV-5: tls-crypt-v2 beside tls-crypt, and alone', () => {
  const wraps = [wrapPair('tls-crypt-v2').server, wrapPair('tls-crypt').server]
  const world = new ServerWorld({ server: { wraps } })
  expect(world.connected('ada', { wrap: wrapPair('tls-crypt-v2').client }).connected).toBe(true)
  expect(world.connected('bob', { wrap: wrapPair('tls-crypt').client }).connected).toBe(true)
  expect(
    () => new ServerWorld({ server: { wraps: [wrapPair('tls-auth').server, wrapPair('tls-crypt').server] } }),
  ).toThrow(ConfigError)
  const alone = new ServerWorld({ server: { wraps: [wraps[0]!] } })
  alone.connect('bob', { wrap: wrapPair('none').client })
  alone.wait(10_000)
  expect(alone.server.stats.clientsBegun).toBe(0)
  expect(alone.dropped('not-a-start')).toBeGreaterThan(0)
})

it('SRV-7: a client key that is too old gets no answer', () => {
  const age = (PKI_NOW / 1000 - 1_750_000_000) / 86_400
  for (const [maxAgeDays, begun] of [
    [Math.ceil(age), 1],
    [Math.floor(age), 0],
  ] as const) {
    const world = new ServerWorld({ wrap: 'tls-crypt-v2', server: { tlsCryptV2: { maxAgeDays } } })
    world.connect('ada')
    world.wait(3000)
    expect(world.server.stats.clientsBegun).toBe(begun)
    expect(world.dropped('key-too-old') > 0).toBe(begun === 0)
  }
})

describe('plans of other directives', () => {
  it('SRV-25: an IPv6 pool in place of the plan’s, and on its own', () => {
    const server = { network: '10.8.0.0', netmask: '255.255.255.0' }
    const beside = planAddresses({
      device: 'tun',
      server,
      serverIpv6: { address: 'fd00::', prefix: 64 },
      ipv6Pool: { address: 'fd00::5000', prefix: 64 },
    })
    expect(beside.ipv6).toEqual({ network: 'fd00::', prefix: 64, server: 'fd00::1', poolFirst: 'fd00::5000' })
    const alone = planAddresses({ device: 'tun', ipv6Pool: { address: 'fd09::100', prefix: 64, server: 'fd09::1' } })
    expect(alone.ipv6).toEqual({ network: 'fd09::', prefix: 64, server: 'fd09::1', poolFirst: 'fd09::100' })
    expect(new AddressPool(alone).acquire('ada', true)?.ipv6?.address).toBe('fd09::100')
    expect(() => planAddresses({ device: 'tun', ipv6Pool: { address: 'fd09::', prefix: 64 } })).toThrow(ConfigError)
  })

  it('SRV-27: a server that spells its addresses out', () => {
    const own = { address: '10.8.0.1', remoteOrNetmask: '255.255.255.0' }
    const pool = { first: '10.8.0.10', last: '10.8.0.12' }
    const spelled = planAddresses({ device: 'tun', own, pool })
    expect(spelled).toEqual({
      topology: 'subnet',
      ipv4: { network: '10.8.0.0', prefix: 24, server: '10.8.0.1', pool },
      push: [],
    })
    expect(new AddressPool(spelled).addresses(0).ipv4).toEqual({ local: '10.8.0.10', remoteOrNetmask: '255.255.255.0' })
    const pair = planAddresses({
      device: 'tun',
      topology: 'p2p',
      own: { address: '10.8.0.1', remoteOrNetmask: '10.8.0.2' },
      pool,
    })
    expect(new AddressPool(pair).addresses(1).ipv4).toEqual({ local: '10.8.0.11', remoteOrNetmask: '10.8.0.1' })
    expect(new AddressPool(planAddresses({ device: 'tun', own })).size).toBe(0)
  })

  it('SRV-25: bridges whose addresses come from elsewhere', () => {
    expect(planAddresses({ device: 'tap', bridge: 'dhcp' })).toEqual({
      topology: 'subnet',
      push: ['route-gateway dhcp'],
    })
    const plan = planAddresses({ device: 'tap', bridge: 'nogw' })
    expect(plan).toEqual({ topology: 'subnet', push: [] })
    expect(new AddressPool(plan).size).toBe(0)
  })
})
