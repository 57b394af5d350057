/**
 * The words of `dns` and `dhcp-option`, which are small languages of their own.
 */
import { parseIpv4, parseIpv6 } from '../../control/index.ts'

const isAddress = (word: string): boolean => parseIpv4(word) !== undefined || parseIpv6(word) !== undefined

/** An address with an optional port: `10.0.0.1:53`, `[fd00::1]:53`. */
function isServerAddress(word: string): boolean {
  if (isAddress(word)) return true
  const bracketed = /^\[([^\]]+)\](?::(\d{1,5}))?$/.exec(word)
  if (bracketed !== null) return parseIpv6(bracketed[1] ?? '') !== undefined && isPort(bracketed[2])
  const colon = word.lastIndexOf(':')
  return colon > 0 && parseIpv4(word.slice(0, colon)) !== undefined && isPort(word.slice(colon + 1))
}

function isPort(word: string | undefined): boolean {
  return word === undefined || (/^\d{1,5}$/.test(word) && Number(word) >= 1 && Number(word) <= 65_535)
}

const SERVER_FORMS: Readonly<Record<string, (words: readonly string[]) => boolean>> = {
  address: (words) => words.length <= 8 && words.every(isServerAddress),
  'resolve-domains': () => true,
  dnssec: (words) => words.length === 1 && ['yes', 'optional', 'no'].includes(words[0] ?? ''),
  transport: (words) => words.length === 1 && ['DoH', 'DoT', 'plain'].includes(words[0] ?? ''),
  sni: (words) => words.length === 1,
}

/** What would be right, or `undefined` when the words of a `dns` line are. */
export function checkDns(words: readonly string[]): string | undefined {
  const [subject, number, form, ...rest] = words
  if (subject === 'search-domains') return words.length > 1 ? undefined : 'behind "search-domains" come domain names'
  if (subject !== 'server') return undefined
  const priority = Number(number)
  if (number === undefined || !/^-?\d{1,3}$/.test(number) || priority < -128 || priority > 127) {
    return 'behind "server" comes a number from -128 to 127'
  }
  const fits = form !== undefined && Object.hasOwn(SERVER_FORMS, form) ? SERVER_FORMS[form] : undefined
  if (fits === undefined || rest.length === 0) {
    return 'behind the number comes one of address, resolve-domains, dnssec, transport and sni, with its value'
  }
  return fits(rest) ? undefined : `behind "${form ?? ''}" comes what the manual lists for it`
}

/** True for text that 2.7 takes for a domain: what a shell or a configuration file could take for its own is refused. */
export function isPlainDomain(word: string): boolean {
  return /^[A-Za-z0-9._\u0080-\uffff-]*$/.test(word)
}

const DOMAIN_TYPES = new Set(['DOMAIN', 'DOMAIN-SEARCH', 'ADAPTER_DOMAIN_SUFFIX'])
const ADDRESS_TYPES = new Set(['DNS', 'NBDD', 'NTP', 'WINS'])

/** What would be right, or `undefined` when the words of a `dhcp-option` line are. */
export function checkDhcpOption(words: readonly string[]): string | undefined {
  const [type, value] = words
  if (type === 'DNS6')
    return value !== undefined && parseIpv6(value) !== undefined ? undefined : 'behind DNS6 comes an IPv6 address'
  if (type !== undefined && DOMAIN_TYPES.has(type))
    return isPlainDomain(value ?? '') ? undefined : `behind ${type} comes a domain name`
  if (type === undefined || !ADDRESS_TYPES.has(type)) return undefined
  return value !== undefined && isAddress(value) ? undefined : `behind ${type} comes an IP address`
}
