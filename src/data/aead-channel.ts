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
import {
  DATA_V1_HEADER_LENGTH,
  DATA_V2_HEADER_LENGTH,
  firstByte,
  MAX_PACKET_ID,
  Opcode,
  PACKET_ID_REKEY,
  PEER_ID_NONE,
  readPacketId,
  readPeerId,
  SHORT_PACKET_ID_LENGTH,
  writeDataV1Header,
  writeDataV2Header,
  writePacketId,
} from '../wire/index.ts'
import type { ChannelParts, DataChannel, DataChannelOptions } from './channel.ts'
import type { RenegotiationReason } from './counters.ts'
import { DataCode } from './codes.ts'
import { firstByteCode, refusedId, requireRoom, windowOf } from './framing.ts'
import type { DataKeys } from './keys.ts'
import { aeadUsageLimit, FAILED_VERIFICATION_LIMIT, FAILED_VERIFICATION_WARNING, usageWarning } from './limits.ts'
import { ivWord, writeIdNonce } from './nonce.ts'
import type { StaticSnapshot } from './snapshot.ts'

const TAG = AEAD_TAG_LENGTH
const ID = SHORT_PACKET_ID_LENGTH
const V1_HEADER = DATA_V1_HEADER_LENGTH
const V2_HEADER = DATA_V2_HEADER_LENGTH
const V1_SMALLEST = V1_HEADER + ID + TAG + 1
const V2_SMALLEST = V2_HEADER + ID + TAG + 1

/** See the head of this file. Made by `createDataChannel`. */
export class AeadChannel implements DataChannel {
  readonly headroom: number
  readonly tailroom = 0
  resultOffset = 0
  renegotiation: RenegotiationReason | undefined = undefined

  readonly #firstV1: number
  readonly #firstV2: number
  /** 24-bit peer-id to insist on, or -1. */
  readonly #receivePeerId: number
  readonly #replay: ReplayWindow
  readonly #opener: Aead
  readonly #openIv1: number
  readonly #openIv2: number
  readonly #usageWarning: number
  #receiveUsage: number
  #failed: number

  readonly #keyId: number
  /** 24-bit peer-id to send, or -1 for DATA_V1. */
  readonly #peerId: number
  readonly #sealer: Aead
  readonly #sealIv1: number
  readonly #sealIv2: number
  #sent: number
  #sendUsage: number
  readonly #usageLimit: number
  readonly #keys: DataKeys
  readonly #parts: ChannelParts

  constructor(options: DataChannelOptions, algorithm: AeadAlgorithm) {
    const { crypto, keys, counterStart } = options
    const keyLength = AEAD_KEY_LENGTH[algorithm]
    this.#keys = keys
    this.#sealer = crypto.createAead(algorithm, keys.send.cipher.subarray(0, keyLength))
    this.#opener = crypto.createAead(algorithm, keys.receive.cipher.subarray(0, keyLength))
    this.#sealIv1 = ivWord(keys.send.hmac, 0) // DATA-4
    this.#sealIv2 = ivWord(keys.send.hmac, 4)
    this.#openIv1 = ivWord(keys.receive.hmac, 0)
    this.#openIv2 = ivWord(keys.receive.hmac, 4)
    const keyId = options.keyId ?? 0
    this.#keyId = keyId
    this.#firstV1 = firstByte(Opcode.DATA_V1, keyId)
    this.#firstV2 = firstByte(Opcode.DATA_V2, keyId)
    this.#peerId = options.peerId ?? -1
    this.#receivePeerId = options.receivePeerId ?? -1
    this.headroom = (this.#peerId < 0 ? V1_HEADER : V2_HEADER) + ID + TAG
    this.#replay = windowOf(options)
    this.#parts = { replay: this.#replay, opener: this.#opener, sealer: this.#sealer }
    this.#usageLimit = aeadUsageLimit(algorithm)
    this.#usageWarning = usageWarning(this.#usageLimit)
    this.#sent = counterStart?.packetsSent ?? 0
    this.#sendUsage = counterStart?.sendUsage ?? 0
    this.#receiveUsage = counterStart?.receiveUsage ?? 0
    this.#failed = counterStart?.failedVerifications ?? 0
    this.renegotiation = options.restored?.snapshot.renegotiation
  }

  get failedVerifications(): number {
    return this.#failed
  }

  seal(buffer: Uint8Array, offset: number, length: number): number {
    const start = offset - this.headroom
    if (start < 0 || length < 1 || offset + length > buffer.length) requireRoom()
    const usage = this.#sendUsage + ((length + 15) >>> 4) + 1 // DATA-20
    const id = this.#sent + 1
    if (id > MAX_PACKET_ID || usage > this.#usageLimit) return DataCode.KEY_EXHAUSTED // DATA-18, DATA-20
    this.#sent = id
    this.#sendUsage = usage
    if (id >= PACKET_ID_REKEY || usage >= this.#usageWarning) this.#warn(id >= PACKET_ID_REKEY)
    const nonce = writeIdNonce(id, this.#sealIv1, this.#sealIv2)
    const idOffset = offset - TAG - ID
    writePacketId(buffer, idOffset, id)
    if (this.#peerId < 0) {
      writeDataV1Header(buffer, start, this.#keyId)
      this.#sealer.seal(buffer, idOffset, ID, offset, length, offset - TAG, nonce) // DATA-3
    } else {
      writeDataV2Header(buffer, start, this.#keyId, this.#peerId)
      this.#sealer.seal(buffer, start, V2_HEADER + ID, offset, length, offset - TAG, nonce) // DATA-2
    }
    this.resultOffset = start
    return this.headroom + length
  }

  open(buffer: Uint8Array, offset: number, length: number, now: number): number {
    if (length < V1_SMALLEST) return DataCode.TOO_SHORT // DATA-5
    const first = buffer[offset] as number
    let aadOffset = offset
    let idOffset = offset + V2_HEADER
    if (first === this.#firstV2) {
      if (length < V2_SMALLEST) return DataCode.TOO_SHORT // DATA-5
      if (this.#receivePeerId >= 0) {
        const peerId = readPeerId(buffer, offset)
        if (peerId !== this.#receivePeerId && peerId !== PEER_ID_NONE) return DataCode.WRONG_PEER_ID // DATA-7
      }
    } else if (first === this.#firstV1) {
      idOffset = offset + V1_HEADER
      aadOffset = idOffset
    } else {
      return firstByteCode(first) // DATA-6
    }
    const id = readPacketId(buffer, idOffset)
    if (!this.#replay.accepts(id, 0, now)) return refusedId(this.#replay, id, 0, now) // DATA-8
    if (this.#failed >= FAILED_VERIFICATION_LIMIT) return DataCode.KEY_RETIRED // DATA-21
    const nonce = writeIdNonce(id, this.#openIv1, this.#openIv2)
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

  get parts(): ChannelParts {
    return this.#parts
  }

  touch(): number {
    return this.resultOffset + this.#receiveUsage + this.#sendUsage + this.#usageLimit
  }

  snapshot(now: number): StaticSnapshot {
    const counters = {
      packetsSent: this.#sent,
      sendUsage: this.#sendUsage,
      receiveUsage: this.#receiveUsage,
      failedVerifications: this.#failed,
    }
    const { renegotiation } = this
    return { type: 'keys', keys: this.#keys, counters, replay: this.#replay.snapshot(now), renegotiation }
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
