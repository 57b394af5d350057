/**
 * Cutting a byte stream into records (RFC 8446 section 5.1): bytes arrive cut anywhere, records leave whole. TLS-1
 *
 * Memory is bounded by the record caps: a header is judged as soon as its five bytes are there, so no more than one
 * record of legal size is ever waited for. The reader keeps eight writable bytes before each header, which the record
 * protections of TLS 1.2 use to lay out their additional data without another copy. An empty reader holds no buffer: control
 * channels are silent most of their time.
 */

/** Length of a record header. */
export const RECORD_HEADER = 5
/** Writable bytes before every record header. */
export const HEADER_MARGIN = 8

/** Collects bytes and yields record headers and whole records, in place. */
export class RecordReader {
  #buffer = new Uint8Array(HEADER_MARGIN)
  #start = HEADER_MARGIN
  #end = HEADER_MARGIN

  /** The bytes that `offset` points into; valid until the next `push`. */
  get buffer(): Uint8Array {
    return this.#buffer
  }

  /** Where the current record's header starts. */
  get offset(): number {
    return this.#start
  }

  /** Bytes held. */
  get length(): number {
    return this.#end - this.#start
  }

  push(bytes: Uint8Array): void {
    if (this.#end + bytes.length > this.#buffer.length) this.#makeRoom(bytes.length)
    this.#buffer.set(bytes, this.#end)
    this.#end += bytes.length
  }

  /** Content type of the current record; only when `length >= 5`, like the next two. */
  get type(): number {
    return this.#buffer[this.#start] as number
  }

  get version(): number {
    return ((this.#buffer[this.#start + 1] as number) << 8) | (this.#buffer[this.#start + 2] as number)
  }

  /** Length of the current record's payload as its header says. */
  get payloadLength(): number {
    return ((this.#buffer[this.#start + 3] as number) << 8) | (this.#buffer[this.#start + 4] as number)
  }

  /** True when the current record is there to its last byte. */
  get whole(): boolean {
    return this.length >= RECORD_HEADER && this.length >= RECORD_HEADER + this.payloadLength
  }

  /** Moves on to the next record; only when `whole`. Views into the one left stay valid until the next `push`. */
  advance(): void {
    this.#start += RECORD_HEADER + this.payloadLength
    if (this.#start === this.#end) this.clear()
  }

  /** A copy of the bytes held. */
  unread(): Uint8Array {
    return this.#buffer.slice(this.#start, this.#end)
  }

  clear(): void {
    this.#buffer = new Uint8Array(HEADER_MARGIN)
    this.#start = HEADER_MARGIN
    this.#end = HEADER_MARGIN
  }

  #makeRoom(more: number): void {
    const held = this.length
    const needed = HEADER_MARGIN + held + more
    const target =
      needed > this.#buffer.length ? new Uint8Array(Math.max(needed, this.#buffer.length * 2)) : this.#buffer
    target.set(this.#buffer.subarray(this.#start, this.#end), HEADER_MARGIN)
    this.#buffer = target
    this.#start = HEADER_MARGIN
    this.#end = HEADER_MARGIN + held
  }
}
