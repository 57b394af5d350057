/**
 * Packet ciphers of node:crypto, in place.
 *
 * A cipher object of Node costs some microseconds to make, whatever the size of the packet, and must be made anew for
 * each. Below a few hundred bytes the portable ciphers are faster, so each key keeps both, the portable one from its
 * third small packet on: many keys see no more.
 *
 * `update` returns new bytes, so nothing reaches the caller's buffer before the tag has been checked.
 */
import { type CipherCCM, createCipheriv, createDecipheriv, type DecipherCCM } from 'node:crypto'
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
  createPortableCbc,
  createPortableCtr,
  type Ctr,
} from '../../crypto/index.ts'
import { KeyHolder } from './kept-key.ts'

/** OpenSSL's names, as the type of the overload that takes additional data. */
const AEAD_NAME: Readonly<Record<AeadAlgorithm, 'aes-128-ccm'>> = {
  'AES-128-GCM': 'aes-128-gcm',
  'AES-192-GCM': 'aes-192-gcm',
  'AES-256-GCM': 'aes-256-gcm',
  'CHACHA20-POLY1305': 'chacha20-poly1305',
} as Readonly<Record<AeadAlgorithm, string>> as Readonly<Record<AeadAlgorithm, 'aes-128-ccm'>>

const AUTH_TAG_OPTION = { authTagLength: AEAD_TAG_LENGTH } as const

/** Packets of up to so many bytes go through the portable ciphers. */
const SMALL_GCM = 320
const SMALL_CHACHA = 896
const SMALL_AES = 288
/** Additional data of a packet: a header with an epoch packet id and some room. */
const MOST_AAD = 16
/** So many small packets come before a portable cipher is worth its tables. */
const FIRST_SMALL = 2

/** The tag and the additional data of the packet in hand: Node reads them before its calls return. */
const TAG = new Uint8Array(AEAD_TAG_LENGTH)
const AAD = new Uint8Array(MOST_AAD)
const AAD_VIEWS = Array.from({ length: MOST_AAD + 1 }, (_, length) => AAD.subarray(0, length))

class NodeAead extends KeyHolder implements Aead {
  readonly algorithm: AeadAlgorithm
  readonly #name: 'aes-128-ccm'
  readonly #smallLimit: number
  /** The portable cipher under the same key, made when small packets come. */
  #small: Aead | undefined
  #smallSeen = 0

  constructor(algorithm: AeadAlgorithm, key: Uint8Array) {
    super(key)
    this.algorithm = algorithm
    this.#name = AEAD_NAME[algorithm]
    this.#smallLimit = algorithm === 'CHACHA20-POLY1305' ? SMALL_CHACHA : SMALL_GCM
    this.#small = undefined
  }

