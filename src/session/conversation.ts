/**
 * The session's control half: negotiations, exchanges and keys brought together.
 *
 * After every input `settle` runs the parts until they have nothing more to say: key states report, exchanges judge, and
 * each verdict becomes a move of the session. Everything due is then sent. What fails is judged by what it would take with
 * it: an initial session or a renegotiation is dropped, the first negotiation ends the session, and a tunnel with a good
 * key lives on (spec/session.md, "Failures").
 */
import {
  type AuthFailure,
  parseControlMessage,
  type PendingRequest,
  type PushedToken,
  splitControlText,
  type TunnelOptions,
  writeOptionsString,
} from '../control/index.ts'
import type { OccMessage } from '../data/index.ts'
import type { Agreement } from './agreed.ts'
import { optionsInput } from './agreement.ts'
import type { Credentials, PushConfig } from './config.ts'
import type { SessionContext } from './context.ts'
import type { ControlChannel } from './control-channel.ts'
import type { Deadline } from './deadlines.ts'
import type { Verdict } from './exchange.ts'
import type { KeyStateView } from './key-moves.ts'
import type { KeyState } from './key-state.ts'
import { type LivenessTimer, pushedSettings, TIMED_OUT } from './liveness.ts'
import { createParts, digestParts, type Parts, restoreParts, snapshotParts } from './parts.ts'
import type { CloseReason, DropReason, TimerName } from './reasons.ts'
import { moveSession, type SessionInput, type SessionState } from './session-moves.ts'
import type { SlotEvent } from './slots.ts'
import type { SessionSnapshot } from './snapshot.ts'
import type { Tunnel } from './tunnel.ts'
import { UNUSABLE_KEY } from './tunnel-keys.ts'

/** Both ends' talk. */
export class Conversation {
  readonly tunnel: Tunnel
  readonly #parts: Parts
  #state: SessionState = 'waiting'
  #closeReason: CloseReason | undefined

