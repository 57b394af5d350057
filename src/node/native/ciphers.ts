/**
 * Packet ciphers of libcrypto with contexts that live as long as their key: per packet a new nonce, the data, the tag.
 *
 * Sealing works in place. Opening goes through memory of its own, because libcrypto hands out plaintext before it has
 * checked the tag.
 */
import { UsageError } from '../../bytes/index.ts'
import {
  type Aead,
  AEAD_KEY_LENGTH,
  AEAD_TAG_LENGTH,
  type AeadAlgorithm,
  type Cbc,
  CBC_LENGTHS,
  type CbcAlgorithm,
  checkAeadRanges,
  checkCbcRanges,
  checkRange,
  createPortableAead,
  type Ctr,
} from '../../crypto/index.ts'
import type { Libcrypto, Pointer } from './library.ts'

const GET_TAG = 0x10
const SET_TAG = 0x11
const ENCRYPT = 1
const DECRYPT = 0
/** CHACHA20-POLY1305 packets of up to so many bytes go through the portable cipher, which takes no calls. */
const SMALL_CHACHA = 128

/** @throws UsageError when a call of libcrypto failed. */
function must(result: number): void {
  if (result !== 1) throw new UsageError('libcrypto refused a call')
}

/** A cipher context under one key in one direction. */
class Context {
  readonly #library: Libcrypto
  readonly #context: Pointer
  /** Where libcrypto writes lengths. */
  readonly #length = new Int32Array(1)
  readonly #last = new Uint8Array(32)

  constructor(library: Libcrypto, name: string, key: Uint8Array, direction: number) {
    this.#library = library
    const cipher = library.EVP_get_cipherbyname(name)
    const context = library.EVP_CIPHER_CTX_new()
    if (cipher === null || context === null) throw new UsageError(`this libcrypto has no ${name}`)
    this.#context = context
    freeLater.register(this, { library, context })
    must(library.EVP_CipherInit_ex(context, cipher, null, key, null, direction))
    must(library.EVP_CIPHER_CTX_set_padding(context, 0))
  }

