/**
 * tls-auth: an HMAC over every control packet (spec/wrapping.md, WRAP-10 to WRAP-14).
 *
 *     header(9) | HMAC(H) | u32 replay packet id | u32 replay time | body
 *
 * The HMAC runs over the fields in the order they are made, not in the order they are sent: replay packet id, time,
 * header, body. Its key is as long as its output and comes from the `hmac` slot of the direction; the digest is that of
 * the `auth` option whatever cipher the data channel uses.
 *
 * Nothing is parsed behind the header before the HMAC is right; a wrong one is told by one word and nothing else.
 */
import { equalRangeConstantTime } from '../bytes/index.ts'
import { HASH_LENGTH, type CryptoProvider, type HashName, type Hmac } from '../crypto/index.ts'
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
import { carriesWrappedKey, opcodeOf } from './opcodes.ts'
import { LONG_PACKET_ID_LENGTH, readLongPacketIdTime, readPacketId, writeLongPacketId } from './packet-id.ts'
import type { WireProblem } from './problems.ts'
import { type KeyDirection, keySlots, type StaticKey } from './static-key.ts'

/** Prepared tls-auth keys of one end. */
export class TlsAuthKeys implements ControlWrap {
  readonly type = 'tls-auth'
  readonly hash: HashName
  readonly overhead: number
  readonly #macLength: number
  readonly #send: Hmac
  readonly #receive: Hmac
  /** Room for the MAC that a packet should have. */
  readonly #expected: Uint8Array

  constructor(crypto: CryptoProvider, key: StaticKey, direction: KeyDirection, hash: HashName) {
    const slots = keySlots(key, direction)
    const length = HASH_LENGTH[hash]
    this.hash = hash
    this.overhead = length + LONG_PACKET_ID_LENGTH // WRAP-10
    this.#macLength = length
    this.#send = crypto.createHmac(hash, slots.send.hmac.subarray(0, length)) // WRAP-12
    this.#receive = crypto.createHmac(hash, slots.receive.hmac.subarray(0, length))
    this.#expected = new Uint8Array(length)
  }

  seal(packet: ControlPacket, replayPacketId: number, replayTime: number): Uint8Array {
    const idAt = CONTROL_HEADER_LENGTH + this.#macLength
    const bodyAt = idAt + LONG_PACKET_ID_LENGTH
    const out = new Uint8Array(bodyAt + controlBodyLength(packet))
    writeControlHeader(packet, out)
    writeLongPacketId(out, idAt, replayPacketId, replayTime)
    writeControlBody(packet, out, bodyAt)
    this.#macInto(this.#send, out, out, CONTROL_HEADER_LENGTH)
    return out
  }

  open(bytes: Uint8Array): OpenedControl | WireProblem {
    const idAt = CONTROL_HEADER_LENGTH + this.#macLength
    const bodyAt = idAt + LONG_PACKET_ID_LENGTH
    const problem = controlHeaderProblem(bytes, bodyAt + 1)
    if (problem !== undefined) return problem
    if (carriesWrappedKey(opcodeOf(bytes[0] as number))) return 'opcode-needs-wrapped-key' // WRAP-14
    this.#macInto(this.#receive, bytes, this.#expected, 0)
    if (!equalRangeConstantTime(bytes, CONTROL_HEADER_LENGTH, this.#expected, 0, this.#macLength)) {
      return 'tls-auth-mismatch' // WRAP-13
    }
    const packet = parseControlBody(bytes, bytes, bodyAt)
    if (typeof packet === 'string') return packet
    return { packet, replayPacketId: readPacketId(bytes, idAt), replayTime: readLongPacketIdTime(bytes, idAt) }
  }

  /** The MAC of the packet in `bytes`, in the order of WRAP-11. */
  #macInto(hmac: Hmac, bytes: Uint8Array, out: Uint8Array, offset: number): void {
    const idAt = CONTROL_HEADER_LENGTH + this.#macLength
    const bodyAt = idAt + LONG_PACKET_ID_LENGTH
    hmac
      .update(bytes, idAt, bodyAt)
      .update(bytes, 0, CONTROL_HEADER_LENGTH)
      .update(bytes, bodyAt, bytes.length)
      .finishInto(out, offset)
  }
}

/**
 * Prepares tls-auth keys.
 *
 * @throws ConfigError when the key is too short for the direction.
 */
export function createTlsAuthKeys(
  crypto: CryptoProvider,
  key: StaticKey,
  direction: KeyDirection,
  hash: HashName,
): TlsAuthKeys {
  return new TlsAuthKeys(crypto, key, direction, hash)
}

/** The packet under tls-auth. */
export function sealTlsAuth(
  keys: TlsAuthKeys,
  packet: ControlPacket,
  replayPacketId: number,
  replayTime: number,
): Uint8Array {
  return keys.seal(packet, replayPacketId, replayTime)
}

/** The packet inside tls-auth bytes, or why they are none. The caller checks the replay fields afterwards. */
export function openTlsAuth(keys: TlsAuthKeys, bytes: Uint8Array): OpenedControl | WireProblem {
  return keys.open(bytes)
}
