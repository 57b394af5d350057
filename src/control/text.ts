/**
 * The text primitives of the control channel: decimal numbers read strictly, and peers' strings made safe to show.
 *
 * Everything a peer sends inside TLS is text that ends up in logs, terminals and user interfaces of the host. Strings
 * that leave this floor therefore hold no control characters (C0, DEL, C1), no line or paragraph separators and none of
 * the Unicode characters that reorder a line (spec/messages.md). Numbers are plain ASCII digits in a stated range: no
 * sign, no white space, no exponent, no hexadecimal.
 */
import { utf8Decode } from '../bytes/index.ts'

/** The value of one to ten ASCII digits within `[min, max]`, or `undefined`. */
export function parseDecimal(text: string, min: number, max: number): number | undefined {
  if (text.length === 0 || text.length > 10) return undefined
  let value = 0
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48
    if (digit < 0 || digit > 9) return undefined
    value = value * 10 + digit
  }
  return value >= min && value <= max ? value : undefined
}

/** True for a code point that can disturb a terminal or the order of a line. */
function disturbs(point: number): boolean {
  if (point < 0x20) return true
  if (point >= 0x7f && point <= 0x9f) return true
  if (point === 0x61c || point === 0x200e || point === 0x200f) return true
  return (point >= 0x2028 && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069) || point === 0xfeff
}

/** `text` with every character that can disturb a terminal or a log replaced by U+FFFD. MSG-4 */
export function printable(text: string): string {
  let out = ''
  let clean = true
  for (const character of text) {
    if (disturbs(character.codePointAt(0) as number)) {
      clean = false
      out += '\ufffd'
    } else {
      out += character
    }
  }
  return clean ? text : out
}

/** UTF-8 `bytes` as text that is safe to show; malformed parts and disturbing characters become U+FFFD. */
export function printableText(bytes: Uint8Array): string {
  return printable(utf8Decode(bytes))
}

/** True when `text` holds only the visible ASCII characters and the space. */
export function isPlainAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code < 0x20 || code > 0x7e) return false
  }
  return true
}
