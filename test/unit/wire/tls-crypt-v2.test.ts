import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { concat, ConfigError, UsageError } from '../../../src/bytes/index.ts'
import { noble } from '../../../src/crypto/index.ts'
import {
  type ClientKeyMetadata,
  createTlsCryptKeys,
  createTlsCryptV2Wrapper,
  generateStaticKey,
  generateTlsCryptV2ClientKey,
  generateTlsCryptV2ServerKey,
  isClientKeyTooOld,
  isWireProblem,
  MAX_CLIENT_KEY_METADATA,
  MAX_WRAPPED_KEY,
  MIN_WRAPPED_KEY,
  Opcode,
  parseClientKeyMetadata,
  parseTlsCryptV2ClientKey,
  parseTlsCryptV2ServerKey,
  splitWrappedKey,
  StaticKey,
  TlsCryptV2ServerKey,
  wrappedKeyServerId,
  writeClientKeyMetadata,
  writeTlsCryptV2ClientKey,
  writeTlsCryptV2ServerKey,
} from '../../../src/wire/index.ts'
import { SeededRandom } from '../../support/random.ts'

const random = new SeededRandom('tls-crypt-v2')
const serverKey = generateTlsCryptV2ServerKey(random.source)
const wrapper = createTlsCryptV2Wrapper(noble, serverKey)
const stamp = { type: 'timestamp', unixSeconds: 1_767_225_600 } as const

describe('key files', () => {
  it('WRAP-30, WRAP-31 a server key is written and read, with text around it', () => {
    const text = writeTlsCryptV2ServerKey(serverKey)
    expect(text).toMatch(/^-----BEGIN OpenVPN tls-crypt-v2 server key-----\n([\w+/=]{1,64}\n){3}-----END/u)
    expect(parseTlsCryptV2ServerKey(`# mine\r\n${text.replaceAll('\n', '\r\n')}\nend`).exportBytes()).toEqual(
      serverKey.exportBytes(),
    )
    for (const length of [0, 127, 129, 256]) {
      expect(() => new TlsCryptV2ServerKey(new Uint8Array(length))).toThrow(ConfigError)
    }
  })

  it('WRAP-32, WRAP-33 a client key is written and read, and refused when its tail is not its length', () => {
    const client = generateTlsCryptV2ClientKey(wrapper, random.source, stamp)
    const text = writeTlsCryptV2ClientKey(client)
    const back = parseTlsCryptV2ClientKey(text)
    expect(back.key.exportBytes()).toEqual(client.key.exportBytes())
    expect(back.wrappedKey).toEqual(client.wrappedKey)
    expect(client.wrappedKey.length).toBe(299)
    for (const wrappedKey of [
      client.wrappedKey.subarray(0, 298),
      client.wrappedKey.subarray(1),
      new Uint8Array(0),
      new Uint8Array(289),
      new Uint8Array(1025),
    ]) {
      const damaged = writeTlsCryptV2ClientKey({ key: client.key, wrappedKey })
      expect(() => parseTlsCryptV2ClientKey(damaged)).toThrow(ConfigError)
    }
  })

  it('WRAP-30 the wrong label, a missing end and other digits are refused by name', () => {
    const text = writeTlsCryptV2ServerKey(serverKey)
    expect(() => parseTlsCryptV2ClientKey(text)).toThrow('BEGIN OpenVPN tls-crypt-v2 client key')
    expect(() => parseTlsCryptV2ServerKey(text.replace('END', 'FIN'))).toThrow('END OpenVPN tls-crypt-v2 server key')
    expect(() => parseTlsCryptV2ServerKey(text.replace(/\n\w/u, '\n!'))).toThrow('base64')
  })

  it('WRAP-5 a server key shows nothing when printed', () => {
    expect(inspect(serverKey, { depth: 9, showHidden: true })).not.toMatch(/\d+, \d+/u)
    expect(JSON.stringify(serverKey)).toBe('"[TlsCryptV2ServerKey]"')
  })
})

