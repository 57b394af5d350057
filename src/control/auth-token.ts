/**
 * Session tokens of the server side (`auth-gen-token`): made, renewed and verified as pure functions (spec/messages.md).
 *
 * A token stands in for the password once a user has logged in. It is `SESS_ID_AT_` and 80 characters of base64: a session
 * id of 12 bytes, the time of the login and the time of the last renewal (seconds since 1970, 64 bits each), and an
 * HMAC-SHA256 over username, session id and both times. Whoever holds the server key can verify it; nothing is stored.
 *
 * A token is good from its renewal until two renewal intervals later, and never longer than the lifetime counted from the
 * login. One whose MAC fits the empty username is good too, but says so: the login behind it was made without a name.
 */
import {
  concat,
  ConfigError,
  equalConstantTime,
  fromBase64,
  Reader,
  toBase64,
  UsageError,
  utf8Encode,
  Writer,
} from '../bytes/index.ts'
import { type CryptoProvider, hmac } from '../crypto/index.ts'

/** What every token starts with. */
export const AUTH_TOKEN_PREFIX = 'SESS_ID_AT_'
/** Length of a token in characters. */
export const AUTH_TOKEN_LENGTH = 91
/** Length of a token's session id in bytes. */
export const AUTH_TOKEN_SESSION_ID_LENGTH = 12
/** Length of the server key in bytes; bytes 64 to 95 key the HMAC. */
export const AUTH_TOKEN_KEY_LENGTH = 128

const SIGNED_LENGTH = AUTH_TOKEN_SESSION_ID_LENGTH + 16
const KEY_LABEL = 'OpenVPN auth-token server key'

/** What a token says. Times in milliseconds since 1970, whole seconds. */
export interface AuthTokenContents {
  /** 12 bytes. */
  readonly sessionId: Uint8Array
  /** When the user logged in. */
  readonly initialTime: number
  /** When the token was last renewed. */
  readonly renewalTime: number
}

/** How long tokens live. Milliseconds. */
export interface AuthTokenPolicy {
  /** A token is good for twice this time after its last renewal. */
  readonly renewalInterval: number
  /** Counted from the login; 0: no end. */
  readonly lifetime: number
}

/** Why a token is no good. */
export type AuthTokenProblem =
  /** Not a token at all, or cut, or not canonical base64. */
  | 'token-malformed'
  /** Not made with this key for this username. */
  | 'token-forged'
  /** Too long since the last renewal, past its lifetime, or from the future. */
  | 'token-expired'
  /** Belongs to another session of the same user. */
  | 'token-of-other-session'

/** Result of {@link verifyAuthToken}. */
export type AuthTokenVerdict =
  | {
      readonly type: 'valid'
      readonly contents: AuthTokenContents
      /** The MAC fits the empty username instead of the one given: ask whoever decides about logins. */
      readonly emptyUsername: boolean
    }
  | { readonly type: 'invalid'; readonly problem: AuthTokenProblem }

/** True when a password looks like a token of this format. */
export function isAuthToken(password: string): boolean {
  return password.startsWith(AUTH_TOKEN_PREFIX)
}

/**
 * A token for `username`. For a renewal, keep `sessionId` and `initialTime` and set `renewalTime` to now.
 *
 * @param serverKey - 128 bytes.
 */
export function writeAuthToken(
  crypto: CryptoProvider,
  serverKey: Uint8Array,
  username: string,
  contents: AuthTokenContents,
): string {
  if (contents.sessionId.length !== AUTH_TOKEN_SESSION_ID_LENGTH)
    throw new UsageError('the session id of a token has 12 bytes')
  const signed = new Writer(SIGNED_LENGTH)
    .bytes(contents.sessionId)
    .u64(BigInt(Math.floor(contents.initialTime / 1000)))
    .u64(BigInt(Math.floor(contents.renewalTime / 1000)))
    .finish()
  const mac = tokenMac(crypto, serverKey, username, signed)
  return AUTH_TOKEN_PREFIX + toBase64(concat(signed, mac))
}

