/**
 * What strangers get: answers that cost nothing to forget, and clients only behind a proof of address.
 */
import { describe, expect, it } from 'vitest'
import { concat } from '../../../src/bytes/index.ts'
import { type ControlPacket, Opcode } from '../../../src/wire/index.ts'
import { clientWrap, reset, STRANGER_SESSION as SESSION } from '../../support/first-packets.ts'
import { PKI_NOW } from '../../support/pki.ts'
import { ServerWorld } from '../../support/server-world.ts'
import { WRAP_KINDS } from '../../support/wraps.ts'

const NONE = new Uint8Array(0)

/** Sends datagrams from an address of nobody's; what the server transmits. */
function ask(world: ServerWorld, ...datagrams: readonly Uint8Array[]): Uint8Array[] {
  const answers: Uint8Array[] = []
  world.filter = (data, to) => {
    if (to === 'stranger') answers.push(data)
    return to !== 'stranger'
  }
  for (const data of datagrams) world.input((server) => server.receive(data, 'stranger', world.now))
  return answers
}

const EARLY = 0x0f000001

describe('the front', () => {
  it.each(WRAP_KINDS)('SRV-2, SRV-3: a reset under %s is answered, forgotten, and never amplified', (kind) => {
    const world = new ServerWorld({ wrap: kind })
    const question = reset(kind, EARLY)
    const [answer, ...more] = ask(world, question)
    expect(more).toEqual([])
    expect((answer!.length + 28) / (question.length + 28)).toBeLessThanOrEqual(1.3)
    expect(world.server.retained).toBe(0)
    expect(world.server.pollTimeout()).toBe(Infinity)
    expect(world.events).toEqual([])
    // The same question in the same time slot has the same answer but for nothing.
    expect(ask(world, question)).toEqual([answer])
  })

  it.each(WRAP_KINDS)('SRV-4: every forged or foreign proof under %s is dropped without a trace', (kind) => {
    const world = new ServerWorld({ wrap: kind })
    const { behind, wrap } = clientWrap(kind)
    const opened = wrap.open(ask(world, reset(kind, EARLY))[0]!)
    if (typeof opened === 'string') throw new Error(opened)
    const cookie = opened.packet.sessionId
    const proof = (peerSessionId: Uint8Array, change: Partial<ControlPacket> = {}): Uint8Array => {
      const opcode = kind === 'tls-crypt-v2' ? Opcode.CONTROL_WKC_V1 : Opcode.CONTROL_V1
      const base = { opcode, keyId: 0, sessionId: SESSION, acks: [0], peerSessionId, packetId: 1, payload: NONE }
      return concat(wrap.seal({ ...base, ...change }, EARLY + 1, PKI_NOW / 1000), behind)
    }
    let tried = 0
    for (let byte = 0; byte < 8; byte++) {
      for (let bit = 0; bit < 8; bit++) {
        const forged = cookie.slice()
        forged[byte] = forged[byte]! ^ (1 << bit)
        if (forged.some((value) => value !== 0)) ask(world, proof(forged))
        tried++
      }
    }
    expect(tried).toBe(64)
    ask(world, proof(cookie, { sessionId: Uint8Array.of(8, 7, 6, 5, 4, 3, 2, 1) }))
    ask(world, proof(cookie, { packetId: 2 }), proof(cookie, { acks: [2] }), proof(cookie, { keyId: 1 }))
    world.input((server) => server.receive(proof(cookie), 'another stranger', world.now))
    expect(world.server.stats.clientsBegun).toBe(0)
    expect(world.server.retained).toBe(0)
    ask(world, proof(cookie))
    expect(world.server.stats.clientsBegun).toBe(1)
    world.now += 200_000
    world.input((server) => server.handleTimeout(world.now))
    ask(world, proof(cookie))
    expect(world.server.stats.clientsBegun).toBe(1)
    expect(world.server.retained).toBe(0)
  })

  it('SRV-6: a client that cannot repeat its wrapped key begins at once, or never where cookies are forced', () => {
    const lax = new ServerWorld({ wrap: 'tls-crypt-v2' })
    expect(ask(lax, reset('tls-crypt-v2')).length).toBe(1)
    expect(lax.server.stats.clientsBegun).toBe(1)
    expect(lax.server.clients().length).toBe(1)
    const strict = new ServerWorld({ wrap: 'tls-crypt-v2', server: { tlsCryptV2: { forceCookie: true } } })
    expect(ask(strict, reset('tls-crypt-v2'))).toEqual([])
    expect(strict.dropped('cookie-required')).toBe(1)
    expect(ask(strict, reset('tls-crypt-v2', EARLY)).length).toBe(1)
  })
})
