/**
 * From what a host configured to what a session works with: every default filled in, every contradiction refused.
 *
 * All checks happen here and in the constructors that follow it, before a byte moves. Errors name the option in the
 * reference's spelling and say what would be right (spec/session.md, "Configuration").
 */
import { ConfigError, UsageError } from '../bytes/index.ts'
import {
  type ChosenCipher,
  cipherByName,
  type DataCipher,
  DEFAULT_DATA_CIPHERS,
  parseCipherList,
} from '../control/index.ts'
import type { CbcAlgorithm, CryptoProvider } from '../crypto/index.ts'
import { dataLayout, fragmentLimit, isAead } from '../data/index.ts'
import { REPLAY_WINDOW_SECONDS, REPLAY_WINDOW_SIZE } from '../reliability/index.ts'
import { DEFAULT_TIMERS, type SessionConfig, type SessionTimers } from './config.ts'
import { checkKeyMessage } from './agreement.ts'
import { checkPush } from './push-lines.ts'
import type { ResolvedConfig } from './resolved-config.ts'

const AEAD_CIPHERS: readonly DataCipher[] = ['AES-128-GCM', 'AES-192-GCM', 'AES-256-GCM', 'CHACHA20-POLY1305']
const CBC_KEYS: readonly (readonly [CbcAlgorithm, number])[] = [
  ['AES-128-CBC', 16],
  ['AES-192-CBC', 24],
  ['AES-256-CBC', 32],
  ['BF-CBC', 16],
  ['DES-EDE3-CBC', 24],
]
/** What a provider offers does not change, and asking costs a key of each cipher: a server asks for every client. */
const SUPPORTED = new WeakMap<CryptoProvider, readonly DataCipher[]>()
/** Where a configuration says nothing; sessions share them. */
const NO_COUNTERS = {} as const
const NO_PEER_INFO = {} as const
const NO_LOGIN = { type: 'none' } as const
const NO_WRAP = { type: 'none' } as const
const NO_PUSH = { options: [] } as const
const SMALL_BLOCKS = /^(BF|DES|CAST5|RC2|IDEA|SEED)-/i
/** Fewest bytes of a packet in one fragment. */
const LEAST_FRAGMENT = 8
/** Day in ms: the longest duration of a liveness timer. */
const DAY = 86_400_000

/**
 * Checks a configuration and fills in its defaults.
 * @throws ConfigError
 */
export function resolveConfig(config: SessionConfig, crypto: CryptoProvider): ResolvedConfig {
  const isStatic = config.mode === 'static-key'
  const pointToPoint = config.mode === 'point-to-point' || isStatic
  const auth = config.auth ?? 'SHA1'
  const supported = supportedCiphers(crypto)
  const { transport, role } = config
  const fallback = resolveFallback(config, supported)
  const resolved: ResolvedConfig = {
    role,
    pointToPoint,
    transport,
    device: config.device ?? 'tun',
    wrap: config.wrap ?? NO_WRAP,
    tls: resolveTls(config),
    staticKey: config.staticKey,
    allowInsecure: config.allowInsecure ?? false,
    answerTooLarge: config.answerTooLarge ?? false,
    counterStart: config.counterStart ?? NO_COUNTERS,
    dataCiphers: resolveCiphers(config.dataCiphers, supported, crypto),
    fallback,
    statedCipher: cipherByName(config.statedCipher ?? '')?.name ?? fallback, // NEG-28
    auth,
    login: config.login ?? NO_LOGIN,
    staticChallenge: config.staticChallenge,
    admission: config.admission ?? 'automatic',
    push: config.push ?? NO_PUSH,
    pullFilter: config.pullFilter,
    peerInfo: config.peerInfo ?? NO_PEER_INFO,
    timers: resolveTimers(config.timers),
    replay: {
      size: inRange('replay-window', config.replayWindow?.size ?? REPLAY_WINDOW_SIZE, 1, 65_536),
      seconds: inRange('replay-window', (config.replayWindow?.time ?? REPLAY_WINDOW_SECONDS * 1000) / 1000, 0, 600),
    },
    maxPacketSize: inRange('max-packet-size', config.maxPacketSize ?? 1250, 154, 2048),
    tunMtu: inRange('tun-mtu', config.tunMtu ?? 1500, 68, 65_535),
    mssfix: config.mssfix,
    fragment: inRange('fragment', config.fragment ?? 0, 0, 65_535),
    compression: config.compression ?? 'none',
    migrateCompression: config.migrateCompression ?? false,
    allowCompression: config.allowCompression ?? 'no',
    exitNotify: inRange(
      'explicit-exit-notify',
      config.explicitExitNotify ?? (role === 'client' && !isStatic ? 1 : 0),
      0,
      10,
    ),
    maxAcks: config.maxAcks ?? (role === 'client' && (config.wrap ?? { type: 'none' }).type === 'none' ? 4 : 8),
    trace: config.trace ?? false,
    keyLog: config.keyLog ?? false,
    resume: config.resume,
  }
  refuseModes(config)
  refuseContradictions(resolved)
  return resolved
}

