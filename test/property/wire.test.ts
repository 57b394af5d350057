/**
 * Laws of the wire floor: what is written is read back, what is cut is joined, and arbitrary bytes get the oracle's answer,
 * untouched and without a throw.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { HASH_LENGTH, type HashName, noble } from '../../src/crypto/index.ts'
import {
  type ControlPacket,
  type ControlWrap,
  createTlsAuthKeys,
  createTlsCryptKeys,
  createTlsCryptV2Wrapper,
  isWireProblem,
  parseClientKeyMetadata,
  parseResetSettings,
  parseStaticKey,
  plainWrap,
  splitWrappedKey,
  StaticKey,
  StreamFramer,
  TlsCryptV2ServerKey,
  writeClientKeyMetadata,
  writeFrame,
  writeStaticKey,
} from '../../src/wire/index.ts'
import { SeededRandom } from '../support/random.ts'
import { scaled } from '../support/scale.ts'
import { mutatedVerdict } from '../support/wire.ts'

const runs = { numRuns: scaled(300, 20_000), seed: 20_260_101 }
const bytes = (minLength: number, maxLength: number) => fc.uint8Array({ minLength, maxLength })
const id = fc.integer({ min: 0, max: 0xffffffff })
const sessionId = bytes(8, 8).filter((value) => value.some((byte) => byte !== 0))

const anyPacket: fc.Arbitrary<ControlPacket> = fc
  .record({
    opcode: fc.constantFrom(1, 2, 3, 4, 5, 7, 8, 10, 11),
    keyId: fc.integer({ min: 0, max: 7 }),
    sessionId,
    acks: fc.array(id, { maxLength: 8 }),
    peer: sessionId,
    packetId: id,
    payload: bytes(0, 300),
  })
  .map(({ peer, ...packet }) => ({
    ...packet,
    ...(packet.acks.length === 0 ? {} : { peerSessionId: peer }),
    ...(packet.opcode === 5 ? { packetId: undefined, payload: new Uint8Array(0) } : {}),
  }))

const random = new SeededRandom('wire properties')
const key = new StaticKey(random.bytes(256))
/** Each way to wrap, as sender and receiver. */
const wraps: [name: string, sender: ControlWrap, receiver: ControlWrap][] = [
  ['none', plainWrap, plainWrap],
  ['tls-crypt', createTlsCryptKeys(noble, key, 'client'), createTlsCryptKeys(noble, key, 'server')],
  ...(Object.keys(HASH_LENGTH) as HashName[]).map((hash, i): [string, ControlWrap, ControlWrap] => {
    const send = ([0, 1, undefined] as const)[i % 3]
    const receive = ([1, 0, undefined] as const)[i % 3]
    return [`tls-auth ${hash}`, createTlsAuthKeys(noble, key, send, hash), createTlsAuthKeys(noble, key, receive, hash)]
  }),
]

describe('control packets', () => {
  for (const [name, sender, receiver] of wraps) {
    it(`WIRE-6 ${name}: what is sealed opens to the same packet and replay fields`, () => {
      let opened = 0
      fc.assert(
        fc.property(anyPacket, id, id, (packet, replayPacketId, replayTime) => {
          const sealed = sender.seal(packet, replayPacketId, replayTime)
          const copy = sealed.slice()
          const result = receiver.open(sealed)
          expect(sealed).toEqual(copy)
          if (packet.opcode >= 10 && name !== 'tls-crypt') {
            expect(result).toBe('opcode-needs-wrapped-key')
            return
          }
          const replay = name === 'none' ? [0, 0] : [replayPacketId, replayTime]
          expect(result).toEqual({ packet, replayPacketId: replay[0], replayTime: replay[1] })
          opened++
        }),
        runs,
      )
      expect(opened).toBeGreaterThan(runs.numRuns / 2)
    })

    it(`WIRE-14 ${name}: arbitrary bytes give the oracle’s answer and stay as they were`, () => {
      const noise = fc
        .tuple(fc.constantFrom(0x20, 0x28, 0x38, 0x40, 0x50, 0x5f, 0x30, 0x00, 0x68), bytes(0, 400), fc.boolean())
        .map(([first, rest, keep]) => (keep && rest.length > 0 ? Uint8Array.of(first, ...rest.subarray(1)) : rest))
      fc.assert(
        fc.property(noise, (input) => {
          const copy = input.slice()
          const result = receiver.open(input)
          expect(input).toEqual(copy)
          const expected = mutatedVerdict(receiver, input)
          expect(typeof result === 'string' ? result : result.packet).toEqual(expected)
        }),
        runs,
      )
    })
  }
})

