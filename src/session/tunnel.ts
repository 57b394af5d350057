/**
 * The data half of a session: the keys in use, the pipeline between packets and payloads, both lanes on the same code.
 *
 * `seal` and `open` work on a buffer with room around the packet and return a length or a negative code; the plain lane
 * brings a fresh buffer, the fast lane the host's. Nothing is allocated here per packet. What a packet means for the session
 * beyond its delivery (a farewell, a key that nears its limit) is left in the code returned and in the timers (spec/session.md,
 * "Packets"; spec/rekeying.md).
 */
import {
  type DataChannel,
  DataCode,
  DataPipeline,
  dataReason,
  isDrop,
  occAnswer,
  type OccMessage,
  type PipelineOptions,
} from '../data/index.ts'
import type { Timers } from '../reliability/index.ts'
import { FRAME_HEADER_LENGTH, keyIdOf, writeFrameLength } from '../wire/index.ts'
import { type DataKey, KeyRing } from './key-ring.ts'
import type { Liveness } from './liveness.ts'
import type { Outbox } from './outbox.ts'
import { PacketPath } from './packet-path.ts'
import type { DropReason, TimerName } from './reasons.ts'
import type { Counters } from './stats.ts'

/** Results of the fast lane that come from the session; the others are `DataCode`s. */
export const LaneCode = {
  /** There is no tunnel (yet, or any more). */
  NO_TUNNEL: -64,
  /** No key with the packet's key id. */
  UNKNOWN_KEY_ID: -65,
  /** Not a data packet: it was handed to `receive`. */
  NOT_DATA: -66,
} as const

/** Why a packet could not be sealed. */
export function sealProblem(code: number): DropReason {
  if (code === DataCode.TOO_LONG) return 'packet-too-large'
  return isDrop(code) ? (dataReason(code) as DropReason) : 'no-tunnel'
}

/** Least pause between two answers to the question for our options. */
const OCC_PAUSE = 10_000
/** Least pause between two answers to probes of the path; the reference asks every three seconds. */
const MTU_PAUSE = 1_000
/** The largest datagram sent because a peer wants to see one. */
const LARGEST_PROBE = 2048
/** Room for the largest message of the session's own. */
const MESSAGE_ROOM = 2048

/** When a key has done enough by volume. */
export interface VolumeLimits {
  readonly bytes: number
  readonly packets: number
}

/** The pipeline's settings, and the mtu told to the tunnel side. */
export interface TunnelLayers extends PipelineOptions {
  readonly mtu: number
}

/** Packets to datagrams and back. */
export class Tunnel {
  readonly keys: KeyRing
  readonly path: PacketPath
  /** Where the last result starts. */
  resultOffset = 0
  /** True when the last `seal` or `open` asked for a new key. */
  hurried = false
  readonly #headless: boolean
  readonly #framing: number
  #pipeline: DataPipeline
  readonly #liveness: Liveness
  readonly #counters: Counters
  #largestReceived = 0
  #largestSent = 0
  #decompressedBefore = 0
  readonly #limits: VolumeLimits | undefined
  readonly #outbox: Outbox
  readonly #timers: Timers<TimerName>
  #occAnswerFrom = -Infinity
  #mtuAnswerFrom = -Infinity

  /**
   * @param path - where the way of the packets is noted.
   * @param headless - packets have no header to name a key: the only one opens them all (static-key mode).
   */
  constructor(
    outbox: Outbox,
    timers: Timers<TimerName>,
    liveness: Liveness,
    limits: VolumeLimits | undefined,
    transport: 'udp' | 'tcp',
    path = new PacketPath(),
    headless = false,
  ) {
    path.tunnel = this
    path.liveness = liveness
    path.counters = outbox.counters
    this.path = path
    this.keys = new KeyRing(this.path)
    this.#outbox = outbox
    this.#counters = outbox.counters
    this.#timers = timers
    this.#liveness = liveness
    this.#limits = limits
    this.#framing = transport === 'tcp' ? FRAME_HEADER_LENGTH : 0
    this.#headless = headless
    this.#pipeline = new DataPipeline({ device: 'tun' })
    this.path.pipeline = this.#pipeline
  }

