/**
 * The data half of a session: the keys in use, and packets sealed and opened under them in place.
 *
 * One path serves both lanes. `seal` and `open` work on a buffer with room around the packet and return a length or a
 * negative code; the plain lane brings a fresh buffer, the fast lane the host's. Nothing is allocated here per packet. What
 * a packet means for the session beyond its delivery (a ping, a farewell, a key that nears its limit) is left as a mark in
 * fields and timers that the session looks at (spec/session.md, SESS-70 to SESS-76; spec/rekeying.md).
 */
import { DataCode } from '../data/index.ts'
import type { Timers } from '../reliability/index.ts'
import { FRAME_HEADER_LENGTH, keyIdOf, writeFrameLength } from '../wire/index.ts'
import { type DataKey, KeyRing } from './key-ring.ts'
import type { Liveness } from './liveness.ts'
import type { Outbox } from './outbox.ts'
import type { TimerName } from './reasons.ts'

/** Results of the fast lane that come from the session; the others are `DataCode`s. */
export const LaneCode = {
  /** There is no tunnel (yet, or any more). */
  NO_TUNNEL: -64,
  /** No key with the packet's key id. */
  UNKNOWN_KEY_ID: -65,
  /** Not a data packet: it was handed to `receive`. */
  NOT_DATA: -66,
  /** The peer's farewell: the session ends. */
  PEER_EXIT: -67,
} as const

const PING = Uint8Array.of(42, 24, 123, 243, 100, 30, 180, 203, 7, 237, 45, 10, 152, 31, 199, 72)
const OCC = Uint8Array.of(40, 127, 52, 107, 212, 239, 122, 129, 45, 86, 184, 211, 175, 197, 69, 156)
const OCC_EXIT = 6

/** When a key has done enough by volume; `Infinity` for no limit. */
export interface VolumeLimits {
  readonly bytes: number
  readonly packets: number
}

/** Packets to datagrams and back. */
export class Tunnel {
  readonly keys = new KeyRing()
  /** Where the last result starts. */
  resultOffset = 0
  readonly #outbox: Outbox
  readonly #timers: Timers<TimerName>
  readonly #liveness: Liveness
  readonly #limits: VolumeLimits
  readonly #framing: number

  constructor(
    outbox: Outbox,
    timers: Timers<TimerName>,
    liveness: Liveness,
    limits: VolumeLimits,
    transport: 'udp' | 'tcp',
  ) {
    this.#outbox = outbox
    this.#timers = timers
    this.#liveness = liveness
    this.#limits = limits
    this.#framing = transport === 'tcp' ? FRAME_HEADER_LENGTH : 0
  }

  /** Free bytes that `seal` needs in front of the packet: enough for any key of the session. */
  get headroom(): number {
    const { primary, lameDuck } = this.keys
    return this.#framing + Math.max(primary?.channel.headroom ?? 0, lameDuck?.channel.headroom ?? 0)
  }

  /** Free bytes that `seal` needs behind the packet. */
  get tailroom(): number {
    const { primary, lameDuck } = this.keys
    return Math.max(primary?.channel.tailroom ?? 0, lameDuck?.channel.tailroom ?? 0)
  }

  /** Seals the tunnel packet at `offset` in place. SESS-70 */
  seal(buffer: Uint8Array, offset: number, length: number, now: number): number {
    const sealed = this.#seal(buffer, offset, length, now)
    if (sealed < 0) return sealed
    const { counters } = this.#outbox
    counters.packetsSent++
    counters.tunnelBytesSent += length
    counters.datagramsSent++
    counters.bytesSent += sealed - this.#framing
    this.#liveness.crossed(length, now)
    return sealed
  }

