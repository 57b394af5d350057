/**
 * Clients handed from server to server: nothing of the tunnel breaks, nothing repeats, and only genuine states are taken in.
 */
import { describe, expect, it } from 'vitest'
import { UsageError } from '../../../src/bytes/index.ts'
import { nodeCrypto } from '../../../src/node/crypto/index.ts'
import type { ImportProblem, Server, ServerConfig } from '../../../src/server/index.ts'
import type { SessionConfig } from '../../../src/session/index.ts'
import { NonceWatch } from '../../support/nonce-watch.ts'
import { scaled } from '../../support/scale.ts'
import { SeededRandom } from '../../support/random.ts'
import { packetOf, ServerWorld, textOf, type WorldClient, worldServerConfig } from '../../support/server-world.ts'
import { WRAP_KINDS, type WrapKind } from '../../support/wraps.ts'

const KEY = new Uint8Array(32).fill(7)

interface Kind {
  readonly name: string
  readonly wrap?: WrapKind
  readonly server?: Partial<ServerConfig>
  readonly client?: Partial<SessionConfig>
  readonly format: string
}

const CBC = { dataCiphers: ['AES-256-CBC'], auth: 'SHA256' } as const
const KINDS: readonly Kind[] = [
  ...WRAP_KINDS.map((wrap) => ({ name: wrap, wrap, format: 'epoch' })),
  { name: 'AEAD', client: { dataCiphers: ['AES-128-GCM'] }, format: 'epoch' },
  { name: 'CBC', server: { session: { ...CBC } }, client: CBC, format: 'cbc' },
]

function worldOf(
  { client, server, wrap }: Pick<Kind, 'client' | 'server' | 'wrap'>,
  watch = new NonceWatch(nodeCrypto),
) {
  const options = { ...(wrap && { wrap }), ...(server && { server }), ...(client && { client }) }
  const world = new ServerWorld({ ...options, crypto: watch.provider })
  return { world, next: () => world.makeServer(worldServerConfig(options)) }
}

/** Moves a client to another server, which takes the world's datagrams from then on. */
function move(world: ServerWorld, client: WorldClient, to: Server): Server {
  const from = world.server
  const state = world.input((server) => server.exportClient(world.idOf(client.name), KEY, world.now))
  expect(state).toBeInstanceOf(Uint8Array)
  world.server = to
  expect(world.input((server) => server.importClient(state as Uint8Array, KEY, world.now))).toBe(1)
  return from
}

/** A packet each way, right now. */
function exchange(world: ServerWorld, client: WorldClient, text: string): void {
  const [before, received] = [world.packets.length, client.packets.length]
  world.sendFrom(client, packetOf(client.inside!, '10.8.0.1', `up ${text}`))
  expect(world.input((server) => server.send(packetOf('10.8.0.1', client.inside!, `down ${text}`), world.now))).toBe(
    true,
  )
  world.wait(50)
  expect(world.packets.slice(before).map(({ data }) => textOf(data))).toEqual([`up ${text}`])
  expect(client.packets.slice(received).map(textOf)).toEqual([`down ${text}`])
}

