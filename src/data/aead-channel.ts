/**
 * The classic AEAD data channel: tag before the ciphertext, 32-bit packet ids, an implicit IV.
 *
 *     DATA_V2  opcode|key id (1)  peer-id (3)  packet id (4)  tag (16)  ciphertext
 *     DATA_V1  opcode|key id (1)               packet id (4)  tag (16)  ciphertext
 *
 * The nonce is the packet id followed by 8 bytes of key material. DATA_V2 authenticates its header and the packet id;
 * DATA_V1 authenticates the packet id alone. Which of the two is sent is fixed by whether a peer-id was agreed; both are
 * received at any time, because some servers answer DATA_V2 with DATA_V1.
 *
 * The order on receipt is: length, first byte, peer-id, replay window (read only), tag, and only then the window is
 * updated. Refuses to seal once packet ids or the AEAD's usage limit are used up, and to open once 2^36 packets failed.
 *
 * Spec: data.md, "AEAD".
 */
import { AEAD_KEY_LENGTH, AEAD_TAG_LENGTH, type Aead, type AeadAlgorithm } from '../crypto/index.ts'
import type { ReplayWindow } from '../reliability/index.ts'
import type { DataChannel, DataChannelOptions, RenegotiationReason } from './channel.ts'
import { DataCode } from './codes.ts'
import { createReplayWindow, firstByteCode, NO_PEER_ID, refusedId, requireRoom } from './framing.ts'
import {
  aeadUsageLimit,
  FAILED_VERIFICATION_LIMIT,
  FAILED_VERIFICATION_WARNING,
  LAST_PACKET_ID,
  PACKET_ID_WARNING,
  usageWarning,
} from './limits.ts'
import { firstByte, Opcode } from '../wire/index.ts'

const TAG = AEAD_TAG_LENGTH
const ID = 4
const V2_HEADER = 4
const IMPLICIT_IV = 8

/** See the head of this file. Made by `createDataChannel`. */
export class AeadChannel implements DataChannel {
  readonly headroom: number
  readonly tailroom = 0
  resultOffset = 0
  renegotiation: RenegotiationReason | undefined = undefined

  readonly #sealer: Aead
  readonly #opener: Aead
  readonly #sealNonce = new Uint8Array(12)
  readonly #openNonce = new Uint8Array(12)
  readonly #firstV1: number
  readonly #firstV2: number
  /** 24-bit peer-id to send, or -1 for DATA_V1. */
  readonly #peerId: number
  /** 24-bit peer-id to insist on, or -1. */
  readonly #receivePeerId: number
  readonly #replay: ReplayWindow
  readonly #usageLimit: number
  readonly #usageWarning: number
  #sent: number
  #sendUsage: number
  #receiveUsage: number
  #failed: number

