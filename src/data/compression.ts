/**
 * Compression framing: what `comp-lzo` and `compress` put around a payload. Nothing is ever compressed on the way out.
 *
 *     v1        FA payload                              as it is
 *     v1 swap   FB payload without its first byte, first byte at the end
 *     v1        66 LZO          67 LZO swapped          69 LZ4 swapped          68 Snappy swapped
 *     v2        payload                                 unless its first byte is 50
 *     v2        50 00 payload   50 01 LZ4   50 02 LZO   50 03 Snappy
 *
 * The v1 framings differ only in what a sender writes; every one of them is understood, because peers do not always send
 * what they agreed on. In v2 some senders write the escape as 50 0A, which is read as 50 00.
 *
 * Compressed payloads are refused unless the host allowed them: who can make the peer send chosen text beside a secret can
 * learn the secret from the lengths (VORACLE). Refuses Snappy, and whatever decompresses to more than the tunnel's largest
 * packet. Everything works in place; only a decompressed payload lies in the codec's own buffer.
 *
 * Spec: compression.md.
 */
import { DataCode } from './codes.ts'
import { decompressLz4 } from './lz4.ts'
import { decompressLzo } from './lzo.ts'

/** Framings by the name of the option that asks for them; `none` puts nothing around the payload. */
export type CompressionFraming = 'none' | 'comp-lzo' | 'stub' | 'lzo' | 'lz4' | 'stub-v2' | 'lz4-v2'

/** How a framing marks an uncompressed payload. */
export type FramingStyle = 'none' | 'v1' | 'v1-swap' | 'v2'

/** The style of each framing (COMP-1). */
export const FRAMING_STYLES: Readonly<Record<CompressionFraming, FramingStyle>> = {
  none: 'none',
  'comp-lzo': 'v1',
  lzo: 'v1',
  stub: 'v1-swap',
  lz4: 'v1-swap',
  'stub-v2': 'v2',
  'lz4-v2': 'v2',
}

/** First bytes of v1 payloads. */
export const CompressionByte = {
  NONE: 0xfa,
  NONE_SWAP: 0xfb,
  LZO: 0x66,
  LZO_SWAP: 0x67,
  SNAPPY_SWAP: 0x68,
  LZ4_SWAP: 0x69,
} as const

/** First byte of v2 payloads that are not the payload itself. */
export const COMPRESSION_V2 = 0x50

/** Second bytes after {@link COMPRESSION_V2}. `ESCAPE` is what some senders write for `NONE`. */
export const CompressionV2 = { NONE: 0, LZ4: 1, LZO: 2, SNAPPY: 3, ESCAPE: 10 } as const

type Decompress = typeof decompressLz4

/** One tunnel's compression framing, both ways. */
export class CompressionCodec {
  readonly style: FramingStyle
  /** Free bytes that `wrap` needs before the payload. */
  readonly headroom: number
  /** Free bytes that `wrap` needs after the payload. */
  readonly tailroom: number
  /** Bytes that every v1 payload is longer by; v2 escapes are not counted, because IP packets need none. */
  readonly overhead: number
  /** Payloads decompressed so far. */
  decompressed = 0
  /** Where the last result starts. */
  resultOffset = 0
  /** The buffer it lies in: the caller's, or the codec's own after decompression. */
  resultBuffer: Uint8Array
  readonly #allowed: boolean
  readonly #largest: number
  #room: Uint8Array | undefined = undefined

  /**
   * @param allowed - whether compressed payloads are decompressed (`allow-compression asym` or `yes`).
   * @param largest - most bytes a payload may have after decompression.
   */
  constructor(framing: CompressionFraming, allowed: boolean, largest: number) {
    this.style = FRAMING_STYLES[framing]
    this.headroom = this.style === 'v1' ? 1 : this.style === 'v2' ? 2 : 0
    this.tailroom = this.style === 'v1-swap' ? 1 : 0
    this.overhead = this.headroom === 1 || this.tailroom === 1 ? 1 : 0
    this.#allowed = allowed
    this.#largest = largest
    this.resultBuffer = new Uint8Array(0)
  }

