/**
 * Why a tunnel ended, and why a packet was thrown away: the two closed lists an operator meets.
 *
 * A {@link CloseReason} comes exactly once, in the `closed` event. A {@link DropReason} is a counter in `stats.dropped`:
 * the packet changed nothing else. Each line says what to do about it. See spec/session.md.
 */
import type { AuthFailure } from '../control/index.ts'
import type { DataReason } from '../data/index.ts'
import { WIRE_PROBLEMS, type WireProblem } from '../wire/index.ts'

/** Timers of a session by the reference's names; `pendingTimer` and the close reason `timed-out` use them. */
export type TimerName =
  /** A control packet was not acknowledged: it is sent again (`tls-timeout`). Or acks are said again, in case one was lost. */
  | 'retransmit'
  /** A negotiation must be finished by now (`hand-window`). */
  | 'hand-window'
  /** The old key's life ends (`tran-window`). */
  | 'tran-window'
  /** The new key starts to send: the peer has had time to install it. */
  | 'key-switch'
  /** Time for new keys (`reneg-sec`). */
  | 'reneg-sec'
  /** The next PUSH_REQUEST. */
  | 'push-request'
  /** Static-key mode: the peer is asked for its options string. */
  | 'occ-request'
  /** Nothing was sent for a while: a ping goes out (`ping`). */
  | 'ping'
  /** Nothing was received: give up, the host may reconnect (`ping-restart`). */
  | 'ping-restart'
  /** Nothing was received: give up for good (`ping-exit`). */
  | 'ping-exit'
  /** Too little tunnel traffic (`inactive`). */
  | 'inactive'
  /** The tunnel's life is over (`session-timeout`). */
  | 'session-timeout'
  /** The answer to a login is overdue (AUTH_PENDING's timeout). */
  | 'auth-pending'
  /** Farewell packets go out one by one (`explicit-exit-notify`). */
  | 'exit-notify'

/** Why the session ended. */
export type CloseReason =
  /** `close()` was called. Nothing to do. */
  | { readonly type: 'local' }
  /**
   * A timer ran out. `hand-window` without an answer: wrong address, a firewall, or a wrong tls-auth/tls-crypt key (which
   * servers answer with silence). `ping-restart`, `ping-exit`: the path or the peer is gone.
   */
  | { readonly type: 'timed-out'; readonly timer: TimerName; readonly detail: string }
  /** A TLS alert. Compare versions, suites and certificates; `sentBy: 'peer'` means the reason is in the peer's log. */
  | { readonly type: 'tls-alert'; readonly sentBy: 'us' | 'peer'; readonly alert: string; readonly detail: string }
  /** The peer's certificate does not verify. Look at `problem`: wrong CA, expired, wrong name, wrong usage, revoked. */
  | {
      readonly type: 'certificate'
      /** The verifier's reason, a `CertificateProblem` of the X.509 floor. */
      readonly problem: string
      readonly subject: string | undefined
      readonly detail: string
    }
  /**
   * The server refused the login; `failure` says how to go on: with other credentials, later, with the real password
   * instead of a token, or with the answer to a question.
   */
  | { readonly type: 'auth-failed'; readonly failure: AuthFailure }
  /** We refused the peer's login (server role). */
  | { readonly type: 'denied'; readonly message: string }
  /** The peer said goodbye. Reconnect if you want. */
  | { readonly type: 'peer-exit' }
  /** The server asks to reconnect; `advance`: to the next remote; `keepCredentials`: with the same login. */
  | {
      readonly type: 'peer-restart'
      readonly message: string
      readonly advance: boolean
      readonly keepCredentials: boolean
    }
  /** The server asks to stop. Do not reconnect. */
  | { readonly type: 'peer-halt'; readonly message: string }
  /** The peer opened a new session in place of this one (it was restarted). Start a new session. */
  | { readonly type: 'peer-reset' }
  /** Both sides work but have nothing in common: cipher, key derivation, data format. Align the option named. */
  | { readonly type: 'incompatible'; readonly option: string; readonly detail: string }
  /** Our own `pull-filter reject` met a pushed option, or an update insisted on what cannot change. */
  | { readonly type: 'push-rejected'; readonly option: string; readonly by: 'pull-filter' | 'not-updatable' }
  /** The peer broke a rule inside TLS or the TCP framing. A bug there, or not an OpenVPN peer. */
  | { readonly type: 'malformed'; readonly what: string; readonly detail: string }

