/**
 * From a server profile on disk to what `ovpn serve` needs: the server's configuration, its sockets, its own addresses, and
 * the files that are looked at while it runs.
 */
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { ConfigError } from '../../bytes/index.ts'
import { parseAuthTokenKey } from '../../control/index.ts'
import { type CryptoProvider, hashByName } from '../../crypto/index.ts'
import {
  describeProblem,
  inspectProfile,
  isFatal,
  type Profile,
  ProfileError,
  toSessionConfig,
} from '../../profile/index.ts'
import {
  type Grant,
  type Lease,
  planAddresses,
  type ServerConfig,
  type SharedSessionConfig,
} from '../../server/index.ts'
import type { SessionConfig, SessionTls, WrapConfig } from '../../session/index.ts'
import { parseStaticKey } from '../../wire/index.ts'
import { inspectProfileFile } from '../profile-files.ts'
import type { ListenTarget } from '../server-driver.ts'

/** A server profile ready to be driven. */
export interface ServePlan {
  readonly config: ServerConfig
  readonly listen: readonly ListenTarget[]
  readonly device: 'tun' | 'tap'
  /** The server's own addresses inside the tunnel. */
  readonly addresses: readonly string[]
  /** `client-config-dir`. */
  readonly clientConfig: ClientFiles | undefined
  /** `ifconfig-pool-persist`. */
  readonly leaseFile: string | undefined
  /** `crl-verify FILE`, which may change while the server runs. */
  readonly crlFile: string | undefined
  readonly warnings: readonly string[]
}

/**
 * Reads and checks the server profile at `path`.
 * @throws ConfigError when it can't work; nothing was opened then.
 */
export function loadServePlan(path: string, crypto: CryptoProvider, random: (length: number) => Uint8Array): ServePlan {
  const { profile, problems } = inspectProfileFile(path)
  if (problems.some(isFatal)) throw new ProfileError(problems)
  if (profile.role !== 'server') {
    throw new ConfigError('server', 'not a server profile; add `server NETWORK NETMASK`', { file: path })
  }
  const [scope] = profile.scopes
  if (scope === undefined) throw new ConfigError('server', 'the profile has no settings', { file: path })
  const full = toSessionConfig(profile, { connection: scope, crypto })
  const { device = 'tun' } = full
  const leaseFile = fileOf(profile, path, 'ifconfig-pool-persist')
  const directory = fileOf(profile, path, 'client-config-dir')
  const exclusive = profile.has('ccd-exclusive')
  const config: ServerConfig = {
    device,
    wraps: readWraps(profile, full.wrap),
    tls: tlsOf(full),
    session: sharedOf(full),
    ...readServer(profile, device),
    ...(profile.has('auth-gen-token') ? { authToken: readTokens(profile, random) } : {}),
    ...(leaseFile === undefined ? {} : { leases: readLeases(leaseFile) }),
    admission: directory === undefined ? 'automatic' : 'ask',
  }
  const own = [config.addresses.ipv4?.server, config.addresses.ipv6?.server]
  return {
    config,
    device,
    addresses: own.filter((address) => address !== undefined),
    listen: readListen(profile),
    clientConfig: directory === undefined ? undefined : new ClientFiles(directory, exclusive),
    leaseFile,
    crlFile: profile.value('crl-verify')?.[1] === 'dir' ? undefined : fileOf(profile, path, 'crl-verify'),
    warnings: problems.filter(({ severity }) => severity === 'warning').map(describeProblem),
  }
}

/** Certificates and keys. */
function tlsOf({ tls }: Partial<SessionConfig>): SessionTls {
  if (tls === undefined) throw new ConfigError('tls-server', 'many clients need certificates, not a static key')
  return tls
}

/** The settings of a session that are the same for every client. */
function sharedOf(full: SessionConfig): SharedSessionConfig {
  const own = ['role', 'mode', 'transport', 'device', 'wrap', 'tls', 'login', 'admission', 'push', 'explicitExitNotify']
  return Object.fromEntries(Object.entries(full).filter(([name]) => !own.includes(name)))
}