describe('keys', () => {
  it('WRAP-1 a static key survives its text', () => {
    fc.assert(
      fc.property(bytes(256, 256), fc.boolean(), (value, whole) => {
        const secret = whole ? value : value.slice(0, 128)
        expect(parseStaticKey(writeStaticKey(new StaticKey(secret))).exportBytes()).toEqual(secret)
      }),
      runs,
    )
  })

  it('WRAP-35 a client key survives wrapping with any metadata; WRAP-40 any metadata is read and written back', () => {
    const wrapper = createTlsCryptV2Wrapper(noble, new TlsCryptV2ServerKey(random.bytes(128)))
    fc.assert(
      fc.property(bytes(256, 256), bytes(0, 734), (secret, data) => {
        const metadata = parseClientKeyMetadata(data)
        if (metadata.type === 'timestamp' && !Number.isSafeInteger(metadata.unixSeconds)) return
        expect(writeClientKeyMetadata(metadata)).toEqual(data)
        const unwrapped = wrapper.unwrap(wrapper.wrap(new StaticKey(secret), metadata))
        if (isWireProblem(unwrapped)) throw new Error(unwrapped)
        expect(unwrapped.key.exportBytes()).toEqual(secret)
        expect(unwrapped.metadata).toEqual(metadata)
      }),
      runs,
    )
  })

  it('WRAP-36 arbitrary bytes are no wrapped key', () => {
    const wrapper = createTlsCryptV2Wrapper(noble, new TlsCryptV2ServerKey(random.bytes(128)))
    fc.assert(
      fc.property(bytes(0, 1100), (input) => {
        expect(wrapper.unwrap(input)).toMatch(/^wrapped-key-(length|mismatch)$/u)
        const sized = Uint8Array.of(...input, (input.length + 2) >> 8, (input.length + 2) & 255)
        const fits = sized.length >= 290 && sized.length <= 1024
        expect(wrapper.unwrap(sized)).toBe(fits ? 'wrapped-key-mismatch' : 'wrapped-key-length')
        const split = splitWrappedKey(input)
        if (!isWireProblem(split)) expect(split.packet.length + split.wrappedKey.length).toBe(input.length)
      }),
      runs,
    )
  })

  it('WRAP-64 arbitrary reset settings parse or are refused', () => {
    fc.assert(
      fc.property(bytes(0, 60), (input) => {
        const settings = parseResetSettings(input)
        if (settings !== 'early-negotiation-malformed') expect(settings).toHaveProperty('resendWrappedKey')
      }),
      runs,
    )
  })
})

describe('frames', () => {
  it('WIRE-43 every cut of a stream gives the same packets, WIRE-42 within bounded memory', () => {
    let packets = 0
    fc.assert(
      fc.property(
        fc.array(bytes(1, 200), { minLength: 1, maxLength: 12 }),
        fc.array(fc.integer({ min: 1, max: 150 }), { minLength: 1, maxLength: 20 }),
        (frames, cuts) => {
          const stream = Uint8Array.from(frames.flatMap((frame) => [...writeFrame(frame)]))
          const framer = new StreamFramer(200)
          const out: Uint8Array[] = []
          let at = 0
          for (let i = 0; at < stream.length; i++) {
            const end = Math.min(stream.length, at + cuts[i % cuts.length]!)
            const piece = stream.slice(at, end)
            framer.push(piece)
            for (let frame = framer.next(); frame !== undefined; frame = framer.next()) out.push(frame.slice())
            piece.fill(0xee)
            expect(framer.retainedBytes).toBeLessThanOrEqual(202)
            at = end
          }
          expect(out).toEqual(frames)
          expect(framer.problem).toBeUndefined()
          expect(framer.retainedBytes).toBe(0)
          packets += out.length
        },
      ),
      runs,
    )
    expect(packets).toBeGreaterThan(runs.numRuns)
  })
})
