/**
 * Fragmentation inside the tunnel (`fragment n`): a 4-byte header in front of every payload, and packets too large for a
 * datagram cut into up to 32 pieces.
 *
 *     bits 0-1    type: 0 whole, 1 not the last fragment, 2 the last, 3 test
 *     bits 2-9    sequence id of the packet
 *     bits 10-14  number of the fragment, from 0
 *     bits 15-28  size of the packet's other fragments / 4, in the last fragment only
 *
 * All fragments but the last have one size, a multiple of 4, so a fragment's place is its number times that size. Packets
 * are put together in 25 slots for consecutive sequence ids; a slot ends when its packet is complete, when its id falls out
 * of the 25, when a fragment of another size claims the same id, or after 10 seconds, looked at every 5.
 *
 * Refuses a size that is 0 or no multiple of 4, a last fragment above that size, a packet larger than the tunnel's largest, and drops a fragment that came before.
 * Memory is bounded by 25 such packets, and the slots' buffers are used again.
 *
 * Spec: fragment.md.
 */
import { invariant } from '../bytes/index.ts'
import { readPacketId, writePacketId } from '../wire/index.ts'
import { DataCode } from './codes.ts'

/** Length of the fragment header. */
export const FRAGMENT_HEADER_LENGTH = 4
/** Most fragments of one packet. */
export const MAX_FRAGMENTS = 32
/** Packets that may be incomplete at a time. */
export const REASSEMBLY_SLOTS = 25
/** Life of an incomplete packet, ms from its latest fragment. */
export const REASSEMBLY_LIFE = 10_000
/** Pause between two looks for incomplete packets that are too old, ms. */
export const REASSEMBLY_SWEEP = 5000

const WHOLE = 0
const NOT_LAST = 1
const LAST = 2
const TYPE_MASK = 3
const SEQUENCE_SHIFT = 2
const NUMBER_SHIFT = 10
const SIZE_SHIFT = 15
const SIZE_MASK = 0x3fff
/** Sizes are in units of 4 bytes. */
const UNIT = 4

/** A fragment header as a record. Sizes in bytes. */
export interface FragmentHeader {
  readonly type: 'whole' | 'not-last' | 'last' | 'test'
  readonly sequence: number
  readonly number: number
  readonly size: number
}

const TYPES = ['whole', 'not-last', 'last', 'test'] as const

/** The fields of the header at `offset`, for those who show packets (FRAG-1). */
export function parseFragmentHeader(bytes: Uint8Array, offset: number): FragmentHeader {
  const word = readPacketId(bytes, offset)
  return {
    type: TYPES[word & TYPE_MASK] as FragmentHeader['type'],
    sequence: (word >>> SEQUENCE_SHIFT) & 255,
    number: (word >>> NUMBER_SHIFT) & 31,
    size: ((word >>> SIZE_SHIFT) & SIZE_MASK) * UNIT,
  }
}

/** The sending side: one packet at a time, held until its last fragment is taken. */
export class Fragmenter {
  /** Most payload bytes in one fragment. */
  readonly limit: number
  /** Where the last result starts. */
  resultOffset = 0
  #sequence = 0
  #packet = new Uint8Array(2048)
  #length = 0
  #size = 0
  #next = 0
  #count = 0

  /** @param limit - most payload bytes of a datagram behind the fragment header; at least 4. */
  constructor(limit: number) {
    invariant(limit >= UNIT, 'FRAG-2')
    this.limit = limit
  }

  /** Fragments of the present packet that were not taken yet. */
  get left(): number {
    return this.#count - this.#next
  }

  /**
   * Puts a header in front of `buffer[offset, offset + length)`; a packet over the limit is copied, and its first fragment
   * lies at `offset` with the others waiting in {@link next}. A packet begun before is given up.
   *
   * @returns the length with header, its start in `resultOffset`; or `DataCode.UNSPLITTABLE`.
   */
  wrap(buffer: Uint8Array, offset: number, length: number): number {
    this.#count = 0
    this.#next = 0
    if (length > this.limit) return this.#split(buffer, offset, length)
    this.resultOffset = offset - FRAGMENT_HEADER_LENGTH
    writePacketId(buffer, this.resultOffset, WHOLE)
    return length + FRAGMENT_HEADER_LENGTH
  }

  /** Gives up what is left of the present packet. */
  abandon(): void {
    this.#next = this.#count
  }

  #split(buffer: Uint8Array, offset: number, length: number): number {
    const aligned = this.limit - (this.limit % UNIT)
    const count = Math.ceil(length / aligned)
    if (count > MAX_FRAGMENTS) return DataCode.UNSPLITTABLE // FRAG-3
    this.#size = Math.ceil(length / count / UNIT) * UNIT // FRAG-2
    this.#count = Math.ceil(length / this.#size)
    if (length > this.#packet.length) this.#packet = new Uint8Array(length)
    this.#packet.set(buffer.subarray(offset, offset + length))
    this.#length = length
    this.#sequence = (this.#sequence + 1) & 255
    return this.next(buffer, offset)
  }

