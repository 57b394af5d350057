/**
 * UTF-8 both ways, and Latin-1-free ASCII.
 *
 * `TextEncoder` is a host API, not part of the language, so the pure floors carry their own. Lone surrogates are
 * written as U+FFFD; malformed input decodes to U+FFFD per maximal bad prefix, as WHATWG decoders do.
 */

/** The UTF-8 form of `text`. */
export function utf8Encode(text: string): Uint8Array {
  return encodeAscii(text) ?? encode(text)
}

function encodeAscii(text: string): Uint8Array | undefined {
  const out = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code >= 0x80) return undefined
    out[i] = code
  }
  return out
}

function encode(text: string): Uint8Array {
  const out = new Uint8Array(text.length * 3)
  let length = 0
  for (const character of text) {
    let point = character.codePointAt(0) as number
    if (point >= 0xd800 && point <= 0xdfff) point = 0xfffd
    if (point < 0x80) {
      out[length++] = point
    } else if (point < 0x800) {
      out[length++] = 0xc0 | (point >> 6)
      out[length++] = 0x80 | (point & 63)
    } else if (point < 0x10000) {
      out[length++] = 0xe0 | (point >> 12)
      out[length++] = 0x80 | ((point >> 6) & 63)
      out[length++] = 0x80 | (point & 63)
    } else {
      out[length++] = 0xf0 | (point >> 18)
      out[length++] = 0x80 | ((point >> 12) & 63)
      out[length++] = 0x80 | ((point >> 6) & 63)
      out[length++] = 0x80 | (point & 63)
    }
  }
  return out.slice(0, length)
}

/** The text of UTF-8 `bytes`; malformed sequences become U+FFFD. */
export function utf8Decode(bytes: Uint8Array): string {
  return decode(bytes) ?? decodeLossy(bytes)
}

/** The text of UTF-8 `bytes`, or `undefined` when they are not well-formed. */
export function utf8DecodeStrict(bytes: Uint8Array): string | undefined {
  return decode(bytes)
}

function decode(bytes: Uint8Array): string | undefined {
  let text = ''
  for (let i = 0; i < bytes.length; ) {
    const first = bytes[i] as number
    if (first < 0x80) {
      text += String.fromCharCode(first)
      i++
      continue
    }
    const step = sequence(bytes, i)
    if (step.point < 0) return undefined
    text += String.fromCodePoint(step.point)
    i += step.length
  }
  return text
}

function decodeLossy(bytes: Uint8Array): string {
  let text = ''
  for (let i = 0; i < bytes.length; ) {
    const step = sequence(bytes, i)
    text += step.point < 0 ? '\ufffd' : String.fromCodePoint(step.point)
    i += step.length
  }
  return text
}

/** One code point at `start`: its value or -1, and how many bytes it (or the bad prefix) takes. */
function sequence(bytes: Uint8Array, start: number): { point: number; length: number } {
  const first = bytes[start] as number
  if (first < 0x80) return { point: first, length: 1 }
  if (first < 0xc2 || first > 0xf4) return { point: -1, length: 1 }
  const more = first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3
  let point = first & (0x3f >> more)
  for (let i = 1; i <= more; i++) {
    const byte = bytes[start + i]
    if (byte === undefined || (byte & 0xc0) !== 0x80) return { point: -1, length: i }
    if (i === 1 && !secondByteFits(first, byte)) return { point: -1, length: 1 }
    point = (point << 6) | (byte & 0x3f)
  }
  return { point, length: more + 1 }
}

/** Rules out overlong forms, surrogates and values above U+10FFFF (Unicode table 3-7). */
function secondByteFits(first: number, second: number): boolean {
  if (first === 0xe0) return second >= 0xa0
  if (first === 0xed) return second < 0xa0
  if (first === 0xf0) return second >= 0x90
  return first === 0xf4 ? second < 0x90 : true
}
