/**
 * Capture files: pcap (microseconds and nanoseconds, either byte order) and pcapng, into frames (spec/decode.md, DEC-1 to
 * DEC-6).
 *
 * Frames are views of the file's bytes. Reading stops at the first thing that makes no sense and says where; what was read
 * until then counts. A pcapng file may carry TLS key logs, which are handed out beside the frames.
 */
import { utf8Decode } from '../bytes/index.ts'

/** One captured frame. */
export interface Frame {
  /** From 1 on, in the order of the file. */
  readonly number: number
  /** Unix ms, with a fraction. */
  readonly time: number
  /** A `LINKTYPE_` number: what `data` begins with. */
  readonly linkType: number
  readonly data: Uint8Array
  /** True when the frame was longer than what was kept of it. */
  readonly cut: boolean
}

/** What a capture file holds. */
export interface Capture {
  readonly format: 'pcap' | 'pcapng'
  readonly frames: readonly Frame[]
  /** Texts of TLS key logs inside the file. */
  readonly keyLogs: readonly string[]
  /** Why reading stopped before the end, one sentence. */
  readonly problem: string | undefined
}

/** Largest frame taken. */
const MAX_FRAME = 262_144
const PCAP_HEADER = 24
const PCAP_RECORD = 16
const SECTION_HEADER = 0x0a0d0d0a
const BYTE_ORDER_MAGIC = 0x1a2b3c4d
/** Block types of pcapng. */
const Block = { interface: 1, obsoletePacket: 2, simplePacket: 3, enhancedPacket: 6, secrets: 10 } as const
const TLS_KEY_LOG = 0x544c534b
const OPTION_END = 0
const OPTION_RESOLUTION = 9
const OPTION_OFFSET = 14

/** Integers of either byte order at offsets that the caller has checked. */
class Words {
  readonly bytes: Uint8Array
  readonly little: boolean

  constructor(bytes: Uint8Array, little: boolean) {
    this.bytes = bytes
    this.little = little
  }

  u16(at: number): number {
    const [a, b] = [this.bytes[at] as number, this.bytes[at + 1] as number]
    return this.little ? a | (b << 8) : (a << 8) | b
  }

  u32(at: number): number {
    const [low, high] = this.little ? [this.u16(at), this.u16(at + 2)] : [this.u16(at + 2), this.u16(at)]
    return high * 0x10000 + low
  }
}

/** True when the bytes begin like a capture file. */
export function isCapture(bytes: Uint8Array): boolean {
  return pcapKind(bytes) !== undefined || isPcapng(bytes)
}

/** Reads a capture file; `undefined` when it is none. Never throws for what is in it. */
export function readCapture(bytes: Uint8Array): Capture | undefined {
  const kind = pcapKind(bytes)
  if (kind !== undefined) return readPcap(bytes, kind)
  return isPcapng(bytes) ? readPcapng(bytes) : undefined
}

interface PcapKind {
  readonly little: boolean
  /** Fractions of a second in one unit of a time stamp. */
  readonly unitsPerMs: number
}

/** DEC-1 */
function pcapKind(bytes: Uint8Array): PcapKind | undefined {
  if (bytes.length < PCAP_HEADER) return undefined
  for (const little of [true, false]) {
    const magic = new Words(bytes, little).u32(0)
    if (magic === 0xa1b2c3d4) return { little, unitsPerMs: 1e3 }
    if (magic === 0xa1b23c4d) return { little, unitsPerMs: 1e6 }
  }
  return undefined
}

function readPcap(bytes: Uint8Array, { little, unitsPerMs }: PcapKind): Capture {
  const words = new Words(bytes, little)
  const linkType = words.u32(20) & 0xffff
  const frames: Frame[] = []
  let problem: string | undefined
  let at = PCAP_HEADER
  while (at < bytes.length && problem === undefined) {
    const number = frames.length + 1
    if (bytes.length - at < PCAP_RECORD) {
      problem = `the file ends inside the header of frame ${number}` // DEC-4
      break
    }
    const length = words.u32(at + 8)
    const start = at + PCAP_RECORD
    problem = lengthProblem(number, length, bytes.length - start)
    if (problem !== undefined) break
    const time = words.u32(at) * 1000 + words.u32(at + 4) / unitsPerMs
    const cut = words.u32(at + 12) > length
    frames.push({ number, time, linkType, data: bytes.subarray(start, start + length), cut })
    at = start + length
  }
  return { format: 'pcap', frames, keyLogs: [], problem }
}

/** DEC-4 */
function lengthProblem(number: number, length: number, left: number): string | undefined {
  if (length > MAX_FRAME) return `frame ${number} claims ${length} bytes, more than any frame has`
  return length > left ? `the file ends inside frame ${number}: ${left} of ${length} bytes are there` : undefined
}

function isPcapng(bytes: Uint8Array): boolean {
  return bytes.length >= 28 && new Words(bytes, true).u32(0) === SECTION_HEADER
}

