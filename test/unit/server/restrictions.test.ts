/**
 * What a server allows its clients beyond getting in: rates, filters, sources, work; and keys that are asked about.
 */
import { describe, expect, it } from 'vitest'
import { UsageError } from '../../../src/bytes/index.ts'
import type { Grant, ServerConfig } from '../../../src/server/index.ts'
import { packetOf, ServerWorld, textOf, type WorldClient, type WorldOptions } from '../../support/server-world.ts'

/** A world that gives each name its grant. */
function granting(grants: Readonly<Record<string, Grant>>, options: WorldOptions = {}): ServerWorld {
  const server: Partial<ServerConfig> = { admission: 'ask', clientToClient: true, ...options.server }
  const world = new ServerWorld({ ...options, server })
  world.onEvent = ({ client, event }) => {
    if (event.type !== 'login' || client === undefined) return
    world.input((it) => it.allow(client, grants[event.commonName ?? ''] ?? {}, world.now))
  }
  return world
}

function texts(client: WorldClient): string[] {
  return client.packets.map(textOf)
}

describe('limits of a client', () => {
  it('SRV-81: a rate holds in each direction, and only for its client', () => {
    const limit = { bytesPerSecond: 1000, burst: 300 }
    const world = granting({ ada: { rate: { fromClient: limit, toClient: limit } } })
    const [ada, bob] = [world.connected('ada'), world.connected('bob')]
    const packet = (from: string, to: string) => packetOf(from, to, 'x'.repeat(80))
    expect(packet('10.8.0.2', '10.8.0.1').length).toBe(100)
    for (let i = 0; i < 10; i++) world.sendFrom(ada, packet('10.8.0.2', '10.8.0.1'))
    for (let i = 0; i < 10; i++) world.sendFrom(bob, packet('10.8.0.3', '10.8.0.1'))
    world.wait(20)
    expect(world.packets.filter(({ client }) => client === 1).length).toBe(3)
    expect(world.packets.filter(({ client }) => client === 2).length).toBe(10)
    expect(world.dropped('rate-limited')).toBe(7)
    world.wait(10_000)
    for (let i = 0; i < 10; i++) {
      world.input((server) => server.send(packet('10.8.0.1', '10.8.0.2'), world.now))
      world.wait(100)
    }
    expect(ada.packets.length).toBe(10)
    for (let i = 0; i < 10; i++) world.input((server) => server.send(packet('10.8.0.1', '10.8.0.2'), world.now))
    world.wait(50)
    expect(ada.packets.length).toBe(13)
    expect(world.input((server) => server.restrict(1, {}, world.now))).toBe(true)
    for (let i = 0; i < 10; i++) world.sendFrom(ada, packet('10.8.0.2', '10.8.0.1'))
    world.wait(50)
    expect(world.dropped('rate-limited')).toBe(14)
  })

  it('SRV-82: two clients meet only where both agree', () => {
    const world = granting({
      ada: { filter: { clients: { default: 'drop', except: ['bob'] } } },
      eve: { filter: { clients: { default: 'accept', except: ['bob'] } } },
    })
    const [ada, bob, eve] = [world.connected('ada'), world.connected('bob'), world.connected('eve')]
    const all = [ada, bob, eve]
    for (const from of all) {
      for (const to of all) if (from !== to) world.sendFrom(from, packetOf(from.inside!, to.inside!, from.name))
    }
    world.wait(50)
    expect([texts(ada), texts(bob), texts(eve)]).toEqual([['bob'], ['ada'], []])
    expect(world.dropped('filtered')).toBe(4)
    world.sendFrom(bob, packetOf(bob.inside!, '10.8.0.255', 'to all'))
    world.wait(50)
    expect([texts(ada).length, texts(eve).length]).toEqual([2, 0])
    world.input((server) => server.restrict(world.idOf('eve'), { filter: {} }, world.now))
    world.sendFrom(bob, packetOf(bob.inside!, eve.inside!, 'at last'))
    world.wait(50)
    expect(texts(eve)).toEqual(['at last'])
  })

  it('SRV-83: networks outside, by destination and by source', () => {
    const world = granting({
      ada: { filter: { networks: { default: 'drop', except: ['10.50.0.0/16', 'fd50::/16'] } } },
    })
    const ada = world.connected('ada')
    for (const to of ['10.50.3.4', '10.51.3.4', '8.8.8.8']) world.sendFrom(ada, packetOf('10.8.0.2', to, to))
    world.wait(50)
    expect(world.packets.map(({ data }) => textOf(data))).toEqual(['10.50.3.4'])
    for (const from of ['10.50.3.4', '10.51.3.4']) {
      world.input((server) => server.send(packetOf(from, '10.8.0.2', from), world.now))
    }
    world.wait(50)
    expect(texts(ada)).toEqual(['10.50.3.4'])
    expect(world.dropped('filtered')).toBe(3)
  })

  it('SRV-84: granted sources pass, others do not, and neither gets a route', () => {
    const world = granting({ ada: { sources: ['172.16.0.0/12'] }, bob: { sources: 'any' } })
    const [ada, bob] = [world.connected('ada'), world.connected('bob')]
    for (const from of ['172.16.9.9', '172.32.0.1', '10.8.0.3', '10.8.0.2'])
      world.sendFrom(ada, packetOf(from, '10.8.0.1', from))
    for (const from of ['1.2.3.4', '10.8.0.3']) world.sendFrom(bob, packetOf(from, '10.8.0.1', from))
    world.wait(50)
    expect(world.packets.map(({ data }) => textOf(data))).toEqual(['172.16.9.9', '10.8.0.2', '1.2.3.4', '10.8.0.3'])
    expect(world.dropped('bad-source')).toBe(2)
    expect(world.input((server) => server.send(packetOf('10.8.0.1', '172.16.9.9'), world.now))).toBe(false)
  })

  it('a limit that is none is refused, and nothing changes', () => {
    const world = granting({})
    world.connected('ada')
    const restrict = (limits: Parameters<ServerWorld['server']['restrict']>[1]) =>
      world.server.restrict(1, limits, world.now)
    expect(() => restrict({ sources: ['10.0.0.0/33'] })).toThrow(UsageError)
    expect(() => restrict({ filter: { networks: { default: 'drop', except: ['office'] } } })).toThrow(UsageError)
    expect(() => restrict({ rate: { toClient: { bytesPerSecond: 0 } } })).toThrow(UsageError)
    expect(restrict({ rate: { toClient: { bytesPerSecond: 1 } } })).toBe(true)
    expect(world.server.restrict(9, {}, world.now)).toBe(false)
  })
})

