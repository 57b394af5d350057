/**
 * What follows from a session's end: stop, or try again, where, when and with which login (spec/client.md).
 *
 * One pure function over the closed list of reasons, so that the whole policy is readable on one page.
 */
import type { AuthFailure } from '../control/index.ts'
import type { CloseReason } from '../session/index.ts'
import type { RemoteFailure } from './remote-list.ts'

/** What becomes of the login. */
export type LoginChange =
  /** Use the same again. */
  | 'keep'
  /** Forget the session token and use the real one. */
  | 'drop-token'
  /** Forget what the user typed; a configured login stays. */
  | 'forget'
  /** Ask the user, whatever is known. */
  | 'ask'

/** What to do. */
export type AfterSession =
  | { readonly type: 'stop' }
  | { readonly type: 'retry'; readonly failure: RemoteFailure; readonly login: LoginChange }
  /** Ask the user this, then try again with the answer. */
  | {
      readonly type: 'challenge'
      readonly failure: RemoteFailure
      readonly challenge: Extract<AuthFailure, { type: 'challenge' }>['challenge']
    }

/** What the decision depends on beside the reason. */
export interface PolicyInput {
  readonly authRetry: 'none' | 'nointeract' | 'interact'
  /** The refused login was a session token. */
  readonly usedToken: boolean
}

/** Least pause after a refused login that is tried again unchanged, in ms. */
const PAUSE_AFTER_REFUSAL = 10_000

const STOP: AfterSession = { type: 'stop' }

function retry(failure: RemoteFailure = {}, login: LoginChange = 'keep'): AfterSession {
  return { type: 'retry', failure, login }
}

/** The decision. */
export function afterSession(reason: CloseReason, input: PolicyInput): AfterSession {
  switch (reason.type) {
    case 'local':
    case 'denied':
    case 'peer-halt':
      return STOP // CLIENT-10
    case 'timed-out': {
      const final = reason.timer === 'ping-exit' || reason.timer === 'inactive' || reason.timer === 'session-timeout'
      return final ? STOP : retry() // CLIENT-10
    }
    case 'auth-failed':
      return afterRefusal(reason.failure, input)
    case 'peer-restart':
      // CLIENT-14
      return retry({ advance: reason.advance ? undefined : 'no' }, reason.keepCredentials ? 'keep' : 'forget')
    case 'peer-reset':
      return retry({ advance: 'no' })
    case 'tls-alert':
    case 'certificate':
    case 'peer-exit':
    case 'incompatible':
    case 'push-rejected':
    case 'malformed':
      return retry()
  }
}

function afterRefusal(failure: AuthFailure, { authRetry, usedToken }: PolicyInput): AfterSession {
  switch (failure.type) {
    case 'temporary': {
      // CLIENT-13
      const pause = failure.backoffSeconds === undefined ? undefined : failure.backoffSeconds * 1000
      return retry({ advance: failure.advance ?? 'no', pause })
    }
    case 'challenge':
      return { type: 'challenge', failure: { advance: 'no' }, challenge: failure.challenge } // CLIENT-15
    case 'refused':
    case 'session':
      if (usedToken) return retry({ advance: 'no' }, 'drop-token') // CLIENT-11
      if (authRetry === 'none') return STOP // CLIENT-12
      return authRetry === 'interact'
        ? retry({ advance: 'no' }, 'ask')
        : retry({ advance: 'no', pause: PAUSE_AFTER_REFUSAL })
  }
}
