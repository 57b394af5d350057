/**
 * Which session of the peer a control datagram belongs to (spec/session.md, "Slots").
 *
 * A client has one session. A server (or the TLS server of a pair) has the active one and, after its peer was restarted, an
 * initial one beside it: a hard reset with a new session id opens the initial slot, and only when that session has proved
 * itself does the owner let it take the active one's place. So whoever merely sends resets disturbs nothing.
 *
 * Control packets show their session id in clear, so a datagram is judged by one slot only.
 */
import { equalRangeConstantTime, UsageError } from '../bytes/index.ts'
import type { RandomSource } from '../crypto/index.ts'
import { TlsConnection } from '../tls/index.ts'
import {
  CONTROL_HEADER_LENGTH,
  type ControlPacket,
  controlPayloadLimit,
  type ControlWrap,
  createTlsAuthKeys,
  createTlsCryptKeys,
  createTlsCryptV2Wrapper,
  carriesWrappedKey,
  EARLY_NEGOTIATION_START,
  isClientReset,
  Opcode,
  opcodeOf,
  opcodeProblem,
  plainWrap,
  SESSION_ID_LENGTH,
  splitWrappedKey,
  StaticKey,
} from '../wire/index.ts'
import type { SessionContext } from './context.ts'
import { type ChannelEvent, ControlChannel } from './control-channel.ts'
import type { Deadline } from './deadlines.ts'
import { REFUSAL_WINDOW } from './farewell.ts'
import { logLine } from './key-log.ts'
import type { KeyStateView } from './key-moves.ts'
import type { KeyTemplate } from './key-options.ts'
import type { KeyState } from './key-state.ts'
import type { DropReason } from './reasons.ts'
import type { ChannelSnapshot } from './snapshot.ts'
import { WrapState } from './wrap-state.ts'

/** Acks counted when packets are cut to size. */
const ACKS_COUNTED = 4

/** News of one slot's channel. */
export interface SlotEvent extends ChannelEvent {
  readonly channel: ControlChannel
}

/** The peer's sessions. */
export class Slots {
  readonly #context: SessionContext
  readonly #keyMessage: KeyTemplate['keyMessage']
  #active: ControlChannel | undefined
  #initial: ControlChannel | undefined
  /** A refused initial session, until it has heard. */
  #dismissed: { readonly channel: ControlChannel; readonly key: KeyState; readonly until: number } | undefined

  /** @param keyMessage - what the key messages of new sessions say. */
  constructor(context: SessionContext, keyMessage: KeyTemplate['keyMessage']) {
    const { config, crypto } = context
    this.#context = context
    this.#keyMessage = keyMessage
    // SESS-40: a TLS configuration that cannot work shows now, not when the first packet comes.
    new TlsConnection(config.tls, { unixTime: 0, random: context.random, crypto })
  }

  /** The session in use, or the first one under negotiation. */
  get active(): ControlChannel | undefined {
    return this.#active
  }

  /** A session that may replace it. */
  get initial(): ControlChannel | undefined {
    return this.#initial
  }

