/**
 * Wrapped client keys: how a tls-crypt-v2 server gets a client's key from the client's first packet
 * (spec/wrapping.md, WRAP-33 to WRAP-44).
 *
 *     WKc = tag(32) | AES-256-CTR(Kc(256) | metadata) | [u32 server key id] | u16 length of all of it
 *     tag = HMAC-SHA256(length | [server key id] | Kc | metadata); its first 16 bytes are the counter block
 *
 * A server that has never heard of a client unwraps its key, and with it opens the packet in front. The wrapped key lies at
 * the end of the datagram outside the packet's own tag, so its length is an attacker's number until its tag is right: it is
 * bounded on both sides before anything is touched. With several server keys the wrapped key names its own (an OpenVPN 3
 * extension); which form is in use is configuration, the bytes do not tell.
 */
import { concat, EMPTY, equalRangeConstantTime, Reader, UsageError, Writer } from '../bytes/index.ts'
import type { CryptoProvider, Ctr, Hmac, RandomSource } from '../crypto/index.ts'
import type { WireProblem } from './problems.ts'
import { generateStaticKey, STATIC_KEY_LENGTH, StaticKey } from './static-key.ts'
import { TLS_CRYPT_IV_LENGTH, TLS_CRYPT_OVERHEAD, TLS_CRYPT_TAG_LENGTH } from './tls-crypt.ts'
import {
  isWrappedKeyLength,
  MAX_WRAPPED_KEY,
  MIN_WRAPPED_KEY,
  type TlsCryptV2ClientKey,
  type TlsCryptV2ServerKey,
} from './tls-crypt-v2-keys.ts'

/** Most bytes of metadata in a wrapped key, its type byte included (4 fewer beside a server key id). */
export const MAX_CLIENT_KEY_METADATA = MAX_WRAPPED_KEY - MIN_WRAPPED_KEY

const SERVER_KEY_ID_LENGTH = 4
const KEY_LENGTH = 32
const SERVER_MAC_AT = 64
/** A client reset under tls-crypt without acks: the shortest packet a wrapped key can stand behind. */
const LEAST_PACKET = 14 + TLS_CRYPT_OVERHEAD

/** What the server's operator put into a client key when it was made. */
export type ClientKeyMetadata =
  | { readonly type: 'none' }
  /** The operator's own bytes, for the verify hook. */
  | { readonly type: 'user'; readonly data: Uint8Array }
  /** When the key was made. */
  | { readonly type: 'timestamp'; readonly unixSeconds: number }
  /** A type that this library has no meaning for. */
  | { readonly type: 'other'; readonly code: number; readonly data: Uint8Array }

/** A client's key out of its wrap. */
export interface UnwrappedClientKey {
  /** Kc, used as a tls-crypt key (WRAP-44). */
  readonly key: StaticKey
  readonly metadata: ClientKeyMetadata
}

/** Metadata as bytes, type byte first; empty for `none`. */
export function writeClientKeyMetadata(metadata: ClientKeyMetadata): Uint8Array {
  switch (metadata.type) {
    case 'none':
      return EMPTY
    case 'user':
      return concat(Uint8Array.of(0), metadata.data) // WRAP-37
    case 'timestamp':
      return new Writer(9)
        .u8(1)
        .u64(BigInt.asUintN(64, BigInt(Math.floor(metadata.unixSeconds))))
        .finish() // WRAP-38
    case 'other':
      return concat(Uint8Array.of(metadata.code), metadata.data)
  }
}

/** The metadata in those bytes. Never fails: what does not fit its type is `other` (WRAP-40). */
export function parseClientKeyMetadata(bytes: Uint8Array): ClientKeyMetadata {
  if (bytes.length === 0) return { type: 'none' }
  const code = bytes[0] as number
  if (code === 0) return { type: 'user', data: bytes.slice(1) }
  if (code === 1 && bytes.length === 9) {
    return { type: 'timestamp', unixSeconds: Number(BigInt.asIntN(64, new Reader(bytes, 1).u64())) }
  }
  return { type: 'other', code, data: bytes.slice(1) }
}

/**
 * True when `tls-crypt-v2-max-age` refuses a key: it is older than `days`, or does not say when it was made (WRAP-39).
 */
export function isClientKeyTooOld(metadata: ClientKeyMetadata, days: number, unixSeconds: number): boolean {
  return metadata.type !== 'timestamp' || unixSeconds - metadata.unixSeconds > days * 86_400
}

/** A prepared tls-crypt-v2 server key: wraps and unwraps client keys. */
export class TlsCryptV2Wrapper {
  /** Id of this key in the several-keys form; `undefined` in the usual one. */
  readonly serverKeyId: number | undefined
  readonly #mac: Hmac
  readonly #cipher: Ctr
  readonly #expected = new Uint8Array(TLS_CRYPT_TAG_LENGTH)

  constructor(crypto: CryptoProvider, serverKey: TlsCryptV2ServerKey, serverKeyId?: number) {
    const bytes = serverKey.exportBytes()
    this.serverKeyId = serverKeyId
    this.#cipher = crypto.createCtr(bytes.subarray(0, KEY_LENGTH)) // WRAP-34
    this.#mac = crypto.createHmac('SHA256', bytes.subarray(SERVER_MAC_AT, SERVER_MAC_AT + KEY_LENGTH))
  }

