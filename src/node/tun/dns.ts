/**
 * Name servers of a tunnel, told to whatever manages them on this system: systemd-resolved, else resolvconf. Where there is
 * neither, nothing is changed and the caller is told what to set.
 *
 * Both keep settings per interface, so what is undone is exactly what was done. Spec: node.md, "Names".
 */
import type { DnsOptions } from '../../control/index.ts'
import type { RunCommand } from './system.ts'

/** What to set, and with which commands. */
export interface DnsPlan {
  readonly manager: 'systemd-resolved' | 'resolvconf'
  readonly apply: readonly { readonly command: readonly string[]; readonly input?: string }[]
  readonly undo: readonly string[]
}

/** True when there is anything to tell. */
export function hasNames(dns: DnsOptions): boolean {
  return dns.servers.length > 0 || dns.searchDomains.length > 0
}

/** The lines of a resolv.conf that say the same. */
export function resolvLines(dns: DnsOptions): readonly string[] {
  const servers = dns.servers.flatMap((server) => server.addresses.map(({ address }) => `nameserver ${address}`))
  const search = dns.searchDomains.length === 0 ? [] : [`search ${dns.searchDomains.join(' ')}`]
  return [...servers, ...search]
}

/**
 * The manager there is, with its commands; undefined when there is none. NODE-9
 *
 * @param everything - all names go to these servers, as with redirect-gateway.
 */
export function planDns(dns: DnsOptions, device: string, everything: boolean, run: RunCommand): DnsPlan | undefined {
  if (run(['resolvectl', 'status', '--no-pager']).ok) return planResolved(dns, device, everything)
  if (!/ENOENT/.test(run(['resolvconf', '-l']).complaint)) return planResolvconf(dns, device)
  return undefined
}

function planResolved(dns: DnsOptions, device: string, everything: boolean): DnsPlan {
  const servers = dns.servers.flatMap(({ addresses, sni }) => {
    return addresses.map(({ address, port }) => {
      const host = port === undefined ? address : address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
      return sni === undefined ? host : `${host}#${sni}`
    })
  })
  const split = dns.servers.flatMap(({ resolveDomains }) => resolveDomains.map((domain) => `~${domain}`))
  const domains = [...dns.searchDomains, ...split, ...(everything && split.length === 0 ? ['~.'] : [])]
  const over = dns.servers.some(({ transport }) => transport === 'DoT')
  const [dnssec] = dns.servers.map((server) => server.dnssec).filter((choice) => choice !== undefined)
  const resolvectl = (verb: string, ...words: readonly string[]): { command: readonly string[] } => {
    return { command: ['resolvectl', verb, device, ...words] }
  }
  return {
    manager: 'systemd-resolved',
    apply: [
      resolvectl('dns', ...servers),
      ...(domains.length === 0 ? [] : [resolvectl('domain', ...domains)]),
      ...(over ? [resolvectl('dnsovertls', 'yes')] : []),
      ...(dnssec === undefined ? [] : [resolvectl('dnssec', dnssec === 'optional' ? 'allow-downgrade' : dnssec)]),
    ],
    undo: ['resolvectl', 'revert', device],
  }
}

function planResolvconf(dns: DnsOptions, device: string): DnsPlan {
  const record = `${device}.ovpn`
  return {
    manager: 'resolvconf',
    apply: [{ command: ['resolvconf', '-a', record], input: `${resolvLines(dns).join('\n')}\n` }],
    undo: ['resolvconf', '-d', record],
  }
}
