/**
 * What leaves a session: bytes for the socket, packets for the tunnel side, news.
 *
 * One queue, in causal order: `connected` comes before the first packet, the last farewell before `closed`. Events are
 * data an operator's screen can show; none of them ever holds a secret.
 */
import type { GroupName } from '../crypto/index.ts'
import type { OptionsDifference, PendingRequest, PushRefusal, TunnelOptions } from '../control/index.ts'
import type { CloseReason } from './reasons.ts'

/** One thing to do for the host. */
export type Output =
  /** To the socket: a datagram, or the next bytes of the TCP stream. */
  | { readonly type: 'transmit'; readonly data: Uint8Array }
  /** To the tun/tap side. */
  | { readonly type: 'packet'; readonly data: Uint8Array }
  | { readonly type: 'event'; readonly event: SessionEvent }

/** What a negotiation ended with. */
export interface Negotiated {
  /** Key id the data packets carry, 0 to 7. */
  readonly keyId: number
  /** Empty in static-key mode, as is the cipher suite. */
  readonly tlsVersion: string
  readonly cipherSuite: string
  readonly group: GroupName | undefined
  /** How the peer's certificate signed, e.g. `ecdsa_secp256r1_sha256`; undefined without a certificate. */
  readonly signatureScheme: string | undefined
  /** Protection of the control channel; `dynamic` once renegotiations use a key of their own. */
  readonly wrap: 'none' | 'tls-auth' | 'tls-crypt' | 'tls-crypt-v2'
  readonly dynamicTlsCrypt: boolean
  readonly dataCipher: string
  /** Digest of a CBC cipher or of none; undefined for an AEAD. */
  readonly dataAuth: string | undefined
  readonly dataFormat: 'aead' | 'cbc' | 'epoch' | 'none'
  /** `static-key`: there was no TLS. */
  readonly keyDerivation: 'tls-ekm' | 'openvpn-prf' | 'static-key'
  /** Peer-id in our data packets; undefined: DATA_V1. */
  readonly peerId: number | undefined
  /** Subject of the peer's certificate, in the reference's one-line form; undefined without a certificate. */
  readonly peerSubject: string | undefined
  /** The peer's IV_* and UV_* lines, empty when it sent none. */
  readonly peerInfo: Readonly<Record<string, string>>
}

/** A question that is answered together with username and password. */
export interface Challenge {
  readonly text: string
  /** The answer may be shown while typed. */
  readonly echo: boolean
}

/** News. */
export type SessionEvent =
  /** The tunnel is up: packets may be sent. Once, and again after `peer-restarted`. */
  | {
      readonly type: 'connected'
      readonly options: TunnelOptions
      readonly negotiated: Negotiated
    }
  /** Behind `connected`: `cipher none` or `auth none` is in use, as configured. */
  | { readonly type: 'unprotected'; readonly encrypted: boolean; readonly authenticated: boolean }
  /** New keys are in place; `initiator` began. */
  | {
      readonly type: 'rekeyed'
      readonly keyId: number
      readonly initiator: 'us' | 'peer'
      readonly negotiated: Negotiated
    }
  /** A renegotiation failed; the tunnel goes on with its key and another attempt follows. */
  | { readonly type: 'rekey-failed'; readonly keyId: number; readonly reason: CloseReason }
  /** Call `authenticate`. Nothing is sent before it when it comes first of all. */
  | { readonly type: 'credentials-needed'; readonly challenge: Challenge | undefined }
  /** The server decides about our login elsewhere; the answer is waited for until `timeout` ms from now. */
  | { readonly type: 'auth-pending'; readonly timeout: number }
  /**
   * Meanwhile the user is to do something: answer a question (with `authenticate({ type: 'response', … })`) or visit a
   * page.
   */
  | { readonly type: 'login-request'; readonly request: PendingRequest }
  /**
   * Server role: the peer's keys are exchanged; answer with `allow`, `deny` or `defer` while `number` is the session's
   * `pendingLogin`. One login is asked about at a time. SESS-119
   */
  | {
      readonly type: 'login'
      readonly number: number
      readonly keyId: number
      readonly username: string
      readonly password: SecretText
      /** DER certificates as the peer sent them, leaf first. */
      readonly certificates: readonly Uint8Array[]
      readonly peerSubject: string | undefined
      readonly peerInfo: Readonly<Record<string, string>>
    }
  /** Server role: the client's answer to a text request, base64 as sent. */
  | { readonly type: 'login-response'; readonly response: SecretText }
  /** The peer was restarted and proved itself under a new session: another `connected` follows. */
  | { readonly type: 'peer-restarted' }
  /** The push text as it came, one entry per option, before it is judged. */
  | { readonly type: 'push-received'; readonly options: readonly string[]; readonly update: boolean }
  /** Pushed options that were not taken over, and why. */
  | { readonly type: 'push-refused'; readonly refused: readonly PushRefusal[] }
  /** PUSH_UPDATE changed the tunnel's options. */
  | { readonly type: 'options-updated'; readonly options: TunnelOptions }
  /** Both ends' options strings differ: only a hint. */
  | { readonly type: 'options-differ'; readonly differences: readonly OptionsDifference[] }
  /** A text from the server for the user. */
  | { readonly type: 'info'; readonly message: string }
  /** An external private key must sign; answer with `provideSignature`. */
  | {
      readonly type: 'signature-needed'
      readonly keyId: number
      /** The TLS signature scheme, e.g. `rsa_pss_rsae_sha256`. */
      readonly scheme: string
      readonly message: Uint8Array
    }
  /** A secret of the session, a line of a key log file; with `keyLog: true`. */
  | { readonly type: 'key-log'; readonly line: SecretText }
  /** A control packet passed, with `trace: true`. */
  | ControlTrace
  /** The end: once, and last. */
  | { readonly type: 'closed'; readonly reason: CloseReason }

/** One control packet for a ladder view. */
export interface ControlTrace {
  readonly type: 'trace'
  readonly direction: 'sent' | 'received'
  /** The opcode's name, e.g. `P_CONTROL_V1`. */
  readonly opcode: string
  readonly keyId: number
  /** Id in the reliability layer; undefined for P_ACK_V1. */
  readonly packetId: number | undefined
  readonly acks: readonly number[]
  /** Bytes of the datagram or TCP record, and of the TLS bytes in it. */
  readonly size: number
  readonly payload: number
  /** True for a repetition of an unacknowledged packet. */
  readonly repeated: boolean
}

/** A text that does not show in logs: neither `console.log` nor JSON print it. */
export class SecretText {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  /** The text itself. */
  reveal(): string {
    return this.#text
  }
}
