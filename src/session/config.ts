/**
 * What a session is told before it starts.
 *
 * {@link SessionConfig} is plain data: a profile is turned into one, a test writes one by hand. Everything optional has
 * the reference's default (see {@link DEFAULT_TIMERS} and spec/session.md). {@link resolveConfig} checks all of it and
 * throws {@link ConfigError}, naming the option in the reference's spelling, before any byte moves; the session works on
 * its result, in which nothing is optional any more.
 *
 * Durations are in milliseconds; 0 switches an optional timer off.
 */
import type { CompressionFraming, DataCipher, PullFilter } from '../control/index.ts'
import type { CryptoProvider, HashName, RandomSource } from '../crypto/index.ts'
import type { CounterStart } from '../data/index.ts'
import type { TlsConfig } from '../tls/index.ts'
import type { PacketPath } from './packet-path.ts'
import type { KeyDirection, StaticKey, TlsCryptV2ServerKey } from '../wire/index.ts'

/** Everything ambient, as values. */
export interface Environment {
  /** Milliseconds on a clock that never runs backwards, e.g. `performance.now()`. */
  readonly now: number
  /** Unix milliseconds at `now === 0`, e.g. `performance.timeOrigin`. Certificates and long packet ids need wall time. */
  readonly timeOrigin: number
  readonly random: RandomSource
  /** Default: `noble`, which runs anywhere. `nodeCrypto` from `ovpn-core/node` is the fast one on Node. */
  readonly crypto?: CryptoProvider
  /**
   * For hosts with many sessions: where the way of this one's packets is noted, a part of the host's own object.
   * @internal
   */
  readonly path?: PacketPath
}

/** How control packets are protected before TLS has anything to say. */
export type WrapConfig =
  | { readonly type: 'none' }
  | {
      readonly type: 'tls-auth'
      readonly key: StaticKey
      /** `key-direction`; `undefined`: both ways with the same half. */
      readonly direction: 0 | 1 | undefined
      /** Default: the session's `auth`. */
      readonly digest?: HashName
    }
  | { readonly type: 'tls-crypt'; readonly key: StaticKey }
  /** Client: the key pair and its wrapped form out of a client key file. */
  | { readonly type: 'tls-crypt-v2'; readonly key: StaticKey; readonly wrappedKey: Uint8Array }
  /** Server: the key that unwraps what clients bring. */
  | { readonly type: 'tls-crypt-v2-server'; readonly serverKey: TlsCryptV2ServerKey }

/**
 * The TLS half, in the TLS floor's own words. Of a server's clients a certificate is required unless `clientAuth` says
 * otherwise (`verify-client-cert`). No session of TLS is ever resumed: each key has a handshake of its own (SESS-181).
 */
export type SessionTls = Omit<TlsConfig, 'role' | 'resumption'>

/** A username and a password; or the answer to a challenge. */
export type Credentials =
  | {
      readonly type: 'password'
      readonly username: string
      readonly password: string
      /** The answer to a static challenge, where the configuration has one. */
      readonly response?: string
    }
  /** Answers a challenge that came while the login is pending (CR_TEXT). */
  | { readonly type: 'response'; readonly response: string }

/** Whether and how this side logs in with a name. */
export type LoginConfig =
  | { readonly type: 'none' }
  /** Known beforehand. */
  | { readonly type: 'password'; readonly username: string; readonly password: string; readonly response?: string }
  /** The event `credentials-needed` asks for them, before the first byte is sent. Of the two the username may be known. */
  | { readonly type: 'ask'; readonly username?: string }

/** A question that is put together with the password (`static-challenge`). */
export interface StaticChallenge {
  readonly text: string
  readonly echo: boolean
  /** How answer and password travel together. */
  readonly format: 'scrv1' | 'concat'
}

