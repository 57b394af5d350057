import { describe, expect, it } from 'vitest'
import { concat, utf8Encode, UsageError } from '../../../src/bytes/index.ts'
import {
  type ClientKeyMessage,
  parseClientKeyMessage,
  parseServerKeyMessage,
  writeClientKeyMessage,
  writeServerKeyMessage,
} from '../../../src/control/index.ts'
import { SeededRandom } from '../../support/random.ts'

const random = new SeededRandom('key-method')
const preMaster = random.bytes(48)
const random1 = random.bytes(32)
const random2 = random.bytes(32)
const options =
  'V4,dev-type tun,link-mtu 1549,tun-mtu 1500,proto UDPv4,auth [null-digest],keysize 256,key-method 2,tls-client'

/** A string field as declared, whatever its contents. */
function field(bytes: Uint8Array, length = bytes.length): Uint8Array {
  return concat(Uint8Array.of(length >> 8, length & 255), bytes)
}

function text(value: string): Uint8Array {
  return value === '' ? field(new Uint8Array(0)) : field(utf8Encode(`${value}\0`))
}

function client(...strings: readonly Uint8Array[]): Uint8Array {
  return concat(Uint8Array.of(0, 0, 0, 0, 2), preMaster, random1, random2, ...strings)
}

function parsed(...strings: readonly Uint8Array[]): ClientKeyMessage {
  const message = parseClientKeyMessage(client(...strings))
  if (typeof message === 'string') throw new Error(message)
  return message
}

