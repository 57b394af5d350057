/**
 * Everything between a tunnel packet and a datagram, in order and in place.
 *
 *     sealing   packet -> mssfix -> compression framing -> fragment header -> channel -> datagram
 *     opening   datagram -> channel -> reassembly -> compression framing -> ping? OCC? packet? -> mssfix -> packet
 *
 * A pipeline belongs to the tunnel and outlives its keys: the channel is an argument of every call. Its own headroom and
 * tailroom come on top of the channel's. Two results do not lie in the caller's buffer: a reassembled packet and a
 * decompressed one; `resultBuffer` says where they are, until the next call.
 *
 * With `fragment`, a packet may become several datagrams: `seal` makes the first, and while `fragmentsLeft` is not 0
 * `sealNext` makes the others. Refuses payloads that are no IP packets (tun) or no Ethernet frames (tap), and packets above
 * the tunnel's largest, after everything is authenticated.
 *
 * Spec: data.md, "Pipeline".
 */
import { EMPTY, UsageError } from '../bytes/index.ts'
import type { DataChannel } from './channel.ts'
import { DataCode } from './codes.ts'
import { CompressionCodec, type CompressionFraming } from './compression.ts'
import { ETHERNET_HEADER_LENGTH, ethernetPayloadOffset } from './ethernet.ts'
import { FRAGMENT_HEADER_LENGTH, Fragmenter, Reassembler } from './fragment.ts'
import { ipVersion } from './ip.ts'
import { clampMss, clampMssEthernet } from './mss.ts'
import { isOcc, isPing, type OccMessage, parseOcc, PING_PAYLOAD, writeOcc } from './occ.ts'

/** Largest packet unless the tunnel says otherwise, in bytes. */
export const DEFAULT_LARGEST_PACKET = 65_535

/** What lies between packets and keys of one tunnel. */
export interface PipelineOptions {
  /** `tun` carries IP packets, `tap` Ethernet frames. */
  readonly device: 'tun' | 'tap'
  /** Default `none`. */
  readonly compression?: CompressionFraming
  /** Decompress what the peer compressed (`allow-compression asym` or `yes`). Default false. */
  readonly allowCompression?: boolean
  /** `fragment`: most bytes behind the fragment header of one datagram; see `fragmentLimit`. Absent: no fragment headers. */
  readonly fragment?: number
  /** `mssfix`: limit for IPv4; see `mssLimit`. Absent or 0: SYN packets are left alone. */
  readonly mss?: number
  /** `block-ipv6`: IPv6 packets are not sealed. Default false. */
  readonly blockIpv6?: boolean
  /** Largest packet or frame, in bytes. Default {@link DEFAULT_LARGEST_PACKET}. */
  readonly largestPacket?: number
}

/** One tunnel's way from packets to datagrams and back. */
export class DataPipeline {
  /** Where the last result starts. */
  resultOffset = 0
  /** The buffer it lies in. */
  resultBuffer: Uint8Array
  readonly #tap: boolean
  readonly #mss: number
  readonly #largest: number
  readonly #codec: CompressionCodec | undefined
  readonly #reassembler: Reassembler | undefined
  readonly #fragmenter: Fragmenter | undefined
  readonly #blockIpv6: boolean
  /** Free bytes before the packet, besides the channel's own. */
  readonly headroom: number
  /** Free bytes after the packet, besides the channel's own. */
  readonly tailroom: number
  /** The message behind the last `DataCode.OCC`. */
  lastOcc: OccMessage | undefined = undefined

