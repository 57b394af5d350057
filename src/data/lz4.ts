/**
 * LZ4 blocks, decoded into a fixed room.
 *
 * A block is a row of sequences. Each begins with a token whose high half is a literal count and whose low half a match
 * length less four; the value 15 is continued by bytes that add up until one below 255. The literals follow, then a 16-bit
 * little-endian distance and the match copied from that far back in the output. The last sequence ends after its literals.
 *
 * Refuses, without writing past the room or reading past the block: a distance of 0 or beyond the start, more output than
 * room, a block that ends inside a sequence.
 *
 * Spec: compression.md, "LZ4".
 */

/**
 * Decodes the block `input[start, end)` to `output[outputStart, outputEnd)`.
 *
 * @returns the number of bytes written, or -1 when the block is malformed or does not fit (COMP-9, COMP-10).
 */
export function decompressLz4(
  input: Uint8Array,
  start: number,
  end: number,
  output: Uint8Array,
  outputStart: number,
  outputEnd: number,
): number {
  let from = start
  let to = outputStart
  while (from < end) {
    const token = input[from++] as number
    let literals = token >> 4
    if (literals === 15) {
      let more = 255
      while (more === 255) {
        if (from >= end) return -1
        more = input[from++] as number
        literals += more
      }
    }
    if (literals > end - from || literals > outputEnd - to) return -1 // COMP-9
    for (let i = 0; i < literals; i++) output[to++] = input[from++] as number
    if (from === end) return to - outputStart // COMP-10
    if (end - from < 2) return -1
    const distance = (input[from] as number) | ((input[from + 1] as number) << 8)
    from += 2
    if (distance === 0 || distance > to - outputStart) return -1 // COMP-9
    let length = (token & 15) + 4
    if (length === 19) {
      let more = 255
      while (more === 255) {
        if (from >= end) return -1
        more = input[from++] as number
        length += more
      }
    }
    if (length > outputEnd - to) return -1 // COMP-9
    for (let i = 0; i < length; i++, to++) output[to] = output[to - distance] as number
  }
  return -1 // COMP-10
}
