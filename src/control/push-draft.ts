/**
 * The sheet on which pushed options are collected before they become {@link TunnelOptions}.
 *
 * Options come in any order, and some mean something only together (`ifconfig` needs `topology`, `dns server` lines of one
 * number belong together), so each option's parser notes what it says here and {@link finishDraft} draws the sum.
 */
import { parseIpv4, parseNetmask } from './addresses.ts'
import type { CompressionFraming } from './compression.ts'
import type { KeyDerivation } from './negotiation.ts'
import type { ProtocolFlag } from './protocol-flags.ts'
import type {
  ClientNat,
  DhcpOptions,
  DnsAddress,
  DnsServer,
  PushedProtocol,
  PushRefusalReason,
  RedirectGateway,
  Route,
  SafeVariable,
  Topology,
  TunnelAddress4,
  TunnelAddress6,
  TunnelOptions,
} from './tunnel-options.ts'

type Mutable<T> = { -readonly [K in keyof T]?: Exclude<T[K], undefined> | undefined }

/** What is wrong with an option. */
export interface PushProblem {
  readonly reason: PushRefusalReason
  readonly detail: string
}

/** One `dns server N` in the making. */
export interface DnsServerDraft {
  addresses: readonly DnsAddress[]
  resolveDomains: readonly string[]
  dnssec: DnsServer['dnssec']
  transport: DnsServer['transport']
  sni: string | undefined
}

/** `dhcp-option` values in the making. */
export interface DhcpDraft {
  readonly dns: string[]
  readonly searchDomains: string[]
  readonly wins: string[]
  readonly nbdd: string[]
  readonly ntp: string[]
  readonly proxyBypass: string[]
  disableNetbios: boolean
  readonly single: Mutable<
    Pick<
      DhcpOptions,
      | 'domain'
      | 'adapterDomainSuffix'
      | 'netbiosNodeType'
      | 'netbiosScope'
      | 'httpProxy'
      | 'httpsProxy'
      | 'proxyAutoConfigUrl'
    >
  >
}

/** Protocol options in the making. */
export interface ProtocolDraft {
  cipher?: string
  peerId?: number
  keyDerivation?: KeyDerivation
  protocolFlags: readonly ProtocolFlag[]
  ping?: number
  pingRestart?: number
  pingExit?: number
  pingTimerRemote: boolean
  inactive?: { readonly time: number; readonly bytes: number }
  sessionTimeout?: number
  explicitExitNotify?: number
  compression?: CompressionFraming
  sendBuffer?: number
  receiveBuffer?: number
  tcpNoDelay: boolean
  shaper?: number
}

/** All that options have said so far. */
export interface OptionsDraft {
  readonly device: 'tun' | 'tap'
  topology: Topology | undefined
  /** The two words of `ifconfig`: an address, then a netmask or the peer's address. */
  ifconfig: readonly [string, string] | undefined
  ipv6: TunnelAddress6 | undefined
  mtu: number | undefined
  linkAddress: string | undefined
  readonly routes: Route[]
  readonly routes6: Route[]
  routeGateway: string | undefined
  route6Gateway: string | undefined
  routeMetric: number | undefined
  routeDelay: { readonly delay: number; readonly window: number } | undefined
  redirectGateway: RedirectGateway | undefined
  redirectPrivate: RedirectGateway | undefined
  readonly switches: Set<Switch>
  readonly dnsServers: Map<number, DnsServerDraft>
  readonly searchDomains: string[]
  readonly dhcp: DhcpDraft
  readonly clientNat: ClientNat[]
  readonly echo: string[]
  readonly variables: SafeVariable[]
  readonly protocol: ProtocolDraft
}

/** Options without arguments. */
export type Switch =
  | 'block-ipv6'
  | 'block-outside-dns'
  | 'register-dns'
  | 'persist-tun'
  | 'persist-remote-ip'
  | 'persist-local-ip'

/** An empty sheet. */
export function createDraft(device: 'tun' | 'tap'): OptionsDraft {
  return {
    device,
    topology: undefined,
    ifconfig: undefined,
    ipv6: undefined,
    mtu: undefined,
    linkAddress: undefined,
    routes: [],
    routes6: [],
    routeGateway: undefined,
    route6Gateway: undefined,
    routeMetric: undefined,
    routeDelay: undefined,
    redirectGateway: undefined,
    redirectPrivate: undefined,
    switches: new Set(),
    dnsServers: new Map(),
    searchDomains: [],
    dhcp: {
      dns: [],
      searchDomains: [],
      wins: [],
      nbdd: [],
      ntp: [],
      proxyBypass: [],
      disableNetbios: false,
      single: {},
    },
    clientNat: [],
    echo: [],
    variables: [],
    protocol: { protocolFlags: [], pingTimerRemote: false, tcpNoDelay: false },
  }
}