  /** Puts the framing around `buffer[offset, offset + length)`; returns the new length (COMP-2). */
  wrap(buffer: Uint8Array, offset: number, length: number): number {
    this.resultBuffer = buffer
    this.resultOffset = offset
    if (this.style === 'v1-swap') {
      buffer[offset + length] = buffer[offset] as number // COMP-3
      buffer[offset] = CompressionByte.NONE_SWAP
      return length + 1
    }
    if (this.style === 'v1') {
      this.resultOffset = offset - 1
      buffer[offset - 1] = CompressionByte.NONE
      return length + 1
    }
    if (this.style === 'v2' && buffer[offset] === COMPRESSION_V2) {
      this.resultOffset = offset - 2
      buffer[offset - 2] = COMPRESSION_V2 // COMP-5
      buffer[offset - 1] = CompressionV2.NONE
      return length + 2
    }
    return length
  }

  /** Undoes `wrap` of the same payload, whose bytes then stand where they stood. */
  restore(buffer: Uint8Array, offset: number, length: number): void {
    if (this.style === 'v1-swap') buffer[offset] = buffer[offset + length] as number
  }

  /** Takes the framing off; returns the payload's length or a negative {@link DataCode}. */
  unwrap(buffer: Uint8Array, offset: number, length: number): number {
    this.resultBuffer = buffer
    this.resultOffset = offset
    if (this.style === 'none') return length
    if (length < 1) return DataCode.EMPTY
    return this.style === 'v2' ? this.#unwrapV2(buffer, offset, length) : this.#unwrapV1(buffer, offset, length)
  }

  #unwrapV1(buffer: Uint8Array, offset: number, length: number): number {
    switch (buffer[offset]) {
      case CompressionByte.NONE: // COMP-2
        this.resultOffset = offset + 1
        return length > 1 ? length - 1 : DataCode.EMPTY
      case CompressionByte.NONE_SWAP: // COMP-3
        buffer[offset] = buffer[offset + length - 1] as number
        return length > 1 ? length - 1 : DataCode.EMPTY
      case CompressionByte.LZO:
        return this.#decompress(decompressLzo, buffer, offset + 1, offset + length)
      case CompressionByte.LZO_SWAP:
        return this.#decompressSwapped(decompressLzo, buffer, offset, length)
      case CompressionByte.LZ4_SWAP:
        return this.#decompressSwapped(decompressLz4, buffer, offset, length)
      case CompressionByte.SNAPPY_SWAP:
        return DataCode.COMPRESSION_REFUSED
      default:
        return DataCode.UNKNOWN_COMPRESSION // COMP-4
    }
  }

  #unwrapV2(buffer: Uint8Array, offset: number, length: number): number {
    if (buffer[offset] !== COMPRESSION_V2) return length
    if (length < 2) return DataCode.UNKNOWN_COMPRESSION
    switch (buffer[offset + 1]) {
      case CompressionV2.NONE:
      case CompressionV2.ESCAPE: // COMP-6
        this.resultOffset = offset + 2
        return length > 2 ? length - 2 : DataCode.EMPTY
      case CompressionV2.LZ4:
        return this.#decompress(decompressLz4, buffer, offset + 2, offset + length)
      case CompressionV2.LZO:
        return this.#decompress(decompressLzo, buffer, offset + 2, offset + length)
      case CompressionV2.SNAPPY:
        return DataCode.COMPRESSION_REFUSED
      default:
        return DataCode.UNKNOWN_COMPRESSION // COMP-4
    }
  }

  #decompressSwapped(decompress: Decompress, buffer: Uint8Array, offset: number, length: number): number {
    if (!this.#allowed) return DataCode.COMPRESSION_REFUSED // COMP-7
    buffer[offset] = buffer[offset + length - 1] as number
    return this.#decompress(decompress, buffer, offset, offset + length - 1)
  }

  #decompress(decompress: Decompress, buffer: Uint8Array, start: number, end: number): number {
    if (!this.#allowed) return DataCode.COMPRESSION_REFUSED // COMP-7
    this.#room ??= new Uint8Array(this.#largest)
    const length = decompress(buffer, start, end, this.#room, 0, this.#largest) // COMP-8
    if (length < 0) return DataCode.BAD_COMPRESSION
    this.decompressed++
    this.resultBuffer = this.#room
    this.resultOffset = 0
    return length > 0 ? length : DataCode.EMPTY
  }
}
