/**
 * What a client reads off its session.
 */
import type { PushedToken } from '../control/index.ts'
import type { Session } from '../session/index.ts'

/** The token that the server pushed to this session, where the session tells. */
export function sessionToken(session: Session): PushedToken | undefined {
  return session.token
}

/** How many datagrams the session received that were what they claim to be. */
export function authenticCount(session: Session): number {
  let count = session.stats.datagramsReceived
  for (const dropped of Object.values(session.stats.dropped)) count -= dropped
  return count
}