  start(iv: Uint8Array): void {
    must(this.#library.EVP_CipherInit_ex(this.#context, null, null, null, iv, -1))
  }

  addData(data: Uint8Array): void {
    if (data.length === 0) return
    must(this.#library.EVP_CipherUpdate(this.#context, null, this.#length, data, data.length))
  }

  /** Runs `input` through the cipher; `out` may be the same memory. */
  update(out: Uint8Array, input: Uint8Array): void {
    if (input.length === 0) return
    must(this.#library.EVP_CipherUpdate(this.#context, out, this.#length, input, input.length))
  }

  /** False when a tag was set and does not fit. */
  finish(): boolean {
    return this.#library.EVP_CipherFinal_ex(this.#context, this.#last, this.#length) === 1
  }

  getTag(tag: Uint8Array): void {
    must(this.#library.EVP_CIPHER_CTX_ctrl(this.#context, GET_TAG, AEAD_TAG_LENGTH, tag))
  }

  setTag(tag: Uint8Array): void {
    must(this.#library.EVP_CIPHER_CTX_ctrl(this.#context, SET_TAG, AEAD_TAG_LENGTH, tag))
  }
}

const freeLater = new FinalizationRegistry<{ library: Libcrypto; context: Pointer }>(({ library, context }) => {
  library.EVP_CIPHER_CTX_free(context)
})

const AEAD_NAME: Readonly<Record<AeadAlgorithm, string>> = {
  'AES-128-GCM': 'id-aes128-GCM',
  'AES-192-GCM': 'id-aes192-GCM',
  'AES-256-GCM': 'id-aes256-GCM',
  'CHACHA20-POLY1305': 'ChaCha20-Poly1305',
}

class NativeAead implements Aead {
  readonly algorithm: AeadAlgorithm
  readonly #sealing: Context
  readonly #opening: Context
  readonly #small: Aead | undefined
  /** Plaintext whose tag is not checked yet; grows to the largest packet. */
  #unchecked = new Uint8Array(2048)

  constructor(library: Libcrypto, algorithm: AeadAlgorithm, key: Uint8Array) {
    this.algorithm = algorithm
    this.#sealing = new Context(library, AEAD_NAME[algorithm], key, ENCRYPT)
    this.#opening = new Context(library, AEAD_NAME[algorithm], key, DECRYPT)
    this.#small = algorithm === 'CHACHA20-POLY1305' ? createPortableAead(algorithm, key) : undefined
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
    if (this.#small !== undefined && length <= SMALL_CHACHA) {
      this.#small.seal(buffer, aadOffset, aadLength, offset, length, tagOffset, nonce)
      return
    }
    checkAeadRanges(buffer, aadOffset, aadLength, offset, length, tagOffset, nonce)
    const context = this.#sealing
    const data = buffer.subarray(offset, offset + length)
    context.start(nonce)
    context.addData(buffer.subarray(aadOffset, aadOffset + aadLength))
    context.update(data, data)
    context.finish()
    context.getTag(buffer.subarray(tagOffset, tagOffset + AEAD_TAG_LENGTH))
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
    if (this.#small !== undefined && length <= SMALL_CHACHA) {
      return this.#small.open(buffer, aadOffset, aadLength, offset, length, tagOffset, nonce)
    }
    checkAeadRanges(buffer, aadOffset, aadLength, offset, length, tagOffset, nonce)
    if (this.#unchecked.length < length) this.#unchecked = new Uint8Array(length)
    const plaintext = this.#unchecked.subarray(0, length)
    const context = this.#opening
    context.start(nonce)
    context.setTag(buffer.subarray(tagOffset, tagOffset + AEAD_TAG_LENGTH))
    context.addData(buffer.subarray(aadOffset, aadOffset + aadLength))
    context.update(plaintext, buffer.subarray(offset, offset + length))
    if (!context.finish()) {
      plaintext.fill(0)
      return false // CRY-29
    }
    buffer.set(plaintext, offset)
    return true
  }
}

class NativeCbc implements Cbc {
  readonly algorithm: CbcAlgorithm
  readonly blockLength: number
  readonly #encrypting: Context
  readonly #decrypting: Context

  constructor(library: Libcrypto, algorithm: CbcAlgorithm, key: Uint8Array) {
    this.algorithm = algorithm
    this.blockLength = CBC_LENGTHS[algorithm].block
    this.#encrypting = new Context(library, algorithm, key, ENCRYPT)
    this.#decrypting = new Context(library, algorithm, key, DECRYPT)
  }

  encrypt(buffer: Uint8Array, offset: number, length: number, iv: Uint8Array, ivOffset: number): void {
    this.#run(this.#encrypting, buffer, offset, length, iv, ivOffset)
  }

  decrypt(buffer: Uint8Array, offset: number, length: number, iv: Uint8Array, ivOffset: number): void {
    this.#run(this.#decrypting, buffer, offset, length, iv, ivOffset)
  }

  #run(context: Context, buffer: Uint8Array, offset: number, length: number, iv: Uint8Array, ivOffset: number): void {
    checkCbcRanges(buffer, offset, length, iv, ivOffset, this.blockLength)
    const data = buffer.subarray(offset, offset + length)
    context.start(iv.subarray(ivOffset, ivOffset + this.blockLength))
    context.update(data, data)
  }
}

class NativeCtr implements Ctr {
  readonly #context: Context

  constructor(library: Libcrypto, key: Uint8Array) {
    this.#context = new Context(library, `AES-${key.length * 8}-CTR`, key, ENCRYPT)
  }

  apply(buffer: Uint8Array, offset: number, length: number, counter: Uint8Array): void {
    checkRange(buffer, offset, length)
    if (counter.length !== 16) throw new UsageError('a counter has 16 bytes')
    const data = buffer.subarray(offset, offset + length)
    this.#context.start(counter)
    this.#context.update(data, data)
  }
}

/** As `CryptoProvider.createAead`. */
export function createNativeAead(library: Libcrypto, algorithm: AeadAlgorithm, key: Uint8Array): Aead {
  if (key.length !== AEAD_KEY_LENGTH[algorithm]) throw new UsageError(`wrong key length for ${algorithm}`) // CRY-34
  return new NativeAead(library, algorithm, key)
}

/** As `CryptoProvider.createCbc`. CRY-33 */
export function createNativeCbc(library: Libcrypto, algorithm: CbcAlgorithm, key: Uint8Array): Cbc | undefined {
  if (key.length !== CBC_LENGTHS[algorithm].key) throw new UsageError(`wrong key length for ${algorithm}`) // CRY-34
  return algorithm === 'BF-CBC' ? undefined : new NativeCbc(library, algorithm, key)
}

/** As `CryptoProvider.createCtr`. */
export function createNativeCtr(library: Libcrypto, key: Uint8Array): Ctr {
  if (key.length !== 16 && key.length !== 24 && key.length !== 32) throw new UsageError('wrong AES key length') // CRY-34
  return new NativeCtr(library, key)
}
