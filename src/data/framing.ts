/**
 * Small things that every channel does the same way: refusing a first byte, naming why a packet id was refused, and
 * telling a host that its buffer is too small.
 *
 * Spec: data.md, "Receiving".
 */
import { ConfigError, UsageError } from '../bytes/index.ts'
import {
  MAX_REPLAY_WINDOW_SECONDS,
  MAX_REPLAY_WINDOW_SIZE,
  REPLAY_WINDOW_SECONDS,
  REPLAY_WINDOW_SIZE,
  ReplayWindow,
} from '../reliability/index.ts'
import { opcodeOf, Opcode } from '../wire/index.ts'
import type { DataChannelOptions, ReplayOptions } from './channel.ts'
import { DataCode } from './codes.ts'

/** Why a first byte that is not this channel's is refused (DATA-6). */
export function firstByteCode(first: number): number {
  const opcode = opcodeOf(first)
  return opcode === Opcode.DATA_V1 || opcode === Opcode.DATA_V2 ? DataCode.WRONG_KEY_ID : DataCode.WRONG_OPCODE
}

/** Refuses a seal for want of headroom, tailroom or payload. */
export function requireRoom(): never {
  throw new UsageError('seal needs a payload of at least one byte, with headroom before it and tailroom after it')
}

/**
 * A fresh replay window, by default 64 ids and 15 seconds (DATA-8).
 *
 * @throws ConfigError outside the ranges of `replay-window`.
 */
export function createReplayWindow(options: ReplayOptions | undefined): ReplayWindow {
  const size = options?.window ?? REPLAY_WINDOW_SIZE
  const seconds = options?.seconds ?? REPLAY_WINDOW_SECONDS
  if (!Number.isInteger(size) || size < 1 || size > MAX_REPLAY_WINDOW_SIZE) {
    throw new ConfigError('replay-window', `a replay window holds 1 to ${MAX_REPLAY_WINDOW_SIZE} ids, not ${size}`)
  }
  if (!Number.isInteger(seconds) || seconds < 0 || seconds > MAX_REPLAY_WINDOW_SECONDS) {
    throw new ConfigError(
      'replay-window',
      `a replay window looks back 0 to ${MAX_REPLAY_WINDOW_SECONDS} s, not ${seconds}`,
    )
  }
  return new ReplayWindow(size, seconds)
}

/** The window of a channel with one key: a fresh one, or that of the channel it goes on for (DATA-52). */
export function windowOf({ replay, restored }: DataChannelOptions): ReplayWindow {
  if (restored?.snapshot.type !== 'keys') return createReplayWindow(replay)
  return ReplayWindow.restore(restored.snapshot.replay, restored.now)
}

/** Names why the window refused an id (DATA-9). */
export function refusedId(window: ReplayWindow, id: number, time: number, now: number): number {
  if (id === 0 || time < window.time) return DataCode.BAD_PACKET_ID
  return window.isPast(id, now) ? DataCode.TOO_OLD : DataCode.REPLAYED
}
