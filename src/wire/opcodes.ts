/**
 * The first byte of every packet: an opcode in the high five bits, a key id in the low three (spec/wire.md, WIRE-1).
 *
 * Opcodes 1 to 11 have been on the wire; each release accepts a run of them. 12 to 14 exist in the draft only: they have
 * names here so that a decoder can show them, and are accepted by nobody. Static-key mode has no opcode byte at all.
 *
 * The functions take the byte as it came and never fail; `opcodeProblem` is the one place that says which opcodes an
 * endpoint in a given role refuses, and why.
 */
import type { WireProblem } from './problems.ts'

/** Packet types by the reference's names, without their common prefix `P_`. */
export const Opcode = {
  CONTROL_HARD_RESET_CLIENT_V1: 1,
  CONTROL_HARD_RESET_SERVER_V1: 2,
  CONTROL_SOFT_RESET_V1: 3,
  CONTROL_V1: 4,
  ACK_V1: 5,
  DATA_V1: 6,
  CONTROL_HARD_RESET_CLIENT_V2: 7,
  CONTROL_HARD_RESET_SERVER_V2: 8,
  DATA_V2: 9,
  CONTROL_HARD_RESET_CLIENT_V3: 10,
  CONTROL_WKC_V1: 11,
  CONTROL_OOB_V1: 12,
  CONTROL_OOB_WKC_V1: 13,
  CONTROL_DATA_V1: 14,
} as const

/** Reference names by opcode (`P_CONTROL_V1`); an opcode without a name has no entry. */
export const OPCODE_NAMES: Readonly<Record<number, string>> = Object.fromEntries(
  Object.entries(Opcode).map(([name, opcode]) => [opcode, `P_${name}`]),
)

/** Largest key id; after it comes 1 again, never 0. */
export const MAX_KEY_ID = 7

/** The opcode in a packet's first byte, 0 to 31. */
export function opcodeOf(byte: number): number {
  return byte >> 3 // WIRE-1
}

/** The key id in a packet's first byte, 0 to 7. */
export function keyIdOf(byte: number): number {
  return byte & 7 // WIRE-1
}

/** The first byte of a packet. */
export function firstByte(opcode: number, keyId: number): number {
  return ((opcode << 3) | keyId) & 255
}

/** The key id of the negotiation after `keyId`: 0 to 7 in turn, then 1 (WIRE-2). */
export function nextKeyId(keyId: number): number {
  return keyId >= MAX_KEY_ID ? 1 : keyId + 1
}

/** True for the two data opcodes. */
export function isDataOpcode(opcode: number): boolean {
  return opcode === Opcode.DATA_V1 || opcode === Opcode.DATA_V2
}

/** True for opcodes whose packets have the control layout: resets, messages and acks. */
export function isControlOpcode(opcode: number): boolean {
  return opcode >= 1 && opcode <= Opcode.CONTROL_WKC_V1 && !isDataOpcode(opcode)
}

/** True for the hard resets of either side and any version. */
export function isHardReset(opcode: number): boolean {
  return isClientReset(opcode) || isServerReset(opcode)
}

/** True for the hard resets that only a client sends. */
export function isClientReset(opcode: number): boolean {
  return (
    opcode === Opcode.CONTROL_HARD_RESET_CLIENT_V1 ||
    opcode === Opcode.CONTROL_HARD_RESET_CLIENT_V2 ||
    opcode === Opcode.CONTROL_HARD_RESET_CLIENT_V3
  )
}

/** True for the hard resets that only a server sends. */
export function isServerReset(opcode: number): boolean {
  return opcode === Opcode.CONTROL_HARD_RESET_SERVER_V1 || opcode === Opcode.CONTROL_HARD_RESET_SERVER_V2
}

/** True for the opcodes behind whose packet a wrapped client key is appended. */
export function carriesWrappedKey(opcode: number): boolean {
  return opcode === Opcode.CONTROL_HARD_RESET_CLIENT_V3 || opcode === Opcode.CONTROL_WKC_V1
}

/** Release lines whose accepted opcodes differ. `2.6` stands for every later one as well. */
export type OpcodeRelease = '2.4' | '2.5' | '2.6'

/** First and last opcode that each release accepts (WIRE-3). */
export const ACCEPTED_OPCODES: Readonly<Record<OpcodeRelease, readonly [first: number, last: number]>> = {
  '2.4': [1, 9],
  '2.5': [3, 10],
  '2.6': [3, 11],
}

/** True when a peer of that release takes packets with this opcode. */
export function acceptsOpcode(release: OpcodeRelease, opcode: number): boolean {
  const [first, last] = ACCEPTED_OPCODES[release]
  return opcode >= first && opcode <= last
}

/** Which end of TLS we are. */
export type Role = 'client' | 'server'

/**
 * Why an endpoint in `role` refuses this opcode, whatever else the packet holds; `undefined` when it takes it. The
 * accepted set is that of 2.6 and later.
 */
export function opcodeProblem(opcode: number, role: Role): WireProblem | undefined {
  if (opcode === 0 || opcode > Opcode.CONTROL_DATA_V1) return 'opcode-unknown'
  if (opcode > Opcode.CONTROL_WKC_V1) return 'opcode-draft' // WIRE-4
  if (opcode < Opcode.CONTROL_SOFT_RESET_V1) return 'opcode-obsolete' // WIRE-3
  if (role === 'client' ? isClientReset(opcode) || opcode === Opcode.CONTROL_WKC_V1 : isServerReset(opcode)) {
    return 'opcode-wrong-direction' // WIRE-5
  }
  return undefined
}
