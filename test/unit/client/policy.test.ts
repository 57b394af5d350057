import { describe, expect, it } from 'vitest'
import { afterSession, type PolicyInput } from '../../../src/client/index.ts'
import { ClientCredentials } from '../../../src/client/credentials.ts'
import { UsageError } from '../../../src/bytes/index.ts'
import { type AuthFailure, PushedToken } from '../../../src/control/index.ts'
import type { CloseReason, LoginConfig, SessionConfig, TimerName } from '../../../src/session/index.ts'

const plain: PolicyInput = { authRetry: 'none', usedToken: false }

function after(reason: CloseReason, input: Partial<PolicyInput> = {}) {
  return afterSession(reason, { ...plain, ...input })
}

function refusal(failure: AuthFailure, input: Partial<PolicyInput> = {}) {
  return after({ type: 'auth-failed', failure }, input)
}

describe('what follows from a session’s end', () => {
  it('CLIENT-10 some ends are final', () => {
    const final: readonly CloseReason[] = [
      { type: 'local' },
      { type: 'denied', message: '' },
      { type: 'peer-halt', message: '' },
      ...(['ping-exit', 'inactive', 'session-timeout'] as const).map(
        (timer): CloseReason => ({ type: 'timed-out', timer, detail: '' }),
      ),
    ]
    for (const reason of final) expect(after(reason)).toEqual({ type: 'stop' })
  })

  it('the others are tried again', () => {
    const timers: readonly TimerName[] = ['hand-window', 'ping-restart', 'push-request', 'auth-pending', 'retransmit']
    const others: readonly CloseReason[] = [
      ...timers.map((timer): CloseReason => ({ type: 'timed-out', timer, detail: '' })),
      { type: 'tls-alert', sentBy: 'peer', alert: 'x', detail: '' },
      { type: 'certificate', problem: 'expired', subject: undefined, detail: '' },
      { type: 'peer-exit' },
      { type: 'incompatible', option: 'cipher', detail: '' },
      { type: 'push-rejected', option: 'x', by: 'pull-filter' },
      { type: 'malformed', what: 'x', detail: '' },
    ]
    for (const reason of others) expect(after(reason)).toEqual({ type: 'retry', failure: {}, login: 'keep' })
    expect(after({ type: 'peer-reset' })).toEqual({ type: 'retry', failure: { advance: 'no' }, login: 'keep' })
  })

  it('CLIENT-11 a refused token is dropped, and the real login used at the same remote', () => {
    for (const type of ['refused', 'session'] as const) {
      expect(refusal({ type, message: '' }, { usedToken: true })).toEqual({
        type: 'retry',
        failure: { advance: 'no' },
        login: 'drop-token',
      })
    }
  })

  it('CLIENT-12 a refused login follows auth-retry', () => {
    const failure: AuthFailure = { type: 'refused', message: 'no' }
    expect(refusal(failure)).toEqual({ type: 'stop' })
    expect(refusal(failure, { authRetry: 'nointeract' })).toEqual({
      type: 'retry',
      failure: { advance: 'no', pause: 10_000 },
      login: 'keep',
    })
    expect(refusal(failure, { authRetry: 'interact' })).toEqual({
      type: 'retry',
      failure: { advance: 'no' },
      login: 'ask',
    })
  })

  it('CLIENT-13 a temporary refusal says when and where', () => {
    const temporary = (backoffSeconds?: number, advance?: 'no' | 'remote' | 'addr'): AuthFailure => ({
      type: 'temporary',
      message: '',
      backoffSeconds,
      advance,
    })
    expect(refusal(temporary())).toEqual({ type: 'retry', failure: { advance: 'no', pause: undefined }, login: 'keep' })
    expect(refusal(temporary(42, 'remote'), { usedToken: true })).toEqual({
      type: 'retry',
      failure: { advance: 'remote', pause: 42_000 },
      login: 'keep',
    })
    expect(refusal(temporary(0, 'addr'))).toMatchObject({ failure: { advance: 'addr', pause: 0 } })
  })

  it('CLIENT-14 RESTART says where and whether the login is kept', () => {
    const restart = (advance: boolean, keepCredentials: boolean) =>
      after({ type: 'peer-restart', message: '', advance, keepCredentials })
    expect(restart(false, false)).toEqual({ type: 'retry', failure: { advance: 'no' }, login: 'forget' })
    expect(restart(true, true)).toEqual({ type: 'retry', failure: { advance: undefined }, login: 'keep' })
  })

  it('CLIENT-15 a challenge is put to the user', () => {
    const challenge = { text: 'code?', username: 'u', stateId: 's', echo: false, responseRequired: true }
    expect(refusal({ type: 'challenge', challenge })).toEqual({
      type: 'challenge',
      failure: { advance: 'no' },
      challenge,
    })
  })
})

