/**
 * The handshakes of both versions and both roles on one page: every state a connection can be in, and what each does with
 * the next message.
 *
 * A state is a record named for what it awaits and holds only what is valid then. What a state may be entered with is
 * enforced by its fields: see the proofs.
 */
import { invariant } from '../bytes/index.ts'
import { AlertError } from './alerts.ts'
import { type ClientStartState, onRetriedServerHello, onServerHello } from './client-start.ts'
import {
  type Client12State,
  onCertificate12,
  onClientSignature12,
  onNewSessionTicket,
  onRequestOrDone,
  onServerChangeCipherSpec,
  onServerFinished12,
  onServerHelloDone,
  onServerKeyExchange,
} from './client12.ts'
import { onRenewedTicket, onResumedServerChangeCipherSpec, onResumedServerFinished } from './client12-abbreviated.ts'
import {
  type Client13State,
  onCertificate,
  onCertificateOrRequest,
  onCertificateVerify,
  onClientSignature,
  onEncryptedExtensions,
  onServerFinished,
} from './client13.ts'
import type { Credential, ResolvedConfig } from './config.ts'
import type { Context } from './context.ts'
import type { HandshakeMessage } from './handshake-stream.ts'
import { MAX_HANDSHAKE_MESSAGE } from './limits.ts'
import { onPostHandshake12, type Open12 } from './open12.ts'
import { onPostHandshake13, type Open13 } from './open13.ts'
import { HandshakeType } from './registry.ts'
import { onClientHello, onRetriedClientHello, type ServerStartState } from './server-start.ts'
import {
  onClientCertificate12,
  onClientCertificateVerify12,
  onClientChangeCipherSpec,
  onClientFinished12,
  onClientKeyExchange,
  onServerSignature12,
  type Server12State,
} from './server12.ts'
import { onResumedClientChangeCipherSpec, onResumedClientFinished } from './server12-abbreviated.ts'
import {
  onClientCertificate,
  onClientCertificateVerify,
  onClientFinished,
  onServerSignature,
  type Server13State,
} from './server13.ts'
import { checkSignature, type PendingSignature } from './signing.ts'

/** Every state of a connection. */
export type State =
  | ClientStartState
  | Client12State
  | Client13State
  | ServerStartState
  | Server12State
  | Server13State
  | Open12
  | Open13
  | { readonly type: 'closed' }

/** What the next handshake message does. @throws AlertError */
export function onMessage(context: Context, state: State, message: HandshakeMessage): State {
  switch (state.type) {
    case 'expect-server-hello':
      return onServerHello(context, state, message)
    case 'expect-retried-server-hello':
      return onRetriedServerHello(context, state, message)
    case 'expect-encrypted-extensions':
      return onEncryptedExtensions(context, state, message)
    case 'expect-certificate-or-request':
      return onCertificateOrRequest(context, state, message)
    case 'expect-certificate':
      return onCertificate(context, state, message)
    case 'expect-certificate-verify':
      return onCertificateVerify(context, state, message)
    case 'expect-server-finished':
      return onServerFinished(context, state, message)
    case 'expect-certificate-12':
      return onCertificate12(context, state, message)
    case 'expect-server-key-exchange':
      return onServerKeyExchange(context, state, message)
    case 'expect-request-or-done':
      return onRequestOrDone(context, state, message)
    case 'expect-server-hello-done':
      return onServerHelloDone(context, state, message)
    case 'expect-new-session-ticket':
      return onNewSessionTicket(context, state, message)
    case 'expect-server-finished-12':
      return onServerFinished12(context, state, message)
    case 'expect-renewed-ticket':
      return onRenewedTicket(context, state, message)
    case 'expect-resumed-server-finished':
      return onResumedServerFinished(context, state, message)
    case 'expect-client-hello':
      return onClientHello(context, message)
    case 'expect-retried-client-hello':
      return onRetriedClientHello(context, state, message)
    case 'expect-client-certificate':
      return onClientCertificate(context, state, message)
    case 'expect-client-certificate-verify':
      return onClientCertificateVerify(context, state, message)
    case 'expect-client-finished':
      return onClientFinished(context, state, message)
    case 'expect-client-certificate-12':
      return onClientCertificate12(context, state, message)
    case 'expect-client-key-exchange':
      return onClientKeyExchange(context, state, message)
    case 'expect-client-certificate-verify-12':
      return onClientCertificateVerify12(context, state, message)
    case 'expect-client-finished-12':
      return onClientFinished12(context, state, message)
    case 'expect-resumed-client-finished':
      return onResumedClientFinished(context, state, message)
    case 'open-12':
      return onPostHandshake12(context, state, message)
    case 'open-13':
      return onPostHandshake13(context, state, message)
    case 'client-idle':
    case 'expect-server-change-cipher-spec':
    case 'expect-client-change-cipher-spec':
    case 'expect-resumed-server-change-cipher-spec':
    case 'expect-resumed-client-change-cipher-spec':
      throw new AlertError('unexpected-message', `handshake message ${message.type} in state ${state.type}`)
    case 'expect-client-signature':
    case 'expect-server-signature':
    case 'expect-client-signature-12':
    case 'expect-server-signature-12':
    case 'closed':
      // Nothing is read while a signature is awaited or after the end.
      return invariant(false, 'TLS-33') as never
  }
}

