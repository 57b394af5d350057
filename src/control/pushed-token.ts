/**
 * A session token that a server pushed in place of the password (`auth-token`), and the username that goes with it.
 */
import type { Login } from './key-method.ts'

/** Holds a token so that neither `console.log` nor JSON prints it. */
export class PushedToken {
  readonly #token: string
  readonly #username: string | undefined

  constructor(token: string, username: string | undefined) {
    this.#token = token
    this.#username = username
  }

  /**
   * The login to use from now on: the token as password, verbatim, and the pushed username where there is one.
   *
   * @param username - the name used so far.
   */
  login(username: string): Login {
    return { username: this.#username ?? username, password: this.#token }
  }
}
