/**
 * The life of a session, as a table (spec/session.md, which draws it).
 *
 * `waiting` is a client that needs credentials or a server that has heard nobody; `exchanging` is between the keys and the
 * options; `closing` has said its farewell and waits for the peer to have it.
 */
import { invariant } from '../bytes/index.ts'

/** Every legal move of a session. SESS-2 */
export const SESSION_MOVES = {
  waiting: { begun: 'negotiating', ended: 'closed' },
  negotiating: { 'keys-exchanged': 'exchanging', forgotten: 'waiting', leaving: 'closing', ended: 'closed' },
  exchanging: { agreed: 'connected', leaving: 'closing', ended: 'closed' },
  connected: { 'taken-over': 'exchanging', leaving: 'closing', ended: 'closed' },
  closing: { ended: 'closed' },
  closed: {},
} as const satisfies Record<string, Partial<Record<string, string>>>

/** A state of {@link SESSION_MOVES}. */
export type SessionState = keyof typeof SESSION_MOVES

/** What moves a session. */
export type SessionInput = 'begun' | 'keys-exchanged' | 'forgotten' | 'agreed' | 'taken-over' | 'leaving' | 'ended'

/** The state after `input`; a move outside the table is our bug. */
export function moveSession(state: SessionState, input: SessionInput): SessionState {
  const row: Partial<Record<SessionInput, SessionState>> = SESSION_MOVES[state]
  const next = row[input]
  invariant(next !== undefined, 'SESS-2')
  return next
}
