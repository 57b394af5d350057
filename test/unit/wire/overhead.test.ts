import { describe, expect, it } from 'vitest'
import { HASH_LENGTH, noble } from '../../../src/crypto/index.ts'
import {
  type ControlPacket,
  controlOverhead,
  controlPayloadLimit,
  createTlsAuthKeys,
  createTlsCryptKeys,
  plainWrap,
  StaticKey,
  TRANSPORT_OVERHEAD,
  wrapOverhead,
} from '../../../src/wire/index.ts'
import { SeededRandom } from '../../support/random.ts'
import { type PacketJson, wireVectors } from '../../support/wire.ts'

const random = new SeededRandom('overhead')
const key = new StaticKey(random.bytes(256))

describe('sizes', () => {
  it('WIRE-50 the overhead is what sealing really adds', () => {
    const wraps = [plainWrap, createTlsCryptKeys(noble, key, 'client'), createTlsAuthKeys(noble, key, 0, 'SHA384')]
    for (const wrap of wraps) {
      expect(wrap.overhead).toBe(wrapOverhead(wrap.type, 48))
      for (let acks = 0; acks <= 8; acks++) {
        const packet: ControlPacket = {
          opcode: 4,
          keyId: 0,
          sessionId: random.bytes(8),
          acks: Array.from({ length: acks }, (_, i) => i),
          ...(acks === 0 ? {} : { peerSessionId: random.bytes(8) }),
          packetId: 9,
          payload: random.bytes(33),
        }
        expect(wrap.seal(packet, 1, 1).length).toBe(controlOverhead(wrap.type, acks, 48) + 33)
      }
    }
    expect(controlOverhead('none', 0, 0)).toBe(14)
    expect(controlOverhead('tls-auth', 1, HASH_LENGTH.SHA1)).toBe(54)
    expect(controlOverhead('tls-crypt', 1, 0)).toBe(66)
  })

  it('WIRE-51, WIRE-52 packet, transport and payload add up to the limit', () => {
    expect(TRANSPORT_OVERHEAD).toEqual({ udp4: 28, udp6: 48, tcp4: 42, tcp6: 62 })
    const options = {
      maxPacketSize: 1250,
      transport: 'udp4',
      wrapOverhead: 0,
      ackCount: 1,
      wrappedKeyLength: 0,
    } as const
    expect(controlPayloadLimit(options)).toBe(1250 - 28 - 26)
    expect(controlPayloadLimit({ ...options, transport: 'tcp6' })).toBe(1250 - 62 - 26)
    expect(controlPayloadLimit({ ...options, wrapOverhead: 40, wrappedKeyLength: 299 })).toBe(1250 - 28 - 26 - 40 - 299)
    expect(controlPayloadLimit({ ...options, maxPacketSize: 154, wrapOverhead: 40, wrappedKeyLength: 299 })).toBe(0)
  })

  it('WIRE-53 sizes outside the range are moved to its ends', () => {
    const options = { transport: 'udp4', wrapOverhead: 0, ackCount: 0, wrappedKeyLength: 0 } as const
    expect(controlPayloadLimit({ ...options, maxPacketSize: 0 })).toBe(154 - 28 - 14)
    expect(controlPayloadLimit({ ...options, maxPacketSize: 9000 })).toBe(2048 - 28 - 14)
  })

  it('WIRE-52, WIRE-53 the reference fills its packets to the same limit, less 16 bytes under tls-crypt', () => {
    interface Captured {
      name: string
      wrap: 'none' | 'tls-auth' | 'tls-crypt'
      args: string[]
      packet: PacketJson
      wrappedKey?: string
    }
    let full = 0
    for (const { name, wrap, args, packet, wrappedKey } of wireVectors<Captured>('captured')) {
      const at = args.indexOf('--max-packet-size')
      if (at < 0 || packet.packetId !== 1) continue
      const limit = controlPayloadLimit({
        maxPacketSize: Number(args[at + 1]),
        transport: 'udp4',
        wrapOverhead: wrapOverhead(wrap, 0),
        ackCount: packet.acks.length,
        wrappedKeyLength: (wrappedKey?.length ?? 0) / 2,
      })
      expect(packet.payload.length / 2, name).toBe(limit - (wrap === 'tls-crypt' ? 16 : 0))
      full++
    }
    expect(full).toBe(3)
  })
})
