/**
 * Name servers of a tunnel, told to whatever manages them on this system: systemd-resolved, else resolvconf. Where there is
 * neither, nothing is changed and the caller is told what to set.
 *
 * Of several entries the first is used that the manager can express, as the reference does: plain lists of name servers know
 * neither ports nor encryption. Both managers keep settings per interface, so what is undone is exactly what was done.
 * Spec: node.md, "Names".
 */
import type { DnsOptions, DnsServer } from '../../control/index.ts'
import type { RunCommand } from './system.ts'

/** What asks names. `plain`: a list of addresses, as in resolv.conf. */
export type NameManager = 'systemd-resolved' | 'resolvconf' | 'plain'

/** What to set, and with which commands. */
export interface DnsPlan {
  readonly manager: 'systemd-resolved' | 'resolvconf'
  /** The lines of a resolv.conf that say the same. */
  readonly lines: readonly string[]
  readonly apply: readonly { readonly command: readonly string[]; readonly input?: string }[]
  readonly undo: readonly string[]
}

const DNS_PORT = 53

/** True when there is anything to tell. */
export function hasNames(dns: DnsOptions): boolean {
  return dns.servers.length > 0 || dns.searchDomains.length > 0
}

/** The lines of a resolv.conf that say the same. */
export function resolvLines(servers: readonly DnsServer[], searchDomains: readonly string[]): readonly string[] {
  const lines = servers.flatMap((server) => server.addresses.map(({ address }) => `nameserver ${address}`))
  const search = searchDomains.length === 0 ? [] : [`search ${searchDomains.join(' ')}`]
  return [...lines, ...search]
}

/** The first entry that a manager can express, with the addresses it can; undefined: none. NODE-15 */
export function usableServer(dns: DnsOptions, manager: NameManager): DnsServer | undefined {
  for (const server of dns.servers) {
    const { addresses, dnssec, transport = 'plain' } = server
    if (manager === 'systemd-resolved') {
      if (transport !== 'DoH') return server
    } else if (transport === 'plain' && dnssec !== 'yes') {
      const usable = addresses.filter(({ port = DNS_PORT }) => port === DNS_PORT)
      if (usable.length > 0) return { ...server, addresses: usable }
    }
  }
  return undefined
}

/** The manager there is; undefined: none. */
export function findNameManager(run: RunCommand): 'systemd-resolved' | 'resolvconf' | undefined {
  if (run(['resolvectl', 'status', '--no-pager']).ok) return 'systemd-resolved'
  return /ENOENT/.test(run(['resolvconf', '-l']).complaint) ? undefined : 'resolvconf'
}

/**
 * The commands of a manager; undefined where nothing of it can be expressed. NODE-9
 *
 * @param everything - all names go to these servers, as with redirect-gateway.
 */
export function planDns(
  dns: DnsOptions,
  device: string,
  everything: boolean,
  manager: 'systemd-resolved' | 'resolvconf',
): DnsPlan | undefined {
  const server = usableServer(dns, manager)
  if (server === undefined && dns.searchDomains.length === 0) return undefined
  return manager === 'systemd-resolved'
    ? planResolved(server, dns.searchDomains, device, everything)
    : planResolvconf(server, dns.searchDomains, device)
}

function planResolved(
  server: DnsServer | undefined,
  searchDomains: readonly string[],
  device: string,
  everything: boolean,
): DnsPlan {
  const { addresses = [], dnssec, resolveDomains = [], sni, transport } = server ?? {}
  const servers = addresses.map(({ address, port }) => {
    const host = port === undefined ? address : address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
    return sni === undefined ? host : `${host}#${sni}`
  })
  const split = resolveDomains.map((domain) => `~${domain}`)
  const domains = [
    ...searchDomains,
    ...split,
    ...(everything && server !== undefined && split.length === 0 ? ['~.'] : []),
  ]
  const resolvectl = (verb: string, ...words: readonly string[]): { command: readonly string[] } => {
    return { command: ['resolvectl', verb, device, ...words] }
  }
  return {
    manager: 'systemd-resolved',
    lines: resolvLines(server === undefined ? [] : [server], searchDomains),
    apply: [
      ...(servers.length === 0 ? [] : [resolvectl('dns', ...servers)]),
      ...(domains.length === 0 ? [] : [resolvectl('domain', ...domains)]),
      ...(transport === 'DoT' ? [resolvectl('dnsovertls', 'yes')] : []),
      ...(dnssec === undefined ? [] : [resolvectl('dnssec', dnssec === 'optional' ? 'allow-downgrade' : dnssec)]),
    ],
    undo: ['resolvectl', 'revert', device],
  }
}

function planResolvconf(server: DnsServer | undefined, searchDomains: readonly string[], device: string): DnsPlan {
  const record = `${device}.ovpn`
  const lines = resolvLines(server === undefined ? [] : [server], searchDomains)
  return {
    manager: 'resolvconf',
    lines,
    apply: [{ command: ['resolvconf', '-a', record], input: `${lines.join('\n')}\n` }],
    undo: ['resolvconf', '-d', record],
  }
}
