/**
 * The life of one key state: from a reset to data keys.
 *
 * The names are the reference's (`S_INITIAL` to `S_GENERATED_KEYS`). The table is the code: a move that is not in it is
 * a bug of this library and throws. The client sends its key message first and becomes active with the server's, which says
 * that its own has arrived; the server answers, and becomes active when its answer is acknowledged. Data keys follow: at once in
 * renegotiations, with the push exchange for key id 0. See spec/rekeying.md, which draws this table.
 */
import { invariant } from '../bytes/index.ts'

/** Every legal move of a key state. SESS-1 */
export const KEY_MOVES = {
  /** Created; nothing sent. */
  initial: { 'reset-queued': 'pre-start', 'resets-done': 'start' },
  /** Our reset is on its way; the peer's is awaited. */
  'pre-start': { 'resets-done': 'start', failed: 'error' },
  /** Both resets are acknowledged: TLS runs. */
  start: { 'key-sent': 'sent-key', 'key-received': 'got-key', failed: 'error' },
  /** Our key message is sent. */
  'sent-key': { 'key-received': 'got-key', 'all-acked': 'active', failed: 'error' },
  /** The peer's key message is here: a server answers it in the same step, a client is done. */
  'got-key': { 'key-sent': 'sent-key', 'all-acked': 'active' },
  /** Both key messages are exchanged and ours is acknowledged. */
  active: { 'keys-derived': 'generated-keys', failed: 'error' },
  /** Data keys exist. */
  'generated-keys': { failed: 'error' },
  /** Over; the reason is known to the session. */
  error: {},
} as const satisfies Record<string, Partial<Record<string, string>>>

/** A state of {@link KEY_MOVES}. */
export type KeyStateName = keyof typeof KEY_MOVES

/** One negotiation, for whoever watches. */
export interface KeyStateView {
  /** 0 to 7. */
  readonly keyId: number
  readonly state: KeyStateName
}

/** What moves a key state. */
export type KeyInput =
  | 'reset-queued'
  | 'resets-done'
  | 'key-sent'
  | 'key-received'
  | 'all-acked'
  | 'keys-derived'
  | 'failed'

/** The state after `input`; a move outside the table is our bug. */
export function moveKey(state: KeyStateName, input: KeyInput): KeyStateName {
  const row: Partial<Record<KeyInput, KeyStateName>> = KEY_MOVES[state]
  const next = row[input]
  invariant(next !== undefined, 'SESS-1')
  return next
}
