/**
 * Strangers that go half the way: each proves its address (or, under tls-crypt-v2 without cookies, need not) and then says
 * nothing. What the server keeps for them is little and for a short time, and who means it gets in meanwhile.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { concat } from '../../src/bytes/index.ts'
import { type ControlPacket, Opcode } from '../../src/wire/index.ts'
import { clientWrap } from '../support/first-packets.ts'
import { PKI_NOW } from '../support/pki.ts'
import { scaled, soaking } from '../support/scale.ts'
import { ServerWorld } from '../support/server-world.ts'
import type { WrapKind } from '../support/wraps.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const HAND_WINDOW = 60_000
/** Bytes that a peer may hold before its ClientHello. */
const MOST_HELD = 8192
/** Peers after which the engine has compiled what it will. */
const WARM = 400

describe('half-open peers', () => {
  const kinds: readonly (readonly [name: string, wrap: WrapKind, cookie: boolean])[] = [
    ['no wrap', 'none', true],
    ['tls-crypt-v2', 'tls-crypt-v2', true],
    ['tls-crypt-v2 without cookie', 'tls-crypt-v2', false],
  ]
  it.each(kinds)(
    'SRV-9: %s: at most 8 kB each, all gone 5 s after the hand-window, an honest client connects',
    (_, kind, cookie) => {
      const count = kind === 'none' ? scaled(2400, 300_000) : scaled(2400, 30_000)
      const plenty = { count: 1e9, period: 1 }
      const world = new ServerWorld({
        seed: 'half-open',
        wrap: kind,
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
      const { behind, wrap } = clientWrap(kind)
      const v2 = kind === 'tls-crypt-v2'
      const open = (i: number): void => {
        const [from, sessionId, payload] = [`half ${i}`, new Uint8Array(8), new Uint8Array(0)]
        new DataView(sessionId.buffer).setUint32(0, i + 1)
        const say = (packet: Partial<ControlPacket> & { readonly opcode: number }, replayId: number): void => {
          const whole = { keyId: 0, sessionId, acks: [], packetId: 0, payload, ...packet }
          const datagram = concat(wrap.seal(whole, replayId, PKI_NOW / 1000), behind)
          world.input((server) => server.receive(datagram, from, world.now))
        }
        const early = cookie && v2 ? 0x0f000000 : 0
        say({ opcode: v2 ? Opcode.CONTROL_HARD_RESET_CLIENT_V3 : Opcode.CONTROL_HARD_RESET_CLIENT_V2 }, early + 1)
        const answer = wrap.open(answers.get(from)!)
        if (typeof answer === 'string') throw new Error(answer)
        const peer = { acks: [0], peerSessionId: answer.packet.sessionId }
        if (v2 && cookie) say({ opcode: Opcode.CONTROL_WKC_V1, ...peer, packetId: 1 }, early + 2)
        else if (!v2) say({ opcode: Opcode.ACK_V1, ...peer, packetId: undefined }, 2)
        answers.delete(from)
        world.events.length = 0
      }
      const memory = (): number => {
        for (let i = 0; i < 3; i++) collect()
        const { arrayBuffers, heapUsed } = process.memoryUsage()
        return heapUsed + arrayBuffers
      }
      for (let i = 0; i < WARM; i++) open(i)
      const before = memory()
      const ada = world.connect('ada')
      for (let i = WARM; i < count; i++) {
        open(i)
        if (i % 100 === 0) world.wait(10)
      }
      const each = (memory() - before) / (count - WARM)
      expect(world.server.stats.clientsBegun).toBeGreaterThanOrEqual(count)
      if (soaking()) console.log({ kind, cookie, each })
      expect(each).toBeLessThan(MOST_HELD)
      expect(world.run(world.now + 20_000, () => ada.connected)).toBe(true)
      world.wait(HAND_WINDOW + 5000)
      expect(world.server.clients().map(({ name }) => name)).toEqual(['ada'])
      world.input((server) => server.kill(world.idOf('ada'), 'HALT', world.now))
      world.wait(5000)
      expect(world.server.retained).toBe(0)
    },
  )
})
