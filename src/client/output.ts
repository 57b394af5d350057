/**
 * What leaves a client: requests to the host (resolve a name, open and close sockets), bytes, packets and news.
 */
import type { TunnelOptions } from '../control/index.ts'
import type { CloseReason, SessionEvent } from '../session/index.ts'
import type { LocalEnd } from './config.ts'
import type { LinkRequest, PathFailure } from './path.ts'

/** What a client is doing. */
export type ClientState =
  /** The user is asked for credentials. */
  | 'asking'
  /** A name is being resolved. */
  | 'resolving'
  /** Sockets are being opened, a proxy is being asked. */
  | 'connecting'
  /** A session exists; see its own state. */
  | 'session'
  /** A pause between attempts. */
  | 'pausing'
  | 'closed'

/** One thing to do for the host. */
export type ClientOutput =
  /** Find the addresses of `host`, then call `resolved` with the same number. */
  | {
      readonly type: 'resolve'
      readonly request: number
      readonly host: string
      readonly family: 4 | 6 | undefined
    }
  /** Open a socket, then call `connected`, or `disconnected` when it cannot be opened. */
  | ({
      readonly type: 'connect'
      /** Where the socket is to be bound; absent: anywhere. */
      readonly local: LocalEnd | undefined
      /** Datagrams from other addresses than `address` count too. */
      readonly float: boolean
    } & LinkRequest)
  /** Close the socket. Nothing more comes for this link. */
  | { readonly type: 'disconnect'; readonly link: number }
  /** To the socket of the link: a datagram, or the next bytes of the stream. */
  | { readonly type: 'transmit'; readonly link: number; readonly data: Uint8Array }
  /** To the tun/tap side. */
  | { readonly type: 'packet'; readonly data: Uint8Array }
  | { readonly type: 'event'; readonly event: ClientEvent }

/** Why an attempt ended. */
export type AttemptEnd =
  | PathFailure
  /** A name has no address, the remote's or its proxy's. */
  | { readonly type: 'unresolvable'; readonly host: string }
  /** The server sent nothing at all within `server-poll-timeout`. */
  | { readonly type: 'no-answer' }
  /** The session ended. */
  | { readonly type: 'session'; readonly reason: CloseReason }

/** Why a client ended for good. */
export type ClientCloseReason =
  /** `close()` was called. */
  | { readonly type: 'local' }
  /** A session ended in a way that forbids another: `reason` says how. */
  | { readonly type: 'session'; readonly reason: CloseReason }
  /** Every remote had its turns (`connect-retry-max`). */
  | { readonly type: 'exhausted'; readonly last: AttemptEnd }

/** A question to the user before an attempt. */
export interface CredentialsRequest {
  /** Asked together with username and password, or alone, to be answered by a `response`, when `username` is given. */
  readonly challenge: { readonly text: string; readonly echo: boolean } | undefined
  /** The username that goes with the challenge, where only its answer is asked for. */
  readonly username: string | undefined
  /** The username that the configuration knows without its password: only the password is asked for, beside any challenge. */
  readonly knownUsername?: string
}

/** News. */
export type ClientEvent =
  /** Everything a session tells, except its end and its question for credentials. */
  | Exclude<SessionEvent, { readonly type: 'closed' | 'credentials-needed' }>
  /** Call `authenticate`; the next attempt waits for it. */
  | ({ readonly type: 'credentials-needed' } & CredentialsRequest)
  /** An attempt begins, over the remote of this index at this address. */
  | { readonly type: 'attempt'; readonly remote: number; readonly address: string }
  /** An attempt, or the tunnel that came of it, is over; another begins in `delay` ms. */
  | { readonly type: 'retry'; readonly end: AttemptEnd; readonly delay: number }
  /**
   * What to do with the tunnel device, always before the packets it is for. `open`: set it up. `keep`: it is set up as it
   * should be. `reopen`: set it up anew, its settings changed.
   */
  | { readonly type: 'tunnel-up'; readonly action: 'open' | 'keep' | 'reopen'; readonly options: TunnelOptions }
  /** No packets for now. `keep`: leave the device open, so that nothing passes beside it. */
  | { readonly type: 'tunnel-down'; readonly keep: boolean }
  /** The end: once, and last. */
  | { readonly type: 'closed'; readonly reason: ClientCloseReason }
