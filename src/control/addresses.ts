/**
 * IP addresses as text, read strictly and written canonically.
 *
 * IPv4 is four decimal numbers without leading zeros: `010.0.0.1` is refused, because some readers take it for octal and
 * others do not. IPv6 follows RFC 4291 (one `::`, groups of one to four hex digits, an IPv4 tail) without zone ids and is
 * written as RFC 5952 says. Addresses are carried as text in every record of this floor.
 */

/** The four bytes of a dotted address, or `undefined`. */
export function parseIpv4Bytes(text: string): Uint8Array | undefined {
  const parts = text.split('.', 5)
  if (parts.length !== 4) return undefined
  const bytes = new Uint8Array(4)
  for (let i = 0; i < 4; i++) {
    const part = parts[i] as string
    if (!/^(0|[1-9][0-9]{0,2})$/.test(part)) return undefined // PUSH-6
    const value = Number(part)
    if (value > 255) return undefined
    bytes[i] = value
  }
  return bytes
}

/** The canonical text of four bytes. */
export function formatIpv4(bytes: Uint8Array): string {
  return bytes.subarray(0, 4).join('.')
}

/** The sixteen bytes of an IPv6 address, or `undefined`. */
export function parseIpv6Bytes(text: string): Uint8Array | undefined {
  if (text.length < 2 || text.length > 45) return undefined
  const halves = text.split('::', 3)
  if (halves.length > 2) return undefined
  const head = groups(halves[0] as string, halves.length === 1)
  const tail = halves.length === 2 ? groups(halves[1] as string, true) : []
  if (head === undefined || tail === undefined) return undefined
  const gap = 8 - head.length - tail.length
  if (halves.length === 1 ? gap !== 0 : gap < 1) return undefined
  const bytes = new Uint8Array(16)
  const all = [...head, ...new Array<number>(gap).fill(0), ...tail]
  all.forEach((group, index) => {
    bytes[2 * index] = group >> 8
    bytes[2 * index + 1] = group & 255
  })
  return bytes
}

/** Colon-separated groups; the last may be a dotted address where `last` is true. */
function groups(text: string, last: boolean): number[] | undefined {
  if (text === '') return []
  const parts = text.split(':', 9)
  const out: number[] = []
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i] as string
    if (/^[0-9a-fA-F]{1,4}$/.test(part)) {
      out.push(parseInt(part, 16))
      continue
    }
    const ipv4 = last && i === parts.length - 1 ? parseIpv4Bytes(part) : undefined
    if (ipv4 === undefined) return undefined
    out.push(((ipv4[0] as number) << 8) | (ipv4[1] as number), ((ipv4[2] as number) << 8) | (ipv4[3] as number))
  }
  return out.length > 8 ? undefined : out
}

/** The canonical text of sixteen bytes (RFC 5952). */
export function formatIpv6(bytes: Uint8Array): string {
  const words: number[] = []
  for (let i = 0; i < 16; i += 2) words.push(((bytes[i] as number) << 8) | (bytes[i + 1] as number))
  let best = -1
  let bestLength = 1
  for (let i = 0; i < 8; i++) {
    let length = 0
    while (i + length < 8 && words[i + length] === 0) length++
    if (length > bestLength) {
      best = i
      bestLength = length
    }
  }
  const hex = (from: number, to: number): string =>
    words
      .slice(from, to)
      .map((word) => word.toString(16))
      .join(':')
  return best < 0 ? hex(0, 8) : `${hex(0, best)}::${hex(best + bestLength, 8)}`
}

/** A canonical IPv4 address, or `undefined`. */
export function parseIpv4(text: string): string | undefined {
  return parseIpv4Bytes(text) === undefined ? undefined : text
}

/** A canonical IPv6 address, or `undefined`. */
export function parseIpv6(text: string): string | undefined {
  const bytes = parseIpv6Bytes(text)
  return bytes === undefined ? undefined : formatIpv6(bytes)
}

/** The prefix length of a netmask whose ones are on the left, or `undefined`. */
export function parseNetmask(text: string): number | undefined {
  const bytes = parseIpv4Bytes(text)
  if (bytes === undefined) return undefined
  let prefix = 0
  let ended = false
  for (const byte of bytes) {
    for (let bit = 7; bit >= 0; bit--) {
      const one = ((byte >> bit) & 1) === 1
      if (one && ended) return undefined
      if (one) prefix++
      else ended = true
    }
  }
  return prefix
}

/** The dotted netmask of a prefix length from 0 to 32. */
export function formatNetmask(prefix: number): string {
  return formatIpv4(maskBytes(new Uint8Array(4).fill(255), prefix))
}

/** `bytes` with everything behind the first `prefix` bits cleared, as a new array. */
export function maskBytes(bytes: Uint8Array, prefix: number): Uint8Array {
  return bytes.map((byte, index) => {
    const keep = Math.min(8, Math.max(0, prefix - 8 * index))
    return byte & (0xff00 >> keep) & 0xff
  })
}

/** The network of an IPv4 address: its first `prefix` bits, canonical. */
export function networkOf4(address: string, prefix: number): string | undefined {
  const bytes = parseIpv4Bytes(address)
  return bytes === undefined ? undefined : formatIpv4(maskBytes(bytes, prefix))
}

/** `address/prefix` of IPv6; a missing prefix is 128. */
export function parseIpv6Prefix(text: string): { readonly address: string; readonly prefix: number } | undefined {
  const slash = text.indexOf('/')
  const address = parseIpv6(slash < 0 ? text : text.slice(0, slash))
  if (address === undefined) return undefined
  if (slash < 0) return { address, prefix: 128 }
  const digits = text.slice(slash + 1)
  if (!/^(0|[1-9][0-9]{0,2})$/.test(digits)) return undefined
  const prefix = Number(digits)
  return prefix > 128 ? undefined : { address, prefix }
}

/** The network of an IPv6 address: its first `prefix` bits, canonical. */
export function networkOf6(address: string, prefix: number): string | undefined {
  const bytes = parseIpv6Bytes(address)
  return bytes === undefined ? undefined : formatIpv6(maskBytes(bytes, prefix))
}
