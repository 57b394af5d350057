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
  type PushedToken,
  splitControlText,
  type TunnelOptions,
  writeOptionsString,
} from '../control/index.ts'
import type { OccMessage } from '../data/index.ts'
import { type Agreement, keyMessageText, optionsInput } from './agreement.ts'
import type { Credentials, PushConfig } from './config.ts'
import type { SessionContext } from './context.ts'
import type { ControlChannel } from './control-channel.ts'
import { type Deadline, Deadlines } from './deadlines.ts'
import type { Verdict } from './exchange.ts'
import { Exchanges } from './exchanges.ts'
import { Farewell } from './farewell.ts'
import type { KeyState } from './key-state.ts'
import { Liveness, pushedSettings, TIMED_OUT } from './liveness.ts'
import { ClientLogin } from './login.ts'
import type { CloseReason, DropReason, TimerName } from './reasons.ts'
import { Rekeying } from './rekeying.ts'
import { moveSession, type SessionInput, type SessionState } from './session-moves.ts'
import { type SlotEvent, Slots } from './slots.ts'
import { Tunnel } from './tunnel.ts'
import { TunnelKeys, UNUSABLE_KEY } from './tunnel-keys.ts'

/** Both ends' talk. */
export class Conversation {
  readonly tunnel: Tunnel
  readonly #context: SessionContext
  readonly #login: ClientLogin
  readonly #slots: Slots
  readonly #liveness: Liveness
  readonly #rekeying: Rekeying
  readonly #farewell: Farewell
  readonly #exchanges: Exchanges
  readonly #keys: TunnelKeys
  readonly #deadlines: Deadlines
  #state: SessionState = 'waiting'
  #closeReason: CloseReason | undefined

