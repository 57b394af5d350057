/**
 * Why an attempt or a client ended, as one word for programs and one line for people.
 */
import type { AttemptEnd, ClientCloseReason } from '../../client/index.ts'
import { describeCloseReason } from '../../session/index.ts'

/** An end in words. */
export interface Outcome {
  /** One of a closed list of words: a close reason, a proxy's problem, `no-answer` or `transport-broken`. */
  readonly reason: string
  readonly text: string
}

/** The end in words. Of a client whose remotes are exhausted it is the last attempt's. */
export function describeEnd(end: AttemptEnd | ClientCloseReason): Outcome {
  switch (end.type) {
    case 'local':
      return { reason: 'local', text: describeCloseReason(end) }
    case 'session':
      return { reason: end.reason.type, text: describeCloseReason(end.reason) }
    case 'exhausted':
      return describeEnd(end.last)
    case 'unresolvable':
      return { reason: 'transport-broken', text: `cannot resolve ${end.host}` }
    case 'unreachable':
    case 'lost':
      return { reason: 'transport-broken', text: end.detail }
    case 'proxy':
      return { reason: end.problem, text: `the proxy: ${end.detail}` }
    case 'no-answer':
      return { reason: 'no-answer', text: 'the server sent nothing authentic in time (server-poll-timeout)' }
  }
}
