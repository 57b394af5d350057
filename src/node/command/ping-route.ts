/**
 * Which address a probe pings when it is told none, and from which of its own.
 *
 * It is the gateway that was pushed. With `net30` there is none: each client has a pair of addresses whose other half belongs to
 * no machine. The server's own address is then the host route that it pushes, or, where clients may reach each other, the
 * first address of the network that it routes.
 */
import { parseIpv4Bytes, pullOptions, type TunnelOptions } from '../../control/index.ts'
import { addressBytes, type ProbePlan } from './plan.ts'

/** Own address and target, 4 or 16 bytes each. */
export interface PingRoute {
  readonly source: Uint8Array
  readonly target: Uint8Array
}

/**
 * The way of the pings; `undefined` where there is no address to ping or to ping from.
 * @param asked - the target, where one was asked for.
 * @param configured - what the profile itself gives the tunnel.
 * @param pushed - the options as the server wrote them: a route says where the server is also where the profile takes none.
 */
export function pingRoute(
  options: TunnelOptions,
  asked: Uint8Array | undefined,
  configured: ProbePlan['addresses'],
  pushed: readonly string[] = [],
): PingRoute | undefined {
  const source4 = options.ipv4?.address ?? configured.ipv4
  const source6 = options.ipv6?.address ?? configured.ipv6
  const gateway4 = gatewayOf(options) ?? serverOfPair(options, pushed) ?? options.ipv4?.peer ?? configured.peer4
  const gateway6 = options.ipv6?.peer ?? configured.peer6
  const family = asked === undefined ? (gateway4 === undefined ? 16 : 4) : asked.length
  const source = addressBytes((family === 4 ? source4 : source6) ?? '')
  const target = asked ?? addressBytes((family === 4 ? gateway4 : gateway6) ?? '')
  return source === undefined || target === undefined ? undefined : { source, target }
}

function gatewayOf({ routeGateway }: TunnelOptions): string | undefined {
  return routeGateway !== undefined && toNumber(routeGateway) !== undefined ? routeGateway : undefined
}

/** The server behind a pair of addresses within a network of four; `undefined` for other tunnels. */
function serverOfPair({ device, ipv4 }: TunnelOptions, pushed: readonly string[]): string | undefined {
  const own = toNumber(ipv4?.address)
  const peer = toNumber(ipv4?.peer)
  if (own === undefined || peer === undefined || own >>> 2 !== peer >>> 2) return undefined
  const routing = pullOptions(
    pushed.filter((option) => option.startsWith('route ')),
    { device },
  )
  if (routing.type !== 'pulled') return undefined
  const inside = routing.options.routes.filter(({ gateway }) => gateway === undefined || gateway === 'vpn_gateway')
  const near = (network: string): number => Math.clz32((toNumber(network) ?? ~own) ^ own)
  const [host] = inside
    .filter(({ network, prefix }) => prefix === 32 && toNumber(network) !== undefined)
    .sort((a, b) => near(b.network) - near(a.network))
  if (host !== undefined) return host.network
  const around = inside.find(({ network, prefix }) => prefix >= 8 && prefix <= 30 && near(network) >= prefix)
  const first = toNumber(around?.network)
  return first === undefined ? undefined : toText(first + 1)
}

function toNumber(address: string | undefined): number | undefined {
  const bytes = address === undefined ? undefined : parseIpv4Bytes(address)
  return bytes && new DataView(bytes.buffer, bytes.byteOffset).getUint32(0)
}

const toText = (address: number): string => [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.')
