/**
 * With which login the next attempt goes, and when the user must be asked first (spec/client.md, "Login").
 *
 * In order of preference: the answer to a challenge, for one attempt; a session token; what the user typed or the
 * configuration holds. What was typed is kept for the next attempt unless it cannot serve again: with `auth-nocache`, with
 * a static challenge (its answer is good once), or when the server asked to forget it.
 */
import { UsageError } from '../bytes/index.ts'
import { type AuthFailure, type Login, type PushedToken, writeDynamicResponse } from '../control/index.ts'
import type { Credentials, LoginConfig, SessionConfig } from '../session/index.ts'
import type { CredentialsRequest } from './output.ts'
import type { LoginChange } from './policy.ts'

type DynamicChallenge = Extract<AuthFailure, { type: 'challenge' }>['challenge']

/** The login of a client over all its attempts. */
export class ClientCredentials {
  readonly #forget: boolean
  #typed: { readonly login: Login; readonly response: string | undefined } | undefined
  #token: PushedToken | undefined
  #tokenUser = ''
  #challenge: DynamicChallenge | undefined
  #answer: Login | undefined
  #mustAsk = false
  /** The server refused a login, and the user is asked for another. */
  #refused = false
  #usedToken = false

  /** @param forget - `auth-nocache`. */
  constructor(forget: boolean) {
    this.#forget = forget
  }

  /** True when the last attempt went with a session token. */
  get usedToken(): boolean {
    return this.#usedToken
  }

  /** What to ask the user before an attempt with this configuration; undefined when nothing. CLIENT-20 */
  request(config: SessionConfig): CredentialsRequest | undefined {
    const challenge = this.#challenge
    if (challenge !== undefined && this.#answer === undefined)
      return { challenge: { text: challenge.text, echo: challenge.echo }, username: challenge.username }
    if (this.#answer !== undefined || this.#token !== undefined || this.#typed !== undefined) return undefined
    const { login, staticChallenge } = config
    const known = login?.type === 'password' && !needsAnswer(config, login)
    if (!this.#mustAsk && (known || login === undefined || login.type === 'none')) return undefined
    const given = this.#given(config)
    return {
      challenge: staticChallenge === undefined ? undefined : { text: staticChallenge.text, echo: staticChallenge.echo },
      username: given?.type === 'password' ? given.username : undefined,
      ...(given?.type === 'ask' && given.username !== undefined ? { knownUsername: given.username } : {}),
    }
  }

  /** What the configuration knows of the login, unless the server would not have it. */
  #given({ login }: SessionConfig): LoginConfig | undefined {
    return this.#refused ? undefined : login
  }

  /**
   * The user's answer to `request`.
   *
   * @throws UsageError when it is not an answer to what was asked.
   */
  provide(credentials: Credentials, config: SessionConfig): void {
    const challenge = this.#challenge
    if (challenge !== undefined) {
      if (credentials.response === undefined) throw new UsageError('the answer to the challenge is missing')
      this.#answer = {
        username: challenge.username,
        password: writeDynamicResponse(challenge.stateId, credentials.response),
      }
      return
    }
    const given = this.#given(config)
    if (credentials.type === 'response' && given?.type === 'password' && config.staticChallenge !== undefined) {
      const { username, password } = given
      this.#typed = { login: { username, password }, response: credentials.response }
      return
    }
    if (credentials.type !== 'password') throw new UsageError('a username and a password were asked for')
    if (config.staticChallenge !== undefined && credentials.response === undefined)
      throw new UsageError('the answer to the static challenge is missing')
    const { username, password, response } = credentials
    this.#typed = { login: { username, password }, response }
    this.#mustAsk = false
  }

  /** The login for an attempt that begins now. CLIENT-21 */
  take(config: SessionConfig): Pick<SessionConfig, 'login' | 'staticChallenge'> {
    const answer = this.#answer
    this.#answer = undefined
    this.#challenge = undefined
    this.#usedToken = answer === undefined && this.#token !== undefined
    if (answer !== undefined) return { login: { type: 'password', ...answer } }
    if (this.#token !== undefined) return { login: { type: 'password', ...this.#token.login(this.#tokenUser) } }
    const typed = this.#typed
    if (typed === undefined) return withChallenge(config, config.login ?? { type: 'none' })
    if (this.#forget || typed.response !== undefined) this.#typed = undefined // CLIENT-22
    const { login, response } = typed
    return withChallenge(config, { type: 'password', ...login, ...(response === undefined ? {} : { response }) })
  }

  /** A token that the server pushed; it stands in for the password from now on. CLIENT-21 */
  keepToken(token: PushedToken, username: string): void {
    this.#token = token
    this.#tokenUser = username
  }

  /** What becomes of the login after a session's end. */
  change(change: LoginChange): void {
    if (change === 'drop-token') this.#token = undefined // CLIENT-11
    if (change === 'forget' || change === 'ask') this.#typed = undefined
    if (change !== 'ask') return
    this.#mustAsk = true // CLIENT-12
    this.#refused = true
  }

  /** A challenge came with the refusal: it is asked before the next attempt. CLIENT-15 */
  challenged(challenge: DynamicChallenge): void {
    this.#challenge = challenge
    this.#answer = undefined
    this.#token = undefined
  }
}

function needsAnswer(config: SessionConfig, login: Extract<LoginConfig, { type: 'password' }>): boolean {
  return config.staticChallenge !== undefined && login.response === undefined
}

function withChallenge(config: SessionConfig, login: LoginConfig): Pick<SessionConfig, 'login' | 'staticChallenge'> {
  return config.staticChallenge === undefined ? { login } : { login, staticChallenge: config.staticChallenge }
}