describe('a moved client', () => {
  it.each(KINDS)('SRV-70, SRV-72, SESS-170: goes on under $name without a new negotiation', (kind) => {
    const { next, world } = worldOf(kind)
    const ada = world.connected('ada')
    exchange(world, ada, 'one')
    const told = ada.events.length
    const from = move(world, ada, next())
    expect(from.retained).toBe(0)
    expect(world.eventsOf('client-closed')).toMatchObject([{ name: 'ada', reason: { type: 'exported' } }])
    expect(world.eventsOf('client-imported')).toMatchObject([
      { name: 'ada', addresses: { ipv4: ada.inside }, negotiated: { dataFormat: kind.format } },
    ])
    for (const text of ['two', 'three']) exchange(world, ada, text)
    expect(ada.events.length).toBe(told)
    // The control channel lives: its old TLS connection still carries messages, and renegotiations work both ways.
    const id = world.idOf('ada')
    expect(world.input((server) => server.pushUpdate(id, ['route 10.77.0.0 255.255.0.0'], world.now))).toBe(1)
    world.wait(500)
    expect(ada.events.at(-1)).toMatchObject({ type: 'options-updated' })
    world.input((server) => server.renegotiate(id, world.now))
    world.wait(5000)
    exchange(world, ada, 'four')
    ada.session.renegotiate(world.now)
    world.drain(ada)
    world.wait(5000)
    exchange(world, ada, 'five')
    expect(world.eventsOf('rekeyed').length).toBe(2)
    // And once more, with two data keys and another control wrap.
    move(world, ada, next())
    exchange(world, ada, 'six')
    expect(world.input((server) => server.kill(world.idOf('ada'), 'RESTART', world.now))).toBe(true)
    world.wait(3000)
    expect(ada.session.closeReason).toMatchObject({ type: 'peer-restart' })
    expect(world.server.retained).toBe(0)
  })

  it('SESS-170: hears what its client says in the control channel that moved', () => {
    const { next, world } = worldOf({ wrap: 'tls-crypt' })
    const ada = world.connected('ada')
    move(world, ada, next())
    ada.session.close(world.now)
    world.drain(ada)
    world.wait(500)
    expect(world.eventsOf('client-closed').at(-1)).toMatchObject({ name: 'ada', reason: { type: 'peer-exit' } })
    expect(ada.closed).toBe(true)
  })

  it('DATA-51, DATA-52: packets of before are replays after; packet ids go on', () => {
    const { next, world } = worldOf({})
    const ada = world.connected('ada')
    const seen: Uint8Array[] = []
    world.filter = (data, to) => {
      if (to === 'server') seen.push(data.slice())
      return true
    }
    exchange(world, ada, 'one')
    exchange(world, ada, 'two')
    move(world, ada, next())
    const before = world.packets.length
    expect(seen.length).toBe(2)
    for (const old of seen) world.input((server) => server.receive(old, ada.address, world.now))
    expect(world.packets.length).toBe(before)
    expect(world.server.clients()[0]!.stats.dropped.replayed).toBe(2)
    expect(world.server.clients()[0]!.stats.packetsReceived).toBe(2)
  })

  it('SRV-72: keeps its address, its networks, its name and its peer-id, and gives them back when it ends', () => {
    const { next, world } = worldOf({ server: { admission: 'ask', clientToClient: true } })
    world.onEvent = ({ client, event }) => {
      if (event.type === 'login')
        world.input((server) => server.allow(client!, { routes: ['10.20.0.0/16'] }, world.now))
    }
    const ada = world.connected('ada')
    const target = next()
    move(world, ada, target)
    world.sendFrom(ada, packetOf('10.20.1.2', '10.8.0.1', 'from behind'))
    world.wait(50)
    expect(world.packets.map(({ data }) => textOf(data))).toEqual(['from behind'])
    world.onEvent = ({ client, event }) => {
      if (event.type === 'login') world.input((server) => server.allow(client!, {}, world.now))
    }
    const bob = world.connected('bob')
    expect(bob.inside).not.toBe(ada.inside)
    exchange(world, bob, 'bob')
    exchange(world, ada, 'ada')
    for (const name of ['ada', 'bob']) world.input((server) => server.kill(world.idOf(name), 'HALT', world.now))
    world.wait(3000)
    expect(target.retained).toBe(0)
    expect(
      target
        .leases()
        .map(({ commonName }) => commonName)
        .sort(),
    ).toEqual(['ada', 'bob'])
  })

  it('a client floats and falls silent after the move as before it', () => {
    const { next, world } = worldOf({})
    const ada = world.connected('ada')
    move(world, ada, next())
    world.float(ada)
    world.sendFrom(ada, packetOf(ada.inside!, '10.8.0.1', 'here now'))
    world.wait(50)
    exchange(world, ada, 'from elsewhere')
    world.clients.delete(ada.address)
    world.wait(200_000)
    expect(world.eventsOf('client-closed').at(-1)).toMatchObject({
      reason: { type: 'timed-out', timer: 'ping-restart' },
    })
  })
})

