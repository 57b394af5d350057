/**
 * What a negotiation is made of, and what its windows hold.
 */
import type { CryptoProvider, RandomSource } from '../crypto/index.ts'
import type { AckList, ReceiveWindow, SendWindow } from '../reliability/index.ts'
import type { TlsConfig, TlsAgreement } from '../tls/index.ts'
import type { AckRepeats } from './ack-repeats.ts'
import type { KeyMessageText } from './key-source.ts'

/** How one negotiation starts. */
export interface KeyStart {
  readonly keyId: number
  /** Who sent the first reset. */
  readonly initiator: 'us' | 'peer'
  /** Opcode of our reset; undefined behind a stateless exchange, where both resets are done. */
  readonly resetOpcode: number | undefined
}

/** What all negotiations of a channel have in common. */
export interface KeyTemplate {
  /** The TLS role. */
  readonly role: 'client' | 'server'
  readonly transport: 'udp' | 'tcp'
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

/** Numbers that tell two states of a negotiation's windows apart. */
export function windowsDigest(
  send: SendWindow<Message>,
  receive: ReceiveWindow<Message>,
  acks: AckList,
  repeats: AckRepeats | undefined,
): readonly number[] {
  const { inFlight, lowestUnacknowledged, nextId } = send
  const sending = [nextId, lowestUnacknowledged, inFlight, send.nextDeadline()]
  return [...sending, receive.nextId, receive.held, acks.owed, acks.available(8), repeats?.at ?? Infinity]
}