  touch(): number {
    return this.#smallSeen + (this.#small?.touch?.() ?? 0)
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
    if (length <= this.#smallLimit && (this.#small !== undefined || this.#smallSeen++ >= FIRST_SMALL)) {
      this.#portable().seal(buffer, aadOffset, aadLength, offset, length, tagOffset, nonce)
      return
    }
    checkAeadRanges(buffer, aadOffset, aadLength, offset, length, tagOffset, nonce)
    const cipher: CipherCCM = createCipheriv(this.#name, this.unpackKey(), nonce, AUTH_TAG_OPTION)
    cipher.setAAD(additionalData(buffer, aadOffset, aadLength), { plaintextLength: length })
    const sealed = cipher.update(buffer.subarray(offset, offset + length))
    cipher.final()
    buffer.set(sealed, offset)
    const tag = cipher.getAuthTag()
    for (let i = 0; i < AEAD_TAG_LENGTH; i++) buffer[tagOffset + i] = tag[i] as number
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
    if (length <= this.#smallLimit && (this.#small !== undefined || this.#smallSeen++ >= FIRST_SMALL)) {
      return this.#portable().open(buffer, aadOffset, aadLength, offset, length, tagOffset, nonce)
    }
    checkAeadRanges(buffer, aadOffset, aadLength, offset, length, tagOffset, nonce)
    const decipher: DecipherCCM = createDecipheriv(this.#name, this.unpackKey(), nonce, AUTH_TAG_OPTION)
    decipher.setAAD(additionalData(buffer, aadOffset, aadLength), { plaintextLength: length })
    for (let i = 0; i < AEAD_TAG_LENGTH; i++) TAG[i] = buffer[tagOffset + i] as number
    decipher.setAuthTag(TAG)
    const plaintext = decipher.update(buffer.subarray(offset, offset + length))
    try {
      decipher.final()
    } catch {
      plaintext.fill(0)
      return false // CRY-29
    }
    buffer.set(plaintext, offset)
    return true
  }

  #portable(): Aead {
    return (this.#small ??= createPortableAead(this.algorithm, this.unpackKey()))
  }
}

/** A copy of the additional data: for a few bytes a loop is cheaper than a view. */
function additionalData(buffer: Uint8Array, offset: number, length: number): Uint8Array {
  const aad = length <= MOST_AAD ? (AAD_VIEWS[length] as Uint8Array) : new Uint8Array(length)
  for (let i = 0; i < length; i++) aad[i] = buffer[offset + i] as number
  return aad
}

class NodeCbc extends KeyHolder implements Cbc {
  readonly algorithm: CbcAlgorithm
  readonly blockLength: number
  readonly #name: string
  readonly #small: Cbc | undefined

  constructor(algorithm: CbcAlgorithm, key: Uint8Array, small: Cbc | undefined) {
    super(key)
    this.algorithm = algorithm
    this.blockLength = CBC_LENGTHS[algorithm].block
    this.#name = algorithm.toLowerCase()
    this.#small = small
  }

  encrypt(buffer: Uint8Array, offset: number, length: number, iv: Uint8Array, ivOffset: number): void {
    if (this.#small !== undefined && length <= SMALL_AES) {
      this.#small.encrypt(buffer, offset, length, iv, ivOffset)
      return
    }
    checkCbcRanges(buffer, offset, length, iv, ivOffset, this.blockLength)
    const cipher = createCipheriv(this.#name, this.unpackKey(), iv.subarray(ivOffset, ivOffset + this.blockLength))
    cipher.setAutoPadding(false)
    buffer.set(cipher.update(buffer.subarray(offset, offset + length)), offset)
  }

  decrypt(buffer: Uint8Array, offset: number, length: number, iv: Uint8Array, ivOffset: number): void {
    if (this.#small !== undefined && length <= SMALL_AES) {
      this.#small.decrypt(buffer, offset, length, iv, ivOffset)
      return
    }
    checkCbcRanges(buffer, offset, length, iv, ivOffset, this.blockLength)
    const decipher = createDecipheriv(this.#name, this.unpackKey(), iv.subarray(ivOffset, ivOffset + this.blockLength))
    decipher.setAutoPadding(false)
    buffer.set(decipher.update(buffer.subarray(offset, offset + length)), offset)
  }
}

class NodeCtr extends KeyHolder implements Ctr {
  readonly #name: string
  #small: Ctr | undefined
  #smallSeen = 0

  constructor(key: Uint8Array) {
    super(key)
    this.#name = `aes-${key.length * 8}-ctr`
    this.#small = undefined
  }

  apply(buffer: Uint8Array, offset: number, length: number, counter: Uint8Array): void {
    if (length <= SMALL_AES && (this.#small !== undefined || this.#smallSeen++ >= FIRST_SMALL)) {
      this.#small ??= createPortableCtr(this.unpackKey())
      this.#small.apply(buffer, offset, length, counter)
      return
    }
    checkRange(buffer, offset, length)
    if (counter.length !== 16) throw new UsageError('a counter has 16 bytes')
    const cipher = createCipheriv(this.#name, this.unpackKey(), counter)
    buffer.set(cipher.update(buffer.subarray(offset, offset + length)), offset)
  }
}

/** As `CryptoProvider.createAead`. */
export function createNodeAead(algorithm: AeadAlgorithm, key: Uint8Array): Aead {
  if (key.length !== AEAD_KEY_LENGTH[algorithm]) throw new UsageError(`wrong key length for ${algorithm}`) // CRY-34
  return new NodeAead(algorithm, key)
}

/** As `CryptoProvider.createCbc`. Blowfish is not offered: OpenSSL 3 has it only in its legacy module. CRY-33 */
export function createNodeCbc(algorithm: CbcAlgorithm, key: Uint8Array): Cbc | undefined {
  const small = createPortableCbc(algorithm, key)
  return algorithm === 'BF-CBC' ? undefined : new NodeCbc(algorithm, key, small)
}

/** As `CryptoProvider.createCtr`. */
export function createNodeCtr(key: Uint8Array): Ctr {
  if (key.length !== 16 && key.length !== 24 && key.length !== 32)
    throw new UsageError('AES keys have 16, 24 or 32 bytes') // CRY-34
  return new NodeCtr(key)
}
