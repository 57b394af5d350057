/**
 * One tunnel to one peer, as a value: bytes, time and randomness in; bytes, deadlines and events out.
 *
 * This file is a switchboard. It clamps time, hands each input to the part it concerns, lets the parts run until they have
 * nothing more to say, and turns their verdicts into moves. The parts: `slots.ts` (whose control packet is it),
 * `control-channel.ts` and `key-state.ts` (negotiations), the exchanges (options and admission), `tunnel.ts` (data packets),
 * `rekeying.ts` (when keys change), `liveness.ts` (pings) and `farewell.ts` (the end). See spec/session.md.
 */
import { plainBytes, UsageError } from '../bytes/index.ts'
import type { AuthFailure, PendingRequest, PushedToken } from '../control/index.ts'
import { DataCode, dataReason, isDrop } from '../data/index.ts'
import { isDataOpcode, MAX_FRAME, opcodeOf, StreamFramer } from '../wire/index.ts'
import type { Credentials, Environment, PushConfig, SessionConfig } from './config.ts'
import { createContext, type SessionContext } from './context.ts'
import { Conversation } from './conversation.ts'
import type { KeyStateView } from './key-moves.ts'
import type { Output } from './output.ts'
import type { CloseReason, DropReason, TimerName } from './reasons.ts'
import type { SessionState } from './session-moves.ts'
import type { SessionSnapshot } from './snapshot.ts'
import { StaticConversation, type Talk } from './static-conversation.ts'
import type { Counters, Stats } from './stats.ts'
import { LaneCode, sealProblem, type Tunnel } from './tunnel.ts'
import { answerUnsent } from './unsent.ts'

/**
 * A session. Every input runs to its end before it returns; outputs wait in one queue.
 *
 * Its promises: inputs never throw for what a peer sent and never call back (SESS-4); any number of inputs may precede a
 * drain, each adds a bounded number of outputs; time never runs backwards (SESS-3); `handleTimeout` may come early, twice or
 * late (SESS-7); `closed` is once and last (SESS-6); the same inputs give the same outputs (SESS-8); and what is not
 * authentic changes nothing but a counter (SESS-9).
 *
 * @example
 * const session = new Session(config, { now: performance.now(), timeOrigin: performance.timeOrigin, random })
 * socket.on('message', (bytes) => { session.receive(bytes, performance.now()); drain() })
 * function drain() {
 *   for (let output; (output = session.poll()) !== undefined; )
 *     if (output.type === 'transmit') socket.send(output.data)
 *   wakeAt(session.pollTimeout(), () => { session.handleTimeout(performance.now()); drain() })
 * }
 */
export class Session {
  /** The conversation's, and the outbox's, at hand for every packet. */
  readonly #tunnel: Tunnel
  readonly #counters: Counters
  readonly #conversation: Talk
  #now: number
  /** Every datagram is a data packet: there are no opcodes. */
  readonly #headless: boolean
  readonly #framer: StreamFramer | undefined
  readonly #context: SessionContext

