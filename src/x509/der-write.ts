/**
 * Writing DER: each function returns one encoded value.
 */
import { concat, invariant, utf8Encode } from '../bytes/index.ts'
import { TAG } from './der.ts'
import { civilTimeOf } from './time.ts'

/** A value from its identifier octet and contents. */
export function der(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const content = concat(...parts)
  return concat(new Uint8Array([tag, ...lengthOctets(content.length)]), content)
}

function lengthOctets(length: number): readonly number[] {
  if (length < 0x80) return [length]
  const octets: number[] = []
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256)
  return [0x80 | octets.length, ...octets]
}

export function derSequence(...parts: readonly Uint8Array[]): Uint8Array {
  return der(TAG.sequence, ...parts)
}

export function derSet(...parts: readonly Uint8Array[]): Uint8Array {
  return der(TAG.set, ...parts)
}

/** A non-negative INTEGER from big-endian magnitude bytes. */
export function derUnsigned(magnitude: Uint8Array): Uint8Array {
  let start = 0
  while (start < magnitude.length - 1 && magnitude[start] === 0) start++
  const digits = magnitude.subarray(start)
  if (digits.length === 0) return der(TAG.integer, new Uint8Array(1))
  return (digits[0] as number) >= 0x80 ? der(TAG.integer, new Uint8Array(1), digits) : der(TAG.integer, digits)
}

/** A small non-negative INTEGER, or one with another tag. */
export function derInteger(value: number, tag: number = TAG.integer): Uint8Array {
  const octets: number[] = []
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256)
  if (octets.length === 0 || (octets[0] as number) >= 0x80) octets.unshift(0)
  return der(tag, new Uint8Array(octets))
}

export function derBoolean(value: boolean): Uint8Array {
  return der(TAG.boolean, new Uint8Array([value ? 255 : 0]))
}

export function derNull(): Uint8Array {
  return der(TAG.null)
}

export function derOctets(content: Uint8Array): Uint8Array {
  return der(TAG.octetString, content)
}

/** A BIT STRING of whole octets. */
export function derBits(content: Uint8Array): Uint8Array {
  return der(TAG.bitString, new Uint8Array(1), content)
}

/** A named-bit BIT STRING from a mask whose bit n is named bit n, trailing zeros removed. */
export function derNamedBits(mask: number, tag: number = TAG.bitString): Uint8Array {
  const length = 32 - Math.clz32(mask)
  const octets = new Uint8Array(1 + Math.ceil(length / 8))
  octets[0] = (8 - (length % 8)) % 8
  for (let bit = 0; bit < length; bit++) {
    const at = 1 + (bit >> 3)
    if ((mask & (1 << bit)) !== 0) octets[at] = (octets[at] as number) | (0x80 >> (bit & 7))
  }
  return der(tag, octets)
}

export function derUtf8(text: string): Uint8Array {
  return der(TAG.utf8String, utf8Encode(text))
}

/** Text in a one-byte string type. */
export function derAscii(tag: number, text: string): Uint8Array {
  return der(tag, utf8Encode(text))
}

/** An OBJECT IDENTIFIER from its dotted form, with another tag where given. */
export function derOid(text: string, tag: number = TAG.oid): Uint8Array {
  const arcs = text.split('.').map(Number)
  const [root, second, ...rest] = arcs
  invariant(root !== undefined && second !== undefined && arcs.every(Number.isSafeInteger), 'X509-3')
  const octets: number[] = []
  for (const arc of [root * 40 + second, ...rest]) {
    const digits = [arc % 128]
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) digits.unshift(0x80 | (left % 128))
    octets.push(...digits)
  }
  return der(tag, new Uint8Array(octets))
}

/** A time of RFC 5280 section 4.1.2.5: UTCTime through 2049, GeneralizedTime from 2050 on. */
export function derTime(unixTime: number): Uint8Array {
  const { year, month, day, hour, minute, second } = civilTimeOf(unixTime)
  const two = (value: number): string => String(value).padStart(2, '0')
  const rest = `${two(month)}${two(day)}${two(hour)}${two(minute)}${two(second)}Z`
  return year >= 1950 && year < 2050
    ? derAscii(TAG.utcTime, two(year % 100) + rest)
    : derAscii(TAG.generalizedTime, String(year).padStart(4, '0') + rest)
}
