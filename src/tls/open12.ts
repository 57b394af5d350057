/**
 * An open TLS 1.2 connection: data, and nothing else. Renegotiation is refused (RFC 5746 section 4.5): a first attempt with
 * a warning, so that a peer that merely tried can go on; a second ends the connection.
 */
import { UsageError } from '../bytes/index.ts'
import { demand } from './alerts.ts'
import type { Context } from './context.ts'
import { connectionInfo, type FinishedHandshake, leafOf } from './finished.ts'
import type { HandshakeMessage } from './handshake-stream.ts'
import { exportKey12, type Randoms } from './key-schedule12.ts'
import type { TlsAgreement } from './output.ts'
import { type CipherSuite, HandshakeType } from './registry.ts'

/** What a finished 1.2 handshake hands over. */
interface Finished12 extends FinishedHandshake {
  readonly randoms: Randoms
  readonly master: Uint8Array
  readonly extendedMasterSecret: boolean
  readonly encryptThenMac: boolean
  /** The client's verify_data. */
  readonly tlsUnique: Uint8Array
}

/** The open state. */
export interface Open12 {
  readonly type: 'open-12'
  readonly suite: CipherSuite
  readonly info: TlsAgreement
  /** True when the peer's certificate was verified, and not absent. */
  readonly verified: boolean
  readonly randoms: Randoms
  readonly master: Uint8Array
  readonly encryptThenMac: boolean
  /** Renegotiations refused so far. */
  readonly refused: number
}

/** Announces the connection. */
export function connected12(context: Context, done: Finished12): Open12 {
  const { suite, randoms, master, encryptThenMac, extendedMasterSecret, tlsUnique } = done
  context.records.handshakeDone()
  const info = connectionInfo(done, { version: 'TLSv1.2', helloRetryRequest: false, extendedMasterSecret, tlsUnique })
  const peerLeaf = leafOf(done)
  context.emit({ type: 'connected', info: { ...info, peerLeaf } })
  return { type: 'open-12', suite, info, verified: peerLeaf !== undefined, randoms, master, encryptThenMac, refused: 0 }
}

/** A handshake message on an open connection can only be a try to renegotiate. TLS12-17 */
export function onPostHandshake12(context: Context, state: Open12, message: HandshakeMessage): Open12 {
  const expected = context.config.role === 'client' ? HandshakeType.helloRequest : HandshakeType.clientHello
  demand(message.type === expected, 'unexpected-message', `handshake message ${message.type} on an open connection`)
  const wellFormed = message.type !== HandshakeType.helloRequest || message.body.length === 0
  demand(wellFormed, 'decode-error', 'the HelloRequest is malformed')
  demand(state.refused === 0, 'no-renegotiation', 'the peer insists on renegotiation')
  context.records.sendAlert('warning', 'no-renegotiation')
  return { ...state, refused: state.refused + 1 }
}

/** Before data leaves: a key that sealed enough cannot be replaced. @throws AlertError TLS12-18 */
export function beforeData12(context: Context, state: Open12): Open12 {
  demand(!context.records.worn, 'internal-error', 'the keys are worn out and TLS 1.2 cannot replace them')
  return state
}

/** Exporter of an open connection. @throws UsageError without extended_master_secret. TLS12-12 */
export function export12(
  context: Context,
  state: Open12,
  label: string,
  keyContext: Uint8Array | undefined,
  length: number,
): Uint8Array {
  if (!state.info.extendedMasterSecret) {
    throw new UsageError('exportKeyingMaterial: the peer does not know extended_master_secret')
  }
  return exportKey12(context.crypto, state.suite, state.master, state.randoms, label, keyContext, length)
}
