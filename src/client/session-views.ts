/**
 * What a client reads off its session.
 */
import type { Session } from '../session/index.ts'

/** How many datagrams the session received that were what they claim to be. */
export function authenticCount(session: Session): number {
  let count = session.stats.datagramsReceived
  for (const dropped of Object.values(session.stats.dropped)) count -= dropped
  return count
}
