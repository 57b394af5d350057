import { describe, expect, it } from 'vitest'
import { ConfigError, fromBase64, fromHex, UsageError } from '../../../src/bytes/index.ts'
import {
  AUTH_TOKEN_LENGTH,
  type AuthTokenContents,
  type AuthTokenPolicy,
  isAuthToken,
  parseAuthTokenKey,
  verifyAuthToken,
  writeAuthToken,
  writeAuthTokenKey,
} from '../../../src/control/index.ts'
import { noble } from '../../../src/crypto/index.ts'
import { SeededRandom } from '../../support/random.ts'

const random = new SeededRandom('auth-token')
const key = random.bytes(128)
const policy: AuthTokenPolicy = { renewalInterval: 300_000, lifetime: 1_200_000 }
const start = 1_700_000_000_000
const contents: AuthTokenContents = { sessionId: random.bytes(12), initialTime: start, renewalTime: start }
const token = writeAuthToken(noble, key, 'user', contents)

function verdict(text: string, username: string, unixTime: number, sessionId?: Uint8Array) {
  const result = verifyAuthToken(noble, key, text, username, unixTime, policy, sessionId)
  return result.type === 'valid' ? (result.emptyUsername ? 'empty' : 'valid') : result.problem
}

describe('session tokens', () => {
  it('MSG-16 makes the token that the reference makes', () => {
    // From the reference's own test: all-zero key, time 0, user "test user name".
    const known = 'SESS_ID_AT_0123456789abcdefAAAAAAAAAAAAAAAAAAAAAE5JsQJOVfo8jnI3RL3tBaR5NkE4yPfcylFUHmHSc5Bu'
    const made = writeAuthToken(noble, new Uint8Array(128), 'test user name', {
      sessionId: fromBase64('0123456789abcdef')!,
      initialTime: 0,
      renewalTime: 0,
    })
    expect(made).toBe(known)
    expect(verifyAuthToken(noble, new Uint8Array(128), known, 'test user name', 0, policy).type).toBe('valid')
  })

  it('reads back what it wrote', () => {
    expect(token.length).toBe(AUTH_TOKEN_LENGTH)
    expect(isAuthToken(token)).toBe(true)
    expect(verifyAuthToken(noble, key, token, 'user', start, policy)).toEqual({
      type: 'valid',
      contents,
      emptyUsername: false,
    })
    expect(fromHex('00')).toEqual(new Uint8Array(1))
  })

  it('MSG-15 refuses every other length', () => {
    let accepted = 0
    for (let length = 0; length <= 4096; length++) {
      if (length === AUTH_TOKEN_LENGTH) continue
      const text = token.slice(0, length).padEnd(length, 'A')
      if (verdict(text, 'user', start) !== 'token-malformed') accepted++
    }
    expect(accepted).toBe(0)
    expect(verdict(`sess_id_at_${token.slice(11)}`, 'user', start)).toBe('token-malformed')
    expect(verdict(`${token.slice(0, 90)}?`, 'user', start)).toBe('token-malformed')
  })

  it('MSG-16 refuses every changed bit, another user and another key', () => {
    let accepted = 0
    let tried = 0
    for (let i = 11; i < AUTH_TOKEN_LENGTH; i++) {
      for (let bit = 0; bit < 7; bit++) {
        const changed = String.fromCharCode(token.charCodeAt(i) ^ (1 << bit))
        tried++
        const result = verdict(token.slice(0, i) + changed + token.slice(i + 1), 'user', start)
        if (result !== 'token-forged' && result !== 'token-malformed') accepted++
      }
    }
    expect(tried).toBe(560)
    expect(accepted).toBe(0)
    expect(verdict(token, 'other', start)).toBe('token-forged')
    const otherKey = key.slice()
    otherKey[64]! ^= 1
    expect(verifyAuthToken(noble, otherKey, token, 'user', start, policy)).toEqual({
      type: 'invalid',
      problem: 'token-forged',
    })
  })

  it('MSG-16 says when it was made without a username', () => {
    expect(verdict(writeAuthToken(noble, key, '', contents), 'user', start)).toBe('empty')
  })

  it.each([
    [-1, 'token-expired'],
    [0, 'valid'],
    [599_999, 'valid'],
    [600_000, 'token-expired'],
  ])('MSG-17 %i ms after its renewal it is %s', (elapsed, expected) => {
    expect(verdict(token, 'user', start + elapsed)).toBe(expected)
  })

  it('MSG-17 ends with its lifetime, however often it was renewed', () => {
    const renewed = (at: number) => writeAuthToken(noble, key, 'user', { ...contents, renewalTime: start + at })
    expect(verdict(renewed(1_000_000), 'user', start + 1_200_000)).toBe('valid')
    expect(verdict(renewed(1_000_000), 'user', start + 1_200_001)).toBe('token-expired')
    const endless = { ...policy, lifetime: 0 }
    const late = renewed(9_000_000)
    expect(verifyAuthToken(noble, key, late, 'user', start + 9_000_000, endless).type).toBe('valid')
  })

  it('MSG-17 refuses a renewal before the login', () => {
    const odd = writeAuthToken(noble, key, 'user', { ...contents, initialTime: start + 1000 })
    expect(verdict(odd, 'user', start + 1000)).toBe('token-expired')
  })

  it('refuses a token of another session', () => {
    expect(verdict(token, 'user', start, contents.sessionId)).toBe('valid')
    expect(verdict(token, 'user', start, random.bytes(12))).toBe('token-of-other-session')
  })

  it('reads and writes key files', () => {
    const text = writeAuthTokenKey(key)
    expect(text.split('\n').map((line) => line.length)).toEqual([45, 64, 64, 44, 43, 0])
    expect(parseAuthTokenKey(`# comment\n${text}`)).toEqual(key)
    expect(parseAuthTokenKey(text.replaceAll('\n', '\r\n'))).toEqual(key)
    for (const bad of ['', text.replace('END', 'NED'), text.replace('auth-token', 'tls-crypt'), text.slice(60)])
      expect(() => parseAuthTokenKey(bad)).toThrow(ConfigError)
    expect(() => writeAuthTokenKey(key.subarray(1))).toThrow(UsageError)
    expect(() => writeAuthToken(noble, key.subarray(1), 'u', contents)).toThrow(UsageError)
    expect(() => writeAuthToken(noble, key, 'u', { ...contents, sessionId: key.subarray(0, 8) })).toThrow(UsageError)
  })
})
