/**
 * Packets in a TCP stream: each behind its length as a u16 (spec/wire.md, WIRE-40 to WIRE-44).
 *
 * The framer takes the stream in pieces of any size and gives the packets back, the same ones however the stream was cut.
 * A frame that lies whole in one piece is a view of it; one that is spread over several is put together in memory of the
 * framer's own, which grows with the bytes that came, not with the length that was announced. A length of 0 or above the
 * bound ends the stream for good: nobody knows where the next frame begins.
 */
import { EMPTY, invariant } from '../bytes/index.ts'
import type { WireProblem } from './problems.ts'

/** Length of the field in front of each packet. */
export const FRAME_HEADER_LENGTH = 2
/** Largest packet that a frame can announce. */
export const MAX_FRAME = 0xffff

/** Cuts one direction of a TCP stream into packets. */
export class StreamFramer {
  readonly maxFrame: number
  #chunk: Uint8Array = EMPTY
  #offset = 0
  /** Beginning of a frame, header included, that earlier pieces left behind. */
  #partial: Uint8Array = EMPTY
  #partialLength = 0
  #problem: WireProblem | undefined = undefined

  /** @param maxFrame - largest packet taken, 1 to {@link MAX_FRAME}. */
  constructor(maxFrame: number) {
    invariant(maxFrame >= 1 && maxFrame <= MAX_FRAME, 'WIRE-41')
    this.maxFrame = maxFrame
  }

  /** Why the stream ended, or `undefined` while it goes on. */
  get problem(): WireProblem | undefined {
    return this.#problem
  }

  /** Bytes of memory held for an unfinished frame: at most twice what came of it. */
  get retainedBytes(): number {
    return this.#partial.length
  }

  /**
   * Takes a piece of the stream. It is borrowed until `next` has returned `undefined`, which must happen before the next
   * `push`.
   */
  push(chunk: Uint8Array): void {
    invariant(this.#offset === this.#chunk.length, 'WIRE-43')
    if (this.#problem !== undefined) return
    this.#chunk = chunk
    this.#offset = 0
  }

  /** The next packet, valid until the next call; `undefined` when the stream must go on first, or has ended. */
  next(): Uint8Array | undefined {
    if (this.#problem !== undefined) return undefined
    return this.#partialLength > 0 ? this.#nextSpread() : this.#nextWhole()
  }

  #nextWhole(): Uint8Array | undefined {
    const left = this.#chunk.length - this.#offset
    if (left < FRAME_HEADER_LENGTH) return this.#keep(left)
    const length = ((this.#chunk[this.#offset] as number) << 8) | (this.#chunk[this.#offset + 1] as number)
    if (!this.#lengthFits(length)) return undefined
    if (left < FRAME_HEADER_LENGTH + length) return this.#keep(left)
    const start = this.#offset + FRAME_HEADER_LENGTH
    this.#offset = start + length
    const frame = this.#chunk.subarray(start, this.#offset)
    if (this.#offset === this.#chunk.length) this.#release()
    return frame
  }

  #nextSpread(): Uint8Array | undefined {
    if (this.#partialLength < FRAME_HEADER_LENGTH) {
      this.#keep(Math.min(FRAME_HEADER_LENGTH - this.#partialLength, this.#chunk.length - this.#offset))
      if (this.#partialLength < FRAME_HEADER_LENGTH) return undefined
    }
    const length = ((this.#partial[0] as number) << 8) | (this.#partial[1] as number)
    if (!this.#lengthFits(length)) return undefined
    const whole = FRAME_HEADER_LENGTH + length
    this.#keep(Math.min(whole - this.#partialLength, this.#chunk.length - this.#offset))
    if (this.#partialLength < whole) return undefined
    const frame = this.#partial.subarray(FRAME_HEADER_LENGTH, whole)
    this.#partial = EMPTY
    this.#partialLength = 0
    return frame
  }

  #lengthFits(length: number): boolean {
    if (length >= 1 && length <= this.maxFrame) return true
    this.#problem = 'frame-length' // WIRE-41
    this.#partial = EMPTY
    this.#partialLength = 0
    this.#release()
    return false
  }

  /** Moves `length` bytes from the piece to the unfinished frame. */
  #keep(length: number): undefined {
    const needed = this.#partialLength + length
    if (needed > this.#partial.length) {
      const larger = new Uint8Array(
        Math.max(needed, Math.min(2 * this.#partialLength, FRAME_HEADER_LENGTH + this.maxFrame)),
      )
      larger.set(this.#partial.subarray(0, this.#partialLength))
      this.#partial = larger // WIRE-42
    }
    this.#partial.set(this.#chunk.subarray(this.#offset, this.#offset + length), this.#partialLength)
    this.#partialLength = needed
    this.#offset += length
    if (this.#offset === this.#chunk.length) this.#release()
    return undefined
  }

  /** Lets go of the borrowed piece. */
  #release(): void {
    this.#chunk = EMPTY
    this.#offset = 0
  }
}

/** A packet of 1 to 65,535 bytes as a frame (WIRE-40). */
export function writeFrame(packet: Uint8Array): Uint8Array {
  invariant(packet.length >= 1 && packet.length <= MAX_FRAME, 'WIRE-40')
  const out = new Uint8Array(FRAME_HEADER_LENGTH + packet.length)
  writeFrameLength(out, 0, packet.length)
  out.set(packet, FRAME_HEADER_LENGTH)
  return out
}

/** Writes the length field at `offset`, for frames built in place. */
export function writeFrameLength(out: Uint8Array, offset: number, length: number): void {
  out[offset] = length >>> 8
  out[offset + 1] = length
}

/**
 * Tells OpenVPN from other protocols by the first bytes of a TCP stream, for a port that several share: the first frame is a
 * client reset of a plausible length (WIRE-44). `undefined` while fewer than three bytes came and they do not contradict.
 */
export function looksLikeOpenVpn(start: Uint8Array): boolean | undefined {
  const [high, low, opcode] = start
  if (high === undefined) return undefined
  if (low === undefined) return high <= 4 ? undefined : false
  const length = (high << 8) | low
  const mayBeV2 = length >= 14 && length <= 255
  const mayBeV3 = length >= 336 && length <= 1278
  if (opcode === undefined) return mayBeV2 || mayBeV3 ? undefined : false
  return (mayBeV2 && opcode === 0x38) || (mayBeV3 && opcode === 0x50)
}
