/**
 * What pushed options come to: {@link TunnelOptions}, plain data that survives JSON unchanged.
 *
 * A server may choose the parameters of the tunnel and nothing else, so this type is the whole of its power over a
 * client: there is no field that could name a file, a program or a key (spec/push.md). Every address is canonical, every
 * number in range, every string safe to show. Fields that were not pushed are absent; lists are empty. Times are in
 * milliseconds, sizes in bytes.
 */
import type { CompressionFraming } from './compression.ts'
import type { KeyDerivation } from './negotiation.ts'
import type { ProtocolFlag } from './protocol-flags.ts'

/** How a tun device's IPv4 addresses are laid out. */
export type Topology = 'net30' | 'p2p' | 'subnet'

/** The tunnel's own IPv4 address. */
export interface TunnelAddress4 {
  readonly address: string
  /** Prefix length of the on-link network: 32 for a pair of addresses. */
  readonly prefix: number
  /** The other end of a pair of addresses (`net30`, `p2p`). */
  readonly peer?: string
}

/** The tunnel's own IPv6 address. */
export interface TunnelAddress6 {
  readonly address: string
  readonly prefix: number
  /** The server's address, which is also the gateway of IPv6 routes. */
  readonly peer?: string
}

/**
 * Addresses that only the host knows: the tunnel's gateway, the gateway of the route in use before the tunnel, the
 * server's address outside the tunnel.
 */
export type AddressKeyword = 'vpn_gateway' | 'net_gateway' | 'remote_host'

/** A route into (or around) the tunnel. */
export interface Route {
  /** Network address, canonical and with the host bits cleared, or a keyword (IPv4 only). */
  readonly network: string
  readonly prefix: number
  /** Next hop: an address or an {@link AddressKeyword}; absent: through the tunnel's gateway. */
  readonly gateway?: string
  /** Absent: `routeMetric`, or the system's default. */
  readonly metric?: number
}

/** All traffic through the tunnel (`redirect-gateway`), or only the bypass routes for it (`redirect-private`). */
export interface RedirectGateway {
  /** Replace the default route of IPv4. */
  readonly ipv4: boolean
  /** Replace the default route of IPv6. */
  readonly ipv6: boolean
  /** By two routes of half the address space each, so that the old default route stays. */
  readonly def1: boolean
  /** The server is on the local network: no host route to it. */
  readonly local: boolean
  /** Find out whether the server is on the local network. */
  readonly autoLocal: boolean
  /** Keep the DHCP server reachable directly. */
  readonly bypassDhcp: boolean
  /** Keep the DNS servers in use reachable directly. */
  readonly bypassDns: boolean
  /** No traffic to the local network while the tunnel is up. */
  readonly blockLocal: boolean
}

/** One address of a name server. */
export interface DnsAddress {
  readonly address: string
  /** Absent: the transport's default. */
  readonly port?: number
}

/** A name server (`dns server N …`); smaller priorities come first. */
export interface DnsServer {
  readonly priority: number
  readonly addresses: readonly DnsAddress[]
  /** Only names below these are asked here; empty: all names. */
  readonly resolveDomains: readonly string[]
  readonly dnssec?: 'yes' | 'optional' | 'no'
  readonly transport?: 'plain' | 'DoT' | 'DoH'
  /** Name in the server's certificate, for DoT and DoH. */
  readonly sni?: string
}

/** Name resolution, whichever syntax it came in. */
export interface DnsOptions {
  /** By priority. Servers out of `dhcp-option DNS` are one entry of priority 0. */
  readonly servers: readonly DnsServer[]
  readonly searchDomains: readonly string[]
}

/** `dhcp-option` values as pushed; `dns` above already takes account of those that concern names. */
export interface DhcpOptions {
  readonly dns: readonly string[]
  readonly domain?: string
  readonly adapterDomainSuffix?: string
  readonly searchDomains: readonly string[]
  readonly wins: readonly string[]
  readonly nbdd: readonly string[]
  readonly ntp: readonly string[]
  readonly netbiosNodeType?: 1 | 2 | 4 | 8
  readonly netbiosScope?: string
  readonly disableNetbios: boolean
  readonly httpProxy?: { readonly host: string; readonly port: number }
  readonly httpsProxy?: { readonly host: string; readonly port: number }
  readonly proxyAutoConfigUrl?: string
  readonly proxyBypass: readonly string[]
}

/** `client-nat`: one-to-one translation of a whole network inside the tunnel. */
export interface ClientNat {
  readonly type: 'snat' | 'dnat'
  readonly network: string
  readonly prefix: number
  readonly foreign: string
}

