/**
 * Looking into IP packets: version, lengths, addresses, protocol, and the Internet checksum.
 *
 * Every function works at an offset of a larger buffer, reads nothing past the given length, and answers "no" or 0 for bytes
 * that are no IP packet. Addresses stay bytes; text forms belong to those who show them.
 *
 * Spec: mss.md, "IP packets".
 */

/** Length of an IPv4 header without options. */
export const IPV4_HEADER_LENGTH = 20
/** Length of the fixed IPv6 header. */
export const IPV6_HEADER_LENGTH = 40
/** Protocol and next-header numbers. */
export const IpProtocol = { ICMP: 1, TCP: 6, UDP: 17, ICMPV6: 58 } as const

/** 4 or 6 when the bytes begin like a packet of that version and hold its whole header; else 0 (MSS-1). */
export function ipVersion(bytes: Uint8Array, offset: number, length: number): 0 | 4 | 6 {
  if (length < IPV4_HEADER_LENGTH) return 0
  const version = (bytes[offset] as number) >> 4
  if (version === 4) return ipv4HeaderLength(bytes, offset, length) > 0 ? 4 : 0
  return version === 6 && length >= IPV6_HEADER_LENGTH ? 6 : 0
}

/** Header length of an IPv4 packet with its options; 0 when it is not whole. */
export function ipv4HeaderLength(bytes: Uint8Array, offset: number, length: number): number {
  const header = ((bytes[offset] as number) & 15) * 4
  return header >= IPV4_HEADER_LENGTH && header <= length ? header : 0
}

/** A copy of the source address of the packet `bytes`: 4 or 16 bytes, `undefined` when it is no IP packet. */
export function ipSource(bytes: Uint8Array, offset = 0, length: number = bytes.length): Uint8Array | undefined {
  const version = ipVersion(bytes, offset, length)
  if (version === 4) return bytes.slice(offset + 12, offset + 16)
  return version === 6 ? bytes.slice(offset + 8, offset + 24) : undefined
}

/** A copy of the destination address of the packet `bytes`: 4 or 16 bytes, `undefined` when it is no IP packet. */
export function ipDestination(bytes: Uint8Array, offset = 0, length: number = bytes.length): Uint8Array | undefined {
  const version = ipVersion(bytes, offset, length)
  if (version === 4) return bytes.slice(offset + 16, offset + 20)
  return version === 6 ? bytes.slice(offset + 24, offset + 40) : undefined
}

/** The one's complement sum of 16-bit words over `bytes[start, end)`, added to `sum`; an odd last byte counts as high. */
export function sumWords(bytes: Uint8Array, start: number, end: number, sum = 0): number {
  let total = sum
  for (let i = start; i < end; i += 2) {
    total += ((bytes[i] as number) << 8) | (i + 1 < end ? (bytes[i + 1] as number) : 0)
  }
  return foldSum(total)
}

/** A sum folded to 16 bits. */
export function foldSum(sum: number): number {
  let folded = sum
  while (folded > 0xffff) folded = (folded & 0xffff) + Math.floor(folded / 0x10000)
  return folded
}

/** The Internet checksum (RFC 1071) of `bytes[start, end)` with an optional sum to begin from. */
export function internetChecksum(bytes: Uint8Array, start: number, end: number, sum = 0): number {
  return ~sumWords(bytes, start, end, sum) & 0xffff
}

/** A big-endian u16. */
export function readU16(bytes: Uint8Array, offset: number): number {
  return ((bytes[offset] as number) << 8) | (bytes[offset + 1] as number)
}

/** Writes a big-endian u16. */
export function writeU16(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value >>> 8
  bytes[offset + 1] = value & 255
}