/** What a ChangeCipherSpec does where the record layer lets one through: it changes the read key of 1.2, once. TLS12-7 */
export function onChangeCipherSpec(context: Context, state: State): State {
  switch (state.type) {
    case 'expect-server-change-cipher-spec':
      return onServerChangeCipherSpec(context, state)
    case 'expect-client-change-cipher-spec':
      return onClientChangeCipherSpec(context, state)
    case 'expect-resumed-server-change-cipher-spec':
      return onResumedServerChangeCipherSpec(context, state)
    case 'expect-resumed-client-change-cipher-spec':
      return onResumedClientChangeCipherSpec(context, state)
    default:
      throw new AlertError('unexpected-message', `a ChangeCipherSpec in state ${state.type}`)
  }
}

/** The signature that a state waits for, with the credential that makes it. */
export function pendingSignature(
  config: ResolvedConfig,
  state: State,
): { readonly credential: Credential; readonly pending: PendingSignature } | undefined {
  if (!isWaiting(state) || config.credential === undefined) return undefined
  return { credential: config.credential, pending: state.pending }
}

/** True while the host owes a signature. */
export function isWaiting(state: State): state is Extract<State, { readonly pending: PendingSignature }> {
  switch (state.type) {
    case 'expect-client-signature':
    case 'expect-server-signature':
    case 'expect-client-signature-12':
    case 'expect-server-signature-12':
      return true
    default:
      return false
  }
}

/** Goes on with the host's signature. @throws UsageError when it is wrong. */
export function onSignature(context: Context, state: State, signature: Uint8Array): State {
  const waiting = pendingSignature(context.config, state)
  if (waiting !== undefined) checkSignature(context, waiting.credential, waiting.pending, signature)
  switch (state.type) {
    case 'expect-client-signature':
      return onClientSignature(context, state, signature)
    case 'expect-server-signature':
      return onServerSignature(context, state, signature)
    case 'expect-client-signature-12':
      return onClientSignature12(context, state, signature)
    case 'expect-server-signature-12':
      return onServerSignature12(context, state, signature)
    default:
      return invariant(false, 'TLS-33') as never
  }
}

/** Longest handshake message body a state takes, by type. TLS-6 */
export function messageLimit(config: ResolvedConfig, state: State, type: number): number {
  switch (type) {
    case HandshakeType.clientHello:
      return state.type === 'expect-client-hello' || state.type === 'expect-retried-client-hello'
        ? config.maxClientHello
        : MAX_HANDSHAKE_MESSAGE
    case HandshakeType.certificate:
    case HandshakeType.certificateRequest:
      return config.verifier === undefined ? MAX_HANDSHAKE_MESSAGE : config.maxCertificateMessage
    default:
      return MAX_HANDSHAKE_MESSAGE
  }
}
