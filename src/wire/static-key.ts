/**
 * Static keys: 2048 bits shared by both ends beforehand (spec/wrapping.md, WRAP-1 to WRAP-5).
 *
 * A key is two halves of 128 bytes, each `cipher[64] || hmac[64]`; users take the prefix they need. The direction says
 * which half sends: 0 sends with the first and receives with the second, 1 the reverse, none uses the first for both and
 * gets by with a key of 128 bytes. The file is text: hex digits between two marker lines, everything around ignored.
 *
 * tls-auth, tls-crypt, static-key mode and the data channel's 256 bytes of key material all have this shape. The class
 * keeps its bytes private, so that a key printed or serialised by accident shows nothing.
 *
 * Refused, as the host's mistake: other lengths than 128 and 256 bytes, anything but hex digits, a missing marker, a
 * 128-byte key with a direction.
 */
import { ConfigError, toHex } from '../bytes/index.ts'
import type { RandomSource } from '../crypto/index.ts'

const BEGIN = '-----BEGIN OpenVPN Static key V1-----'
const END = '-----END OpenVPN Static key V1-----'
const HALF = 128
const SLOT = 64

/** Length of a whole static key in bytes. */
export const STATIC_KEY_LENGTH = 256

/** Which half of the key sends: 0 the first, 1 the second, `undefined` the first for both ways. */
export type KeyDirection = 0 | 1 | undefined

/** Key material for one way. Both views are 64 bytes; users take the prefix their algorithm needs. */
export interface KeySlot {
  readonly cipher: Uint8Array
  readonly hmac: Uint8Array
}

/** Key material for both ways. */
export interface KeySlots {
  readonly send: KeySlot
  readonly receive: KeySlot
}

/** A static key of 128 or 256 bytes. */
export class StaticKey {
  readonly #bytes: Uint8Array

  /**
   * @param bytes - copied.
   * @throws ConfigError unless there are 128 or 256 of them.
   */
  constructor(bytes: Uint8Array, option = 'secret') {
    if (bytes.length !== HALF && bytes.length !== STATIC_KEY_LENGTH) {
      throw new ConfigError(option, `a static key has 128 or 256 bytes, this one has ${bytes.length}`) // WRAP-2
    }
    this.#bytes = bytes.slice()
  }

  /** 128 or 256. */
  get length(): number {
    return this.#bytes.length
  }

  /** A copy of the secret bytes. */
  exportBytes(): Uint8Array {
    return this.#bytes.slice()
  }

  /** Half 0 or 1 as copies of its two slots; the key must be long enough. */
  half(index: 0 | 1): KeySlot {
    const start = index * HALF
    return {
      cipher: this.#bytes.slice(start, start + SLOT),
      hmac: this.#bytes.slice(start + SLOT, start + HALF),
    }
  }

  /** Hides the key from serialisers (WRAP-5). */
  toJSON(): string {
    return '[StaticKey]'
  }
}

/** A fresh key of 256 bytes. */
export function generateStaticKey(random: RandomSource): StaticKey {
  return new StaticKey(random(STATIC_KEY_LENGTH))
}

/**
 * The key in the text of a key file or an inline block.
 *
 * @param option - directive to blame in errors.
 * @throws ConfigError when there is no such key; the message never contains key digits.
 */
export function parseStaticKey(text: string, option = 'secret'): StaticKey {
  const start = text.indexOf(BEGIN)
  if (start < 0) throw new ConfigError(option, `the line "${BEGIN}" is missing`)
  const end = text.indexOf(END, start)
  if (end < 0) throw new ConfigError(option, `the line "${END}" is missing`)
  const digits = text.slice(start + BEGIN.length, end).replaceAll(/\s/gu, '') // WRAP-1
  const bytes = new Uint8Array(digits.length >> 1)
  if (digits.length % 2 !== 0 || /[^0-9a-fA-F]/u.test(digits)) {
    throw new ConfigError(option, 'the static key holds something else than pairs of hex digits')
  }
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16)
  return new StaticKey(bytes, option)
}

/** The key file's text, 16 bytes a line. */
export function writeStaticKey(key: StaticKey): string {
  const bytes = key.exportBytes()
  let text = `#\n# ${8 * bytes.length} bit OpenVPN static key\n#\n${BEGIN}\n`
  for (let i = 0; i < bytes.length; i += 16) text += `${toHex(bytes.subarray(i, i + 16))}\n`
  return `${text}${END}\n`
}

/**
 * The two ways' slots of a key.
 *
 * @throws ConfigError when a direction is given and the key has only 128 bytes.
 */
export function keySlots(key: StaticKey, direction: KeyDirection, option = 'key-direction'): KeySlots {
  if (direction === undefined) return { send: key.half(0), receive: key.half(0) } // WRAP-3
  if (key.length !== STATIC_KEY_LENGTH) {
    throw new ConfigError(option, 'a key of 128 bytes has only one half: use it without a direction, or make a new one')
  }
  return direction === 0
    ? { send: key.half(0), receive: key.half(1) } // WRAP-4
    : { send: key.half(1), receive: key.half(0) }
}