describe('grants that cannot be carried out', () => {
  const BAD: readonly [string, Grant, RegExp][] = [
    ['a line break', { push: ['route 10.1.0.0 255.255.0.0\nup /bin/sh'] }, /./],
    ['a line too long', { push: ['x'.repeat(2000)] }, /./],
    [
      'no address',
      { ifconfig: { local: '10.8.0.300', remoteOrNetmask: '255.255.255.0' } },
      /10\.8\.0\.300 is no address/,
    ],
    ['no prefix', { ifconfigIpv6: { address: 'fd00::9', prefix: 129 } }, /fd00::9\/129 is no address/],
    ['no network', { routes: ['10.9.0.0/33'] }, /10\.9\.0\.0\/33 is no network/],
    ['no rate', { rate: { toClient: { bytesPerSecond: -1 } } }, /rate/],
    ['no filter', { filter: { networks: { default: 'drop', except: ['*'] } } }, /\* is no network/],
  ]

  it.each(BAD)('SRV-49: %s refuses its client with a reason, and nobody else', (_what, grant, reason) => {
    const world = granting({ eve: grant })
    const ada = world.connected('ada')
    const eve = world.connect('eve')
    world.wait(10_000)
    expect(eve.connected).toBe(false)
    expect(eve.session.closeReason).toMatchObject({ type: 'auth-failed' })
    expect(world.eventsOf('refused').length).toBe(1)
    expect(world.eventsOf('refused')[0]!.detail).toMatch(reason)
    world.sendFrom(ada, packetOf(ada.inside!, '10.8.0.1', 'still here'))
    world.wait(50)
    expect(world.packets.length).toBe(1)
    expect(world.server.clients().map(({ name }) => name)).toEqual(['ada'])
    expect(world.connected('bob').inside).toMatch(/^10[.]8[.]0[.][34]$/)
  })
})

describe('work', () => {
  it('SRV-80: handshakes beyond the budget wait, are counted, and all get in; tunnels do not notice', () => {
    const world = new ServerWorld({ server: { handshakeWork: { count: 12, period: 2000 } } })
    const ada = world.connected('ada')
    const perHandshake = world.server.stats.handshakeWork
    expect(perHandshake).toBeGreaterThan(3)
    expect(perHandshake).toBeLessThan(12)
    world.wait(4000)
    const crowd = Array.from({ length: 8 }, (_, i) => world.connect(`client ${i}`))
    world.wait(1500)
    const connected = (): number => crowd.filter((client) => client.connected).length
    expect(connected()).toBeLessThan(4)
    expect(world.dropped('handshake-work')).toBeGreaterThan(0)
    world.sendFrom(ada, packetOf(ada.inside!, '10.8.0.1', 'not concerned'))
    world.wait(50)
    expect(world.packets.length).toBe(1)
    world.input((server) => server.renegotiate(1, world.now))
    world.wait(5000)
    expect(world.eventsOf('rekeyed').length).toBe(1)
    world.wait(50_000)
    expect(connected()).toBe(8)
    // Never more than the budget and one handshake in flight for each of those who had begun.
    expect(world.server.stats.handshakeWork).toBeLessThan(12 * 30)
  })

  it('SRV-80: a flood of strangers with good cookies costs a bounded share of work', () => {
    const work = (count: number): number => {
      const world = new ServerWorld({ server: { handshakeWork: { count: 40, period: 10_000 } } })
      for (let i = 0; i < count; i++) world.connect(`flood ${i % 5}`)
      world.wait(9000)
      return world.server.stats.handshakeWork
    }
    const [some, many] = [work(20), work(120)]
    expect(some).toBeGreaterThanOrEqual(40)
    expect(many).toBeLessThan(60)
  })
})

