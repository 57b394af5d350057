/**
 * Clients of a server get in over every wrap and transport, get addresses and reach what they may.
 */
import { afterEach, describe, expect, it, vi } from 'vitest'
import { PacketPath } from '../../../src/session/index.ts'
import { packetOf, ServerWorld, textOf } from '../../support/server-world.ts'
import { WRAP_KINDS } from '../../support/wraps.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

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

  it('SESS-79 a look goes before every packet of a client and to one', () => {
    const world = new ServerWorld({})
    const ada = world.connected('ada')
    const opened = vi.spyOn(PacketPath.prototype, 'touchToOpen')
    const sealed = vi.spyOn(PacketPath.prototype, 'touchToSeal')
    for (let i = 0; i < 3; i++) world.sendFrom(ada, packetOf('10.8.0.2', '10.8.0.1', 'hello'))
    world.wait(100)
    world.input((server) => server.send(packetOf('10.8.0.1', '10.8.0.2', 'hello'), world.now))
    expect([opened.mock.calls.length, sealed.mock.calls.length]).toEqual([3, 1])
  })
})