  constructor(options: PipelineOptions) {
    const { compression = 'none', largestPacket = DEFAULT_LARGEST_PACKET, fragment } = options
    this.resultBuffer = EMPTY
    this.#tap = options.device === 'tap'
    this.#mss = options.mss ?? 0
    this.#blockIpv6 = options.blockIpv6 === true
    this.#largest = largestPacket
    this.#codec =
      compression === 'none'
        ? undefined
        : new CompressionCodec(compression, options.allowCompression === true, largestPacket)
    // A fragmented packet still has its compression framing on.
    this.#reassembler = fragment === undefined ? undefined : new Reassembler(largestPacket + 2)
    this.#fragmenter = fragment === undefined ? undefined : new Fragmenter(fragment)
    this.headroom = (this.#codec?.headroom ?? 0) + (fragment === undefined ? 0 : FRAGMENT_HEADER_LENGTH)
    this.tailroom = this.#codec?.tailroom ?? 0
  }

  /** Datagrams that the last sealed packet still needs: call `sealNext` so many times. */
  get fragmentsLeft(): number {
    return this.#fragmenter?.left ?? 0
  }

  /** Reads what every packet needs of the pipeline; the number says nothing. */
  touch(): number {
    return this.resultOffset + this.#largest + this.tailroom
  }

  /** Payloads decompressed so far. */
  get decompressed(): number {
    return this.#codec?.decompressed ?? 0
  }

  /** True when datagrams carry fragment headers. */
  get fragments(): boolean {
    return this.#fragmenter !== undefined
  }

  /** Incomplete packets given up so far. */
  get abandonedFragments(): number {
    return this.#reassembler?.abandoned ?? 0
  }

  /**
   * Seals the packet `buffer[offset, offset + length)` under `channel`, in place.
   *
   * @returns the datagram's length, its start in `resultOffset`; or a negative {@link DataCode}.
   * @throws UsageError when headroom or tailroom is missing.
   */
  seal(channel: DataChannel, buffer: Uint8Array, offset: number, length: number): number {
    if (length > this.#largest) return DataCode.TOO_LONG
    if (this.#blockIpv6 && this.#isIpv6(buffer, offset, length)) return DataCode.IPV6_BLOCKED // DATA-41
    this.#clamp(buffer, offset, length)
    return this.#sealPayload(channel, buffer, offset, length)
  }

  /** Seals the next fragment of the packet given to `seal`; `offset` as there. 0 when none is left. */
  sealNext(channel: DataChannel, buffer: Uint8Array, offset: number): number {
    const length = this.#fragmenter?.next(buffer, offset) ?? 0
    return length === 0 ? 0 : this.#sealFramed(channel, buffer, (this.#fragmenter as Fragmenter).resultOffset, length)
  }

  /** Seals a ping, written to `buffer` at `offset`; room as for a packet of 16 bytes. */
  sealPing(channel: DataChannel, buffer: Uint8Array, offset: number): number {
    buffer.set(PING_PAYLOAD, offset) // DATA-31
    return this.#sealPayload(channel, buffer, offset, PING_PAYLOAD.length)
  }

  /** Seals an OCC message, written to `buffer` at `offset`. */
  sealOcc(channel: DataChannel, buffer: Uint8Array, offset: number, message: OccMessage): number {
    const payload = writeOcc(message)
    if (offset + payload.length > buffer.length) throw new UsageError('the OCC message does not fit the buffer')
    buffer.set(payload, offset)
    return this.#sealPayload(channel, buffer, offset, payload.length)
  }

  #sealPayload(channel: DataChannel, buffer: Uint8Array, offset: number, length: number): number {
    if (offset < this.headroom + channel.headroom || offset + length + this.tailroom > buffer.length) {
      throw new UsageError('seal needs the headroom and tailroom of pipeline and channel around the packet')
    }
    let start = offset
    let size = length
    if (this.#codec !== undefined) {
      size = this.#codec.wrap(buffer, start, size) // DATA-38
      start = this.#codec.resultOffset
    }
    if (this.#fragmenter !== undefined) {
      size = this.#fragmenter.wrap(buffer, start, size)
      start = this.#fragmenter.resultOffset
    }
    const sealed = size < 0 ? size : this.#sealFramed(channel, buffer, start, size)
    if (sealed < 0) this.#codec?.restore(buffer, offset, length) // DATA-43
    return sealed
  }

  #sealFramed(channel: DataChannel, buffer: Uint8Array, offset: number, length: number): number {
    const size = channel.seal(buffer, offset, length)
    this.resultBuffer = buffer
    this.resultOffset = channel.resultOffset
    // A packet that lacks a fragment is no packet: the others need not be sent.
    if (size < 0) this.#fragmenter?.abandon()
    return size
  }

  /**
   * Opens the datagram `buffer[offset, offset + length)` under `channel`, in place where that is possible.
   *
   * @param now - ms, for the replay window and the age of fragments.
   * @returns the packet's length, in `resultBuffer` at `resultOffset`; or a negative {@link DataCode}: a drop, or news such
   * as `PING` and `OCC`. Every code from `UNKNOWN_COMPRESSION` on, news included, means that the datagram was authentic.
   */
  open(channel: DataChannel, buffer: Uint8Array, offset: number, length: number, now: number): number {
    let size = channel.open(buffer, offset, length, now)
    if (size < 0) return size
    let from = buffer
    let start = channel.resultOffset
    if (this.#reassembler !== undefined) {
      size = this.#reassembler.unwrap(from, start, size, now)
      if (size < 0) return size
      from = this.#reassembler.resultBuffer
      start = this.#reassembler.resultOffset
    }
    if (this.#codec !== undefined) {
      size = this.#codec.unwrap(from, start, size)
      if (size < 0) return size
      from = this.#codec.resultBuffer
      start = this.#codec.resultOffset
    }
    this.resultBuffer = from
    this.resultOffset = start
    return this.#deliver(from, start, size)
  }

  #deliver(buffer: Uint8Array, offset: number, length: number): number {
    if (length === 0) return DataCode.EMPTY
    if (isPing(buffer, offset, length)) return DataCode.PING
    if (isOcc(buffer, offset, length)) return this.#takeOcc(buffer, offset, length)
    if (length > this.#largest) return DataCode.TOO_LONG // DATA-40
    if (this.#tap ? length < ETHERNET_HEADER_LENGTH : ipVersion(buffer, offset, length) === 0) return DataCode.NOT_IP // DATA-39
    this.#clamp(buffer, offset, length)
    return length
  }

  #takeOcc(buffer: Uint8Array, offset: number, length: number): number {
    this.lastOcc = parseOcc(buffer, offset, length)
    return this.lastOcc === undefined ? DataCode.BAD_OCC : DataCode.OCC
  }

  #isIpv6(buffer: Uint8Array, offset: number, length: number): boolean {
    const skip = this.#tap ? ethernetPayloadOffset(buffer, offset, length) : 0
    return ipVersion(buffer, offset + skip, length - skip) === 6
  }

  #clamp(buffer: Uint8Array, offset: number, length: number): void {
    if (this.#mss <= 0) return
    if (this.#tap) clampMssEthernet(buffer, offset, length, this.#mss)
    else clampMss(buffer, offset, length, this.#mss)
  }
}