/** An interface of a section. */
interface Interface {
  readonly linkType: number
  readonly snapLength: number
  readonly unitsPerSecond: number
  /** Seconds added to every time stamp. */
  readonly offset: number
}

/** DEC-2 */
function readPcapng(bytes: Uint8Array): Capture {
  const reader = new PcapngReader(bytes)
  const problem = reader.run()
  return { format: 'pcapng', frames: reader.frames, keyLogs: reader.keyLogs, problem }
}

class PcapngReader {
  readonly frames: Frame[] = []
  readonly keyLogs: string[] = []
  #words: Words
  #interfaces: Interface[] = []

  constructor(bytes: Uint8Array) {
    this.#words = new Words(bytes, true)
  }

  run(): string | undefined {
    const { bytes } = this.#words
    for (let at = 0; at < bytes.length; ) {
      if (bytes.length - at < 12) return `the file ends inside a block header at byte ${at}`
      const isSection = this.#words.u32(at) === SECTION_HEADER
      if (isSection && !this.#beginSection(at)) return `the section at byte ${at} has no byte order mark`
      const length = this.#words.u32(at + 4)
      if (length < 12 || length % 4 !== 0) return `the block at byte ${at} claims a length of ${length} bytes`
      if (length > bytes.length - at) return `the file ends inside the block at byte ${at}`
      const problem = isSection ? undefined : this.#block(this.#words.u32(at), at + 8, at + length - 4)
      if (problem !== undefined) return problem
      at += length
    }
    return undefined
  }

  #beginSection(at: number): boolean {
    const { bytes } = this.#words
    for (const little of [true, false]) {
      const words = new Words(bytes, little)
      if (words.u32(at + 8) !== BYTE_ORDER_MAGIC) continue
      this.#words = words
      this.#interfaces = []
      return true
    }
    return false
  }

  /** Unknown blocks are skipped. DEC-3 */
  #block(type: number, start: number, end: number): string | undefined {
    const room = end - start
    const words = this.#words
    const number = this.frames.length + 1
    switch (type) {
      case Block.interface:
        if (room < 8) return `an interface block of ${room} bytes before frame ${number}`
        this.#interfaces.push(readInterface(words, start, end))
        return undefined
      case Block.enhancedPacket:
      case Block.obsoletePacket: {
        if (room < 20) return `a packet block of ${room} bytes where frame ${number} should be`
        const index = type === Block.enhancedPacket ? words.u32(start) : words.u16(start)
        const stamp = words.u32(start + 4) * 0x1_0000_0000 + words.u32(start + 8)
        return this.#frame(index, stamp, words.u32(start + 12), words.u32(start + 16), start + 20, end)
      }
      case Block.simplePacket: {
        if (room < 4) return `a packet block of ${room} bytes where frame ${number} should be`
        const original = words.u32(start)
        const most = this.#interfaces[0]?.snapLength ?? 0
        const length = Math.min(original, most === 0 ? original : most, room - 4)
        return this.#frame(0, undefined, length, original, start + 4, end)
      }
      case Block.secrets:
        if (room >= 8 && words.u32(start) === TLS_KEY_LOG) {
          const text = words.bytes.subarray(start + 8, Math.min(end, start + 8 + words.u32(start + 4)))
          this.keyLogs.push(utf8Decode(text)) // DEC-6
        }
        return undefined
      default:
        return undefined
    }
  }

  #frame(
    index: number,
    stamp: number | undefined,
    length: number,
    original: number,
    start: number,
    end: number,
  ): string | undefined {
    const number = this.frames.length + 1
    const problem = lengthProblem(number, length, end - start)
    if (problem !== undefined) return problem
    const source = this.#interfaces[index]
    if (source === undefined) return `frame ${number} names interface ${index}, which the file does not describe`
    const time = stamp === undefined ? 0 : (stamp / source.unitsPerSecond + source.offset) * 1000
    const data = this.#words.bytes.subarray(start, start + length)
    this.frames.push({ number, time, linkType: source.linkType, data, cut: original > length })
    return undefined
  }
}

/** DEC-5 */
function readInterface(words: Words, start: number, end: number): Interface {
  let unitsPerSecond = 1e6
  let offset = 0
  for (let at = start + 8; at + 4 <= end; ) {
    const code = words.u16(at)
    const length = words.u16(at + 2)
    if (code === OPTION_END || at + 4 + length > end) break
    if (code === OPTION_RESOLUTION && length === 1) {
      const value = words.bytes[at + 4] as number
      unitsPerSecond = value >= 128 ? 2 ** (value & 127) : 10 ** value
    } else if (code === OPTION_OFFSET && length === 8) {
      const high = words.u32(words.little ? at + 8 : at + 4)
      const low = words.u32(words.little ? at + 4 : at + 8)
      offset = (high >= 0x8000_0000 ? high - 0x1_0000_0000 : high) * 0x1_0000_0000 + low
    }
    at += 4 + length + ((4 - (length % 4)) % 4)
  }
  return { linkType: words.u16(start), snapLength: words.u32(start + 4), unitsPerSecond, offset }
}
