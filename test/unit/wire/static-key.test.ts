import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { ConfigError } from '../../../src/bytes/index.ts'
import { generateStaticKey, keySlots, parseStaticKey, StaticKey, writeStaticKey } from '../../../src/wire/index.ts'
import { seededSource } from '../../support/random.ts'

const bytes = Uint8Array.from({ length: 256 }, (_, i) => i)
const key = new StaticKey(bytes)

/** What a call throws, which must be a ConfigError. */
function refusal(call: () => unknown): ConfigError {
  try {
    call()
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
  throw new Error('not refused')
}

describe('static keys', () => {
  it('WRAP-1 reads the text with any line length, line ends, case and surroundings', () => {
    const text = writeStaticKey(key)
    expect(parseStaticKey(text).exportBytes()).toEqual(bytes)
    const digits = text.split('\n').slice(4, 20).join('')
    const begin = '-----BEGIN OpenVPN Static key V1-----'
    const end = '-----END OpenVPN Static key V1-----'
    for (const body of [digits, digits.toUpperCase(), digits.replaceAll(/(.{6})/gu, '$1\r\n\t '), `${digits}  `]) {
      expect(parseStaticKey(`# a comment with abcdef\n${begin}\n${body}\n${end}\nmore`).exportBytes()).toEqual(bytes)
    }
  })

  it('WRAP-2 refuses other lengths, other digits and missing markers, and names the option', () => {
    for (const length of [0, 1, 64, 127, 129, 255, 257, 512]) {
      const text = writeStaticKey(key)
        .replace(/[0-9a-f]{32}\n/gu, '')
        .replace('V1-----\n', `V1-----\n${'00'.repeat(length)}\n`)
      expect(refusal(() => parseStaticKey(text, 'tls-auth')).option).toBe('tls-auth')
    }
    const text = writeStaticKey(key)
    expect(refusal(() => parseStaticKey(text.replace('BEGIN', 'BEGAN'))).message).toContain('BEGIN')
    expect(refusal(() => parseStaticKey(text.replace('END', 'THE END'))).message).toContain('END')
    expect(refusal(() => parseStaticKey(text.replace('00010203', '0001020x'))).message).toContain('hex')
    expect(refusal(() => parseStaticKey(text.replace('00010203', '0001020'))).message).toContain('hex')
  })

  it('WRAP-3 no direction uses the first half both ways, and 128 bytes suffice', () => {
    for (const candidate of [key, new StaticKey(bytes.subarray(0, 128))]) {
      const { send, receive } = keySlots(candidate, undefined)
      expect(send).toEqual(receive)
      expect(send.cipher).toEqual(bytes.slice(0, 64))
      expect(send.hmac).toEqual(bytes.slice(64, 128))
    }
  })

  it('WRAP-4 directions mirror each other and need 256 bytes', () => {
    const normal = keySlots(key, 0)
    expect(normal.send.hmac).toEqual(bytes.slice(64, 128))
    expect(normal.receive.cipher).toEqual(bytes.slice(128, 192))
    expect(normal.receive.hmac).toEqual(bytes.slice(192, 256))
    const inverse = keySlots(key, 1)
    expect([inverse.send, inverse.receive]).toEqual([normal.receive, normal.send])
    const short = new StaticKey(bytes.subarray(0, 128))
    expect(refusal(() => keySlots(short, 0)).option).toBe('key-direction')
    expect(refusal(() => keySlots(short, 1)).option).toBe('key-direction')
  })

  it('WRAP-5 shows nothing when printed, serialised or spread', () => {
    const shown =
      inspect(key, { depth: 9, showHidden: true }) + JSON.stringify({ key }) + JSON.stringify(Object.assign({}, key))
    expect(shown).not.toMatch(/0, *1, *2|000102/u)
    expect(JSON.stringify(key)).toBe('"[StaticKey]"')
  })

  it('copies what it is given and what it gives', () => {
    const source = bytes.slice()
    const own = new StaticKey(source)
    source.fill(0)
    own.exportBytes().fill(0)
    expect(own.exportBytes()).toEqual(bytes)
  })

  it('generates 256 bytes from the randomness given', () => {
    expect(generateStaticKey(seededSource(1)).exportBytes()).toEqual(seededSource(1)(256))
  })
})
