/**
 * Handshake messages out of handshake records: a message may span records and a record may hold several messages.
 *
 * The length in a message's header is judged before its body is waited for, so memory is bounded by the cap that the
 * handshake sets for what it expects next.
 */
import { EMPTY } from '../bytes/index.ts'
import { demand } from './alerts.ts'

/** One whole handshake message. */
export interface HandshakeMessage {
  /** `HandshakeType`. */
  readonly type: number
  /** Header and body, as hashed into the transcript. */
  readonly raw: Uint8Array
  readonly body: Uint8Array
}

/** Length of a handshake message's header. */
const MESSAGE_HEADER = 4

/** Builds one handshake message from its body. */
export function handshakeMessage(type: number, body: Uint8Array): Uint8Array {
  const raw = new Uint8Array(MESSAGE_HEADER + body.length)
  raw[0] = type
  raw[1] = body.length >> 16
  raw[2] = body.length >> 8
  raw[3] = body.length
  raw.set(body, MESSAGE_HEADER)
  return raw
}

/** Collects fragments, yields messages. */
export class HandshakeStream {
  #held: Uint8Array = EMPTY
  #start = 0
  #end = 0

  /** True when bytes of a message are waiting. */
  get pending(): boolean {
    return this.#end > this.#start
  }

  push(fragment: Uint8Array): void {
    const held = this.#end - this.#start
    if (this.#end + fragment.length > this.#held.length) {
      const needed = held + fragment.length
      const larger = new Uint8Array(Math.max(needed, Math.min(2 * this.#held.length, needed + 32_768)))
      if (held > 0) larger.set(this.#held.subarray(this.#start, this.#end))
      this.#held = larger
      this.#start = 0
      this.#end = held
    }
    this.#held.set(fragment, this.#end)
    this.#end += fragment.length
  }

  /**
   * The next whole message, or `undefined` while it is incomplete.
   * @param limit - longest body allowed for a message type.
   */
  next(limit: (type: number) => number): HandshakeMessage | undefined {
    const held = this.#held
    const start = this.#start
    if (this.#end - start < MESSAGE_HEADER) return undefined
    const type = held[start] as number
    const length =
      ((held[start + 1] as number) << 16) | ((held[start + 2] as number) << 8) | (held[start + 3] as number)
    demand(length <= limit(type), 'illegal-parameter', `handshake message ${type} of ${length} bytes is too long`) // TLS-6
    if (this.#end - start < MESSAGE_HEADER + length) return undefined
    const raw = held.slice(start, start + MESSAGE_HEADER + length)
    this.#start += raw.length
    if (this.#start === this.#end) this.clear()
    return { type, raw, body: raw.subarray(MESSAGE_HEADER) }
  }

  clear(): void {
    this.#held = EMPTY
    this.#start = 0
    this.#end = 0
  }
}
