/**
 * Addresses as numbers, for arithmetic on plans and for keys of tables.
 */
import { formatIpv4, formatIpv6, parseIpv4Bytes, parseIpv6Bytes } from '../control/index.ts'
import { ConfigError } from '../bytes/index.ts'

/** An IPv4 address as an unsigned 32-bit number. @throws ConfigError */
export function ipv4Number(text: string, option: string): number {
  const bytes = parseIpv4Bytes(text)
  if (bytes === undefined) throw new ConfigError(option, `${text} is no IPv4 address`)
  return readU32(bytes, 0)
}

/** The text of an IPv4 number. */
export function ipv4Text(value: number): string {
  return formatIpv4(Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value))
}

/** The network of an address: its first `prefix` bits, as a number. */
export function maskNumber(value: number, prefix: number): number {
  return prefix === 0 ? 0 : (value & (0xffffffff << (32 - prefix))) >>> 0
}

/** The bytes of an IPv6 address. @throws ConfigError */
export function ipv6Bytes(text: string, option: string): Uint8Array {
  const bytes = parseIpv6Bytes(text)
  if (bytes === undefined) throw new ConfigError(option, `${text} is no IPv6 address`)
  return bytes
}

/** An IPv6 address some steps further, as text; only the last 32 bits count. */
export function ipv6Plus(base: Uint8Array, steps: number): string {
  const bytes = base.slice()
  const sum = (readU32(bytes, 12) + steps) >>> 0
  bytes.set([sum >>> 24, sum >>> 16, sum >>> 8, sum], 12)
  return formatIpv6(bytes)
}

/** Big-endian 32 bits. */
export function readU32(bytes: Uint8Array, offset: number): number {
  return (
    (((bytes[offset] as number) << 24) |
      ((bytes[offset + 1] as number) << 16) |
      ((bytes[offset + 2] as number) << 8) |
      (bytes[offset + 3] as number)) >>>
    0
  )
}

/** The same bits as a signed number, which a field holds without an object of its own. */
export function readI32(bytes: Uint8Array, offset: number): number {
  return (
    ((bytes[offset] as number) << 24) |
    ((bytes[offset + 1] as number) << 16) |
    ((bytes[offset + 2] as number) << 8) |
    (bytes[offset + 3] as number)
  )
}