describe('the login of the next attempt', () => {
  const tls = {}
  const config = (login?: LoginConfig, more: Partial<SessionConfig> = {}): SessionConfig => ({
    role: 'client',
    transport: 'udp',
    tls,
    ...(login === undefined ? {} : { login }),
    ...more,
  })
  const ask = config({ type: 'ask' })
  const known = config({ type: 'password', username: 'u', password: 'p' })
  const typed = { type: 'password', username: 'user', password: 'pass' } as const
  const staticChallenge = { text: 'PIN', echo: false, format: 'scrv1' } as const

  it('CLIENT-20 asks only for what is not known', () => {
    const credentials = new ClientCredentials(false)
    expect(credentials.request(config())).toBeUndefined()
    expect(credentials.request(config({ type: 'none' }))).toBeUndefined()
    expect(credentials.request(known)).toBeUndefined()
    expect(credentials.request(ask)).toEqual({ challenge: undefined, username: undefined })
    const question = { text: 'PIN', echo: false }
    expect(credentials.request({ ...known, staticChallenge })).toEqual({ challenge: question, username: 'u' })
    const named = config({ type: 'ask', username: 'u' })
    expect(credentials.request(named)).toEqual({ challenge: undefined, username: undefined, knownUsername: 'u' })
    credentials.provide(typed, ask)
    expect(credentials.request(ask)).toBeUndefined()
  })

  it('CLIENT-20 joins the answer to a static challenge to the login that is known, each time anew', () => {
    const credentials = new ClientCredentials(false)
    const asking = { ...known, staticChallenge }
    for (const response of ['1', '2']) {
      credentials.provide({ type: 'response', response }, asking)
      expect(credentials.request(asking)).toBeUndefined()
      expect(credentials.take(asking)).toEqual({ login: { ...known.login, response }, staticChallenge })
      expect(credentials.request(asking)).toMatchObject({ username: 'u' })
    }
    expect(() => {
      credentials.provide({ type: 'response', response: '3' }, ask)
    }).toThrow('a username and a password were asked for')
  })

  it('CLIENT-20 asks for all of a login that the server refused', () => {
    const asking = { ...known, staticChallenge }
    for (const its of [config({ type: 'ask', username: 'u' }), asking]) {
      const credentials = new ClientCredentials(false)
      credentials.change('ask')
      const request = credentials.request(its)
      expect(request).toMatchObject({ username: undefined })
      expect(request?.knownUsername).toBeUndefined()
      expect(() => {
        credentials.provide({ type: 'response', response: '1' }, its)
      }).toThrow('a username and a password were asked for')
      // Also once the login that was typed instead has served.
      credentials.provide({ ...typed, response: '1' }, its)
      credentials.take(its)
      if (its === asking) expect(credentials.request(its)).toMatchObject({ username: undefined })
    }
  })

  it('CLIENT-21 prefers the token to what was typed, and says so', () => {
    const credentials = new ClientCredentials(false)
    credentials.provide(typed, ask)
    expect(credentials.take(ask).login).toEqual(typed)
    expect(credentials.usedToken).toBe(false)
    credentials.keepToken(new PushedToken('SESS_ID_AT_x', undefined), 'user')
    expect(credentials.take(ask).login).toEqual({ type: 'password', username: 'user', password: 'SESS_ID_AT_x' })
    expect(credentials.usedToken).toBe(true)
    credentials.change('drop-token')
    expect(credentials.take(ask).login).toEqual(typed)
    expect(credentials.take(known).login).toEqual(typed)
    expect(new ClientCredentials(false).take(known)).toEqual({ login: known.login })
  })

  it('CLIENT-22 forgets what can serve only once', () => {
    const nocache = new ClientCredentials(true)
    nocache.provide(typed, ask)
    nocache.take(ask)
    expect(nocache.request(ask)).toBeDefined()
    const once = new ClientCredentials(false)
    const challenged = { ...ask, staticChallenge }
    expect(() => once.provide(typed, challenged)).toThrow(UsageError)
    once.provide({ ...typed, response: '42' }, challenged)
    expect(once.take(challenged)).toEqual({ login: { ...typed, response: '42' }, staticChallenge })
    expect(once.request(challenged)).toBeDefined()
  })

  it('CLIENT-12 CLIENT-14 forgets or asks as the end demands', () => {
    const credentials = new ClientCredentials(false)
    credentials.provide(typed, ask)
    credentials.change('keep')
    expect(credentials.request(ask)).toBeUndefined()
    credentials.change('forget')
    expect(credentials.request(ask)).toBeDefined()
    expect(credentials.request(known)).toBeUndefined()
    credentials.change('ask')
    expect(credentials.request(known)).toBeDefined()
    credentials.provide(typed, known)
    expect(credentials.request(known)).toBeUndefined()
    expect(credentials.take(known).login).toEqual(typed)
  })

  it('CLIENT-15 answers a dynamic challenge once', () => {
    const credentials = new ClientCredentials(false)
    credentials.keepToken(new PushedToken('t', undefined), 'x')
    credentials.challenged({ text: 'code?', username: 'cr', stateId: 'st', echo: true, responseRequired: true })
    expect(credentials.request(known)).toEqual({ challenge: { text: 'code?', echo: true }, username: 'cr' })
    expect(() => credentials.provide(typed, known)).toThrow(UsageError)
    credentials.provide({ type: 'response', response: '77' }, known)
    expect(credentials.request(known)).toBeUndefined()
    expect(credentials.take(known).login).toEqual({ type: 'password', username: 'cr', password: 'CRV1::st::77' })
    expect(credentials.take(known).login).toEqual(known.login)
  })

  it('refuses an answer to a question that was not asked', () => {
    expect(() => new ClientCredentials(false).provide({ type: 'response', response: 'x' }, ask)).toThrow(UsageError)
  })
})
