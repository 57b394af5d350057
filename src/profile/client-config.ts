/**
 * A client's profile into the configuration of a `Client`: every connection a remote with a session of its own, and how to
 * go on when one fails. Rules PROF-51 to PROF-58 in spec/client-profile.md.
 */
import { ConfigError } from '../bytes/index.ts'
import type { ClientConfig, ProxyConfig, ProxyLogin, Remote, RetryConfig } from '../client/index.ts'
import type { Connection } from './connection.ts'
import type { Entry } from './entry.ts'
import type { Profile } from './profile.ts'
import { defined, type SessionConfigOptions, toSessionConfig } from './session-config.ts'

/** What a host adds to a profile. */
export interface ClientConfigOptions extends Omit<SessionConfigOptions, 'connection'> {
  /** For an HTTP proxy whose login the profile does not hold. */
  readonly proxyLogin?: ProxyLogin
}

/** The port of SOCKS. */
const SOCKS_PORT = 1080
/** Longest pause in seconds unless stated. */
const LONGEST_PAUSE = 300

/**
 * The configuration of a client over all remotes of the profile.
 *
 * @throws ProfileError for a profile with errors, ConfigError for a file that can't be used or a profile without remotes.
 */
export function toClientConfig(profile: Profile, options: ClientConfigOptions = {}): ClientConfig {
  const connections = chooseConnections(profile)
  return defined<ClientConfig>({
    remotes: toRemotes(profile, connections, options),
    remoteRandom: present(profile.has('remote-random')),
    randomHostname: present(profile.has('remote-random-hostname')),
    retry: readRetry(profile, connections[0]),
    authRetry: profile.value('auth-retry')?.[0],
    authNocache: present(profile.has('auth-nocache')),
    persistTun: present(profile.has('persist-tun')),
    persistRemoteIp: present(profile.has('persist-remote-ip')),
  })
}

function present(stated: boolean): true | undefined {
  return stated ? true : undefined
}

/** PROF-51 */
function chooseConnections(profile: Profile): readonly Connection[] {
  const forced = profile.value('proto-force')?.[0].slice(0, 3)
  const all = profile.connections.filter(({ host, protocol }) => {
    return host !== undefined && (forced === undefined || protocol === forced)
  })
  if (all.length === 0) {
    const blamed = profile.entry('proto-force') ?? profile.entry('remote')
    const place = blamed?.place ?? { file: profile.file }
    throw new ConfigError(blamed?.name ?? 'remote', 'there is nobody to call; add "remote HOST PORT"', place)
  }
  const overTcp = all.filter(({ protocol }) => protocol === 'tcp')
  return profile.has('http-proxy-override') && overTcp.length > 0 ? overTcp : all
}

/** What belongs to TLS holds for all connections: they share one object, so that a client checks it once. */
function toRemotes(
  profile: Profile,
  connections: readonly Connection[],
  options: ClientConfigOptions,
): readonly Remote[] {
  const remotes = connections.map((connection) => toRemote(profile, connection, options))
  const tls = remotes[0]?.session.tls
  return tls === undefined ? remotes : remotes.map((remote) => ({ ...remote, session: { ...remote.session, tls } }))
}

/** PROF-52 */
function toRemote(profile: Profile, connection: Connection, options: ClientConfigOptions): Remote {
  const { host = '', port, family, localAddress, localPort } = connection
  const bound = localAddress !== undefined || localPort !== 0
  return defined<Remote>({
    host,
    port,
    family,
    local: bound ? { ...defined({ address: localAddress }), port: localPort } : undefined,
    float: present(connection.entry('float') !== undefined),
    proxy: readSocks(profile, connection) ?? readHttp(profile, connection, options),
    session: toSessionConfig(profile, { ...options, connection }),
  })
}

/** PROF-53 */
function readRetry(profile: Profile, first: Connection | undefined): Partial<RetryConfig> | undefined {
  const ms = (seconds: number | undefined): number | undefined => (seconds === undefined ? undefined : seconds * 1000)
  const [pause, longest] = first?.value('connect-retry') ?? []
  const patience = first?.value('connect-timeout')?.[0]
  const resolve = profile.value('resolv-retry')?.[0]
  const retry = defined<Partial<RetryConfig>>({
    retry: ms(pause),
    maxRetry: pause === undefined ? undefined : ms(Math.max(pause, longest ?? LONGEST_PAUSE)),
    maxTurns: first?.value('connect-retry-max')?.[0],
    pollTimeout: patience === undefined ? undefined : ms(Math.max(patience, 1)),
    resolveRetry: resolve === 'infinite' ? Infinity : ms(resolve),
  })
  return Object.keys(retry).length === 0 ? undefined : retry
}