describe('metadata', () => {
  it('WRAP-37, WRAP-38, WRAP-40 each kind has its bytes, and what does not fit is handed on', () => {
    const cases: [ClientKeyMetadata, string][] = [
      [{ type: 'none' }, ''],
      [{ type: 'user', data: new Uint8Array(0) }, '00'],
      [{ type: 'user', data: Uint8Array.of(5) }, '0005'],
      [stamp, '01000000006955b900'],
      [{ type: 'timestamp', unixSeconds: -2 }, '01fffffffffffffffe'],
      [{ type: 'other', code: 1, data: Uint8Array.of(1, 2) }, '010102'],
      [{ type: 'other', code: 200, data: new Uint8Array(0) }, 'c8'],
    ]
    for (const [metadata, hex] of cases) {
      const bytes = Uint8Array.from(Buffer.from(hex, 'hex'))
      expect(writeClientKeyMetadata(metadata)).toEqual(bytes)
      expect(parseClientKeyMetadata(bytes)).toEqual(metadata)
    }
  })

  it('WRAP-39 a maximum age refuses older keys and keys without a time', () => {
    const day = 86_400
    const now = stamp.unixSeconds + 10 * day
    expect(isClientKeyTooOld(stamp, 10, now)).toBe(false)
    expect(isClientKeyTooOld(stamp, 10, now + 1)).toBe(true)
    expect(isClientKeyTooOld({ type: 'none' }, 10_000, now)).toBe(true)
    expect(isClientKeyTooOld({ type: 'user', data: new Uint8Array(8) }, 10_000, now)).toBe(true)
  })
})

