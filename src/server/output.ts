/**
 * What leaves a server: bytes for an address, packets for the tunnel side, news of a client.
 *
 * One queue, in causal order: a client's `client-connected` comes before its first packet, its `client-closed` after its
 * last. A client is named by a number that is never used again. None of the events holds a secret in the open. The bytes of
 * several outputs may lie in one buffer (BYTES-3): pass the bytes on, never `data.buffer`.
 */
import type { TunnelOptions } from '../control/index.ts'
import type { CloseReason, DropReason, Negotiated, SecretText, SessionEvent, Stats } from '../session/index.ts'
import type { ClientKeyMetadata } from '../wire/index.ts'

/** A client's number, from 1 on. */
export type ClientId = number

/** One thing to do for the host. */
export type ServerOutput =
  /** To that address (UDP: a datagram; TCP: the next bytes of that connection). */
  | { readonly type: 'transmit'; readonly to: string; readonly data: Uint8Array }
  /** To the tun/tap side, from that client. */
  | { readonly type: 'packet'; readonly client: ClientId; readonly data: Uint8Array }
  /** Close that TCP connection once what was transmitted has left. */
  | { readonly type: 'hang-up'; readonly connection: string }
  | { readonly type: 'event'; readonly client: ClientId | undefined; readonly event: ServerEvent }

/** Addresses a client has inside the tunnel. */
export interface ClientAddresses {
  readonly ipv4?: string
  readonly ipv6?: string
}

/** A client wants in, or (with `renewal`) shows its login again in a renegotiation. Answer: `allow`, `defer`, `deny`. */
export interface LoginEvent {
  readonly type: 'login'
  readonly renewal: boolean
  readonly address: string
  /** The certificate's name; undefined without a certificate. */
  readonly commonName: string | undefined
  /** Subject of the certificate in the reference's one-line form. */
  readonly subject: string | undefined
  /** DER certificates, leaf first. */
  readonly certificates: readonly Uint8Array[]
  readonly username: string
  readonly password: SecretText
  /**
   * True when the password was a token of this server that is still good: there is no password to judge, and the answer is
   * what the client is given.
   */
  readonly tokenAccepted: boolean
  /** What the operator wrote into the client's tls-crypt-v2 key; undefined without one. */
  readonly keyMetadata: ClientKeyMetadata | undefined
  readonly peerInfo: Readonly<Record<string, string>>
}

/** News. */
export type ServerEvent =
  /** Somebody proved its address and starts to negotiate. */
  | { readonly type: 'client-begun'; readonly address: string }
  /** With `tlsCryptV2.verify`: a client key wants in, of an address that is proven. Answer: `allow` (the grant is not looked at) or `deny`. */
  | { readonly type: 'client-key'; readonly address: string; readonly metadata: ClientKeyMetadata }
  | LoginEvent
  /** A client's tunnel is up. */
  | {
      readonly type: 'client-connected'
      readonly address: string
      readonly name: string | undefined
      readonly addresses: ClientAddresses
      readonly options: TunnelOptions
      readonly negotiated: Negotiated
    }
  /** A client of another server goes on here. */
  | {
      readonly type: 'client-imported'
      readonly address: string
      readonly name: string | undefined
      readonly addresses: ClientAddresses
      readonly negotiated: Negotiated
    }
  /** The client sends from another address now. */
  | { readonly type: 'client-floated'; readonly from: string; readonly to: string }
  /** A client is gone and everything of it is freed. */
  | {
      readonly type: 'client-closed'
      readonly address: string
      readonly name: string | undefined
      readonly reason: ServerCloseReason
      readonly stats: Stats
    }
  /** A client was refused before it was one, or an address could not be given: a sentence for the log. */
  | { readonly type: 'refused'; readonly address: string; readonly detail: string }
  /** The server has ended: once, and last. */
  | { readonly type: 'server-closed' }
  /** The rest is the session's own news. */
  | Exclude<SessionEvent, { type: 'login' | 'connected' | 'closed' }>

/** Why a client is gone. */
export type ServerCloseReason =
  | CloseReason
  /** `kill` was called. */
  | { readonly type: 'killed'; readonly message: string }
  /** The same name connected again. */
  | { readonly type: 'replaced'; readonly by: ClientId }
  /** `exportClient` took it out: it goes on elsewhere. */
  | { readonly type: 'exported' }
  /** The TCP connection broke. */
  | { readonly type: 'hung-up' }
  /** The server shut down. */
  | { readonly type: 'shutdown' }

