/**
 * What a client is told before it starts: its remotes, each with the whole configuration of a session over it, and how to
 * go on when one fails. Plain data; durations in milliseconds.
 */
import { ConfigError } from '../bytes/index.ts'
import type { SessionConfig } from '../session/index.ts'
import type { ProxyLogin } from './http-digest.ts'
import type { HttpProxyOptions } from './http-proxy.ts'

/** A proxy in front of a remote. */
export type ProxyConfig =
  /** HTTP CONNECT, for TCP. */
  | ({ readonly type: 'http'; readonly server: ProxyServer } & Omit<HttpProxyOptions, 'host' | 'port'>)
  /** SOCKS5, for TCP and UDP. */
  | { readonly type: 'socks'; readonly server: ProxyServer; readonly login?: ProxyLogin }

/** Where a proxy listens. */
export interface ProxyServer {
  readonly host: string
  readonly port: number
}

/** The local end of a socket, as data for the host. */
export interface LocalEnd {
  readonly address?: string
  /** 0 or absent: any. */
  readonly port?: number
}

/** One way to a server. */
export interface Remote {
  /** A name or an address. */
  readonly host: string
  readonly port: number
  /** Use only addresses of this family. */
  readonly family?: 4 | 6
  readonly local?: LocalEnd
  /** `float`: datagrams may come from another address than the one sent to. */
  readonly float?: boolean
  readonly proxy?: ProxyConfig
  /** Of the session over this remote; its `transport` is also the remote's. */
  readonly session: SessionConfig
}

/** Pauses and limits. */
export interface RetryConfig {
  /** Pause between attempts (`connect-retry`). Default 1 s. */
  readonly retry: number
  /** Longest pause (second argument of `connect-retry`). Default 300 s. */
  readonly maxRetry: number
  /** Turns per remote before giving up (`connect-retry-max`); 0: never. Default 0. */
  readonly maxTurns: number
  /** How long a server may take for its first answer (`server-poll-timeout`). Default 120 s. */
  readonly pollTimeout: number
  /** How long a lone remote's name is tried (`resolv-retry`). Default `Infinity`. */
  readonly resolveRetry: number
}

/** A client's whole configuration. */
export interface ClientConfig {
  readonly remotes: readonly Remote[]
  /** `remote-random`: try them in random order. */
  readonly remoteRandom?: boolean
  /** `remote-random-hostname`: a random label in front of every name, so that no cache answers. */
  readonly randomHostname?: boolean
  readonly retry?: Partial<RetryConfig>
  /**
   * `auth-retry`: after a refused login give up (`none`), try again with the same one (`nointeract`) or ask for another
   * (`interact`). Default `none`.
   */
  readonly authRetry?: 'none' | 'nointeract' | 'interact'
  /** `auth-nocache`: forget the password once it was sent; it is asked for again when it is needed. */
  readonly authNocache?: boolean
  /** `persist-tun`: the tunnel device stays open while no session is up. A server may push the same. */
  readonly persistTun?: boolean
  /** `persist-remote-ip`: the same remote is tried again at the same address. */
  readonly persistRemoteIp?: boolean
}

/** The reference's defaults. */
export const DEFAULT_RETRY: RetryConfig = {
  retry: 1_000,
  maxRetry: 300_000,
  maxTurns: 0,
  pollTimeout: 120_000,
  resolveRetry: Infinity,
}

/** Longest of all pauses: a day. */
const MAX_PAUSE = 86_400_000

/**
 * The retry settings with their defaults.
 *
 * @throws ConfigError for a list without remotes, a remote that cannot work, or a number out of range. CLIENT-1
 */
export function checkClientConfig(config: ClientConfig): RetryConfig {
  if (config.remotes.length === 0) throw new ConfigError('remote', 'remote: at least one is needed')
  for (const { host, port, proxy, session } of config.remotes) {
    if (host === '') throw new ConfigError('remote', 'remote: the host is empty')
    if (!isPort(port)) throw new ConfigError('remote', `remote: the port is 1 to 65535, not ${port}`)
    // Of two equal ends either may have the TLS server's role, whoever calls.
    if (session.role !== 'client' && (session.mode ?? 'client-server') === 'client-server')
      throw new ConfigError('client', 'client: its sessions have the client role')
    if (proxy !== undefined && !isPort(proxy.server.port))
      throw new ConfigError(`${proxy.type}-proxy`, `${proxy.type}-proxy: the port is 1 to 65535`)
    if (proxy?.type === 'http' && session.transport === 'udp')
      throw new ConfigError('http-proxy', 'http-proxy: carries TCP only; set proto tcp')
  }
  const retry = { ...DEFAULT_RETRY, ...config.retry }
  checkTime('connect-retry', retry.retry, 0, MAX_PAUSE)
  checkTime('connect-retry', retry.maxRetry, retry.retry, MAX_PAUSE)
  checkTime('connect-retry-max', retry.maxTurns, 0, 0x7fffffff)
  checkTime('server-poll-timeout', retry.pollTimeout, 1_000, MAX_PAUSE)
  if (retry.resolveRetry !== Infinity) checkTime('resolv-retry', retry.resolveRetry, 0, Number.MAX_SAFE_INTEGER)
  return retry
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 65_535
}

function checkTime(option: string, value: number, min: number, max: number): void {
  if (!Number.isFinite(value) || value < min || value > max)
    throw new ConfigError(option, `${option}: from ${min} to ${max}, not ${value}`)
}
