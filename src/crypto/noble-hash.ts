/**
 * Hashes and keyed HMACs over @noble/hashes.
 *
 * A keyed HMAC holds two states with the pads already absorbed, and one working pair into which they are copied for each
 * message; a MAC therefore costs no key setup and no new objects.
 */
import { md5, sha1 } from '@noble/hashes/legacy.js'
import { sha224, sha256, sha384, sha512 } from '@noble/hashes/sha2.js'
import { HASH_LENGTH, type Hash, type HashName, type Hmac } from './provider.ts'

/** What is used of a state object of @noble/hashes. */
interface State {
  update(data: Uint8Array): unknown
  digestInto(out: Uint8Array): void
  clone(): State
  _cloneInto(to: State): State
}

const CREATE: Readonly<Record<HashName, { create(): unknown; readonly blockLen: number }>> = {
  MD5: md5,
  SHA1: sha1,
  SHA224: sha224,
  SHA256: sha256,
  SHA384: sha384,
  SHA512: sha512,
}

function createState(hash: HashName): State {
  return CREATE[hash].create() as State
}

class NobleHash implements Hash {
  readonly #state: State
  readonly #length: number

  constructor(state: State, length: number) {
    this.#state = state
    this.#length = length
  }

  update(data: Uint8Array, start?: number, end?: number): this {
    this.#state.update(start === undefined ? data : data.subarray(start, end))
    return this
  }

  clone(): Hash {
    return new NobleHash(this.#state.clone(), this.#length)
  }

  finish(): Uint8Array {
    const out = new Uint8Array(this.#length)
    this.#state.digestInto(out)
    return out
  }
}

class NobleHmac implements Hmac {
  readonly length: number
  readonly #inner: State
  readonly #outer: State
  /** Copies of the two above that take the message. */
  readonly #innerWork: State
  readonly #outerWork: State
  readonly #innerDigest: Uint8Array

  constructor(hash: HashName, key: Uint8Array) {
    this.length = HASH_LENGTH[hash]
    const pad = new Uint8Array(CREATE[hash].blockLen)
    pad.set(key.length > pad.length ? createNobleHash(hash).update(key).finish() : key)
    for (let i = 0; i < pad.length; i++) pad[i] = (pad[i] as number) ^ 0x36
    this.#inner = createState(hash)
    this.#inner.update(pad)
    for (let i = 0; i < pad.length; i++) pad[i] = (pad[i] as number) ^ (0x36 ^ 0x5c)
    this.#outer = createState(hash)
    this.#outer.update(pad)
    pad.fill(0)
    this.#innerWork = this.#inner.clone()
    this.#outerWork = this.#outer.clone()
    this.#innerDigest = new Uint8Array(this.length)
  }

  update(data: Uint8Array, start?: number, end?: number): this {
    this.#innerWork.update(start === undefined ? data : data.subarray(start, end))
    return this
  }

  finishInto(out: Uint8Array, offset: number): void {
    this.#innerWork.digestInto(this.#innerDigest)
    this.#outerWork.update(this.#innerDigest)
    this.#outerWork.digestInto(this.#innerDigest)
    out.set(this.#innerDigest, offset)
    this.#inner._cloneInto(this.#innerWork)
    this.#outer._cloneInto(this.#outerWork)
  }

  finish(): Uint8Array {
    const out = new Uint8Array(this.length)
    this.finishInto(out, 0)
    return out
  }
}

/** A running hash. */
export function createNobleHash(hash: HashName): Hash {
  return new NobleHash(createState(hash), HASH_LENGTH[hash])
}

/** A keyed HMAC (RFC 2104). CRY-3 */
export function createNobleHmac(hash: HashName, key: Uint8Array): Hmac {
  return new NobleHmac(hash, key)
}
