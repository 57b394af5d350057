/**
 * LZO1X streams, decoded into a fixed room.
 *
 * A stream is a row of instructions. Most copy a match from earlier output and end in a 2-bit count of literals that follow
 * them; a byte below 16 means one of three things, depending on how many literals the instruction before it copied:
 *
 *     byte        after        meaning                       length      distance
 *     0..15       0 literals   literal run                   3 + L       -
 *     0..15       1 to 3       match of 2                    2           1 .. 1024
 *     0..15       a run        match of 3                    3           2049 .. 3072
 *     16..31      any          far match, or end of stream   2 + L       16385 .. 49151
 *     32..63      any          match                         2 + L       1 .. 16384
 *     64..255     any          near match                    3 .. 8      1 .. 2048
 *
 * A length field of zero is continued: each zero byte adds 255, the first other byte ends it. The first byte of a stream
 * may instead be 18 or more: a literal run of that less 17.
 *
 * Refuses, without writing past the room or reading past the stream: a distance beyond the start, more output than room,
 * a stream without its end mark, bytes behind the end mark.
 *
 * Spec: compression.md, "LZO1X".
 */

/** Literals copied by the last instruction: 0 to 3, or 4 for a whole run. */
const AFTER_RUN = 4

/** A decoder's place in its two buffers. One object per call: LZO is the rare path. */
class LzoDecoder {
  readonly #input: Uint8Array
  readonly #end: number
  readonly #output: Uint8Array
  readonly #outputStart: number
  readonly #outputEnd: number
  #from: number
  #to: number
  #failed = false

  constructor(
    input: Uint8Array,
    start: number,
    end: number,
    output: Uint8Array,
    outputStart: number,
    outputEnd: number,
  ) {
    this.#input = input
    this.#from = start
    this.#end = end
    this.#output = output
    this.#outputStart = outputStart
    this.#outputEnd = outputEnd
    this.#to = outputStart
  }

  /** True until anything was refused. */
  sound(): boolean {
    return !this.#failed
  }

  /** Bytes written, or -1 unless the whole input was read without fault. */
  result(): number {
    return this.#failed || this.#from !== this.#end ? -1 : this.#to - this.#outputStart
  }

  byte(): number {
    if (this.#from >= this.#end) {
      this.#failed = true
      return 0
    }
    return this.#input[this.#from++] as number
  }

  peek(): number {
    return this.#from < this.#end ? (this.#input[this.#from] as number) : 0
  }

  /** A length: `field`, or when that is zero `base` plus its continuation. */
  length(field: number, base: number): number {
    if (field !== 0) return field
    let length = base
    let byte = this.byte()
    while (byte === 0 && !this.#failed) {
      length += 255
      byte = this.byte()
    }
    return length + byte
  }

  literals(count: number): void {
    if (this.#failed || count > this.#end - this.#from || count > this.#outputEnd - this.#to) {
      this.#failed = true // COMP-11
      return
    }
    for (let i = 0; i < count; i++) this.#output[this.#to++] = this.#input[this.#from++] as number
  }

  match(distance: number, length: number): void {
    if (this.#failed || distance > this.#to - this.#outputStart || length > this.#outputEnd - this.#to) {
      this.#failed = true // COMP-11
      return
    }
    const output = this.#output
    for (let i = 0; i < length; i++, this.#to++) output[this.#to] = output[this.#to - distance] as number
  }
}

/**
 * Decodes the stream `input[start, end)` to `output[outputStart, outputEnd)`.
 *
 * @returns the number of bytes written, or -1 when the stream is malformed or does not fit (COMP-11, COMP-12).
 */
export function decompressLzo(
  input: Uint8Array,
  start: number,
  end: number,
  output: Uint8Array,
  outputStart: number,
  outputEnd: number,
): number {
  const decoder = new LzoDecoder(input, start, end, output, outputStart, outputEnd)
  let state = 0
  if (decoder.peek() > 17) {
    const count = decoder.byte() - 17 // COMP-13
    decoder.literals(count)
    state = Math.min(count, AFTER_RUN)
  }
  while (decoder.sound()) {
    const code = decoder.byte()
    if (code < 16 && state === 0) {
      decoder.literals(3 + decoder.length(code, 15))
      state = AFTER_RUN
      continue
    }
    let trailer = code
    if (code >= 64) {
      const length = code >= 128 ? 5 + ((code >> 5) & 3) : 3 + ((code >> 5) & 1)
      decoder.match((decoder.byte() << 3) + ((code >> 2) & 7) + 1, length)
    } else if (code >= 32) {
      const length = 2 + decoder.length(code & 31, 31)
      trailer = decoder.byte()
      decoder.match((decoder.byte() << 6) + (trailer >> 2) + 1, length)
    } else if (code >= 16) {
      const length = 2 + decoder.length(code & 7, 7)
      trailer = decoder.byte()
      const distance = ((code & 8) << 11) + (decoder.byte() << 6) + (trailer >> 2)
      if (distance === 0) return decoder.result() // COMP-12
      decoder.match(distance + 16384, length)
    } else if (state === AFTER_RUN) {
      decoder.match((decoder.byte() << 2) + (code >> 2) + 2049, 3)
    } else {
      decoder.match((decoder.byte() << 2) + (code >> 2) + 1, 2)
    }
    state = trailer & 3
    decoder.literals(state)
  }
  return -1
}