/** A variable for the host's own use; the name starts with `OPENVPN_` or `UV_`. */
export interface SafeVariable {
  readonly name: string
  readonly value: string
}

/** Pushed options that change what the protocol engine does. */
export interface PushedProtocol {
  /** Data cipher as pushed, upper case; judge it with `acceptClientCipher`. */
  readonly cipher?: string
  /** 24-bit id for our data packets. */
  readonly peerId?: number
  readonly keyDerivation?: KeyDerivation
  readonly protocolFlags: readonly ProtocolFlag[]
  readonly ping?: number
  readonly pingRestart?: number
  readonly pingExit?: number
  /** Run the ping timers only while the peer's address is known. */
  readonly pingTimerRemote: boolean
  readonly inactive?: { readonly time: number; readonly bytes: number }
  readonly sessionTimeout?: number
  /** Farewells on close. */
  readonly explicitExitNotify?: number
  readonly compression?: CompressionFraming
  readonly sendBuffer?: number
  readonly receiveBuffer?: number
  readonly tcpNoDelay: boolean
  /** Bytes per second. */
  readonly shaper?: number
}

/** Everything a server pushed and we took. */
export interface TunnelOptions {
  readonly device: 'tun' | 'tap'
  readonly topology?: Topology
  readonly ipv4?: TunnelAddress4
  readonly ipv6?: TunnelAddress6
  /** `tun-mtu`. */
  readonly mtu?: number
  /** `lladdr` of a tap device. */
  readonly linkAddress?: string
  readonly routes: readonly Route[]
  readonly routes6: readonly Route[]
  /** `route-gateway`: an address, or `dhcp`. */
  readonly routeGateway?: string
  readonly route6Gateway?: string
  readonly routeMetric?: number
  /** Wait so long after the tunnel is up before adding routes, and at most so long for it. */
  readonly routeDelay?: { readonly delay: number; readonly window: number }
  readonly redirectGateway?: RedirectGateway
  readonly redirectPrivate?: RedirectGateway
  /** Answer IPv6 with "unreachable" instead of letting it pass beside the tunnel. */
  readonly blockIpv6: boolean
  /** No name resolution beside the tunnel. */
  readonly blockOutsideDns: boolean
  readonly dns: DnsOptions
  readonly dhcp: DhcpOptions
  readonly registerDns: boolean
  readonly clientNat: readonly ClientNat[]
  readonly persistTun: boolean
  readonly persistRemoteIp: boolean
  readonly persistLocalIp: boolean
  /** Texts for the host (`echo`). */
  readonly echo: readonly string[]
  readonly variables: readonly SafeVariable[]
  readonly protocol: PushedProtocol
}

/** Why a pushed option was not taken. */
export type PushRefusalReason =
  /** A known option that no server may set: it would run a program, read or write a file, or weaken the session. */
  | 'not-pullable'
  /** Not an option of any release this library knows. */
  | 'unknown-option'
  /** A flag inside an option that was otherwise taken. */
  | 'unknown-flag'
  /** Quotes or a backslash without an end. */
  | 'bad-quoting'
  /** Longer than 256 characters. */
  | 'too-long'
  /** More than 16 words. */
  | 'too-many-words'
  /** Too few or too many arguments. */
  | 'wrong-argument-count'
  /** An argument out of range or not of its kind. */
  | 'bad-value'
  /** Over the cap for options of this kind. */
  | 'too-many'
  /** Our `pull-filter ignore`. */
  | 'filtered'
  /** Our `route-nopull`. */
  | 'route-nopull'
  /** Known and harmless, but without meaning here. */
  | 'no-effect'
  /** PUSH_UPDATE named an option that cannot change while the tunnel is up. */
  | 'not-updatable'
  /** Belongs to something that another option should have given, for example a name server without an address. */
  | 'incomplete'

/** A pushed option that was not taken. Strings are safe to show and never hold a secret. */
export interface PushRefusal {
  /** The option's name. */
  readonly option: string
  /** The whole option as pushed, at most 256 characters; only the name where it could be secret. */
  readonly text: string
  readonly reason: PushRefusalReason
  /** The argument at fault, or what would be right. */
  readonly detail: string
}

/** One `pull-filter` line: options whose text starts with `prefix`. The first rule that matches decides. */
export interface PullFilterRule {
  readonly action: 'accept' | 'ignore' | 'reject'
  readonly prefix: string
}

/** Which pushed options a client takes. */
export interface PullFilter {
  readonly rules: readonly PullFilterRule[]
  /** `route-nopull`: no routes, no gateway redirection, no name resolution. */
  readonly routeNopull?: boolean
}
