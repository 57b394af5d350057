/**
 * tls-crypt: every control packet encrypted and authenticated with one key pair (spec/wrapping.md, WRAP-20 to WRAP-25).
 *
 *     header(9) | u32 replay packet id | u32 replay time | tag(32) | AES-256-CTR(body)
 *
 * The tag is HMAC-SHA256 over the clear fields and the plain body; its first 16 bytes are the counter the body is
 * encrypted under. A receiver therefore decrypts first and judges after; the plaintext lies in scratch memory of ours and
 * is parsed only when the tag is right. The server sends with the first half of the key, the client with the second: there
 * is no direction to configure. tls-crypt-v2 and the dynamic key of renegotiations use the same wrap with other keys.
 */
import { ConfigError, equalRangeConstantTime } from '../bytes/index.ts'
import type { CryptoProvider, Ctr, Hmac } from '../crypto/index.ts'
import {
  CONTROL_HEADER_LENGTH,
  controlBodyLength,
  controlHeaderProblem,
  type ControlPacket,
  type ControlWrap,
  type OpenedControl,
  parseControlBody,
  writeControlBody,
  writeControlHeader,
} from './control-packet.ts'
import type { Role } from './opcodes.ts'
import { LONG_PACKET_ID_LENGTH, readLongPacketIdTime, readPacketId, writeLongPacketId } from './packet-id.ts'
import type { WireProblem } from './problems.ts'
import { type KeySlot, keySlots, STATIC_KEY_LENGTH, type StaticKey } from './static-key.ts'

/** Length of a tls-crypt tag, of packets and of wrapped client keys. */
export const TLS_CRYPT_TAG_LENGTH = 32
/** Length of the counter block that the tag's head forms. */
export const TLS_CRYPT_IV_LENGTH = 16

const KEY_LENGTH = 32
const ID_AT = CONTROL_HEADER_LENGTH
const TAG_AT = ID_AT + LONG_PACKET_ID_LENGTH
const BODY_AT = TAG_AT + TLS_CRYPT_TAG_LENGTH

/** Bytes that tls-crypt adds to a plain control packet (WRAP-25). */
export const TLS_CRYPT_OVERHEAD = LONG_PACKET_ID_LENGTH + TLS_CRYPT_TAG_LENGTH

/** Prepared tls-crypt keys of one end. */
export class TlsCryptKeys implements ControlWrap {
  readonly type = 'tls-crypt'
  readonly overhead = TLS_CRYPT_OVERHEAD
  readonly #sendMac: Hmac
  readonly #sendCipher: Ctr
  readonly #receiveMac: Hmac
  readonly #receiveCipher: Ctr

  constructor(crypto: CryptoProvider, key: StaticKey, role: Role) {
    if (key.length !== STATIC_KEY_LENGTH) {
      throw new ConfigError('tls-crypt', 'a tls-crypt key has 256 bytes: make one with "genkey secret"')
    }
    const slots = keySlots(key, role === 'server' ? 0 : 1, 'tls-crypt') // WRAP-21
    this.#sendMac = macOf(crypto, slots.send)
    this.#sendCipher = cipherOf(crypto, slots.send)
    this.#receiveMac = macOf(crypto, slots.receive)
    this.#receiveCipher = cipherOf(crypto, slots.receive)
  }

  seal(packet: ControlPacket, replayPacketId: number, replayTime: number): Uint8Array {
    const length = controlBodyLength(packet)
    const out = new Uint8Array(BODY_AT + length)
    writeControlHeader(packet, out)
    writeLongPacketId(out, ID_AT, replayPacketId, replayTime)
    writeControlBody(packet, out, BODY_AT)
    this.#sendMac.update(out, 0, TAG_AT).update(out, BODY_AT, out.length).finishInto(out, TAG_AT) // WRAP-22
    this.#sendCipher.apply(out, BODY_AT, length, out.slice(TAG_AT, TAG_AT + TLS_CRYPT_IV_LENGTH)) // WRAP-23
    return out
  }

  open(bytes: Uint8Array): OpenedControl | WireProblem {
    const problem = controlHeaderProblem(bytes, BODY_AT + 1)
    if (problem !== undefined) return problem
    const body = new Uint8Array(bytes.subarray(BODY_AT))
    this.#receiveCipher.apply(body, 0, body.length, bytes.slice(TAG_AT, TAG_AT + TLS_CRYPT_IV_LENGTH))
    const expected = new Uint8Array(TLS_CRYPT_TAG_LENGTH)
    this.#receiveMac.update(bytes, 0, TAG_AT).update(body, 0, body.length).finishInto(expected, 0)
    if (!equalRangeConstantTime(bytes, TAG_AT, expected, 0, TLS_CRYPT_TAG_LENGTH)) return 'tls-crypt-mismatch' // WRAP-24
    const packet = parseControlBody(bytes, body, 0)
    if (typeof packet === 'string') return packet
    return { packet, replayPacketId: readPacketId(bytes, ID_AT), replayTime: readLongPacketIdTime(bytes, ID_AT) }
  }
}

function macOf(crypto: CryptoProvider, slot: KeySlot): Hmac {
  return crypto.createHmac('SHA256', slot.hmac.subarray(0, KEY_LENGTH)) // WRAP-20
}

function cipherOf(crypto: CryptoProvider, slot: KeySlot): Ctr {
  return crypto.createCtr(slot.cipher.subarray(0, KEY_LENGTH)) // WRAP-20
}

/**
 * Prepares tls-crypt keys for one role.
 *
 * @throws ConfigError when the key has not 256 bytes.
 */
export function createTlsCryptKeys(crypto: CryptoProvider, key: StaticKey, role: Role): TlsCryptKeys {
  return new TlsCryptKeys(crypto, key, role)
}

/** The packet under tls-crypt. For opcodes 10 and 11 the caller appends the wrapped client key. */
export function sealTlsCrypt(
  keys: TlsCryptKeys,
  packet: ControlPacket,
  replayPacketId: number,
  replayTime: number,
): Uint8Array {
  return keys.seal(packet, replayPacketId, replayTime)
}

/**
 * The packet inside tls-crypt bytes, or why they are none. A wrapped client key must have been split off first. The
 * caller checks the replay fields afterwards.
 */
export function openTlsCrypt(keys: TlsCryptKeys, bytes: Uint8Array): OpenedControl | WireProblem {
  return keys.open(bytes)
}
