/**
 * The header in front of every data packet (spec/wire.md, WIRE-30 to WIRE-33).
 *
 *     DATA_V1   u8 opcode and key id
 *     DATA_V2   u8 opcode and key id | u24 peer-id
 *
 * The peer-id tells a server whose packet this is when the source address has changed; 0xFFFFFF says that there is none.
 * The header is no proof of anything: only the packet's own authentication is. The functions work in place on the
 * caller's buffer, for the path that every packet takes.
 */
import { isDataOpcode, keyIdOf, Opcode, opcodeOf } from './opcodes.ts'
import type { WireProblem } from './problems.ts'

/** Header length of DATA_V1. */
export const DATA_V1_HEADER_LENGTH = 1
/** Header length of DATA_V2. */
export const DATA_V2_HEADER_LENGTH = 4
/** The peer-id that means none (WIRE-32). */
export const PEER_ID_NONE = 0xffffff

/** What a data packet's header says. */
export interface DataHeader {
  readonly opcode: typeof Opcode.DATA_V1 | typeof Opcode.DATA_V2
  readonly keyId: number
  /** `undefined` in DATA_V1. */
  readonly peerId: number | undefined
  /** 1 or 4. */
  readonly length: number
}

/** Header length that the first byte announces, or 0 when it is no data packet's. */
export function dataHeaderLength(first: number): number {
  const opcode = opcodeOf(first)
  if (opcode === Opcode.DATA_V2) return DATA_V2_HEADER_LENGTH
  return opcode === Opcode.DATA_V1 ? DATA_V1_HEADER_LENGTH : 0
}

/** The peer-id in the DATA_V2 header at `offset`. */
export function readPeerId(bytes: Uint8Array, offset: number): number {
  return ((bytes[offset + 1] as number) << 16) | ((bytes[offset + 2] as number) << 8) | (bytes[offset + 3] as number)
}

/** Writes a DATA_V1 header. */
export function writeDataV1Header(out: Uint8Array, offset: number, keyId: number): void {
  out[offset] = (Opcode.DATA_V1 << 3) | keyId
}

/** Writes a DATA_V2 header (WIRE-31). */
export function writeDataV2Header(out: Uint8Array, offset: number, keyId: number, peerId: number): void {
  out[offset] = (Opcode.DATA_V2 << 3) | keyId
  out[offset + 1] = peerId >>> 16
  out[offset + 2] = peerId >>> 8
  out[offset + 3] = peerId
}

/** The header of a data packet as a record, for those who do not count nanoseconds. */
export function parseDataHeader(bytes: Uint8Array): DataHeader | WireProblem {
  if (bytes.length === 0) return 'too-short'
  const first = bytes[0] as number
  const opcode = opcodeOf(first)
  if (!isDataOpcode(opcode)) return 'opcode-unknown'
  if (opcode === Opcode.DATA_V1) {
    return { opcode, keyId: keyIdOf(first), peerId: undefined, length: DATA_V1_HEADER_LENGTH } // WIRE-30
  }
  if (bytes.length < DATA_V2_HEADER_LENGTH) return 'data-header-short' // WIRE-33
  return { opcode: Opcode.DATA_V2, keyId: keyIdOf(first), peerId: readPeerId(bytes, 0), length: DATA_V2_HEADER_LENGTH }
}