describe('wrapping', () => {
  it('WRAP-33, WRAP-37 wrapped keys have 290 to 1,024 bytes', () => {
    const key = generateStaticKey(random.source)
    expect(wrapper.wrap(key).length).toBe(MIN_WRAPPED_KEY)
    const longest = wrapper.wrap(key, { type: 'user', data: new Uint8Array(MAX_CLIENT_KEY_METADATA - 1) })
    expect(longest.length).toBe(MAX_WRAPPED_KEY)
    expect(isWireProblem(wrapper.unwrap(longest))).toBe(false)
    expect(MAX_CLIENT_KEY_METADATA).toBe(734)
    for (const length of [289, 290, 1024, 1025, 2000]) {
      const sized = new Uint8Array(length)
      sized.set([length >> 8, length & 255], length - 2)
      const fits = length >= MIN_WRAPPED_KEY && length <= MAX_WRAPPED_KEY
      expect(wrapper.unwrap(sized)).toBe(fits ? 'wrapped-key-mismatch' : 'wrapped-key-length')
      const file = writeTlsCryptV2ClientKey({ key, wrappedKey: sized })
      if (fits) expect(parseTlsCryptV2ClientKey(file).wrappedKey).toEqual(sized)
      else expect(() => parseTlsCryptV2ClientKey(file)).toThrow(ConfigError)
    }
    expect(() => wrapper.wrap(key, { type: 'user', data: new Uint8Array(MAX_CLIENT_KEY_METADATA) })).toThrow(UsageError)
    expect(() => wrapper.wrap(new StaticKey(new Uint8Array(128)))).toThrow(UsageError)
  })

  it('WRAP-34, WRAP-36 another server key unwraps nothing, whichever part differs', () => {
    const wrapped = wrapper.wrap(generateStaticKey(random.source), stamp)
    for (const [at, matters] of [
      [0, true],
      [31, true],
      [32, false],
      [63, false],
      [64, true],
      [95, true],
      [96, false],
      [127, false],
    ] as const) {
      const bytes = serverKey.exportBytes()
      bytes[at] = bytes[at]! ^ 4
      const other = createTlsCryptV2Wrapper(noble, new TlsCryptV2ServerKey(bytes))
      expect(isWireProblem(other.unwrap(wrapped)), String(at)).toBe(matters)
    }
  })

  it('WRAP-36 refuses every single-bit flip of a wrapped key', () => {
    const wrapped = wrapper.wrap(generateStaticKey(random.source), stamp)
    let refused = 0
    for (let bit = 0; bit < 8 * wrapped.length; bit++) {
      const bytes = wrapped.slice()
      bytes[bit >> 3] = bytes[bit >> 3]! ^ (1 << (bit & 7))
      expect(wrapper.unwrap(bytes)).toBe(bit >= 8 * 297 ? 'wrapped-key-length' : 'wrapped-key-mismatch')
      refused++
    }
    expect(refused).toBe(8 * 299)
  })

  it('WRAP-41 the several-keys form names its server key; forms and ids do not mix', () => {
    const named = createTlsCryptV2Wrapper(noble, serverKey, 0xfedcba98)
    const key = generateStaticKey(random.source)
    const wrapped = named.wrap(key, stamp)
    expect(wrapped.length).toBe(303)
    expect(wrappedKeyServerId(wrapped)).toBe(0xfedcba98)
    expect(named.unwrap(wrapped)).toMatchObject({ metadata: stamp })
    expect(createTlsCryptV2Wrapper(noble, serverKey, 1).unwrap(wrapped)).toBe('wrapped-key-unknown-server')
    expect(wrapper.unwrap(wrapped)).toBe('wrapped-key-mismatch')
    expect(named.unwrap(wrapper.wrap(key, stamp))).toBe('wrapped-key-unknown-server')
    const short = wrapper.wrap(key)
    short.set([0xfe, 0xdc, 0xba, 0x98], 284)
    expect(named.unwrap(short)).toBe('wrapped-key-length')
    const relabelled = wrapped.slice()
    relabelled.set([0, 0, 0, 1], 297)
    expect(createTlsCryptV2Wrapper(noble, serverKey, 1).unwrap(relabelled)).toBe('wrapped-key-mismatch')
  })

  it('WRAP-42, WRAP-44 a server opens a first packet with nothing but its own key', () => {
    const { key, wrappedKey } = generateTlsCryptV2ClientKey(wrapper, random.source, stamp)
    const packet = {
      opcode: Opcode.CONTROL_HARD_RESET_CLIENT_V3,
      keyId: 0,
      sessionId: random.bytes(8),
      acks: [],
      packetId: 0,
      payload: new Uint8Array(0),
    }
    const client = createTlsCryptKeys(noble, key, 'client')
    const datagram = concat(client.seal(packet, 0x0f000001, 5), wrappedKey)
    expect(datagram.length).toBe(54 + 299)
    const parts = splitWrappedKey(datagram)
    if (isWireProblem(parts)) throw new Error(parts)
    const unwrapped = wrapper.unwrap(parts.wrappedKey)
    if (isWireProblem(unwrapped)) throw new Error(unwrapped)
    const server = createTlsCryptKeys(noble, unwrapped.key, 'server')
    expect(server.open(parts.packet)).toEqual({ packet, replayPacketId: 0x0f000001, replayTime: 5 })
    expect(client.open(server.seal({ ...packet, opcode: 8 }, 1, 6))).toMatchObject({ replayPacketId: 1 })
  })

  it('WRAP-43 the split needs a whole reset in front and a possible length behind', () => {
    const least = new Uint8Array(54 + 290)
    const withLength = (total: number, length: number) => {
      const bytes = new Uint8Array(total)
      bytes[total - 2] = length >> 8
      bytes[total - 1] = length & 255
      return splitWrappedKey(bytes)
    }
    expect(splitWrappedKey(least.subarray(1))).toBe('too-short')
    expect(withLength(344, 290)).toMatchObject({ wrappedKey: { length: 290 }, packet: { length: 54 } })
    expect(withLength(344, 291)).toBe('wrapped-key-length')
    expect(withLength(344, 289)).toBe('wrapped-key-length')
    expect(withLength(2000, 1024)).toMatchObject({ packet: { length: 976 } })
    expect(withLength(2000, 1025)).toBe('wrapped-key-length')
    expect(withLength(2000, 2000)).toBe('wrapped-key-length')
  })
})