/** PROF-57 */
function readSocks(profile: Profile, connection: Connection): ProxyConfig | undefined {
  const values = connection.value('socks-proxy')
  const entry = connection.entry('socks-proxy')
  if (values === undefined || entry === undefined) return undefined
  const [host, port, file] = values
  const login = file === undefined ? undefined : parseLogin(entry, profile.textNamed(entry, file))
  return defined<Extract<ProxyConfig, { type: 'socks' }>>({
    type: 'socks',
    server: { host, port: port ?? SOCKS_PORT },
    login,
  })
}

function readHttp(profile: Profile, connection: Connection, options: ClientConfigOptions): ProxyConfig | undefined {
  const override = profile.entry('http-proxy-override')
  const entry = override ?? connection.entry('http-proxy')
  if (entry === undefined || connection.protocol === 'udp') return undefined
  const values = override === undefined ? connection.value('http-proxy') : profile.value('http-proxy-override')
  if (values === undefined) return undefined
  const [host, port, auth] = values
  return defined<Extract<ProxyConfig, { type: 'http' }>>({
    type: 'http',
    server: { host, port },
    ...readAuthentication(profile, entry, auth, options),
    ...readDetails(profile, connection),
  })
}

type HttpLogin = Pick<Extract<ProxyConfig, { type: 'http' }>, 'login' | 'authentication'>

/** PROF-54, PROF-55 */
function readAuthentication(
  profile: Profile,
  entry: Entry,
  auth: string | undefined,
  options: ClientConfigOptions,
): HttpLogin {
  const method = entry.words[3]?.toLowerCase()
  if (method === 'none') return { authentication: 'none' }
  if (method !== undefined && !['basic', 'digest', 'auto', 'auto-nct'].includes(method)) {
    throw new ConfigError(entry.name, 'the login method is one of none, basic and digest', entry.place)
  }
  const block = profile.entry('http-proxy-user-pass')
  const automatic = auth === 'auto' || auth === 'auto-nct' ? auth : undefined
  const named = auth !== undefined && automatic === undefined && auth !== 'stdin' ? auth : undefined
  const login =
    block !== undefined
      ? parseLogin(block, profile.textOf(block))
      : named === undefined
        ? options.proxyLogin
        : parseLogin(entry, profile.textNamed(entry, named))
  const stated = auth === undefined ? 'auto' : method === 'digest' ? 'auto-nct' : 'basic'
  return defined<HttpLogin>({
    login,
    authentication: login === undefined && auth === undefined ? undefined : (automatic ?? stated),
  })
}

type ProxyDetails = Pick<Extract<ProxyConfig, { type: 'http' }>, 'version' | 'userAgent' | 'headers'>

/** PROF-56 */
function readDetails(profile: Profile, connection: Connection): ProxyDetails {
  const above = connection.block === undefined ? Infinity : (profile.blocks[connection.block]?.entriesBefore ?? 0)
  const inBlock = connection.block === undefined ? [] : profile.entriesIn(connection.block)
  const lines = [...profile.entriesOf('http-proxy-option').filter(({ index }) => index < above), ...inBlock]
    .filter(({ name }) => name === 'http-proxy-option')
    .map(({ words }) => words)
  const last = (type: string): string | undefined => lines.filter(([name]) => name === type).at(-1)?.[1]
  const version = last('VERSION')
  const headers = lines
    .filter(([type]) => type === 'CUSTOM-HEADER')
    .map(([, name = '', content]) => (content === undefined ? splitHeader(name) : ([name, content] as const)))
  return defined<ProxyDetails>({
    version: version === '1.0' || version === '1.1' ? version : undefined,
    userAgent: last('AGENT'),
    headers: headers.length === 0 ? undefined : headers,
  })
}

/** A header given as one word, `Name: value`. */
function splitHeader(text: string): readonly [string, string] {
  const colon = text.indexOf(':')
  return colon < 0 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1).trim()]
}

/** PROF-58 */
function parseLogin(entry: Entry, text: string): ProxyLogin {
  const [username = '', password = ''] = text.split('\n').map((line) => line.replace(/\r$/, ''))
  if (username !== '' && password !== '') return { username, password }
  throw new ConfigError(
    entry.name,
    'the file holds the name on its first line and the password on its second',
    entry.place,
  )
}
