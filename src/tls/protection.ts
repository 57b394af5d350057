/**
 * Sealing and opening records: the plaintext form, AEAD under TLS 1.3 (RFC 8446 section 5.2) and AEAD under TLS 1.2 (RFC
 * 5288 for GCM with its explicit nonce, RFC 7905 for ChaCha20).
 *
 * A sealer turns one fragment into one whole record; an opener decrypts in place in the reader's buffer. The sequence
 * number never travels and never wraps. A record that does not authenticate is a fatal `bad-record-mac`: nothing of it
 * is looked at. In TLS 1.3 the real content type is the last non-zero byte of the plaintext.
 */
import type { Aead, AeadAlgorithm, CryptoProvider } from '../crypto/index.ts'
import { AEAD_NONCE_LENGTH, AEAD_TAG_LENGTH } from '../crypto/index.ts'
import { AlertError, demand } from './alerts.ts'
import { MAX_PLAINTEXT } from './limits.ts'
import { HEADER_MARGIN, RECORD_HEADER } from './record-reader.ts'
import { ContentType } from './registry.ts'

/** What came out of a record. The fragment is a view into the reader's buffer. */
export interface OpenedRecord {
  readonly type: number
  readonly fragment: Uint8Array
}

/** Opens the records of one direction under one key. */
export interface RecordOpener {
  /** Longest payload a record header may announce. */
  readonly maxPayload: number
  /** Records opened so far under this key. */
  readonly opened: number
  /**
   * Opens the record whose header is at `buffer[at]`, in place. May write to the `HEADER_MARGIN` bytes before it.
   * `undefined`: the record does not authenticate; its bytes are then garbage and the sequence number stands still.
   * @throws AlertError when it authenticates but is malformed.
   */
  open(buffer: Uint8Array, at: number, payloadLength: number): OpenedRecord | undefined
}

/** Seals the records of one direction under one key. */
export interface RecordSealer {
  /** Records sealed so far under this key. */
  readonly sealed: number
  /** True when this key should not seal much more (RFC 8446 section 5.5). */
  readonly worn: boolean
  /** The whole record around a fragment of at most 16,384 bytes. */
  seal(type: number, fragment: Uint8Array): Uint8Array
}

/** Keys of one direction. */
export interface TrafficKeys {
  readonly algorithm: AeadAlgorithm
  readonly key: Uint8Array
  readonly iv: Uint8Array
}

/** Full-size records that one AES-GCM key may seal: 2^24.5 rounded down (RFC 8446 section 5.5). */
const AEAD_RECORD_LIMIT = 2 ** 24

/** Writes a record header at `offset`. */
export function putHeader(out: Uint8Array, offset: number, type: number, version: number, length: number): void {
  out[offset] = type
  out[offset + 1] = version >> 8
  out[offset + 2] = version
  out[offset + 3] = length >> 8
  out[offset + 4] = length
}

/** XORs a record sequence number onto the last eight bytes of a nonce. */
function xorSequence(nonce: Uint8Array, iv: Uint8Array, sequence: number): void {
  nonce.set(iv)
  let rest = sequence
  for (let i = AEAD_NONCE_LENGTH - 1; i >= AEAD_NONCE_LENGTH - 8; i--) {
    nonce[i] = (nonce[i] as number) ^ (rest % 256)
    rest = Math.floor(rest / 256)
  }
}

/** Writes a 64-bit sequence number. */
export function putSequence(out: Uint8Array, offset: number, sequence: number): void {
  let rest = sequence
  for (let i = 7; i >= 0; i--) {
    out[offset + i] = rest % 256
    rest = Math.floor(rest / 256)
  }
}

/** Records before any key. */
export class PlaintextOpener implements RecordOpener {
  readonly maxPayload = MAX_PLAINTEXT
  readonly opened = 0

  open(buffer: Uint8Array, at: number, payloadLength: number): OpenedRecord {
    const start = at + RECORD_HEADER
    return { type: buffer[at] as number, fragment: buffer.subarray(start, start + payloadLength) }
  }
}

