/**
 * One pair of session ids: its control wrap, and the key states that take turns under it.
 *
 * A datagram is judged in this order, and until the last step nothing changes but the caller's counter: its opcode fits
 * our role, the wrap authenticates it, it names both session ids rightly, it is no replay, and a key state exists (or may
 * be opened) for its key id. Only then is its replay id committed and the packet handed on (spec/session.md,
 * "Control datagrams").
 *
 * Three key states live at most: `primary` (the first negotiation, later the established one), `next` (a renegotiation
 * under way) and `retired` (the one before, which still hears and acknowledges what its peer says). Packets of key id 0 use the
 * configured wrap, until the peer shows that it has let go of it; the others use the dynamic tls-crypt key once there is one.
 */
import { concat, equalBytes } from '../bytes/index.ts'
import {
  type ControlPacket,
  carriesWrappedKey,
  isHardReset,
  isServerReset,
  keyIdOf,
  nextKeyId,
  Opcode,
  OPCODE_NAMES,
  type OpenedControl,
  opcodeOf,
  opcodeProblem,
} from '../wire/index.ts'
import type { KeyEvent, OutgoingMessage } from './key-events.ts'
import type { KeyTemplate } from './key-options.ts'
import { KeyState } from './key-state.ts'
import type { Outbox } from './outbox.ts'
import type { DropReason, TimerName } from './reasons.ts'
import type { ChannelSnapshot } from './snapshot.ts'
import type { WrapState } from './wrap-state.ts'

/** A peer that begins negotiations one after the other is followed no faster than this. */
const LEAST_ATTEMPT = 5_000

/** How a channel begins. */
export interface ChannelStart {
  readonly localSessionId: Uint8Array
  /** Known when the peer spoke first. */
  readonly peerSessionId: Uint8Array | undefined
  readonly wrap: WrapState
  /** Appended to our resets: the client's key, wrapped for the server. */
  readonly wrappedKey: Uint8Array | undefined
  /** Opcode of our hard reset; undefined behind a stateless exchange. */
  readonly resetOpcode: number | undefined
  readonly template: KeyTemplate
  readonly trace: boolean
}

/** News of one of the channel's key states. */
export interface ChannelEvent {
  readonly key: KeyState
  readonly event: KeyEvent
}

/** The control channel of one session of the peer. */
export class ControlChannel {
  readonly localSessionId: Uint8Array
  /** When a packet of this session last came. */
  heardAt = -Infinity
  /** When a packet of this session last left. */
  sentAt = -Infinity
  readonly #start: ChannelStart
  readonly #outbox: Outbox
  #template: KeyTemplate
  #peerSessionId: Uint8Array | undefined
  #dynamicWrap: WrapState | undefined
  /** The peer has the dynamic wrap only, also for key id 0. */
  #peerLeftWrap = false
  /** The key id of the latest negotiation that the peer may know of. */
  #lastKeyId = 0
  /** The one before it. */
  #keyIdBefore = 0
  #primary: KeyState
  #next: KeyState | undefined
  #retired: KeyState | undefined

  /** @param from - a channel that this one goes on for. */
  constructor(start: ChannelStart, outbox: Outbox, now: number, from?: ChannelSnapshot) {
    this.localSessionId = start.localSessionId
    this.#start = start
    this.#outbox = outbox
    this.#template = start.template
    this.#peerSessionId = start.peerSessionId
    const { resetOpcode } = start
    if (from !== undefined) {
      const { keyId, initiator } = from.primary
      this.#lastKeyId = from.lastKeyId
      this.heardAt = from.heardAt
      this.sentAt = from.sentAt
      this.#primary = new KeyState(start.template, { keyId, initiator, resetOpcode }, now, from.primary)
      return
    }
    const initiator = start.template.role === 'client' ? 'us' : 'peer'
    this.#primary = new KeyState(start.template, { keyId: 0, initiator, resetOpcode }, now)
  }

