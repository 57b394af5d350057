/**
 * An open TLS 1.2 connection: data, and nothing else. Renegotiation is refused (RFC 5746 section 4.5): a first attempt with
 * a warning, so that a peer that merely tried can go on; a second ends the connection.
 */
import { UsageError } from '../bytes/index.ts'
import type { GroupName } from '../crypto/index.ts'
import { demand } from './alerts.ts'
import type { Context } from './context.ts'
import type { HandshakeMessage } from './handshake-stream.ts'
import { exportKey12, type Randoms } from './key-schedule12.ts'
import type { TlsInfo } from './output.ts'
import type { FinishedProof, PeerIdentity } from './proofs.ts'
import { type CipherSuite, HandshakeType, type SignatureScheme } from './registry.ts'
import { NO_STAPLES, type Staples } from './staples.ts'

/** What a finished 1.2 handshake hands over. Both proofs are needed to get here. */
export interface Finished12 {
  readonly suite: CipherSuite
  readonly group: GroupName
  readonly randoms: Randoms
  readonly master: Uint8Array
  readonly extendedMasterSecret: boolean
  readonly encryptThenMac: boolean
  readonly peer: PeerIdentity
  readonly finished: FinishedProof
  readonly ownScheme: SignatureScheme | undefined
  /** What the peer's list said; empty where it gave none. */
  readonly peerSignatureAlgorithms: readonly number[]
  /** Client: CAs that the server asked for. */
  readonly certificateAuthorities?: readonly Uint8Array[]
  /** Client: what the server stapled to its certificate. */
  readonly staples?: Staples
  /** The client's verify_data. */
  readonly tlsUnique: Uint8Array
}

/** The open state. */
export interface Open12 {
  readonly type: 'open-12'
  readonly suite: CipherSuite
  readonly info: TlsInfo
  readonly randoms: Randoms
  readonly master: Uint8Array
  readonly encryptThenMac: boolean
  /** Renegotiations refused so far. */
  readonly refused: number
}

/** Announces the connection. */
export function connected12(context: Context, done: Finished12): Open12 {
  const { suite, group, peer, randoms, master, extendedMasterSecret, tlsUnique } = done
  context.records.handshakeDone()
  const proven = peer.type === 'proven' ? peer : undefined
  const info: TlsInfo = {
    version: 'TLSv1.2',
    cipherSuite: suite.name,
    group,
    peerSignatureScheme: proven?.scheme.name,
    ownSignatureScheme: done.ownScheme?.name,
    peerSignatureAlgorithms: done.peerSignatureAlgorithms,
    certificateAuthorities: done.certificateAuthorities ?? [],
    peerCertificates: proven?.chain.certificates ?? [],
    peerLeaf: proven?.chain.leaf,
    helloRetryRequest: false,
    extendedMasterSecret,
    tlsUnique,
    ...(done.staples ?? NO_STAPLES),
  }
  context.emit({ type: 'connected', info })
  return { type: 'open-12', suite, info, randoms, master, encryptThenMac: done.encryptThenMac, refused: 0 }
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
