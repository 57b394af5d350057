/**
 * The epoch data channel of 2.7: tag last, 64-bit packet ids, keys that replace themselves.
 *
 *     opcode|key id (1)  peer-id (3)  epoch (2)  counter (6)  ciphertext  tag (16)
 *
 * Header, epoch and counter are authenticated. The nonce is the epoch's IV XORed with epoch and counter. Either side may
 * move to a later epoch at any time; no message announces it. A receiver holds the epoch it is in, the one it left, and up to
 * sixteen that may come; the first authentic packet of a later epoch moves it there, and raises its own sending to at least
 * the same epoch.
 *
 * Keys of future epochs are derived when a packet first names them and kept, so that forged packets can cause at most
 * sixteen derivations per epoch. Refuses DATA_V1, epoch 0, epochs outside those held, and epochs so near the last one that
 * the look-ahead would not fit.
 *
 * Spec: data.md, "Epoch keys".
 */
import { AEAD_TAG_LENGTH, type Aead, type AeadAlgorithm } from '../crypto/index.ts'
import { ReplayWindow } from '../reliability/index.ts'
import {
  DATA_V2_HEADER_LENGTH,
  EPOCH_PACKET_ID_LENGTH,
  firstByte,
  MAX_EPOCH_COUNTER,
  Opcode,
  PEER_ID_NONE,
  readEpoch,
  readEpochCounter,
  readPeerId,
  writeDataV2Header,
  writeEpochPacketId,
} from '../wire/index.ts'
import type { ChannelParts, DataChannel, DataChannelOptions, ReplayOptions } from './channel.ts'
import type { RenegotiationReason } from './counters.ts'
import { DataCode } from './codes.ts'
import { EpochChain, type EpochKeyMaterial } from './epoch-keys.ts'
import { createReplayWindow, firstByteCode, refusedId, requireRoom } from './framing.ts'
import {
  aeadUsageLimit,
  EPOCH_WARNING,
  FAILED_VERIFICATION_LIMIT,
  FAILED_VERIFICATION_WARNING,
  LAST_EPOCH,
  usageWarning,
} from './limits.ts'
import { ivWord, writeEpochNonce } from './nonce.ts'
import type { EpochSnapshot, ReceiveEpochSnapshot } from './snapshot.ts'

const TAG = AEAD_TAG_LENGTH
const ID = EPOCH_PACKET_ID_LENGTH
const HEADER = DATA_V2_HEADER_LENGTH
const SMALLEST = HEADER + ID + 1 + TAG

/** Epochs after the present one whose packets are understood. */
export const FUTURE_EPOCHS = 16
/** Last epoch that a receiver moves to (DATA-26). */
const LAST_RECEIVE_EPOCH = LAST_EPOCH - FUTURE_EPOCHS - 1

/** One epoch's receive key. */
class ReceiveEpoch {
  readonly epoch: number
  readonly aead: Aead
  readonly replay: ReplayWindow
  readonly iv0: number
  readonly iv1: number
  readonly iv2: number
  failed = 0
  /** Blocks and packets opened. */
  usage = 0
  readonly #key: Uint8Array
  readonly #iv: Uint8Array

  constructor(chain: EpochChain, epoch: number, { key, iv }: EpochKeyMaterial, replay: ReplayWindow) {
    this.epoch = epoch
    this.#key = key
    this.#iv = iv
    this.aead = chain.cipher(key)
    this.iv0 = ivWord(iv, 0)
    this.iv1 = ivWord(iv, 4)
    this.iv2 = ivWord(iv, 8)
    this.replay = replay
  }

  /** The key of the epoch that the chain stands at. */
  static next(chain: EpochChain, replay: ReplayOptions | undefined): ReceiveEpoch {
    return new ReceiveEpoch(chain, chain.epoch, chain.material(), createReplayWindow(replay))
  }

  static restore(chain: EpochChain, from: ReceiveEpochSnapshot, now: number): ReceiveEpoch {
    const epoch = new ReceiveEpoch(chain, from.epoch, from, ReplayWindow.restore(from.replay, now))
    epoch.usage = from.usage
    epoch.failed = from.failed
    return epoch
  }

  touch(): number {
    return this.epoch + this.iv2 + this.usage
  }

  snapshot(now: number): ReceiveEpochSnapshot {
    const { epoch, failed, usage } = this
    return { epoch, key: this.#key, iv: this.#iv, usage, failed, replay: this.replay.snapshot(now) }
  }
}

/** See the head of this file. Made by `createDataChannel`. */
export class EpochChannel implements DataChannel {
  readonly headroom = HEADER + ID
  readonly tailroom = TAG
  resultOffset = 0
  renegotiation: RenegotiationReason | undefined = undefined

  readonly #first: number
  readonly #receivePeerId: number
  #current: ReceiveEpoch
  readonly #usageWarning: number

