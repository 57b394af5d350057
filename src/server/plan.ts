/**
 * The `server`, `server-ipv6` and `server-bridge` directives as arithmetic: from a network to who gets which address and what
 * clients are told of it (spec/server.md, "Addresses").
 *
 * With `subnet` the server is the first host and the pool the others. `net30` gives each client a block of four addresses
 * (network, server end, client, broadcast), `p2p` one address each; both leave the first block to the server.
 */
import { ConfigError } from '../bytes/index.ts'
import { formatIpv6, formatNetmask, maskBytes, parseNetmask } from '../control/index.ts'
import type { AddressPlan, Ipv4Plan, Ipv6Plan } from './config.ts'
import { ipv4Number, ipv4Text, ipv6Bytes, ipv6Plus, maskNumber } from './numbers.ts'

/** What the directives say. */
export interface AddressDirectives {
  readonly device: 'tun' | 'tap'
  /** Default `subnet`. */
  readonly topology?: 'net30' | 'p2p' | 'subnet'
  /** `server NETWORK NETMASK [nopool]`. */
  readonly server?: { readonly network: string; readonly netmask: string; readonly pool?: boolean }
  /** `server-ipv6 NETWORK/BITS`. */
  readonly serverIpv6?: { readonly address: string; readonly prefix: number }
  /**
   * `server-bridge GATEWAY NETMASK FIRST LAST`; `dhcp`: without words, clients ask a DHCP server of the bridge and use its
   * gateway; `nogw`: the same, and no gateway is pushed.
   */
  readonly bridge?:
    | 'dhcp'
    | 'nogw'
    | {
        readonly gateway: string
        readonly netmask: string
        readonly first: string
        readonly last: string
      }
  /** `ifconfig` of a server without one of the above: its own address, and the netmask or the other end. Nothing is pushed. */
  readonly own?: { readonly address: string; readonly remoteOrNetmask: string }
  /** `ifconfig-pool FIRST LAST` in place of the pool that `server` would make. */
  readonly pool?: { readonly first: string; readonly last: string }
  /**
   * `ifconfig-ipv6-pool START/BITS`: in place of the pool that `server-ipv6` would make, or on its own beside the server's
   * address (`ifconfig-ipv6`).
   */
  readonly ipv6Pool?: { readonly address: string; readonly prefix: number; readonly server?: string }
  readonly clientToClient?: boolean
}

/**
 * The plan that the directives make.
 * @throws ConfigError for networks that are none, or too small.
 */
export function planAddresses(directives: AddressDirectives): AddressPlan {
  const { device, server, bridge, serverIpv6 } = directives
  const topology = device === 'tap' ? 'subnet' : (directives.topology ?? 'subnet')
  const push: string[] = []
  let ipv4: Ipv4Plan | undefined
  if (server !== undefined) {
    ipv4 = planServer(topology, server, directives.pool)
    if (topology === 'subnet') push.push(`route-gateway ${ipv4.server}`)
    else if (directives.clientToClient === true) push.push(`route ${ipv4.network} ${server.netmask}`)
    else if (topology === 'net30') push.push(`route ${ipv4.server}`)
    if (device === 'tun') push.push(`topology ${topology}`)
  } else if (bridge === 'dhcp') push.push('route-gateway dhcp')
  else if (bridge !== undefined && bridge !== 'nogw') {
    const prefix = prefixOf('server-bridge', bridge.netmask)
    const gateway = ipv4Number(bridge.gateway, 'server-bridge')
    const network = ipv4Text(maskNumber(gateway, prefix))
    ipv4 = { network, prefix, server: bridge.gateway, pool: { first: bridge.first, last: bridge.last } }
    push.push(`route-gateway ${bridge.gateway}`)
  } else if (directives.own !== undefined) ipv4 = planOwn(directives.own, directives.pool)
  const ipv6 = planPool6(serverIpv6 === undefined ? undefined : planIpv6(serverIpv6), directives.ipv6Pool)
  return {
    topology,
    ...(ipv4 === undefined ? {} : { ipv4 }),
    ...(ipv6 === undefined ? {} : { ipv6 }),
    push,
  }
}

/** SRV-20, SRV-21 */
function planServer(
  topology: AddressPlan['topology'],
  server: NonNullable<AddressDirectives['server']>,
  pool: AddressDirectives['pool'],
): Ipv4Plan {
  const prefix = prefixOf('server', server.netmask)
  const base = ipv4Number(server.network, 'server')
  if (maskNumber(base, prefix) !== base) {
    throw new ConfigError('server', `${server.network} is not the start of a network with mask ${server.netmask}`)
  }
  if (prefix > (topology === 'subnet' ? 30 : 29)) {
    throw new ConfigError('server', `the network ${server.network} ${server.netmask} is too small for clients`)
  }
  const broadcast = base + 2 ** (32 - prefix) - 1
  const plain = { network: server.network, prefix, server: ipv4Text(base + 1) }
  if (pool !== undefined) return { ...plain, pool }
  if (server.pool === false) return plain
  // Blocks of four begin behind the server's own; the last one is left out, unless it is the only one.
  const lastOfBlocks = prefix === 29 ? broadcast : broadcast - 4
  const [first, last] = topology === 'subnet' ? [base + 2, broadcast - 1] : [base + 4, lastOfBlocks]
  return { ...plain, pool: { first: ipv4Text(first), last: ipv4Text(last) } }
}

/** SRV-27 */
function planOwn(own: NonNullable<AddressDirectives['own']>, pool: AddressDirectives['pool']): Ipv4Plan {
  const { address, remoteOrNetmask } = own
  const prefix = parseNetmask(remoteOrNetmask) ?? 32
  const network = ipv4Text(maskNumber(ipv4Number(address, 'ifconfig'), prefix))
  return { network, prefix, server: address, ...(pool === undefined ? {} : { pool }) }
}

/** SRV-22 */
function planIpv6({ address, prefix }: NonNullable<AddressDirectives['serverIpv6']>): Ipv6Plan {
  if (prefix < 64 || prefix > 124) throw new ConfigError('server-ipv6', 'the prefix length is from 64 to 124')
  const base = ipv6Bytes(address, 'server-ipv6')
  const first = prefix < 112 ? 0x1000 : 2
  return { network: ipv6Plus(base, 0), prefix, server: ipv6Plus(base, 1), poolFirst: ipv6Plus(base, first) }
}

/** SRV-25 */
function planPool6(plan: Ipv6Plan | undefined, pool: AddressDirectives['ipv6Pool']): Ipv6Plan | undefined {
  if (pool === undefined) return plan
  const { address, prefix, server = plan?.server } = pool
  if (server === undefined) {
    throw new ConfigError(
      'ifconfig-ipv6-pool',
      'the server itself has no IPv6 address; add ifconfig-ipv6 or server-ipv6',
    )
  }
  const poolFirst = ipv6Plus(ipv6Bytes(address, 'ifconfig-ipv6-pool'), 0)
  const network = plan?.network ?? formatIpv6(maskBytes(ipv6Bytes(address, 'ifconfig-ipv6-pool'), prefix))
  return { network, prefix: plan?.prefix ?? prefix, server, poolFirst }
}

function prefixOf(option: string, netmask: string): number {
  const prefix = parseNetmask(netmask)
  if (prefix === undefined) throw new ConfigError(option, `${netmask} is no netmask`)
  return prefix
}

/** The netmask of a plan in dotted form. */
export function netmaskOf(plan: Ipv4Plan): string {
  return formatNetmask(plan.prefix)
}
