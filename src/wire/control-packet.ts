/**
 * Control packets without a wrap, both ways (spec/wire.md, WIRE-6 to WIRE-13).
 *
 *     u8 opcode and key id | 8 session id | u8 n | n × u32 acked ids | 8 session id of the peer, if n > 0
 *     | u32 packet id, except in ACK_V1 | payload
 *
 * The first nine bytes are the header, which every wrap leaves readable; the rest is the body, which tls-crypt encrypts.
 * The wraps use the two halves below and add their own fields between them. A parsed packet owns its bytes: nothing in it
 * shares memory with the input. The packet id here numbers messages; the id that a wrap adds against replays is another
 * one, always called replay packet id.
 *
 * Refused: data opcodes, an all-zero session id, more than eight acks, anything cut short, anything longer than a peer
 * may send. Bytes behind the acks of an ACK_V1 mean nothing and are ignored.
 */
import { EMPTY, invariant, Reader, Writer } from '../bytes/index.ts'
import { carriesWrappedKey, firstByte, isControlOpcode, isDataOpcode, keyIdOf, Opcode, opcodeOf } from './opcodes.ts'
import type { WireProblem } from './problems.ts'

/** Length of a session id. */
export const SESSION_ID_LENGTH = 8
/** Length of the part that no wrap encrypts: first byte and session id. */
export const CONTROL_HEADER_LENGTH = 9
/** Most acks one packet may carry; a packet with more is refused. */
export const MAX_ACKS = 8
/** Largest payload a receiver must take (WIRE-12). */
export const MAX_CONTROL_PAYLOAD = 2048
/** Largest control packet taken, wrap included, wrapped client key not: the largest payload under the largest wrap. */
export const MAX_CONTROL_PACKET = 2174

/** One control packet as it stands between the wrap and the reliability layer. */
export interface ControlPacket {
  /** One of the control opcodes of `Opcode`. */
  readonly opcode: number
  /** 0 to 7. */
  readonly keyId: number
  /** The sender's session id, 8 bytes, not all zero. */
  readonly sessionId: Uint8Array
  /** Acknowledged packet ids, at most {@link MAX_ACKS}. */
  readonly acks: readonly number[]
  /** The receiver's session id as the sender knows it; present if and only if there are acks. */
  readonly peerSessionId?: Uint8Array
  /** Number of the message, a u32; `undefined` in ACK_V1 only. */
  readonly packetId: number | undefined
  /** TLS bytes, or the settings of a hard reset; empty in ACK_V1. */
  readonly payload: Uint8Array
}

/** A control packet out of its wrap, with the wrap's replay packet id and time (0 and 0 when the wrap has none). */
export interface OpenedControl {
  readonly packet: ControlPacket
  /** Against replays, a u32 that starts at 1. */
  readonly replayPacketId: number
  /** Unix seconds as a u32; stays the same until the id wraps. */
  readonly replayTime: number
}

/** One way to protect control packets: plain, tls-auth or tls-crypt, with its keys inside. */
export interface ControlWrap {
  readonly type: 'none' | 'tls-auth' | 'tls-crypt'
  /** Bytes this wrap adds to a plain control packet. */
  readonly overhead: number
  /** The wrapped packet. The replay fields are ignored by a wrap that has none. */
  seal(packet: ControlPacket, replayPacketId: number, replayTime: number): Uint8Array
  /** The packet inside authentic bytes. Never throws, never writes to `bytes`. */
  open(bytes: Uint8Array): OpenedControl | WireProblem
}

/** The control wrap that adds nothing. */
export const plainWrap: ControlWrap = {
  type: 'none',
  overhead: 0,
  seal: (packet) => writeControlPlain(packet),
  open(bytes) {
    const packet = parseControlPlain(bytes)
    return typeof packet === 'string' ? packet : { packet, replayPacketId: 0, replayTime: 0 }
  },
}

/** The bytes of a control packet without wrap. The packet must satisfy the rules of {@link ControlPacket}. */
export function writeControlPlain(packet: ControlPacket): Uint8Array {
  const out = new Uint8Array(CONTROL_HEADER_LENGTH + controlBodyLength(packet))
  writeControlHeader(packet, out)
  writeControlBody(packet, out, CONTROL_HEADER_LENGTH)
  return out
}

/** The control packet in unwrapped bytes, or why they are none. */
export function parseControlPlain(bytes: Uint8Array): ControlPacket | WireProblem {
  const problem = controlHeaderProblem(bytes, CONTROL_HEADER_LENGTH)
  if (problem !== undefined) return problem
  if (carriesWrappedKey(opcodeOf(bytes[0] as number))) return 'opcode-needs-wrapped-key' // WRAP-14
  return parseControlBody(bytes, bytes, CONTROL_HEADER_LENGTH)
}