  /** Client: begins the session. */
  open(now: number): ControlChannel {
    const { wrap } = this.#context.config
    const v2 = wrap.type === 'tls-crypt-v2'
    this.#active = this.#create(
      {
        peerSessionId: undefined,
        wrap: this.#wrapState(v2 ? EARLY_NEGOTIATION_START : 0),
        wrappedKey: v2 ? wrap.wrappedKey : undefined,
        resetOpcode: v2 ? Opcode.CONTROL_HARD_RESET_CLIENT_V3 : Opcode.CONTROL_HARD_RESET_CLIENT_V2,
      },
      now,
    )
    return this.#active
  }

  /** Server: goes on behind a stateless exchange of resets. SESS-86 */
  resume(now: number): void {
    const { resume } = this.#context.config
    if (resume === undefined) return
    const wrap = this.#wrapState(resume.replayPacketId, resume.clientKey)
    const { peerSessionId, sessionId } = resume
    this.#active = this.#create({ sessionId, peerSessionId, wrap, wrappedKey: undefined, resetOpcode: undefined }, now)
  }

  /** Server: goes on with a session that another process had. SESS-170 */
  restore(from: ChannelSnapshot, now: number): ControlChannel {
    const { config, crypto } = this.#context
    const key = from.wrap.key === undefined ? undefined : new StaticKey(from.wrap.key)
    const wrap = this.#wrapState(0, key, { snapshot: from.wrap, now })
    const { localSessionId: sessionId, peerSessionId } = from
    const start = { sessionId, peerSessionId, wrap, wrappedKey: undefined, resetOpcode: undefined }
    const channel = this.#create(start, now, from)
    if (from.dynamicWrap?.key !== undefined) {
      const dynamic = new StaticKey(from.dynamicWrap.key)
      const keys = createTlsCryptKeys(crypto, dynamic, config.role)
      channel.useDynamicWrap(new WrapState(keys, dynamic, config.replay, 0, { snapshot: from.dynamicWrap, now }))
    }
    this.#active = channel
    return channel
  }

  /** Takes a control datagram. Returns why it was dropped. */
  receive(datagram: Uint8Array, now: number): DropReason | undefined {
    if (datagram.length < CONTROL_HEADER_LENGTH) return 'too-short'
    const opcode = opcodeOf(datagram[0] as number)
    const problem = opcodeProblem(opcode, this.#context.config.role)
    if (problem !== undefined) return problem
    if (!carriesWrappedKey(opcode)) return this.#dispatch(datagram, undefined, now)
    if (this.#context.config.wrap.type !== 'tls-crypt-v2-server') return 'opcode-needs-wrapped-key'
    const parts = splitWrappedKey(datagram)
    return typeof parts === 'string' ? parts : this.#dispatch(parts.packet, parts.wrappedKey, now)
  }

  #dispatch(packet: Uint8Array, wrappedKey: Uint8Array | undefined, now: number): DropReason | undefined {
    for (const channel of this.#channels) {
      // SESS-80: a client takes any answer to its first packet; after that the session id decides.
      const known = channel?.peerSessionId
      if (channel !== undefined && (known === undefined || names(packet, known))) return channel.receive(packet, now)
    }
    // SESS-81: only a client's hard reset opens a session.
    if (!isClientReset(opcodeOf(packet[0] as number))) return 'session-id-mismatch'
    return this.#admit(packet, wrappedKey, now)
  }

  /** A hard reset of a session not known yet. */
  #admit(datagram: Uint8Array, wrappedKey: Uint8Array | undefined, now: number): DropReason | undefined {
    const wrap = this.#wrapFor(wrappedKey)
    if (typeof wrap === 'string') return wrap
    const opened = wrap.open(datagram)
    if (typeof opened === 'string') return opened
    const { packet } = opened
    if (!isFirst(packet)) return 'unexpected-reset' // SESS-83
    // SESS-84: a session whose peer has answered us keeps its slot.
    if (this.#active !== undefined && this.#initial?.primary.peerAnswered === true) return 'unexpected-reset'
    const peerSessionId = packet.sessionId
    const resetOpcode = Opcode.CONTROL_HARD_RESET_SERVER_V2
    const channel = this.#create({ peerSessionId, wrap, wrappedKey: undefined, resetOpcode }, now)
    if (this.#active === undefined) this.#active = channel
    else this.#initial = channel
    return channel.receive(datagram, now)
  }

  /** The initial session takes the active one's place. SESS-85 */
  takeOver(): void {
    this.#active = this.#initial
    this.#initial = undefined
  }

  /** Forgets everything. */
  clear(): void {
    this.#active = undefined
    this.#initial = undefined
    this.#dismissed = undefined
  }

  /**
   * The negotiation of that key id that waits for a signature.
   * @throws UsageError when none does.
   */
  signerOf(keyId: number): KeyState {
    const key = this.#active?.signerOf(keyId) ?? this.#initial?.signerOf(keyId)
    if (key === undefined) throw new UsageError(`no signature was asked for under key id ${keyId}`)
    return key
  }

  /** Numbers that tell two states of this machine apart; nothing secret. */
  digest(): readonly (string | number)[] {
    return this.#channels.flatMap((channel) => channel?.digest() ?? ['none'])
  }

  /** The negotiations of the active session, oldest first. */
  keyStates(): readonly KeyStateView[] {
    const channel = this.#active
    return [channel?.primary, channel?.next].flatMap((key) =>
      key === undefined ? [] : [{ keyId: key.keyId, state: key.state }],
    )
  }

  /** Tells the initial session why it is refused; it has its place aside until it has heard, or a little while. SESS-87 */
  dismissInitial(text: string, key: KeyState, now: number): void {
    if (this.#initial === undefined) return
    key.writeText(text)
    this.#dismissed = { channel: this.#initial, key, until: now + REFUSAL_WINDOW }
    this.#initial = undefined
  }

  /** Forgets the initial session. */
  dropInitial(): void {
    this.#initial = undefined
  }

  /** The next news of any session. */
  poll(): SlotEvent | undefined {
    for (const channel of [this.#active, this.#initial]) {
      const news = channel?.poll()
      if (channel !== undefined && news !== undefined) return { channel, ...news }
    }
    // What a refused session has to say is of no interest any more.
    while (this.#dismissed?.channel.poll() !== undefined);
    return undefined
  }

  /** Sends everything due. */
  flush(now: number): void {
    for (const channel of this.#channels) channel?.flush(now)
    const key = this.#dismissed?.key
    if (key !== undefined && (key.isSilent || key.state === 'error')) this.#dismissed = undefined
  }

  /** Runs what is due. */
  handleTimeout(now: number): void {
    if (this.#dismissed !== undefined && now >= this.#dismissed.until) this.#dismissed = undefined
    for (const channel of this.#channels) channel?.handleTimeout(now)
  }

  /** The earliest deadline of any negotiation. */
  deadline(): Deadline {
    let earliest: Deadline = { at: this.#dismissed?.until ?? Infinity, name: 'retransmit' }
    for (const channel of this.#channels) {
      const deadline = channel?.deadline()
      if (deadline !== undefined && deadline.at < earliest.at) earliest = deadline
    }
    return earliest
  }

  /** Every session that takes or sends packets. */
  get #channels(): readonly (ControlChannel | undefined)[] {
    return [this.#active, this.#initial, this.#dismissed?.channel]
  }

  #create(
    start: {
      readonly sessionId?: Uint8Array
      readonly peerSessionId: Uint8Array | undefined
      readonly wrap: WrapState
      readonly wrappedKey: Uint8Array | undefined
      readonly resetOpcode: number | undefined
    },
    now: number,
    from?: ChannelSnapshot,
  ): ControlChannel {
    const { outbox, random } = this.#context
    const localSessionId = start.sessionId ?? newSessionId(random)
    const template = this.#template(start.wrap.wrap, start.wrappedKey?.length ?? 0)
    const { trace } = this.#context.config
    const { peerSessionId, resetOpcode, wrap, wrappedKey } = start
    const all = { localSessionId, peerSessionId, wrap, wrappedKey, resetOpcode, template, trace }
    return new ControlChannel(all, outbox, now, from)
  }

  #template(wrap: ControlWrap, wrappedKeyLength: number): KeyTemplate {
    const { config, crypto, random, timeOrigin } = this.#context
    const { tlsTimeout, tlsTimeoutMax, handWindow } = config.timers
    const limit = (behind: number) =>
      controlPayloadLimit({
        maxPacketSize: config.maxPacketSize,
        transport: config.transport === 'udp' ? 'udp6' : 'tcp6',
        wrapOverhead: wrap.overhead,
        ackCount: ACKS_COUNTED,
        wrappedKeyLength: behind,
      })
    return {
      role: config.role,
      transport: config.transport,
      tls: config.tls,
      keyMessage: this.#keyMessage,
      tlsTimeout,
      tlsTimeoutMax,
      handWindow,
      payloadLimit: limit(0),
      wrappedKeyPayloadLimit: limit(wrappedKeyLength),
      hasWrappedKey: wrappedKeyLength > 0,
      maxAcks: config.maxAcks,
      keyLog: config.keyLog ? this.#logged() : unlogged,
      crypto,
      random,
      timeOrigin,
    }
  }

  #logged(): KeyTemplate['keyLog'] {
    return (line) => {
      logLine(this.#context, line)
    }
  }

  /** The wrap of a reset that came with or without a wrapped key. SESS-82 */
  #wrapFor(wrappedKey: Uint8Array | undefined): WrapState | DropReason {
    const { config, crypto } = this.#context
    if (config.wrap.type !== 'tls-crypt-v2-server') return this.#wrapState(0)
    if (wrappedKey === undefined) return 'opcode-wrong-direction'
    // Resets of new sessions are rare: what looks into a wrapped key need not be kept for them.
    const client = createTlsCryptV2Wrapper(crypto, config.wrap.serverKey).unwrap(wrappedKey)
    return typeof client === 'string' ? client : this.#wrapState(0, client.key)
  }

  /** A wrap as configured: under the configured key, or that of a tls-crypt-v2 client or of the session gone on with. */
  #wrapState(used: number, given?: StaticKey, from?: ConstructorParameters<typeof WrapState>[4]): WrapState {
    const { config, crypto } = this.#context
    const { role, wrap, replay } = config
    const key = given ?? ('key' in wrap ? wrap.key : undefined)
    const create = (keys: ControlWrap) => new WrapState(keys, key, replay, used, from)
    if (wrap.type === 'none' || key === undefined) return create(plainWrap)
    if (wrap.type !== 'tls-auth') return create(createTlsCryptKeys(crypto, key, role))
    const digest = wrap.digest ?? (config.auth === 'none' ? 'SHA1' : config.auth)
    return create(createTlsAuthKeys(crypto, key, wrap.direction, digest))
  }
}

/** True when the datagram shows that session id as its sender's. */
function names(datagram: Uint8Array, sessionId: Uint8Array): boolean {
  return equalRangeConstantTime(datagram, 1, sessionId, 0, SESSION_ID_LENGTH)
}

/** A reset that can open a session: message 0 of key id 0, acknowledging nothing. */
function isFirst(packet: ControlPacket): boolean {
  return packet.keyId === 0 && packet.packetId === 0 && packet.acks.length === 0
}

/** Nobody wants a key log. */
function unlogged(): void {
  // TLS makes no lines then.
}

function newSessionId(random: RandomSource): Uint8Array {
  for (;;) {
    const id = random(SESSION_ID_LENGTH)
    if (id.some((byte) => byte !== 0)) return id
  }
}
