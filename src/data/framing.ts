/**
 * Small things that every channel does the same way: refusing a first byte, naming why a packet id was refused, and
 * telling a host that its buffer is too small.
 *
 * Spec: data.md, "Receiving".
 */
import { UsageError } from '../bytes/index.ts'
import { ReplayWindow } from '../reliability/index.ts'
import { opcodeOf, Opcode } from '../wire/index.ts'
import type { ReplayOptions } from './channel.ts'
import { DataCode } from './codes.ts'

/** The peer-id that means "none". */
export const NO_PEER_ID = 0xffffff

/** Why a first byte that is not this channel's is refused (DATA-6). */
export function firstByteCode(first: number): number {
  const opcode = opcodeOf(first)
  return opcode === Opcode.DATA_V1 || opcode === Opcode.DATA_V2 ? DataCode.WRONG_KEY_ID : DataCode.WRONG_OPCODE
}

/** Refuses a seal for want of headroom, tailroom or payload. */
export function requireRoom(): never {
  throw new UsageError('seal needs a payload of at least one byte, with headroom before it and tailroom after it')
}

/** A replay window with the reference's defaults: 64 ids, 15 seconds (DATA-8). */
export function createReplayWindow(options: ReplayOptions | undefined, form: 'short' | 'long'): ReplayWindow {
  return new ReplayWindow({ form, window: options?.window ?? 64, seconds: options?.seconds ?? 15 })
}

/** Names why the window refused an id. */
export function refusedId(window: ReplayWindow, id: number, time: number): number {
  if (id === 0) return DataCode.BAD_PACKET_ID
  void window
  void time
  return DataCode.REPLAYED
}
