/**
 * The older data channel: HMAC over a CBC-encrypted or plain body.
 *
 *     TLS mode          [header (1 or 4)]  HMAC  IV  CBC( packet id (4)  payload  padding )
 *     static-key mode                      HMAC  IV  CBC( packet id (4)  time (4)  payload  padding )
 *     cipher none       [header]           HMAC  packet id [time]  payload
 *
 * The HMAC covers everything behind it and nothing before: the header is not authenticated. Static-key mode has no header
 * at all. With `auth none` there is no HMAC field and nothing is authenticated.
 *
 * The order on receipt is fixed: lengths, HMAC compared in constant time, decryption, padding checked without an early exit,
 * packet id, replay window. Nothing behind the HMAC is looked at before it matches, so no property of the plaintext can be
 * probed from outside. What fails after decryption is overwritten before the call returns.
 *
 * Spec: data.md, "CBC and HMAC", "Static-key mode".
 */
import { ConfigError, EMPTY, equalRangeConstantTime, invariant, UsageError } from '../bytes/index.ts'
import {
  type Cbc,
  CBC_LENGTHS,
  type CbcAlgorithm,
  type CryptoProvider,
  HASH_LENGTH,
  type HashName,
  type Hmac,
  type RandomSource,
} from '../crypto/index.ts'
import { LongPacketIdCounter, type ReplayWindow } from '../reliability/index.ts'
import {
  DATA_V1_HEADER_LENGTH,
  DATA_V2_HEADER_LENGTH,
  firstByte,
  MAX_PACKET_ID,
  Opcode,
  PACKET_ID_REKEY,
  PEER_ID_NONE,
  readLongPacketIdTime,
  readPacketId,
  readPeerId,
  writeDataV1Header,
  writeDataV2Header,
  writeLongPacketId,
  writePacketId,
} from '../wire/index.ts'
import type { ChannelParts, DataChannel, DataChannelOptions } from './channel.ts'
import type { RenegotiationReason } from './counters.ts'
import { DataCode } from './codes.ts'
import { dataLayout, layoutHeadroom, layoutTailroom } from './data-format.ts'
import { firstByteCode, refusedId, requireRoom, windowOf } from './framing.ts'
import type { DataKeys } from './keys.ts'
import { FAILED_VERIFICATION_LIMIT, FAILED_VERIFICATION_WARNING, SMALL_BLOCK_BYTES } from './limits.ts'
import type { StaticSnapshot } from './snapshot.ts'

/** Places in the array of counters. */
const SENT = 0
const BYTES = 1
/** IVs drawn from the random source at a time. */
const IV_POOL = 64

/** See the head of this file. Made by `createDataChannel`. */
export class MacChannel implements DataChannel {
  readonly headroom: number
  readonly tailroom: number
  resultOffset = 0
  renegotiation: RenegotiationReason | undefined = undefined

  readonly #keys: DataKeys
  readonly #sealMac: Hmac | undefined
  readonly #openMac: Hmac | undefined
  readonly #sealCbc: Cbc | undefined
  readonly #openCbc: Cbc | undefined
  readonly #random: RandomSource | undefined
  #ivs: Uint8Array = EMPTY
  #nextIv = 0
  readonly #mac: Uint8Array
  readonly #tagLength: number
  /** Length of IV and block; 0 with `cipher none`. */
  readonly #block: number
  readonly #idLength: number
  readonly #keyId: number
  /** 24-bit peer-id to send, or -1 for DATA_V1. */
  readonly #peerId: number
  readonly #receivePeerId: number
  readonly #firstV1: number
  readonly #firstV2: number
  readonly #replay: ReplayWindow
  /** Ids of static-key mode; undefined in TLS mode. */
  readonly #longIds: LongPacketIdCounter | undefined
  readonly #startTime: number
  /** Packets sent, bytes both ways. In an array of doubles: as fields they would be new objects on every packet. */
  readonly #counters = new Float64Array(2)
  readonly #byteWarning: number
  readonly #parts: ChannelParts
  #failed: number