/** Why a datagram or packet was thrown away, with what an operator should make of it. */
export const SERVER_DROP_REASONS = {
  'no-client': 'Data of nobody who is connected: left-overs of an earlier run, or noise.',
  'not-a-start': 'A control packet of nobody who is connected: it starts nothing. Left-overs, or noise.',
  'reset-rate': 'More first packets than connect-freq-initial answers: a flood, or a server just restarted.',
  'client-rate': 'More new clients than connect-freq allows: they try again.',
  'server-full': 'max-clients are connected.',
  'key-too-old': 'A tls-crypt-v2 client key older than tls-crypt-v2-max-age, or without a date.',
  'cookie-required': 'A client that cannot repeat its wrapped key, while force-cookie is on.',
  'handshake-work': 'Handshakes cost more than handshakeWork allows: a flood, or a crowd; who is honest repeats.',
  'key-refused': 'A tls-crypt-v2 client key that the host refused.',
  'key-waits': 'A packet of a client whose tls-crypt-v2 key waits for the host’s answer: it is repeated.',
  'address-unproven': 'Not sent: an answer larger than what came from an address that nobody has proved to be behind.',
  'float-refused': 'An authentic packet from an address that belongs to another client.',
  'bad-source': 'A tunnel packet whose source address is not the sender’s.',
  'rate-limited': 'More than the rate that the client was granted.',
  filtered: 'A tunnel packet between two that are not to reach each other.',
  'vlan-refused': 'A frame with a tag from a client, or of a kind that vlan-accept does not take.',
  'link-local': 'IPv6 link-local traffic, which stays on its own link.',
  'no-route': 'A tunnel packet for an address that no client has.',
  'table-full': 'A client used more addresses than max-routes-per-client.',
  malformed: 'A tunnel packet too short for its own header.',
} as const

/** Why a client cannot be exported. */
export const EXPORT_PROBLEMS = {
  'no-such-client': 'It is gone.',
  'not-connected': 'Its tunnel is not up, or a login waits for its answer: nothing is lost when it begins again.',
  tcp: 'Its connection cannot be handed over: tell it to reconnect.',
  busy: 'A renegotiation is under way: try again in a moment.',
} as const

/** A reason of {@link EXPORT_PROBLEMS}. */
export type ExportProblem = keyof typeof EXPORT_PROBLEMS

/** Why a state was not taken in. All but the first four leave it good for another try. */
export const IMPORT_PROBLEMS = {
  truncated: 'Too short to be a state.',
  'unknown-version': 'Made by a release whose states are not understood here.',
  forged: 'Not sealed under this key, or changed since.',
  malformed: 'Sealed, but no client is in it.',
  expired: 'Older than two minutes, or from the future: the client has noticed, or a clock is wrong.',
  repeated: 'Taken in before: packet ids would repeat.',
  incompatible: 'Of a server with other settings: wrap, device, ciphers.',
  'server-full': 'max-clients are connected.',
  'server-closed': 'This server shuts down.',
  'address-in-use': 'A client is connected from its address.',
  'peer-id-in-use': 'A client has its peer-id: servers of a fleet need ranges of their own.',
  'tunnel-address-in-use': 'A client has one of its tunnel addresses or networks.',
  'name-connected': 'A client of its name connected here since: the newer one stays.',
} as const

/** A reason of {@link IMPORT_PROBLEMS}. */
export type ImportProblem = keyof typeof IMPORT_PROBLEMS

/** A reason of the server's own. */
export type ServerDropReason = keyof typeof SERVER_DROP_REASONS

/** The live counters of a server. */
export interface ServerStats {
  /** Datagrams received from anybody. */
  readonly datagramsReceived: number
  /** First packets answered without keeping anything. */
  readonly resetsAnswered: number
  readonly clientsBegun: number
  readonly clientsConnected: number
  readonly clientsClosed: number
  readonly clientsExported: number
  readonly clientsImported: number
  /** States that `importClient` did not take in. */
  readonly importsRefused: Readonly<Record<ImportProblem, number>>
  /** Public-key work done, in the units of `handshakeWork`. */
  readonly handshakeWork: number
  readonly floats: number
  /** Packets handed from client to client. */
  readonly relayed: number
  /** What was thrown away before it reached a client's session. */
  readonly dropped: Readonly<Record<ServerDropReason | DropReason, number>>
}