/** Everything of the server that is no session's: addresses, limits, policy. */
function readServer(profile: Profile, device: 'tun' | 'tap'): Omit<ServerConfig, 'tls'> {
  const [network, netmask, nopool] = profile.value('server') ?? []
  const [prefix] = profile.value('server-ipv6') ?? []
  const [gateway, bridgeMask, first, last] = profile.value('server-bridge') ?? []
  const pool = profile.value('ifconfig-pool')
  const clientToClient = profile.has('client-to-client')
  const topology = profile.value('topology')?.[0]
  const initial = profile.value('connect-freq-initial')
  const frequency = profile.value('connect-freq')
  const keepalive = profile.value('keepalive')
  const pushed = profile.values('push').map(([line]) => line)
  const maxAge = profile.value('tls-crypt-v2-max-age')?.[0]
  const alive = keepalive === undefined ? [] : [`ping ${keepalive[0]}`, `ping-restart ${keepalive[1]}`]
  return {
    addresses: planAddresses({
      device,
      clientToClient,
      ...(topology === undefined ? {} : { topology }),
      ...(network === undefined || netmask === undefined
        ? {}
        : { server: { network, netmask, pool: nopool === undefined } }),
      ...(prefix === undefined ? {} : { serverIpv6: { address: prefix.address, prefix: prefix.bits } }),
      ...(gateway === undefined || bridgeMask === undefined || first === undefined || last === undefined
        ? {}
        : { bridge: { gateway, netmask: bridgeMask, first, last } }),
      ...(pool === undefined ? {} : { pool: { first: pool[0], last: pool[1] } }),
    }),
    push: [...pushed, ...alive],
    clientToClient,
    duplicateNames: profile.has('duplicate-cn'),
    usernameAsCommonName: profile.has('username-as-common-name'),
    ...optional('maxClients', profile.value('max-clients')?.[0]),
    ...optional('maxRoutesPerClient', profile.value('max-routes-per-client')?.[0]),
    ...optional('connectFreqInitial', frequencyOf(initial)),
    ...optional('connectFreq', frequencyOf(frequency)),
    tlsCryptV2: {
      forceCookie: profile.value('tls-crypt-v2')?.[1] === 'force-cookie',
      ...optional('maxAgeDays', maxAge),
    },
  }
}

function optional<K extends string, V>(name: K, value: V | undefined): { readonly [P in K]?: V } {
  return (value === undefined ? {} : { [name]: value }) as { readonly [P in K]?: V }
}

function frequencyOf(values: readonly [number, number] | undefined): ServerConfig['connectFreq'] {
  return values === undefined ? undefined : { count: values[0], period: values[1] * 1000 }
}

/** The wrap that a session of the profile would use, and beside tls-crypt-v2 the older one. */
function readWraps(profile: Profile, wrap: WrapConfig | undefined): readonly WrapConfig[] {
  if (wrap === undefined) return []
  if (wrap.type !== 'tls-crypt-v2-server') return [wrap]
  const crypt = profile.entry('tls-crypt')
  if (crypt !== undefined) {
    return [wrap, { type: 'tls-crypt', key: parseStaticKey(profile.textOf(crypt), 'tls-crypt') }]
  }
  const auth = profile.entry('tls-auth')
  if (auth === undefined) return [wrap]
  const word = auth.content === undefined ? auth.words[1] : profile.entry('key-direction')?.words[0]
  const direction = word === undefined ? undefined : word === '0' ? 0 : 1
  const digest = hashByName(profile.value('auth')?.[0] ?? 'SHA1') ?? 'SHA1'
  return [wrap, { type: 'tls-auth', key: parseStaticKey(profile.textOf(auth), 'tls-auth'), direction, digest }]
}

function readTokens(profile: Profile, random: (length: number) => Uint8Array): NonNullable<ServerConfig['authToken']> {
  const words = profile.entry('auth-gen-token')?.words ?? []
  const secret = profile.entry('auth-gen-token-secret')
  const renegotiation = profile.value('reneg-sec')?.[0] ?? 3600
  const renewal = Number(words[1] ?? renegotiation)
  return {
    key: secret === undefined ? random(128) : parseAuthTokenKey(profile.textOf(secret)),
    lifetime: Number(words[0] ?? 0) * 1000,
    renewal: (Number.isNaN(renewal) ? renegotiation : renewal) * 1000,
    externalAuth: words.includes('external-auth'),
  }
}

