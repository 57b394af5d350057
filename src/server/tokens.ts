/**
 * Tokens in place of passwords: judged when a client logs in, made and renewed when it is let in (SRV-47).
 */
import {
  AUTH_TOKEN_KEY_LENGTH,
  AUTH_TOKEN_SESSION_ID_LENGTH,
  isAuthToken,
  verifyAuthToken,
  writeAuthToken,
} from '../control/index.ts'
import { ConfigError } from '../bytes/index.ts'
import type { CryptoProvider, RandomSource } from '../crypto/index.ts'
import type { ServerClient } from './client.ts'
import type { AuthTokenConfig } from './config.ts'

/** What a password is to the tokens. */
export type TokenVerdict = 'no-token' | 'accepted' | 'refused'

/** The tokens of one server. */
export class Tokens {
  readonly #config: AuthTokenConfig | undefined
  readonly #crypto: CryptoProvider
  readonly #random: RandomSource

  /** @throws ConfigError */
  constructor(config: AuthTokenConfig | undefined, crypto: CryptoProvider, random: RandomSource) {
    if (config !== undefined && config.key.length !== AUTH_TOKEN_KEY_LENGTH) {
      throw new ConfigError('auth-gen-token-secret', 'the key of tokens has 128 bytes')
    }
    this.#config = config
    this.#crypto = crypto
    this.#random = random
  }

  /** Whether the host is asked about good tokens too. */
  get external(): boolean {
    return this.#config?.externalAuth === true
  }

  /** Judges a password; a good token's session goes on. */
  judge(client: ServerClient, username: string, password: string, unixTime: number): TokenVerdict {
    const config = this.#config
    if (config === undefined || !isAuthToken(password)) return 'no-token'
    const policy = { renewalInterval: config.renewal, lifetime: config.lifetime }
    const known = client.token?.sessionId
    const verdict = verifyAuthToken(this.#crypto, config.key, password, username, unixTime, policy, known)
    if (verdict.type === 'invalid' || (verdict.emptyUsername && username !== '' && !this.external)) return 'refused'
    const { sessionId, initialTime } = verdict.contents
    client.token = { sessionId, initialTime }
    return 'accepted'
  }

  /** A fresh token for a client that is let in; undefined where there are none. */
  issue(client: ServerClient, unixTime: number): string | undefined {
    const username = client.identity?.username ?? ''
    if (this.#config === undefined || username === '') return undefined
    client.token ??= { sessionId: this.#random(AUTH_TOKEN_SESSION_ID_LENGTH), initialTime: unixTime }
    return writeAuthToken(this.#crypto, this.#config.key, username, { ...client.token, renewalTime: unixTime })
  }
}
