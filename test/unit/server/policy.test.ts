/**
 * Logins as events and answers: grants, waiting, refusals, tokens, names that come twice.
 */
import { describe, expect, it } from 'vitest'
import { ConfigError } from '../../../src/bytes/index.ts'
import type { Grant, ServerConfig } from '../../../src/server/index.ts'
import type { Credentials } from '../../../src/session/index.ts'
import { packetOf, ServerWorld, textOf, worldServerConfig, type WorldOptions } from '../../support/server-world.ts'

function asking(grants: Readonly<Record<string, Grant | string>>, options: WorldOptions = {}): ServerWorld {
  const world = new ServerWorld({ ...options, server: { admission: 'ask', ...options.server } })
  world.onEvent = ({ client, event }) => {
    if (event.type !== 'login' || client === undefined) return
    const answer = grants[event.commonName ?? event.username] ?? {}
    if (typeof answer === 'string') world.input((server) => server.deny(client, answer, world.now))
    else world.input((server) => server.allow(client, answer, world.now))
  }
  return world
}

const password = (username: string, text: string): Credentials & { type: 'password' } => ({
  type: 'password',
  username,
  password: text,
})

describe('logins', () => {
  it('SRV-40: an event asks, allow, defer and deny answer, and answers to nobody are refused', () => {
    const world = new ServerWorld({ server: { admission: 'ask' } })
    const ada = world.connect('ada')
    world.wait(3000)
    const [login] = world.eventsOf('login')
    expect(login).toMatchObject({ commonName: 'ada', renewal: false, tokenAccepted: false })
    expect(ada.connected).toBe(false)
    const id = world.server.clients()[0]!.id
    expect(world.input((server) => server.defer(id, 20, world.now))).toBe(true)
    world.wait(5000)
    expect(ada.events.some(({ type }) => type === 'auth-pending')).toBe(true)
    expect(world.input((server) => server.allow(id, {}, world.now))).toBe(true)
    world.wait(3000)
    expect(ada.connected).toBe(true)
    expect(world.input((server) => server.allow(id, {}, world.now))).toBe(false)
    expect(world.input((server) => server.deny(99, 'no', world.now))).toBe(false)

    const bob = world.connect('bob')
    world.wait(3000)
    const second = world.server.clients().find((client) => client.id !== id)!.id
    expect(world.input((server) => server.deny(second, 'not today', world.now))).toBe(true)
    world.wait(3000)
    expect(bob.session.closeReason).toMatchObject({ type: 'auth-failed', failure: { message: 'not today' } })
    expect(world.eventsOf('client-closed').at(-1)).toMatchObject({ reason: { type: 'denied' } })
  })

  it('SRV-41: the newest of a name wins; SRV-42: unless names may be double', () => {
    const world = new ServerWorld()
    world.connected('ada')
    const newer = world.connected('ada')
    expect(world.eventsOf('client-closed')).toMatchObject([{ name: 'ada', reason: { type: 'replaced' } }])
    expect(newer.inside).toBe('10.8.0.2')
    expect(world.server.clients().length).toBe(1)
    const double = new ServerWorld({ server: { duplicateNames: true } })
    const [one, two] = [double.connected('ada'), double.connected('ada')]
    expect(double.server.clients().length).toBe(2)
    expect(one.inside).not.toBe(two.inside)
  })

  it('SRV-43, SRV-44: a grant adds, resets and removes pushed lines; a client’s own network is not pushed to it', () => {
    const push = ['route 10.50.0.0 255.255.0.0', 'route 10.60.0.0 255.255.0.0', 'dhcp-option DNS 10.8.0.1', 'ping 10']
    const lines = (grant: Grant): readonly string[] => {
      const world = asking({ ada: grant }, { server: { push } })
      const ada = world.connected('ada')
      return ada.events.flatMap((event) => (event.type === 'push-received' ? event.options : []))
    }
    expect(lines({})).toEqual(expect.arrayContaining(push))
    const changed = lines({ pushRemove: ['dhcp-option'], routes: ['10.50.0.0/16'], push: ['ping-restart 77'] })
    expect(changed).toEqual(expect.arrayContaining([push[1], 'ping 10', 'ping-restart 77']))
    expect(changed.filter((line) => line === push[0] || line.startsWith('dhcp-option'))).toEqual([])
    const reset = lines({ pushReset: true, ifconfig: { local: '10.8.0.99', remoteOrNetmask: '255.255.255.0' } })
    expect(reset.filter((line) => push.includes(line))).toEqual([])
    expect(reset).toEqual(expect.arrayContaining(['topology subnet', 'ifconfig 10.8.0.99 255.255.255.0']))
  })

  it('SRV-45: who starts again at a client’s address must be that client', () => {
    const world = new ServerWorld()
    const ada = world.connected('ada')
    world.clients.delete(ada.address)
    const bob = world.connect('bob', {}, ada.address)
    world.wait(8000)
    expect(bob.connected).toBe(false)
    expect(world.server.clients().map(({ name }) => name)).toEqual(['ada'])
    world.clients.delete(bob.address)
    const again = world.connect('ada', {}, ada.address)
    world.wait(8000)
    expect(again.connected).toBe(true)
    expect(again.inside).toBe('10.8.0.2')
    expect(world.server.clients().length).toBe(1)
  })

  it('SRV-46: without certificates somebody must answer', () => {
    const config = worldServerConfig()
    const lax: ServerConfig = { ...config, tls: { ...config.tls, clientAuth: 'none' } }
    expect(() => new ServerWorld({ server: lax })).toThrow(ConfigError)
    expect(() => new ServerWorld({ server: { ...lax, admission: 'ask' } })).not.toThrow()
  })

  it('SRV-47, SRV-48: a token stands in for the password, is renewed, and runs out', () => {
    const token = { key: new Uint8Array(128).fill(7), lifetime: 600_000, renewal: 120_000 }
    const fixed = { ifconfig: { local: '10.8.0.77', remoteOrNetmask: '255.255.255.0' } }
    const world = asking({ ada: fixed }, { server: { authToken: token }, client: { login: password('ada', 'secret') } })
    const ada = world.connected('ada')
    const id = world.idOf('ada')
    expect(world.eventsOf('login').length).toBe(1)
    const token1 = ada.session.token!.login('ada').password
    world.wait(60_000)
    world.input((server) => server.renegotiate(id, world.now))
    world.wait(5000)
    expect(world.eventsOf('rekeyed').length).toBe(1)
    expect(world.eventsOf('login').length).toBe(1)
    world.wait(100_000)
    world.input((server) => server.renegotiate(id, world.now))
    world.wait(5000)
    expect(world.eventsOf('rekeyed').length).toBe(2)
    const good = ada.session.token!.login('ada').password
    expect(good).not.toBe(token1)
    const once = world.connected('ada', { login: password('ada', good) })
    expect(once.connected).toBe(true)
    // Whoever begins anew is asked about, with the word that the token is good: the grant is the host's to give.
    expect(once.inside).toBe('10.8.0.77')
    expect(world.eventsOf('login').map(({ tokenAccepted }) => tokenAccepted)).toEqual([false, true])
    world.wait(300_000)
    for (const bad of [good, `${good.slice(0, -2)}AA`, 'SESS_ID_AT_']) {
      const late = world.connect('ada', { login: password('ada', bad) })
      world.wait(10_000)
      expect(late.connected).toBe(false)
      expect(late.session.closeReason).toMatchObject({ type: 'auth-failed', failure: { type: 'session' } })
    }
    expect(world.eventsOf('login').length).toBe(2)
  })

  it('SRV-24, SRV-35: an address is given once, and networks are counted', () => {
    const grants: Record<string, Grant> = {
      ada: { ifconfig: { local: '10.8.0.2', remoteOrNetmask: '255.255.255.0' } },
      eve: { ifconfig: { local: '10.8.0.2', remoteOrNetmask: '255.255.255.0' } },
      many: { routes: Array.from({ length: 10 }, (_, index) => `10.${index + 20}.0.0/16`) },
    }
    const world = asking(grants, { server: { maxRoutesPerClient: 5 } })
    world.connected('ada')
    expect(world.connected('bob').inside).toBe('10.8.0.3')
    for (const name of ['eve', 'many']) {
      const refused = world.connect(name)
      world.wait(5000)
      expect(refused.connected).toBe(false)
      expect(refused.session.closeReason).toMatchObject({ type: 'auth-failed', failure: { type: 'temporary' } })
    }
    expect(world.eventsOf('refused').length).toBe(2)
    expect(world.server.clients().length).toBe(2)
  })

  it('SRV-24: an address granted by hand is taken from a namesake, and from whoever has it out of the pool', () => {
    const fixed = { ifconfig: { local: '10.8.0.2', remoteOrNetmask: '255.255.255.0' } }
    const double = asking({ ada: fixed }, { server: { duplicateNames: true } })
    double.connected('ada')
    expect(double.connected('ada').inside).toBe('10.8.0.2')
    expect(double.server.clients().map(({ addresses }) => addresses)).toEqual([{ ipv4: '10.8.0.2' }])
    const world = asking({ ada: fixed })
    const bob = world.connected('bob')
    expect(bob.inside).toBe('10.8.0.2')
    expect(world.connected('ada').inside).toBe('10.8.0.2')
    expect(bob.events).toContainEqual(expect.objectContaining({ type: 'closed' }))
    expect(bob.session.closeReason).toMatchObject({ type: 'peer-restart' })
    expect(world.connected('bob').inside).toBe('10.8.0.3')
    world.wait(5000)
    expect(world.server.clients().map(({ name }) => name)).toEqual(['ada', 'bob'])
    world.sendFrom(bob, packetOf('10.8.0.2', '10.8.0.1', 'late'))
    world.wait(100)
    expect(world.packets).toEqual([])
  })

  it('SRV-30: networks behind a client are reached through it, the longest prefix first', () => {
    const world = asking({ ada: { routes: ['10.20.0.0/16', 'fd00:20::/32'] }, bob: { routes: ['10.20.30.0/24'] } })
    const [ada, bob] = [world.connected('ada'), world.connected('bob')]
    for (const target of ['10.20.1.1', '10.20.30.1']) {
      expect(world.input((server) => server.send(packetOf('10.8.0.1', target, target), world.now))).toBe(true)
    }
    world.wait(100)
    expect([ada.packets.map(textOf), bob.packets.map(textOf)]).toEqual([['10.20.1.1'], ['10.20.30.1']])
    expect(world.input((server) => server.send(packetOf('10.8.0.1', '10.21.0.1'), world.now))).toBe(false)
    expect(world.dropped('no-route')).toBe(1)
    world.sendFrom(ada, packetOf('10.20.7.7', '10.8.0.1', 'from behind'))
    world.wait(100)
    expect(world.packets.map(({ data }) => textOf(data))).toEqual(['from behind'])
  })
})