  /**
   * @param from - a connected server session of another process that this one goes on for: no output says that it is connected.
   * @throws ConfigError for a configuration that cannot work, or not with `from`; no byte has moved then.
   */
  constructor(config: SessionConfig, environment: Environment, from?: SessionSnapshot) {
    this.#context = createContext(config, environment)
    this.#counters = this.#context.outbox.counters
    this.#now = environment.now
    this.#framer = this.#context.config.transport === 'tcp' ? new StreamFramer(MAX_FRAME) : undefined
    const { staticKey } = this.#context.config
    this.#headless = staticKey !== undefined
    this.#conversation =
      staticKey === undefined
        ? new Conversation(this.#context, this.#now, from)
        : new StaticConversation(this.#context, staticKey, this.#now)
    this.#tunnel = this.#conversation.tunnel
    this.#conversation.settle(this.#now)
  }

  /** Bytes from the socket: a UDP datagram, or any piece of the TCP stream. Borrowed until the call returns. */
  receive(bytes: Uint8Array, now: number): void {
    if (!this.#begin(now)) return
    const plain = plainBytes(bytes) // BYTES-2
    if (this.#framer === undefined) this.#receiveDatagram(plain)
    else this.#receiveStream(this.#framer, plain)
  }

  /** A packet for the tunnel: an IP packet, or an Ethernet frame for `tap`. False: there is no tunnel, dropped, counted. */
  send(packet: Uint8Array, now: number): boolean {
    if (!this.#begin(now)) return this.#drop('no-tunnel')
    const tunnel = this.#tunnel
    const { headroom, tailroom } = tunnel
    const buffer = new Uint8Array(headroom + packet.length + tailroom)
    buffer.set(packet, headroom)
    const length = this.#seal(buffer, headroom, packet.length)
    if (length < 0) return false
    const { outbox } = this.#context
    if (tunnel.fragmentsLeft === 0) {
      outbox.sealed(buffer.subarray(tunnel.resultOffset, tunnel.resultOffset + length))
      return true
    }
    for (let size = length; size > 0; size = tunnel.sealNext(buffer, headroom, this.#now)) {
      outbox.sealed(buffer.slice(tunnel.resultOffset, tunnel.resultOffset + size))
    }
    return true
  }

  /** Free bytes that {@link seal} needs in front of a packet. Changes only with `connected` and `rekeyed`. */
  get headroom(): number {
    return this.#tunnel.headroom
  }

  /** Free bytes that {@link seal} needs behind a packet. */
  get tailroom(): number {
    return this.#tunnel.tailroom
  }

  /** Where the last {@link seal} or {@link open} left its result. */
  get resultOffset(): number {
    return this.#tunnel.resultOffset
  }

  /** The buffer of the last result of {@link open}: the host's, unless the packet was in fragments or compressed. */
  get resultBuffer(): Uint8Array {
    return this.#tunnel.resultBuffer
  }

  /** True when {@link pollTimeout} comes earlier for what the last {@link seal} or {@link open} did, though it went well. */
  get hurried(): boolean {
    return this.#tunnel.hurried
  }

  /** With `fragment`: datagrams that the last sealed packet still needs, to be made with {@link sealNext}. */
  get fragmentsLeft(): number {
    return this.#tunnel.fragmentsLeft
  }

  /**
   * Fast lane: seals the tunnel packet `buffer[offset, offset + length)` in place, with headroom and tailroom around it.
   *
   * @returns the length of what is to be sent (a datagram, or with TCP the next bytes of the stream), which starts at
   * `resultOffset`; or a negative `DataCode` or `LaneCode`, and the packet is dropped and counted.
   */
  seal(buffer: Uint8Array, offset: number, length: number, now: number): number {
    if (!this.#begin(now)) {
      this.#drop('no-tunnel')
      return LaneCode.NO_TUNNEL
    }
    return this.#seal(buffer, offset, length)
  }

  /** Fast lane: the next fragment of the packet given to {@link seal}; `offset` as there. */
  sealNext(buffer: Uint8Array, offset: number, now: number): number {
    return this.#begin(now) ? this.#tunnel.sealNext(buffer, offset, this.#now) : LaneCode.NO_TUNNEL
  }

  /**
   * Fast lane: opens the datagram (with TCP: one record without its length) `buffer[offset, offset + length)` in place.
   *
   * @returns the length of the tunnel packet, which starts at `resultOffset` of `resultBuffer`; or a negative code, and there is none. What
   * is not a data packet goes to `receive`; look for outputs after any negative code.
   */
  open(buffer: Uint8Array, offset: number, length: number, now: number): number {
    if (!this.#begin(now)) return LaneCode.NO_TUNNEL
    this.#counters.datagramsReceived++
    this.#counters.bytesReceived += length
    if (length === 0 || !this.#isData(buffer[offset])) {
      this.#receiveControl(plainBytes(buffer).subarray(offset, offset + length))
      return LaneCode.NOT_DATA
    }
    const result = this.#open(buffer, offset, length)
    if (result >= 0) {
      this.#counters.packetsReceived++
      this.#counters.tunnelBytesReceived += result
    }
    return result
  }

  /**
   * Answers `credentials-needed`, or a text request of `login-request`.
   * @throws UsageError when nothing was asked.
   */
  authenticate(credentials: Credentials, now: number): void {
    if (!this.#begin(now)) return
    this.#conversation.authenticate(credentials, this.#now)
    this.#conversation.settle(this.#now)
  }

  /** Server, admission `ask`: the number of the login that waits for an answer; undefined: there is none (any more). */
  get pendingLogin(): number | undefined {
    return this.#conversation.pendingLogin
  }

  /** Server, admission `ask`: lets the peer in; `push` replaces the configured push. */
  allow(now: number, push?: PushConfig): void {
    if (!this.#begin(now)) return
    this.#conversation.allow(push, this.#now)
    this.#conversation.settle(this.#now)
  }

  /** Server, admission `ask`: turns the peer away, with a message for its user or with what it is to do instead. */
  deny(answer: string | AuthFailure, now: number): void {
    if (!this.#begin(now)) return
    this.#conversation.deny(answer, this.#now)
    this.#conversation.settle(this.#now)
  }

  /** Server, admission `ask`: the peer waits, with something to do meanwhile (`request`) or not; `allow` or `deny` must follow in time. */
  defer(seconds: number, now: number, request?: PendingRequest): void {
    if (!Number.isInteger(seconds) || seconds < 1 || seconds > 86_400) throw new UsageError('defer 1 to 86400 seconds')
    if (!this.#begin(now)) return
    this.#conversation.defer(seconds, this.#now, request)
    this.#conversation.settle(this.#now)
  }

  /** Answers `signature-needed` of the same key id. */
  provideSignature(keyId: number, signature: Uint8Array, now: number): void {
    if (!this.#begin(now)) return
    this.#conversation.provideSignature(keyId, signature)
    this.#conversation.settle(this.#now)
  }

  /** Server: changes pushed options of a connected client that understands PUSH_UPDATE; false when it does not. */
  pushUpdate(options: readonly string[], now: number): boolean {
    if (!this.#begin(now)) return false
    const sent = this.#conversation.pushUpdate(options)
    this.#conversation.settle(this.#now)
    return sent
  }

  /** Starts a renegotiation of keys; nothing happens where one is under way or there is no tunnel. */
  renegotiate(now: number): void {
    if (!this.#begin(now)) return
    this.#conversation.renegotiate(this.#now)
    this.#conversation.settle(this.#now)
  }

  /** Says goodbye. `closed` follows when the peer has heard it, at once where there is nobody to tell. */
  close(now: number): void {
    if (!this.#begin(now)) return
    this.#conversation.leave({ type: 'local' }, this.#now)
    this.#conversation.settle(this.#now)
  }

  /**
   * Server: ends the tunnel with a control message of the caller's, `RESTART` for example. `closed` follows when the peer has
   * it or after `patience` ms; at once where there is no tunnel.
   */
  dismiss(message: string, patience: number, now: number): void {
    if (!this.#begin(now)) return
    this.#conversation.dismiss(message, patience, this.#now)
    this.#conversation.settle(this.#now)
  }

  /** Ends at once, without a word to the peer. */
  abandon(now: number): void {
    if (this.#begin(now)) this.#conversation.end({ type: 'local' }, this.#now)
  }

  /**
   * Server: the connected session as plain data, with all its secrets, for one `new Session` elsewhere. This session must not
   * be used any more but for `abandon`. Undefined over TCP, unless connected, with outputs waiting, or while a renegotiation is
   * under way. SESS-171
   */
  snapshot(now: number): SessionSnapshot | undefined {
    return this.#begin(now) && this.#framer === undefined ? this.#conversation.snapshot(this.#now) : undefined
  }

  /** Runs everything due at `now`; harmless when early. SESS-7 */
  handleTimeout(now: number): void {
    if (!this.#begin(now)) return
    this.#conversation.handleTimeout(this.#now)
    this.#conversation.settle(this.#now)
  }

  /** The next output; undefined when there is none. */
  poll(): Output | undefined {
    return this.#context.outbox.poll()
  }

  /** When `handleTimeout` must be called, on the clock of `now`; `Infinity`: never. */
  pollTimeout(): number {
    return this.#conversation.deadline().at
  }

  /** Why `pollTimeout()` is what it is; undefined when it is `Infinity`. */
  get pendingTimer(): TimerName | undefined {
    const { at, name } = this.#conversation.deadline()
    return at === Infinity ? undefined : name
  }

  /** For hosts with many sessions. @internal */
  get path(): Tunnel['path'] {
    return this.#tunnel.path
  }

  get state(): SessionState {
    return this.#conversation.state
  }

  /** The negotiations that live, oldest first; none in static-key mode. */
  get keyStates(): readonly KeyStateView[] {
    return this.#conversation.keyStates()
  }

  /** Live counters: read them, do not keep them. */
  get stats(): Stats {
    return this.#counters
  }

  /** Why the session ended; undefined before. */
  get closeReason(): CloseReason | undefined {
    return this.#conversation.closeReason
  }

  /** The session token that the server pushed last, for the next session's login; readable after the end. SESS-91 */
  get token(): PushedToken | undefined {
    return this.#conversation.token
  }

  /**
   * Numbers and words that differ between any two states that behave differently, counters aside.
   * @internal
   */
  digest(): readonly (string | number)[] {
    return this.#conversation.digest()
  }

  /** Moves the clock; false when the session is over. SESS-3, SESS-6 */
  #begin(now: number): boolean {
    if (now > this.#now) this.#now = now
    return this.#conversation.state !== 'closed'
  }

  #receiveStream(framer: StreamFramer, bytes: Uint8Array): void {
    framer.push(bytes)
    for (let record = framer.next(); record !== undefined; record = framer.next()) {
      this.#receiveDatagram(record)
      if (this.#conversation.state === 'closed') return
    }
    if (framer.problem === undefined) return
    // SESS-5: a stream out of step cannot be mended.
    this.#conversation.end({ type: 'malformed', what: 'TCP framing', detail: framer.problem }, this.#now)
  }

  #receiveDatagram(bytes: Uint8Array): void {
    this.#counters.datagramsReceived++
    this.#counters.bytesReceived += bytes.length
    if (!this.#isData(bytes[0])) {
      this.#receiveControl(bytes)
      return
    }
    const buffer = bytes.slice()
    const length = this.#open(buffer, 0, buffer.length)
    if (length < 0) return
    const { resultBuffer, resultOffset } = this.#tunnel
    const packet = resultBuffer.subarray(resultOffset, resultOffset + length)
    this.#context.outbox.packet(resultBuffer === buffer ? packet : packet.slice())
  }

  #isData(first: number | undefined): boolean {
    return first !== undefined && (this.#headless || isDataOpcode(opcodeOf(first)))
  }

  #receiveControl(bytes: Uint8Array): void {
    const problem = bytes.length === 0 ? 'too-short' : this.#conversation.receiveControl(bytes, this.#now)
    if (problem !== undefined) this.#drop(problem)
    this.#conversation.settle(this.#now)
  }

  #open(buffer: Uint8Array, offset: number, length: number): number {
    if (this.#conversation.state === 'closing') {
      this.#drop('closed')
      return LaneCode.NO_TUNNEL
    }
    const result = this.#tunnel.open(buffer, offset, length, this.#now)
    if (result >= 0) return result
    if (result === DataCode.PING) this.#counters.pingsReceived++
    else if (result === DataCode.OCC) this.#conversation.onOcc(this.#tunnel.lastOcc, this.#now)
    else if (isDrop(result)) this.#drop(dataReason(result) as DropReason)
    else if (result === LaneCode.UNKNOWN_KEY_ID) this.#drop('unknown-key-id')
    else if (result === LaneCode.NO_TUNNEL) this.#drop('key-not-ready')
    return result
  }

  #seal(buffer: Uint8Array, offset: number, length: number): number {
    const { state } = this.#conversation
    const result =
      state !== 'connected'
        ? LaneCode.NO_TUNNEL
        : length === 0
          ? DataCode.TOO_SHORT
          : this.#tunnel.seal(buffer, offset, length, this.#now)
    if (result < 0) {
      this.#drop(sealProblem(result))
      const packet = buffer.subarray(offset, offset + length)
      const answer = answerUnsent(this.#context.config, result, packet, this.#tunnel.mtu)
      if (answer !== undefined) this.#context.outbox.answer(answer)
    }
    return result
  }

  #drop(reason: DropReason): false {
    this.#counters.dropped[reason]++
    return false
  }
}
