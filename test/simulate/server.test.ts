/**
 * A server in a busy hour: clients come, go, move and lose packets, while strangers flood it.
 */
import { describe, expect, it } from 'vitest'
import { Opcode } from '../../src/wire/index.ts'
import { SeededRandom } from '../support/random.ts'
import { scaled } from '../support/scale.ts'
import { packetOf, ServerWorld, textOf, type WorldClient } from '../support/server-world.ts'

describe('a server over time', () => {
  it('churn, moves and losses: no cross-talk, no address twice, everything freed', () => {
    const world = new ServerWorld({
      seed: 'churn',
      wrap: 'tls-crypt',
      loss: 0.02,
      pool: { network: '10.8.0.0', netmask: '255.255.0.0' },
      server: { clientToClient: true, maxClients: 2000 },
    })
    const random = new SeededRandom('churn/choices')
    const names = Array.from({ length: scaled(10, 300) }, (_, index) => `c${index % 12}-${index}`)
    const live = new Map<string, WorldClient>()
    let delivered = 0
    for (const name of names) live.set(name, world.connect(name))
    world.settle()
    const check = (): void => {
      const inside = world.server.clients().flatMap(({ addresses }) => addresses.ipv4 ?? [])
      expect(new Set(inside).size).toBe(inside.length)
      for (const client of live.values()) {
        for (const packet of client.packets.splice(0)) {
          // Every packet names the address that it is for.
          expect(textOf(packet)).toBe(client.inside)
          delivered++
        }
      }
    }
    for (let minute = 0; minute < scaled(6, 60); minute++) {
      for (const client of live.values()) {
        const target = random.pick([...live.values()])
        if (client.inside === undefined || target.inside === undefined || target === client) continue
        world.sendFrom(client, packetOf(client.inside, target.inside, target.inside))
        if (random.chance(0.2)) world.float(client)
      }
      world.wait(1000)
      check()
      const name = random.pick(names)
      const leaving = live.get(name)!
      leaving.session.close(world.now)
      world.drain(leaving)
      world.wait(2000)
      world.clients.delete(leaving.address)
      live.set(name, world.connect(name))
      world.wait(57_000)
      check()
    }
    expect(delivered).toBeGreaterThan(scaled(30, 5000))
    expect(world.server.stats.floats).toBeGreaterThan(3)
    for (const client of live.values()) client.session.close(world.now)
    world.clients.clear()
    world.wait(200_000)
    expect(world.server.retained).toBe(0)
    expect(world.server.stats.clientsBegun).toBe(world.server.stats.clientsClosed)
  })

  it('a flood of first packets keeps nothing, and an honest client gets in meanwhile', () => {
    const world = new ServerWorld()
    const reset = new Uint8Array(14)
    reset[0] = Opcode.CONTROL_HARD_RESET_CLIENT_V2 << 3
    const ada = world.connect('ada')
    const count = scaled(20_000, 1_000_000)
    world.filter = (_, to) => !to.startsWith('spoofed')
    for (let i = 1; i <= count; i++) {
      new DataView(reset.buffer).setUint32(1, i)
      world.input((server) => server.receive(reset, `spoofed ${i}`, world.now))
      if (i % 100 === 0) world.wait(10)
    }
    expect(world.server.stats.resetsAnswered).toBe(count + 1)
    expect(ada.connected).toBe(true)
    expect(world.server.clients().length).toBe(1)
    expect(world.server.stats.clientsBegun).toBe(1)
  })
})
