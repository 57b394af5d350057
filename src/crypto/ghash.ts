/**
 * GHASH (NIST SP 800-38D section 6.4): the universal hash inside GCM.
 *
 * The field element H is multiplied a byte at a time, lowest byte first: shift the sum by eight bits, fold what falls out
 * back in through a table of 256 reductions that all keys share, add the byte's multiple of H. That takes 4 KiB a key and
 * is as fast here as a table for each of the sixteen byte positions, which would take 64 KiB.
 *
 * Packets of a block, as keepalives are, are multiplied bit by bit: a key that sees nothing else needs no table.
 *
 * Field elements are four big-endian words; bit 0 of the standard is the top bit of the first word.
 */
/* eslint-disable @typescript-eslint/no-non-null-assertion -- every index is masked to the table's size */

/** The four words of `element` times x. */
function multiplyByX(element: Int32Array): void {
  const carry = -(element[3]! & 1)
  element[3] = (element[3]! >>> 1) | (element[2]! << 31)
  element[2] = (element[2]! >>> 1) | (element[1]! << 31)
  element[1] = (element[1]! >>> 1) | (element[0]! << 31)
  element[0] = (element[0]! >>> 1) ^ (carry & 0xe1000000)
}

/** The same as {@link updateGhash} by `h` itself, without a table: for a few blocks. */
export function updateGhashBitwise(h: Int32Array, y: Int32Array, bytes: Uint8Array, start: number, end: number): void {
  const power = new Int32Array(4)
  const sum = new Int32Array(4)
  for (let p = start; p + 16 <= end; p += 16) {
    for (let i = 0; i < 16; i++) y[i >> 2]! ^= bytes[p + i]! << (24 - 8 * (i & 3))
    power.set(h)
    sum.fill(0)
    for (let bit = 0; bit < 128; bit++) {
      const mask = (y[bit >> 5]! << (bit & 31)) >> 31
      for (let i = 0; i < 4; i++) sum[i]! ^= power[i]! & mask
      multiplyByX(power)
    }
    y.set(sum)
  }
}

/** What the byte that leaves at the low end adds at the top, by byte. */
function createReductionTable(): Int32Array {
  return Int32Array.from({ length: 256 }, (_, byte) => {
    const element = Int32Array.of(0, 0, 0, byte)
    for (let i = 0; i < 8; i++) multiplyByX(element)
    return element[0]!
  })
}

/** The 256 multiples of `h` by one byte, four words each. */
export function createGhashTable(h: Int32Array): Int32Array {
  const table = new Int32Array(1024)
  const power = Int32Array.from(h)
  for (let bit = 128; bit > 0; bit >>= 1) {
    table.set(power, 4 * bit)
    multiplyByX(power)
  }
  for (let byte = 3; byte < 256; byte++) {
    const low = byte & -byte
    if (low === byte) continue
    for (let i = 0; i < 4; i++) table[4 * byte + i] = table[4 * low + i]! ^ table[4 * (byte ^ low) + i]!
  }
  return table
}