/** Records before any key; the first ClientHello goes out as 0x0301 for the sake of old middleboxes. */
export class PlaintextSealer implements RecordSealer {
  readonly #version: number
  sealed = 0
  readonly worn = false

  constructor(version: number) {
    this.#version = version
  }

  seal(type: number, fragment: Uint8Array): Uint8Array {
    const record = new Uint8Array(RECORD_HEADER + fragment.length)
    putHeader(record, 0, type, this.#version, fragment.length)
    record.set(fragment, RECORD_HEADER)
    this.sealed++
    return record
  }
}

/** TLS 1.3 records to the peer. */
export class Sealer13 implements RecordSealer {
  readonly #aead: Aead
  readonly #iv: Uint8Array
  readonly #nonce = new Uint8Array(AEAD_NONCE_LENGTH)
  sealed: number

  /** @param sealed - records sealed before under the same key. */
  constructor(crypto: CryptoProvider, keys: TrafficKeys, sealed = 0) {
    this.sealed = sealed
    this.#aead = crypto.createAead(keys.algorithm, keys.key)
    this.#iv = keys.iv
  }

  get worn(): boolean {
    return this.sealed >= AEAD_RECORD_LIMIT
  }

  seal(type: number, fragment: Uint8Array): Uint8Array {
    const inner = fragment.length + 1
    const record = new Uint8Array(RECORD_HEADER + inner + AEAD_TAG_LENGTH)
    putHeader(record, 0, ContentType.applicationData, 0x0303, inner + AEAD_TAG_LENGTH)
    record.set(fragment, RECORD_HEADER)
    record[RECORD_HEADER + fragment.length] = type
    xorSequence(this.#nonce, this.#iv, this.sealed++)
    this.#aead.seal(record, 0, RECORD_HEADER, RECORD_HEADER, inner, RECORD_HEADER + inner, this.#nonce)
    return record
  }
}

/** TLS 1.3 records from the peer. */
export class Opener13 implements RecordOpener {
  readonly maxPayload = MAX_PLAINTEXT + 256
  readonly #aead: Aead
  readonly #iv: Uint8Array
  readonly #nonce = new Uint8Array(AEAD_NONCE_LENGTH)
  opened: number

  /** @param opened - records opened before under the same key. */
  constructor(crypto: CryptoProvider, keys: TrafficKeys, opened = 0) {
    this.opened = opened
    this.#aead = crypto.createAead(keys.algorithm, keys.key)
    this.#iv = keys.iv
  }

