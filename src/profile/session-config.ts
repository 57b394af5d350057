/**
 * A profile and one of its connections into a session's configuration.
 *
 * Only what the profile says is set: everything else is left to the session's own defaults, which are the reference's.
 * Files and inline blocks are read here, so a certificate or key that can't be used is a `ConfigError` at the line that
 * names it, before any socket opens. The result is plain data that a host may still change. PROF-21 to PROF-27
 */
import { ConfigError } from '../bytes/index.ts'
import type { CompressionFraming } from '../control/index.ts'
import { cipherByName, DEFAULT_DATA_CIPHERS, hasSmallBlocks } from '../control/index.ts'
import { hashByName, type CryptoProvider, noble } from '../crypto/index.ts'
import type {
  LoginConfig,
  PeerInfoConfig,
  SessionConfig,
  SessionTimers,
  StaticChallenge,
  StaticKeyConfig,
} from '../session/index.ts'
import { parseStaticKey } from '../wire/index.ts'
import type { Connection } from './connection.ts'
import { isFatal, ProfileError } from './problem.ts'
import type { Profile } from './profile.ts'
import { reachesBefore } from './release.ts'
import { checkRules } from './rules.ts'
import { RuleView } from './rules/rule.ts'
import { readTls } from './session-tls.ts'
import { atLine, keyDirection, readWrap } from './session-wrap.ts'

/** What a host adds to a profile. */
export interface SessionConfigOptions {
  /** One of the profile's connections. Default: the first. */
  readonly connection?: Connection
  /** Passphrase of the private key, where `askpass` names no file. */
  readonly passphrase?: string
  /** Name and password, where `auth-user-pass` names no file. */
  readonly login?: LoginConfig
  /** Opens encrypted keys. Default: noble. */
  readonly crypto?: CryptoProvider
}

/** A pulling client that names no timer gives up after so long without an answer, as the reference does. */
const PULL_PING_RESTART = 120_000

/**
 * The configuration of a session over one of the profile's connections.
 *
 * @throws ProfileError for a profile with errors, ConfigError for a file that can't be used; both name the line.
 */
export function toSessionConfig(profile: Profile, options: SessionConfigOptions = {}): SessionConfig {
  const problems = [...profile.readProblems, ...checkRules(profile)]
  if (problems.some(isFatal)) throw new ProfileError(problems)
  const connection = options.connection ?? profile.scopes[0]
  if (connection === undefined) throw new ConfigError('remote', 'the profile has no connection')
  const view = new RuleView(profile, undefined)
  const crypto = options.crypto ?? noble
  const staticKey = readStaticKey(profile)
  const opensTcp = view.value('proto')?.[0] !== 'tcp-server'
  const role = (staticKey === undefined ? view.isTlsServer : !opensTcp) ? 'server' : 'client'
  return defined<SessionConfig>({
    role,
    mode: staticKey !== undefined ? 'static-key' : profile.role === 'peer' ? 'point-to-point' : 'client-server',
    transport: connection.protocol,
    device: view.device === 'tap' ? 'tap' : 'tun',
    ...(staticKey === undefined
      ? {
          wrap: readWrap(profile, connection, role),
          tls: readTls(profile, role, options.passphrase, crypto),
          ...readCiphers(profile),
        }
      : { staticKey }),
    auth: readAuth(profile),
    allowInsecure: asksForNone(profile) ? true : undefined,
    login: role === 'client' ? readLogin(profile, options.login) : undefined,
    staticChallenge: readStaticChallenge(profile),
    push: profile.role === 'server' ? { options: profile.values('push').map(([option]) => option) } : undefined,
    pullFilter: readPullFilter(profile),
    peerInfo: readPeerInfo(profile),
    timers: readTimers(profile),
    replayWindow: readReplayWindow(profile),
    maxPacketSize: connection.value('max-packet-size')?.[0],
    tunMtu: connection.value('tun-mtu')?.[0],
    fragment: readFragment(connection),
    mssfix: readMssfix(connection),
    compression: readCompression(profile),
    migrateCompression: profile.value('compress')?.[0] === 'migrate' ? true : undefined,
    allowCompression: readAllowCompression(profile),
    explicitExitNotify: readExitNotify(connection),
  })
}