/** Timers and limits of keys. Milliseconds, bytes, packets; see wire facts in spec/session.md and spec/rekeying.md. */
export interface SessionTimers {
  /** First retransmission of a control packet (`tls-timeout`). */
  readonly tlsTimeout: number
  /** Largest pause between retransmissions; the reference doubles without a cap. */
  readonly tlsTimeoutMax: number
  /** Deadline of each negotiation (`hand-window`). */
  readonly handWindow: number
  /** Life of the old key, counted from the start of its successor's negotiation (`tran-window`). */
  readonly tranWindow: number
  /** New keys after this time (`reneg-sec`); 0: never by time. */
  readonly renegotiateAfter: number
  /** A server chooses each time anew between this and `renegotiateAfter` (second argument of `reneg-sec`). */
  readonly renegotiateAfterMin: number
  /** New keys after so many tunnel bytes (`reneg-bytes`); 0: never. */
  readonly renegotiateBytes: number
  /** New keys after so many tunnel packets (`reneg-pkts`); 0: never. */
  readonly renegotiatePackets: number
  /** A ping after so long without sending (`ping`); 0: none. */
  readonly ping: number
  /** Give up after so long without receiving (`ping-restart`); 0: never. */
  readonly pingRestart: number
  /** The same, for good (`ping-exit`); 0: never. */
  readonly pingExit: number
  /** Less than `inactiveBytes` tunnel bytes in this time ends the session (`inactive`); 0: never. */
  readonly inactive: number
  readonly inactiveBytes: number
  /** The tunnel's whole life (`session-timeout`); 0: no end. */
  readonly sessionTimeout: number
  /** First PUSH_REQUEST after the keys are exchanged, and the pause between repetitions. */
  readonly pushRequestFirst: number
  readonly pushRequestInterval: number
}

/** What the server role pushes. */
export interface PushConfig {
  /** Lines as they are pushed, e.g. `route 10.9.0.0 255.255.0.0`. The session adds what it negotiates. */
  readonly options: readonly string[]
  /** Tunnel addresses: pushed as `ifconfig` and `ifconfig-ipv6`, already in the text form of the reference. */
  readonly ifconfig?: string
  readonly ifconfigIpv6?: string
  /** Assigned to the client when it understands DATA_V2; 0 to 0xfffffe. Default: none is assigned. */
  readonly peerId?: number
  /** A session token the client presents from now on instead of its password. */
  readonly authToken?: string
  /** For this client alone: which of the session's `dataCiphers` may be chosen, most wanted first. */
  readonly dataCiphers?: readonly string[]
}

/** What goes into the peer info beside the facts of the session. */
export interface PeerInfoConfig {
  /** `IV_VER`. Default: this library's version. */
  readonly version?: string
  /** `IV_PLAT`, e.g. `linux`. Default: `js`. */
  readonly platform?: string
  /** `IV_GUI_VER`. */
  readonly guiVersion?: string
  /** `IV_SSO`: which web login methods the host can show, e.g. `openurl,webauth,crtext`. */
  readonly sso?: string
  /** More lines, e.g. `UV_NAME`, sent only with `pushPeerInfo`. Keys start with `UV_` or `IV_`. */
  readonly extra?: Readonly<Record<string, string>>
  /** `push-peer-info`. */
  readonly pushPeerInfo?: boolean
}

/** A tunnel whose keys both ends have beforehand: no TLS, no negotiation, no forward secrecy (`secret`). */
export interface StaticKeyConfig {
  readonly key: StaticKey
  /** `key-direction`: the two ends have different ones, or none. Default none: one key for both ways. */
  readonly direction?: KeyDirection
  /** `cipher`: a CBC cipher; `none` only with `allowInsecure`. The digest is the session's `auth`. */
  readonly cipher: DataCipher | 'none'
}

