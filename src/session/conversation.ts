/**
 * The session's control half: negotiations, exchanges and keys brought together.
 *
 * After every input `settle` runs the parts until they have nothing more to say: key states report, exchanges judge, and
 * each verdict becomes a move of the session. Everything due is then sent. What fails is judged by what it would take with
 * it: an initial session or a renegotiation is dropped, the first negotiation ends the session, and a tunnel with a good
 * key lives on (spec/session.md, "Failures").
 */
import { UsageError } from '../bytes/index.ts'
import {
  type ControlMessage,
  parseControlMessage,
  parsePeerInfo,
  type PeerInfo,
  peerHas,
  splitControlText,
  writeOptionsString,
  writePeerInfo,
  writePushParts,
  type TunnelOptions,
} from '../control/index.ts'
import type { OccMessage } from '../data/index.ts'
import type { TlsInfo } from '../tls/index.ts'
import { type Agreement, optionsInput, ownAbilities } from './agreement.ts'
import { ClientExchange } from './client-exchange.ts'
import type { Credentials, PushConfig } from './config.ts'
import type { SessionContext } from './context.ts'
import type { ControlChannel } from './control-channel.ts'
import type { Exchange, Verdict } from './exchange.ts'
import { Farewell } from './farewell.ts'
import { createDataKey, createDynamicWrap, pipelineOptions } from './key-factory.ts'
import type { KeyMessageText, KeyState } from './key-state.ts'
import { Liveness } from './liveness.ts'
import { ClientLogin } from './login.ts'
import { PairExchange } from './pair-exchange.ts'
import type { CloseReason, DropReason, TimerName } from './reasons.ts'
import { Rekeying } from './rekeying.ts'
import { ServerExchange } from './server-exchange.ts'
import { moveSession, type SessionInput, type SessionState } from './session-moves.ts'
import { type SlotEvent, Slots } from './slots.ts'
import { Tunnel } from './tunnel.ts'

/** Least pause between two answers to the question for our options. */
const OCC_REPLY_PAUSE = 10_000

/** Both ends' talk. */
export class Conversation {
  readonly tunnel: Tunnel
  readonly #context: SessionContext
  readonly #login: ClientLogin
  readonly #slots: Slots
  readonly #liveness: Liveness
  readonly #rekeying: Rekeying
  readonly #farewell: Farewell
  readonly #exchanges = new Map<ControlChannel, Exchange>()
  #state: SessionState = 'waiting'
  #agreement: Agreement | undefined
  #closeReason: CloseReason | undefined
  #occRepliedAt = -Infinity

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
    this.#slots = new Slots(context, (info) => this.#keyMessage(info))
    if (config.role === 'server') this.#slots.resume(now)
    else if (this.#login.waiting) this.#askForCredentials()
    else this.#slots.open(now)
  }

  get state(): SessionState {
    return this.#state
  }

  get closeReason(): CloseReason | undefined {
    return this.#closeReason
  }