describe('states', () => {
  function exported(options: Pick<Kind, 'server'> = {}): { world: ServerWorld; state: Uint8Array; next: () => Server } {
    const { next, world } = worldOf(options)
    world.connected('ada')
    const state = world.input((server) => server.exportClient(world.idOf('ada'), KEY, world.now)) as Uint8Array
    world.server = next()
    return { world, state, next }
  }

  it('SRV-71: forged, cut and foreign states are refused and counted, none is taken in', () => {
    const { state, world } = exported()
    const { server } = world
    const random = new SeededRandom('forgeries')
    const tries = scaled(2000, 1_000_000)
    let refused = 0
    for (let i = 0; i < tries; i++) {
      const forged = state.slice()
      const at = i < state.length ? i : random.below(state.length)
      forged[at] = forged[at]! ^ (1 << random.below(8))
      if (typeof server.importClient(forged, KEY, world.now) === 'string') refused++
    }
    for (let length = 0; length < Math.min(state.length, 400); length++) {
      if (typeof server.importClient(state.slice(0, length), KEY, world.now) === 'string') refused++
    }
    expect(refused).toBe(tries + 400)
    expect(server.importClient(state, new Uint8Array(32).fill(8), world.now)).toBe('forged')
    const { forged, truncated, 'unknown-version': version, ...others } = server.stats.importsRefused
    expect(forged + truncated + version).toBe(refused + 1)
    expect(Object.values(others).every((count) => count === 0)).toBe(true)
    expect([server.retained, server.clients().length, server.stats.clientsImported]).toEqual([0, 0, 0])
    expect(server.importClient(state, KEY, world.now)).toBe(1)
    expect(() => server.importClient(state, new Uint8Array(16), world.now)).toThrow(UsageError)
  })

  it('SRV-73: a state is taken in once, also after its client is gone, and not for long', () => {
    const { next, state, world } = exported()
    const import_ = (): number | string => world.input((server) => server.importClient(state, KEY, world.now))
    expect(import_()).toBe(1)
    expect(import_()).toBe('repeated')
    world.input((server) => server.kill(1, 'HALT', world.now))
    world.wait(3000)
    expect(world.server.clients()).toEqual([])
    expect(import_()).toBe('repeated')
    world.now += 121_000
    expect(import_()).toBe('expired')
    world.server = next()
    expect(import_()).toBe('expired')
    expect(world.server.retained).toBe(0)
  })

  it('SRV-72: what another client has is not taken from it, and the state stays good', () => {
    const { next, state, world } = exported()
    const problem = (server: Server, address?: string): ImportProblem | number =>
      server.importClient(state, KEY, world.now, address)
    const ada = [...world.clients.values()][0]!
    const bob = world.connected('bob')
    expect(problem(world.server)).toBe('peer-id-in-use')
    expect(problem(world.server, bob.address)).toBe('address-in-use')
    const shard = (config: Partial<ServerConfig>) => world.makeServer({ ...worldServerConfig(), ...config })
    world.server = shard({ firstPeerId: 1000 })
    world.connected('eve')
    expect(problem(world.server)).toBe('tunnel-address-in-use')
    expect(world.server.retained).toBe(4)
    expect(problem(shard({ device: 'tap' }))).toBe('incompatible')
    const full = shard({ maxClients: 1, firstPeerId: 50 })
    world.server = full
    world.connected('max')
    expect(problem(full)).toBe('server-full')
    const again = shard({ firstPeerId: 90 })
    world.server = again
    const twin = world.connected('ada')
    expect(problem(again)).toBe('name-connected')
    expect(twin.connected).toBe(true)
    world.server = next()
    expect(problem(world.server)).toBe(1)
    exchange(world, ada, 'at last')
  })

  it('SESS-171: what is half done is not exported, and is not disturbed', () => {
    const { next, world } = worldOf({})
    const ada = world.connect('ada')
    const export_ = () => world.input((server) => server.exportClient(1, KEY, world.now))
    expect(export_()).toBe('no-such-client')
    world.wait(30)
    expect(export_()).toBe('not-connected')
    world.run(world.now + 5000, () => ada.connected)
    world.wait(50)
    world.input((server) => server.renegotiate(1, world.now))
    expect(export_()).toBe('busy')
    world.wait(3000)
    exchange(world, ada, 'still here')
    const tcp = world.connected('tim', { transport: 'tcp' })
    expect(world.input((server) => server.exportClient(2, KEY, world.now))).toBe('tcp')
    expect(tcp.connected).toBe(true)
    const state = export_() as Uint8Array
    world.server = next()
    world.server.shutdown(world.now)
    expect(world.server.importClient(state, KEY, world.now)).toBe('server-closed')
  })
})
