/**
 * From a tunnel's options to what the system is told: a list of `ip` commands, each with the one that undoes it.
 *
 * Pure: what is known of the system comes in as {@link Surroundings}, so every case can be tested without one. Commands are
 * in the order they must run; undoing runs the other way round. A step `outlives` when its effect does not vanish with the
 * device: those are what a killed process leaves behind. Spec: node.md, "Addresses and routes".
 */
import {
  maskBytes,
  networkOf4,
  parseIpv4Bytes,
  parseIpv6Bytes,
  type Route,
  tunnelGateways,
  type TunnelOptions,
} from '../../control/index.ts'

/** A way out of this machine that is not the tunnel. */
export interface Gateway {
  /** The next hop; undefined: the destination is on the link. */
  readonly via: string | undefined
  readonly device: string
}

/** The system as it was before the tunnel. */
export interface Surroundings {
  /** Default routes, and the exact words they can be put back with. */
  readonly default4: (Gateway & { readonly words: readonly string[] }) | undefined
  readonly default6: (Gateway & { readonly words: readonly string[] }) | undefined
  /** The server's (or its proxy's) address and how it is reached; undefined way: on this machine. */
  readonly remote: { readonly address: string; readonly way: Gateway | undefined } | undefined
  /** IPv4 networks of the link the default route leaves through, `a.b.c.d/n`. */
  readonly local4: readonly string[]
}

/** The device that the tunnel goes through. */
export interface PlannedDevice {
  readonly name: string
  readonly kind: 'tun' | 'tap'
  readonly mtu: number
  readonly txQueueLength?: number | undefined
}

/** One change of the system. */
export interface Step {
  /** Arguments of `ip`. */
  readonly apply: readonly string[]
  /** Arguments of the `ip` that undoes it; undefined: nothing does, or need not. */
  readonly undo: readonly string[] | undefined
  /** The effect stays when the device goes. */
  readonly outlives: boolean
}

/** All changes, in order. */
export interface NetworkPlan {
  readonly addresses: readonly Step[]
  readonly routes: readonly Step[]
  /** What was asked for and is not done, a line each. */
  readonly notes: readonly string[]
}

/** IPv4 in two halves: more specific than any default route. */
const HALVES_4 = ['0.0.0.0/1', '128.0.0.0/1'] as const
/** What is routed of IPv6: the assigned unicast space and unique local addresses. */
const GLOBAL_6 = ['::/3', '2000::/4', '3000::/4', 'fc00::/7'] as const

/** The changes that `options` ask for. NODE-3 to NODE-8 */
export function planNetwork(options: TunnelOptions, device: PlannedDevice, around: Surroundings): NetworkPlan {
  const planner = new Planner(options, device, around)
  return { addresses: planner.addresses(), routes: planner.routes(), notes: planner.notes }
}

/** The host route that keeps packets to a server out of the tunnel. NODE-6 */
export function hostRoute(address: string, { via, device }: Gateway): Step {
  const family = address.includes(':') ? '-6' : '-4'
  const words = [`${address}/${family === '-6' ? 128 : 32}`, ...(via === undefined ? [] : ['via', via]), 'dev', device]
  return routeStep(family, words, true)
}

function routeStep(family: '-4' | '-6', words: readonly string[], outlives: boolean): Step {
  return { apply: [family, 'route', 'add', ...words], undo: [family, 'route', 'del', ...words], outlives }
}

/** Writes the steps of one plan. */
class Planner {
  readonly notes: string[] = []
  readonly #options: TunnelOptions
  readonly #device: PlannedDevice
  readonly #around: Surroundings

  constructor(options: TunnelOptions, device: PlannedDevice, around: Surroundings) {
    this.#options = options
    this.#device = device
    this.#around = around
  }