  /** A control datagram. Returns why it was dropped. */
  receiveControl(datagram: Uint8Array, now: number): DropReason | undefined {
    const problem = this.#slots.receive(datagram, now)
    const { active } = this.#slots
    if (active !== undefined && active.heardAt > this.#liveness.lastReceived) this.#liveness.lastReceived = now
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
    if (this.#state === 'closing' && this.#farewell.heard(this.#slots.active)) this.#finish(now)
  }

  /** Runs everything due, in the order of the deadlines. */
  handleTimeout(now: number): void {
    for (;;) {
      const slots = this.#slots.deadline().at
      if (this.#context.timers.earliest() <= Math.min(now, slots)) {
        const name = this.#context.timers.takeDue(now)
        if (name !== undefined) this.#fire(name, now)
      } else if (slots <= now) {
        this.#slots.handleTimeout(now)
      } else {
        return
      }
      this.settle(now)
      if (this.#state === 'closed') return
    }
  }

  /** The earliest deadline and its name. */
  deadline(): { readonly at: number; readonly name: TimerName } {
    const { timers } = this.#context
    const at = timers.earliest()
    const slots = this.#slots.deadline()
    return at <= slots.at ? { at, name: timers.earliestName() ?? 'retransmit' } : slots
  }

  /** The user's answer. */
  authenticate(credentials: Credentials, now: number): void {
    if (credentials.type === 'password') {
      this.#login.provide(credentials)
      this.#slots.open(now)
      return
    }
    const channel = this.#slots.active
    const exchange = channel === undefined ? undefined : this.#exchanges.get(channel)
    const answered = exchange instanceof ClientExchange && channel !== undefined
    if (!answered || !exchange.respond(credentials.response, channel.newest)) {
      throw new UsageError('no answer was asked for')
    }
  }

  /** Server: the login that waits is good. */
  allow(push: PushConfig | undefined, now: number): void {
    const [channel, exchange] = this.#asking()
    this.#apply(exchange.allow(push, now), channel, channel.newest, now)
  }

  /** Server: the login that waits is not good. */
  deny(message: string, now: number): void {
    const [channel, exchange] = this.#asking()
    this.#apply(exchange.deny(message), channel, channel.newest, now)
  }

  /** Server: the login that waits takes time. */
  defer(seconds: number, now: number): void {
    const [, exchange] = this.#asking()
    exchange.defer(seconds, now)
  }

  /** Answers a request for a signature. */
  provideSignature(keyId: number, signature: Uint8Array): void {
    for (const channel of [this.#slots.active, this.#slots.initial]) {
      for (const key of [channel?.primary, channel?.next]) {
        if (key?.keyId === keyId && key.awaitsSignature) {
          key.provideSignature(signature)
          return
        }
      }
    }
    throw new UsageError(`no signature was asked for under key id ${keyId}`)
  }

  /** Server: changes what was pushed. */
  pushUpdate(options: readonly string[]): boolean {
    const channel = this.#slots.active
    if (this.#state !== 'connected' || channel === undefined || !peerHas(this.#peerInfo(channel), 'pushUpdate')) {
      return false
    }
    for (const part of writePushParts('PUSH_UPDATE', options)) channel.newest.writeText(part)
    return true
  }

  /** Starts a renegotiation where one is possible. */
  renegotiate(now: number): void {
    if (this.#state !== 'connected' || this.#slots.active === undefined) return
    this.#rekeying.begin(this.#slots.active, now)
  }

  /** Says goodbye and ends. SESS-136 */
  leave(reason: CloseReason, now: number): void {
    if (this.#state === 'closing') return
    const channel = this.#slots.active
    if (
      this.#state === 'connected' &&
      channel !== undefined &&
      this.#farewell.say(reason, channel, this.#agreement, now)
    ) {
      this.#move('leaving')
    } else {
      this.end(reason, now)
    }
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
    if (message?.type === 'exit') {
      this.end({ type: 'peer-exit' }, now)
    } else if (message?.type === 'request' && now - this.#occRepliedAt >= OCC_REPLY_PAUSE) {
      this.#occRepliedAt = now
      this.tunnel.occ({ type: 'reply', options: writeOptionsString(optionsInput(this.#context.config)) }, now)
    }
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

  #finish(now: number): void {
    this.end(this.#farewell.reason, now)
  }

  #flush(now: number): void {
    this.#slots.flush(now)
    const { active } = this.#slots
    // What goes to a session that is not the peer's is no sign of life to the peer.
    if (active !== undefined && active.sentAt > this.#liveness.lastSent) this.#liveness.lastSent = active.sentAt
  }

  #askForCredentials(): void {
    const { config, outbox } = this.#context
    const { staticChallenge } = config
    const challenge =
      staticChallenge === undefined ? undefined : { text: staticChallenge.text, echo: staticChallenge.echo }
    outbox.event({ type: 'credentials-needed', challenge })
  }

  #keyMessage(info: TlsInfo): KeyMessageText {
    const { config } = this.#context
    const detail = config.pointToPoint ? 'p2p' : config.role === 'server' ? 'none' : 'pull'
    return {
      options: writeOptionsString(optionsInput(config)),
      login: this.#login.current,
      peerInfo: writePeerInfo(
        ownAbilities(config, info),
        detail === 'pull' && config.peerInfo.pushPeerInfo === true ? 'full' : detail,
      ),
    }
  }

  #exchangeOf(channel: ControlChannel): Exchange {
    let exchange = this.#exchanges.get(channel)
    if (exchange === undefined) {
      const { config } = this.#context
      exchange = config.pointToPoint
        ? new PairExchange(this.#context)
        : config.role === 'client'
          ? new ClientExchange(this.#context, this.#login)
          : new ServerExchange(this.#context)
      this.#exchanges.set(channel, exchange)
    }
    return exchange
  }

  #asking(): [ControlChannel, ServerExchange] {
    for (const [channel, exchange] of this.#exchanges) {
      if (exchange instanceof ServerExchange && exchange.asking) return [channel, exchange]
    }
    throw new UsageError('no login waits for an answer')
  }

  #peerInfo(channel: ControlChannel): PeerInfo {
    const exchange = this.#exchanges.get(channel)
    return exchange instanceof ServerExchange || exchange instanceof PairExchange
      ? exchange.peerInfo
      : parsePeerInfo('')
  }

  #onEvent({ channel, key, event }: SlotEvent, now: number): void {
    switch (event.type) {
      case 'opened':
        this.#rekeying.opened(key)
        return
      case 'peer-key':
        this.#apply(this.#exchangeOf(channel).peerKey(key, event.message, now), channel, key, now)
        return
      case 'active':
        if (this.#state === 'negotiating' && channel === this.#slots.active) this.#move('keys-exchanged')
        this.#apply(this.#exchangeOf(channel).active(key, now), channel, key, now)
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
      this.#onMessage(parseControlMessage(text), channel, key, now)
      if (this.#isClosed) return
    }
  }

  #onMessage(message: ControlMessage, channel: ControlChannel, key: KeyState, now: number): void {
    if (message.type === 'exit') {
      if (channel === this.#slots.active) this.end({ type: 'peer-exit' }, now) // SESS-135
      return
    }
    this.#apply(this.#exchangeOf(channel).message(message, key, now), channel, key, now)
  }

  /** SESS-130 */
  #onFailure(reason: CloseReason, channel: ControlChannel, key: KeyState, now: number): void {
    if (channel !== this.#slots.active) {
      this.#flush(now)
      this.#slots.dropInitial()
      this.#exchanges.delete(channel)
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
      this.#exchanges.delete(channel)
      this.#move('forgotten')
    } else {
      this.end(reason, now)
    }
  }

  #apply(verdict: Verdict, channel: ControlChannel, key: KeyState, now: number): void {
    switch (verdict.type) {
      case 'nothing':
        return
      case 'agreed':
        this.#connect(verdict.agreement, verdict.options, channel, now)
        for (const reply of verdict.replies) channel.newest.writeText(reply)
        return
      case 'updated':
        this.#configureLiveness(verdict.options)
        this.#context.outbox.event({ type: 'options-updated', options: verdict.options })
        return
      case 'admitted':
        this.#rekey(channel, verdict.key, now)
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
      if (text !== undefined) key.writeText(text)
      this.#flush(now)
      this.#slots.dropInitial()
      this.#exchanges.delete(channel)
    } else if (text === undefined) {
      this.end(reason, now)
    } else {
      key.writeText(text)
      this.#farewell.wait(reason, key, now)
      this.#move('leaving')
    }
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
    this.#agreement = agreement
    if (agreement.dynamicTlsCrypt) channel.useDynamicWrap(createDynamicWrap(this.#context, channel))
    const values = Object.fromEntries(this.#peerInfo(channel).values)
    const key = createDataKey(this.#context, channel, channel.primary, agreement, values, now)
    if (key === undefined) {
      this.end({ type: 'incompatible', option: 'key-derivation', detail: 'a derived key was all zero' }, now)
      return
    }
    this.tunnel.configure(pipelineOptions(config, agreement, options))
    this.#rekeying.installFirst(key, now)
    this.#move('agreed')
    if (config.role === 'client') this.#configureLiveness(options)
    this.#liveness.start(now)
    this.#farewell.notify = options.protocol.explicitExitNotify ?? config.exitNotify
    outbox.event({ type: 'connected', options, negotiated: key.negotiated })
  }

  #rekey(channel: ControlChannel, key: KeyState, now: number): void {
    const { outbox } = this.#context
    if (key !== channel.next || this.#agreement === undefined) return
    const values = Object.fromEntries(this.#peerInfo(channel).values)
    const dataKey = createDataKey(this.#context, channel, key, this.#agreement, values, now)
    if (dataKey === undefined) {
      key.abandon({ type: 'incompatible', option: 'key-derivation', detail: 'a derived key was all zero' })
      return
    }
    this.#rekeying.install(dataKey, channel, now)
    outbox.counters.rekeys++
    const { keyId, initiator } = key
    outbox.event({ type: 'rekeyed', keyId, initiator, negotiated: dataKey.negotiated })
  }

  /** SESS-63: what the server pushed stands in for what was configured. */
  #configureLiveness({ protocol }: TunnelOptions): void {
    const { timers } = this.#context.config
    this.#liveness.configure({
      ping: protocol.ping ?? timers.ping,
      pingRestart: protocol.pingRestart ?? (protocol.pingExit === undefined ? timers.pingRestart : 0),
      pingExit: protocol.pingExit ?? (protocol.pingRestart === undefined ? timers.pingExit : 0),
      inactive: protocol.inactive?.time ?? timers.inactive,
      inactiveBytes: protocol.inactive?.bytes ?? timers.inactiveBytes,
      sessionTimeout: protocol.sessionTimeout ?? timers.sessionTimeout,
    })
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
        this.#fireExchanges(name, now)
        return
      case 'exit-notify':
        if (channel === undefined || !this.#farewell.fire(now)) this.#finish(now)
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
        return
    }
  }

  #fireExchanges(name: 'push-request' | 'auth-pending', now: number): void {
    for (const [channel, exchange] of [...this.#exchanges]) {
      this.#apply(exchange.fire(name, channel.newest, now), channel, channel.newest, now)
      if (this.#isClosed) return
    }
  }

  #fireLiveness(name: Parameters<Liveness['fire']>[0], now: number): void {
    const verdict = this.#liveness.fire(name, now)
    if (verdict === 'dead') {
      this.end({ type: 'timed-out', timer: name, detail: 'see the option of that name' }, now)
    } else if (verdict === 'send-ping') {
      this.tunnel.ping(now)
    }
  }
}