  /** Bytes between the ciphertext and the end. */
  get #tailLength(): number {
    return 2 + (this.serverKeyId === undefined ? 0 : SERVER_KEY_ID_LENGTH)
  }

  /**
   * Wraps a client's key.
   *
   * @throws UsageError when the key has not 256 bytes or the metadata does not fit.
   */
  wrap(key: StaticKey, metadata: ClientKeyMetadata = { type: 'none' }): Uint8Array {
    if (key.length !== STATIC_KEY_LENGTH) throw new UsageError('a tls-crypt-v2 client key has 256 bytes')
    const plain = concat(key.exportBytes(), writeClientKeyMetadata(metadata))
    const length = TLS_CRYPT_TAG_LENGTH + plain.length + this.#tailLength
    if (length > MAX_WRAPPED_KEY) {
      throw new UsageError(`the metadata is ${length - MAX_WRAPPED_KEY} bytes too long for a tls-crypt-v2 key`)
    }
    const tag = new Uint8Array(TLS_CRYPT_TAG_LENGTH)
    this.#macInto(length, plain, tag)
    this.#cipher.apply(plain, 0, plain.length, tag.slice(0, TLS_CRYPT_IV_LENGTH))
    const writer = new Writer(length).bytes(tag).bytes(plain)
    if (this.serverKeyId !== undefined) writer.u32(this.serverKeyId) // WRAP-41
    return writer.u16(length).finish() // WRAP-35
  }

  /** The client's key in a wrapped one, or why there is none. Never throws, never writes to `wrappedKey`. */
  unwrap(wrappedKey: Uint8Array): UnwrappedClientKey | WireProblem {
    const plainLength = wrappedKey.length - TLS_CRYPT_TAG_LENGTH - this.#tailLength
    if (!isWrappedKeyLength(wrappedKey) || plainLength < STATIC_KEY_LENGTH) return 'wrapped-key-length' // WRAP-33
    if (this.serverKeyId !== undefined && wrappedKeyServerId(wrappedKey) !== this.serverKeyId) {
      return 'wrapped-key-unknown-server' // WRAP-41
    }
    const plain = new Uint8Array(wrappedKey.subarray(TLS_CRYPT_TAG_LENGTH, TLS_CRYPT_TAG_LENGTH + plainLength))
    this.#cipher.apply(plain, 0, plainLength, wrappedKey.slice(0, TLS_CRYPT_IV_LENGTH))
    this.#macInto(wrappedKey.length, plain, this.#expected)
    if (!equalRangeConstantTime(wrappedKey, 0, this.#expected, 0, TLS_CRYPT_TAG_LENGTH)) {
      return 'wrapped-key-mismatch' // WRAP-36
    }
    return {
      key: new StaticKey(plain.subarray(0, STATIC_KEY_LENGTH), 'tls-crypt-v2'),
      metadata: parseClientKeyMetadata(plain.subarray(STATIC_KEY_LENGTH)),
    }
  }

  #macInto(length: number, plain: Uint8Array, out: Uint8Array): void {
    const head = new Writer(6).u16(length)
    if (this.serverKeyId !== undefined) head.u32(this.serverKeyId)
    this.#mac.update(head.finish()).update(plain).finishInto(out, 0) // WRAP-36
  }
}

/**
 * Prepares a tls-crypt-v2 server key.
 *
 * @param serverKeyId - u32, only for servers with several keys.
 */
export function createTlsCryptV2Wrapper(
  crypto: CryptoProvider,
  serverKey: TlsCryptV2ServerKey,
  serverKeyId?: number,
): TlsCryptV2Wrapper {
  return new TlsCryptV2Wrapper(crypto, serverKey, serverKeyId)
}

/** A fresh client key, wrapped. */
export function generateTlsCryptV2ClientKey(
  wrapper: TlsCryptV2Wrapper,
  random: RandomSource,
  metadata: ClientKeyMetadata,
): TlsCryptV2ClientKey {
  const key = generateStaticKey(random)
  return { key, wrappedKey: wrapper.wrap(key, metadata) }
}

/** The server key id in a wrapped key of the several-keys form, which is at least 6 bytes long. */
export function wrappedKeyServerId(wrappedKey: Uint8Array): number {
  return new Reader(wrappedKey, wrappedKey.length - 6).u32()
}

/** A datagram of opcode 10 or 11 in its two parts, as views. */
export interface SplitWrappedKey {
  /** The tls-crypt packet. */
  readonly packet: Uint8Array
  readonly wrappedKey: Uint8Array
}

/** Cuts the wrapped client key off the end of a datagram or TCP frame. Both parts are views (WRAP-42). */
export function splitWrappedKey(datagram: Uint8Array): SplitWrappedKey | WireProblem {
  const { length } = datagram
  if (length < LEAST_PACKET + MIN_WRAPPED_KEY) return 'too-short'
  const at = length - (((datagram[length - 2] as number) << 8) | (datagram[length - 1] as number))
  if (at < LEAST_PACKET || at > length - MIN_WRAPPED_KEY || at < length - MAX_WRAPPED_KEY) return 'wrapped-key-length' // WRAP-43
  return { packet: datagram.subarray(0, at), wrappedKey: datagram.subarray(at) }
}
