/**
 * What a negotiation says to the session: its news, the packets it wants sent, and TLS's last words in the session's.
 */
import type { SignatureRequest, TlsCloseReason } from '../tls/index.ts'
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
