/**
 * What a connection gives back: bytes for the peer, plaintext, news.
 */
import type { GroupName } from '../crypto/index.ts'
import type { Certificate, CertificateProblem } from '../x509/index.ts'
import type { AlertName } from './alerts.ts'
import type { CipherSuiteName, SignatureSchemeName, TlsVersion } from './registry.ts'

/** What two peers agreed on, as a connection keeps it while it is open: certificates are bytes. */
export interface TlsAgreement {
  readonly version: TlsVersion
  readonly cipherSuite: CipherSuiteName
  /** The key agreement's group. */
  readonly group: GroupName
  /** True when an earlier connection's session was gone on with: what is told of the peer was proven there. TLS-50 */
  readonly resumed: boolean
  /** How the peer proved possession of its key; `undefined` for a client that showed no certificate. */
  readonly peerSignatureScheme: SignatureSchemeName | undefined
  /** How this side proved possession; `undefined` for a client that showed no certificate, and on resumed connections. */
  readonly ownSignatureScheme: SignatureSchemeName | undefined
  /** Registry codes of the signature schemes that the peer takes, known and unknown; empty where it was not asked to say. */
  readonly peerSignatureAlgorithms: readonly number[]
  /** Client: DER names of the CAs that the server named when it asked for a certificate. */
  readonly certificateAuthorities: readonly Uint8Array[]
  /** The peer's DER certificates, leaf first; empty for a client that showed none. */
  readonly peerCertificates: readonly Uint8Array[]
  /** True when a HelloRetryRequest was part of the handshake. */
  readonly helloRetryRequest: boolean
  /** True when the secrets are bound to the whole handshake: always in 1.3, with extended_master_secret in 1.2. The exporter needs it. */
  readonly extendedMasterSecret: boolean
  /** TLS 1.2: the channel binding of RFC 5929. For 1.3 export `EXPORTER-Channel-Binding` (RFC 9266). */
  readonly tlsUnique: Uint8Array | undefined
  /** The application protocol that both ends named (ALPN). */
  readonly applicationProtocol: string | undefined
  /** Client that asked: DER of the OCSPResponse that the server stapled, not judged. */
  readonly ocspResponse: Uint8Array | undefined
  /** Client that asked: the server's SignedCertificateTimestampList, not judged. */
  readonly certificateTimestamps: Uint8Array | undefined
}

/** What two peers agreed on, with the peer's certificate read. */
export interface TlsInfo extends TlsAgreement {
  /** The verified leaf. */
  readonly peerLeaf: Certificate | undefined
}

/** Why a connection ended. */
export type TlsCloseReason =
  /** One side said it is done. */
  | { readonly type: 'close-notify'; readonly by: 'us' | 'peer' }
  /** The peer broke a rule, or the two have nothing in common; the alert was queued for it. */
  | { readonly type: 'alert-sent'; readonly alert: AlertName; readonly detail: string }
  /** The peer gave up. */
  | { readonly type: 'alert-received'; readonly alert: AlertName | 'unknown'; readonly code: number }
  /** The verifier refused the peer's certificate; the alert was queued. */
  | {
      readonly type: 'certificate'
      readonly alert: AlertName
      /** The verifier's reason. */
      readonly problem: CertificateProblem
      readonly subject: string | undefined
      readonly detail: string
    }

/** How a signature that the host was asked for must be made. */
export interface SignatureRequest {
  readonly type: 'signature-needed'
  readonly scheme: SignatureSchemeName
  /** The bytes to sign, not hashed. */
  readonly message: Uint8Array
}

/** A secret of the connection as a line of a key log file; only with `keyLog`. */
export interface KeyLogLine {
  readonly type: 'key-log'
  readonly line: string
}

/** Client that wants resumption: a session for a later connection to this server. Secret. */
export interface SessionOutput {
  readonly type: 'session'
  readonly session: Uint8Array
}

/** One output of a connection. */
export type TlsOutput =
  | { readonly type: 'transmit'; readonly data: Uint8Array }
  | { readonly type: 'data'; readonly data: Uint8Array }
  | { readonly type: 'connected'; readonly info: TlsInfo }
  | SignatureRequest
  | KeyLogLine
  | SessionOutput
  | { readonly type: 'closed'; readonly reason: TlsCloseReason }
