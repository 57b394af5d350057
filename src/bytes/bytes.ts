/**
 * Byte arrays: joining, comparing, slicing into text forms and back.
 *
 * `Buffer` does not exist here; everything is a plain `Uint8Array`. Comparisons of secrets go through
 * {@link equalConstantTime}, never through {@link equalBytes}.
 */

/** The empty array, shared. */
export const EMPTY: Uint8Array = new Uint8Array(0)

/**
 * The same memory as a plain `Uint8Array`. Subclasses of hosts may differ where it matters: `slice` of a Node `Buffer` is a
 * view of the caller's memory, not a copy. Every entry point that takes bytes from a host begins with this. BYTES-2
 */
export function plainBytes(bytes: Uint8Array): Uint8Array {
  return bytes.constructor === Uint8Array ? bytes : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
}

/** A new array holding `parts` one after another. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const part of parts) length += part.length
  const out = new Uint8Array(length)
  let offset = 0
  for (const part of parts) {
    out.set(part, offset)
    offset += part.length
  }
  return out
}

/** True when both arrays hold the same bytes. Returns early: not for secrets. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/**
 * True when both arrays hold the same bytes; the work depends on the lengths only.
 * For MACs, tags, cookies and tokens.
 */
export function equalConstantTime(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  let difference = 0
  for (let i = 0; i < a.length; i++) difference |= (a[i] as number) ^ (b[i] as number)
  return difference === 0
}

/** True when `length` bytes at the two offsets are equal; constant work. The ranges must lie inside the arrays. */
export function equalRangeConstantTime(
  a: Uint8Array,
  aOffset: number,
  b: Uint8Array,
  bOffset: number,
  length: number,
): boolean {
  let difference = 0
  for (let i = 0; i < length; i++) difference |= (a[aOffset + i] as number) ^ (b[bOffset + i] as number)
  return difference === 0
}

/** Lexicographic order of two arrays: negative, zero or positive. Not for secrets. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const difference = (a[i] as number) - (b[i] as number)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

/** Overwrites every byte with zero. Best effort: engines may keep copies. */
export function wipe(bytes: Uint8Array): void {
  bytes.fill(0)
}

const HEX = '0123456789abcdef'

/** Lower-case hex digits. */
export function toHex(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += HEX.charAt(byte >> 4) + HEX.charAt(byte & 15)
  return text
}

/** Bytes of an even number of hex digits of either case; `undefined` for anything else. */
export function fromHex(text: string): Uint8Array | undefined {
  if (text.length % 2 !== 0) return undefined
  const out = new Uint8Array(text.length / 2)
  for (let i = 0; i < out.length; i++) {
    const high = hexDigit(text.charCodeAt(2 * i))
    const low = hexDigit(text.charCodeAt(2 * i + 1))
    if (high < 0 || low < 0) return undefined
    out[i] = (high << 4) | low
  }
  return out
}

function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48
  const lower = code | 32
  return lower >= 97 && lower <= 102 ? lower - 87 : -1
}

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** Standard base64 with padding. */
export function toBase64(bytes: Uint8Array): string {
  let text = ''
  for (let i = 0; i < bytes.length; i += 3) {
    const a = bytes[i] as number
    const b = bytes[i + 1]
    const c = bytes[i + 2]
    const word = (a << 16) | ((b ?? 0) << 8) | (c ?? 0)
    text += BASE64.charAt(word >> 18) + BASE64.charAt((word >> 12) & 63)
    text += b === undefined ? '=' : BASE64.charAt((word >> 6) & 63)
    text += c === undefined ? '=' : BASE64.charAt(word & 63)
  }
  return text
}

/**
 * Bytes of standard base64. Strict: padding present, no white space, no stray bits in the last group;
 * `undefined` for anything else.
 */
export function fromBase64(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0) return undefined
  let padding = 0
  if (text.endsWith('==')) padding = 2
  else if (text.endsWith('=')) padding = 1
  const digits = text.length - padding
  const out = new Uint8Array((text.length / 4) * 3 - padding)
  let word = 0
  let bits = 0
  let offset = 0
  for (let i = 0; i < digits; i++) {
    const digit = base64Digit(text.charCodeAt(i))
    if (digit < 0) return undefined
    word = ((word << 6) | digit) & 0xffffff
    bits += 6
    if (bits >= 8) {
      bits -= 8
      out[offset++] = (word >> bits) & 255
    }
  }
  return (word & ((1 << bits) - 1)) === 0 ? out : undefined
}

function base64Digit(code: number): number {
  if (code >= 65 && code <= 90) return code - 65
  if (code >= 97 && code <= 122) return code - 71
  if (code >= 48 && code <= 57) return code + 4
  if (code === 43) return 62
  return code === 47 ? 63 : -1
}
