/**
 * A server's profile into the configuration of a {@link Server}, and a file for one client into a grant. PROF-37
 */
import { ConfigError } from '../bytes/index.ts'
import { parseAuthTokenKey, parseNetmask } from '../control/index.ts'
import {
  type AddressDirectives,
  type Frequency,
  type Grant,
  planAddresses,
  type ServerConfig,
  type SharedSessionConfig,
} from '../server/index.ts'
import type { SessionConfig } from '../session/index.ts'
import type { Connection } from './connection.ts'
import type { Profile } from './profile.ts'
import { RuleView } from './rules/rule.ts'
import { defined, type SessionConfigOptions, toSessionConfig } from './session-config.ts'
import { readWraps } from './session-wrap.ts'

/** What a host adds to a server's profile. */
export interface ServerConfigOptions extends Omit<SessionConfigOptions, 'connection' | 'login'> {
  /** 128 random bytes that sign tokens, where `auth-gen-token` has no secret of its own. */
  readonly authTokenKey?: Uint8Array
}

/** A socket that a server's profile asks for. */
export interface ListenAddress {
  /** `undefined`: every address. */
  readonly address: string | undefined
  readonly port: number
  readonly protocol: 'udp' | 'tcp'
  readonly family: 4 | 6 | undefined
}

/**
 * The configuration of a server for many clients.
 *
 * @throws ProfileError for a profile with errors, ConfigError for a file that can't be used or a profile of another role.
 */
export function toServerConfig(profile: Profile, options: ServerConfigOptions = {}): ServerConfig {
  if (profile.role !== 'server') {
    throw new ConfigError('server', 'this is no server’s profile; add "server NETWORK NETMASK"', { file: profile.file })
  }
  const whole = toSessionConfig(profile, options)
  const { device, tls, push } = whole
  if (tls === undefined)
    throw new ConfigError('server', 'many clients need TLS, not a static key', { file: profile.file })
  const view = new RuleView(profile, undefined)
  const judged = view.has('auth-user-pass-verify') || view.has('management-client-auth') || view.has('plugin')
  return defined<ServerConfig>({
    device,
    wraps: readWraps(profile, profile.scopes[0] as Connection, 'server'),
    tls,
    session: sharedPart(whole),
    addresses: planAddresses(addressDirectives(profile, view)),
    push: [...(push?.options ?? []), ...helperLines(profile)],
    admission: judged || view.has('client-connect') || view.has('client-config-dir') ? 'ask' : 'automatic',
    clientToClient: given(profile.has('client-to-client')),
    duplicateNames: given(profile.has('duplicate-cn')),
    usernameAsCommonName: given(profile.has('username-as-common-name')),
    maxClients: profile.value('max-clients')?.[0],
    maxRoutesPerClient: profile.value('max-routes-per-client')?.[0],
    connectFreqInitial: readFrequency(profile.value('connect-freq-initial')),
    connectFreq: readFrequency(profile.value('connect-freq')),
    tlsCryptV2: readCookie(profile),
    vlan: readVlan(profile),
    pushConstraint: readConstraint(profile.value('ifconfig-push-constraint')),
    staleRoutes: readStaleRoutes(profile),
    authToken: readToken(profile, options.authTokenKey),
  })
}

const OWN_OF_EACH: ReadonlySet<string> = new Set([
  'role',
  'mode',
  'transport',
  'device',
  'wrap',
  'tls',
  'login',
  'push',
])

/** What holds for every client's session alike. */
function sharedPart(whole: SessionConfig): SharedSessionConfig {
  return Object.fromEntries(Object.entries(whole).filter(([name]) => !OWN_OF_EACH.has(name)))
}

function given(present: boolean): true | undefined {
  return present ? true : undefined
}

function addressDirectives(profile: Profile, view: RuleView): AddressDirectives {
  const [network, netmask, nopool] = profile.value('server') ?? []
  const prefix = profile.value('server-ipv6')?.[0]
  const bridge = profile.value('server-bridge')
  const [ownAddress, remoteOrNetmask] = profile.value('ifconfig') ?? []
  const pool6 = profile.value('ifconfig-ipv6-pool')?.[0]
  const own6 = profile.value('ifconfig-ipv6')?.[0]
  const pool = profile.value('ifconfig-pool')
  return defined<AddressDirectives>({
    device: view.device === 'tap' ? 'tap' : 'tun',
    topology: profile.value('topology')?.[0],
    server:
      network === undefined || netmask === undefined ? undefined : { network, netmask, pool: nopool === undefined },
    serverIpv6: prefix === undefined ? undefined : { address: prefix.address, prefix: prefix.bits },
    bridge: bridge === undefined ? undefined : readBridge(bridge),
    own:
      ownAddress === undefined || remoteOrNetmask === undefined ? undefined : { address: ownAddress, remoteOrNetmask },
    ipv6Pool:
      pool6 === undefined
        ? undefined
        : { address: pool6.address, prefix: pool6.bits, ...defined({ server: own6?.address }) },
    pool: pool === undefined ? undefined : { first: pool[0], last: pool[1] },
    clientToClient: given(profile.has('client-to-client')),
  })
}

function readBridge(words: readonly (string | undefined)[]): AddressDirectives['bridge'] {
  const [gateway, netmask, first, last] = words
  if (gateway === undefined) return 'dhcp'
  if (netmask === undefined || first === undefined || last === undefined) return 'nogw'
  return { gateway, netmask, first, last }
}

