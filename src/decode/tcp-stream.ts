/**
 * One direction of a TCP connection out of a capture: segments in any order in, OpenVPN packets in sequence out
 * (spec/decode.md, DEC-20 to DEC-23).
 *
 * What was sent again is dropped, what came early waits, within bounds; behind a hole that nothing fills the stream is lost,
 * because nobody knows where the next packet begins. A request to an HTTP proxy and its answer in front of the packets are
 * passed over.
 */
import { concat, EMPTY } from '../bytes/index.ts'
import { MAX_FRAME, StreamFramer } from '../wire/index.ts'

/** Most segments that wait for an earlier one. */
const MAX_WAITING = 1024
/** Most bytes that wait for an earlier one. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024
/** Longest proxy header passed over. */
const MAX_PROXY_HEADER = 16_384
const HTTP_STARTS = [asciiBytes('CONNECT '), asciiBytes('HTTP/1.')]

function asciiBytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0))
}

/** Why a stream is read no further. */
export type StreamProblem = 'stream-gap' | 'frame-length'

/** One direction. */
export class TcpStream {
  #framer = new StreamFramer(MAX_FRAME)
  readonly #waiting = new Map<number, Uint8Array>()
  #waitingBytes = 0
  #next: number | undefined
  /** The first bytes, until it is clear whether a proxy comes first. */
  #head: Uint8Array | undefined = EMPTY
  #problem: StreamProblem | undefined

  /** Why the stream is read no further; undefined while it is. */
  get problem(): StreamProblem | undefined {
    return this.#problem
  }

  /** True when segments wait for one that is missing. */
  get hasGap(): boolean {
    return this.#waiting.size > 0
  }

  /** Takes a segment; gives the packets that it completed, as arrays of their own. */
  receive(sequence: number, syn: boolean, payload: Uint8Array): readonly Uint8Array[] {
    if (this.#problem !== undefined) return []
    const start = syn ? (sequence + 1) >>> 0 : sequence
    if (syn || this.#next === undefined) {
      // A port that is used again: a new connection.
      if (syn && this.#next !== undefined && start !== this.#next) this.#restart()
      this.#next ??= start
    }
    const packets: Uint8Array[] = []
    this.#take(start, payload, packets)
    for (let held = this.#claim(); held !== undefined; held = this.#claim()) this.#take(held[0], held[1], packets)
    return packets
  }

  #restart(): void {
    this.#framer = new StreamFramer(MAX_FRAME)
    this.#waiting.clear()
    this.#waitingBytes = 0
    this.#next = undefined
    this.#head = EMPTY
  }

  /** A waiting segment whose turn has come. */
  #claim(): readonly [number, Uint8Array] | undefined {
    for (const [start, payload] of this.#waiting) {
      if (distance(this.#next as number, start) > 0) continue
      this.#waiting.delete(start)
      this.#waitingBytes -= payload.length
      return [start, payload]
    }
    return undefined
  }

  #take(start: number, payload: Uint8Array, packets: Uint8Array[]): void {
    const ahead = distance(this.#next as number, start)
    if (ahead > 0) {
      this.#hold(start, payload)
      return
    }
    const fresh = payload.subarray(Math.min(-ahead, payload.length)) // DEC-20
    if (fresh.length === 0) return
    this.#next = ((this.#next as number) + fresh.length) >>> 0
    this.#deliver(fresh, packets)
  }

  /** DEC-21 */
  #hold(start: number, payload: Uint8Array): void {
    if (payload.length === 0) return
    if (this.#waiting.size >= MAX_WAITING || this.#waitingBytes + payload.length > MAX_WAITING_BYTES) {
      this.#problem = 'stream-gap'
      this.#restart()
      return
    }
    const known = this.#waiting.get(start)
    if (known !== undefined && known.length >= payload.length) return
    this.#waitingBytes += payload.length - (known?.length ?? 0)
    this.#waiting.set(start, payload)
  }

  #deliver(bytes: Uint8Array, packets: Uint8Array[]): void {
    let rest = bytes
    if (this.#head !== undefined) {
      const head = this.#head.length === 0 ? bytes : concat(this.#head, bytes)
      const end = proxyHeaderEnd(head)
      if (end === undefined && head.length <= MAX_PROXY_HEADER) {
        this.#head = head
        return
      }
      this.#head = undefined
      rest = head.subarray(end ?? 0)
    }
    this.#framer.push(rest)
    for (let packet = this.#framer.next(); packet !== undefined; packet = this.#framer.next())
      packets.push(packet.slice())
    if (this.#framer.problem !== undefined) this.#problem = 'frame-length' // DEC-23
  }
}

/** Where the packets begin: 0 without a proxy, undefined while that is open. DEC-22 */
function proxyHeaderEnd(head: Uint8Array): number | undefined {
  const start = HTTP_STARTS.find((text) => startsAlike(head, text))
  if (start === undefined) return 0
  if (head.length < start.length) return undefined
  for (let at = 3; at < head.length; at++) {
    if (head[at] === 10 && head[at - 1] === 13 && head[at - 2] === 10 && head[at - 3] === 13) return at + 1
  }
  return undefined
}

function startsAlike(head: Uint8Array, text: Uint8Array): boolean {
  for (let i = 0; i < Math.min(head.length, text.length); i++) if (head[i] !== text[i]) return false
  return true
}

/** How far `b` is ahead of `a`, negative when behind, in sequence numbers that wrap. */
function distance(a: number, b: number): number {
  return (b - a) | 0
}
