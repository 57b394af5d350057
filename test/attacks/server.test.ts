/**
 * Known attacks on servers with many clients, each by its name: nothing is kept for a stranger, no client touches another.
 */
import { describe, expect, it } from 'vitest'
import { firstByte, Opcode, opcodeOf, writeControlPlain } from '../../src/wire/index.ts'
import { SeededRandom } from '../support/random.ts'
import { scaled } from '../support/scale.ts'
import { packetOf, ServerWorld } from '../support/server-world.ts'

const NONE = new Uint8Array(0)

describe('attacks on a server', () => {
  it('forged cookies (CVE-2025-13086): none of many opens a session', () => {
    const world = new ServerWorld()
    const random = new SeededRandom('cookies')
    const count = scaled(20_000, 1_000_000)
    for (let i = 0; i < count; i++) {
      const packet = {
        opcode: Opcode.CONTROL_V1,
        keyId: 0,
        sessionId: random.bytes(8),
        acks: [0],
        peerSessionId: random.bytes(8),
        packetId: 1,
        payload: NONE,
      }
      world.input((server) => server.receive(writeControlPlain(packet), `10.0.0.1 ${i & 1023}`, world.now))
    }
    expect(world.dropped('cookie-invalid')).toBe(count)
    expect(world.server.stats.clientsBegun).toBe(0)
    expect(world.server.retained).toBe(0)
  })

  it('a session opened by what is no first packet: no opcode and key id does', () => {
    const world = new ServerWorld()
    let tried = 0
    for (let first = 0; first < 256; first++) {
      for (const length of [0, 1, 8, 9, 14, 26, 60, 1400]) {
        const bytes = new Uint8Array(length).fill(7)
        if (length > 0) bytes[0] = first
        world.input((server) => server.receive(bytes, 'stranger', world.now))
        tried++
      }
    }
    expect(tried).toBe(2048)
    expect(world.server.stats.clientsBegun).toBe(0)
    expect(world.server.retained).toBe(0)
  })

  it('SRV-62 silent connections: a flood of them holds no more than max-clients, and keeps nobody out', () => {
    const world = new ServerWorld({ server: { maxClients: 8 } })
    const ada = world.connected('ada', { transport: 'tcp' })
    const before = world.server.retained
    for (let i = 0; i < 5000; i++) {
      world.input((server) => {
        server.accept(`silent ${i}`, world.now)
        // A piece of a frame is no word yet.
        server.receive(Uint8Array.of(0), `silent ${i}`, world.now)
      })
    }
    // An entry and a deadline each.
    expect(world.server.retained - before).toBeLessThanOrEqual(16)
    expect(world.hungUp.length).toBe(5000 - 8)
    expect(world.connected('bob', { transport: 'tcp' }).connected).toBe(true)
    world.sendFrom(ada, packetOf('10.8.0.2', '10.8.0.1', 'still here'))
    world.wait(100)
    expect(world.packets.length).toBe(1)
    world.wait(120_000)
    expect(world.hungUp.length).toBe(5000)
    expect(world.server.clients().length).toBe(2)
  })

  it('float hijack (CVE-2020-11810): a captured packet sent again from elsewhere moves nobody', () => {
    const world = new ServerWorld()
    const ada = world.connected('ada')
    const captured: Uint8Array[] = []
    world.filter = (data, to) => {
      if (to === 'server' && opcodeOf(data[0]!) === Opcode.DATA_V2) captured.push(data.slice())
      return true
    }
    for (let i = 0; i < 50; i++) world.sendFrom(ada, packetOf('10.8.0.2', '10.8.0.1', `${i}`))
    world.wait(100)
    expect(captured.length).toBe(50)
    for (const bytes of captured) world.input((server) => server.receive(bytes, 'thief', world.now))
    expect(world.server.stats.floats).toBe(0)
    expect(world.packets.length).toBe(50)
    expect(world.server.clients()[0]!.address).toBe(ada.address)
  })

  it('peer-ids out of range: every one is dropped', () => {
    const world = new ServerWorld()
    world.connected('ada')
    const before = world.dropped('no-client')
    const bytes = new Uint8Array(40)
    bytes[0] = firstByte(Opcode.DATA_V2, 0)
    const step = scaled(4099, 1)
    let tried = 0
    for (let id = 1; id <= 0xffffff; id += step) {
      bytes[1] = id >>> 16
      bytes[2] = id >>> 8
      bytes[3] = id
      world.input((server) => server.receive(bytes, 'stranger', world.now))
      tried++
    }
    expect(world.dropped('no-client') - before).toBe(tried)
    expect(tried).toBeGreaterThan(4000)
  })

  it('resets from a client’s address by somebody who does not hear the answers disturb nothing', () => {
    const world = new ServerWorld()
    const ada = world.connected('ada')
    const random = new SeededRandom('resets')
    for (let i = 0; i < 1000; i++) {
      const packet = {
        opcode: Opcode.CONTROL_HARD_RESET_CLIENT_V2,
        keyId: 0,
        sessionId: random.bytes(8),
        acks: [],
        packetId: 0,
        payload: NONE,
      }
      world.input((server) => server.receive(writeControlPlain(packet), ada.address, world.now))
    }
    world.sendFrom(ada, packetOf('10.8.0.2', '10.8.0.1', 'still here'))
    world.wait(100)
    expect(world.packets.length).toBe(1)
    expect(world.server.clients().length).toBe(1)
  })
})