  /** @param from - a connected session of another process that this one goes on for. */
  constructor(context: SessionContext, now: number, from?: SessionSnapshot) {
    this.#parts = createParts(context, now)
    this.tunnel = this.#parts.tunnel
    this.tunnel.path.conversation = this
    const { login, slots } = this.#parts
    if (from !== undefined) {
      restoreParts(this.#parts, from, now)
      this.#state = 'connected'
    } else if (context.config.role === 'server') slots.resume(now)
    else if (login.waiting) context.outbox.event({ type: 'credentials-needed', challenge: login.question })
    else slots.open(now)
  }

  /** The session as plain data; undefined unless it is a server's, connected, and nothing is half done. SESS-171 */
  snapshot(now: number): SessionSnapshot | undefined {
    const atRest = this.#state === 'connected' && this.#parts.context.outbox.length === 0
    return atRest ? snapshotParts(this.#parts, now) : undefined
  }

  touch(): number {
    return this.#state.length
  }

  get state(): SessionState {
    return this.#state
  }

  get closeReason(): CloseReason | undefined {
    return this.#closeReason
  }

  /** Server: the number of the login that waits for an answer. */
  get pendingLogin(): number | undefined {
    return this.#parts.exchanges.pendingLogin
  }

  /** The session token that the server pushed last. */
  get token(): PushedToken | undefined {
    return this.#parts.login.token
  }

  /** A control datagram. Returns why it was dropped. */
  receiveControl(datagram: Uint8Array, now: number): DropReason | undefined {
    const problem = this.#parts.slots.receive(datagram, now)
    this.#parts.liveness.heard(this.#parts.slots.active?.heardAt)
    return problem
  }

  /** Runs every part to its end and sends what is due. */
  settle(now: number): void {
    if (this.#state === 'closed') return
    for (let event = this.#parts.slots.poll(); event !== undefined; event = this.#parts.slots.poll()) {
      this.#onEvent(event, now)
      if (this.#isClosed) return
    }
    if (this.#state === 'waiting' && this.#parts.slots.active !== undefined) this.#move('begun')
    this.#flush(now)
    if (this.#state === 'closing' && this.#parts.farewell.heard(this.#parts.slots.active))
      this.end(this.#parts.farewell.reason, now)
  }

  /** Runs everything due, in the order of the deadlines. */
  handleTimeout(now: number): void {
    for (let due = this.#parts.deadlines.take(now); due !== undefined; due = this.#parts.deadlines.take(now)) {
      if (due === 'slots') this.#parts.slots.handleTimeout(now)
      else this.#fire(due, now)
      this.settle(now)
      if (this.#isClosed) return
    }
  }

  /** The earliest deadline and its name. */
  deadline(): Deadline {
    return this.#parts.deadlines.next()
  }

  /** The user's answer. */
  authenticate(credentials: Credentials, now: number): void {
    if (credentials.type === 'password') {
      this.#parts.login.provide(credentials)
      this.#parts.slots.open(now)
      return
    }
    this.#parts.exchanges.respond(this.#parts.slots.active, credentials.response)
  }

  /** Server: the login that waits is good. */
  allow(push: PushConfig | undefined, now: number): void {
    const [channel, exchange] = this.#parts.exchanges.asking()
    this.#apply(exchange.allow(push, now), channel, channel.newest, now)
  }

  /** Server: the login that waits is not good. */
  deny(answer: string | AuthFailure, now: number): void {
    const [channel, exchange] = this.#parts.exchanges.asking()
    this.#apply(exchange.deny(answer), channel, channel.newest, now)
  }

  /** Server: the login that waits takes time. */
  defer(seconds: number, now: number, request?: PendingRequest): void {
    const [, exchange] = this.#parts.exchanges.asking()
    exchange.defer(seconds, now, request)
  }

  /** Answers a request for a signature. */
  provideSignature(keyId: number, signature: Uint8Array): void {
    this.#parts.slots.signerOf(keyId).provideSignature(signature)
  }

  /** Server: changes what was pushed. */
  pushUpdate(options: readonly string[]): boolean {
    const channel = this.#parts.slots.active
    return this.#state === 'connected' && channel !== undefined && this.#parts.exchanges.update(channel, options)
  }

  /** Starts a renegotiation where one is possible. */
  renegotiate(now: number): void {
    if (this.#state !== 'connected' || this.#parts.slots.active === undefined) return
    this.#parts.rekeying.begin(this.#parts.slots.active, now)
  }

  /** Says goodbye and ends. SESS-136 */
  leave(reason: CloseReason, now: number): void {
    this.#part(reason, now, (channel) => this.#parts.farewell.say(reason, channel, this.#parts.keys.agreement, now))
  }

  /** Ends with a message that the peer is given time to have. SESS-143 */
  dismiss(message: string, patience: number, now: number): void {
    this.#part({ type: 'local' }, now, ({ primary }) => {
      if (primary.isActive) this.#parts.farewell.tell(message, { type: 'local' }, primary, now, patience)
      return primary.isActive
    })
  }

  /** Ends at once; what is queued for the peer is sent. SESS-137 */
  end(reason: CloseReason, now: number): void {
    if (this.#isClosed) return
    this.#parts.slots.flush(now)
    this.#closeReason = this.#state === 'closing' ? this.#parts.farewell.reason : reason
    this.#move('ended')
    this.#parts.context.timers.clearAll()
    this.#parts.slots.clear()
    this.#parts.exchanges.clear()
    this.tunnel.keys.clear()
    this.#parts.context.outbox.event({ type: 'closed', reason: this.#closeReason })
  }

  /** A message of the options check came: only the farewell and the question for our options concern us. SESS-75 */
  onOcc(message: OccMessage | undefined, now: number): void {
    if (message?.type === 'exit') this.end({ type: 'peer-exit' }, now)
    else if (message !== undefined)
      this.tunnel.answerOcc(message, writeOptionsString(optionsInput(this.#parts.context.config)), now)
  }

  keyStates(): readonly KeyStateView[] {
    return this.#parts.slots.keyStates()
  }

  /** Numbers and words that tell two states apart. */
  digest(): readonly (string | number)[] {
    return [this.#state, ...digestParts(this.#parts)]
  }

  /** A getter, so that control flow analysis does not take the state for what it was before a call. */
  get #isClosed(): boolean {
    return this.#state === 'closed'
  }

  #move(input: SessionInput): void {
    this.#state = moveSession(this.#state, input)
  }

  #flush(now: number): void {
    this.#parts.slots.flush(now)
    // What goes to a session that is not the peer's is no sign of life to the peer.
    this.#parts.liveness.spoke(this.#parts.slots.active?.sentAt)
  }

  /** Ends once the peer had its farewell; at once where `say` has none to wait for. */
  #part(reason: CloseReason, now: number, say: (channel: ControlChannel) => boolean): void {
    if (this.#state === 'closing') return
    const channel = this.#parts.slots.active
    if (this.#state === 'connected' && channel !== undefined && say(channel)) this.#move('leaving')
    else this.end(reason, now)
  }

  #onEvent({ channel, key, event }: SlotEvent, now: number): void {
    switch (event.type) {
      case 'opened':
        this.#parts.rekeying.opened(key)
        return
      case 'peer-key':
        this.#apply(this.#parts.exchanges.of(channel).peerKey(key, event.message, now), channel, key, now)
        return
      case 'active':
        if (this.#state === 'negotiating' && channel === this.#parts.slots.active) this.#move('keys-exchanged')
        this.#apply(this.#parts.exchanges.of(channel).active(key, now), channel, key, now)
        return
      case 'text':
        this.#onText(event.bytes, channel, key, now)
        return
      case 'signature-needed': {
        const { scheme, message } = event.request
        this.#parts.context.outbox.event({ type: 'signature-needed', keyId: key.keyId, scheme, message })
        return
      }
      case 'failed':
        this.#onFailure(event.reason, channel, key, now)
    }
  }

  #onText(bytes: Uint8Array, channel: ControlChannel, key: KeyState, now: number): void {
    if (this.#state === 'closing') return
    for (const text of splitControlText(bytes).messages) {
      const message = parseControlMessage(text)
      if (message.type !== 'exit') {
        this.#apply(this.#parts.exchanges.of(channel).message(message, key, now), channel, key, now)
      } else if (channel === this.#parts.slots.active) {
        this.end({ type: 'peer-exit' }, now) // SESS-135
      }
      if (this.#isClosed) return
    }
  }

  /** SESS-130 */
  #onFailure(reason: CloseReason, channel: ControlChannel, key: KeyState, now: number): void {
    if (channel !== this.#parts.slots.active) {
      this.#forget(channel, now)
    } else if (key === channel.next) {
      this.#flush(now)
      this.#parts.context.outbox.counters.failedRekeys++
      this.#parts.context.outbox.event({ type: 'rekey-failed', keyId: key.keyId, reason })
      this.#parts.rekeying.failed(channel, now) // SESS-132
    } else if (key.isEstablished && this.#state === 'connected') {
      this.#parts.rekeying.retry(now) // SESS-133
    } else if (this.#state === 'negotiating' && this.#parts.context.config.role === 'server' && !key.peerAnswered) {
      // SESS-131: whoever never answered may not have been there.
      this.#parts.slots.takeOver()
      this.#parts.exchanges.drop(channel)
      this.#move('forgotten')
    } else {
      this.end(reason, now)
    }
  }

  #apply(verdict: Verdict, channel: ControlChannel, key: KeyState, now: number): void {
    if (this.#state === 'closing') return // SESS-139
    switch (verdict.type) {
      case 'nothing':
        return
      case 'agreed':
        // What came in the same breath may have ended the negotiation: its failure is the next news.
        if (channel.primary.state !== 'active') return
        this.#connect(verdict.agreement, verdict.options, channel, now)
        for (const reply of verdict.replies) channel.newest.writeText(reply)
        return
      case 'updated':
        this.#parts.liveness.configure(pushedSettings(this.#parts.context.config.timers, verdict.options.protocol))
        this.#parts.context.outbox.event({ type: 'options-updated', options: verdict.options })
        return
      case 'admitted':
        this.#parts.keys.replace(channel, verdict.key, now)
        return
      case 'refused':
        verdict.key.fail(verdict.reason)
        return
      case 'close':
        this.#close(verdict.reason, verdict.farewell, channel, key, now)
    }
  }

  /** SESS-134: the initial session's end concerns nobody else. */
  #close(reason: CloseReason, text: string | undefined, channel: ControlChannel, key: KeyState, now: number): void {
    if (channel !== this.#parts.slots.active) {
      if (text !== undefined) this.#parts.slots.dismissInitial(text, key, now)
      this.#forget(channel, now)
    } else if (text === undefined) {
      this.end(reason, now)
    } else {
      this.#parts.farewell.tell(text, reason, key, now)
      this.#move('leaving')
    }
  }

  /** Gives the initial session up. */
  #forget(channel: ControlChannel, now: number): void {
    this.#flush(now)
    this.#parts.slots.dropInitial()
    this.#parts.exchanges.drop(channel)
  }

  /** The tunnel comes up: with the first key, or with that of a restarted peer. SESS-138 */
  #connect(agreement: Agreement, options: TunnelOptions, channel: ControlChannel, now: number): void {
    const { config, outbox } = this.#parts.context
    const former = this.#parts.slots.active
    if (channel !== former) {
      this.#parts.slots.takeOver()
      if (former !== undefined) this.#parts.exchanges.drop(former)
      if (this.#state === 'negotiating') this.#move('keys-exchanged')
      else if (this.#state === 'connected') this.#move('taken-over')
      outbox.event({ type: 'peer-restarted' })
    }
    const key = this.#parts.keys.bringUp(agreement, options, channel, now)
    if (key === undefined) {
      this.end(UNUSABLE_KEY, now)
      return
    }
    this.#move('agreed')
    this.#parts.farewell.notify = options.protocol.explicitExitNotify ?? config.exitNotify
    outbox.connected(options, key.negotiated)
  }

  #fire(name: TimerName, now: number): void {
    const channel = this.#parts.slots.active
    switch (name) {
      case 'key-switch':
        this.#parts.rekeying.switchSender(now)
        return
      case 'tran-window': {
        const reason = this.#parts.rekeying.expire(now)
        if (reason !== undefined) this.end(reason, now)
        return
      }
      case 'reneg-sec':
        this.renegotiate(now)
        return
      case 'push-request':
      case 'auth-pending':
        for (const [each, exchange] of this.#parts.exchanges.list()) {
          this.#apply(exchange.fire(name, each.newest, now), each, each.newest, now)
          if (this.#isClosed) return
        }
        return
      case 'exit-notify':
        if (channel === undefined || !this.#parts.farewell.fire(now)) this.end(this.#parts.farewell.reason, now)
        return
      case 'ping':
      case 'ping-restart':
      case 'ping-exit':
      case 'inactive':
      case 'session-timeout':
        this.#fireLiveness(name, now)
        return
      case 'retransmit':
      case 'hand-window':
      case 'occ-request':
        return
    }
  }

  #fireLiveness(name: LivenessTimer, now: number): void {
    const verdict = this.#parts.liveness.fire(name, now)
    if (verdict === 'send-ping') this.tunnel.ping(now)
    else if (verdict === 'dead') this.end({ type: 'timed-out', timer: name, detail: TIMED_OUT[name] }, now)
  }
}