/** PROF-38: what the server's own directives tell clients. */
function helperLines(profile: Profile): string[] {
  const [ping, timeout] = profile.value('keepalive') ?? []
  const keepalive = ping === undefined || timeout === undefined ? [] : [`ping ${ping}`, `ping-restart ${timeout}`]
  return profile.has('tcp-nodelay') ? [...keepalive, 'socket-flags TCP_NODELAY'] : keepalive
}

function readFrequency(values: readonly [number, number] | undefined): Frequency | undefined {
  return values === undefined ? undefined : { count: values[0], period: values[1] * 1000 }
}

function readConstraint(words: readonly [string, string] | undefined): string | undefined {
  return words === undefined ? undefined : `${words[0]}/${prefixLength(words[1])}`
}

function readVlan(profile: Profile): ServerConfig['vlan'] {
  if (!profile.has('vlan-tagging')) return undefined
  return { accept: profile.value('vlan-accept')?.[0] ?? 'all', pvid: profile.value('vlan-pvid')?.[0] ?? 1 }
}

/** Looked for as often as they get old, where nothing else is said. */
function readStaleRoutes(profile: Profile): ServerConfig['staleRoutes'] {
  const [age, interval = age] = profile.value('stale-routes-check') ?? []
  return age === undefined || interval === undefined ? undefined : { age: age * 1000, interval: interval * 1000 }
}

function readCookie(profile: Profile): ServerConfig['tlsCryptV2'] {
  const forceCookie = profile.entry('tls-crypt-v2')?.words[1] === 'force-cookie'
  const maxAgeDays = profile.value('tls-crypt-v2-max-age')?.[0]
  if (!forceCookie && maxAgeDays === undefined) return undefined
  return defined<NonNullable<ServerConfig['tlsCryptV2']>>({ forceCookie: given(forceCookie), maxAgeDays })
}

function readToken(profile: Profile, given: Uint8Array | undefined): ServerConfig['authToken'] {
  const entry = profile.entry('auth-gen-token')
  if (entry === undefined) return undefined
  const secret = profile.entry('auth-gen-token-secret')
  const key = secret === undefined ? given : parseAuthTokenKey(profile.textOf(secret))
  if (key === undefined) {
    throw new ConfigError(
      'auth-gen-token',
      'tokens need a key; add "auth-gen-token-secret", or hand over 128 random bytes',
      entry.place,
    )
  }
  const external = entry.words.includes('external-auth')
  const [lifetime = '0', renewal] = entry.words.filter((word) => word !== 'external-auth')
  const renegotiate = profile.value('reneg-sec')?.[0] ?? 3600
  return defined<NonNullable<ServerConfig['authToken']>>({
    key,
    lifetime: Number(lifetime) * 1000,
    renewal: (renewal === undefined ? renegotiate : Number(renewal)) * 1000,
    externalAuth: external ? true : undefined,
  })
}

/** The sockets of a server's profile: one for each `local`, or one for all addresses. */
export function listenAddresses(profile: Profile): readonly ListenAddress[] {
  const whole = profile.scopes[0] as Connection
  const { protocol, family } = whole
  const port = profile.value('lport')?.[0] ?? profile.value('port')?.[0] ?? 1194
  const locals = profile.values('local')
  if (locals.length === 0) return [{ address: undefined, port, protocol, family }]
  return locals.map(([address, ownPort, ownProtocol]) => ({
    address: address === '*' ? undefined : address,
    port: ownPort ?? port,
    protocol: ownProtocol === undefined ? protocol : ownProtocol.startsWith('udp') ? 'udp' : 'tcp',
    family: ownProtocol?.includes('4') === true ? 4 : ownProtocol?.includes('6') === true ? 6 : family,
  }))
}

/** What a server's file for one client grants; `undefined` when the file turns the client away. PROF-39 */
export function toGrant(profile: Profile): Grant | undefined {
  if (profile.has('disable')) return undefined
  const [local, remoteOrNetmask] = profile.value('ifconfig-push') ?? []
  const [prefix, remote] = profile.value('ifconfig-ipv6-push') ?? []
  const routes4 = profile.values('iroute').map(([network, mask]) => ({ network, mask }))
  const routes6 = profile.values('iroute-ipv6').map(([network]) => `${network.address}/${network.bits}`)
  const push = profile.values('push').map(([option]) => option)
  const removed = profile.values('push-remove').map(([start]) => start)
  const routes = [...routes4.map(({ network, mask }) => `${network}/${prefixLength(mask)}`), ...routes6]
  return defined<Grant>({
    ifconfig: local === undefined || remoteOrNetmask === undefined ? undefined : { local, remoteOrNetmask },
    ifconfigIpv6:
      prefix === undefined ? undefined : { address: prefix.address, prefix: prefix.bits, ...defined({ remote }) },
    push: push.length === 0 ? undefined : push,
    pushReset: given(profile.has('push-reset')),
    pushRemove: removed.length === 0 ? undefined : removed,
    routes: routes.length === 0 ? undefined : routes,
    name: profile.value('override-username')?.[0],
    vlan: profile.value('vlan-pvid')?.[0],
  })
}

/** Ones of a netmask in dotted form; a network without one is a single address. */
function prefixLength(mask: string | undefined): number {
  return mask === undefined ? 32 : (parseNetmask(mask) ?? 32)
}