  readonly #keyId: number
  readonly #peerId: number
  /** The send epoch, its cipher and IV, packets and usage. */
  #epoch = 1
  #sealer: Aead
  #iv0 = 0
  #iv1 = 0
  #iv2 = 0
  #sent = 0
  #usage = 0

  readonly #usageLimit: number
  #parts: ChannelParts
  readonly #replayOptions: ReplayOptions | undefined
  readonly #sendChain: EpochChain
  /** Stands at the latest epoch for which a receive key was made. */
  readonly #receiveChain: EpochChain
  #retiring: ReceiveEpoch | undefined = undefined
  /** Keys of the epochs after the present one, in order, as far as packets named them. */
  #future: ReceiveEpoch[] = []
  #failed: number

  constructor(options: DataChannelOptions, algorithm: AeadAlgorithm, peerId: number) {
    const { crypto, keys, counterStart } = options
    this.#keyId = options.keyId ?? 0
    this.#first = firstByte(Opcode.DATA_V2, this.#keyId)
    this.#peerId = peerId
    this.#receivePeerId = options.receivePeerId ?? -1
    this.#replayOptions = options.replay
    this.#usageLimit = counterStart?.usageLimit ?? aeadUsageLimit(algorithm)
    this.#usageWarning = usageWarning(this.#usageLimit)
    const restored = options.restored?.snapshot.type === 'epoch' ? options.restored.snapshot : undefined
    const { send, receive } = restored ?? {}
    this.#sendChain = new EpochChain(crypto, algorithm, send?.secret ?? keys.send.cipher, send?.epoch)
    this.#receiveChain = new EpochChain(crypto, algorithm, receive?.secret ?? keys.receive.cipher, receive?.epoch)
    for (let epoch = 1; epoch < (counterStart?.epoch ?? 1); epoch++) {
      this.#sendChain.advance()
      this.#receiveChain.advance()
    }
    this.#sealer = this.#takeSendKey()
    this.#sent = counterStart?.packetsSent ?? 0
    this.#usage = counterStart?.sendUsage ?? 0
    if (restored === undefined) {
      this.#current = ReceiveEpoch.next(this.#receiveChain, options.replay)
      this.#current.usage = counterStart?.receiveUsage ?? 0
      this.#current.failed = counterStart?.failedVerifications ?? 0
      this.#failed = this.#current.failed
    } else {
      const at = (from: ReceiveEpochSnapshot) =>
        ReceiveEpoch.restore(this.#receiveChain, from, options.restored?.now as number)
      ;[this.#sent, this.#usage] = restored.sent
      this.#current = at(restored.current)
      this.#retiring = restored.retiring === undefined ? undefined : at(restored.retiring)
      this.#future = restored.future.map(at)
      this.#failed = restored.failed
      this.renegotiation = restored.renegotiation
    }
    this.#parts = this.#presentParts()
    this.#watchEpoch()
  }

  get failedVerifications(): number {
    return this.#failed
  }

  /** Epoch of the packets being sent. */
  get sendEpoch(): number {
    return this.#epoch
  }

  /** Latest epoch of which an authentic packet arrived. */
  get receiveEpoch(): number {
    return this.#current.epoch
  }

  /**
   * Moves sending to the next epoch, as reaching a limit does. False in the last epoch.
   */
  advanceSendEpoch(): boolean {
    if (this.#epoch >= LAST_EPOCH) return false
    this.#raiseSendEpoch(this.#epoch + 1)
    return true
  }

  seal(buffer: Uint8Array, offset: number, length: number): number {
    const start = offset - HEADER - ID
    if (start < 0 || length < 1 || offset + length + TAG > buffer.length) requireRoom()
    const cost = ((length + 15) >>> 4) + 1
    if (this.#usage + cost > this.#usageWarning || this.#sent >= MAX_EPOCH_COUNTER) {
      if (!this.advanceSendEpoch() && !this.#fits(cost)) return DataCode.KEY_EXHAUSTED // DATA-28
    }
    this.#usage += cost
    const counter = ++this.#sent
    writeDataV2Header(buffer, start, this.#keyId, this.#peerId)
    writeEpochPacketId(buffer, start + HEADER, this.#epoch, counter) // DATA-23
    const nonce = writeEpochNonce(this.#iv0, this.#iv1, this.#iv2, buffer, start + HEADER) // DATA-24
    this.#sealer.seal(buffer, start, HEADER + ID, offset, length, offset + length, nonce)
    this.resultOffset = start
    return HEADER + ID + length + TAG
  }

  open(buffer: Uint8Array, offset: number, length: number, now: number): number {
    if (length < 1) return DataCode.TOO_SHORT
    const first = buffer[offset] as number
    if (first !== this.#first)
      return first === firstByte(Opcode.DATA_V1, this.#keyId) ? DataCode.WRONG_OPCODE : firstByteCode(first) // DATA-6
    if (length < SMALLEST) return DataCode.TOO_SHORT // DATA-5
    if (this.#receivePeerId >= 0) {
      const peerId = readPeerId(buffer, offset)
      if (peerId !== this.#receivePeerId && peerId !== PEER_ID_NONE) return DataCode.WRONG_PEER_ID // DATA-7
    }
    const idOffset = offset + HEADER
    const epoch = readEpoch(buffer, idOffset)
    const key = epoch === this.#current.epoch ? this.#current : this.#otherEpoch(epoch)
    if (key === undefined) return DataCode.WRONG_EPOCH // DATA-26
    const counter = readEpochCounter(buffer, idOffset)
    if (!key.replay.accepts(counter, 0, now)) return refusedId(key.replay, counter, 0, now) // DATA-8
    if (key.failed >= FAILED_VERIFICATION_LIMIT) return DataCode.KEY_RETIRED // DATA-21
    const nonce = writeEpochNonce(key.iv0, key.iv1, key.iv2, buffer, idOffset) // DATA-24
    const payloadOffset = idOffset + ID
    const payloadLength = length - HEADER - ID - TAG
    const tagOffset = payloadOffset + payloadLength
    if (!key.aead.open(buffer, offset, HEADER + ID, payloadOffset, payloadLength, tagOffset, nonce)) {
      return this.#fail(key)
    }
    key.replay.commit(counter, 0, now)
    if (epoch > this.#current.epoch) this.#moveTo(key)
    key.usage += ((payloadLength + 15) >>> 4) + 1
    if (key.usage > this.#usageWarning && this.#epoch === key.epoch) this.advanceSendEpoch() // DATA-28
    this.resultOffset = payloadOffset
    return payloadLength
  }

  get parts(): ChannelParts {
    return this.#parts
  }

  touch(): number {
    return this.#current.touch() + this.resultOffset + this.#usage + this.#usageLimit
  }

  snapshot(now: number): EpochSnapshot {
    return {
      type: 'epoch',
      send: this.#sendChain.snapshot(),
      sent: [this.#sent, this.#usage],
      receive: this.#receiveChain.snapshot(),
      current: this.#current.snapshot(now),
      retiring: this.#retiring?.snapshot(now),
      future: this.#future.map((epoch) => epoch.snapshot(now)),
      failed: this.#failed,
      renegotiation: this.renegotiation,
    }
  }

  /** The key of an epoch other than the present one, if its packets are accepted. */
  #otherEpoch(epoch: number): ReceiveEpoch | undefined {
    if (this.#retiring !== undefined && epoch === this.#retiring.epoch) return this.#retiring
    const ahead = epoch - this.#current.epoch
    if (ahead < 1 || ahead > FUTURE_EPOCHS || epoch > LAST_RECEIVE_EPOCH) return undefined
    while (this.#future.length < ahead) {
      // DATA-25
      this.#receiveChain.advance()
      this.#future.push(ReceiveEpoch.next(this.#receiveChain, this.#replayOptions))
    }
    return this.#future[ahead - 1]
  }

  /** An authentic packet of a later epoch came: go there (DATA-27). */
  #moveTo(key: ReceiveEpoch): void {
    this.#future = this.#future.slice(key.epoch - this.#current.epoch)
    this.#retiring = this.#current
    this.#current = key
    if (this.#epoch < key.epoch) this.#raiseSendEpoch(key.epoch)
    this.#parts = this.#presentParts()
  }

  #raiseSendEpoch(epoch: number): void {
    while (this.#sendChain.epoch < epoch) this.#sendChain.advance()
    this.#sealer = this.#takeSendKey()
    this.#parts = this.#presentParts()
    this.#sent = 0
    this.#usage = 0
    this.#watchEpoch()
  }

  /** The key that the chain stands at becomes the one that seals. */
  #takeSendKey(): Aead {
    const { aead, iv } = this.#sendChain.key()
    this.#epoch = this.#sendChain.epoch
    this.#iv0 = ivWord(iv, 0)
    this.#iv1 = ivWord(iv, 4)
    this.#iv2 = ivWord(iv, 8)
    return aead
  }

  /** True when the last epoch has room for another packet. */
  #fits(cost: number): boolean {
    return this.#sent < MAX_EPOCH_COUNTER && this.#usage + cost <= this.#usageLimit
  }

  #presentParts(): ChannelParts {
    const { aead, replay } = this.#current
    return { replay, opener: aead, sealer: this.#sealer }
  }

  #watchEpoch(): void {
    if (this.#epoch >= EPOCH_WARNING) this.renegotiation ??= 'epochs' // DATA-22
  }

  #fail(key: ReceiveEpoch): number {
    this.#failed++
    key.failed++
    if (key.failed >= FAILED_VERIFICATION_WARNING) this.renegotiation ??= 'failed-verifications' // DATA-21
    return DataCode.BAD_TAG
  }
}