function createUpdate(): (table: Int32Array, y: Int32Array, bytes: Uint8Array, start: number, end: number) => void {
  const REDUCTION = createReductionTable() // of a function scope for the reason given in aes.ts
  return (table: Int32Array, y: Int32Array, bytes: Uint8Array, start: number, end: number) => {
    let y0 = y[0]!
    let y1 = y[1]!
    let y2 = y[2]!
    let y3 = y[3]!
    for (let p = start; p + 16 <= end; p += 16) {
      const x0 = y0 ^ ((bytes[p]! << 24) | (bytes[p + 1]! << 16) | (bytes[p + 2]! << 8) | bytes[p + 3]!)
      const x1 = y1 ^ ((bytes[p + 4]! << 24) | (bytes[p + 5]! << 16) | (bytes[p + 6]! << 8) | bytes[p + 7]!)
      const x2 = y2 ^ ((bytes[p + 8]! << 24) | (bytes[p + 9]! << 16) | (bytes[p + 10]! << 8) | bytes[p + 11]!)
      const x3 = y3 ^ ((bytes[p + 12]! << 24) | (bytes[p + 13]! << 16) | (bytes[p + 14]! << 8) | bytes[p + 15]!)
      let i = (x3 << 2) & 0x3fc
      y0 = table[i]!
      y1 = table[i + 1]!
      y2 = table[i + 2]!
      y3 = table[i + 3]!
      i = (x3 >>> 6) & 0x3fc
      let fold = REDUCTION[y3 & 255]!
      y3 = ((y3 >>> 8) | (y2 << 24)) ^ table[i + 3]!
      y2 = ((y2 >>> 8) | (y1 << 24)) ^ table[i + 2]!
      y1 = ((y1 >>> 8) | (y0 << 24)) ^ table[i + 1]!
      y0 = (y0 >>> 8) ^ fold ^ table[i]!
      i = (x3 >>> 14) & 0x3fc
      fold = REDUCTION[y3 & 255]!
      y3 = ((y3 >>> 8) | (y2 << 24)) ^ table[i + 3]!
      y2 = ((y2 >>> 8) | (y1 << 24)) ^ table[i + 2]!
      y1 = ((y1 >>> 8) | (y0 << 24)) ^ table[i + 1]!
      y0 = (y0 >>> 8) ^ fold ^ table[i]!
      i = (x3 >>> 22) & 0x3fc
      fold = REDUCTION[y3 & 255]!
      y3 = ((y3 >>> 8) | (y2 << 24)) ^ table[i + 3]!
      y2 = ((y2 >>> 8) | (y1 << 24)) ^ table[i + 2]!
      y1 = ((y1 >>> 8) | (y0 << 24)) ^ table[i + 1]!
      y0 = (y0 >>> 8) ^ fold ^ table[i]!
      i = (x2 << 2) & 0x3fc
      fold = REDUCTION[y3 & 255]!
      y3 = ((y3 >>> 8) | (y2 << 24)) ^ table[i + 3]!
      y2 = ((y2 >>> 8) | (y1 << 24)) ^ table[i + 2]!
      y1 = ((y1 >>> 8) | (y0 << 24)) ^ table[i + 1]!
      y0 = (y0 >>> 8) ^ fold ^ table[i]!
      i = (x2 >>> 6) & 0x3fc
      fold = REDUCTION[y3 & 255]!
      y3 = ((y3 >>> 8) | (y2 << 24)) ^ table[i + 3]!
      y2 = ((y2 >>> 8) | (y1 << 24)) ^ table[i + 2]!
      y1 = ((y1 >>> 8) | (y0 << 24)) ^ table[i + 1]!
      y0 = (y0 >>> 8) ^ fold ^ table[i]!
      i = (x2 >>> 14) & 0x3fc
      fold = REDUCTION[y3 & 255]!
      y3 = ((y3 >>> 8) | (y2 << 24)) ^ table[i + 3]!
      y2 = ((y2 >>> 8) | (y1 << 24)) ^ table[i + 2]!
      y1 = ((y1 >>> 8) | (y0 << 24)) ^ table[i + 1]!
      y0 = (y0 >>> 8) ^ fold ^ table[i]!
      i = (x2 >>> 22) & 0x3fc
      fold = REDUCTION[y3 & 255]!
      y3 = ((y3 >>> 8) | (y2 << 24)) ^ table[i + 3]!
      y2 = ((y2 >>> 8) | (y1 << 24)) ^ table[i + 2]!
      y1 = ((y1 >>> 8) | (y0 << 24)) ^ table[i + 1]!
      y0 = (y0 >>> 8) ^ fold ^ table[i]!
      i = (x1 << 2) & 0x3fc
      fold = REDUCTION[y3 & 255]!
      y3 = ((y3 >>> 8) | (y2 << 24)) ^ table[i + 3]!
      y2 = ((y2 >>> 8) | (y1 << 24)) ^ table[i + 2]!
      y1 = ((y1 >>> 8) | (y0 << 24)) ^ table[i + 1]!
      y0 = (y0 >>> 8) ^ fold ^ table[i]!
      i = (x1 >>> 6) & 0x3fc
      fold = REDUCTION[y3 & 255]!
      y3 = ((y3 >>> 8) | (y2 << 24)) ^ table[i + 3]!
      y2 = ((y2 >>> 8) | (y1 << 24)) ^ table[i + 2]!
      y1 = ((y1 >>> 8) | (y0 << 24)) ^ table[i + 1]!
      y0 = (y0 >>> 8) ^ fold ^ table[i]!
      i = (x1 >>> 14) & 0x3fc
      fold = REDUCTION[y3 & 255]!
      y3 = ((y3 >>> 8) | (y2 << 24)) ^ table[i + 3]!
      y2 = ((y2 >>> 8) | (y1 << 24)) ^ table[i + 2]!
      y1 = ((y1 >>> 8) | (y0 << 24)) ^ table[i + 1]!
      y0 = (y0 >>> 8) ^ fold ^ table[i]!
      i = (x1 >>> 22) & 0x3fc
      fold = REDUCTION[y3 & 255]!
      y3 = ((y3 >>> 8) | (y2 << 24)) ^ table[i + 3]!
      y2 = ((y2 >>> 8) | (y1 << 24)) ^ table[i + 2]!
      y1 = ((y1 >>> 8) | (y0 << 24)) ^ table[i + 1]!
      y0 = (y0 >>> 8) ^ fold ^ table[i]!
      i = (x0 << 2) & 0x3fc
      fold = REDUCTION[y3 & 255]!
      y3 = ((y3 >>> 8) | (y2 << 24)) ^ table[i + 3]!
      y2 = ((y2 >>> 8) | (y1 << 24)) ^ table[i + 2]!
      y1 = ((y1 >>> 8) | (y0 << 24)) ^ table[i + 1]!
      y0 = (y0 >>> 8) ^ fold ^ table[i]!
      i = (x0 >>> 6) & 0x3fc
      fold = REDUCTION[y3 & 255]!
      y3 = ((y3 >>> 8) | (y2 << 24)) ^ table[i + 3]!
      y2 = ((y2 >>> 8) | (y1 << 24)) ^ table[i + 2]!
      y1 = ((y1 >>> 8) | (y0 << 24)) ^ table[i + 1]!
      y0 = (y0 >>> 8) ^ fold ^ table[i]!
      i = (x0 >>> 14) & 0x3fc
      fold = REDUCTION[y3 & 255]!
      y3 = ((y3 >>> 8) | (y2 << 24)) ^ table[i + 3]!
      y2 = ((y2 >>> 8) | (y1 << 24)) ^ table[i + 2]!
      y1 = ((y1 >>> 8) | (y0 << 24)) ^ table[i + 1]!
      y0 = (y0 >>> 8) ^ fold ^ table[i]!
      i = (x0 >>> 22) & 0x3fc
      fold = REDUCTION[y3 & 255]!
      y3 = ((y3 >>> 8) | (y2 << 24)) ^ table[i + 3]!
      y2 = ((y2 >>> 8) | (y1 << 24)) ^ table[i + 2]!
      y1 = ((y1 >>> 8) | (y0 << 24)) ^ table[i + 1]!
      y0 = (y0 >>> 8) ^ fold ^ table[i]!
    }
    y[0] = y0
    y[1] = y1
    y[2] = y2
    y[3] = y3
  }
}

/** Adds the whole blocks of `bytes[start, end)` to the running hash `y`. CRY-27 */
export const updateGhash = createUpdate()
