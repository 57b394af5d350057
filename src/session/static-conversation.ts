/**
 * A session without a control channel: both ends have the keys beforehand (spec/session.md, "Static key").
 *
 * It offers the session the same face as `conversation.ts`, of which little is left: the tunnel is up from the start, pings
 * tell whether the peer is there, and the options check, which elsewhere rides on TLS, is made inside the data channel. Nobody
 * logs in, nothing is pushed, keys never change.
 *
 * What this mode cannot give, whoever implements it: forward secrecy, and a proof that the peer is there now. A packet of an
 * earlier session under the same key is taken as long as none of this session has come.
 */
import { UsageError } from '../bytes/index.ts'
import { compareOptionsStrings, emptyOptions, expectedOptionsString, writeOptionsString } from '../control/index.ts'
import { createDataChannel, OCC_REQUEST_COUNT, OCC_REQUEST_INTERVAL, type OccMessage } from '../data/index.ts'
import { keySlots } from '../wire/index.ts'
import { optionsInput } from './agreement.ts'
import type { StaticKeyConfig } from './config.ts'
import type { SessionContext } from './context.ts'
import type { Conversation } from './conversation.ts'
import { pipelineOptions } from './key-factory.ts'
import { DataKey } from './key-ring.ts'
import { Liveness, TIMED_OUT } from './liveness.ts'
import type { Negotiated } from './output.ts'
import type { CloseReason, DropReason, TimerName } from './reasons.ts'
import { moveSession, type SessionState } from './session-moves.ts'
import { Tunnel } from './tunnel.ts'

/** What a session needs of its conversation. */
export type Talk = Pick<Conversation, keyof Conversation>

const EXIT_PAUSE = 1_000

/** Two ends that have nothing to settle. */
export class StaticConversation implements Talk {
  readonly tunnel: Tunnel
  readonly #context: SessionContext
  readonly #liveness: Liveness
  readonly #options: string
  readonly #expected: string
  #state: SessionState = 'connected'
  #closeReason: CloseReason | undefined
  #leaving: CloseReason = { type: 'local' }
  #exitsLeft = 0
  #requestsLeft = OCC_REQUEST_COUNT

  /** Keys known beforehand need no moving. */
  snapshot(): undefined {
    return undefined
  }

  /** Nothing is negotiated. */
  keyStates(): readonly [] {
    return []
  }