/** Length of everything behind the header in the plain layout. */
export function controlBodyLength(packet: ControlPacket): number {
  const acks = packet.acks.length
  return ackBlockLength(acks) + (packet.packetId === undefined ? 0 : 4) + packet.payload.length
}

/** Length of the ack block with `count` acks. */
export function ackBlockLength(count: number): number {
  return 1 + (count > 0 ? 4 * count + SESSION_ID_LENGTH : 0)
}

/** Writes first byte and session id at the start of `out`. */
export function writeControlHeader(packet: ControlPacket, out: Uint8Array): void {
  invariant(isControlOpcode(packet.opcode) && packet.keyId >= 0 && packet.keyId <= 7, 'WIRE-6')
  invariant(packet.sessionId.length === SESSION_ID_LENGTH && !isZero(packet.sessionId, 0), 'WIRE-7')
  out[0] = firstByte(packet.opcode, packet.keyId)
  out.set(packet.sessionId, 1)
}

/** Writes the body at `offset` of `out`, which must have room for `controlBodyLength(packet)` bytes. */
export function writeControlBody(packet: ControlPacket, out: Uint8Array, offset: number): void {
  const { acks, peerSessionId } = packet
  invariant(acks.length <= MAX_ACKS && acks.length > 0 === (peerSessionId !== undefined), 'WIRE-9')
  invariant((packet.packetId === undefined) === (packet.opcode === Opcode.ACK_V1), 'WIRE-10')
  invariant(packet.opcode !== Opcode.ACK_V1 || packet.payload.length === 0, 'WIRE-11')
  invariant(packet.payload.length <= MAX_CONTROL_PAYLOAD, 'WIRE-12')
  const writer = new Writer(controlBodyLength(packet)).u8(acks.length)
  for (const id of acks) writer.u32(id)
  if (peerSessionId !== undefined) {
    invariant(peerSessionId.length === SESSION_ID_LENGTH, 'WIRE-9')
    writer.bytes(peerSessionId)
  }
  if (packet.packetId !== undefined) writer.u32(packet.packetId)
  out.set(writer.bytes(packet.payload).finish(), offset)
}

/**
 * What is wrong with the readable part of a control packet, wrapped or not, before any key is touched.
 *
 * @param least - shortest length that can hold the header and the wrap's own fields.
 */
export function controlHeaderProblem(bytes: Uint8Array, least: number): WireProblem | undefined {
  if (bytes.length === 0) return 'too-short'
  const opcode = opcodeOf(bytes[0] as number)
  if (opcode === 0 || opcode > Opcode.CONTROL_DATA_V1) return 'opcode-unknown'
  if (opcode > Opcode.CONTROL_WKC_V1) return 'opcode-draft' // WIRE-4
  if (isDataOpcode(opcode)) return 'opcode-not-control'
  if (bytes.length < least) return 'too-short'
  if (bytes.length > MAX_CONTROL_PACKET) return 'too-long' // WIRE-12
  return isZero(bytes, 1) ? 'session-id-zero' : undefined // WIRE-7
}

/**
 * The packet whose header lies at the start of `header` and whose body fills `body` from `offset` on. The header must
 * have passed {@link controlHeaderProblem}.
 */
export function parseControlBody(header: Uint8Array, body: Uint8Array, offset: number): ControlPacket | WireProblem {
  const opcode = opcodeOf(header[0] as number)
  const reader = new Reader(body, offset)
  const count = reader.u8()
  if (count > MAX_ACKS) return 'too-many-acks' // WIRE-8
  const acks: number[] = []
  for (let i = 0; i < count; i++) acks.push(reader.u32())
  const peerSessionId = count > 0 ? reader.copy(SESSION_ID_LENGTH) : undefined // WIRE-9
  const packetId = opcode === Opcode.ACK_V1 ? undefined : reader.u32() // WIRE-10
  if (reader.failed) return 'too-short'
  if (peerSessionId !== undefined && isZero(peerSessionId, 0)) return 'peer-session-id-zero'
  const payload = packetId === undefined ? EMPTY : reader.rest() // WIRE-11
  if (payload.length > MAX_CONTROL_PAYLOAD) return 'too-long'
  return {
    opcode,
    keyId: keyIdOf(header[0] as number),
    sessionId: new Uint8Array(header.subarray(1, CONTROL_HEADER_LENGTH)),
    acks,
    ...(peerSessionId === undefined ? {} : { peerSessionId }),
    packetId,
    payload: new Uint8Array(payload), // WIRE-13
  }
}

function isZero(bytes: Uint8Array, offset: number): boolean {
  for (let i = 0; i < SESSION_ID_LENGTH; i++) if (bytes[offset + i] !== 0) return false
  return true
}
