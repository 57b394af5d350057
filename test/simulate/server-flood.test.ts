/**
 * Strangers that go half the way: each proves its address and then says nothing. What the server keeps for them is little and
 * for a short time, and who means it gets in meanwhile.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { Opcode, parseControlPlain, writeControlPlain } from '../../src/wire/index.ts'
import { scaled } from '../support/scale.ts'
import { ServerWorld } from '../support/server-world.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const HAND_WINDOW = 60_000
/** Bytes that a peer may hold before its ClientHello. */
const MOST_HELD = 8192

describe('half-open peers', () => {
  it('SRV-9: at most 8 kB each, all gone 5 s after the hand-window, an honest client connects meanwhile', () => {
    const count = scaled(1000, 300_000)
    const plenty = { count: 1e9, period: 1 }
    const world = new ServerWorld({
      seed: 'half-open',
      pool: { network: '10.0.0.0', netmask: '255.0.0.0' },
      server: {
        maxClients: count + 10,
        connectFreqInitial: plenty,
        handshakeWork: plenty,
        session: { timers: { handWindow: HAND_WINDOW, ping: 10_000, pingRestart: 120_000 } },
      },
    })
    const answers = new Map<string, Uint8Array>()
    world.filter = (data, to) => {
      if (!to.startsWith('half')) return true
      if (!answers.has(to)) answers.set(to, data.slice())
      return false
    }
    const open = (i: number): void => {
      const [from, sessionId] = [`half ${i}`, new Uint8Array(8)]
      new DataView(sessionId.buffer).setUint32(0, i + 1)
      const first = { opcode: Opcode.CONTROL_HARD_RESET_CLIENT_V2, keyId: 0, sessionId, acks: [], packetId: 0 }
      world.input((server) =>
        server.receive(writeControlPlain({ ...first, payload: new Uint8Array(0) }), from, world.now),
      )
      const answer = parseControlPlain(answers.get(from)!)
      if (typeof answer === 'string') throw new Error(answer)
      const peer = { acks: [0], peerSessionId: answer.sessionId, packetId: undefined, payload: new Uint8Array(0) }
      const ack = writeControlPlain({ opcode: Opcode.ACK_V1, keyId: 0, sessionId, ...peer })
      world.input((server) => server.receive(ack, from, world.now))
      answers.delete(from)
      world.events.length = 0
    }
    const memory = (): number => {
      for (let i = 0; i < 3; i++) collect()
      const { arrayBuffers, heapUsed } = process.memoryUsage()
      return heapUsed + arrayBuffers
    }
    for (let i = 0; i < 100; i++) open(i)
    const before = memory()
    const ada = world.connect('ada')
    for (let i = 100; i < count; i++) {
      open(i)
      if (i % 100 === 0) world.wait(10)
    }
    const each = (memory() - before) / (count - 100)
    expect(world.server.stats.clientsBegun).toBeGreaterThanOrEqual(count)
    expect(each).toBeLessThan(MOST_HELD)
    expect(world.run(world.now + 20_000, () => ada.connected)).toBe(true)
    world.wait(HAND_WINDOW + 5000)
    expect(world.server.clients().map(({ name }) => name)).toEqual(['ada'])
    world.input((server) => server.kill(world.idOf('ada'), 'HALT', world.now))
    world.wait(5000)
    expect(world.server.retained).toBe(0)
  })
})
