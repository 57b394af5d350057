/**
 * With which name and password a client logs in, now and in every renegotiation.
 *
 * The first login is the user's, with the answer to a static challenge joined to the password. Once the server has pushed
 * a session token, the token takes the password's place, so that nobody is asked again (spec/session.md, "Login").
 */
import { UsageError, utf8Encode } from '../bytes/index.ts'
import { type Login, type PushedToken, writeStaticResponse } from '../control/index.ts'
import type { Credentials, LoginConfig, StaticChallenge } from './config.ts'

/** Longest username and password: two of them fit a key message beside everything else. */
const MAX_LOGIN = 512

/** The login of one client session. */
export class ClientLogin {
  readonly #challenge: StaticChallenge | undefined
  #login: Login | undefined
  #token: PushedToken | undefined
  #waiting: boolean

  constructor(config: LoginConfig, challenge: StaticChallenge | undefined) {
    this.#challenge = challenge
    this.#waiting = config.type === 'ask'
    if (config.type !== 'password') return
    if (challenge !== undefined && config.response === undefined) this.#waiting = true
    else this.#login = this.#join(config.username, config.password, config.response)
  }

  /** True while the user must be asked before anything is sent. */
  get waiting(): boolean {
    return this.#waiting
  }

  /** What to ask beside username and password. */
  get question(): { readonly text: string; readonly echo: boolean } | undefined {
    const challenge = this.#challenge
    return challenge === undefined ? undefined : { text: challenge.text, echo: challenge.echo }
  }

  /** The token that was pushed last. */
  get token(): PushedToken | undefined {
    return this.#token
  }

  /** What goes into the key message. */
  get current(): Login | undefined {
    return this.#login
  }

  /**
   * The user's answer.
   * @throws UsageError when nothing was asked, or the answer to the challenge is missing.
   */
  provide(credentials: Extract<Credentials, { type: 'password' }>): void {
    if (!this.#waiting) throw new UsageError('no credentials were asked for')
    if (this.#challenge !== undefined && credentials.response === undefined) {
      throw new UsageError('the answer to the static challenge is missing')
    }
    const login = this.#join(credentials.username, credentials.password, credentials.response)
    if (utf8Encode(login.username).length > MAX_LOGIN || utf8Encode(login.password).length > MAX_LOGIN) {
      throw new UsageError(`username and password have at most ${MAX_LOGIN} bytes each`) // SESS-44
    }
    this.#login = login
    this.#waiting = false
  }

  /** A pushed token takes the password's place. SESS-91 */
  take(token: PushedToken): void {
    this.#token = token
    this.#login = token.login(this.#login?.username ?? '')
  }

  #join(username: string, password: string, response: string | undefined): Login {
    const challenge = this.#challenge
    if (challenge === undefined || response === undefined) return { username, password }
    return { username, password: writeStaticResponse(password, response, challenge.format) } // SESS-90
  }
}
