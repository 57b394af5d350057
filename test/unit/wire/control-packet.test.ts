import { describe, expect, it } from 'vitest'
import { InvariantError } from '../../../src/bytes/index.ts'
import {
  type ControlPacket,
  isWireProblem,
  MAX_CONTROL_PACKET,
  MAX_CONTROL_PAYLOAD,
  Opcode,
  parseControlPlain,
  plainWrap,
  WIRE_PROBLEMS,
  writeControlPlain,
} from '../../../src/wire/index.ts'
import { bytesOf } from '../../support/wire.ts'

const sessionId = bytesOf('0102030405060708')
const peerSessionId = bytesOf('1112131415161718')
const bare: ControlPacket = {
  opcode: Opcode.CONTROL_V1,
  keyId: 0,
  sessionId,
  acks: [],
  packetId: 1,
  payload: bytesOf('aabb'),
}
const message: ControlPacket = { ...bare, acks: [0], peerSessionId }

describe('control packets without a wrap', () => {
  it('the resets have their known lengths', () => {
    const reset: ControlPacket = {
      opcode: Opcode.CONTROL_HARD_RESET_CLIENT_V2,
      keyId: 0,
      sessionId,
      acks: [],
      packetId: 0,
      payload: new Uint8Array(0),
    }
    expect(writeControlPlain(reset)).toEqual(bytesOf('3801020304050607080000000000'))
    const answer: ControlPacket = { ...reset, opcode: Opcode.CONTROL_HARD_RESET_SERVER_V2, acks: [0], peerSessionId }
    expect(writeControlPlain(answer)).toEqual(bytesOf('40010203040506070801000000001112131415161718' + '00000000'))
  })

  it('WIRE-7 refuses an all-zero session id', () => {
    expect(parseControlPlain(bytesOf('3800000000000000000000000000'))).toBe('session-id-zero')
    expect(() => writeControlPlain({ ...message, sessionId: new Uint8Array(8) })).toThrow(InvariantError)
  })

  it('WIRE-8 takes eight acks and refuses every larger count', () => {
    const eight = { ...message, acks: [1, 2, 3, 4, 5, 6, 7, 8] }
    expect(parseControlPlain(writeControlPlain(eight))).toEqual(eight)
    const bytes = new Uint8Array(1200).fill(7)
    bytes[0] = Opcode.CONTROL_V1 << 3
    for (let count = 9; count < 256; count++) {
      bytes[9] = count
      expect(parseControlPlain(bytes)).toBe('too-many-acks')
    }
    expect(() => writeControlPlain({ ...message, acks: [1, 2, 3, 4, 5, 6, 7, 8, 9] })).toThrow(InvariantError)
  })

  it('WIRE-9 the peer session id comes with acks and only then, and is not all zero', () => {
    const parsed = parseControlPlain(writeControlPlain(bare))
    expect(parsed).toEqual(bare)
    expect(isWireProblem(parsed) || 'peerSessionId' in parsed).toBe(false)
    expect(() => writeControlPlain({ ...bare, acks: [0] })).toThrow(InvariantError)
    expect(() => writeControlPlain({ ...message, acks: [] })).toThrow(InvariantError)
    expect(parseControlPlain(writeControlPlain({ ...message, peerSessionId: new Uint8Array(8) }))).toBe(
      'peer-session-id-zero',
    )
  })

  it('WIRE-10, WIRE-11 an ACK_V1 has neither packet id nor payload, and bytes behind it are ignored', () => {
    const ack: ControlPacket = { ...message, opcode: Opcode.ACK_V1, packetId: undefined, payload: new Uint8Array(0) }
    const bytes = writeControlPlain(ack)
    expect(bytes.length).toBe(9 + 1 + 4 + 8)
    expect(parseControlPlain(bytes)).toEqual(ack)
    expect(parseControlPlain(Uint8Array.of(...bytes, 1, 2, 3))).toEqual(ack)
    expect(() => writeControlPlain({ ...ack, packetId: 1 })).toThrow(InvariantError)
    expect(() => writeControlPlain({ ...ack, payload: bytesOf('00') })).toThrow(InvariantError)
    expect(() => writeControlPlain({ ...message, packetId: undefined })).toThrow(InvariantError)
  })

  it('WIRE-12 takes the largest payload and refuses one byte more, and any packet no wrap can explain', () => {
    const largest = { ...message, payload: new Uint8Array(MAX_CONTROL_PAYLOAD) }
    const bytes = writeControlPlain(largest)
    expect(parseControlPlain(bytes)).toEqual(largest)
    expect(parseControlPlain(Uint8Array.of(...bytes, 0))).toBe('too-long')
    expect(() => writeControlPlain({ ...message, payload: new Uint8Array(2049) })).toThrow(InvariantError)
    const huge = new Uint8Array(MAX_CONTROL_PACKET + 1)
    huge.set(bytes)
    expect(parseControlPlain(huge)).toBe('too-long')
    expect(MAX_CONTROL_PACKET).toBe(9 + 64 + 8 + 1 + 32 + 8 + 4 + 2048)
  })

  it('WIRE-13 a parsed packet keeps its bytes when the input is overwritten', () => {
    const bytes = writeControlPlain(message)
    const parsed = parseControlPlain(bytes)
    bytes.fill(0xee)
    expect(parsed).toEqual(message)
  })

  it('WRAP-14 refuses the opcodes of tls-crypt-v2 without a wrap', () => {
    for (const opcode of [Opcode.CONTROL_HARD_RESET_CLIENT_V3, Opcode.CONTROL_WKC_V1]) {
      expect(parseControlPlain(writeControlPlain({ ...message, opcode }))).toBe('opcode-needs-wrapped-key')
    }
  })

  it('the plain wrap seals and opens the same bytes, with replay fields of 0', () => {
    expect(plainWrap.seal(message, 5, 6)).toEqual(writeControlPlain(message))
    expect(plainWrap.open(writeControlPlain(message))).toEqual({ packet: message, replayPacketId: 0, replayTime: 0 })
    expect(plainWrap.open(new Uint8Array(0))).toBe('too-short')
  })
})

describe('reasons', () => {
  it('WIRE-14 are told apart from records and from other words', () => {
    expect(Object.keys(WIRE_PROBLEMS).length).toBe(21)
    for (const reason of Object.keys(WIRE_PROBLEMS)) expect(isWireProblem(reason)).toBe(true)
    for (const other of ['', 'toString', '__proto__', message, undefined]) expect(isWireProblem(other)).toBe(false)
  })

  it('each has a sentence', () => {
    for (const text of Object.values(WIRE_PROBLEMS)) expect(text).toMatch(/^[A-Z].{20,}\.$/u)
  })
})
