/**
 * Clients of a server get in over every wrap and transport, get addresses and reach what they may.
 */
import { describe, expect, it } from 'vitest'
import { packetOf, ServerWorld, textOf } from '../../support/server-world.ts'
import { WRAP_KINDS } from '../../support/wraps.ts'

describe('clients of a server', () => {
  it.each(WRAP_KINDS)('SRV-4, SRV-20: two connect behind the cookie exchange under %s and get addresses', (wrap) => {
    const world = new ServerWorld({ wrap })
    const ada = world.connected('ada')
    const bob = world.connected('bob')
    expect([ada.inside, bob.inside]).toEqual(['10.8.0.2', '10.8.0.3'])
    expect(world.server.stats.resetsAnswered).toBe(2)
    expect(world.eventsOf('client-connected').map(({ name }) => name)).toEqual(['ada', 'bob'])
    world.sendFrom(ada, packetOf('10.8.0.2', '10.8.0.1', 'hello'))
    world.wait(100)
    expect(world.packets.map(({ data }) => textOf(data))).toEqual(['hello'])
    expect(world.input((server) => server.send(packetOf('10.8.0.1', '10.8.0.3', 'for bob'), world.now))).toBe(true)
    world.wait(100)
    expect(bob.packets.map(textOf)).toEqual(['for bob'])
    expect(ada.packets).toEqual([])
  })
})
