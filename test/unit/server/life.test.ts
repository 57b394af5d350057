/**
 * Clients that move, leave, are sent away or overrun the limits; TCP connections; the end of the server.
 */
import { describe, expect, it } from 'vitest'
import { Opcode, opcodeOf } from '../../../src/wire/index.ts'
import { packetOf, ServerWorld, textOf } from '../../support/server-world.ts'

const toServer = (text: string): Uint8Array => packetOf('10.8.0.2', '10.8.0.1', text)

describe('finding the client', () => {
  it('SRV-1, SRV-10, SRV-11: data of nobody, or with a peer-id of nobody, is dropped even from a known address', () => {
    const world = new ServerWorld()
    const ada = world.connected('ada')
    let datagram = new Uint8Array()
    world.filter = (data, to) => {
      if (to === 'server' && opcodeOf(data[0]!) === Opcode.DATA_V2) datagram = data.slice()
      return true
    }
    world.sendFrom(ada, toServer('one'))
    world.wait(50)
    expect(world.packets.length).toBe(1)
    const before = world.server.stats.dropped['no-client']
    const other = datagram.slice()
    other[3] = 9
    world.input((server) => server.receive(other, ada.address, world.now))
    world.input((server) => server.receive(Uint8Array.of(Opcode.DATA_V1 << 3, 1, 2, 3), 'elsewhere', world.now))
    expect(world.dropped('no-client') - before).toBe(2)
    expect(world.server.clients().length).toBe(1)
    // Without a peer-id the address decides, and a forgery changes nothing but that client's counter.
    world.input((server) => server.receive(Uint8Array.of(Opcode.DATA_V1 << 3, 1, 2, 3), ada.address, world.now))
    expect(world.dropped('no-client') - before).toBe(2)
    expect(world.packets.length).toBe(1)
  })

  it('SRV-12: only an authentic, new packet moves a client; then everything goes there', () => {
    const world = new ServerWorld()
    const ada = world.connected('ada')
    const home = ada.address
    const seen: Uint8Array[] = []
    world.filter = (data, to) => {
      if (to === 'server') seen.push(data.slice())
      return true
    }
    world.sendFrom(ada, toServer('one'))
    world.wait(50)
    const genuine = seen[0]!
    const forged = genuine.slice()
    forged[20] = forged[20]! ^ 1
    for (const bytes of [genuine, forged, genuine.slice(0, 10)]) {
      world.input((server) => server.receive(bytes, 'thief', world.now))
    }
    expect(world.server.clients()[0]!.address).toBe(home)
    expect(world.server.stats.floats).toBe(0)
    world.float(ada)
    world.sendFrom(ada, toServer('two'))
    world.wait(50)
    expect(world.packets.map(({ data }) => textOf(data))).toEqual(['one', 'two'])
    expect(world.eventsOf('client-floated')).toEqual([{ type: 'client-floated', from: home, to: ada.address }])
    world.input((server) => server.send(packetOf('10.8.0.1', '10.8.0.2', 'three'), world.now))
    world.wait(50)
    expect(ada.packets.map(textOf)).toEqual(['three'])
    world.input((server) => server.renegotiate(world.idOf('ada'), world.now))
    world.wait(5000)
    expect(world.eventsOf('rekeyed').length).toBe(1)
  })

  it('SRV-13, SRV-14: the address of another client is not taken over, nor that of a connection', () => {
    const world = new ServerWorld({ server: { duplicateNames: true } })
    const [ada, bob] = [world.connected('ada'), world.connected('bob')]
    const home = ada.address
    ada.address = bob.address
    world.sendFrom(ada, toServer('from bob’s address'))
    world.wait(50)
    expect(world.dropped('float-refused')).toBe(1)
    expect(world.packets).toEqual([])
    expect(world.server.clients().map(({ address }) => address)).toEqual([home, bob.address])
    ada.address = home
    const twin = world.connected('ada')
    world.clients.delete(ada.address)
    const taken = ada.address
    twin.address = taken
    world.clients.set(taken, twin)
    world.sendFrom(twin, packetOf(twin.inside!, '10.8.0.1', 'twin'))
    world.wait(50)
    expect(world.eventsOf('client-closed')).toMatchObject([{ name: 'ada', reason: { type: 'replaced' } }])
    expect(world.packets.map(({ data }) => textOf(data))).toEqual(['twin'])
    const tcp = world.connected('tia', { transport: 'tcp' })
    const before = world.dropped('no-client')
    const peerId = 3
    world.input((server) =>
      server.receive(Uint8Array.of(Opcode.DATA_V2 << 3, 0, 0, peerId, 1, 2, 3, 4), 'x', world.now),
    )
    expect(world.dropped('no-client') - before).toBe(1)
    expect(tcp.connected).toBe(true)
  })
})

