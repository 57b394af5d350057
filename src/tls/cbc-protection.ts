/**
 * TLS 1.2 records under AES-CBC and HMAC (RFC 5246 section 6.2.3.2), with encrypt-then-MAC where both sides know it (RFC
 * 7366). For old routers only: these suites are off unless a host names them (TLS12-14).
 *
 * MAC-then-encrypt invites padding oracles. Here every failure looks the same (`bad-record-mac`), the padding is scanned
 * without early exit, and the number of hash blocks worked through depends on the record's length alone, never on the
 * padding. JavaScript cannot promise more than that; encrypt-then-MAC needs none of it, since the MAC is checked first.
 */
import { equalRangeConstantTime, invariant } from '../bytes/index.ts'
import {
  type Cbc,
  type CbcAlgorithm,
  type CryptoProvider,
  type HashName,
  HASH_LENGTH,
  type Hmac,
  type RandomSource,
} from '../crypto/index.ts'
import { demand } from './alerts.ts'
import { MAX_PLAINTEXT } from './limits.ts'
import { type OpenedRecord, putHeader, putSequence, type RecordOpener, type RecordSealer } from './protection.ts'
import { RECORD_HEADER } from './record-reader.ts'

/** Keys of one direction. */
export interface CbcKeys {
  readonly algorithm: CbcAlgorithm
  readonly mac: HashName
  readonly key: Uint8Array
  readonly macKey: Uint8Array
  readonly encryptThenMac: boolean
}

/** Sequence number, type, version and length: what the MAC covers before the content. */
const MAC_HEADER = 13
/** Records one CBC key may seal before the connection should end. */
const CBC_RECORD_LIMIT = 2 ** 24

function createCbc(crypto: CryptoProvider, keys: CbcKeys): Cbc {
  const cbc = crypto.createCbc(keys.algorithm, keys.key)
  invariant(cbc !== undefined, 'TLS12-14')
  return cbc
}

/** Seals CBC records. */
export class CbcSealer implements RecordSealer {
  readonly #cbc: Cbc
  readonly #hmac: Hmac
  readonly #encryptThenMac: boolean
  readonly #random: RandomSource
  readonly #header = new Uint8Array(MAC_HEADER)
  sealed: number

  /** @param sealed - records sealed before under the same key. */
  constructor(crypto: CryptoProvider, keys: CbcKeys, random: RandomSource, sealed = 0) {
    this.sealed = sealed
    this.#cbc = createCbc(crypto, keys)
    this.#hmac = crypto.createHmac(keys.mac, keys.macKey)
    this.#encryptThenMac = keys.encryptThenMac
    this.#random = random
  }

  get worn(): boolean {
    return this.sealed >= CBC_RECORD_LIMIT
  }

