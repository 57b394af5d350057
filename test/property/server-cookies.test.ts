/**
 * A million lies about who has received the server's answer: none begins a client, none is remembered, and the truth is
 * accepted behind them.
 */
import { describe, expect, it } from 'vitest'
import { concat } from '../../src/bytes/index.ts'
import { type ControlPacket, Opcode } from '../../src/wire/index.ts'
import { clientWrap, reset, STRANGER_SESSION } from '../support/first-packets.ts'
import { PKI_NOW } from '../support/pki.ts'
import { SeededRandom } from '../support/random.ts'
import { scaled } from '../support/scale.ts'
import { ServerWorld } from '../support/server-world.ts'
import { WRAP_KINDS, type WrapKind } from '../support/wraps.ts'

const NONE = new Uint8Array(0)
const EARLY = 0x0f000001
/** The least time after which the two bits of a cookie that tell its time come round again. */
const ROUND = 120_000

/** The cookie that a server gives to an address at this time. */
function cookieFor(world: ServerWorld, kind: WrapKind, address: string): Uint8Array {
  const answers: Uint8Array[] = []
  world.filter = (data) => {
    answers.push(data)
    return false
  }
  world.input((server) => server.receive(reset(kind, EARLY), address, world.now))
  const opened = clientWrap(kind).wrap.open(answers[0]!)
  if (typeof opened === 'string') throw new Error(opened)
  return opened.packet.sessionId
}

describe('forged cookies', () => {
  it.each(WRAP_KINDS)(
    'SRV-4: none of many is accepted under %s, and the true one is',
    (kind) => {
      const world = new ServerWorld({ wrap: kind, seed: 'cookies' })
      const random = new SeededRandom(`forged cookies/${kind}`)
      const { behind, wrap } = clientWrap(kind)
      const opcode = kind === 'tls-crypt-v2' ? Opcode.CONTROL_WKC_V1 : Opcode.CONTROL_V1
      const prove = (peerSessionId: Uint8Array, from: string, change: Partial<ControlPacket> = {}): void => {
        const base = { opcode, keyId: 0, sessionId: STRANGER_SESSION, acks: [0], packetId: 1, payload: NONE }
        const sealed = wrap.seal({ ...base, peerSessionId, ...change }, EARLY + 1, PKI_NOW / 1000)
        world.input((server) => server.receive(concat(sealed, behind), from, world.now))
      }
      const stale = cookieFor(world, kind, 'stranger')
      world.now = ROUND
      const good = cookieFor(world, kind, 'stranger')
      const foreign = cookieFor(new ServerWorld({ wrap: kind, seed: 'another server' }), kind, 'stranger')
      expect(stale[7]! & 3).toBe(good[7]! & 3)
      const count = scaled(5000, 250_000)
      const lies: readonly ((i: number) => void)[] = [
        () => {
          prove(random.bytes(8), 'stranger')
        },
        // The right time and the bit that is always set.
        () => {
          const id = random.bytes(8)
          id[0]! |= 1
          id[7] = (id[7]! & 0xfc) | (good[7]! & 3)
          prove(id, 'stranger')
        },
        // An odd number of flips never comes back to the truth.
        (i) => {
          const id = good.slice()
          for (let flips = i % 2 === 0 ? 1 : 3; flips > 0; flips--) id[random.below(8)]! ^= 1 << random.below(8)
          prove(id, 'stranger')
        },
        (i) => {
          prove(good, `stranger ${i}`)
        },
        () => {
          prove(good, 'stranger', { sessionId: random.bytes(8) })
        },
        (i) => {
          prove(i % 2 === 0 ? stale : foreign, 'stranger')
        },
      ]
      for (let i = 0; i < count; i++) lies[i % lies.length]!(i)
      expect(world.dropped('cookie-invalid')).toBe(count)
      expect(world.server.stats.clientsBegun).toBe(0)
      expect(world.server.retained).toBe(0)
      expect(world.events).toEqual([])
      prove(good, 'stranger')
      expect(world.server.stats.clientsBegun).toBe(1)
    },
    600_000,
  )
})