  /** NODE-3 */
  addresses(): readonly Step[] {
    const { name, kind, mtu, txQueueLength } = this.#device
    const { ipv4, ipv6, linkAddress } = this.#options
    const once = (apply: readonly string[]): Step => ({ apply, undo: undefined, outlives: false })
    const steps: Step[] = []
    if (kind === 'tap' && linkAddress !== undefined) steps.push(once(['link', 'set', name, 'address', linkAddress]))
    const queue = txQueueLength === undefined ? [] : ['txqueuelen', `${txQueueLength}`]
    steps.push(once(['link', 'set', name, 'up', 'mtu', `${mtu}`, ...queue]))
    if (ipv4 !== undefined) {
      const words =
        ipv4.peer === undefined ? [`${ipv4.address}/${ipv4.prefix}`, 'brd', '+'] : [ipv4.address, 'peer', ipv4.peer]
      // A network of one or two addresses has no broadcast address.
      const plain = ipv4.peer === undefined && ipv4.prefix > 30 ? words.slice(0, 1) : words
      steps.push(addressStep('-4', plain, name))
    }
    if (ipv6 !== undefined) {
      const words = [`${ipv6.address}/${ipv6.prefix}`, ...(kind === 'tap' ? ['nodad'] : [])]
      steps.push(addressStep('-6', words, name))
    }
    return steps
  }

