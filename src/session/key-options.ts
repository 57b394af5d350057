/**
 * What a negotiation is made of, and what its windows hold.
 */
import type { CryptoProvider, RandomSource } from '../crypto/index.ts'
import type { TlsConfig, TlsAgreement } from '../tls/index.ts'
import type { KeyMessageText } from './key-source.ts'

/** What is fixed when a negotiation starts. */
export interface KeyStateOptions {
  readonly keyId: number
  /** The TLS role. */
  readonly role: 'client' | 'server'
  /** Who sent the first reset. */
  readonly initiator: 'us' | 'peer'
  /** Opcode of our reset; undefined behind a stateless exchange, where both resets are done. */
  readonly resetOpcode: number | undefined
  readonly tls: TlsConfig
  /** What our key message says beside its randoms. */
  readonly keyMessage: (info: TlsAgreement) => KeyMessageText
  readonly tlsTimeout: number
  readonly tlsTimeoutMax: number
  readonly handWindow: number
  /** Most TLS bytes in one packet, and in one that carries the wrapped client key as well. */
  readonly payloadLimit: number
  readonly wrappedKeyPayloadLimit: number
  /** Client: a wrapped key goes with the hard reset. */
  readonly hasWrappedKey: boolean
  readonly maxAcks: number
  /** Takes the lines of the key log, where the host asked for one. */
  readonly keyLog: (line: string) => void
  readonly crypto: CryptoProvider
  readonly random: RandomSource
  readonly timeOrigin: number
}

/** A control packet's content, on its way through a window. */
export interface Message {
  readonly opcode: number
  readonly payload: Uint8Array
}