function tokenMac(crypto: CryptoProvider, serverKey: Uint8Array, username: string, signed: Uint8Array): Uint8Array {
  if (serverKey.length !== AUTH_TOKEN_KEY_LENGTH) throw new UsageError('an auth-token server key has 128 bytes')
  return hmac(crypto, 'SHA256', serverKey.subarray(64, 96), utf8Encode(username), signed) // MSG-16
}

/**
 * Judges a token that came as password.
 *
 * @param unixTime - milliseconds since 1970.
 * @param sessionId - the session id this client has had so far, where it is known: another one is refused.
 */
export function verifyAuthToken(
  crypto: CryptoProvider,
  serverKey: Uint8Array,
  token: string,
  username: string,
  unixTime: number,
  policy: AuthTokenPolicy,
  sessionId?: Uint8Array,
): AuthTokenVerdict {
  const bytes = decodeToken(token)
  if (bytes === undefined) return invalid('token-malformed') // MSG-15
  const signed = bytes.subarray(0, SIGNED_LENGTH)
  const mac = bytes.subarray(SIGNED_LENGTH)
  const named = equalConstantTime(mac, tokenMac(crypto, serverKey, username, signed))
  const nameless = equalConstantTime(mac, tokenMac(crypto, serverKey, '', signed))
  if (!named && !nameless) return invalid('token-forged') // MSG-16
  const reader = new Reader(signed)
  const contents: AuthTokenContents = {
    sessionId: reader.copy(AUTH_TOKEN_SESSION_ID_LENGTH),
    initialTime: Number(reader.u64()) * 1000,
    renewalTime: Number(reader.u64()) * 1000,
  }
  if (sessionId !== undefined && !equalConstantTime(sessionId, contents.sessionId))
    return invalid('token-of-other-session')
  if (!inTime(contents, unixTime, policy)) return invalid('token-expired')
  return { type: 'valid', contents, emptyUsername: !named }
}

function invalid(problem: AuthTokenProblem): AuthTokenVerdict {
  return { type: 'invalid', problem }
}

function decodeToken(token: string): Uint8Array | undefined {
  if (token.length !== AUTH_TOKEN_LENGTH || !isAuthToken(token)) return undefined
  return fromBase64(token.slice(AUTH_TOKEN_PREFIX.length))
}

/** MSG-17 */
function inTime(contents: AuthTokenContents, unixTime: number, policy: AuthTokenPolicy): boolean {
  const { initialTime, renewalTime } = contents
  if (renewalTime < initialTime || unixTime < renewalTime) return false
  if (unixTime >= renewalTime + 2 * policy.renewalInterval) return false
  return policy.lifetime === 0 || unixTime <= initialTime + policy.lifetime
}

/**
 * Reads the key file of `auth-gen-token-secret`.
 *
 * @throws ConfigError when it is not one.
 */
export function parseAuthTokenKey(text: string): Uint8Array {
  const begin = `-----BEGIN ${KEY_LABEL}-----`
  const start = text.indexOf(begin)
  const end = text.indexOf(`-----END ${KEY_LABEL}-----`)
  const body = start < 0 || end < start ? '' : text.slice(start + begin.length, end)
  const key = fromBase64(body.replace(/[\r\n\t ]/g, ''))
  if (key?.length !== AUTH_TOKEN_KEY_LENGTH)
    throw new ConfigError('auth-gen-token-secret', `auth-gen-token-secret: not an "${KEY_LABEL}" file of 128 bytes`)
  return key
}

/** The key file of 128 fresh random bytes. */
export function writeAuthTokenKey(key: Uint8Array): string {
  if (key.length !== AUTH_TOKEN_KEY_LENGTH) throw new UsageError('an auth-token server key has 128 bytes')
  const lines = toBase64(key).replace(/.{64}/g, '$&\n')
  return `-----BEGIN ${KEY_LABEL}-----\n${lines.trimEnd()}\n-----END ${KEY_LABEL}-----\n`
}