describe('keys that are asked about', () => {
  const asking = (transport: 'udp' | 'tcp'): { world: ServerWorld; ada: WorldClient } => {
    const world = new ServerWorld({ wrap: 'tls-crypt-v2', server: { tlsCryptV2: { verify: true } } })
    return { world, ada: world.connect('ada', { transport }) }
  }

  it.each(['udp', 'tcp'] as const)('SRV-85: TLS begins after the answer, over %s', (transport) => {
    const { ada, world } = asking(transport)
    world.wait(5000)
    const [asked] = world.eventsOf('client-key')
    expect(asked).toMatchObject({ address: ada.address })
    expect(world.eventsOf('client-key').length).toBe(1)
    expect([world.server.stats.clientsBegun, world.server.stats.handshakeWork]).toEqual([0, 0])
    const { client } = world.events.find(({ event }) => event.type === 'client-key')!
    expect(world.input((server) => server.allow(client!, {}, world.now))).toBe(true)
    world.wait(10_000)
    expect(ada.connected).toBe(true)
    expect(world.server.clients()[0]!.id).toBe(client)
    expect(world.input((server) => server.allow(client!, {}, world.now))).toBe(false)
  })

  it.each(['udp', 'tcp'] as const)(
    'SRV-85: a refused key is gone without a word, an unanswered one in time, over %s',
    (transport) => {
      const { ada, world } = asking(transport)
      world.wait(3000)
      const id = world.events.find(({ event }) => event.type === 'client-key')!.client!
      expect(world.input((server) => server.deny(id, '', world.now))).toBe(true)
      expect(world.dropped('key-refused')).toBe(1)
      expect(world.server.retained).toBe(0)
      world.clients.delete(ada.address)
      const other = asking(transport)
      other.world.wait(1000)
      expect(other.world.server.retained).toBeGreaterThan(0)
      other.world.clients.delete(other.ada.address)
      other.world.wait(61_000)
      expect(other.world.server.retained).toBe(0)
      expect(other.world.server.stats.clientsBegun).toBe(0)
      if (transport === 'tcp') expect(other.world.hungUp).toEqual([other.ada.address])
    },
  )
})

describe('grants beside the plan', () => {
  it('SRV-26: an address outside ifconfig-push-constraint refuses its client', () => {
    const at = (local: string): Grant => ({ ifconfig: { local, remoteOrNetmask: '255.255.255.0' } })
    const grants = { ada: at('10.8.0.200'), eve: at('10.9.0.200') }
    const world = granting(grants, { server: { pushConstraint: '10.8.0.0/24' } })
    expect(world.connected('ada').inside).toBe('10.8.0.200')
    world.connect('eve')
    world.wait(5000)
    expect(world.eventsOf('refused')).toMatchObject([{ detail: expect.stringContaining('ifconfig-push-constraint') }])
    expect(() => granting({}, { server: { pushConstraint: 'fd00::/64' } })).toThrow('is no IPv4 network')
  })

  it('SESS-58: data ciphers of one client, most wanted first, among the server’s', () => {
    const world = granting({
      ada: { dataCiphers: ['chacha20-poly1305', 'AES-256-GCM'] },
      eve: { dataCiphers: ['AES-128-CBC'] },
    })
    for (const name of ['ada', 'bob']) world.connected(name)
    const ciphers = world.eventsOf('client-connected').map(({ negotiated }) => negotiated.dataCipher)
    expect(ciphers).toEqual(['CHACHA20-POLY1305', 'AES-256-GCM'])
    const eve = world.connect('eve')
    world.wait(5000)
    expect(eve.connected).toBe(false)
    expect(eve.session.closeReason).toMatchObject({ type: 'auth-failed' })
  })

  it('SRV-40: a question and a page while the login waits', () => {
    const world = new ServerWorld({ server: { admission: 'ask' } })
    const ada = world.connect('ada')
    world.wait(3000)
    const question = { type: 'text', text: 'Which colour?', echo: true, responseRequired: true } as const
    expect(world.input((server) => server.defer(1, 60, world.now, question))).toBe(true)
    world.wait(1000)
    expect(ada.events.find(({ type }) => type === 'login-request')).toEqual({
      type: 'login-request',
      request: question,
    })
    ada.session.authenticate({ type: 'response', response: 'green' }, world.now)
    world.drain(ada)
    world.wait(1000)
    const [{ response } = { response: undefined }] = world.eventsOf('login-response')
    expect(Buffer.from(response!.reveal(), 'base64').toString()).toBe('green')
    expect(world.input((server) => server.allow(1, {}, world.now))).toBe(true)
    world.wait(5000)
    expect(ada.connected).toBe(true)
  })
})