/** The role stands before the spread: else every session's object would be of a class of its own, which costs 300 bytes. */
function resolveTls({ keyLog, role, tls }: SessionConfig): ResolvedConfig['tls'] {
  const resolved = { role, ...tls, clientAuth: tls?.clientAuth ?? 'required', keyLog: keyLog ?? false }
  resolved.role = role
  return resolved
}

/** SESS-41: keys that the mode has no use for, or lacks. */
function refuseModes({ mode, staticKey, tls, wrap, login, push }: SessionConfig): void {
  if (tls !== undefined && 'resumption' in tls) {
    throw new ConfigError('tls', 'no session of TLS is resumed here: each key has a handshake of its own') // SESS-181
  }
  if (mode !== 'static-key') {
    if (staticKey !== undefined) throw new ConfigError('secret', 'a static key is for mode static-key alone')
    if (tls === undefined)
      throw new ConfigError('tls', 'this mode needs TLS settings; only mode static-key goes without')
    return
  }
  if (staticKey === undefined) throw new ConfigError('secret', 'mode static-key needs a static key')
  if (tls !== undefined) throw new ConfigError('secret', 'a static key leaves no room for TLS: take one of them out')
  if (wrap !== undefined && wrap.type !== 'none') {
    throw new ConfigError(wrap.type, `${wrap.type} protects TLS, and a static key leaves no room for it`)
  }
  if (push !== undefined || (login !== undefined && login.type !== 'none')) {
    throw new ConfigError('secret', 'with a static key nobody logs in and nothing is pushed')
  }
}

/** SESS-41: combinations that could never work. */
function refuseContradictions(config: ResolvedConfig): void {
  const { role, transport, wrap } = config
  if (wrap.type === 'tls-crypt-v2' && role === 'server') {
    throw new ConfigError('tls-crypt-v2', 'a server takes a tls-crypt-v2 server key, not a client key')
  }
  if (wrap.type === 'tls-crypt-v2-server' && role === 'client') {
    throw new ConfigError('tls-crypt-v2', 'a client takes a tls-crypt-v2 client key, not the server key')
  }
  if (wrap.type === 'tls-auth' && wrap.digest === undefined && config.auth === 'none') {
    throw new ConfigError('tls-auth', 'tls-auth needs a digest: auth none leaves it without one')
  }
  if (config.fragment > 0 && transport === 'tcp') {
    throw new ConfigError('fragment', 'fragment works over UDP only')
  }
  if (config.fragment > 0 && config.fragment < 68) throw new ConfigError('fragment', 'fragment is at least 68')
  if (config.staticChallenge !== undefined && config.login.type === 'none') {
    throw new ConfigError('static-challenge', 'static-challenge needs auth-user-pass')
  }
  const macCiphers = [...config.dataCiphers, config.fallback].filter((name) => name !== undefined && !isAead(name))
  if (config.auth === 'none' && macCiphers.length > 0 && !config.allowInsecure) {
    throw new ConfigError('auth', `auth none lets anybody forge ${String(macCiphers[0])} packets: choose a digest`)
  }
  refuseUnwritable('push', () => {
    checkPush(config.push)
  })
  refuseUnwritable('auth-user-pass', () => {
    checkKeyMessage(config)
  })
  if (config.fragment > 0) refuseSmallFragment(config)
  const { peerId } = config.push
  if (peerId !== undefined) inRange('peer-id', peerId, 0, 0xfffffe)
  if (config.resume !== undefined && role === 'client') {
    throw new ConfigError('resume', 'only a server takes a stateless exchange over')
  }
}

/** SESS-44: what could not be written later is refused now. */
function refuseUnwritable(option: string, write: () => void): void {
  try {
    write()
  } catch (error) {
    if (error instanceof UsageError) throw new ConfigError(option, error.message)
    throw error
  }
}