  /** The largest packet that the tunnel side should send. */
  mtu = 1500

  /** Takes the layers inside the encryption that were agreed on. */
  configure(options: TunnelLayers): void {
    this.mtu = options.mtu
    this.#decompressedBefore = this.#counters.packetsDecompressed
    this.#pipeline = new DataPipeline(options)
    this.path.pipeline = this.#pipeline
  }

  touch(): number {
    return this.resultOffset + this.#largestReceived + this.#largestSent + this.#framing
  }

  /** Free bytes that `seal` needs in front of the packet: enough for any key of the session. */
  get headroom(): number {
    const { primary, lameDuck } = this.keys
    const channel = Math.max(primary?.channel.headroom ?? 0, lameDuck?.channel.headroom ?? 0)
    return this.#framing + this.#pipeline.headroom + channel
  }

  /** Free bytes that `seal` needs behind the packet. */
  get tailroom(): number {
    const { primary, lameDuck } = this.keys
    return this.#pipeline.tailroom + Math.max(primary?.channel.tailroom ?? 0, lameDuck?.channel.tailroom ?? 0)
  }

  /** The buffer of the last result of `open`: the caller's, unless the packet was put together or decompressed. */
  get resultBuffer(): Uint8Array {
    return this.#pipeline.resultBuffer
  }

  /** Datagrams that the last sealed packet still needs. */
  get fragmentsLeft(): number {
    return this.#pipeline.fragmentsLeft
  }

  /** The message behind the last `DataCode.OCC`. */
  get lastOcc(): OccMessage | undefined {
    return this.#pipeline.lastOcc
  }

  /** Seals the tunnel packet at `offset` in place. SESS-70 */
  seal(buffer: Uint8Array, offset: number, length: number, now: number): number {
    this.hurried = false
    const key = this.keys.sender
    if (key === undefined) return LaneCode.NO_TUNNEL
    const size = this.#pipeline.seal(key.channel, buffer, offset, length)
    if (size === DataCode.KEY_EXHAUSTED) {
      // REKEY-8: a used-up key sends nothing more; a successor takes over early.
      this.#askForKey(key, now)
      return this.keys.useNewest() ? this.seal(buffer, offset, length, now) : size
    }
    if (size < 0) return size
    const counters = this.#counters
    counters.packetsSent++
    counters.tunnelBytesSent += length
    this.#liveness.crossed(length, now)
    return this.#sealed(key, buffer, size, now)
  }

  /** Seals the next fragment of the packet given to `seal`, while `fragmentsLeft` is not 0. SESS-74 */
  sealNext(buffer: Uint8Array, offset: number, now: number): number {
    const key = this.keys.sender
    if (key === undefined) return LaneCode.NO_TUNNEL
    const size = this.#pipeline.sealNext(key.channel, buffer, offset)
    return size <= 0 ? size : this.#sealed(key, buffer, size, now)
  }

