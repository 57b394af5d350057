/**
 * What a server is told before it starts, and what a client is granted when it logs in.
 *
 * Plain data, like a session's configuration: a server profile is turned into one, a test writes one by hand. What every
 * client's session shares stands in `session`, in that floor's own words; the server adds only what takes more than one
 * client to mean something: addresses, routes between clients, limits. Durations are in milliseconds. See spec/server.md.
 */
import type { SessionConfig, SessionTls, WrapConfig } from '../session/index.ts'

/** The settings of sessions that are the same for every client; the server chooses the others. */
export type SharedSessionConfig = Omit<
  SessionConfig,
  'role' | 'mode' | 'transport' | 'device' | 'wrap' | 'tls' | 'login' | 'admission' | 'push' | 'resume'
>

/** So many in so long. */
export interface Frequency {
  readonly count: number
  readonly period: number
}

/** IPv4 inside the tunnel. */
export interface Ipv4Plan {
  readonly network: string
  /** Prefix length of the network. */
  readonly prefix: number
  /** The server's own address. */
  readonly server: string
  /** First and last address of the pool; absent: every client needs a grant with an address. */
  readonly pool?: { readonly first: string; readonly last: string }
}

/** IPv6 inside the tunnel. */
export interface Ipv6Plan {
  readonly network: string
  /** Prefix length of the network. */
  readonly prefix: number
  readonly server: string
  /** First address of the pool; absent: no pool. */
  readonly poolFirst?: string
}

/** Addresses of a server and its clients; `planAddresses` makes one the way the `server` directives do. */
export interface AddressPlan {
  /** How clients see the tunnel; `tap` devices are always `subnet`. */
  readonly topology: 'net30' | 'p2p' | 'subnet'
  readonly ipv4?: Ipv4Plan
  readonly ipv6?: Ipv6Plan
  /** Lines that tell clients of the plan. */
  readonly push: readonly string[]
}

/** Session tokens instead of asking for passwords again (`auth-gen-token`). */
export interface AuthTokenConfig {
  /** 128 bytes of an auth-token server key. */
  readonly key: Uint8Array
  /** Counted from the login; 0: no end. */
  readonly lifetime: number
  /** A token is good for twice this time after its last renewal. */
  readonly renewal: number
  /** Good tokens raise `login` like passwords do; the event says that the token was good. */
  readonly externalAuth?: boolean
}

/** `vlan-tagging`, with `tap`: each client is in one VLAN. */
export interface VlanConfig {
  /** `vlan-accept`: frames that the tunnel side may send. */
  readonly accept: 'all' | 'tagged' | 'untagged'
  /** `vlan-pvid`: the VLAN of frames without a tag, and of clients whose grant names none. 1 to 4094. */
  readonly pvid: number
}