function refuseSmallFragment(config: ResolvedConfig): void {
  for (const cipher of [...config.dataCiphers, config.fallback]) {
    if (cipher === undefined) continue
    const layout = dataLayout({ cipher, auth: config.auth, peerId: true, epoch: isAead(cipher) })
    if (fragmentLimit(config.fragment, false, layout, { transport: 'udp', family: 4 }) >= LEAST_FRAGMENT) continue
    throw new ConfigError('fragment', `fragment ${config.fragment} leaves no room for packets under ${cipher}`)
  }
}

/** Every data cipher that this provider can do. */
function supportedCiphers(crypto: CryptoProvider): readonly DataCipher[] {
  let ciphers = SUPPORTED.get(crypto)
  if (ciphers === undefined) {
    const cbc = CBC_KEYS.filter(([name, length]) => crypto.createCbc(name, new Uint8Array(length)) !== undefined)
    ciphers = [...AEAD_CIPHERS, ...cbc.map(([name]) => name)]
    SUPPORTED.set(crypto, ciphers)
  }
  return ciphers
}

function resolveCiphers(
  names: readonly string[] | undefined,
  supported: readonly DataCipher[],
  crypto: CryptoProvider,
): readonly DataCipher[] {
  if (names !== undefined) return parseCipherList(names.join(':'), supported)
  if (crypto.fastAes) return DEFAULT_DATA_CIPHERS
  // SESS-42: without AES hardware ChaCha20 is several times faster.
  return [...DEFAULT_DATA_CIPHERS].sort((a, b) => rank(a) - rank(b))
}

function rank(cipher: DataCipher): number {
  return cipher === 'CHACHA20-POLY1305' ? 0 : 1
}

function resolveFallback(
  { dataCiphersFallback: name, allowInsecure }: SessionConfig,
  supported: readonly DataCipher[],
): ChosenCipher | undefined {
  if (name === undefined) return undefined
  if (name.toLowerCase() === 'none') {
    if (allowInsecure === true) return 'none' // SESS-155
    throw new ConfigError('data-ciphers-fallback', 'data-ciphers-fallback none would send traffic in the clear')
  }
  const cipher = cipherByName(name)?.name
  if (cipher !== undefined && supported.includes(cipher)) return cipher
  const why = SMALL_BLOCKS.test(name) ? '; it has 64-bit blocks (SWEET32), and no well-kept library offers it' : ''
  throw new ConfigError('data-ciphers-fallback', `data-ciphers-fallback: ${name} is not available here${why}`)
}

function resolveTimers(given: Partial<SessionTimers> | undefined): SessionTimers {
  const timers = { ...DEFAULT_TIMERS, ...given }
  inRange('tls-timeout', timers.tlsTimeout, 1, DAY)
  inRange('tls-timeout', timers.tlsTimeoutMax, timers.tlsTimeout, Infinity)
  inRange('hand-window', timers.handWindow, 1000, DAY)
  inRange('tran-window', timers.tranWindow, 1000, 0xffffffff)
  inRange('reneg-sec', timers.renegotiateAfter, 0, 0xffffffffff)
  inRange('reneg-sec', timers.renegotiateAfterMin, 0, Math.max(timers.renegotiateAfter, 0))
  inRange('reneg-bytes', timers.renegotiateBytes, 0, Number.MAX_SAFE_INTEGER)
  inRange('reneg-pkts', timers.renegotiatePackets, 0, Number.MAX_SAFE_INTEGER)
  inRange('ping', timers.ping, 0, DAY)
  inRange('ping-restart', timers.pingRestart, 0, DAY)
  inRange('ping-exit', timers.pingExit, 0, DAY)
  inRange('inactive', timers.inactive, 0, 0xffffffffff)
  inRange('inactive', timers.inactiveBytes, 0, Number.MAX_SAFE_INTEGER)
  inRange('session-timeout', timers.sessionTimeout, 0, 0xffffffffff)
  inRange('push-request', timers.pushRequestFirst, 0, DAY)
  inRange('push-request', timers.pushRequestInterval, 100, DAY)
  return timers
}

/** SESS-43: a number outside its range names the option and the range. */
function inRange(option: string, value: number, least: number, most: number): number {
  if (value >= least && value <= most) return value
  throw new ConfigError(option, `${option} must be from ${least} to ${most}, not ${value}`)
}