/** The object without its undefined fields. */
export function defined<T>(fields: { readonly [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T
}

/**
 * PROF-22: a `cipher` outside `data-ciphers` is the fallback of an equal peer. A client that names no list adds it to the
 * default one and falls back to it, unless its blocks are of 64 bits: servers without negotiation are still about. `none`
 * and ciphers with 64-bit blocks go into no list. PROF-59: with `compat-mode` before 2.5 a `cipher` also joins a list that is
 * named, before 2.4 it is the fallback in any case.
 */
function readCiphers(
  profile: Profile,
): Pick<Partial<SessionConfig>, 'dataCiphers' | 'dataCiphersFallback' | 'statedCipher'> {
  const listed = profile.value('data-ciphers')?.[0].split(':')
  const stated = profile.has('data-ciphers-fallback') ? lastCipher(profile) : undefined
  const written = profile.value('cipher')?.[0]
  const single = cipherByName(written ?? '')
  const isLarge = single !== undefined && !hasSmallBlocks(single)
  const name = isNone(written) ? 'none' : isLarge || profile.role === 'peer' ? single?.name : undefined
  const compatible = profile.value('compat-mode')?.[0]
  const list = listed ?? ['DEFAULT']
  const known = listed ?? DEFAULT_DATA_CIPHERS
  const joins = isLarge && (listed === undefined || reachesBefore(compatible, '2.5')) && !known.includes(single.name)
  const dataCiphers = joins ? [...list, single.name] : listed
  const fallsBack = listed === undefined || profile.role === 'peer' || reachesBefore(compatible, '2.4')
  const fallback = stated ?? (fallsBack ? name : undefined)
  const without = fallback === undefined ? single?.name : undefined // NEG-28
  return {
    ...(dataCiphers === undefined ? {} : { dataCiphers }),
    ...(fallback === undefined ? {} : { dataCiphersFallback: fallback }),
    ...(without === undefined ? {} : { statedCipher: without }),
  }
}

/** The last of `cipher` and `data-ciphers-fallback`. */
function lastCipher(profile: Profile): string | undefined {
  const later = (profile.entry('cipher')?.index ?? -1) > (profile.entry('data-ciphers-fallback')?.index ?? -1)
  return profile.value(later ? 'cipher' : 'data-ciphers-fallback')?.[0]
}

/** SESS-154: where nothing is said the reference means BF-CBC, which is refused here with the reason. */
function readStaticKey(profile: Profile): StaticKeyConfig | undefined {
  const entry = profile.entry('secret')
  if (entry === undefined) return undefined
  const key = atLine(entry, () => parseStaticKey(profile.textOf(entry), 'secret'))
  const name = lastCipher(profile) ?? 'BF-CBC'
  const cipher = isNone(name) ? 'none' : cipherByName(name)?.name
  if (cipher === undefined)
    throw new ConfigError('cipher', 'this library does not have it', profile.entry('cipher')?.place)
  return { key, direction: keyDirection(profile, 'secret'), cipher }
}

const isNone = (name: string | undefined): boolean => name?.toLowerCase() === 'none'

/** SESS-155: who writes `none` asks for it; the rules warn. */
function asksForNone(profile: Profile): boolean {
  return (['cipher', 'data-ciphers-fallback', 'auth'] as const).some((name) => isNone(profile.value(name)?.[0]))
}

function readAuth(profile: Profile): SessionConfig['auth'] {
  const name = profile.value('auth')?.[0]
  if (name === undefined) return undefined
  return name.toLowerCase() === 'none' ? 'none' : hashByName(name)
}

/** PROF-23: the login file or block holds the name on its first line and the password on its second. */
function readLogin(profile: Profile, given: LoginConfig | undefined): LoginConfig | undefined {
  const entry = profile.entry('auth-user-pass')
  if (entry === undefined) return undefined
  if (given !== undefined) return given
  if (entry.content === undefined && entry.words[0] === undefined) return { type: 'ask' }
  const [username = '', password = ''] = profile
    .textOf(entry)
    .split('\n')
    .map((line) => line.replace(/\r$/, ''))
  if (username === '') {
    throw new ConfigError(
      'auth-user-pass',
      'its file has no name on the first line; put the name there and the password on the second',
      entry.place,
    )
  }
  return password === '' ? { type: 'ask', username } : { type: 'password', username, password }
}

function readStaticChallenge(profile: Profile): StaticChallenge | undefined {
  const [text, echo, format] = profile.value('static-challenge') ?? []
  return text === undefined ? undefined : { text, echo: echo === '1', format: format ?? 'scrv1' }
}

function readPullFilter(profile: Profile): SessionConfig['pullFilter'] {
  const rules = profile.values('pull-filter').map(([action, prefix]) => ({ action, prefix }))
  const routeNopull = profile.has('route-nopull')
  return rules.length === 0 && !routeNopull ? undefined : { rules, routeNopull }
}

/** PROF-24: variables for the peer travel as `UV_` and `IV_` lines. */
function readPeerInfo(profile: Profile): PeerInfoConfig | undefined {
  const variables = profile.values('setenv').filter(([name]) => /^(UV|IV)_/.test(name))
  const pushPeerInfo =
    profile.has('push-peer-info') || profile.values('setenv').some(([name]) => name === 'PUSH_PEER_INFO')
  if (variables.length === 0 && !pushPeerInfo) return undefined
  const extra = Object.fromEntries(variables.map(([name, value]) => [name, value ?? '']))
  return { pushPeerInfo, extra }
}

function readTimers(profile: Profile): Partial<SessionTimers> {
  const ms = (value: number | undefined): number | undefined => (value === undefined ? undefined : value * 1000)
  const [keepalivePing, keepaliveTimeout] = profile.value('keepalive') ?? []
  // PROF-25: a server waits twice as long as it tells its clients to.
  const patience = profile.role === 'server' ? 2 : 1
  const restart = keepaliveTimeout === undefined ? profile.value('ping-restart')?.[0] : keepaliveTimeout * patience
  const exit = profile.value('ping-exit')?.[0]
  const inactive = profile.value('inactive')
  const pulls = profile.role === 'client' && exit === undefined
  return defined<Partial<SessionTimers>>({
    tlsTimeout: ms(profile.value('tls-timeout')?.[0]),
    handWindow: ms(profile.value('hand-window')?.[0]),
    tranWindow: ms(profile.value('tran-window')?.[0]),
    renegotiateAfter: ms(profile.value('reneg-sec')?.[0]),
    renegotiateAfterMin: ms(profile.value('reneg-sec')?.[1]),
    renegotiateBytes: profile.value('reneg-bytes')?.[0],
    renegotiatePackets: profile.value('reneg-pkts')?.[0],
    ping: ms(keepalivePing ?? profile.value('ping')?.[0]),
    pingRestart: ms(restart) ?? (pulls ? PULL_PING_RESTART : undefined),
    pingExit: ms(exit),
    inactive: ms(inactive?.[0]),
    inactiveBytes: inactive?.[1],
    sessionTimeout: ms(profile.value('session-timeout')?.[0]),
  })
}

/** PROF-26: a window without width takes only what is above the highest id, which is a window of one. */
function readReplayWindow(profile: Profile): SessionConfig['replayWindow'] {
  const [size, time] = profile.value('replay-window') ?? []
  return size === undefined ? undefined : { size: Math.max(size, 1), time: (time ?? 15) * 1000 }
}

/** Bytes that IP and UDP put before a datagram. */
function headersBelow(connection: Connection): number {
  return connection.family === 6 ? 48 : 28
}

/** PROF-26: `fragment N mtu` counts the headers below, the plain form does not. */
function readFragment(connection: Connection): number | undefined {
  const [size, unit] = connection.value('fragment') ?? []
  if (size === undefined || connection.protocol === 'tcp') return undefined
  return unit === 'mtu' ? size - headersBelow(connection) : size
}

function readMssfix(connection: Connection): SessionConfig['mssfix'] {
  const values = connection.value('mssfix')
  const [size, unit] = values ?? []
  if (size === 0) return 'off'
  if (size !== undefined) return { size, mode: unit ?? 'payload' }
  const [fragment] = connection.value('fragment') ?? []
  return fragment === undefined ? undefined : { size: fragment, mode: 'mtu' }
}

/** PROF-27: framing only; `comp-lzo no` still frames. */
function readCompression(profile: Profile): CompressionFraming | undefined {
  const compress = profile.entry('compress')
  const lzo = profile.entry('comp-lzo')
  const later = compress !== undefined && (lzo === undefined || compress.index > lzo.index) ? compress : lzo
  if (later === undefined) return undefined
  if (later.name === 'comp-lzo') return 'comp-lzo'
  const algorithm = profile.value('compress')?.[0] ?? 'stub'
  return algorithm === 'migrate' ? undefined : algorithm
}

function readAllowCompression(profile: Profile): SessionConfig['allowCompression'] {
  const stated = profile.value('allow-compression')?.[0]
  if (stated !== undefined) return stated === 'no' ? 'no' : 'asym'
  const compress = profile.value('compress')?.[0]
  const lzo = profile.has('comp-lzo') && profile.value('comp-lzo')?.[0] !== 'no'
  const asks = lzo || compress === 'lzo' || compress === 'lz4' || compress === 'lz4-v2'
  return asks || reachesBefore(profile.value('compat-mode')?.[0], '2.6') ? 'asym' : undefined // PROF-59
}

function readExitNotify(connection: Connection): number | undefined {
  const values = connection.value('explicit-exit-notify')
  return values === undefined || connection.protocol === 'tcp' ? undefined : (values[0] ?? 1)
}