function readListen(profile: Profile): readonly ListenTarget[] {
  const [scope] = profile.scopes
  const family = scope?.family
  const host = scope?.localAddress
  return [
    {
      protocol: scope?.protocol ?? 'udp',
      port: scope?.localPort ?? 1194,
      ...(host === undefined ? {} : { host }),
      ...(family === undefined ? (host?.includes(':') === false ? { family: 4 as const } : {}) : { family }),
    },
  ]
}

/** The file or directory that a directive names: as given, else beside the profile. */
function fileOf(profile: Profile, path: string, name: Parameters<Profile['entry']>[0]): string | undefined {
  const entry = profile.entry(name)
  const word = entry?.content === undefined ? entry?.words[0] : undefined
  if (word === undefined) return undefined
  return exists(resolve(word)) ? resolve(word) : resolve(dirname(path), word)
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined
}

/** `name,ipv4[,ipv6]` lines of an earlier run; none when the file is not there. */
function readLeases(path: string): readonly Lease[] {
  if (!exists(path)) return []
  const lines = readFileSync(path, 'utf8').split(/\r?\n/)
  return lines
    .map((line) => line.split(','))
    .filter(([commonName]) => commonName !== undefined && commonName !== '' && !commonName.startsWith('#'))
    .map(([commonName = '', ipv4 = '', ipv6 = '']) => ({
      commonName,
      ...(ipv4 === '' ? {} : { ipv4 }),
      ...(ipv6 === '' ? {} : { ipv6 }),
    }))
}

/** Writes the leases in the reference's form. */
export function writeLeases(path: string, leases: readonly Lease[]): void {
  const lines = leases.map(({ commonName, ipv4 = '', ipv6 = '' }) => `${commonName},${ipv4},${ipv6}\n`)
  writeFileSync(path, lines.join(''))
}

/** The files of a `client-config-dir`. */
export class ClientFiles {
  readonly #directory: string
  readonly #exclusive: boolean

  constructor(directory: string, exclusive: boolean) {
    this.#directory = directory
    this.#exclusive = exclusive
  }

  /** What the client's file, or `DEFAULT`, grants; a sentence when it keeps the client out. */
  grantFor(name: string | undefined): Grant | string {
    const own = name !== undefined && /^[\w@-][\w.@ -]*$/.test(name) ? join(this.#directory, name) : undefined
    const path = [own, join(this.#directory, 'DEFAULT')].find((file) => file !== undefined && exists(file))
    if (path === undefined) return this.#exclusive ? 'there is no file for this client' : {}
    const { problems, profile } = inspectProfile(readFileSync(path, 'utf8'), undefined, {
      file: path,
      context: 'per-client',
    })
    const fault = problems.find(isFatal)
    if (fault !== undefined) return describeProblem(fault)
    return profile.has('disable') ? 'this client is disabled' : grantOf(profile)
  }
}

function grantOf(profile: Profile): Grant {
  const [local, remoteOrNetmask] = profile.value('ifconfig-push') ?? []
  const [six, remote] = profile.value('ifconfig-ipv6-push') ?? []
  const routes4 = profile.entriesOf('iroute').map(({ words }) => `${words[0] ?? ''}/${prefixLength(words[1])}`)
  const routes6 = profile.values('iroute-ipv6').map(([network]) => `${network.address}/${network.bits}`)
  const name = profile.value('override-username')?.[0]
  return {
    ...(local === undefined || remoteOrNetmask === undefined ? {} : { ifconfig: { local, remoteOrNetmask } }),
    ...(six === undefined
      ? {}
      : {
          ifconfigIpv6: { address: six.address, prefix: six.bits, ...(remote === undefined ? {} : { remote }) },
        }),
    push: profile.values('push').map(([line]) => line),
    pushReset: profile.has('push-reset'),
    pushRemove: profile.values('push-remove').map(([start]) => start),
    routes: [...routes4, ...routes6],
    ...(name === undefined ? {} : { name }),
  }
}

function prefixLength(netmask = '255.255.255.255'): number {
  const bits = netmask.split('.').map((part) => Number(part).toString(2).padStart(8, '0'))
  return bits.join('').replace(/0+$/, '').length
}