  constructor(options: DataChannelOptions, cipher: CbcAlgorithm | 'none') {
    const { crypto, keys, counterStart } = options
    const auth = options.auth ?? 'none'
    this.#keys = keys
    const layout = dataLayout({
      cipher,
      auth,
      staticKey: options.staticKey !== undefined,
      peerId: options.peerId !== undefined,
    })
    this.headroom = layoutHeadroom(layout)
    this.tailroom = layoutTailroom(layout)
    this.#tagLength = layout.tag
    this.#block = layout.block
    this.#idLength = layout.id
    this.#mac = new Uint8Array(layout.tag)
    this.#sealMac = createMac(crypto, auth, keys.send.hmac)
    this.#openMac = createMac(crypto, auth, keys.receive.hmac)
    this.#sealCbc = createCbc(crypto, cipher, keys.send.cipher)
    this.#openCbc = createCbc(crypto, cipher, keys.receive.cipher)
    this.#random = options.random
    if (cipher !== 'none' && this.#random === undefined) throw new UsageError('a CBC cipher needs a random source')
    this.#keyId = options.keyId ?? 0
    this.#peerId = options.peerId ?? -1
    this.#receivePeerId = options.receivePeerId ?? -1
    this.#firstV1 = firstByte(Opcode.DATA_V1, this.#keyId)
    this.#firstV2 = firstByte(Opcode.DATA_V2, this.#keyId)
    this.#replay = windowOf(options)
    this.#parts = { replay: this.#replay, opener: undefined, sealer: undefined }
    this.#counters[SENT] = counterStart?.packetsSent ?? 0
    this.#longIds = options.staticKey === undefined ? undefined : new LongPacketIdCounter(this.#counters[SENT])
    this.#startTime = Math.floor(options.staticKey?.startTime ?? 0) >>> 0
    this.#counters[BYTES] = counterStart?.bytes ?? 0
    this.#byteWarning = layout.block === 8 ? SMALL_BLOCK_BYTES : Infinity
    this.#failed = counterStart?.failedVerifications ?? 0
    this.renegotiation = options.restored?.snapshot.renegotiation
  }

  get failedVerifications(): number {
    return this.#failed
  }

  seal(buffer: Uint8Array, offset: number, length: number): number {
    const start = offset - this.headroom
    if (start < 0 || length < 1 || offset + length + this.tailroom > buffer.length) requireRoom()
    const bodyOffset = offset - this.#idLength
    const ids = this.#longIds
    if (ids !== undefined) {
      // DATA-15. The ids of the last second that 32 bits can name have none to follow them.
      if (ids.id >= MAX_PACKET_ID && Math.max(ids.time, this.#startTime) >= MAX_PACKET_ID) return DataCode.KEY_EXHAUSTED
      ids.advance(this.#startTime)
      writeLongPacketId(buffer, bodyOffset, ids.id, ids.time)
    } else {
      const id = (this.#counters[SENT] as number) + 1
      if (id > MAX_PACKET_ID) return DataCode.KEY_EXHAUSTED // DATA-18
      this.#counters[SENT] = id
      if (id >= PACKET_ID_REKEY) this.renegotiation ??= 'packet-ids' // DATA-18
      writePacketId(buffer, bodyOffset, id)
    }
    let end = offset + length
    let ivOffset = bodyOffset // DATA-13
    if (this.#sealCbc !== undefined) {
      const block = this.#block
      const padding = block - ((end - bodyOffset) % block) // DATA-12
      // `fill` costs more to call than these few bytes.
      for (const padded = end + padding; end < padded; end++) buffer[end] = padding
      ivOffset = bodyOffset - block
      this.#writeIv(buffer, ivOffset)
      this.#sealCbc.encrypt(buffer, bodyOffset, end - bodyOffset, buffer, ivOffset)
    }
    if (this.#sealMac !== undefined) {
      this.#sealMac.update(buffer, ivOffset, end).finishInto(buffer, ivOffset - this.#tagLength) // DATA-10
    }
    if (this.#longIds === undefined) {
      if (this.#peerId < 0) writeDataV1Header(buffer, start, this.#keyId)
      else writeDataV2Header(buffer, start, this.#keyId, this.#peerId)
    }
    this.#countBytes(end - start)
    this.resultOffset = start
    return end - start
  }

  open(buffer: Uint8Array, offset: number, length: number, now: number): number {
    let tagOffset = offset
    if (this.#longIds === undefined) {
      const header = this.#checkHeader(buffer, offset, length)
      if (header < 0) return header
      tagOffset += header
    }
    const end = offset + length
    const ivOffset = tagOffset + this.#tagLength
    const bodyOffset = ivOffset + this.#block
    const bodyLength = end - bodyOffset
    if (bodyLength < Math.max(this.#idLength, this.#block)) return DataCode.TOO_SHORT // DATA-5
    if (this.#block > 0 && bodyLength % this.#block !== 0) return DataCode.TOO_SHORT // DATA-5
    if (this.#openMac !== undefined) {
      if (this.#failed >= FAILED_VERIFICATION_LIMIT) return DataCode.KEY_RETIRED // DATA-21
      this.#openMac.update(buffer, ivOffset, end).finishInto(this.#mac, 0)
      if (!equalRangeConstantTime(this.#mac, 0, buffer, tagOffset, this.#tagLength)) return this.#fail() // DATA-11
    }
    let payloadEnd = end
    if (this.#openCbc !== undefined) {
      this.#openCbc.decrypt(buffer, bodyOffset, bodyLength, buffer, ivOffset)
      const padding = paddingLength(buffer, end, this.#block)
      if (padding === 0) return this.#refuse(buffer, bodyOffset, end, DataCode.BAD_PADDING) // DATA-12
      payloadEnd -= padding
    }
    const payloadOffset = bodyOffset + this.#idLength
    if (payloadEnd <= payloadOffset) return this.#refuse(buffer, bodyOffset, end, DataCode.TOO_SHORT) // DATA-5
    const id = readPacketId(buffer, bodyOffset)
    const time = this.#longIds === undefined ? 0 : readLongPacketIdTime(buffer, bodyOffset)
    if (!this.#replay.accepts(id, time, now)) {
      return this.#refuse(buffer, bodyOffset, end, refusedId(this.#replay, id, time, now)) // DATA-8
    }
    this.#replay.commit(id, time, now)
    this.#countBytes(length)
    this.resultOffset = payloadOffset
    return payloadEnd - payloadOffset
  }

  get parts(): ChannelParts {
    return this.#parts
  }

  touch(): number {
    return (this.#counters[SENT] as number) + this.resultOffset + this.#block + this.#failed
  }

  snapshot(now: number): StaticSnapshot {
    invariant(this.#longIds === undefined, 'DATA-51')
    const [packetsSent = 0, bytes = 0] = this.#counters
    const counters = { packetsSent, bytes, failedVerifications: this.#failed }
    const { renegotiation } = this
    return { type: 'keys', keys: this.#keys, counters, replay: this.#replay.snapshot(now), renegotiation }
  }

  /** The header's length, or why the packet is not for this channel. */
  #checkHeader(buffer: Uint8Array, offset: number, length: number): number {
    if (length < DATA_V1_HEADER_LENGTH) return DataCode.TOO_SHORT
    const first = buffer[offset] as number
    if (first === this.#firstV1) return DATA_V1_HEADER_LENGTH
    if (first !== this.#firstV2) return firstByteCode(first) // DATA-6
    if (length < DATA_V2_HEADER_LENGTH) return DataCode.TOO_SHORT
    if (this.#receivePeerId >= 0) {
      const peerId = readPeerId(buffer, offset)
      if (peerId !== this.#receivePeerId && peerId !== PEER_ID_NONE) return DataCode.WRONG_PEER_ID // DATA-7
    }
    return DATA_V2_HEADER_LENGTH
  }

  /** Overwrites what was decrypted, so that a refused packet leaves no plaintext behind (DATA-29). */
  #refuse(buffer: Uint8Array, start: number, end: number, code: number): number {
    buffer.fill(0, start, end)
    return code
  }

  #fail(): number {
    this.#failed++
    if (this.#failed >= FAILED_VERIFICATION_WARNING) this.renegotiation ??= 'failed-verifications' // DATA-21
    return DataCode.BAD_TAG
  }

  #countBytes(length: number): void {
    const bytes = (this.#counters[BYTES] as number) + length
    this.#counters[BYTES] = bytes
    if (bytes >= this.#byteWarning) this.renegotiation ??= 'bytes' // DATA-19
  }

  #writeIv(buffer: Uint8Array, offset: number): void {
    const block = this.#block
    if (this.#nextIv + block > this.#ivs.length) {
      this.#ivs = (this.#random as RandomSource)(IV_POOL * block)
      this.#nextIv = 0
    }
    for (let i = 0; i < block; i++) buffer[offset + i] = this.#ivs[this.#nextIv + i] as number
    this.#nextIv += block
  }
}

/**
 * Length of the padding that ends at `end`, or 0 when it is malformed: its last byte n is 1 to `block` and all n bytes are
 * n. Always looks at a whole block (DATA-12).
 */
function paddingLength(buffer: Uint8Array, end: number, block: number): number {
  const padding = buffer[end - 1] as number
  let wrong = ((padding - 1) | (block - padding)) >> 31
  for (let i = 0; i < block; i++) {
    const inside = (i - padding) >> 31
    wrong |= inside & ((buffer[end - 1 - i] as number) ^ padding)
  }
  return wrong === 0 ? padding : 0
}

function createMac(crypto: CryptoProvider, auth: HashName | 'none', material: Uint8Array): Hmac | undefined {
  return auth === 'none' ? undefined : crypto.createHmac(auth, material.subarray(0, HASH_LENGTH[auth])) // DATA-17
}

function createCbc(crypto: CryptoProvider, cipher: CbcAlgorithm | 'none', material: Uint8Array): Cbc | undefined {
  if (cipher === 'none') return undefined
  const cbc = crypto.createCbc(cipher, material.subarray(0, CBC_LENGTHS[cipher].key)) // DATA-17
  if (cbc !== undefined) return cbc
  throw new ConfigError(
    'cipher',
    CBC_LENGTHS[cipher].block === 8
      ? `${cipher} has 64-bit blocks, which leak plaintext after a few gigabytes (SWEET32), and the ${crypto.name} crypto provider does not offer it: use AES-256-GCM`
      : `the ${crypto.name} crypto provider does not offer ${cipher}`,
  ) // DATA-16
}
