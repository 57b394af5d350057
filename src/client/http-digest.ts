/**
 * HTTP Digest authentication (RFC 7616) for the CONNECT method: the answer to a proxy's challenge (spec/proxy.md).
 */
import { toHex, utf8Encode } from '../bytes/index.ts'
import type { CryptoProvider, HashName } from '../crypto/index.ts'
import type { HttpChallenge } from './http-header.ts'

/** A name and password for a proxy. */
export interface ProxyLogin {
  readonly username: string
  readonly password: string
}

/** What a Digest answer is computed from. */
export interface DigestInput {
  readonly challenge: HttpChallenge
  readonly login: ProxyLogin
  readonly method: string
  readonly uri: string
  /** Fresh, visible ASCII. */
  readonly clientNonce: string
  /** How often the challenge's nonce was used, this time included. */
  readonly count: number
}

const ALGORITHMS: ReadonlyMap<string, HashName> = new Map([
  ['md5', 'MD5'],
  ['md5-sess', 'MD5'],
  ['sha-256', 'SHA256'],
  ['sha-256-sess', 'SHA256'],
])

/** The hash that a Digest challenge asks for; `undefined` when the challenge cannot be answered. PROXY-6 */
export function digestHash(challenge: HttpChallenge): HashName | undefined {
  const { parameters } = challenge
  if (challenge.scheme !== 'digest' || !parameters.has('nonce') || !parameters.has('realm')) return undefined
  const protection = parameters.get('qop')
  if (protection !== undefined && !protection.split(',').some((item) => item.trim() === 'auth')) return undefined
  return ALGORITHMS.get((parameters.get('algorithm') ?? 'MD5').toLowerCase())
}

/** The value of `Proxy-Authorization`; `undefined` when the challenge cannot be answered. */
export function writeDigest(crypto: CryptoProvider, input: DigestInput): string | undefined {
  const { challenge, login, method, uri, clientNonce } = input
  const { parameters } = challenge
  const name = digestHash(challenge)
  if (name === undefined) return undefined
  const hash = (text: string): string => toHex(crypto.createHash(name).update(utf8Encode(text)).finish())
  const realm = parameters.get('realm') ?? ''
  const nonce = parameters.get('nonce') ?? ''
  const algorithm = parameters.get('algorithm')
  const count = input.count.toString(16).padStart(8, '0')
  let secret = hash(`${login.username}:${realm}:${login.password}`)
  if (algorithm?.toLowerCase().endsWith('-sess') === true) secret = hash(`${secret}:${nonce}:${clientNonce}`)
  const request = hash(`${method}:${uri}`)
  const withCount = parameters.has('qop')
  const response = withCount
    ? hash(`${secret}:${nonce}:${count}:${clientNonce}:auth:${request}`)
    : hash(`${secret}:${nonce}:${request}`)
  const parts = [
    `username=${quote(login.username)}`,
    `realm=${quote(realm)}`,
    `nonce=${quote(nonce)}`,
    `uri=${quote(uri)}`,
    `response="${response}"`,
  ]
  if (algorithm !== undefined) parts.push(`algorithm=${algorithm}`)
  const opaque = parameters.get('opaque')
  if (opaque !== undefined) parts.push(`opaque=${quote(opaque)}`)
  if (withCount) parts.push('qop=auth', `nc=${count}`, `cnonce="${clientNonce}"`)
  return `Digest ${parts.join(', ')}`
}

function quote(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`
}
