/**
 * The server's half of the push exchange: letting the peer in, choosing, pushing (spec/session.md, "Server").
 *
 * A key is used only when three things have come together, in any order: its negotiation is active, the login is allowed,
 * and, for the first key, the client wants its options (it asked, or said beforehand that it need not ask). Who is let in
 * once stays the same: later negotiations must show the same certificate and the same username.
 */
import { equalBytes } from '../bytes/index.ts'
import {
  type AuthFailure,
  type ClientKeyMessage,
  type ControlMessage,
  emptyOptions,
  parsePeerInfo,
  type PeerInfo,
  type PendingRequest,
  peerHas,
  pullOptions,
  type TunnelOptions,
  writeControlMessage,
  writeControlText,
  writePushParts,
} from '../control/index.ts'
import { agreeAsServer, isReason } from './agreement.ts'
import type { PushConfig } from './config.ts'
import type { SessionContext } from './context.ts'
import { closing, type Exchange, type ExchangeTimer, NOTHING, tellDifferences, type Verdict } from './exchange.ts'
import type { KeyState } from './key-state.ts'
import type { LoginDesk } from './login-desk.ts'
import { SecretText } from './output.ts'
import { subjectOf } from './peer.ts'
import { checkPush, pushLines } from './push-lines.ts'
import type { ExchangeSnapshot } from './snapshot.ts'

/** How long a repeated PUSH_REQUEST is not answered again. */
const REPLY_PAUSE = 30_000

interface Identity {
  readonly username: string
  readonly leaf: Uint8Array | undefined
}

/** Decides and pushes. */
export class ServerExchange implements Exchange {
  readonly #context: SessionContext
  readonly #desk: LoginDesk<ServerExchange>
  #push: PushConfig
  #peerInfo: PeerInfo = parsePeerInfo('')
  #peerOptions = ''
  #identity: Identity | undefined
  /** Keys whose login is allowed, and keys that are active. */
  readonly #allowed = new Set<number>()
  readonly #active = new Set<number>()
  /** The key whose login waits for an answer, or for its turn to be asked about. */
  #asking: KeyState | undefined
  #wanted = false
  #repliedAt = -Infinity
  #replies: readonly string[] = []

  /**
   * @param desk - asks the host about logins.
   * @param from - the exchange of a connected client that this one goes on for.
   */
  constructor(context: SessionContext, desk: LoginDesk<ServerExchange>, from?: ExchangeSnapshot) {
    this.#context = context
    this.#desk = desk
    this.#push = from?.push ?? context.config.push
    if (from === undefined) return
    this.#peerInfo = parsePeerInfo(from.peerInfo.map((line) => line.join('=')).join('\n'))
    this.#peerOptions = from.peerOptions
    this.#identity = { username: from.username, leaf: from.leaf }
    this.#wanted = true
    this.#repliedAt = from.repliedAt
    this.#replies = from.replies
  }

