/**
 * The two key files of tls-crypt-v2, read and written (spec/wrapping.md, WRAP-30 to WRAP-33).
 *
 * The server's file holds 128 bytes, shaped like one half of a static key. A client's file holds its own static key of 256
 * bytes and the same key wrapped for the server, which the client cannot open and only hands over.
 *
 * Refused, as the host's mistake: other labels, other lengths, a wrapped key whose last two bytes are not its length.
 */
import { ConfigError, concat } from '../bytes/index.ts'
import type { RandomSource } from '../crypto/index.ts'
import { readPem, writePem } from './pem.ts'
import { STATIC_KEY_LENGTH, StaticKey } from './static-key.ts'

/** Shortest wrapped client key: no metadata, no server key id. */
export const MIN_WRAPPED_KEY = 290
/** Longest wrapped client key. */
export const MAX_WRAPPED_KEY = 1024
/** Length of a tls-crypt-v2 server key. */
export const TLS_CRYPT_V2_SERVER_KEY_LENGTH = 128

const SERVER_LABEL = 'OpenVPN tls-crypt-v2 server key'
const CLIENT_LABEL = 'OpenVPN tls-crypt-v2 client key'
const OPTION = 'tls-crypt-v2'

/** The key under which a server wraps its clients' keys. */
export class TlsCryptV2ServerKey {
  readonly #bytes: Uint8Array

  /**
   * @param bytes - copied.
   * @throws ConfigError unless there are 128 of them.
   */
  constructor(bytes: Uint8Array) {
    if (bytes.length !== TLS_CRYPT_V2_SERVER_KEY_LENGTH) {
      throw new ConfigError(OPTION, `a tls-crypt-v2 server key has 128 bytes, this one has ${bytes.length}`) // WRAP-31
    }
    this.#bytes = bytes.slice()
  }

  /** A copy of the secret bytes. */
  exportBytes(): Uint8Array {
    return this.#bytes.slice()
  }

  toJSON(): string {
    return '[TlsCryptV2ServerKey]'
  }
}

/** A client's key, plain and wrapped. */
export interface TlsCryptV2ClientKey {
  /** Kc, used as a tls-crypt key. */
  readonly key: StaticKey
  /** WKc, appended to packets with opcode 10 and 11 as it is. */
  readonly wrappedKey: Uint8Array
}

/** A fresh server key. */
export function generateTlsCryptV2ServerKey(random: RandomSource): TlsCryptV2ServerKey {
  return new TlsCryptV2ServerKey(random(TLS_CRYPT_V2_SERVER_KEY_LENGTH))
}

/**
 * The server key in a key file's text.
 *
 * @throws ConfigError
 */
export function parseTlsCryptV2ServerKey(text: string): TlsCryptV2ServerKey {
  return new TlsCryptV2ServerKey(readPem(text, SERVER_LABEL, OPTION))
}

/** The server key's file text. */
export function writeTlsCryptV2ServerKey(key: TlsCryptV2ServerKey): string {
  return writePem(SERVER_LABEL, key.exportBytes())
}

/**
 * The client key in a key file's text.
 *
 * @throws ConfigError
 */
export function parseTlsCryptV2ClientKey(text: string): TlsCryptV2ClientKey {
  const bytes = readPem(text, CLIENT_LABEL, OPTION)
  const wrappedKey = bytes.slice(STATIC_KEY_LENGTH)
  if (!isWrappedKeyLength(wrappedKey)) {
    throw new ConfigError(
      OPTION,
      'the tls-crypt-v2 client key is cut short or damaged: export it from the server again',
    ) // WRAP-32
  }
  return { key: new StaticKey(bytes.subarray(0, STATIC_KEY_LENGTH), OPTION), wrappedKey }
}

/** The client key's file text. */
export function writeTlsCryptV2ClientKey(client: TlsCryptV2ClientKey): string {
  return writePem(CLIENT_LABEL, concat(client.key.exportBytes(), client.wrappedKey))
}

/** True when the last two bytes of a wrapped key are its length, and that lies within the bounds (WRAP-33). */
export function isWrappedKeyLength(wrappedKey: Uint8Array): boolean {
  const { length } = wrappedKey
  if (length < MIN_WRAPPED_KEY || length > MAX_WRAPPED_KEY) return false
  return (((wrappedKey[length - 2] as number) << 8) | (wrappedKey[length - 1] as number)) === length
}
