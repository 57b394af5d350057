/**
 * What follows the key messages before packets flow, as one face for the three kinds of peers.
 *
 * A client pulls, a server decides and pushes, a pair computes. Each is fed the key messages, the control messages and its
 * timers, sends texts through the key state it is given, and says in a {@link Verdict} what the session should do.
 */
import {
  type ClientKeyMessage,
  compareOptionsStrings,
  type ControlMessage,
  expectedOptionsString,
  optionsStringHasCompression,
  type ServerKeyMessage,
  type TunnelOptions,
} from '../control/index.ts'
import type { Agreement } from './agreed.ts'
import { optionsInput } from './agreement.ts'
import type { SessionContext } from './context.ts'
import type { KeyState } from './key-state.ts'
import type { CloseReason } from './reasons.ts'

/** What the session should do. */
export type Verdict =
  | { readonly type: 'nothing' }
  /** Both sides agree: derive the keys, then send `replies`, then packets may flow. */
  | {
      readonly type: 'agreed'
      readonly agreement: Agreement
      readonly options: TunnelOptions
      readonly replies: readonly string[]
    }
  /** The options changed while the tunnel is up. */
  | { readonly type: 'updated'; readonly options: TunnelOptions }
  /** A renegotiated key may be used. */
  | { readonly type: 'admitted'; readonly key: KeyState }
  /** A renegotiated key must not be used; the tunnel goes on with the one it has. */
  | { readonly type: 'refused'; readonly key: KeyState; readonly reason: CloseReason }
  /** The end, after `farewell` was sent and acknowledged. */
  | { readonly type: 'close'; readonly reason: CloseReason; readonly farewell: string | undefined }

/** No consequence. */
export const NOTHING: Verdict = { type: 'nothing' }

/** Ends the session without a word. */
export function closing(reason: CloseReason, farewell?: string): Verdict {
  return { type: 'close', reason, farewell }
}

/** Tells the host where the peer's options string is not what ours would make it; `negotiated`: the data cipher was. SESS-57 */
export function tellDifferences({ config, outbox }: SessionContext, theirs: string, negotiated: boolean): void {
  const input = optionsInput(config)
  // A client that is moved to another framing may have one.
  const moved = config.migrateCompression && optionsStringHasCompression(theirs)
  const expected = expectedOptionsString(moved ? { ...input, framing: 'v1' } : input)
  const differences = compareOptionsStrings(expected, theirs, negotiated)
  if (differences.length > 0) outbox.event({ type: 'options-differ', differences })
}

/** Timers that an exchange sets. */
export type ExchangeTimer = 'push-request' | 'auth-pending'

/** The exchange of one session of the peer. */
export interface Exchange {
  /** The peer's key message for `key` came. */
  peerKey(key: KeyState, message: ClientKeyMessage | ServerKeyMessage, now: number): Verdict
  /** `key` is active: both key messages are exchanged and acknowledged. */
  active(key: KeyState, now: number): Verdict
  /** A control message came. */
  message(message: ControlMessage, key: KeyState, now: number): Verdict
  /** One of its timers fired. */
  fire(timer: ExchangeTimer, key: KeyState, now: number): Verdict
}