  seal(type: number, fragment: Uint8Array): Uint8Array {
    const block = this.#cbc.blockLength
    const macLength = this.#hmac.length
    const inside = fragment.length + (this.#encryptThenMac ? 0 : macLength)
    const padded = inside + block - (inside % block)
    const payload = block + padded + (this.#encryptThenMac ? macLength : 0)
    const record = new Uint8Array(RECORD_HEADER + payload)
    putHeader(record, 0, type, 0x0303, payload)
    const start = RECORD_HEADER + block
    record.set(this.#random(block), RECORD_HEADER)
    record.set(fragment, start)
    if (!this.#encryptThenMac) {
      this.#mac(type, fragment.length, record, start, fragment.length, start + fragment.length)
    }
    record.fill(padded - inside - 1, start + inside, start + padded)
    this.#cbc.encrypt(record, start, padded, record, RECORD_HEADER)
    if (this.#encryptThenMac) {
      this.#mac(type, block + padded, record, RECORD_HEADER, block + padded, start + padded)
    }
    this.sealed++
    return record
  }

  #mac(type: number, length: number, record: Uint8Array, from: number, count: number, to: number): void {
    putSequence(this.#header, 0, this.sealed)
    putHeader(this.#header, 8, type, 0x0303, length)
    this.#hmac
      .update(this.#header)
      .update(record, from, from + count)
      .finishInto(record, to)
  }
}

/** Opens CBC records. */
export class CbcOpener implements RecordOpener {
  readonly maxPayload = MAX_PLAINTEXT + 2048
  readonly #cbc: Cbc
  readonly #hmac: Hmac
  /** Takes the hash blocks that a shorter content leaves undone. */
  readonly #ballast: Hmac
  readonly #hashBlock: number
  readonly #encryptThenMac: boolean
  readonly #header = new Uint8Array(MAC_HEADER)
  readonly #expected: Uint8Array
  opened: number

  /** @param opened - records opened before under the same key. */
  constructor(crypto: CryptoProvider, keys: CbcKeys, opened = 0) {
    this.opened = opened
    this.#cbc = createCbc(crypto, keys)
    this.#hmac = crypto.createHmac(keys.mac, keys.macKey)
    this.#ballast = crypto.createHmac(keys.mac, keys.macKey)
    this.#hashBlock = HASH_LENGTH[keys.mac] > 32 ? 128 : 64
    this.#encryptThenMac = keys.encryptThenMac
    this.#expected = new Uint8Array(this.#hmac.length)
  }

  open(buffer: Uint8Array, at: number, payloadLength: number): OpenedRecord | undefined {
    const start = at + RECORD_HEADER
    const fragment = this.#encryptThenMac
      ? this.#openMacOutside(buffer, start, payloadLength, buffer[at] as number)
      : this.#openMacInside(buffer, start, payloadLength, buffer[at] as number)
    if (fragment === undefined) return undefined // TLS-4
    this.opened++
    demand(fragment.length <= MAX_PLAINTEXT, 'record-overflow', `a plaintext of ${fragment.length} bytes`)
    return { type: buffer[at] as number, fragment }
  }

  /** Encrypt-then-MAC: nothing is decrypted before the MAC holds. TLS12-15 */
  #openMacOutside(buffer: Uint8Array, start: number, payloadLength: number, type: number): Uint8Array | undefined {
    const block = this.#cbc.blockLength
    const covered = payloadLength - this.#hmac.length
    if (covered < 2 * block || covered % block !== 0) return undefined
    this.#computeMac(buffer, start, covered, type)
    if (!equalRangeConstantTime(this.#expected, 0, buffer, start + covered, this.#expected.length)) return undefined
    const content = start + block
    const length = covered - block
    this.#cbc.decrypt(buffer, content, length, buffer, start)
    const padding = paddingLength(buffer, content, length, 1)
    return padding === 0 ? undefined : buffer.subarray(content, content + length - padding)
  }

  /** MAC-then-encrypt: padding and MAC are judged together, with work that depends on the length only. TLS12-16 */
  #openMacInside(buffer: Uint8Array, start: number, payloadLength: number, type: number): Uint8Array | undefined {
    const block = this.#cbc.blockLength
    const macLength = this.#hmac.length
    const content = start + block
    const length = payloadLength - block
    if (length < macLength + 1 || length % block !== 0) return undefined
    this.#cbc.decrypt(buffer, content, length, buffer, start)
    const padding = paddingLength(buffer, content, length, macLength + 1)
    const longest = length - macLength - 1
    const fragmentLength = length - macLength - Math.max(padding, 1)
    this.#computeMac(buffer, content, fragmentLength, type)
    const spare = this.#blocks(longest) - this.#blocks(fragmentLength) + 1
    this.#ballast.update(buffer, content, content + Math.max(0, spare * this.#hashBlock - 17)).finish()
    const same = equalRangeConstantTime(this.#expected, 0, buffer, content + fragmentLength, macLength)
    return same && padding !== 0 ? buffer.subarray(content, content + fragmentLength) : undefined
  }

  #computeMac(buffer: Uint8Array, from: number, length: number, type: number): void {
    putSequence(this.#header, 0, this.opened)
    putHeader(this.#header, 8, type, 0x0303, length)
    this.#hmac
      .update(this.#header)
      .update(buffer, from, from + length)
      .finishInto(this.#expected, 0)
  }

  /** Hash blocks of a MAC over a content of `length` bytes: the terminator is a byte and a length field. */
  #blocks(length: number): number {
    const terminator = this.#hashBlock === 128 ? 17 : 9
    return Math.ceil((MAC_HEADER + length + terminator) / this.#hashBlock)
  }
}

/** Bytes of padding, the length byte included; 0 when it is malformed. Scans the most padding there can be, always. */
function paddingLength(buffer: Uint8Array, start: number, length: number, reserved: number): number {
  const last = start + length - 1
  const value = buffer[last] as number
  let wrong = value + reserved > length ? 1 : 0
  const scanned = Math.min(256, length)
  for (let i = 0; i < scanned; i++) {
    const inside = i <= value ? 0xff : 0
    wrong |= inside & ((buffer[last - i] as number) ^ value)
  }
  return wrong === 0 ? value + 1 : 0
}
