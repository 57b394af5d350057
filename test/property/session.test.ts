/**
 * Laws of whole sessions under any order of inputs: the invariants of the pair hold at every step (bounded outputs, `closed`
 * once and last, no deadline left behind, nothing delivered that was not sent, no nonce twice), and when the network heals a
 * tunnel that is not closed works again.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nodeCrypto } from '../../src/node/crypto/index.ts'
import type { SessionConfig } from '../../src/session/index.ts'
import { CLEAN, type End, rough } from '../support/network.ts'
import { ipPacket, Pair } from '../support/pair.ts'
import { scaled } from '../support/scale.ts'
import { WRAP_KINDS, wrapPair } from '../support/wraps.ts'

type Action =
  | { readonly type: 'steps'; readonly count: number }
  | { readonly type: 'wait'; readonly duration: number }
  | { readonly type: 'jump'; readonly duration: number }
  | { readonly type: 'send' | 'renegotiate' | 'early' | 'noise'; readonly end: End }
  | { readonly type: 'partition'; readonly on: boolean }
  | { readonly type: 'loss'; readonly loss: number }
  | { readonly type: 'lose' }

const end = fc.constantFrom<End>('client', 'server')
const action: fc.Arbitrary<Action> = fc.oneof(
  fc.record({ type: fc.constant('steps' as const), count: fc.integer({ min: 1, max: 12 }) }),
  fc.record({ type: fc.constant('wait' as const), duration: fc.integer({ min: 0, max: 30_000 }) }),
  fc.record({ type: fc.constant('jump' as const), duration: fc.double({ min: 0, max: 100_000, noNaN: true }) }),
  fc.record({ type: fc.constantFrom('send', 'renegotiate', 'early', 'noise'), end }),
  fc.record({ type: fc.constant('partition' as const), on: fc.boolean() }),
  fc.record({ type: fc.constant('loss' as const), loss: fc.double({ min: 0, max: 0.5, noNaN: true }) }),
  fc.record({ type: fc.constant('lose' as const) }),
)

let marks = 0

function perform(pair: Pair, step: Action): void {
  switch (step.type) {
    case 'steps':
      for (let i = 0; i < step.count; i++) pair.step(pair.now + 10_000)
      return
    case 'wait':
      pair.wait(step.duration)
      return
    case 'jump':
      pair.now += step.duration
      for (const side of [pair.client, pair.server]) pair.input(side, (session, now) => session.handleTimeout(now))
      return
    case 'send':
      pair.send(pair.side(step.end), ipPacket(marks++, 40 + (marks % 1000)))
      return
    case 'renegotiate':
      pair.input(pair.side(step.end), (session, now) => session.renegotiate(now))
      return
    case 'early': {
      const { session } = pair.side(step.end)
      const before = session.digest().join()
      if (session.pollTimeout() <= pair.now) return
      session.handleTimeout(pair.now)
      expect(session.digest().join()).toBe(before)
      return
    }
    case 'noise':
      pair.input(pair.side(step.end), (session, now) => session.receive(pair.random.bytes(pair.random.below(300)), now))
      return
    case 'partition':
      pair.network.partitioned = step.on
      return
    case 'loss':
      pair.network.faults = rough(step.loss)
      return
    case 'lose':
      pair.network.clear()
  }
}

const patient: Partial<SessionConfig> = { timers: { ping: 10_000, renegotiateAfter: 300_000 } }

describe('sessions', () => {
  it('keep their promises under any order of inputs, and recover', { timeout: 3_600_000 }, () => {
    let connected = 0
    fc.assert(
      fc.property(
        fc.integer(),
        fc.constantFrom(...WRAP_KINDS.filter((kind) => kind !== 'none')),
        fc.array(action, { maxLength: 40 }),
        (seed, kind, actions) => {
          const wrap = wrapPair(kind)
          const pair = new Pair({
            crypto: nodeCrypto,
            seed,
            client: { ...patient, wrap: wrap.client },
            server: { ...patient, wrap: wrap.server, push: { options: ['ping 10'], peerId: 3 } },
          })
          for (const step of actions) perform(pair, step)
          pair.network.partitioned = false
          pair.network.faults = CLEAN
          pair.wait(200_000)
          const states = [pair.client.session.state, pair.server.session.state]
          if (states[0] !== 'connected' || states[1] !== 'connected') {
            // Only what happened before the tunnel was up may have ended it, and then the reason says which timer.
            expect(
              [...pair.events(pair.client, 'connected'), ...pair.events(pair.server, 'connected')].length,
            ).toBeLessThan(2)
            return
          }
          connected++
          const before = [pair.server.packets.length, pair.client.packets.length]
          pair.send(pair.client, ipPacket(marks++))
          pair.send(pair.server, ipPacket(marks++))
          pair.wait(500)
          expect([pair.server.packets.length, pair.client.packets.length]).toEqual(before.map((count) => count + 1))
        },
      ),
      { numRuns: scaled(150, 5_000), seed: 20260822 },
    )
    expect(connected).toBeGreaterThan(100)
  })

  it('gives the same packets for a TCP stream however it is cut', () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.array(fc.integer({ min: 1, max: 1400 }), { minLength: 1, maxLength: 8 }),
        (seed, sizes) => {
          const pair = new Pair({ crypto: nodeCrypto, seed, transport: 'tcp', faults: { ...CLEAN, jitter: 5 } })
          expect(pair.connect()).toBe(true)
          const sent = sizes.map((size, index) => ipPacket(index, 30 + size))
          for (const packet of sent) pair.send(pair.client, packet)
          pair.wait(1_000)
          expect(pair.server.packets).toEqual(sent)
        },
      ),
      { numRuns: scaled(30, 500), seed: 7 },
    )
  })
})
