/**
 * What every part of a session works with: the configuration, the primitives, the outputs and the timers.
 *
 * Parts share these records and know nothing of each other or of the session that owns them.
 */
import { noble, type CryptoProvider, type RandomSource } from '../crypto/index.ts'
import { Timers } from '../reliability/index.ts'
import type { Environment, SessionConfig } from './config.ts'
import { Outbox } from './outbox.ts'
import type { PacketPath } from './packet-path.ts'
import type { TimerName } from './reasons.ts'
import { createCounters } from './stats.ts'
import type { ResolvedConfig } from './resolved-config.ts'
import { resolveConfig } from './validate.ts'

/** Timers of a session, in the order in which equal deadlines fire. Those of key states are the key states' own. */
const SESSION_TIMERS: readonly TimerName[] = [
  'key-switch',
  'tran-window',
  'reneg-sec',
  'push-request',
  'auth-pending',
  'exit-notify',
  'occ-request',
  'ping',
  'ping-restart',
  'ping-exit',
  'inactive',
  'session-timeout',
]

/** The common ground of a session's parts. */
export interface SessionContext {
  readonly config: ResolvedConfig
  readonly crypto: CryptoProvider
  readonly random: RandomSource
  readonly timeOrigin: number
  readonly outbox: Outbox
  readonly timers: Timers<TimerName>
  readonly path: PacketPath | undefined
}

/**
 * Checks the configuration and lays the ground.
 * @throws ConfigError
 */
export function createContext(config: SessionConfig, environment: Environment): SessionContext {
  const crypto = environment.crypto ?? noble
  const resolved = resolveConfig(config, crypto)
  return {
    config: resolved,
    crypto,
    random: environment.random,
    timeOrigin: environment.timeOrigin,
    outbox: new Outbox(createCounters(), resolved.transport),
    timers: new Timers<TimerName>(SESSION_TIMERS),
    path: environment.path,
  }
}