  /**
   * Writes the next fragment so that its payload begins at `offset`, the header before it.
   *
   * @returns the length with header, or 0 when none is left.
   */
  next(buffer: Uint8Array, offset: number): number {
    if (this.#next >= this.#count) return 0
    const number = this.#next++
    const last = this.#next === this.#count
    const start = number * this.#size
    const end = last ? this.#length : start + this.#size
    buffer.set(this.#packet.subarray(start, end), offset)
    let word = (this.#sequence << SEQUENCE_SHIFT) | (number << NUMBER_SHIFT)
    word |= last ? LAST | ((this.#size / UNIT) << SIZE_SHIFT) : NOT_LAST // FRAG-1
    this.resultOffset = offset - FRAGMENT_HEADER_LENGTH
    writePacketId(buffer, this.resultOffset, word)
    return end - start + FRAGMENT_HEADER_LENGTH
  }
}

/** An incomplete packet. */
class Slot {
  /** Bytes of the packet; empty until the slot is first used. */
  bytes = new Uint8Array(0)
  /** Size of the fragments but the last; 0 while the slot is free. */
  size = 0
  /** Bit n is set once fragment n came; the last one sets its own and all above. */
  seen = 0
  /** Length of the packet, known with the last fragment. */
  length = 0
  touched = 0
}

/** The receiving side. */
export class Reassembler {
  /** Where the last result starts. */
  resultOffset = 0
  /** The buffer it lies in: the caller's, or a slot's after reassembly, which the next fragment may overwrite. */
  resultBuffer: Uint8Array
  /** Packets given up incomplete: too old, fallen out of the slots, or replaced. */
  abandoned = 0
  readonly #largest: number
  readonly #slots: readonly Slot[]
  /** Highest sequence id so far, and its slot. */
  #top = 0
  #topSlot = 0
  #nextSweep = -Infinity

  /** @param largest - most bytes a packet may have. */
  constructor(largest: number) {
    this.#largest = largest
    this.#slots = Array.from({ length: REASSEMBLY_SLOTS }, () => new Slot())
    this.resultBuffer = new Uint8Array(0)
  }

  /**
   * Takes the header off `buffer[offset, offset + length)`.
   *
   * @param now - ms.
   * @returns the length of a whole or completed packet, in `resultBuffer` at `resultOffset`; or a negative {@link DataCode}.
   */
  unwrap(buffer: Uint8Array, offset: number, length: number, now: number): number {
    if (now >= this.#nextSweep) this.#sweep(now)
    if (length < FRAGMENT_HEADER_LENGTH) return DataCode.BAD_FRAGMENT // FRAG-4
    const word = readPacketId(buffer, offset)
    const type = word & TYPE_MASK
    const start = offset + FRAGMENT_HEADER_LENGTH
    const rest = length - FRAGMENT_HEADER_LENGTH
    if (type === WHOLE) {
      this.resultBuffer = buffer
      this.resultOffset = start
      return rest > 0 ? rest : DataCode.EMPTY
    }
    if (type !== NOT_LAST && type !== LAST) return DataCode.FRAGMENT_TEST // FRAG-9
    return this.#store(word, type === LAST, buffer, start, rest, now)
  }

  #store(word: number, last: boolean, buffer: Uint8Array, start: number, rest: number, now: number): number {
    const size = last ? ((word >>> SIZE_SHIFT) & SIZE_MASK) * UNIT : rest
    const number = (word >>> NUMBER_SHIFT) & 31
    if (rest === 0 || rest > size || size % UNIT !== 0) return DataCode.BAD_FRAGMENT // FRAG-4
    if (number * size + rest > this.#largest) return DataCode.BAD_FRAGMENT // FRAG-5
    const slot = this.#slotOf((word >>> SEQUENCE_SHIFT) & 255)
    if (slot.size !== size) this.#begin(slot, size) // FRAG-7
    const bits = (last ? -1 << number : 1 << number) | 0
    if ((slot.seen & bits) !== 0) return DataCode.DUPLICATE_FRAGMENT // FRAG-8
    for (let i = 0; i < rest; i++) slot.bytes[number * size + i] = buffer[start + i] as number
    if (last) slot.length = number * size + rest
    slot.seen |= bits
    slot.touched = now
    if (slot.seen !== -1) return DataCode.FRAGMENT_STORED
    slot.size = 0
    this.resultBuffer = slot.bytes
    this.resultOffset = 0
    return slot.length
  }

  #begin(slot: Slot, size: number): void {
    if (slot.size !== 0) this.abandoned++
    if (slot.bytes.length === 0) slot.bytes = new Uint8Array(this.#largest)
    slot.size = size
    slot.seen = 0
    slot.length = 0
  }

  /** The slot of a sequence id, after moving the run of 25 ids so that it holds this one (FRAG-6). */
  #slotOf(sequence: number): Slot {
    let ahead = ((sequence - this.#top + 128) & 255) - 128
    if (ahead >= REASSEMBLY_SLOTS || ahead <= -REASSEMBLY_SLOTS) {
      for (const slot of this.#slots) this.#free(slot)
      this.#top = sequence
      ahead = 0
    }
    for (; ahead > 0; ahead--) {
      this.#top = (this.#top + 1) & 255
      this.#topSlot = (this.#topSlot + 1) % REASSEMBLY_SLOTS
      this.#free(this.#slots[this.#topSlot] as Slot)
    }
    return this.#slots[(this.#topSlot + ahead + REASSEMBLY_SLOTS) % REASSEMBLY_SLOTS] as Slot
  }

  #free(slot: Slot): void {
    if (slot.size === 0) return
    slot.size = 0
    this.abandoned++
  }

  #sweep(now: number): void {
    this.#nextSweep = now + REASSEMBLY_SWEEP
    for (const slot of this.#slots) if (now - slot.touched > REASSEMBLY_LIFE) this.#free(slot) // FRAG-6
  }
}