describe('routing', () => {
  it('SRV-31, SRV-32: a client sends from its own addresses only', () => {
    const world = new ServerWorld({ server: { clientToClient: true }, ipv6: { address: 'fd00::', prefix: 64 } })
    const [ada, bob] = [world.connected('ada'), world.connected('bob')]
    for (const source of [bob.inside!, '10.8.0.1', '0.0.0.0', '224.0.0.1', '255.255.255.255']) {
      world.sendFrom(ada, packetOf(source, '10.8.0.3', 'spoofed'))
    }
    world.wait(50)
    expect(world.dropped('bad-source')).toBe(5)
    const linkLocal = new Uint8Array(40)
    linkLocal.set([0x60, 0, 0, 0, 0, 0, 59, 64, 0xfe, 0x80])
    world.sendFrom(ada, linkLocal)
    world.wait(50)
    expect(world.dropped('link-local')).toBe(1)
    expect([world.packets.length, bob.packets.length]).toEqual([0, 0])
  })

  it('SRV-33, SRV-34: clients reach each other and all of them only with client-to-client', () => {
    const world = new ServerWorld({ server: { clientToClient: true } })
    const [ada, bob, eve] = [world.connected('ada'), world.connected('bob'), world.connected('eve')]
    world.sendFrom(ada, packetOf('10.8.0.2', '10.8.0.3', 'to bob'))
    world.sendFrom(ada, packetOf('10.8.0.2', '10.8.0.255', 'to all'))
    world.wait(50)
    expect(bob.packets.map(textOf)).toEqual(['to bob', 'to all'])
    expect(eve.packets.map(textOf)).toEqual(['to all'])
    expect(ada.packets).toEqual([])
    expect(world.packets.map(({ data }) => textOf(data))).toEqual(['to all'])
    const apart = new ServerWorld()
    const [one, two] = [apart.connected('ada'), apart.connected('bob')]
    apart.sendFrom(one, packetOf('10.8.0.2', '10.8.0.3', 'to bob'))
    apart.wait(50)
    expect(two.packets).toEqual([])
    expect(apart.packets.length).toBe(1)
  })

  it('SRV-36: with tap the server learns who speaks for which hardware address, bounded and ageing', () => {
    const world = new ServerWorld({
      server: { device: 'tap', clientToClient: true, maxRoutesPerClient: 4 },
      client: { device: 'tap' },
    })
    const [ada, bob, eve] = [world.connected('ada'), world.connected('bob'), world.connected('eve')]
    const frame = (to: number, from: number, text = 'frame'): Uint8Array => {
      const bytes = new Uint8Array(14 + text.length)
      bytes.set([2, 0, 0, 0, 0, to, 2, 0, 0, 0, 0, from, 8, 0])
      bytes.set(new TextEncoder().encode(text), 14)
      return bytes
    }
    world.sendFrom(bob, frame(9, 3))
    world.wait(50)
    expect([ada.packets.length, eve.packets.length]).toEqual([1, 1])
    world.sendFrom(ada, frame(3, 2))
    world.wait(50)
    expect([bob.packets.length, eve.packets.length]).toEqual([1, 1])
    for (let from = 10; from < 20; from++) world.sendFrom(eve, frame(3, from))
    world.wait(50)
    expect(world.dropped('table-full')).toBe(6)
    expect(bob.packets.length).toBe(5)
    world.input((server) => server.forgetStale(10, world.now + 1000))
    expect(world.input((server) => server.send(frame(3, 77), world.now))).toBe(true)
    world.wait(50)
    expect([ada.packets.length, eve.packets.length]).toEqual([2, 2])
  })
})

describe('limits', () => {
  it('SRV-8: first packets are answered so often, and honest clients give theirs back', () => {
    const world = new ServerWorld({ server: { connectFreqInitial: { count: 2, period: 10_000 } } })
    for (const name of ['ada', 'bob', 'eve']) expect(world.connected(name).connected).toBe(true)
    const reset = new Uint8Array(14).fill(1)
    reset[0] = Opcode.CONTROL_HARD_RESET_CLIENT_V2 << 3
    reset.fill(0, 9)
    for (let i = 0; i < 10; i++) world.input((server) => server.receive(reset, `flood ${i}`, world.now))
    expect(world.dropped('reset-rate')).toBeGreaterThanOrEqual(8)
    world.now += 10_000
    const before = world.server.stats.resetsAnswered
    world.input((server) => server.receive(reset, 'later', world.now))
    expect(world.server.stats.resetsAnswered).toBe(before + 1)
  })

  it('SRV-9: max-clients and connect-freq hold, and who waits gets in later', () => {
    const world = new ServerWorld({ server: { maxClients: 2 } })
    const ada = world.connected('ada')
    world.connected('bob')
    const eve = world.connect('eve')
    world.wait(5000)
    expect(eve.connected).toBe(false)
    expect(world.dropped('server-full')).toBeGreaterThan(0)
    world.input((server) => server.kill(world.idOf('ada'), 'HALT', world.now))
    world.wait(5000)
    expect(eve.connected).toBe(true)
    expect(ada.session.closeReason).toMatchObject({ type: 'peer-halt' })
    const slow = new ServerWorld({ server: { connectFreq: { count: 1, period: 3000 } } })
    const both = [slow.connect('ada'), slow.connect('bob')]
    slow.wait(1500)
    expect(slow.server.stats.clientsBegun).toBe(1)
    slow.wait(10_000)
    expect(both.every(({ connected }) => connected)).toBe(true)
  })
})