  open(buffer: Uint8Array, at: number, payloadLength: number): OpenedRecord | undefined {
    const stray = buffer[at] === ContentType.changeCipherSpec
    demand(!stray, 'unexpected-message', 'a ChangeCipherSpec record after the handshake') // TLS13-4
    const start = at + RECORD_HEADER
    const inner = payloadLength - AEAD_TAG_LENGTH
    if (inner < 1) return undefined
    xorSequence(this.#nonce, this.#iv, this.opened)
    if (!this.#aead.open(buffer, at, RECORD_HEADER, start, inner, start + inner, this.#nonce)) return undefined // TLS-4
    this.opened++
    demand(buffer[at] === ContentType.applicationData, 'unexpected-message', `a protected record of type ${buffer[at]}`)
    demand(inner <= MAX_PLAINTEXT + 1, 'record-overflow', `a plaintext of ${inner} bytes`) // TLS13-20
    let end = start + inner
    while (end > start && buffer[end - 1] === 0) end--
    // TLS13-19
    if (end === start) throw new AlertError('unexpected-message', 'a record of nothing but padding')
    return { type: buffer[end - 1] as number, fragment: buffer.subarray(start, end - 1) }
  }
}

/** TLS 1.2 AEAD records to the peer. TLS12-19 */
export class Sealer12 implements RecordSealer {
  readonly #aead: Aead
  readonly #iv: Uint8Array
  readonly #explicit: boolean
  readonly #nonce = new Uint8Array(AEAD_NONCE_LENGTH)
  sealed: number

  /**
   * @param keys - for AES-GCM the IV is the 4-byte salt and 8 nonce bytes travel with each record.
   * @param sealed - records sealed before under the same key.
   */
  constructor(crypto: CryptoProvider, keys: TrafficKeys, sealed = 0) {
    this.sealed = sealed
    this.#aead = crypto.createAead(keys.algorithm, keys.key)
    this.#iv = keys.iv
    this.#explicit = keys.iv.length === 4
  }

  get worn(): boolean {
    return this.sealed >= AEAD_RECORD_LIMIT
  }

  seal(type: number, fragment: Uint8Array): Uint8Array {
    const nonceLength = this.#explicit ? 8 : 0
    const payload = nonceLength + fragment.length + AEAD_TAG_LENGTH
    // The additional data (sequence, type, version, length) is laid out in front and cut off afterwards.
    const buffer = new Uint8Array(13 + RECORD_HEADER + payload)
    putSequence(buffer, 0, this.sealed)
    putHeader(buffer, 8, type, 0x0303, fragment.length)
    putHeader(buffer, 13, type, 0x0303, payload)
    const start = 13 + RECORD_HEADER + nonceLength
    if (this.#explicit) putSequence(buffer, 13 + RECORD_HEADER, this.sealed)
    buffer.set(fragment, start)
    nonce12(this.#nonce, this.#iv, this.sealed++)
    this.#aead.seal(buffer, 0, 13, start, fragment.length, start + fragment.length, this.#nonce)
    return buffer.subarray(13)
  }
}

/** TLS 1.2 AEAD records from the peer. */
export class Opener12 implements RecordOpener {
  readonly maxPayload = MAX_PLAINTEXT + 2048
  readonly #aead: Aead
  readonly #iv: Uint8Array
  readonly #explicit: boolean
  readonly #nonce = new Uint8Array(AEAD_NONCE_LENGTH)
  opened: number

  /** @param opened - records opened before under the same key. */
  constructor(crypto: CryptoProvider, keys: TrafficKeys, opened = 0) {
    this.opened = opened
    this.#aead = crypto.createAead(keys.algorithm, keys.key)
    this.#iv = keys.iv
    this.#explicit = keys.iv.length === 4
  }

  open(buffer: Uint8Array, at: number, payloadLength: number): OpenedRecord | undefined {
    const type = buffer[at] as number
    const nonceLength = this.#explicit ? 8 : 0
    const length = payloadLength - nonceLength - AEAD_TAG_LENGTH
    if (length < 0) return undefined
    const start = at + RECORD_HEADER + nonceLength
    if (this.#explicit) {
      this.#nonce.set(this.#iv)
      this.#nonce.set(buffer.subarray(at + RECORD_HEADER, start), 4)
    } else {
      nonce12(this.#nonce, this.#iv, this.opened)
    }
    const aad = at - HEADER_MARGIN
    putSequence(buffer, aad, this.opened)
    putHeader(buffer, aad + 8, type, 0x0303, length)
    if (!this.#aead.open(buffer, aad, 13, start, length, start + length, this.#nonce)) return undefined // TLS-4
    this.opened++
    demand(length <= MAX_PLAINTEXT, 'record-overflow', `a plaintext of ${length} bytes`)
    return { type, fragment: buffer.subarray(start, start + length) }
  }
}

/** GCM: salt and the sequence number as explicit part (RFC 5288); ChaCha20: sequence XOR IV (RFC 7905). */
function nonce12(nonce: Uint8Array, iv: Uint8Array, sequence: number): void {
  if (iv.length === 4) {
    nonce.set(iv)
    putSequence(nonce, 4, sequence)
  } else {
    xorSequence(nonce, iv, sequence)
  }
}