  constructor(context: SessionContext, now: number) {
    const { config, outbox, timers } = context
    const { renegotiateBytes, renegotiatePackets } = config.timers
    this.#context = context
    this.#login = new ClientLogin(config.login, config.staticChallenge)
    this.#liveness = new Liveness(config.timers, timers, now)
    const limits = { bytes: renegotiateBytes || Infinity, packets: renegotiatePackets || Infinity }
    this.tunnel = new Tunnel(outbox, timers, this.#liveness, limits, config.transport)
    this.#rekeying = new Rekeying(context, this.tunnel)
    this.#farewell = new Farewell(context, this.tunnel)
    this.#exchanges = new Exchanges(context, this.#login)
    this.#keys = new TunnelKeys(context, this.tunnel, this.#rekeying, this.#liveness, this.#exchanges)
    this.#slots = new Slots(context, (info) => keyMessageText(config, info, this.#login.current))
    this.#deadlines = new Deadlines(timers, this.#slots)
    if (config.role === 'server') this.#slots.resume(now)
    else if (this.#login.waiting) outbox.event({ type: 'credentials-needed', challenge: this.#login.question })
    else this.#slots.open(now)
  }

  get state(): SessionState {
    return this.#state
  }

  get closeReason(): CloseReason | undefined {
    return this.#closeReason
  }

  /** The session token that the server pushed last. */
  get token(): PushedToken | undefined {
    return this.#login.token
  }

  /** A control datagram. Returns why it was dropped. */
  receiveControl(datagram: Uint8Array, now: number): DropReason | undefined {
    const problem = this.#slots.receive(datagram, now)
    this.#liveness.heard(this.#slots.active?.heardAt)
    return problem
  }

  /** Runs every part to its end and sends what is due. */
  settle(now: number): void {
    if (this.#state === 'closed') return
    for (let event = this.#slots.poll(); event !== undefined; event = this.#slots.poll()) {
      this.#onEvent(event, now)
      if (this.#isClosed) return
    }
    if (this.#state === 'waiting' && this.#slots.active !== undefined) this.#move('begun')
    this.#flush(now)
    if (this.#state === 'closing' && this.#farewell.heard(this.#slots.active)) this.end(this.#farewell.reason, now)
  }

  /** Runs everything due, in the order of the deadlines. */
  handleTimeout(now: number): void {
    for (let due = this.#deadlines.take(now); due !== undefined; due = this.#deadlines.take(now)) {
      if (due === 'slots') this.#slots.handleTimeout(now)
      else this.#fire(due, now)
      this.settle(now)
      if (this.#isClosed) return
    }
  }

  /** The earliest deadline and its name. */
  deadline(): Deadline {
    return this.#deadlines.next()
  }

  /** The user's answer. */
  authenticate(credentials: Credentials, now: number): void {
    if (credentials.type === 'password') {
      this.#login.provide(credentials)
      this.#slots.open(now)
      return
    }
    this.#exchanges.respond(this.#slots.active, credentials.response)
  }

  /** Server: the login that waits is good. */
  allow(push: PushConfig | undefined, now: number): void {
    const [channel, exchange] = this.#exchanges.asking()
    this.#apply(exchange.allow(push, now), channel, channel.newest, now)
  }

  /** Server: the login that waits is not good. */
  deny(answer: string | AuthFailure, now: number): void {
    const [channel, exchange] = this.#exchanges.asking()
    this.#apply(exchange.deny(answer), channel, channel.newest, now)
  }

  /** Server: the login that waits takes time. */
  defer(seconds: number, now: number): void {
    const [, exchange] = this.#exchanges.asking()
    exchange.defer(seconds, now)
  }

  /** Answers a request for a signature. */
  provideSignature(keyId: number, signature: Uint8Array): void {
    this.#slots.signerOf(keyId).provideSignature(signature)
  }

  /** Server: changes what was pushed. */
  pushUpdate(options: readonly string[]): boolean {
    const channel = this.#slots.active
    return this.#state === 'connected' && channel !== undefined && this.#exchanges.update(channel, options)
  }

  /** Starts a renegotiation where one is possible. */
  renegotiate(now: number): void {
    if (this.#state !== 'connected' || this.#slots.active === undefined) return
    this.#rekeying.begin(this.#slots.active, now)
  }

  /** Says goodbye and ends. SESS-136 */
  leave(reason: CloseReason, now: number): void {
    this.#part(reason, now, (channel) => this.#farewell.say(reason, channel, this.#keys.agreement, now))
  }

  /** Ends with a message that the peer is given time to have. SESS-143 */
  dismiss(message: string, patience: number, now: number): void {
    this.#part({ type: 'local' }, now, ({ primary }) => {
      if (primary.isActive) this.#farewell.tell(message, { type: 'local' }, primary, now, patience)
      return primary.isActive
    })
  }

  /** Ends at once; what is queued for the peer is sent. SESS-137 */
  end(reason: CloseReason, now: number): void {
    if (this.#isClosed) return
    this.#slots.flush(now)
    this.#closeReason = this.#state === 'closing' ? this.#farewell.reason : reason
    this.#move('ended')
    this.#context.timers.clearAll()
    this.#slots.clear()
    this.#exchanges.clear()
    this.tunnel.keys.clear()
    this.#context.outbox.event({ type: 'closed', reason: this.#closeReason })
  }

  /** A message of the options check came: only the farewell and the question for our options concern us. SESS-75 */
  onOcc(message: OccMessage | undefined, now: number): void {
    if (message?.type === 'exit') this.end({ type: 'peer-exit' }, now)
    else if (message !== undefined)
      this.tunnel.answerOcc(message, writeOptionsString(optionsInput(this.#context.config)), now)
  }

  /** Numbers and words that tell two states apart. */
  digest(): readonly (string | number)[] {
    const { timers } = this.#context
    return [
      this.#state,
      this.#liveness.lastSent,
      this.#liveness.lastReceived,
      ...timers.names.map((name) => timers.get(name)),
      ...this.#slots.digest(),
      ...this.tunnel.digest(),
    ]
  }

  /** A getter, so that control flow analysis does not take the state for what it was before a call. */
  get #isClosed(): boolean {
    return this.#state === 'closed'
  }

  #move(input: SessionInput): void {
    this.#state = moveSession(this.#state, input)
  }

  #flush(now: number): void {
    this.#slots.flush(now)
    // What goes to a session that is not the peer's is no sign of life to the peer.
    this.#liveness.spoke(this.#slots.active?.sentAt)
  }

  /** Ends once the peer had its farewell; at once where `say` has none to wait for. */
  #part(reason: CloseReason, now: number, say: (channel: ControlChannel) => boolean): void {
    if (this.#state === 'closing') return
    const channel = this.#slots.active
    if (this.#state === 'connected' && channel !== undefined && say(channel)) this.#move('leaving')
    else this.end(reason, now)
  }

  #onEvent({ channel, key, event }: SlotEvent, now: number): void {
    switch (event.type) {
      case 'opened':
        this.#rekeying.opened(key)
        return
      case 'peer-key':
        this.#apply(this.#exchanges.of(channel).peerKey(key, event.message, now), channel, key, now)
        return
      case 'active':
        if (this.#state === 'negotiating' && channel === this.#slots.active) this.#move('keys-exchanged')
        this.#apply(this.#exchanges.of(channel).active(key, now), channel, key, now)
        return
      case 'text':
        this.#onText(event.bytes, channel, key, now)
        return
      case 'signature-needed': {
        const { scheme, message } = event.request
        this.#context.outbox.event({ type: 'signature-needed', keyId: key.keyId, scheme, message })
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
        this.#apply(this.#exchanges.of(channel).message(message, key, now), channel, key, now)
      } else if (channel === this.#slots.active) {
        this.end({ type: 'peer-exit' }, now) // SESS-135
      }
      if (this.#isClosed) return
    }
  }

  /** SESS-130 */
  #onFailure(reason: CloseReason, channel: ControlChannel, key: KeyState, now: number): void {
    if (channel !== this.#slots.active) {
      this.#forget(channel, now)
    } else if (key === channel.next) {
      this.#flush(now)
      this.#context.outbox.counters.failedRekeys++
      this.#context.outbox.event({ type: 'rekey-failed', keyId: key.keyId, reason })
      this.#rekeying.failed(channel, now) // SESS-132
    } else if (key.isEstablished && this.#state === 'connected') {
      this.#rekeying.retry(now) // SESS-133
    } else if (this.#state === 'negotiating' && this.#context.config.role === 'server' && !key.peerAnswered) {
      // SESS-131: whoever never answered may not have been there.
      this.#slots.takeOver()
      this.#exchanges.drop(channel)
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
        this.#liveness.configure(pushedSettings(this.#context.config.timers, verdict.options.protocol))
        this.#context.outbox.event({ type: 'options-updated', options: verdict.options })
        return
      case 'admitted':
        this.#keys.replace(channel, verdict.key, now)
        return
      case 'refused':
        verdict.key.abandon(verdict.reason)
        return
      case 'close':
        this.#close(verdict.reason, verdict.farewell, channel, key, now)
    }
  }

  /** SESS-134: the initial session's end concerns nobody else. */
  #close(reason: CloseReason, text: string | undefined, channel: ControlChannel, key: KeyState, now: number): void {
    if (channel !== this.#slots.active) {
      if (text !== undefined) this.#slots.dismissInitial(text, key, now)
      this.#forget(channel, now)
    } else if (text === undefined) {
      this.end(reason, now)
    } else {
      this.#farewell.tell(text, reason, key, now)
      this.#move('leaving')
    }
  }

  /** Gives the initial session up. */
  #forget(channel: ControlChannel, now: number): void {
    this.#flush(now)
    this.#slots.dropInitial()
    this.#exchanges.drop(channel)
  }

  /** The tunnel comes up: with the first key, or with that of a restarted peer. SESS-138 */
  #connect(agreement: Agreement, options: TunnelOptions, channel: ControlChannel, now: number): void {
    const { config, outbox } = this.#context
    if (channel !== this.#slots.active) {
      this.#slots.takeOver()
      if (this.#state === 'negotiating') this.#move('keys-exchanged')
      else if (this.#state === 'connected') this.#move('taken-over')
      outbox.event({ type: 'peer-restarted' })
    }
    const key = this.#keys.bringUp(agreement, options, channel, now)
    if (key === undefined) {
      this.end(UNUSABLE_KEY, now)
      return
    }
    this.#move('agreed')
    this.#farewell.notify = options.protocol.explicitExitNotify ?? config.exitNotify
    outbox.connected(options, key.negotiated)
  }

  #fire(name: TimerName, now: number): void {
    const channel = this.#slots.active
    switch (name) {
      case 'key-switch':
        this.#rekeying.switchSender(now)
        return
      case 'tran-window': {
        const reason = this.#rekeying.expire(now)
        if (reason !== undefined) this.end(reason, now)
        return
      }
      case 'reneg-sec':
        this.renegotiate(now)
        return
      case 'push-request':
      case 'auth-pending':
        for (const [each, exchange] of this.#exchanges.list()) {
          this.#apply(exchange.fire(name, each.newest, now), each, each.newest, now)
          if (this.#isClosed) return
        }
        return
      case 'exit-notify':
        if (channel === undefined || !this.#farewell.fire(now)) this.end(this.#farewell.reason, now)
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

  #fireLiveness(name: Parameters<Liveness['fire']>[0], now: number): void {
    const verdict = this.#liveness.fire(name, now)
    if (verdict === 'send-ping') this.tunnel.ping(now)
    else if (verdict === 'dead') this.end({ type: 'timed-out', timer: name, detail: TIMED_OUT[name] }, now)
  }
}