describe('the end', () => {
  it('SRV-50, SRV-53: a client that falls silent is gone by its deadline, with everything it had', () => {
    const world = new ServerWorld({ server: { clientToClient: true } })
    const ada = world.connected('ada')
    world.connected('bob')
    world.clients.delete(ada.address)
    world.wait(200_000)
    expect(world.eventsOf('client-closed')).toMatchObject([{ name: 'ada', reason: { type: 'timed-out' } }])
    expect(world.server.clients().length).toBe(1)
    expect(world.input((server) => server.send(packetOf('10.8.0.1', '10.8.0.2'), world.now))).toBe(false)
    expect(world.server.pollTimeout()).toBeGreaterThan(world.now)
  })

  it('SRV-52: a killed client is told why and frees its place', () => {
    const world = new ServerWorld()
    const ada = world.connected('ada')
    expect(world.input((server) => server.kill(world.idOf('ada'), 'RESTART', world.now))).toBe(true)
    world.wait(3000)
    expect(ada.session.closeReason).toMatchObject({ type: 'peer-restart' })
    expect(world.eventsOf('client-closed')).toMatchObject([{ reason: { type: 'killed', message: 'RESTART' } }])
    expect(world.server.retained).toBe(0)
  })

  it('SRV-51: shutdown tells everybody, waits no longer than its time, and is the last word', () => {
    const world = new ServerWorld()
    const [ada, bob] = [world.connected('ada'), world.connected('bob')]
    world.clients.delete(bob.address)
    world.input((server) => server.shutdown(world.now))
    world.wait(2500)
    expect(ada.session.closeReason).toMatchObject({ type: 'peer-restart' })
    expect(world.events.at(-1)).toEqual({ client: undefined, event: { type: 'server-closed' } })
    expect(world.server.pollTimeout()).toBe(Infinity)
    expect(world.server.retained).toBe(0)
    const length = world.events.length
    world.connect('eve')
    world.wait(5000)
    expect(world.events.length).toBe(length)
  })

  it('a new server of the same leases gives everybody the address of before', () => {
    const world = new ServerWorld()
    const before = ['ada', 'bob'].map((name) => [name, world.connected(name).inside] as const)
    const leases = world.server.leases()
    const next = new ServerWorld({ server: { leases } })
    for (const [name, inside] of before.reverse()) expect(next.connected(name).inside).toBe(inside)
    expect(next.connected('new').inside).toBe('10.8.0.4')
  })
})

describe('TCP', () => {
  it('connects beside UDP; SRV-61: and is hung up when it ends', () => {
    const world = new ServerWorld({ server: { clientToClient: true } })
    const [ada, bob] = [world.connected('ada', { transport: 'tcp' }), world.connected('bob')]
    world.sendFrom(ada, packetOf('10.8.0.2', '10.8.0.3', 'across'))
    world.wait(50)
    expect(bob.packets.map(textOf)).toEqual(['across'])
    world.input((server) => server.kill(world.idOf('ada'), 'RESTART', world.now))
    world.wait(3000)
    expect(world.hungUp).toEqual([ada.address])
  })

  it('SRV-60: what does not start with a whole client reset in time is hung up', () => {
    const world = new ServerWorld()
    const starts = [
      Uint8Array.of(0, 0),
      Uint8Array.of(255, 255),
      new TextEncoder().encode('GET / HTTP/1.1\r\n\r\n'),
      Uint8Array.of(0, 14, Opcode.CONTROL_V1 << 3, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0),
    ]
    for (const [index, bytes] of starts.entries()) {
      world.input((server) => server.accept(`c${index}`, world.now))
      for (const byte of bytes) world.input((server) => server.receive(Uint8Array.of(byte), `c${index}`, world.now))
    }
    expect(world.hungUp).toEqual(['c0', 'c1', 'c2', 'c3'])
    world.input((server) => server.accept('slow', world.now))
    world.input((server) =>
      server.receive(Uint8Array.of(0, 14, Opcode.CONTROL_HARD_RESET_CLIENT_V2 << 3), 'slow', world.now),
    )
    world.wait(61_000)
    expect(world.hungUp).toContain('slow')
    expect(world.server.retained).toBe(0)
    expect(world.server.stats.clientsBegun).toBe(0)
  })
})