  /** The exchange as plain data; undefined while a login waits or the client has no options yet. */
  snapshot(): ExchangeSnapshot | undefined {
    if (this.#asking !== undefined || this.#identity === undefined || this.#replies.length === 0) return undefined
    const { leaf, username } = this.#identity
    return {
      peerInfo: [...this.#peerInfo.values],
      peerOptions: this.#peerOptions,
      username,
      leaf,
      push: this.#push,
      replies: this.#replies,
      repliedAt: this.#repliedAt,
    }
  }

  /** What the client told about itself. */
  get peerInfo(): PeerInfo {
    return this.#peerInfo
  }

  peerKey(key: KeyState, message: ClientKeyMessage): Verdict {
    const { config } = this.#context
    const certificates = key.tlsInfo?.peerCertificates ?? []
    const identity: Identity = { username: message.login?.username ?? '', leaf: certificates[0] }
    if (key.keyId === 0) {
      this.#peerInfo = parsePeerInfo(message.peerInfo)
      this.#peerOptions = message.options
      this.#identity = identity
      tellDifferences(this.#context, message.options, this.#peerInfo.ciphers !== undefined)
    } else if (this.#identity === undefined || !sameIdentity(identity, this.#identity)) {
      return { type: 'refused', key, reason: { type: 'denied', message: 'another identity in a renegotiation' } } // SESS-113
    }
    if (message.loginProblem !== undefined) return this.#refuse(message.loginProblem)
    this.#allowed.delete(key.keyId)
    this.#active.delete(key.keyId)
    if (config.admission === 'automatic') {
      this.#allowed.add(key.keyId)
      return this.#proceed(key, -Infinity)
    }
    this.#asking = key
    this.#desk.submit(this, {
      type: 'login',
      keyId: key.keyId,
      username: message.login?.username ?? '',
      password: new SecretText(message.login?.password ?? ''),
      certificates,
      peerSubject: subjectOf(certificates),
      peerInfo: Object.fromEntries(this.#peerInfo.values),
    })
    return NOTHING
  }

  active(key: KeyState, now: number): Verdict {
    this.#active.add(key.keyId)
    const verdict = this.#proceed(key, now)
    if (verdict.type === 'nothing') this.#expectLife(key)
    return verdict
  }

  message(message: ControlMessage, key: KeyState, now: number): Verdict {
    if (message.type === 'cr-response') {
      if (this.#desk.current !== this) return NOTHING // SESS-115
      this.#context.outbox.event({ type: 'login-response', response: new SecretText(message.response) })
      return NOTHING
    }
    if (message.type !== 'push-request') return NOTHING
    this.#wanted = true
    if (this.#replies.length === 0) return this.#proceed(key, now)
    if (now - this.#repliedAt < REPLY_PAUSE) return NOTHING // SESS-117
    this.#repliedAt = now
    for (const part of this.#replies) key.writeText(part)
    return NOTHING
  }

  fire(timer: ExchangeTimer, key: KeyState, now: number): Verdict {
    if (timer === 'auth-pending') {
      return this.#desk.current === this ? this.deny('the login was not decided in time') : NOTHING
    }
    if (this.#replies.length > 0 || key.keyId > 0) return NOTHING
    if (now < key.heardAt + this.#context.config.timers.handWindow) {
      this.#expectLife(key)
      return NOTHING
    }
    // SESS-118: nobody is there to take the options.
    return closing({
      type: 'timed-out',
      timer: 'push-request',
      detail: 'the client fell silent before it had its options',
    })
  }

  #expectLife(key: KeyState): void {
    this.#context.timers.setEarlier('push-request', key.heardAt + this.#context.config.timers.handWindow)
  }

  /** The login is good; `push` replaces the configured options. */
  allow(push: PushConfig | undefined, now: number): Verdict {
    const key = this.#asking
    if (key === undefined) return NOTHING
    if (push !== undefined) checkPush(push)
    this.#answered()
    // A renewed token travels alone: the options of the first key stay. SRV-48
    if (key.keyId > 0 && push?.authToken !== undefined) key.writeText(`PUSH_REPLY,auth-token ${push.authToken}`)
    else if (push !== undefined && key.keyId === 0) this.#push = push
    this.#allowed.add(key.keyId)
    return this.#proceed(key, now)
  }

  /** The login is not good. */
  deny(answer: string | AuthFailure): Verdict {
    const verdict = this.#refuse(answer)
    this.#answered()
    return verdict
  }

  /** Nobody waits for an answer any more. */
  leave(): void {
    if (this.#asking !== undefined) this.#answered()
  }

  #answered(): void {
    this.#asking = undefined
    if (this.#desk.current === this) this.#context.timers.clear('auth-pending')
    this.#desk.leave(this)
  }

  /** The login takes time: tells the client to wait, and what to do meanwhile. SESS-115 */
  defer(seconds: number, now: number, request: PendingRequest | undefined): void {
    const key = this.#asking
    if (key === undefined) return
    key.writeText(writeControlMessage({ type: 'auth-pending', timeoutSeconds: seconds }))
    if (request !== undefined) key.writeText(writeControlMessage({ type: 'info-pre', request }))
    this.#context.timers.set('auth-pending', now + seconds * 1000)
  }

  #refuse(answer: string | AuthFailure): Verdict {
    const failure: AuthFailure = typeof answer === 'string' ? { type: 'refused', message: answer } : answer
    const message = failure.type === 'challenge' ? failure.challenge.text : failure.message
    const farewell = writeControlMessage({ type: 'auth-failed', failure })
    writeControlText(farewell)
    return closing({ type: 'denied', message }, farewell) // SESS-114
  }

  /** SESS-110: all conditions together, whatever came last. */
  #proceed(key: KeyState, now: number): Verdict {
    if (!this.#active.has(key.keyId) || !this.#allowed.has(key.keyId)) return NOTHING
    if (key.keyId > 0) return { type: 'admitted', key }
    if (!this.#wanted && !peerHas(this.#peerInfo, 'requestPush')) return NOTHING
    const { config } = this.#context
    const info = key.tlsInfo
    if (info === undefined) return NOTHING
    const choice = agreeAsServer(config, info, this.#peerInfo, this.#peerOptions, this.#push)
    if (isReason(choice.agreement)) {
      return closing(choice.agreement, 'AUTH_FAILED,Data channel cipher negotiation failed (no shared cipher)') // SESS-116
    }
    const lines = pushLines(this.#push, choice.push)
    this.#replies = writePushParts('PUSH_REPLY', lines)
    this.#repliedAt = now
    return { type: 'agreed', agreement: choice.agreement, options: this.#pushedOptions(lines), replies: this.#replies }
  }

  /** Our own push as the client reads it, for the host's eyes. */
  #pushedOptions(lines: readonly string[]): TunnelOptions {
    const { device } = this.#context.config
    const pulled = pullOptions(lines, { device })
    return pulled.type === 'pulled' ? pulled.options : emptyOptions(device)
  }
}

function sameIdentity(a: Identity, b: Identity): boolean {
  if (a.username !== b.username) return false
  if (a.leaf === undefined || b.leaf === undefined) return a.leaf === b.leaf
  return equalBytes(a.leaf, b.leaf)
}