  /** @throws ConfigError for a cipher or digest that cannot be used. */
  constructor(context: SessionContext, staticKey: StaticKeyConfig, now: number) {
    const { config, outbox, timers } = context
    this.#context = context
    this.#liveness = new Liveness(config.timers, timers, now)
    this.tunnel = new Tunnel(outbox, timers, this.#liveness, undefined, config.transport, context.path, true)
    const key = createStaticDataKey(context, staticKey, now)
    const options = emptyOptions(config.device)
    const { cipher } = staticKey
    this.tunnel.path.conversation = this
    this.tunnel.configure(
      pipelineOptions(config, { cipher, auth: config.auth, epoch: false, sendPeerId: undefined }, options),
    )
    this.tunnel.keys.replaceAll(key)
    this.#liveness.start(now)
    const input = { ...optionsInput(config), cipher, keyDirection: staticKey.direction, staticKey: true }
    this.#options = writeOptionsString(input)
    this.#expected = expectedOptionsString(input)
    timers.set('occ-request', now + OCC_REQUEST_INTERVAL)
    outbox.connected(options, key.negotiated) // SESS-150
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

  /** Nobody logs in. */
  get token(): undefined {
    return undefined
  }

  /** Nobody logs in. */
  get pendingLogin(): undefined {
    return undefined
  }

  /** There are no control packets. */
  receiveControl(): DropReason | undefined {
    return 'wrong-opcode'
  }

  /** Nothing is left to settle after an input. */
  settle(): void {
    return
  }

  handleTimeout(now: number): void {
    const { timers } = this.#context
    while (this.#state !== 'closed' && timers.earliest() <= now) {
      const name = timers.takeDue(now)
      if (name !== undefined) this.#fire(name, now)
    }
  }

  deadline(): { readonly at: number; readonly name: TimerName } {
    const { timers } = this.#context
    return { at: timers.earliest(), name: timers.earliestName() ?? 'ping' }
  }

  authenticate(): never {
    throw new UsageError('with a static key nobody logs in')
  }

  allow(): never {
    throw new UsageError('with a static key nobody logs in')
  }

  deny(): never {
    throw new UsageError('with a static key nobody logs in')
  }

  defer(): never {
    throw new UsageError('with a static key nobody logs in')
  }

  provideSignature(): never {
    throw new UsageError('with a static key nothing is signed')
  }

  pushUpdate(): boolean {
    return false
  }

  /** A static key stays. */
  renegotiate(): void {
    return
  }

  /** There is no control message to send. */
  dismiss(_message: string, _patience: number, now: number): void {
    this.leave({ type: 'local' }, now)
  }

  /** Says goodbye as often as configured, over UDP. SESS-153 */
  leave(reason: CloseReason, now: number): void {
    if (this.#state !== 'connected') return
    const { config } = this.#context
    this.#leaving = reason
    this.#exitsLeft = config.transport === 'udp' ? config.exitNotify : 0
    if (this.#exitsLeft > 1) this.#state = moveSession(this.#state, 'leaving')
    this.#sayExit(now)
  }

  end(reason: CloseReason): void {
    if (this.#state === 'closed') return
    this.#closeReason = this.#state === 'closing' ? this.#leaving : reason
    this.#state = moveSession(this.#state, 'ended')
    this.#context.timers.clearAll()
    this.tunnel.keys.clear()
    this.#context.outbox.event({ type: 'closed', reason: this.#closeReason })
  }

  onOcc(message: OccMessage | undefined, now: number): void {
    if (message?.type === 'exit') this.end({ type: 'peer-exit' })
    else if (message?.type === 'reply') this.#compare(message.options)
    else if (message !== undefined) this.tunnel.answerOcc(message, this.#options, now)
  }

  digest(): readonly (string | number)[] {
    const { timers } = this.#context
    return [
      this.#state,
      this.#liveness.lastSent,
      this.#liveness.lastReceived,
      ...timers.names.map((name) => timers.get(name)),
      ...this.tunnel.digest(),
    ]
  }

  #sayExit(now: number): void {
    if (this.#exitsLeft > 0) {
      this.tunnel.occ({ type: 'exit' }, now)
      this.#exitsLeft--
    }
    if (this.#exitsLeft === 0) this.end(this.#leaving)
    else this.#context.timers.set('exit-notify', now + EXIT_PAUSE)
  }

  /** SESS-152: the first answer ends the asking. Our own tunnel addresses are the host's: they are not compared. */
  #compare(options: string): void {
    const { outbox, timers } = this.#context
    timers.set('occ-request', Infinity)
    if (this.#requestsLeft === 0) return
    this.#requestsLeft = 0
    const all = compareOptionsStrings(this.#expected, options, false)
    const differences = all.filter(({ option }) => option !== 'ifconfig' && option !== 'tun-ipv6')
    if (differences.length > 0) outbox.event({ type: 'options-differ', differences })
  }

  #fire(name: TimerName, now: number): void {
    switch (name) {
      case 'occ-request': // SESS-152
        this.#requestsLeft--
        this.tunnel.occ({ type: 'request' }, now)
        if (this.#requestsLeft > 0) this.#context.timers.set('occ-request', now + OCC_REQUEST_INTERVAL)
        return
      case 'exit-notify':
        this.#sayExit(now)
        return
      case 'ping':
      case 'ping-restart':
      case 'ping-exit':
      case 'inactive':
      case 'session-timeout': {
        const verdict = this.#liveness.fire(name, now)
        if (verdict === 'dead') this.end({ type: 'timed-out', timer: name, detail: TIMED_OUT[name] })
        else if (verdict === 'send-ping' && this.#state === 'connected') this.tunnel.ping(now)
        return
      }
      case 'retransmit':
      case 'hand-window':
      case 'tran-window':
      case 'key-switch':
      case 'reneg-sec':
      case 'push-request':
      case 'auth-pending':
        return
    }
  }
}

/** The one key of the tunnel. SESS-151 */
function createStaticDataKey(
  context: SessionContext,
  { key, direction, cipher }: StaticKeyConfig,
  now: number,
): DataKey {
  const { config, crypto, random, timeOrigin } = context
  const channel = createDataChannel({
    crypto,
    cipher,
    auth: config.auth,
    keys: keySlots(key, direction),
    staticKey: { startTime: (timeOrigin + now) / 1000 },
    replay: { window: config.replay.size, seconds: config.replay.seconds },
    random,
    allowInsecure: config.allowInsecure,
  })
  const negotiated: Negotiated = {
    keyId: 0,
    tlsVersion: '',
    cipherSuite: '',
    group: undefined,
    signatureScheme: undefined,
    wrap: 'none',
    dynamicTlsCrypt: false,
    dataCipher: cipher,
    dataAuth: config.auth,
    dataFormat: cipher === 'none' ? 'none' : 'cbc',
    keyDerivation: 'static-key',
    peerId: undefined,
    peerSubject: undefined,
    peerInfo: {},
  }
  return new DataKey(channel, negotiated, now, now)
}