/** The tunnel's IPv4 address. PUSH-8 */
export function tunnelAddress4(draft: OptionsDraft): TunnelAddress4 | PushProblem | undefined {
  if (draft.ifconfig === undefined) return undefined
  const [first, second] = draft.ifconfig
  const address = parseIpv4(first)
  if (address === undefined) return { reason: 'bad-value', detail: 'the first word is an IPv4 address' }
  const netmask = parseNetmask(second)
  // No host has an address in 255.0.0.0/8, so such a second word is a netmask whatever the topology says.
  const subnet = draft.device === 'tap' || draft.topology === 'subnet' || second.startsWith('255.')
  if (subnet) {
    return netmask === undefined || netmask === 0
      ? { reason: 'bad-value', detail: 'the second word is a netmask' }
      : { address, prefix: netmask }
  }
  const peer = parseIpv4(second)
  if (peer === undefined) return { reason: 'bad-value', detail: "the second word is the peer's IPv4 address" }
  return { address, prefix: 32, peer }
}

/** Adds the entries whose value is there, so that what was not pushed is absent. */
function present<T extends object>(fields: { readonly [K in keyof T]: T[K] | undefined }): T {
  const out: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) out[name] = value
  return out as T
}

/** The sum of the sheet. `ipv4` is the result of {@link tunnelAddress4} where that is an address. */
export function finishDraft(draft: OptionsDraft, ipv4: TunnelAddress4 | undefined): TunnelOptions {
  const has = (name: Switch): boolean => draft.switches.has(name)
  return present<TunnelOptions>({
    device: draft.device,
    topology: draft.topology,
    ipv4,
    ipv6: draft.ipv6,
    mtu: draft.mtu,
    linkAddress: draft.linkAddress,
    routes: draft.routes,
    routes6: draft.routes6,
    routeGateway: draft.routeGateway,
    route6Gateway: draft.route6Gateway,
    routeMetric: draft.routeMetric,
    routeDelay: draft.routeDelay,
    redirectGateway: draft.redirectGateway,
    redirectPrivate: draft.redirectPrivate,
    blockIpv6: has('block-ipv6'),
    blockOutsideDns: has('block-outside-dns'),
    dns: finishDns(draft),
    dhcp: finishDhcp(draft.dhcp),
    registerDns: has('register-dns'),
    clientNat: draft.clientNat,
    persistTun: has('persist-tun'),
    persistRemoteIp: has('persist-remote-ip'),
    persistLocalIp: has('persist-local-ip'),
    echo: draft.echo,
    variables: draft.variables,
    protocol: finishProtocol(draft.protocol),
  })
}

/** PUSH-14: `dns` lines win over `dhcp-option`, each for servers and for search domains. */
function finishDns(draft: OptionsDraft): TunnelOptions['dns'] {
  const { dhcp, dnsServers } = draft
  const servers: DnsServer[] = []
  for (const [priority, server] of [...dnsServers].sort((a, b) => a[0] - b[0])) {
    if (server.addresses.length > 0) servers.push(present<DnsServer>({ priority, ...server }))
  }
  if (dnsServers.size === 0 && dhcp.dns.length > 0)
    servers.push({ priority: 0, addresses: dhcp.dns.map((address) => ({ address })), resolveDomains: [] })
  const old = dhcp.single.domain === undefined ? dhcp.searchDomains : [dhcp.single.domain, ...dhcp.searchDomains]
  return { servers, searchDomains: draft.searchDomains.length > 0 ? draft.searchDomains : [...new Set(old)] }
}

function finishDhcp(dhcp: DhcpDraft): DhcpOptions {
  const { single } = dhcp
  return present<DhcpOptions>({
    dns: dhcp.dns,
    domain: single.domain,
    adapterDomainSuffix: single.adapterDomainSuffix,
    searchDomains: dhcp.searchDomains,
    wins: dhcp.wins,
    nbdd: dhcp.nbdd,
    ntp: dhcp.ntp,
    netbiosNodeType: single.netbiosNodeType,
    netbiosScope: single.netbiosScope,
    disableNetbios: dhcp.disableNetbios,
    httpProxy: single.httpProxy,
    httpsProxy: single.httpsProxy,
    proxyAutoConfigUrl: single.proxyAutoConfigUrl,
    proxyBypass: dhcp.proxyBypass,
  })
}

function finishProtocol(protocol: ProtocolDraft): PushedProtocol {
  return present<PushedProtocol>({
    cipher: protocol.cipher,
    peerId: protocol.peerId,
    keyDerivation: protocol.keyDerivation,
    protocolFlags: protocol.protocolFlags,
    ping: protocol.ping,
    pingRestart: protocol.pingRestart,
    pingExit: protocol.pingExit,
    pingTimerRemote: protocol.pingTimerRemote,
    inactive: protocol.inactive,
    sessionTimeout: protocol.sessionTimeout,
    explicitExitNotify: protocol.explicitExitNotify,
    compression: protocol.compression,
    sendBuffer: protocol.sendBuffer,
    receiveBuffer: protocol.receiveBuffer,
    tcpNoDelay: protocol.tcpNoDelay,
    shaper: protocol.shaper,
  })
}
