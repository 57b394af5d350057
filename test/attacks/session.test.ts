/**
 * Known attacks on the control channel and on session slots, one test each. The letters are those of the project's list of
 * vulnerability classes: A before authentication, B on slots, renegotiation and messages.
 */
import { describe, expect, it } from 'vitest'
import { nodeCrypto } from '../../src/node/crypto/index.ts'
import { Session } from '../../src/session/index.ts'
import {
  createTlsAuthKeys,
  createTlsCryptKeys,
  isDataOpcode,
  Opcode,
  opcodeOf,
  writeControlPlain,
} from '../../src/wire/index.ts'
import { expectDropped, stopped } from '../support/dropped.ts'
import { connectPair, Pair, pairConfigs } from '../support/pair.ts'
import { PKI_NOW } from '../support/pki.ts'
import { SeededRandom } from '../support/random.ts'
import { tapLine } from '../support/tap-line.ts'
import { WRAP_KINDS, wrapPair } from '../support/wraps.ts'

const crypto = nodeCrypto

describe('A: before authentication', () => {
  it.each(['tls-auth', 'tls-crypt', 'tls-crypt-v2'] as const)(
    'A1 every prefix of every %s packet is dropped',
    (kind) => {
      const { pair, seen } = stopped(kind, 12)
      let count = 0
      for (const { bytes, side } of seen) {
        for (let length = 0; length < bytes.length; length++) {
          expectDropped(pair, side.session, bytes.subarray(0, length), `prefix ${length}`)
          count++
        }
      }
      expect(count).toBeGreaterThan(3_000)
    },
  )

  it('A2 CVE-2017-7478 packets of any size are dropped without a throw', () => {
    for (const kind of WRAP_KINDS) {
      for (const steps of [0, 4, 12]) {
        const { pair } = stopped(kind, steps)
        for (const size of [1250, 2047, 2048, 2049, 2174, 2175, 4096, 65_507, 65_535]) {
          for (const { session } of [pair.client, pair.server]) {
            const bytes = new Uint8Array(size).fill(0x20)
            expectDropped(pair, session, bytes, `${size} bytes`)
          }
        }
      }
    }
  })

  it('A8 CVE-2025-2704 a wrapped client key that comes again, valid or damaged, changes nothing', () => {
    const wrap = wrapPair('tls-crypt-v2')
    const [client, server] = pairConfigs({ client: { wrap: wrap.client }, server: { wrap: wrap.server } })
    const environment = (seed: string): ConstructorParameters<typeof Session>[1] => ({
      now: 0,
      timeOrigin: PKI_NOW,
      random: new SeededRandom(seed).source,
      crypto,
    })
    const first = new Session(client, environment('a')).poll()
    if (first?.type !== 'transmit') throw new Error('no reset')
    const session = new Session(server, environment('b'))
    session.receive(first.data, 0)
    while (session.poll() !== undefined);
    const before = session.digest()
    for (let i = 0; i < 2_000; i++) {
      const copy = first.data.slice()
      const at = i % copy.length
      if (i % 3 > 0) copy[at] = copy[at]! ^ (1 << (i % 8))
      session.receive(copy, 0)
      expect(session.poll()).toBeUndefined()
    }
    expect(session.digest()).toEqual(before)
  })

  it.each(['tls-auth', 'tls-crypt'] as const)(
    'A12 replayed and future %s packets never lock the honest peer out',
    (kind) => {
      const wrap = wrapPair(kind)
      const pair = connectPair({ crypto, client: { wrap: wrap.client }, server: { wrap: wrap.server } })
      // Who has the shared key but not the session ids: far ahead in id and time.
      const { client } = wrap
      const keys =
        client.type === 'tls-auth'
          ? createTlsAuthKeys(crypto, client.key, client.direction, 'SHA1')
          : client.type === 'tls-crypt'
            ? createTlsCryptKeys(crypto, client.key, 'client')
            : undefined
      const sessionId = new SeededRandom('insider').bytes(8)
      for (const time of [0, 1, 0x7fffffff, 0xffffffff]) {
        for (const id of [1, 1000, 0xffffffff]) {
          const packet = {
            opcode: Opcode.CONTROL_V1,
            keyId: 0,
            sessionId,
            acks: [],
            packetId: 5,
            payload: new Uint8Array(9),
          }
          expectDropped(pair, pair.server.session, keys!.seal(packet, id, time), `time ${time} id ${id}`)
        }
      }
      pair.input(pair.client, (session, now) => session.renegotiate(now))
      pair.wait(2_000)
      expect(pair.server.session.stats.rekeys).toBe(1)
    },
  )

  it('A13 a client that shows our own session id is treated like any other', () => {
    const [, config] = pairConfigs()
    const session = new Session(config, {
      now: 0,
      timeOrigin: PKI_NOW,
      random: (length) => new Uint8Array(length).fill(7),
      crypto,
    })
    const reset = {
      opcode: Opcode.CONTROL_HARD_RESET_CLIENT_V2,
      keyId: 0,
      sessionId: new Uint8Array(8).fill(7),
      acks: [],
      packetId: 0,
      payload: new Uint8Array(0),
    }
    expect(() => session.receive(writeControlPlain(reset), 0)).not.toThrow()
    session.receive(Uint8Array.of(0x38, ...new Uint8Array(13)), 0)
    expect(session.stats.dropped['session-id-zero']).toBe(1)
  })

  it('A14 every opcode, key id and role in every state and wrap is dropped unless it belongs there', () => {
    let count = 0
    for (const kind of WRAP_KINDS) {
      for (const steps of [0, 1, 3, 5, 8, 20]) {
        const { pair, seen } = stopped(kind, steps)
        for (const side of [pair.client, pair.server]) {
          const sample = seen.find((entry) => entry.side === side && !isDataOpcode(opcodeOf(entry.bytes[0]!)))
          for (let first = 0; first < 256; first++) {
            // The body of a genuine packet under every first byte but its own; without a wrap, a body that is none.
            const bytes = sample === undefined || kind === 'none' ? new Uint8Array(60) : sample.bytes.slice()
            if (sample !== undefined && bytes[0] === first) continue
            if (kind === 'none') bytes.set((sample?.bytes ?? bytes).subarray(0, 9))
            bytes[0] = first
            if (kind === 'none' && bytes.subarray(1, 9).some((byte) => byte !== 0)) continue
            expectDropped(pair, side.session, bytes, `first byte ${first} in step ${steps} under ${kind}`)
            count++
          }
        }
      }
    }
    expect(count).toBeGreaterThan(8_000)
  })

  it('A15 a TCP stream that never finishes a frame holds one frame and no more', () => {
    const pair = connectPair({ crypto, transport: 'tcp' })
    const { session } = pair.server
    session.receive(Uint8Array.of(0xff), pair.now)
    session.receive(Uint8Array.of(0xff), pair.now)
    for (let i = 0; i < 60; i++) session.receive(new Uint8Array(1000).fill(0x20), pair.now)
    expect(session.state).toBe('connected')
    expect(session.poll()).toBeUndefined()
  })

  it('A16 CVE-2026-13117 resets outside the dynamic key break no renegotiation', () => {
    const wrap = wrapPair('tls-crypt')
    const pair = connectPair({ crypto, client: { wrap: wrap.client }, server: { wrap: wrap.server } })
    const { client } = wrap
    if (client.type !== 'tls-crypt') throw new Error('wrong wrap')
    const old = createTlsCryptKeys(crypto, client.key, 'client')
    let id = 500
    const inject = (): void => {
      for (const keyId of [1, 2, 3]) {
        const packet = {
          opcode: Opcode.CONTROL_SOFT_RESET_V1,
          keyId,
          sessionId: new SeededRandom('x').bytes(8),
          acks: [],
          packetId: 0,
          payload: new Uint8Array(0),
        }
        expectDropped(pair, pair.server.session, old.seal(packet, ++id, 0xfffffff0), 'a reset under the old key')
        expectDropped(pair, pair.server.session, writeControlPlain(packet), 'a reset in clear')
      }
    }
    inject()
    pair.input(pair.client, (session, now) => session.renegotiate(now))
    for (let i = 0; i < 12; i++) {
      inject()
      pair.step(pair.now + 1_000)
    }
    pair.wait(1_000)
    expect(pair.server.session.stats.rekeys).toBe(1)
  })

  it('A17 a hard reset with another message id is dropped, and the handshake goes on', () => {
    for (const packetId of [1, 2, 3, 12, 13, 0x7fffffff, 0xffffffff]) {
      const pair = new Pair({ crypto })
      const tapped = tapLine(pair)
      pair.wait(45)
      const reset = tapped.find(({ packet }) => packet.opcode === Opcode.CONTROL_HARD_RESET_SERVER_V2)!
      const bytes = writeControlPlain({ ...reset.packet, packetId })
      expectDropped(pair, pair.client.session, bytes, `id ${packetId}`)
      expect(pair.connect()).toBe(true)
    }
  })
})
