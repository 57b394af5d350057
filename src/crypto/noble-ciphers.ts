/**
 * Ciphers over @noble/ciphers.
 */
import { cbc, ctr, gcm } from '@noble/ciphers/aes.js'
import { chacha20poly1305 } from '@noble/ciphers/chacha.js'
import { UsageError } from '../bytes/index.ts'
import {
  type Aead,
  AEAD_KEY_LENGTH,
  AEAD_TAG_LENGTH,
  type AeadAlgorithm,
  type Cbc,
  CBC_LENGTHS,
  type CbcAlgorithm,
  type Ctr,
} from './provider.ts'

class NobleAead implements Aead {
  readonly algorithm: AeadAlgorithm
  readonly #key: Uint8Array

  constructor(algorithm: AeadAlgorithm, key: Uint8Array) {
    this.algorithm = algorithm
    this.#key = key.slice()
  }

  #cipher(nonce: Uint8Array, aad: Uint8Array): ReturnType<typeof gcm> {
    return (this.algorithm === 'CHACHA20-POLY1305' ? chacha20poly1305 : gcm)(this.#key, nonce, aad)
  }

  seal(
    buffer: Uint8Array,
    aadOffset: number,
    aadLength: number,
    offset: number,
    length: number,
    tagOffset: number,
    nonce: Uint8Array,
  ): void {
    const cipher = this.#cipher(nonce, buffer.slice(aadOffset, aadOffset + aadLength))
    const sealed = cipher.encrypt(buffer.slice(offset, offset + length))
    buffer.set(sealed.subarray(0, length), offset)
    buffer.set(sealed.subarray(length), tagOffset)
  }

  open(
    buffer: Uint8Array,
    aadOffset: number,
    aadLength: number,
    offset: number,
    length: number,
    tagOffset: number,
    nonce: Uint8Array,
  ): boolean {
    const sealed = new Uint8Array(length + AEAD_TAG_LENGTH)
    sealed.set(buffer.subarray(offset, offset + length))
    sealed.set(buffer.subarray(tagOffset, tagOffset + AEAD_TAG_LENGTH), length)
    try {
      buffer.set(this.#cipher(nonce, buffer.slice(aadOffset, aadOffset + aadLength)).decrypt(sealed), offset)
      return true
    } catch {
      return false
    }
  }
}

class NobleCbc implements Cbc {
  readonly algorithm: CbcAlgorithm
  readonly blockLength = 16
  readonly #key: Uint8Array

  constructor(algorithm: CbcAlgorithm, key: Uint8Array) {
    this.algorithm = algorithm
    this.#key = key.slice()
  }

  encrypt(buffer: Uint8Array, offset: number, length: number, iv: Uint8Array, ivOffset: number): void {
    const cipher = cbc(this.#key, iv.slice(ivOffset, ivOffset + 16), { disablePadding: true })
    buffer.set(cipher.encrypt(buffer.slice(offset, offset + length)), offset)
  }

  decrypt(buffer: Uint8Array, offset: number, length: number, iv: Uint8Array, ivOffset: number): void {
    const cipher = cbc(this.#key, iv.slice(ivOffset, ivOffset + 16), { disablePadding: true })
    buffer.set(cipher.decrypt(buffer.slice(offset, offset + length)), offset)
  }
}

class NobleCtr implements Ctr {
  readonly #key: Uint8Array

  constructor(key: Uint8Array) {
    this.#key = key.slice()
  }

  apply(buffer: Uint8Array, offset: number, length: number, counter: Uint8Array): void {
    buffer.set(ctr(this.#key, counter.slice()).encrypt(buffer.slice(offset, offset + length)), offset)
  }
}

/** As `CryptoProvider.createAead`. */
export function nobleAead(algorithm: AeadAlgorithm, key: Uint8Array): Aead {
  if (key.length !== AEAD_KEY_LENGTH[algorithm]) throw new UsageError(`wrong key length for ${algorithm}`)
  return new NobleAead(algorithm, key)
}

/** As `CryptoProvider.createCbc`. */
export function nobleCbc(algorithm: CbcAlgorithm, key: Uint8Array): Cbc | undefined {
  if (CBC_LENGTHS[algorithm].block !== 16) return undefined
  if (key.length !== CBC_LENGTHS[algorithm].key) throw new UsageError(`wrong key length for ${algorithm}`)
  return new NobleCbc(algorithm, key)
}

/** As `CryptoProvider.createCtr`. */
export function nobleCtr(key: Uint8Array): Ctr {
  if (key.length !== 16 && key.length !== 24 && key.length !== 32) throw new UsageError('wrong AES key length')
  return new NobleCtr(key)
}
