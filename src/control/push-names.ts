/**
 * Strings inside pushed options, checked before they reach anybody's configuration: DNS names, host names, proxies,
 * variables (spec/push.md). Hosts hand these to resolvers and system tools, so what could be a shell's or a configuration
 * file's syntax is refused here, at the one place all of them pass.
 */
import { parseIpv4, parseIpv6 } from './addresses.ts'
import { parseDecimal } from './text.ts'
import type { DnsAddress } from './tunnel-options.ts'

/** True for a DNS name of letters, digits, hyphens, underscores and dots, at most 253 characters. PUSH-12 */
export function isDomainName(text: string): boolean {
  if (text.length === 0 || text.length > 253) return false
  for (const label of text.replace(/\.$/, '').split('.')) {
    if (!/^[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/.test(label)) return false
  }
  return true
}

/** A canonical address of either family, or `undefined`. */
export function parseAddress(text: string): string | undefined {
  return parseIpv4(text) ?? parseIpv6(text)
}

/** `address`, `address:port` (IPv4), `[address]` or `[address]:port` (IPv6); `undefined` for anything else. PUSH-13 */
export function parseDnsAddress(text: string): DnsAddress | undefined {
  if (text.startsWith('[')) {
    const close = text.indexOf(']')
    const address = parseIpv6(text.slice(1, Math.max(close, 1)))
    return address === undefined ? undefined : withPort(address, text.slice(close + 1))
  }
  const plain = parseAddress(text)
  if (plain !== undefined) return { address: plain }
  const colon = text.indexOf(':')
  const address = colon < 0 ? undefined : parseIpv4(text.slice(0, colon))
  return address === undefined ? undefined : withPort(address, text.slice(colon))
}

function withPort(address: string, rest: string): DnsAddress | undefined {
  if (rest === '') return { address }
  const port = rest.startsWith(':') ? parseDecimal(rest.slice(1), 1, 65535) : undefined
  return port === undefined ? undefined : { address, port }
}

/** True for a name or address a proxy can have. */
export function isHost(text: string): boolean {
  return parseAddress(text) !== undefined || isDomainName(text)
}

/** True for an http or https address without anything a shell would read as its own. */
export function isPlainUrl(text: string): boolean {
  return /^https?:\/\/[A-Za-z0-9._~:/?#[\]@!&*+,;=%-]{1,240}$/.test(text)
}

/** True for a variable's name: letters, digits and underscores. */
export function isVariableName(text: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]{0,63}$/.test(text)
}