/** One line for a log: the reason with its details, never a secret. */
export function describeCloseReason(reason: CloseReason): string {
  switch (reason.type) {
    case 'local':
      return 'closed by us'
    case 'timed-out':
      return `timed out (${reason.timer}): ${reason.detail}`
    case 'tls-alert':
      return `TLS alert ${reason.alert} sent by ${reason.sentBy}${detail(reason.detail)}`
    case 'certificate':
      return `certificate refused (${reason.problem})${detail(reason.detail)}`
    case 'auth-failed':
      return `login refused${kindOf(reason.failure)}${detail(failureText(reason.failure))}`
    case 'denied':
      return `login denied by us${detail(reason.message)}`
    case 'peer-exit':
      return 'the peer said goodbye'
    case 'peer-restart':
      return `the server asks to reconnect${detail(reason.message)}`
    case 'peer-halt':
      return `the server asks to stop${detail(reason.message)}`
    case 'peer-reset':
      return 'the peer started a new session'
    case 'incompatible':
      return `incompatible (${reason.option})${detail(reason.detail)}`
    case 'push-rejected':
      return `pushed option ${reason.option} ended the attempt (${reason.by})`
    case 'malformed':
      return `malformed ${reason.what}${detail(reason.detail)}`
  }
}

/** A refusal that is more than that, in brackets. */
function kindOf({ type }: AuthFailure): string {
  return type === 'refused' ? '' : ` (${type})`
}

function failureText(failure: AuthFailure): string {
  return failure.type === 'challenge' ? failure.challenge.text : failure.message
}

function detail(text: string): string {
  return text === '' ? '' : `: ${text}`
}

/** Data results that are no loss: the packet did its work inside the channel. */
export type QuietDataReason = 'ping' | 'occ' | 'fragment-stored' | 'fragment-test' | 'empty'

/** Reasons that the session adds to those of the wire and of the data channel. */
type OwnDropReason =
  | 'frame-too-large'
  | 'wrap-replayed'
  | 'session-id-mismatch'
  | 'unknown-key-id'
  | 'key-not-ready'
  | 'unexpected-reset'
  | 'packet-id-out-of-window'
  | 'no-tunnel'
  | 'packet-too-large'
  | 'closed'

/** Why a packet was thrown away. */
export type DropReason = WireProblem | Exclude<DataReason, QuietDataReason> | OwnDropReason

/** Every {@link DropReason} with what an operator should make of it. */
export const DROP_REASONS: Readonly<Record<DropReason, string>> = {
  ...WIRE_PROBLEMS,
  'frame-too-large': 'A datagram larger than any the tunnel carries: not an OpenVPN packet.',
  'wrap-replayed': 'A control packet repeated by the network or by an attacker: harmless.',
  'session-id-mismatch': 'Belongs to another session: left-overs of an earlier connection, or a forgery.',
  'unknown-key-id': 'For a key this side does not have: late packets of a retired key, or a forgery.',
  'key-not-ready': 'Data before its key is usable: harmless in the first moments of a tunnel.',
  'unexpected-reset': 'A reset that does not fit the state: a repetition, a broken peer, or a forgery.',
  'packet-id-out-of-window': 'Too far ahead of what was received: the peer will send it again.',
  'wrong-opcode': 'No data packet where only a data packet can be.',
  'wrong-key-id': 'A data packet of another key.',
  'wrong-peer-id': 'A data packet for another peer: check that the peer-id pushed is the one used.',
  'wrong-epoch': 'An epoch that is over or too far ahead: very late packets, or a forgery.',
  'bad-packet-id': 'A packet id that no sender uses: a broken peer, or a forgery.',
  replayed: 'A data packet that came before: a duplicate of the network, or a replay.',
  'too-old': 'A data packet too late for the replay window: enlarge replay-window when it happens often.',
  'bad-tag': 'A data packet that does not authenticate: corruption on the way, or a forgery.',
  'bad-padding': 'An authentic data packet with a broken inner layout: a broken peer.',
  'key-retired': 'So many forgeries were seen under this key that it opens nothing more.',
  'key-exhausted': 'The sending key is used up and its successor is not there yet: lower reneg-bytes or reneg-sec.',
  'unknown-compression': 'The compression framing differs between both ends: align comp-lzo and compress.',
  'compression-refused': 'The peer compresses, which is not allowed here: see allow-compression.',
  'bad-compression': 'A compressed packet that does not decompress: a broken peer.',
  'bad-fragment': 'The fragment framing differs between both ends: align fragment.',
  'duplicate-fragment': 'A fragment that came twice: a duplicate of the network.',
  'not-ip': 'The packet is neither IPv4 nor IPv6: both ends differ in device type or compression framing.',
  unsplittable: 'A tunnel packet too large for 32 fragments: raise fragment.',
  'bad-occ': 'A malformed message of the options check: a broken peer.',
  'ipv6-blocked': 'An IPv6 packet while block-ipv6 is on.',
  'no-tunnel': 'Sent before the tunnel was up, or after it ended.',
  'packet-too-large': 'A tunnel packet larger than the tunnel carries: lower the mtu of the interface.',
  closed: 'Arrived after the end.',
}
