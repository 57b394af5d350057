/**
 * What a stranger's first packet brings forth, weighed as the wire does: with 28 bytes of IPv4 and UDP headers each way.
 */
import { describe, expect, it } from 'vitest'
import { concat } from '../../../src/bytes/index.ts'
import { nodeCrypto } from '../../../src/node/crypto/index.ts'
import type { WrapConfig } from '../../../src/session/index.ts'
import { createTlsAuthKeys, createTlsCryptKeys, Opcode, opcodeOf } from '../../../src/wire/index.ts'
import { reset, STRANGER_SESSION } from '../../support/first-packets.ts'
import { PKI_NOW } from '../../support/pki.ts'
import { ServerWorld, type WorldOptions } from '../../support/server-world.ts'
import { wrapPair } from '../../support/wraps.ts'

const HEADERS = 28
const MOST = 1.3
const EARLY = 0x0f000001

/** Sizes on the wire of all that goes to the stranger within two minutes of its packets. */
function answersTo(
  options: WorldOptions,
  ...questions: readonly Uint8Array[]
): { world: ServerWorld; sizes: number[] } {
  const world = new ServerWorld(options)
  const sizes: number[] = []
  world.filter = (data) => {
    sizes.push(data.length + HEADERS)
    return false
  }
  for (const question of questions) world.input((server) => server.receive(question, 'stranger', world.now))
  world.wait(120_000)
  return { world, sizes }
}

/** A reset under tls-auth with another digest. */
function authReset(digest: 'SHA256' | 'SHA512'): { options: WorldOptions; question: Uint8Array } {
  const { client, server } = wrapPair('tls-auth')
  if (client.type !== 'tls-auth') throw new Error('not tls-auth')
  const wrap = createTlsAuthKeys(nodeCrypto, client.key, client.direction, digest)
  const opcode = Opcode.CONTROL_HARD_RESET_CLIENT_V2
  const packet = { opcode, keyId: 0, sessionId: STRANGER_SESSION, acks: [], packetId: 0, payload: new Uint8Array(0) }
  const wraps = [{ ...server, digest } as WrapConfig]
  return { options: { wrap: 'tls-auth', server: { wraps } }, question: wrap.seal(packet, 1, PKI_NOW / 1000) }
}

const rows: readonly (readonly [name: string, options: WorldOptions, question: Uint8Array])[] = [
  ['none', {}, reset('none')],
  ['tls-auth SHA1', { wrap: 'tls-auth' }, reset('tls-auth')],
  ...(['SHA256', 'SHA512'] as const).map((digest) => {
    const { options, question } = authReset(digest)
    return [`tls-auth ${digest}`, options, question] as const
  }),
  ['tls-crypt', { wrap: 'tls-crypt' }, reset('tls-crypt')],
  ['tls-crypt-v2 with cookie', { wrap: 'tls-crypt-v2' }, reset('tls-crypt-v2', EARLY)],
  [
    'tls-crypt-v2 with cookie, forced',
    { wrap: 'tls-crypt-v2', server: { tlsCryptV2: { forceCookie: true } } },
    reset('tls-crypt-v2', EARLY),
  ],
]

describe('amplification', () => {
  it.each(rows)(
    'SRV-3: %s: one answer of at most 1.3 times the question, and nothing after it',
    (_, options, question) => {
      const { sizes, world } = answersTo(options, question)
      expect(sizes.length).toBe(1)
      expect(sizes[0]! / (question.length + HEADERS)).toBeLessThanOrEqual(MOST)
      expect(world.server.retained).toBe(0)
    },
  )

  it.each(rows)('SRV-3: %s: of a question cut anywhere nothing is answered', (_, options, question) => {
    const cut = Array.from({ length: question.length }, (_unused, length) => question.slice(0, length))
    expect(cut.length).toBeGreaterThanOrEqual(14)
    expect(answersTo(options, ...cut).sizes).toEqual([])
  })

  it.each([1, 2, 20])(
    'SRV-3, SRV-6: tls-crypt-v2 without cookie: %i questions, and all answers within 1.3 times them',
    (times) => {
      const questions = Array.from({ length: times }, (_, i) => reset('tls-crypt-v2', 1 + i))
      const question = questions[0]!
      const asked = (question.length + HEADERS) * times
      const { sizes, world } = answersTo({ wrap: 'tls-crypt-v2' }, ...questions)
      expect(sizes.length).toBeGreaterThan(times)
      expect(sizes.reduce((sum, size) => sum + size, 0) / asked).toBeLessThanOrEqual(MOST)
      if (times === 1) expect(world.dropped('address-unproven')).toBeGreaterThan(0)
      expect(world.server.retained).toBe(0)
      const forced = { wrap: 'tls-crypt-v2', server: { tlsCryptV2: { forceCookie: true } } } as const
      expect(answersTo(forced, question).sizes).toEqual([])
    },
  )

  it('SRV-3, SRV-6: such a client gets in over a link that loses three in ten, whatever is lost', () => {
    const { client } = wrapPair('tls-crypt-v2')
    if (client.type !== 'tls-crypt-v2') throw new Error('not tls-crypt-v2')
    const [ours, theirs] = (['client', 'server'] as const).map((role) =>
      createTlsCryptKeys(nodeCrypto, client.key, role),
    )
    for (let seed = 0; seed < 15; seed++) {
      const world = new ServerWorld({ wrap: 'tls-crypt-v2', loss: 0.3, seed: `old ${seed}` })
      // A tls-crypt client whose resets are made those of tls-crypt-v2 on their way: that is what 2.5 sends.
      world.filter = (data, to, from) => {
        if (to !== 'server' || opcodeOf(data[0]!) !== Opcode.CONTROL_HARD_RESET_CLIENT_V2) return true
        const opened = theirs!.open(data)
        if (typeof opened === 'string') throw new Error(opened)
        const packet = { ...opened.packet, opcode: Opcode.CONTROL_HARD_RESET_CLIENT_V3 }
        const sealed = ours!.seal(packet, opened.replayPacketId, PKI_NOW / 1000)
        world.inject(concat(sealed, client.wrappedKey), from)
        return false
      }
      const old = world.connect('old', { wrap: { type: 'tls-crypt', key: client.key } })
      expect(
        world.run(60_000, () => old.connected),
        `seed ${seed}`,
      ).toBe(true)
      expect(world.dropped('address-unproven')).toBe(0)
    }
  })
})