  constructor(options: DataChannelOptions, algorithm: AeadAlgorithm) {
    const { crypto, keys, counterStart } = options
    const keyLength = AEAD_KEY_LENGTH[algorithm]
    this.#sealer = crypto.createAead(algorithm, keys.send.cipher.subarray(0, keyLength))
    this.#opener = crypto.createAead(algorithm, keys.receive.cipher.subarray(0, keyLength))
    this.#sealNonce.set(keys.send.hmac.subarray(0, IMPLICIT_IV), ID) // DATA-4
    this.#openNonce.set(keys.receive.hmac.subarray(0, IMPLICIT_IV), ID)
    const keyId = options.keyId ?? 0
    this.#firstV1 = firstByte(Opcode.DATA_V1, keyId)
    this.#firstV2 = firstByte(Opcode.DATA_V2, keyId)
    this.#peerId = options.peerId ?? -1
    this.#receivePeerId = options.receivePeerId ?? -1
    this.headroom = (this.#peerId < 0 ? 1 : V2_HEADER) + ID + TAG
    this.#replay = createReplayWindow(options.replay, 'short')
    this.#usageLimit = aeadUsageLimit(algorithm)
    this.#usageWarning = usageWarning(this.#usageLimit)
    this.#sent = counterStart?.packetsSent ?? 0
    this.#sendUsage = counterStart?.sendUsage ?? 0
    this.#receiveUsage = counterStart?.receiveUsage ?? 0
    this.#failed = counterStart?.failedVerifications ?? 0
  }

  get failedVerifications(): number {
    return this.#failed
  }

  seal(buffer: Uint8Array, offset: number, length: number): number {
    const start = offset - this.headroom
    if (start < 0 || length < 1 || offset + length > buffer.length) requireRoom()
    const usage = this.#sendUsage + ((length + 15) >>> 4) + 1 // DATA-20
    if (this.#sent >= LAST_PACKET_ID || usage > this.#usageLimit) return DataCode.KEY_EXHAUSTED // DATA-18, DATA-20
    const id = this.#sent + 1
    this.#sent = id
    this.#sendUsage = usage
    if (id >= PACKET_ID_WARNING || usage >= this.#usageWarning) this.#warn(id >= PACKET_ID_WARNING)
    const nonce = this.#sealNonce
    const b0 = id >>> 24
    const b1 = (id >>> 16) & 255
    const b2 = (id >>> 8) & 255
    const b3 = id & 255
    nonce[0] = b0
    nonce[1] = b1
    nonce[2] = b2
    nonce[3] = b3
    const idOffset = offset - TAG - ID
    buffer[idOffset] = b0
    buffer[idOffset + 1] = b1
    buffer[idOffset + 2] = b2
    buffer[idOffset + 3] = b3
    const peerId = this.#peerId
    if (peerId < 0) {
      buffer[start] = this.#firstV1
      this.#sealer.seal(buffer, idOffset, ID, offset, length, offset - TAG, nonce) // DATA-3
    } else {
      buffer[start] = this.#firstV2
      buffer[start + 1] = peerId >>> 16
      buffer[start + 2] = (peerId >>> 8) & 255
      buffer[start + 3] = peerId & 255
      this.#sealer.seal(buffer, start, V2_HEADER + ID, offset, length, offset - TAG, nonce) // DATA-2
    }
    this.resultOffset = start
    return this.headroom + length
  }

  open(buffer: Uint8Array, offset: number, length: number, now: number): number {
    if (length < 1 + ID + TAG + 1) return DataCode.TOO_SHORT // DATA-5
    const first = buffer[offset] as number
    let aadOffset = offset
    let idOffset = offset + V2_HEADER
    if (first === this.#firstV2) {
      if (length < V2_HEADER + ID + TAG + 1) return DataCode.TOO_SHORT // DATA-5
      if (this.#receivePeerId >= 0) {
        const peerId =
          ((buffer[offset + 1] as number) << 16) |
          ((buffer[offset + 2] as number) << 8) |
          (buffer[offset + 3] as number)
        if (peerId !== this.#receivePeerId && peerId !== NO_PEER_ID) return DataCode.WRONG_PEER_ID // DATA-7
      }
    } else if (first === this.#firstV1) {
      idOffset = offset + 1
      aadOffset = idOffset
    } else {
      return firstByteCode(first) // DATA-6
    }
    const nonce = this.#openNonce
    const b0 = buffer[idOffset] as number
    const b1 = buffer[idOffset + 1] as number
    const b2 = buffer[idOffset + 2] as number
    const b3 = buffer[idOffset + 3] as number
    const id = ((b0 << 24) | (b1 << 16) | (b2 << 8) | b3) >>> 0
    if (!this.#replay.accepts(id, 0, now)) return refusedId(this.#replay, id, 0) // DATA-8
    if (this.#failed >= FAILED_VERIFICATION_LIMIT) return DataCode.KEY_RETIRED // DATA-21
    nonce[0] = b0
    nonce[1] = b1
    nonce[2] = b2
    nonce[3] = b3
    const tagOffset = idOffset + ID
    const payloadOffset = tagOffset + TAG
    const payloadLength = offset + length - payloadOffset
    if (!this.#opener.open(buffer, aadOffset, tagOffset - aadOffset, payloadOffset, payloadLength, tagOffset, nonce)) {
      return this.#fail()
    }
    this.#replay.commit(id, 0, now) // DATA-8
    const usage = this.#receiveUsage + ((payloadLength + 15) >>> 4) + 1
    this.#receiveUsage = usage
    if (usage >= this.#usageWarning) this.#warn(false)
    this.resultOffset = payloadOffset
    return payloadLength
  }

  #warn(packetIds: boolean): void {
    this.renegotiation ??= packetIds ? 'packet-ids' : 'aead-usage' // DATA-18, DATA-20
  }

  #fail(): number {
    this.#failed++
    if (this.#failed >= FAILED_VERIFICATION_WARNING) this.renegotiation ??= 'failed-verifications' // DATA-21
    return DataCode.BAD_TAG
  }
}