/** A session's whole configuration. */
export interface SessionConfig {
  /** The TLS role. In mode `client-server` a server pushes and a client pulls. */
  readonly role: 'client' | 'server'
  /**
   * `point-to-point`: two equal ends, nothing is pushed. `static-key`: the same without TLS, see `staticKey`; `role` then
   * says no more than who opened the TCP connection. Default `client-server`.
   */
  readonly mode?: 'client-server' | 'point-to-point' | 'static-key'
  /** `udp`: `receive` and `transmit` carry datagrams. `tcp`: they carry pieces of the stream. */
  readonly transport: 'udp' | 'tcp'
  /** `tun` carries IP packets, `tap` Ethernet frames. Default `tun`. */
  readonly device?: 'tun' | 'tap'
  /** Default: none. */
  readonly wrap?: WrapConfig
  /** Wanted in every mode but `static-key`. */
  readonly tls?: SessionTls
  /** Wanted in mode `static-key`, and only there. */
  readonly staticKey?: StaticKeyConfig
  /** Permits `cipher none`, and `auth none` beside a cipher that does not authenticate by itself. Default false. */
  readonly allowInsecure?: boolean
  /**
   * `data-ciphers`, most wanted first; a name behind `?` is dropped when unknown. Ciphers with 64-bit blocks and `none` are
   * never negotiated. Default: the reference's list.
   */
  readonly dataCiphers?: readonly string[]
  /** `data-ciphers-fallback`, for peers that negotiate nothing; `none` only with `allowInsecure`. */
  readonly dataCiphersFallback?: string
  /**
   * `cipher` where it is no fallback: our options string counts packets under it, as the peer's expects it to, and nothing
   * else follows. A name that is not known counts as BF-CBC. Default: `dataCiphersFallback`.
   */
  readonly statedCipher?: string
  /** `auth`: digest of tls-auth and of CBC data packets. Default SHA1. */
  readonly auth?: HashName | 'none'
  /** Default: none for a client. */
  readonly login?: LoginConfig
  readonly staticChallenge?: StaticChallenge
  /**
   * Server: how a peer is let in once its keys are exchanged. `automatic`: who has a valid certificate is in.
   * `ask`: the event `login` asks, `allow`, `deny` or `defer` answers. Default `automatic`.
   */
  readonly admission?: 'automatic' | 'ask'
  /** Server, mode `client-server`: what is pushed. With admission `ask` the answer may replace it. */
  readonly push?: PushConfig
  /** Client: which pushed options are taken. */
  readonly pullFilter?: PullFilter
  readonly peerInfo?: PeerInfoConfig
  readonly timers?: Partial<SessionTimers>
  /** `replay-window`: ids and milliseconds. Default 64 and 15 s. */
  readonly replayWindow?: { readonly size: number; readonly time: number }
  /** Largest control packet in bytes with all headers below IP (`max-packet-size`). Default 1250. */
  readonly maxPacketSize?: number
  /** `tun-mtu`. Default 1500. */
  readonly tunMtu?: number
  /** `mssfix`: rewrite the MSS of TCP SYNs so that packets fit. `undefined`: the reference's default; `off`: leave them. */
  readonly mssfix?:
    | 'off'
    | { readonly size: number /** What `size` counts. */; readonly mode: 'payload' | 'mtu' | 'fixed' }
  /** `fragment`: largest datagram; 0: off. UDP only. */
  readonly fragment?: number
  /** Default `none`; a client takes the pushed framing over. */
  readonly compression?: CompressionFraming
  /**
   * `compress migrate`, server: a client whose options string shows compression framing is pushed one that leaves packets as
   * they are; the others are left alone. Default false.
   */
  readonly migrateCompression?: boolean
  /** `allow-compression`: whether compressed packets are accepted. Default `no`. */
  readonly allowCompression?: 'no' | 'asym'
  /**
   * Tells the tunnel side when a packet is too large for the tunnel, with ICMP as a router does; the answer is an output
   * `packet`. `tun` only. Default false. What `block-ipv6` refuses is always answered.
   */
  readonly answerTooLarge?: boolean
  /** `explicit-exit-notify`: farewells to send on `close()` over UDP; 0: none. Default 1 for a client, else 0. */
  readonly explicitExitNotify?: number
  /** Acks per ACK_V1, 4 or 8. Default: 4 for an unwrapped client (some peers drop more), else 8. */
  readonly maxAcks?: 4 | 8
  /** Adds a `trace` event for every control packet sent or received. Default false. */
  readonly trace?: boolean
  /**
   * Tells every session secret (TLS, dynamic control key, data keys) as `key-log` events, so that a capture of the tunnel
   * can be read. Whoever has them reads everything, also later. For debugging alone; default false. SESS-180
   */
  readonly keyLog?: boolean
  /** For tests of limits only: where the counters of data keys start. */
  readonly counterStart?: CounterStart
  /** Server: start behind a stateless cookie exchange, as if both resets were done. */
  readonly resume?: ResumedReset
}

/** The result of a stateless reset exchange (HMAC cookie) that a multi-client server made before the session existed. */
export interface ResumedReset {
  /** The cookie that the client has as our session id. */
  readonly sessionId: Uint8Array
  readonly peerSessionId: Uint8Array
  /** Replay ids of the wrapper used up so far by each side. */
  readonly replayPacketId: number
  /** The client's key, where tls-crypt-v2 brought one. */
  readonly clientKey?: StaticKey
}

/** The reference's defaults, except for `tlsTimeoutMax`: the reference doubles the pause without end. */
export const DEFAULT_TIMERS: SessionTimers = {
  tlsTimeout: 2_000,
  tlsTimeoutMax: 4_000,
  handWindow: 60_000,
  tranWindow: 3_600_000,
  renegotiateAfter: 3_600_000,
  renegotiateAfterMin: 0,
  renegotiateBytes: 0,
  renegotiatePackets: 0,
  ping: 0,
  pingRestart: 0,
  pingExit: 0,
  inactive: 0,
  inactiveBytes: 0,
  sessionTimeout: 0,
  pushRequestFirst: 1_000,
  pushRequestInterval: 5_000,
}
