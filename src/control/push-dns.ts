/**
 * Name resolution in pushed options: `dns …` as of release 2.6, and the older `dhcp-option …` (spec/push.md).
 */
import { parseIpv4, parseIpv6 } from './addresses.ts'
import type { OptionsDraft, PushProblem } from './push-draft.ts'
import { isDomainName, isHost, isPlainUrl, parseAddress, parseDnsAddress } from './push-names.ts'
import { parseDecimal } from './text.ts'
import type { DnsAddress } from './tunnel-options.ts'

/** Most addresses of one name server. */
const MAX_DNS_ADDRESSES = 8

function bad(detail: string): PushProblem {
  return { reason: 'bad-value', detail }
}

/** `dns search-domains …` and `dns server N …`. PUSH-13 */
export function applyDns(draft: OptionsDraft, args: readonly string[]): PushProblem | undefined {
  const [kind, ...rest] = args
  if (kind === 'search-domains') {
    if (rest.length === 0) return { reason: 'wrong-argument-count', detail: 'at least one domain' }
    if (!rest.every(isDomainName)) return bad('not a domain name')
    for (const domain of rest) if (!draft.searchDomains.includes(domain)) draft.searchDomains.push(domain)
    return undefined
  }
  if (kind !== 'server') return bad('server or search-domains')
  const [number, property, ...values] = rest
  const priority = parsePriority(number ?? '')
  if (priority === undefined) return bad('the server number is -128 to 127')
  if (property === undefined || values.length === 0)
    return { reason: 'wrong-argument-count', detail: 'a property and its value' }
  return applyDnsServer(draft, priority, property, values)
}

function parsePriority(text: string): number | undefined {
  if (text.startsWith('-')) {
    const value = parseDecimal(text.slice(1), 1, 128)
    return value === undefined ? undefined : -value
  }
  return parseDecimal(text, 0, 127)
}

function applyDnsServer(
  draft: OptionsDraft,
  priority: number,
  property: string,
  values: readonly string[],
): PushProblem | undefined {
  const server = draft.dnsServers.get(priority) ?? {
    addresses: [],
    resolveDomains: [],
    dnssec: undefined,
    transport: undefined,
    sni: undefined,
  }
  const value = values[0] as string
  const single = values.length === 1
  if (property === 'address') {
    const addresses: DnsAddress[] = []
    for (const text of values) {
      const address = parseDnsAddress(text)
      if (address === undefined) return bad('not an address with an optional port')
      addresses.push(address)
    }
    if (server.addresses.length + addresses.length > MAX_DNS_ADDRESSES)
      return { reason: 'too-many', detail: `at most ${MAX_DNS_ADDRESSES} addresses` }
    server.addresses = [...server.addresses, ...addresses]
  } else if (property === 'resolve-domains') {
    if (!values.every(isDomainName)) return bad('not a domain name')
    server.resolveDomains = [...server.resolveDomains, ...values]
  } else if (property === 'dnssec') {
    if (!single || (value !== 'yes' && value !== 'optional' && value !== 'no')) return bad('yes, optional or no')
    server.dnssec = value
  } else if (property === 'transport') {
    if (!single || (value !== 'plain' && value !== 'DoT' && value !== 'DoH')) return bad('plain, DoT or DoH')
    server.transport = value
  } else if (property === 'sni') {
    if (!single || !isDomainName(value)) return bad('not a domain name')
    server.sni = value
  } else {
    return bad('address, resolve-domains, dnssec, transport or sni')
  }
  draft.dnsServers.set(priority, server)
  return undefined
}

type DhcpParser = (draft: OptionsDraft, args: readonly string[]) => PushProblem | undefined

function addressList(list: 'wins' | 'nbdd' | 'ntp'): DhcpParser {
  return (draft, args) => {
    const address = args.length === 1 ? parseIpv4(args[0] as string) : undefined
    if (address === undefined) return bad('an IPv4 address')
    draft.dhcp[list].push(address)
    return undefined
  }
}

function nameServer(parse: (text: string) => string | undefined): DhcpParser {
  return (draft, args) => {
    const address = args.length === 1 ? parse(args[0] as string) : undefined
    if (address === undefined) return bad('an address')
    draft.dhcp.dns.push(address)
    return undefined
  }
}

function domain(store: (draft: OptionsDraft, name: string) => void): DhcpParser {
  return (draft, args) => {
    const name = args[0]
    if (args.length !== 1 || name === undefined || !isDomainName(name)) return bad('a domain name')
    store(draft, name)
    return undefined
  }
}

function proxy(field: 'httpProxy' | 'httpsProxy'): DhcpParser {
  return (draft, [host, portText, ...more]) => {
    const port = parseDecimal(portText ?? '', 1, 65535)
    if (host === undefined || !isHost(host) || port === undefined || more.length > 0) return bad('a host and a port')
    draft.dhcp.single[field] = { host, port }
    return undefined
  }
}

/** Kinds of `dhcp-option`. */
const DHCP_KINDS: ReadonlyMap<string, DhcpParser> = new Map<string, DhcpParser>([
  ['DNS', nameServer(parseAddress)],
  ['DNS6', nameServer(parseIpv6)],
  ['WINS', addressList('wins')],
  ['NBDD', addressList('nbdd')],
  ['NTP', addressList('ntp')],
  ['DOMAIN', domain((draft, name) => (draft.dhcp.single.domain = name))],
  ['ADAPTER_DOMAIN_SUFFIX', domain((draft, name) => (draft.dhcp.single.adapterDomainSuffix = name))],
  ['DOMAIN-SEARCH', domain((draft, name) => draft.dhcp.searchDomains.push(name))],
  [
    'NBT',
    (draft, args) => {
      const type = parseDecimal(args[0] ?? '', 1, 8)
      if (args.length !== 1 || (type !== 1 && type !== 2 && type !== 4 && type !== 8)) return bad('1, 2, 4 or 8')
      draft.dhcp.single.netbiosNodeType = type
      return undefined
    },
  ],
  ['NBS', domain((draft, name) => (draft.dhcp.single.netbiosScope = name))],
  [
    'DISABLE-NBT',
    (draft, args) => {
      if (args.length > 0) return { reason: 'wrong-argument-count', detail: 'no value' }
      draft.dhcp.disableNetbios = true
      return undefined
    },
  ],
  ['PROXY_HTTP', proxy('httpProxy')],
  ['PROXY_HTTPS', proxy('httpsProxy')],
  [
    'PROXY_AUTO_CONFIG_URL',
    (draft, args) => {
      const url = args[0]
      if (args.length !== 1 || url === undefined || !isPlainUrl(url)) return bad('an http or https address')
      draft.dhcp.single.proxyAutoConfigUrl = url
      return undefined
    },
  ],
  [
    'PROXY_BYPASS',
    (draft, args) => {
      if (args.length === 0 || !args.every((host) => isHost(host.replace(/^\*\./, '')))) return bad('host names')
      draft.dhcp.proxyBypass.push(...args)
      return undefined
    },
  ],
])

/** `dhcp-option KIND [value …]`. PUSH-14 */
export function applyDhcpOption(draft: OptionsDraft, args: readonly string[]): PushProblem | undefined {
  const [kind, ...values] = args
  const parse = DHCP_KINDS.get(kind ?? '')
  return parse === undefined ? bad('unknown kind of dhcp-option') : parse(draft, values)
}
