/**
 * Hashes and HMACs of node:crypto.
 *
 * Node's HMAC object takes one message and cannot be copied or started again, so what is kept between messages is the
 * key. A key object of Node's would make no message cheaper.
 */
import { createHash, createHmac, type Hash as NodeHash } from 'node:crypto'
import { HASH_LENGTH, type Hash, type HashName, type Hmac } from '../../crypto/index.ts'
import { keepKey, type KeptKey } from './kept-key.ts'

/** OpenSSL's names. */
export const NODE_HASH_NAME: Readonly<Record<HashName, string>> = {
  MD5: 'md5',
  SHA1: 'sha1',
  SHA224: 'sha224',
  SHA256: 'sha256',
  SHA384: 'sha384',
  SHA512: 'sha512',
}

class RunningHash implements Hash {
  readonly #state: NodeHash

  constructor(state: NodeHash) {
    this.#state = state
  }

  update(data: Uint8Array, start?: number, end?: number): this {
    this.#state.update(start === undefined ? data : data.subarray(start, end))
    return this
  }

  clone(): Hash {
    return new RunningHash(this.#state.copy())
  }

  finish(): Uint8Array {
    return plain(this.#state.digest())
  }
}

class KeyedHmac implements Hmac {
  readonly length: number
  readonly #hash: string
  readonly #key: KeptKey
  #state: ReturnType<typeof createHmac> | undefined

  constructor(hash: HashName, key: Uint8Array) {
    this.length = HASH_LENGTH[hash]
    this.#hash = NODE_HASH_NAME[hash]
    this.#key = keepKey(key)
    this.#state = undefined
  }

  update(data: Uint8Array, start?: number, end?: number): this {
    this.#state ??= this.#begin()
    this.#state.update(start === undefined ? data : data.subarray(start, end))
    return this
  }

  finishInto(out: Uint8Array, offset: number): void {
    out.set(this.#digest(), offset)
  }

  finish(): Uint8Array {
    return plain(this.#digest())
  }

  #begin(): ReturnType<typeof createHmac> {
    return createHmac(this.#hash, this.#key.unpack())
  }

  #digest(): Buffer {
    const state = this.#state ?? this.#begin()
    this.#state = undefined
    return state.digest()
  }
}

/** A `Uint8Array` that is no `Buffer`, over the same memory. */
export function plain(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length)
}

/** As `CryptoProvider.createHash`. */
export function createNodeHash(hash: HashName): Hash {
  return new RunningHash(createHash(NODE_HASH_NAME[hash]))
}

/** As `CryptoProvider.createHmac`. */
export function createNodeHmac(hash: HashName, key: Uint8Array): Hmac {
  return new KeyedHmac(hash, key)
}