  routes(): readonly Step[] {
    const { options, around } = { options: this.#options, around: this.#around }
    const redirect = options.redirectGateway ?? options.redirectPrivate
    const steps: Step[] = []
    const inside = [
      ...options.routes.map((route) => this.#route('-4', route)),
      ...options.routes6.map((route) => this.#route('-6', route)),
    ].filter((step) => step !== undefined)
    const remote = this.#remoteRoute()
    if (remote !== undefined) steps.push(remote)
    if (redirect?.blockLocal === true) steps.push(...this.#blockLocal())
    if (redirect?.bypassDhcp === true) this.notes.push('bypass-dhcp has no effect here: DHCP does not go by routes')
    if (redirect?.bypassDns === true) this.notes.push('bypass-dns has no effect here: name servers are set per tunnel')
    if (options.redirectGateway?.ipv4 === true) steps.push(...this.#redirect4(options.redirectGateway.def1))
    if (options.redirectGateway?.ipv6 === true) {
      steps.push(...GLOBAL_6.map((network) => this.#through('-6', [network], tunnelGateways(options).ipv6)))
    }
    if (around.default4 === undefined && options.redirectGateway?.ipv4 === true && around.remote?.way !== undefined)
      this.notes.push('there was no default route to replace')
    return [...steps, ...inside]
  }

  /** A route into the tunnel. */
  #through(family: '-4' | '-6', words: readonly string[], gateway: string | undefined, metric?: number): Step {
    const measure = metric ?? this.#options.routeMetric
    // On a tun device the next hop says nothing that the device does not; for IPv6 it need not even be an address.
    const via = gateway === undefined || (family === '-6' && this.#device.kind === 'tun') ? [] : ['via', gateway]
    const priority = measure === undefined ? [] : ['metric', `${measure}`]
    return routeStep(family, [...words, ...via, 'dev', this.#device.name, ...priority], false)
  }

  /** NODE-4 */
  #route(family: '-4' | '-6', route: Route): Step | undefined {
    const { default4, default6, remote } = this.#around
    const own = tunnelGateways(this.#options)
    const vpn = family === '-4' ? own.ipv4 : own.ipv6
    const net = family === '-4' ? default4 : default6
    let network = route.network
    if (network === 'vpn_gateway') network = vpn ?? ''
    else if (network === 'net_gateway') network = net?.via ?? ''
    else if (network === 'remote_host') network = remote?.address ?? ''
    if (network === '' || (family === '-4') === network.includes(':')) {
      this.notes.push(`route ${route.network}/${route.prefix} left out: there is no such address`)
      return undefined
    }
    const target = [`${network}/${route.prefix}`]
    if (route.gateway === 'net_gateway' || (route.gateway === 'remote_host' && remote?.way !== undefined)) {
      const way = route.gateway === 'net_gateway' ? net : remote?.way
      if (way === undefined) {
        this.notes.push(`route ${network}/${route.prefix} left out: there is no way around the tunnel`)
        return undefined
      }
      const metric = route.metric === undefined ? [] : ['metric', `${route.metric}`]
      const words = [...target, ...(way.via === undefined ? [] : ['via', way.via]), 'dev', way.device, ...metric]
      return routeStep(family, words, true)
    }
    const named = route.gateway === undefined || route.gateway === 'vpn_gateway' ? vpn : route.gateway
    return this.#through(family, target, named, route.metric)
  }

  /** NODE-5 */
  #redirect4(def1: boolean): readonly Step[] {
    const gateway = tunnelGateways(this.#options).ipv4
    if (def1) return HALVES_4.map((network) => this.#through('-4', [network], gateway))
    const old = this.#around.default4
    const steps: Step[] = []
    if (old !== undefined) {
      const words = ['-4', 'route']
      steps.push({ apply: [...words, 'del', ...old.words], undo: [...words, 'add', ...old.words], outlives: true })
    }
    return [...steps, this.#through('-4', ['default'], gateway)]
  }

  /** NODE-6 */
  #remoteRoute(): Step | undefined {
    const { remote } = this.#around
    if (remote?.way === undefined) return undefined
    const redirect = this.#options.redirectGateway ?? this.#options.redirectPrivate
    if (redirect?.local === true) return undefined
    const family6 = remote.address.includes(':')
    const redirected = family6 ? redirect?.ipv6 === true : redirect !== undefined
    const routes = family6 ? this.#options.routes6 : this.#options.routes
    const covered = routes.some((route) => route.gateway !== 'net_gateway' && covers(route, remote.address))
    return redirected || covered ? hostRoute(remote.address, remote.way) : undefined
  }

  /** NODE-7: the local network in halves, which win against the link's own route; its gateway stays reachable. */
  #blockLocal(): readonly Step[] {
    const { default4, local4 } = this.#around
    if (default4?.via === undefined) return []
    const gateway = tunnelGateways(this.#options).ipv4
    const halves = local4.flatMap((network) => halvesOf(network))
    const keep = hostRoute(default4.via, { via: undefined, device: default4.device })
    return [keep, ...halves.map((network) => this.#through('-4', [network], gateway))]
  }
}

function addressStep(family: '-4' | '-6', words: readonly string[], name: string): Step {
  // What is taken away is named without its attributes.
  const plain = words[1] === 'peer' ? words : words.slice(0, 1)
  return {
    apply: [family, 'addr', 'add', ...words, 'dev', name],
    undo: [family, 'addr', 'del', ...plain, 'dev', name],
    outlives: false,
  }
}

function covers(route: Route, address: string): boolean {
  const network = parseIpv4Bytes(route.network) ?? parseIpv6Bytes(route.network)
  const host = parseIpv4Bytes(address) ?? parseIpv6Bytes(address)
  if (network === undefined || host === undefined || network.length !== host.length) return false
  // The route to the server itself is not one into the tunnel.
  if (route.prefix === host.length * 8) return false
  const masked = maskBytes(host, route.prefix)
  return network.every((byte, index) => byte === masked[index])
}

/** The two networks that make up `a.b.c.d/n`. */
function halvesOf(network: string): readonly string[] {
  const [address = '', length = ''] = network.split('/')
  const prefix = Number(length) + 1
  const low = networkOf4(address, Number(length))
  const bytes = low === undefined ? undefined : parseIpv4Bytes(low)
  if (bytes === undefined || prefix > 32) return []
  const high = bytes.slice()
  const at = (prefix - 1) >> 3
  high[at] = (high[at] as number) | (0x80 >> ((prefix - 1) & 7))
  return [`${bytes.join('.')}/${prefix}`, `${high.join('.')}/${prefix}`]
}
