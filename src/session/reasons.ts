/**
 * Why a tunnel ended, and why a packet was thrown away: the two closed lists an operator meets.
 *
 * A {@link CloseReason} comes exactly once, in the `closed` event. A {@link DropReason} is a counter in `stats.dropped`:
 * the packet changed nothing else. Each line says what to do about it. See spec/session.md.
 */
import type { CertificateProblem } from '../x509/index.ts'

/** Timers of a session by the reference's names; `pendingTimer` and the close reason `timed-out` use them. */
export type TimerName =
  /** A control packet was not acknowledged: it is sent again (`tls-timeout`). */
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
  /** Reassembly of fragments is swept. */
  | 'fragment'

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
      readonly problem: CertificateProblem
      readonly subject: string | undefined
      readonly detail: string
    }
  /**
   * The peer refused the login. `temporary`: try again after `backoff` seconds, on the remote that `advance` says.
   * `challenge`: ask the user and log in again with the answer. `expired`: a session token ran out, log in with the real password.
   */
  | {
      readonly type: 'auth-failed'
      readonly message: string
      readonly kind: 'refused' | 'temporary' | 'challenge' | 'expired'
      readonly backoff: number | undefined
      readonly advance: 'no' | 'remote' | 'addr' | undefined
      readonly challenge: DynamicChallenge | undefined
    }
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
  /** The peer broke a rule inside TLS or the TCP framing. A bug there, or not an OpenVPN peer. */
  | { readonly type: 'malformed'; readonly what: string; readonly detail: string }
  /** The key may not protect another packet and no new one came in time. Lower `reneg-bytes` or `reneg-sec`. */
  | { readonly type: 'key-exhausted' }

/** A challenge that came with AUTH_FAILED (CRV1) and is answered by the next attempt's password. */
export interface DynamicChallenge {
  readonly text: string
  readonly username: string
  readonly stateId: string
  /** True: the answer may be shown while typed. */
  readonly echo: boolean
  /** True: an answer is expected; false: the text is only shown. */
  readonly responseRequired: boolean
}

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
      return `login refused (${reason.kind})${detail(reason.message)}`
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
    case 'malformed':
      return `malformed ${reason.what}${detail(reason.detail)}`
    case 'key-exhausted':
      return 'the data key is used up'
  }
}

function detail(text: string): string {
  return text === '' ? '' : `: ${text}`
}

/** Every {@link DropReason} with what an operator should make of it. */
export const DROP_REASONS = {
  truncated: 'cut short on the way, or not an OpenVPN packet',
  'too-long': 'longer than any peer sends: not an OpenVPN packet',
  'unknown-opcode': 'not an OpenVPN packet, or a future version',
  'unexpected-opcode': 'a packet this role or wrap never receives: check that the other end is the opposite role',
  'bad-mac': 'the control wrap does not verify: wrong tls-auth/tls-crypt key, wrong key-direction or wrong auth, or a forgery',
  'malformed-control': 'the control header contradicts itself',
  'wrap-replayed': 'a control packet repeated by the network or an attacker: harmless',
  'session-id-mismatch': 'belongs to another session: left-overs of an earlier connection, or a forgery',
  'unknown-key-id': 'for a key this side does not have: late packets of a retired key, or a forgery',
  'key-not-ready': 'data before the key is usable: harmless in the first moments',
  'unexpected-reset': 'a reset that does not fit the state: a repetition, or a forgery',
  'packet-id-out-of-window': 'too far ahead of what was received: the peer will send it again',
  'wkc-invalid': 'a wrapped client key that this server did not make',
  'bad-tag': 'a data packet that does not authenticate: corruption, or a forgery',
  replayed: 'a data packet that came before: a duplicate of the network, or a replay',
  'too-old': 'a data packet too late for the replay window: enlarge replay-window when it happens often',
  'bad-padding': 'a data packet with a broken inner layout',
  'peer-id-mismatch': 'a data packet for another peer-id',
  'bad-compression': 'compression framing differs between both ends: align comp-lzo/compress',
  'bad-fragment': 'fragment framing differs between both ends, or a fragment was lost for good',
  'no-tunnel': 'sent before the tunnel was up, or after it ended',
  'too-large': 'a tunnel packet larger than the tunnel carries: lower the mtu',
  'key-exhausted': 'the sending key is used up and its successor is not there yet',
  closed: 'arrived after the end',
} as const satisfies Record<string, string>

/** Why a packet was thrown away. */
export type DropReason = keyof typeof DROP_REASONS
