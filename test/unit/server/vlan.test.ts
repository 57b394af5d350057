/** VLANs on a tap server, and addresses that are forgotten. */
import { describe, expect, it } from 'vitest'
import { ConfigError } from '../../../src/bytes/index.ts'
import type { ServerConfig, VlanConfig } from '../../../src/server/index.ts'
import { ServerWorld, type WorldClient } from '../../support/server-world.ts'

/** A frame between two hardware addresses, with a tag (`tci`) or without. */
function frame(to: number, from: number, text: string, tci?: number): Uint8Array {
  const tag = tci === undefined ? [] : [0x81, 0, tci >> 8, tci & 255]
  const head = [2, 0, 0, 0, 0, to, 2, 0, 0, 0, 0, from, ...tag, 8, 0]
  return Uint8Array.from([...head, ...new TextEncoder().encode(text.padEnd(46))])
}

const ALL = 0xff
const broadcast = (from: number, text: string, tci?: number): Uint8Array => {
  const bytes = frame(ALL, from, text, tci)
  bytes.fill(0xff, 0, 6)
  return bytes
}

interface Lan {
  readonly world: ServerWorld
  readonly ada: WorldClient
  readonly bob: WorldClient
  readonly eve: WorldClient
}

/** Ada and Bob in VLAN 10, Eve in the server's own. */
function lan(accept: VlanConfig['accept'], more: Partial<ServerConfig> = {}): Lan {
  const world = new ServerWorld({
    server: { device: 'tap', clientToClient: true, admission: 'ask', vlan: { accept, pvid: 1 }, ...more },
    client: { device: 'tap' },
  })
  world.onEvent = ({ client, event }) => {
    if (event.type !== 'login' || client === undefined) return
    const grant = event.commonName === 'eve' ? {} : { vlan: 10 }
    world.input((server) => server.allow(client, grant, world.now))
  }
  return { world, ada: world.connected('ada'), bob: world.connected('bob'), eve: world.connected('eve') }
}

const inside = ({ packets }: WorldClient): Uint8Array[] => packets.splice(0)