describe('key method 2', () => {
  it('writes and reads a whole client message', () => {
    const login = { username: 'änn', password: 'p w' }
    const bytes = writeClientKeyMessage({
      preMaster,
      random1,
      random2,
      options,
      login,
      peerInfo: 'IV_VER=2.7.0\nIV_PROTO=990\n',
    })
    expect(bytes.subarray(0, 5)).toEqual(Uint8Array.of(0, 0, 0, 0, 2))
    expect(parseClientKeyMessage(bytes)).toEqual({
      preMaster,
      random1,
      random2,
      options,
      login,
      loginProblem: undefined,
      peerInfo: 'IV_VER=2.7.0\nIV_PROTO=990\n',
    })
  })

  it('writes and reads a whole server message, which has no pre-master secret', () => {
    const bytes = writeServerKeyMessage({ random1, random2, options })
    expect(bytes.length).toBe(5 + 64 + 2 + options.length + 1 + 6)
    expect(parseServerKeyMessage(bytes)).toEqual({
      random1,
      random2,
      options,
      login: undefined,
      loginProblem: undefined,
      peerInfo: '',
    })
  })

  it('KM2-1 refuses a lead that is not zero and every method but 2', () => {
    const good = client(text(options))
    for (let i = 0; i < 4; i++) {
      const bytes = good.slice()
      bytes[i] = 1
      expect(parseClientKeyMessage(bytes)).toBe('key-method-bad-lead')
    }
    let accepted = 0
    for (let method = 0; method < 256; method++) {
      const bytes = good.slice()
      bytes[4] = method
      if (typeof parseClientKeyMessage(bytes) !== 'string') accepted++
      else expect(parseClientKeyMessage(bytes)).toBe('key-method-unsupported')
    }
    expect(accepted).toBe(16)
  })

  it('KM2-2 writes the empty string as a bare zero length and counts the NUL of others', () => {
    const bytes = writeServerKeyMessage({ random1, random2, options: 'V4', login: { username: 'a', password: '' } })
    expect([...bytes.subarray(69)]).toEqual([0, 3, 0x56, 0x34, 0, 0, 2, 0x61, 0, 0, 0, 0, 0])
  })

  it('KM2-2 refuses a string without its NUL or with one inside', () => {
    expect(parseClientKeyMessage(client(field(utf8Encode('V4'))))).toBe('key-method-string-malformed')
    expect(parseClientKeyMessage(client(text('V4\0,tls-client')))).toBe('key-method-string-malformed')
    expect(parseClientKeyMessage(client(text('V4'), text(''), text(''), text('IV_A=1\0')))).toBe(
      'key-method-string-malformed',
    )
  })

  it('KM2-3 takes an options string of 512 bytes and refuses one of 513', () => {
    expect(parsed(text('o'.repeat(511))).options.length).toBe(511)
    expect(parseClientKeyMessage(client(text('o'.repeat(512))))).toBe('key-method-options-too-long')
  })

  it.each([0, 1, 127, 128, 129, 4095, 4096, 16_000])(
    'KM2-4 KM2-6 a username of %i characters never shifts what follows',
    (length) => {
      const message = parsed(text('V4'), text('u'.repeat(length)), text('secret'), text('IV_VER=2.7'))
      expect(message.peerInfo).toBe('IV_VER=2.7')
      expect(message.options).toBe('V4')
      if (length === 0) expect([message.login, message.loginProblem]).toEqual([undefined, undefined])
      else if (length <= 127) expect(message.login).toEqual({ username: 'u'.repeat(length), password: 'secret' })
      else expect([message.login, message.loginProblem]).toEqual([undefined, 'login-too-long'])
    },
  )

  it('KM2-6 a longer limit can be given', () => {
    const bytes = client(text('V4'), text('u'), text('p'.repeat(4095)))
    expect(parseClientKeyMessage(bytes, { maxLogin: 4096 })).toMatchObject({ loginProblem: undefined })
    expect(parseClientKeyMessage(bytes)).toMatchObject({ login: undefined, loginProblem: 'login-too-long' })
  })

  it('KM2-6 a login with a NUL inside or not in UTF-8 is none, and the message stays good', () => {
    const bad = [utf8Encode('a\0b\0'), Uint8Array.of(0xc3, 0x28, 0), Uint8Array.of(0xff, 0)]
    for (const bytes of bad) {
      expect(parsed(text('V4'), field(bytes), text('p'), text('IV_A=1'))).toMatchObject({
        login: undefined,
        loginProblem: 'login-malformed',
        peerInfo: 'IV_A=1',
      })
      expect(parsed(text('V4'), text('u'), field(bytes))).toMatchObject({ loginProblem: 'login-malformed' })
    }
  })

  it('KM2-7 half a login is none', () => {
    expect(parsed(text('V4'), text('user'), text('')).login).toBeUndefined()
    expect(parsed(text('V4'), text(''), text('pass')).login).toBeUndefined()
  })

  it('KM2-5 the message may end after any string, and what follows the last is ignored', () => {
    const strings = [text('V4'), text('user'), text('pass'), text('IV_VER=2.7')]
    for (let count = 0; count <= 4; count++) {
      const message = parsed(...strings.slice(0, count))
      expect(message.options).toBe(count > 0 ? 'V4' : '')
      expect(message.login).toEqual(count > 2 ? { username: 'user', password: 'pass' } : undefined)
      expect(message.peerInfo).toBe(count > 3 ? 'IV_VER=2.7' : '')
    }
    expect(parsed(...strings, Uint8Array.of(1, 2, 3)).peerInfo).toBe('IV_VER=2.7')
  })

  it('gives a reason for every other cut', () => {
    const bytes = client(text('V4'), text('user'), text('pass'), text('IV_VER=2.7'))
    let whole = 0
    const start = 5 + 48 + 64
    const boundaries = new Set([start, start + 5, start + 12, start + 19, bytes.length])
    for (let length = 0; length <= bytes.length; length++) {
      const result = parseClientKeyMessage(bytes.subarray(0, length))
      if (boundaries.has(length)) {
        expect(typeof result).toBe('object')
        whole++
      } else expect(result).toBe(length < start ? 'key-method-too-short' : 'key-method-string-cut')
    }
    expect(whole).toBe(5)
  })

  it('KM2-8 refuses to write what a peer could not read', () => {
    const base = { preMaster, random1, random2, options: 'V4' }
    expect(() => writeClientKeyMessage({ ...base, peerInfo: 'x'.repeat(1940) })).toThrow(UsageError)
    expect(writeClientKeyMessage({ ...base, peerInfo: 'x'.repeat(1915) }).length).toBeLessThanOrEqual(2048)
    expect(() => writeClientKeyMessage({ ...base, options: 'x'.repeat(512) })).toThrow(UsageError)
    expect(() => writeClientKeyMessage({ ...base, options: 'a\0b' })).toThrow(UsageError)
    expect(() => writeClientKeyMessage({ ...base, preMaster: preMaster.subarray(1) })).toThrow(UsageError)
    expect(() => writeServerKeyMessage({ random1: random1.subarray(1), random2, options: '' })).toThrow(UsageError)
  })

  it('makes texts safe to show', () => {
    const message = parsed(text('V4,\u001b[2J\u202e'), text(''), text(''), text('IV_A=\u0007\r\nIV_B=1'))
    expect(message.options).toBe('V4,\ufffd[2J\ufffd')
    expect(message.peerInfo).toBe('IV_A=\ufffd\nIV_B=1')
  })
})
