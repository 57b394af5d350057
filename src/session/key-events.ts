/**
 * What a negotiation says to the session: its news, the packets it wants sent, and TLS's last words in the session's.
 */
import type { SignatureRequest, TlsCloseReason } from '../tls/index.ts'
import type { KeyStateName } from './key-moves.ts'
import type { PeerKeyMessage } from './key-source.ts'
import type { CloseReason } from './reasons.ts'

/** News of a key state. */
export type KeyEvent =
  /** A renegotiation began. */
  | { readonly type: 'opened' }
  /** The peer's key message. */
  | { readonly type: 'peer-key'; readonly message: PeerKeyMessage }
  /** Both key messages are exchanged and acknowledged. */
  | { readonly type: 'active' }
  /** TLS plaintext after the key message: control messages. */
  | { readonly type: 'text'; readonly bytes: Uint8Array }
  | { readonly type: 'signature-needed'; readonly request: SignatureRequest }
  | { readonly type: 'failed'; readonly reason: CloseReason }

/** A control packet without the fields that the control channel adds, and whether it was sent before. */
export interface OutgoingMessage {
  readonly opcode: number
  readonly acks: readonly number[]
  readonly packetId: number | undefined
  readonly payload: Uint8Array
  readonly repeated: boolean
}

/** The session's word for the end of a TLS connection. */
export function tlsReason(reason: TlsCloseReason): CloseReason {
  switch (reason.type) {
    case 'close-notify':
      return { type: 'tls-alert', sentBy: reason.by, alert: 'close-notify', detail: 'TLS was closed' }
    case 'alert-sent':
      return { type: 'tls-alert', sentBy: 'us', alert: reason.alert, detail: reason.detail }
    case 'alert-received':
      return { type: 'tls-alert', sentBy: 'peer', alert: reason.alert, detail: `alert ${reason.code}` }
    case 'certificate':
      return { type: 'certificate', problem: reason.problem, subject: reason.subject, detail: reason.detail }
  }
}

/**
 * Where a negotiation stood when its time ran out.
 *
 * @param state - undefined when the peer was never heard.
 * @param refused - nothing came since our first TLS message: servers that refuse it drop the session and say nothing.
 */
export function standstill(state: KeyStateName | undefined, refused: boolean): string {
  if (state === undefined) return 'no answer from the peer'
  if (!refused) return `the negotiation stopped in state ${state}`
  return 'the server fell silent at our first TLS message: a TLS version or cipher suite in common is missing, or its log says why'
}