describe('VLANs', () => {
  it('SRV-37, SRV-38: with all, clients see their own, the tunnel side sees tags but for the server’s', () => {
    const { ada, bob, eve, world } = lan('all')
    const outside = (): Uint8Array[] => world.packets.splice(0).map(({ data }) => data)
    const send = (bytes: Uint8Array): void => {
      world.input((server) => server.send(bytes, world.now))
      world.wait(30)
    }
    world.sendFrom(ada, broadcast(2, 'from ada'))
    world.wait(30)
    expect([inside(ada), inside(bob), inside(eve)]).toEqual([[], [broadcast(2, 'from ada')], []])
    expect(outside()).toEqual([broadcast(2, 'from ada', 10)])
    world.sendFrom(eve, broadcast(4, 'from eve'))
    world.wait(30)
    expect([inside(ada), inside(bob)]).toEqual([[], []])
    expect(outside()).toEqual([broadcast(4, 'from eve')])
    send(broadcast(9, 'to ten', 10))
    expect([inside(ada), inside(bob), inside(eve)]).toEqual([[broadcast(9, 'to ten')], [broadcast(9, 'to ten')], []])
    send(broadcast(9, 'to one'))
    expect([inside(ada), inside(bob), inside(eve)]).toEqual([[], [], [broadcast(9, 'to one')]])
    // The same hardware address in two VLANs is two stations.
    world.sendFrom(eve, frame(7, 2, 'also 2'))
    world.wait(30)
    expect([inside(ada), inside(bob)]).toEqual([[], []])
    send(frame(2, 9, 'to ada', 10))
    send(frame(2, 9, 'to eve'))
    expect([inside(ada), inside(bob), inside(eve)]).toEqual([[frame(2, 9, 'to ada')], [], [frame(2, 9, 'to eve')]])
    // A priority survives, in both directions.
    send(frame(2, 9, 'urgent', 0xa00a))
    expect(inside(ada)).toEqual([frame(2, 9, 'urgent', 0xa000)])
    outside()
    world.sendFrom(ada, frame(9, 2, 'urgent too', 0xa000))
    world.wait(30)
    expect(outside()).toEqual([frame(9, 2, 'urgent too', 0xa00a)])
    expect(inside(bob)).toEqual([frame(9, 2, 'urgent too', 0xa000)]) // Nobody has said yet who 9 is.
    send(broadcast(9, 'to nobody', 11))
    expect([inside(ada), inside(bob), inside(eve)]).toEqual([[], [], []])
  })

  it('SRV-38: a client cannot choose its VLAN', () => {
    const { ada, bob, eve, world } = lan('all')
    for (const tci of [1, 10, 11, 4095]) world.sendFrom(ada, broadcast(2, 'hop', tci))
    world.wait(30)
    expect([inside(bob), inside(eve), world.packets]).toEqual([[], [], []])
    expect(world.dropped('vlan-refused')).toBe(4)
  })

  it.each(['tagged', 'untagged'] as const)('SRV-37, SRV-38: vlan-accept %s', (accept) => {
    const { ada, bob, eve, world } = lan(accept)
    for (const bytes of [broadcast(9, 'plain'), broadcast(9, 'ten', 10), broadcast(9, 'one', 1)]) {
      world.input((server) => server.send(bytes, world.now))
    }
    world.wait(30)
    const seen = [inside(ada), inside(bob), inside(eve)]
    world.sendFrom(ada, broadcast(2, 'a'))
    world.sendFrom(eve, broadcast(4, 'e'))
    world.wait(30)
    const out = world.packets.map(({ data }) => data)
    if (accept === 'tagged') {
      expect(seen).toEqual([[broadcast(9, 'ten')], [broadcast(9, 'ten')], [broadcast(9, 'one')]])
      expect(out).toEqual([broadcast(2, 'a', 10), broadcast(4, 'e', 1)])
      expect(world.dropped('vlan-refused')).toBe(1)
    } else {
      expect(seen).toEqual([[], [], [broadcast(9, 'plain')]])
      expect(out).toEqual([broadcast(4, 'e')])
      expect(world.dropped('vlan-refused')).toBe(3)
    }
  })

  it('a VLAN that is none is refused', () => {
    const make = (server: Partial<ServerConfig>) => () => new ServerWorld({ server })
    expect(make({ device: 'tap', vlan: { accept: 'all', pvid: 4095 } })).toThrow(ConfigError)
    expect(make({ vlan: { accept: 'all', pvid: 1 } })).toThrow(ConfigError)
    expect(make({ staleRoutes: { age: 0, interval: 1 } })).toThrow(ConfigError)
    const { world } = lan('all')
    world.onEvent = ({ client, event }) => {
      if (event.type === 'login') world.input((server) => server.allow(client!, { vlan: 0 }, world.now))
    }
    world.connect('zoe')
    world.wait(5000)
    expect(world.eventsOf('refused')).toMatchObject([{ detail: '0 is no VLAN' }])
  })
})

it('SRV-39: stale hardware addresses are forgotten by themselves, fresh ones stay, and shutdown ends it', () => {
  const { ada, bob, eve, world } = lan('all', { staleRoutes: { age: 5000, interval: 2000 } })
  world.sendFrom(ada, broadcast(2, 'here'))
  world.wait(1000)
  inside(bob)
  const toAda = (): number => {
    world.input((server) => server.send(frame(2, 9, 'x', 10), world.now))
    world.wait(30)
    return inside(ada).length + inside(bob).length
  }
  expect(toAda()).toBe(1)
  world.wait(3000)
  expect(toAda()).toBe(1)
  world.wait(4000)
  expect(toAda()).toBe(2)
  expect(inside(eve)).toEqual([])
  world.input((server) => server.shutdown(world.now))
  world.wait(3000)
  expect(world.server.pollTimeout()).toBe(Infinity)
})