  /** The peer's session id, once it is known. */
  get peerSessionId(): Uint8Array | undefined {
    return this.#peerSessionId
  }

  /** The first negotiation, later the established one. */
  get primary(): KeyState {
    return this.#primary
  }

  /** A renegotiation under way. */
  get next(): KeyState | undefined {
    return this.#next
  }

  /** The newest key state: it carries control messages. */
  get newest(): KeyState {
    return this.#next ?? this.#primary
  }

  /** The configured wrap. */
  get wrap(): WrapState {
    return this.#start.wrap
  }

  /** The wrap of renegotiations, where it was agreed on. */
  get dynamicWrap(): WrapState | undefined {
    return this.#dynamicWrap
  }

  /** Wraps the packets of later negotiations with a key of their own. SESS-36 */
  useDynamicWrap(wrap: WrapState): void {
    this.#dynamicWrap = wrap
  }

  /** What the key messages of later negotiations say. */
  setKeyMessage(keyMessage: KeyTemplate['keyMessage']): void {
    this.#template = { ...this.#template, keyMessage }
  }

  /** The channel as plain data; undefined while a negotiation is under way or half said. SESS-171 */
  snapshot(now: number): ChannelSnapshot | undefined {
    const primary = this.#next === undefined ? this.#primary.snapshot() : undefined
    if (primary === undefined || this.#peerSessionId === undefined) return undefined
    const { heardAt, localSessionId, sentAt } = this
    return {
      localSessionId,
      peerSessionId: this.#peerSessionId,
      lastKeyId: this.#lastKeyId,
      heardAt,
      sentAt,
      wrap: this.wrap.snapshot(now),
      dynamicWrap: this.#dynamicWrap?.snapshot(now),
      primary,
    }
  }

  /** Takes a control datagram of this session. Returns why it was dropped. */
  receive(datagram: Uint8Array, now: number): DropReason | undefined {
    const first = datagram[0] as number
    const problem = opcodeProblem(opcodeOf(first), this.#template.role)
    if (problem !== undefined) return problem
    const { opened, wrap } = this.#unwrap(datagram, keyIdOf(first))
    if (typeof opened === 'string') return opened
    const { packet } = opened
    const misfit = this.#misfit(packet)
    if (misfit !== undefined) return misfit
    if (!wrap.accepts(opened, now)) return 'wrap-replayed'
    const known = this.#find(packet.keyId)
    const fault = known === undefined ? this.#openingFault(packet, now) : messageFault(packet, known)
    if (fault !== undefined) return fault
    wrap.commit(opened, now)
    if (packet.keyId === 0) this.#peerLeftWrap = wrap === this.#dynamicWrap
    this.heardAt = now
    this.#peerSessionId ??= packet.sessionId
    this.#trace('received', packet, datagram.length, packet.payload.length, false)
    const key = known ?? this.#open(packet.keyId, 'peer', now)
    if (key === this.#next) this.#primary.ackRepeats?.end() // REKEY-20
    return key.receive(packet, now)
  }

  /** Starts a renegotiation; false when the state does not allow one. REKEY-1 */
  renegotiate(now: number): boolean {
    if (this.#next !== undefined || !this.#isEstablished()) return false
    this.#open(this.#freeKeyId(), 'us', now)
    return true
  }

  /** The renegotiation is done: it becomes the primary. */
  promote(): void {
    if (this.#next === undefined) return
    this.#retired = this.#primary
    this.#primary = this.#next
    this.#next = undefined
  }

  /** Gives a renegotiation up; the primary stays. What the peer never answered it never counted. REKEY-9, REKEY-10 */
  dropNext(): void {
    if (this.#next?.wasHeard === false) this.#lastKeyId = this.#keyIdBefore
    this.#next = undefined
  }

  /** Sends everything due. */
  flush(now: number): void {
    const { counters } = this.#outbox
    const before = counters.datagramsSent
    const unixTime = this.#template.timeOrigin + now
    for (const key of [this.#retired, this.#primary, this.#next]) {
      if (key === undefined) continue
      const take = () => (key === this.#retired ? key.nextAck() : key.nextMessage(now))
      for (let message = take(); message !== undefined; message = take()) this.#transmit(key.keyId, message, unixTime)
    }
    if (counters.datagramsSent !== before) this.sentAt = now
  }

  /** The next news, oldest key first. */
  poll(): ChannelEvent | undefined {
    for (const key of [this.#primary, this.#next]) {
      const event = key?.poll()
      if (key !== undefined && event !== undefined) return { key, event }
    }
    // SESS-38: of the retired one only what is said counts; how it ends is of no consequence.
    for (let event = this.#retired?.poll(); event !== undefined; event = this.#retired?.poll()) {
      if (event.type === 'text') return { key: this.#primary, event }
    }
    return undefined
  }

  /** Runs what is due and sends. */
  handleTimeout(now: number): void {
    this.#primary.handleTimeout(now)
    this.#next?.handleTimeout(now)
  }

  /** The earliest deadline and its name. */
  deadline(): { readonly at: number; readonly name: TimerName } {
    let at = Infinity
    let name: TimerName = 'retransmit'
    for (const key of [this.#primary, this.#next]) {
      if (key === undefined) continue
      if (key.retransmitAt < at) [at, name] = [key.retransmitAt, 'retransmit']
      if (key.handWindowAt < at) [at, name] = [key.handWindowAt, 'hand-window']
    }
    return { at, name }
  }

  /** The key state of that id that waits for a signature. */
  signerOf(keyId: number): KeyState | undefined {
    return [this.#primary, this.#next].find((key) => key?.keyId === keyId && key.awaitsSignature)
  }

  /** Numbers that tell two states of this machine apart; nothing secret. */
  digest(): readonly (string | number)[] {
    const wraps = [this.wrap, this.#dynamicWrap].flatMap((wrap) => [
      wrap?.used ?? -1,
      wrap?.window?.highest ?? -1,
      wrap?.window?.time ?? -1,
      JSON.stringify(wrap?.window?.snapshot(0)),
    ])
    const keys = [this.#primary, this.#next, this.#retired].flatMap((key) => key?.digest() ?? ['none'])
    return [this.#peerSessionId?.join() ?? '', this.#peerLeftWrap ? 1 : 0, ...wraps, ...keys]
  }

  #wrapOf(keyId: number): WrapState {
    return (keyId > 0 || this.#peerLeftWrap) && this.#dynamicWrap !== undefined ? this.#dynamicWrap : this.wrap
  }

  /**
   * The packet in a datagram, and the wrap that it came in. Key id 0 may come in either: the dynamic one is tried first,
   * because without a configured wrap anything reads as a packet. SESS-37
   */
  #unwrap(datagram: Uint8Array, keyId: number): { opened: OpenedControl | DropReason; wrap: WrapState } {
    if (keyId === 0 && this.#dynamicWrap !== undefined) {
      const opened = this.#dynamicWrap.open(datagram)
      if (typeof opened !== 'string') return { opened, wrap: this.#dynamicWrap }
    }
    const wrap = keyId === 0 ? this.wrap : this.#wrapOf(keyId)
    return { opened: wrap.open(datagram), wrap }
  }

  /** Why a packet is not of this session. SESS-31, SESS-32 */
  #misfit(packet: ControlPacket): DropReason | undefined {
    const { peerSessionId } = packet
    if (peerSessionId !== undefined && !equalBytes(peerSessionId, this.localSessionId)) return 'session-id-mismatch'
    if (this.#peerSessionId !== undefined) {
      return equalBytes(packet.sessionId, this.#peerSessionId) ? undefined : 'session-id-mismatch'
    }
    return isServerReset(packet.opcode) && packet.keyId === 0 && packet.packetId === 0
      ? undefined
      : 'session-id-mismatch'
  }

  #find(keyId: number): KeyState | undefined {
    if (this.#primary.keyId === keyId) return this.#primary
    if (this.#next?.keyId === keyId) return this.#next
    return this.#retired?.keyId === keyId ? this.#retired : undefined
  }

  /** Why a packet for an unknown key id does not open a renegotiation. REKEY-2 */
  #openingFault(packet: ControlPacket, now: number): DropReason | undefined {
    if (packet.opcode !== Opcode.CONTROL_SOFT_RESET_V1) return 'unknown-key-id'
    if (messageFault(packet) !== undefined || packet.keyId === 0 || !this.#isEstablished()) return 'unexpected-reset'
    return this.#next === undefined || this.#givesWay(this.#next, packet.keyId, now) ? undefined : 'unexpected-reset'
  }

  /**
   * Whether a negotiation makes room for another that the peer begins: the peer itself has moved on from it, or it is ours,
   * unanswered, and we are the TLS client. REKEY-17
   */
  #givesWay(next: KeyState, keyId: number, now: number): boolean {
    if (next.initiator === 'us') return this.#template.role === 'client' && !next.peerAnswered
    return keyId === nextKeyId(next.keyId) && now >= next.startedAt + LEAST_ATTEMPT
  }

  /** True when the primary came to data keys, also if it lost its control channel since: a new one is then all the more welcome. */
  #isEstablished(): boolean {
    return this.#primary.isEstablished
  }

  /** The key id after the last one tried, past those in use. REKEY-1, REKEY-10 */
  #freeKeyId(): number {
    let keyId = nextKeyId(this.#lastKeyId)
    while (this.#find(keyId) !== undefined) keyId = nextKeyId(keyId)
    return keyId
  }

  #open(keyId: number, initiator: 'us' | 'peer', now: number): KeyState {
    const resetOpcode = Opcode.CONTROL_SOFT_RESET_V1
    this.#keyIdBefore = this.#lastKeyId
    this.#lastKeyId = keyId
    this.#next = new KeyState(this.#template, { keyId, initiator, resetOpcode }, now)
    return this.#next
  }

  #transmit(keyId: number, message: OutgoingMessage, unixTime: number): void {
    const { acks, opcode, packetId, payload } = message
    const peerSessionId = acks.length > 0 ? this.#peerSessionId : undefined
    const packet: ControlPacket = {
      opcode,
      keyId,
      sessionId: this.localSessionId,
      acks,
      ...(peerSessionId === undefined ? {} : { peerSessionId }),
      packetId,
      payload,
    }
    let datagram = this.#wrapOf(keyId).seal(packet, unixTime)
    const { wrappedKey } = this.#start
    if (wrappedKey !== undefined && carriesWrappedKey(opcode)) datagram = concat(datagram, wrappedKey)
    if (message.repeated) this.#outbox.counters.retransmissions++
    this.#trace('sent', packet, datagram.length, payload.length, message.repeated)
    this.#outbox.transmit(datagram)
  }

  #trace(
    direction: 'sent' | 'received',
    { acks, keyId, opcode, packetId }: ControlPacket,
    size: number,
    payload: number,
    repeated: boolean,
  ): void {
    if (!this.#start.trace) return
    const name = OPCODE_NAMES[opcode] ?? `opcode ${opcode}`
    this.#outbox.event({ type: 'trace', direction, opcode: name, keyId, packetId, acks, size, payload, repeated })
  }
}

/** The first message is a reset and no other is, but for an answer to our own soft reset that goes right on to TLS. SESS-21 */
function messageFault({ opcode, packetId }: ControlPacket, key?: KeyState): DropReason | undefined {
  if (packetId === 0 && opcode === Opcode.CONTROL_V1 && key?.initiator === 'us' && key.keyId > 0) return undefined
  const isReset = isHardReset(opcode) || opcode === Opcode.CONTROL_SOFT_RESET_V1
  return packetId !== undefined && isReset !== (packetId === 0) ? 'unexpected-reset' : undefined
}