  #seal(buffer: Uint8Array, offset: number, length: number, now: number): number {
    const key = this.keys.sender
    if (key === undefined) return LaneCode.NO_TUNNEL
    const result = key.channel.seal(buffer, offset, length)
    if (result < 0) return this.#sealUnderSuccessor(buffer, offset, length, now)
    this.#use(key, result, now)
    this.#liveness.lastSent = now
    return this.#frame(buffer, key.channel.resultOffset, result)
  }

  /** REKEY-8: a used-up key sends nothing more; a successor takes over early. */
  #sealUnderSuccessor(buffer: Uint8Array, offset: number, length: number, now: number): number {
    this.#askForKey(this.keys.sender, now)
    return this.keys.abandonSender() ? this.#seal(buffer, offset, length, now) : DataCode.KEY_EXHAUSTED
  }

  #frame(buffer: Uint8Array, start: number, length: number): number {
    this.resultOffset = start - this.#framing
    if (this.#framing > 0) writeFrameLength(buffer, this.resultOffset, length)
    return length + this.#framing
  }

  /** Opens the datagram (without TCP length) at `offset` in place. SESS-71 */
  open(buffer: Uint8Array, offset: number, length: number, now: number): number {
    const key = this.keys.find(keyIdOf(buffer[offset] as number))
    if (key === undefined) return this.keys.primary === undefined ? LaneCode.NO_TUNNEL : LaneCode.UNKNOWN_KEY_ID
    const { channel } = key
    const result = channel.open(buffer, offset, length, now)
    if (result < 0) {
      if (channel.renegotiation !== undefined) this.#askForKey(key, now)
      return result
    }
    this.resultOffset = channel.resultOffset
    this.#use(key, length, now)
    this.#liveness.lastReceived = now
    if (result >= PING.length) {
      if (startsWith(buffer, channel.resultOffset, PING)) {
        this.#outbox.counters.pingsReceived++
        return DataCode.PING // SESS-72
      }
      if (startsWith(buffer, channel.resultOffset, OCC)) {
        return result > OCC.length && buffer[channel.resultOffset + OCC.length] === OCC_EXIT
          ? LaneCode.PEER_EXIT
          : DataCode.OCC
      }
    }
    this.#liveness.crossed(result, now)
    return result
  }

  /** A ping as a datagram ready to send, or undefined without a key. SESS-73 */
  ping(now: number): Uint8Array | undefined {
    const datagram = this.#message(PING, now)
    if (datagram !== undefined) this.#outbox.counters.pingsSent++
    return datagram
  }

  /** The farewell of peers without control messages for it. */
  exitMessage(now: number): Uint8Array | undefined {
    const payload = new Uint8Array(OCC.length + 1)
    payload.set(OCC)
    payload[OCC.length] = OCC_EXIT
    return this.#message(payload, now)
  }

  /** Numbers that tell two states of this machine apart; nothing secret. */
  digest(): readonly (string | number)[] {
    const { primary, lameDuck, sender } = this.keys
    return [primary, lameDuck].flatMap((key) =>
      key === undefined
        ? ['none']
        : [key.keyId, key.bytes, key.packets, key.dieAt, key.sendFrom, key === sender ? 1 : 0],
    )
  }

  #message(payload: Uint8Array, now: number): Uint8Array | undefined {
    const { headroom } = this
    const buffer = new Uint8Array(headroom + payload.length + this.tailroom)
    buffer.set(payload, headroom)
    const length = this.#seal(buffer, headroom, payload.length, now)
    if (length < 0) return undefined
    const { counters } = this.#outbox
    counters.datagramsSent++
    counters.bytesSent += length - this.#framing
    return buffer.slice(this.resultOffset, this.resultOffset + length)
  }

  /** Counts a packet against the key's limits and asks for a new key in time. REKEY-11 */
  #use(key: DataKey, bytes: number, now: number): void {
    key.bytes += bytes
    key.packets++
    const spent = key.bytes >= this.#limits.bytes || key.packets >= this.#limits.packets
    if (spent || key.channel.renegotiation !== undefined) this.#askForKey(key, now)
  }

  /** Once per key: only the newest is worth replacing. */
  #askForKey(key: DataKey | undefined, now: number): void {
    if (key === undefined || key.successorAsked || key !== this.keys.primary) return
    key.successorAsked = true
    this.#timers.setEarlier('reneg-sec', now)
  }
}

function startsWith(buffer: Uint8Array, offset: number, pattern: Uint8Array): boolean {
  for (let i = 0; i < pattern.length; i++) if (buffer[offset + i] !== pattern[i]) return false
  return true
}