/** A server's whole configuration. */
export interface ServerConfig {
  /** `tun` carries IP packets, `tap` Ethernet frames. Default `tun`. */
  readonly device?: 'tun' | 'tap'
  /**
   * How control packets are protected: none (empty), one of tls-auth or tls-crypt, a tls-crypt-v2 server key, or the last
   * beside one of the former.
   */
  readonly wraps?: readonly WrapConfig[]
  readonly tls: SessionTls
  readonly session?: SharedSessionConfig
  readonly addresses: AddressPlan
  /** `ifconfig-push-constraint`: the network (`address/prefix`) that a granted IPv4 address must be of. */
  readonly pushConstraint?: string
  /** Lines pushed to every client. */
  readonly push?: readonly string[]
  /** `automatic`: a valid certificate is enough. `ask`: each login is an event to answer. Default `automatic`. */
  readonly admission?: 'automatic' | 'ask'
  /** `client-to-client`. Default false: everything goes to the tunnel side. */
  readonly clientToClient?: boolean
  /** `duplicate-cn`: one name may be connected several times. Default false: the newest wins. */
  readonly duplicateNames?: boolean
  /** `username-as-common-name`. */
  readonly usernameAsCommonName?: boolean
  /** Default 1024. */
  readonly maxClients?: number
  /** The first of `maxClients` peer-ids; servers of one fleet have ranges of their own. Default 0. */
  readonly firstPeerId?: number
  /** Default 256. */
  readonly maxRoutesPerClient?: number
  /** `tap` only. Default: no VLANs, tags are part of the frame. */
  readonly vlan?: VlanConfig
  /** `stale-routes-check`: hardware addresses silent for `age` are forgotten, looked for every `interval`. Default: never. */
  readonly staleRoutes?: { readonly age: number; readonly interval: number }
  /** First packets that are answered per time (`connect-freq-initial`). Default 100 in 10 s. */
  readonly connectFreqInitial?: Frequency
  /** Clients that may appear per time (`connect-freq`). Default: as many as there are. */
  readonly connectFreq?: Frequency
  /**
   * Public-key work that handshakes may cost per time, in units of about one X25519 multiplication; a full handshake with
   * elliptic curves is about 8. Default 2000 a second.
   */
  readonly handshakeWork?: Frequency
  readonly tlsCryptV2?: {
    /** Refuse clients that cannot repeat their wrapped key (2.5 and older). Default false. */
    readonly forceCookie?: boolean
    /** `tls-crypt-v2-max-age`. */
    readonly maxAgeDays?: number
    /** `tls-crypt-v2-verify`: each key's metadata is an event, answered by `allow` or `deny` before TLS begins. */
    readonly verify?: boolean
  }
  /** Random bytes behind the cookies, 16 or more; a fleet shares them. Default: fresh ones. */
  readonly cookieSecret?: Uint8Array
  readonly authToken?: AuthTokenConfig
  /** How long `shutdown` waits for clients to have heard of it. Default 2 s. */
  readonly linger?: number
  /** Leases of an earlier run (`ifconfig-pool-persist`). */
  readonly leases?: readonly Lease[]
}

/** Who had which address, as data. */
export interface Lease {
  readonly commonName: string
  readonly ipv4?: string
  readonly ipv6?: string
}

/** Tunnel bytes per second, and how many may come at once. Default burst: a second's worth. */
export interface RateGrant {
  readonly bytesPerSecond: number
  readonly burst?: number
}

/** What is accepted or dropped, but for the exceptions. */
export interface FilterList {
  readonly default: 'accept' | 'drop'
  readonly except: readonly string[]
}

/** Whom a client may reach. Between two clients both filters must agree. */
export interface ClientFilter {
  /** Other clients, by name. */
  readonly clients?: FilterList
  /** Networks on the tunnel side, as `address/prefix`: destinations of what the client sends, sources of what it is sent. */
  readonly networks?: FilterList
}

/** What a client may do inside its tunnel. */
export interface ClientLimits {
  /** What is above is dropped. */
  readonly rate?: { readonly fromClient?: RateGrant; readonly toClient?: RateGrant }
  readonly filter?: ClientFilter
  /** Networks (`address/prefix`) that its packets may come from besides its own; `any`: no check. */
  readonly sources?: 'any' | readonly string[]
}

/** What a client is given beside what all are given: the contents of a ccd file, or of a decision in code. */
export interface Grant extends ClientLimits {
  /** `ifconfig-push`: the client's address and, with `subnet`, the netmask, else the other end. Default: from the pool. */
  readonly ifconfig?: { readonly local: string; readonly remoteOrNetmask: string }
  /** `ifconfig-ipv6-push`. Default: from the pool. */
  readonly ifconfigIpv6?: { readonly address: string; readonly prefix: number; readonly remote?: string }
  /** Lines pushed to this client, behind the common ones. */
  readonly push?: readonly string[]
  /** `push-reset`: without the common ones. */
  readonly pushReset?: boolean
  /** `push-remove`: without the common ones that start so. */
  readonly pushRemove?: readonly string[]
  /** `iroute`, `iroute-ipv6`: networks behind this client, as `address/prefix`. */
  readonly routes?: readonly string[]
  /** `override-username`: the name the client goes by from now on. */
  readonly name?: string
  /** `data-ciphers` of this client alone, most wanted first; of the server's, what is named here. */
  readonly dataCiphers?: readonly string[]
  /** `vlan-pvid`: the client's VLAN, where the server has VLANs. */
  readonly vlan?: number
}
