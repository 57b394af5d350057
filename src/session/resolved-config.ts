/**
 * What a session works with: the host's configuration with every default filled in (spec/session.md, "Configuration").
 */
import type { ChosenCipher, CompressionFraming, DataCipher, PullFilter } from '../control/index.ts'
import type { HashName } from '../crypto/index.ts'
import type { CounterStart } from '../data/index.ts'
import type { TlsConfig } from '../tls/index.ts'
import type {
  LoginConfig,
  PeerInfoConfig,
  PushConfig,
  ResumedReset,
  SessionConfig,
  SessionTimers,
  StaticChallenge,
  StaticKeyConfig,
  WrapConfig,
} from './config.ts'

/** `replay-window` of a wrap: ids, and seconds of time backtrack. */
export interface ReplaySettings {
  readonly size: number
  readonly seconds: number
}

/** A configuration with nothing left open. */
export interface ResolvedConfig {
  readonly role: 'client' | 'server'
  readonly pointToPoint: boolean
  readonly transport: 'udp' | 'tcp'
  readonly device: 'tun' | 'tap'
  readonly wrap: WrapConfig
  readonly tls: TlsConfig
  /** Present in static-key mode. */
  readonly staticKey: StaticKeyConfig | undefined
  readonly allowInsecure: boolean
  readonly answerTooLarge: boolean
  readonly counterStart: CounterStart
  readonly dataCiphers: readonly DataCipher[]
  readonly fallback: ChosenCipher | undefined
  /** The cipher of which our options string speaks. */
  readonly statedCipher: ChosenCipher | undefined
  readonly auth: HashName | 'none'
  readonly login: LoginConfig
  readonly staticChallenge: StaticChallenge | undefined
  readonly admission: 'automatic' | 'ask'
  readonly push: PushConfig
  readonly pullFilter: PullFilter | undefined
  readonly peerInfo: PeerInfoConfig
  readonly timers: SessionTimers
  readonly replay: ReplaySettings
  readonly maxPacketSize: number
  readonly tunMtu: number
  readonly mssfix: SessionConfig['mssfix']
  readonly fragment: number
  readonly compression: CompressionFraming
  readonly migrateCompression: boolean
  readonly allowCompression: 'no' | 'asym'
  readonly exitNotify: number
  readonly maxAcks: number
  readonly trace: boolean
  readonly keyLog: boolean
  readonly resume: ResumedReset | undefined
}
