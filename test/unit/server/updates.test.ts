/** Options that change while clients are connected, and clients that come again; counters and status. */
import { describe, expect, it } from 'vitest'
import { packetOf, ServerWorld } from '../../support/server-world.ts'

const ROUTE = ['route 10.77.0.0 255.255.0.0'] as const

function updates({ events }: { readonly events: readonly { readonly type: string }[] }): number {
  return events.filter(({ type }) => type === 'options-updated').length
}

describe('PUSH_UPDATE', () => {
  it('SRV-54: to one, to several, to all; not to who does not understand it or is not connected', () => {
    const world = new ServerWorld()
    const [ada, bob, eve] = [world.connected('ada'), world.connected('bob'), world.connected('eve')]
    const seen = (): number[] => [updates(ada), updates(bob), updates(eve)]
    const update = (ids: number | readonly number[] | undefined): number => {
      const told = world.input((server) => server.pushUpdate(ids, ROUTE, world.now))
      world.wait(500)
      return told
    }
    expect([update(1), seen()]).toEqual([1, [1, 0, 0]])
    expect([update([1, 3, 99]), seen()]).toEqual([2, [2, 0, 1]])
    expect([update([]), seen()]).toEqual([0, [2, 0, 1]])
    world.connect('late')
    expect([update(undefined), seen()]).toEqual([3, [3, 1, 2]])
    expect(ada.events.filter(({ type }) => type === 'options-updated').at(-1)).toMatchObject({
      options: { routes: [{ network: '10.77.0.0', prefix: 16 }] },
    })
  })

  it('SRV-54: who connects again is pushed everything anew and keeps its address', () => {
    const world = new ServerWorld({ server: { push: ['ping 10', 'ping-restart 60', 'route 10.5.0.0 255.255.0.0'] } })
    const ada = world.connected('ada')
    world.connected('bob')
    world.clients.delete(ada.address)
    const again = world.connected('ada', {})
    expect(again.inside).toBe(ada.inside)
    expect(again.events.find(({ type }) => type === 'connected')).toMatchObject({
      options: { routes: [{ network: '10.5.0.0', prefix: 16 }] },
    })
    expect(world.eventsOf('client-closed')).toMatchObject([{ name: 'ada', reason: { type: 'replaced' } }])
  })
})

describe('names', () => {
  it('without certificates, clients with a username go by it, and who has none may come where the host says so', () => {
    const world = new ServerWorld({ server: { admission: 'ask', usernameAsCommonName: true } })
    world.onEvent = ({ client, event }) => {
      if (event.type === 'login') world.input((server) => server.allow(client!, {}, world.now))
    }
    world.connected('ada', { login: { type: 'password', username: 'lovelace', password: 'x' } })
    world.connected('bob')
    expect(world.server.clients().map(({ name }) => name)).toEqual(['lovelace', 'bob'])
    expect(world.eventsOf('login').map(({ username }) => username)).toEqual(['lovelace', ''])
  })
})

describe('status', () => {
  it('tells each client’s place, names, addresses and counters as data, and forgets who is gone', () => {
    const world = new ServerWorld({ server: { push: ['dhcp-option DNS 10.8.0.1', 'dhcp-option WINS 10.8.0.9'] } })
    const ada = world.connected('ada')
    for (let i = 0; i < 5; i++) world.sendFrom(ada, packetOf(ada.inside!, '10.8.0.1', 'counted'))
    world.wait(100)
    const [status, ...more] = world.server.clients()
    expect(more).toEqual([])
    expect(status).toMatchObject({
      id: 1,
      name: 'ada',
      address: ada.address,
      transport: 'udp',
      connected: true,
      addresses: { ipv4: ada.inside },
      stats: { packetsReceived: 5 },
    })
    expect(JSON.parse(JSON.stringify(status))).toEqual(status)
    expect(world.server.client(1)).toEqual(status)
    expect(ada.events.find(({ type }) => type === 'connected')).toMatchObject({
      options: { dhcp: { dns: ['10.8.0.1'], wins: ['10.8.0.9'] } },
    })
    world.input((server) => server.kill(1, 'HALT,bye', world.now))
    world.wait(3000)
    expect([world.server.clients(), world.server.client(1)]).toEqual([[], undefined])
    expect(world.server.stats).toMatchObject({ clientsBegun: 1, clientsConnected: 1, clientsClosed: 1 })
    expect(ada.session.closeReason).toMatchObject({ type: 'peer-halt', message: 'bye' })
  })
})
