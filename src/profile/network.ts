/**
 * Argument kinds for addresses and networks, read strictly by the control floor's readers.
 *
 * The words `vpn_gateway`, `net_gateway`, `remote_host` and `default` are allowed where the reference allows them.
 */
import { parseIpv4, parseIpv6, parseNetmask } from '../control/index.ts'
import { type Argument, type CheckedSince, custom } from './argument.ts'

/** An IPv6 prefix. */
export interface Ipv6Prefix {
  readonly address: string
  /** 0 to 128. */
  readonly bits: number
}

/** A dotted quad. */
export function ipv4(name = 'address', checkedSince: CheckedSince = 'always'): Argument<string, 'required'> {
  return custom(name, 'an IPv4 address', parseIpv4, checkedSince)
}

/** A netmask as a dotted quad. */
export function netmask(name = 'netmask', checkedSince: CheckedSince = 'always'): Argument<string, 'required'> {
  const read = (word: string): string | undefined => (parseNetmask(word) === undefined ? undefined : word)
  return custom(name, 'a netmask such as 255.255.255.0', read, checkedSince)
}

/** An IPv6 address. */
export function ipv6(name = 'address', checkedSince: CheckedSince = 'always'): Argument<string, 'required'> {
  return custom(name, 'an IPv6 address', parseIpv6, checkedSince)
}

/** What an {@link ipv6Prefix} may be. */
export interface PrefixBounds {
  /** An address without a length will do: it is a prefix of its own, or one of so many bits. */
  readonly bare?: boolean | number
  readonly least?: number
  readonly most?: number
}

/** An IPv6 address with a prefix length. */
export function ipv6Prefix(name = 'prefix', bounds: PrefixBounds = {}): Argument<Ipv6Prefix, 'required'> {
  const { bare = false, least = 0, most = 128 } = bounds
  const range = least === 0 && most === 128 ? '' : ` with a length from ${least} to ${most}`
  return custom(name, `an IPv6 network such as fd00::/64${range}`, (word) => {
    const [text = '', length, ...more] = word.split('/', 3)
    const address = parseIpv6(text)
    if (address === undefined || more.length > 0) return undefined
    if (length === undefined) return bare === false ? undefined : { address, bits: bare === true ? 128 : bare }
    if (!/^\d{1,3}$/.test(length)) return undefined
    const bits = Number(length)
    return bits >= least && bits <= most ? { address, bits } : undefined
  })
}

const ROUTE_WORDS = ['vpn_gateway', 'net_gateway', 'remote_host', 'default']

/** The network, mask or gateway of a route: an address, a keyword, or a name. The reference looks when it sets the route. */
export function routeWord(name: string): Argument<string, 'required'> {
  const read = (word: string): string | undefined =>
    parseIpv4(word) !== undefined || ROUTE_WORDS.includes(word) || isHostName(word) ? word : undefined
  return custom(name, 'an IPv4 address, a host name or a gateway keyword', read, 'never')
}

/** True for names of letters, digits, hyphens, underscores and dots that are no half-written addresses. */
export function isHostName(text: string): boolean {
  return (
    text.length <= 255 && /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/.test(text) && !text.includes('..') && !/^[\d.]+$/.test(text)
  )
}