  /** Opens the datagram (without TCP length) at `offset` in place. SESS-71 */
  open(buffer: Uint8Array, offset: number, length: number, now: number): number {
    this.hurried = false
    const key = this.#headless ? this.keys.primary : this.keys.find(keyIdOf(buffer[offset] as number))
    if (key === undefined) return this.keys.primary === undefined ? LaneCode.NO_TUNNEL : LaneCode.UNKNOWN_KEY_ID
    const size = this.#pipeline.open(key.channel, buffer, offset, length, now)
    if (size > DataCode.UNKNOWN_COMPRESSION && size < 0) {
      // Nothing authentic: at most a sign that the key should be replaced.
      if (key.channel.renegotiation !== undefined) this.#askForKey(key, now)
      return size
    }
    // REKEY-15: the peer sends under the new key, so it has it.
    if (key !== this.keys.sender && key === this.keys.primary) this.keys.useNewest()
    if (key.ackRepeats !== undefined) {
      key.ackRepeats.end() // REKEY-20
      key.ackRepeats = undefined
    }
    this.#liveness.lastReceived = now // SESS-64
    if (length > this.#largestReceived) this.#largestReceived = length
    this.#use(key, length, now)
    if (size < 0) return size
    this.#counters.packetsDecompressed = this.#decompressedBefore + this.#pipeline.decompressed
    this.resultOffset = this.#pipeline.resultOffset
    this.#liveness.crossed(size, now)
    return size
  }

  /** Sends a ping. SESS-72 */
  ping(now: number): void {
    if (this.#message(now, (channel, buffer, offset) => this.#pipeline.sealPing(channel, buffer, offset))) {
      this.#counters.pingsSent++
    }
  }

  /** Sends an OCC message, the farewell of peers without control messages for it among them. */
  occ(message: OccMessage, now: number): void {
    this.#message(now, (channel, buffer, offset) => this.#pipeline.sealOcc(channel, buffer, offset, message))
  }

  /**
   * Answers the question for our options string (SESS-75), and a probe of the path (SESS-77), at most once in a while. Over
   * TCP and with `fragment` a packet's size says nothing about the path, so no load is sent.
   */
  answerOcc(message: OccMessage, options: string, now: number): void {
    const probe = message.type !== 'request'
    if (now < (probe ? this.#mtuAnswerFrom : this.#occAnswerFrom)) return
    if (message.type === 'mtu-load-request' && (this.#framing > 0 || this.#pipeline.fragments)) return
    const room = this.headroom + this.tailroom
    const answer = occAnswer(message, {
      options,
      largestReceived: this.#largestReceived,
      largestSent: this.#largestSent,
      payloadFor: (size) => Math.min(size, LARGEST_PROBE) - room,
    })
    if (answer === undefined) return
    if (probe) this.#mtuAnswerFrom = now + MTU_PAUSE
    else this.#occAnswerFrom = now + OCC_PAUSE
    this.occ(answer, now)
  }

  /** Numbers that tell two states of this machine apart; nothing secret. */
  digest(): readonly (string | number)[] {
    const { primary, lameDuck, sender } = this.keys
    return [primary, lameDuck].flatMap((key): (string | number)[] =>
      key === undefined
        ? ['none']
        : [key.keyId, key.bytes, key.packets, key.dieAt, key.sendFrom, key === sender ? 1 : 0],
    )
  }

  #message(now: number, write: (channel: DataChannel, buffer: Uint8Array, offset: number) => number): boolean {
    const key = this.keys.sender
    if (key === undefined) return false
    const buffer = new Uint8Array(this.headroom + MESSAGE_ROOM + this.tailroom)
    const size = write(key.channel, buffer, this.headroom)
    if (size <= 0) return false
    const length = this.#sealed(key, buffer, size, now)
    this.#outbox.sealed(buffer.slice(this.resultOffset, this.resultOffset + length))
    return true
  }

  /** Books a datagram that the pipeline made, and puts the TCP length in front. */
  #sealed(key: DataKey, buffer: Uint8Array, size: number, now: number): number {
    const counters = this.#counters
    counters.datagramsSent++
    counters.bytesSent += size
    if (size > this.#largestSent) this.#largestSent = size
    this.#use(key, size, now)
    this.#liveness.lastSent = now
    this.resultOffset = this.#pipeline.resultOffset - this.#framing
    if (this.#framing > 0) writeFrameLength(buffer, this.resultOffset, size)
    return size + this.#framing
  }

  /** Counts a datagram against the key's limits and asks for a new key in time. REKEY-11 */
  #use(key: DataKey, bytes: number, now: number): void {
    key.bytes += bytes
    key.packets++
    if (key.channel.parts !== this.path.parts && key === this.keys.primary) this.path.take(key)
    const limits = this.#limits
    const spent = limits !== undefined && (key.bytes >= limits.bytes || key.packets >= limits.packets)
    if (spent || key.channel.renegotiation !== undefined) this.#askForKey(key, now)
  }

  /** Once per key: only the newest is worth replacing. */
  #askForKey(key: DataKey, now: number): void {
    if (key.successorAsked || key !== this.keys.primary) return
    key.successorAsked = true
    this.hurried = true
    this.#timers.setEarlier('reneg-sec', now)
  }
}
