/**
 * Argument kinds for addresses and networks, read strictly.
 *
 * An IPv4 address is four decimal numbers from 0 to 255 without leading zeros, so that no reader takes `010` for eight.
 * A netmask is a row of ones before a row of zeros. IPv6 follows RFC 4291 section 2.2, zone names excluded. The words
 * `vpn_gateway`, `net_gateway`, `remote_host` and `default` are allowed where the reference allows them.
 */
import { type Argument, type CheckedSince, custom } from './argument.ts'

/** An IPv6 prefix. */
export interface Ipv6Prefix {
  readonly address: string
  /** 0 to 128. */
  readonly bits: number
}

/** The 32-bit value of a dotted quad, or `undefined`. */
export function parseIpv4(text: string): number | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)
  if (match === null) return undefined
  let value = 0
  for (const part of match.slice(1)) {
    const byte = Number(part)
    if (byte > 255 || (part.length > 1 && part.startsWith('0'))) return undefined
    value = value * 256 + byte
  }
  return value
}

/** The dotted quad of a 32-bit value. */
export function formatIpv4(value: number): string {
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.')
}

/** The eight groups of an IPv6 address, or `undefined`. */
export function parseIpv6(text: string): readonly number[] | undefined {
  const halves = text.split('::')
  if (text.length > 45 || halves.length > 2) return undefined
  const groups = halves.map(parseGroups)
  const [head, tail] = groups
  if (head === undefined) return undefined
  if (halves.length === 1) return head.length === 8 ? head : undefined
  if (tail === undefined || head.length + tail.length > 7) return undefined
  return [...head, ...new Array<number>(8 - head.length - tail.length).fill(0), ...tail]
}

/** Colon-separated groups; the last may be a dotted quad. */
function parseGroups(text: string): number[] | undefined {
  if (text === '') return []
  const groups: number[] = []
  const parts = text.split(':')
  for (const [index, part] of parts.entries()) {
    if (/^[0-9a-fA-F]{1,4}$/.test(part)) {
      groups.push(Number.parseInt(part, 16))
      continue
    }
    const quad = index === parts.length - 1 ? parseIpv4(part) : undefined
    if (quad === undefined) return undefined
    groups.push(quad >>> 16, quad & 0xffff)
  }
  return groups
}

/** How many leading ones a netmask has, or `undefined` when it is none. */
export function netmaskBits(value: number): number | undefined {
  const holes = ~value >>> 0
  return (holes & (holes + 1)) === 0 ? 32 - Math.round(Math.log2(holes + 1)) : undefined
}

/** A dotted quad. */
export function ipv4(name = 'address', checkedSince: CheckedSince = 'always'): Argument<string, 'required'> {
  return custom(name, 'an IPv4 address', (word) => (parseIpv4(word) === undefined ? undefined : word), checkedSince)
}

/** A netmask as a dotted quad. */
export function netmask(name = 'netmask', checkedSince: CheckedSince = 'always'): Argument<string, 'required'> {
  return custom(
    name,
    'a netmask such as 255.255.255.0',
    (word) => {
      const value = parseIpv4(word)
      return value === undefined || netmaskBits(value) === undefined ? undefined : word
    },
    checkedSince,
  )
}

/** An IPv6 address. */
export function ipv6(name = 'address', checkedSince: CheckedSince = 'always'): Argument<string, 'required'> {
  return custom(name, 'an IPv6 address', (word) => (parseIpv6(word) === undefined ? undefined : word), checkedSince)
}

/** An IPv6 address with a prefix length between the two bounds; without one it is the address alone where that is allowed. */
export function ipv6Prefix(
  name = 'prefix',
  options: { readonly bare?: boolean; readonly least?: number; readonly most?: number } = {},
): Argument<Ipv6Prefix, 'required'> {
  const { bare = false, least = 0, most = 128 } = options
  const range = least === 0 && most === 128 ? '' : ` with a length from ${least} to ${most}`
  return custom(name, `an IPv6 network such as fd00::/64${range}`, (word) => {
    const [address, length, ...more] = word.split('/')
    if (address === undefined || more.length > 0 || parseIpv6(address) === undefined) return undefined
    if (length === undefined) return bare ? { address, bits: 128 } : undefined
    if (!/^\d{1,3}$/.test(length)) return undefined
    const bits = Number(length)
    return bits >= least && bits <= most ? { address, bits } : undefined
  })
}

const ROUTE_WORDS = ['vpn_gateway', 'net_gateway', 'remote_host', 'default']

/** The network, mask, gateway or metric of a route: an address, a keyword, or a name with `allow-pull-fqdn`. */
export function routeWord(name: string): Argument<string, 'required'> {
  return custom(
    name,
    'an IPv4 address, a host name or a gateway keyword',
    (word) => (parseIpv4(word) !== undefined || ROUTE_WORDS.includes(word) || isHostName(word) ? word : undefined),
    'always',
  )
}

/** True for names of letters, digits, hyphens, underscores and dots that are no half-written addresses. */
export function isHostName(text: string): boolean {
  return text.length <= 255 && /^[A-Za-z0-9_]([A-Za-z0-9_-]*\.?)*$/.test(text) && !/^[\d.]+$/.test(text)
}
