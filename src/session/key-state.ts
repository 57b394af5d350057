/**
 * One negotiation of keys: the reliability windows, a TLS connection and the exchange of key messages under one key id.
 *
 * It is fed opened control packets and gives control packets to be wrapped; it knows neither wraps nor data channels. Its
 * life follows `KEY_MOVES`. TLS bytes are a stream, cut into packets as the send window has room. News wait to be polled
 * (spec/session.md, "Negotiation"). What the peer does wrong inside TLS ends this negotiation, never by a throw; alerts are
 * still sent, because the packets of a failed negotiation go out like any others.
 */
import { concat, EMPTY, Queue } from '../bytes/index.ts'
import { writeControlText } from '../control/index.ts'
import { AckList, ACKS_PER_CONTROL_PACKET, ReceiveWindow, SendWindow } from '../reliability/index.ts'
import type { TlsAgreement } from '../tls/index.ts'
import { type ControlPacket, isHardReset, Opcode, parseResetSettings } from '../wire/index.ts'
import { ackPacket, AckRepeats } from './ack-repeats.ts'
import { type KeyEvent, type OutgoingMessage, standstill, tlsReason } from './key-events.ts'
import { type KeyInput, type KeyStateName, moveKey } from './key-moves.ts'
import { type KeyStart, type KeyTemplate, type Message, windowsDigest } from './key-options.ts'
import type { PeerKeyMessage } from './key-source.ts'
import { beginTalk, type KeyTalk } from './key-talk.ts'
import type { CloseReason, DropReason } from './reasons.ts'
import type { KeyStateSnapshot } from './snapshot.ts'

/** One negotiation. */
export class KeyState {
  readonly keyId: number
  readonly initiator: 'us' | 'peer'
  readonly startedAt: number
  /** When the negotiation must be active. */
  readonly deadline: number
  /** When a packet of this negotiation last came. */
  heardAt: number
  /** Client, once active: when acks are said again. */
  ackRepeats: AckRepeats | undefined

  readonly #options: KeyTemplate
  readonly #send: SendWindow<Message>
  readonly #receive: ReceiveWindow<Message>
  readonly #acks: AckList
  readonly #events = new Queue<KeyEvent>()
  #talk: KeyTalk | undefined
  #state: KeyStateName = 'initial'
  #heard = false
  /** The peer's message 0 is TLS bytes. */
  #isAnsweredBare = false
  /** The server asked that the wrapped client key be sent again. */
  #wrappedKeyWanted = false
  #established = false
  #awaitsSignature = false
  #outgoing: Uint8Array = EMPTY
  #peerKey: PeerKeyMessage | undefined
  #tlsInfo: TlsAgreement | undefined
  #texts: string[] = []

  /** @param from - an established negotiation that this one goes on for. */
  constructor(options: KeyTemplate, start: KeyStart, now: number, from?: KeyStateSnapshot) {
    const { resetOpcode } = start
    const firstId = resetOpcode === undefined ? 1 : 0
    this.keyId = start.keyId
    this.initiator = start.initiator
    this.startedAt = from?.startedAt ?? now
    this.deadline = this.startedAt + options.handWindow
    this.heardAt = from?.heardAt ?? now
    this.#options = options
    const sending = { timeout: options.tlsTimeout, timeoutCap: options.tlsTimeoutMax, firstId }
    this.#send = from === undefined ? new SendWindow<Message>(sending) : SendWindow.restore(from.send, sending)
    this.#receive = from === undefined ? new ReceiveWindow(undefined, firstId) : ReceiveWindow.restore(from.receive)
    this.#acks = new AckList(from?.acks)
    if (from !== undefined) {
      this.#goOn(from)
      return
    }
    if (resetOpcode !== undefined) this.#send.push({ opcode: resetOpcode, payload: EMPTY })
    this.#move(resetOpcode === undefined ? 'resets-done' : 'reset-queued')
    if (start.keyId > 0) this.#events.push({ type: 'opened' })
  }

  get state(): KeyStateName {
    return this.#state
  }

  /** True once both key messages are exchanged. */
  get isActive(): boolean {
    return this.#state === 'active' || this.#state === 'generated-keys'
  }

  /** What TLS agreed on, once it is connected. */
  get tlsInfo(): TlsAgreement | undefined {
    return this.#tlsInfo
  }

  /** The peer's key message, once it came. */
  get peerKey(): PeerKeyMessage | undefined {
    return this.#peerKey
  }

  /** Messages in flight or waiting for room: zero means that the peer has everything. */
  get unacknowledged(): number {
    return this.#send.inFlight + (this.#outgoing.length > 0 ? 1 : 0)
  }

  /** True when everything said was heard: nothing in flight, nothing waiting for room or for the negotiation. */
  get isSilent(): boolean {
    return this.unacknowledged === 0 && this.#texts.length === 0
  }

  /** True while an external key must sign. */
  get awaitsSignature(): boolean {
    return this.#awaitsSignature
  }

  /** True once data keys came of this negotiation, whatever happened to it later. */
  get isEstablished(): boolean {
    return this.#established
  }

  /** True once the peer has acknowledged something: it has seen our session id. */
  get peerAnswered(): boolean {
    return this.#send.lowestUnacknowledged > 0
  }

  /** True once any packet of the peer came under this key id. */
  get wasHeard(): boolean {
    return this.#heard
  }

  /** The next piece of news. */
  poll(): KeyEvent | undefined {
    return this.#events.shift()
  }

  /** Takes a packet that belongs to this key id and session. Returns why it was of no use. */
  receive(packet: ControlPacket, now: number): DropReason | undefined {
    const { packetId, opcode } = packet
    this.heardAt = now
    if (!this.#heard) {
      this.#heard = true
      this.#send.rescheduleNow() // SESS-22
    }
    for (const id of packet.acks) this.#send.acknowledge(id)
    if (packetId !== undefined) {
      const verdict = this.#receive.accept(packetId, { opcode, payload: packet.payload })
      if (verdict === 'beyond') {
        this.#progress()
        return 'packet-id-out-of-window' // SESS-23
      }
      this.#acks.add(packetId)
      if (packetId === 0) this.#isAnsweredBare = opcode === Opcode.CONTROL_V1
      this.#takeInSequence(now)
    }
    this.#progress()
    this.#takeInSequence(now)
    return undefined
  }

  /** Runs what is due. */
  handleTimeout(now: number): void {
    if (now < this.deadline || this.isActive || this.#state === 'error') return
    const refused = this.#state === 'start' && this.#options.role === 'client' && this.#receive.nextId <= 1
    const detail = standstill(this.#heard ? this.#state : undefined, refused)
    this.fail({ type: 'timed-out', timer: 'hand-window', detail }) // SESS-24
  }

  /** When something is to be sent. */
  get retransmitAt(): number {
    return Math.min(this.#send.nextDeadline(), this.ackRepeats?.at ?? Infinity)
  }

  /** End of the negotiation's time; `Infinity` once it is active. */
  get handWindowAt(): number {
    return this.isActive || this.#state === 'error' ? Infinity : this.deadline
  }

  /** The next packet to send at `now`; call until undefined. */
  nextMessage(now: number): OutgoingMessage | undefined {
    if (this.#wrappedKeyWanted && this.#send.nextId === 1 && this.#acks.owed > 0 && this.#send.room > 0) {
      // SESS-28: a stateless server could not unwrap an ACK_V1.
      this.#send.push({ opcode: Opcode.CONTROL_WKC_V1, payload: EMPTY })
    }
    const entry = this.#send.takeDue(now)
    if (entry === undefined) return this.nextAck(this.ackRepeats?.take(now))
    const acks = this.#acks.take(ACKS_PER_CONTROL_PACKET)
    return { ...entry.message, acks, packetId: entry.packetId, repeated: entry.sends > 1 }
  }

  /** A packet of nothing but acks, where some are owed or are to be said again. */
  nextAck(again = false): OutgoingMessage | undefined {
    return again || this.#acks.owed > 0 ? ackPacket(this.#acks.take(this.#options.maxAcks)) : undefined
  }

  /** Sends a control message now, or as soon as the negotiation is active. */
  writeText(text: string): void {
    if (!this.isActive) {
      this.#texts.push(text)
      return
    }
    this.#talking().tls.write(writeControlText(text))
    this.#drainTls()
    this.#fill()
  }

  /** Answers `signature-needed`. */
  provideSignature(signature: Uint8Array): void {
    this.#awaitsSignature = false
    this.#talking().tls.provideSignature(signature)
    this.#drainTls()
    this.#progress()
  }

  /** The data keys of this negotiation are in use. */
  keysDerived(): void {
    this.#established = true
    this.#move('keys-derived')
  }

  /** Bytes of the TLS exporter without context. The negotiation must be active. */
  exportKey(label: string, length: number): Uint8Array {
    return this.#talking().tls.exportKeyingMaterial(label, undefined, length)
  }

  /** 256 bytes of key material by PRF, of an active negotiation; session ids in the order client, server. REKEY-3 */
  deriveKeys(clientSessionId: Uint8Array, serverSessionId: Uint8Array): Uint8Array {
    const peer = this.#peerKey as PeerKeyMessage
    return this.#talking().source.derive(this.#options.crypto, peer, clientSessionId, serverSessionId)
  }

  /** Ends the negotiation; nothing is sent for it any more but what is queued. */
  fail(reason: CloseReason): void {
    if (this.#state === 'error') return
    this.#move('failed')
    this.ackRepeats?.end()
    this.#events.push({ type: 'failed', reason })
    this.#fill()
  }

  /** Numbers that tell two states of this machine apart; nothing secret. */
  digest(): readonly (string | number)[] {
    return [
      this.keyId,
      this.#state,
      this.startedAt,
      ...windowsDigest(this.#send, this.#receive, this.#acks, this.ackRepeats),
      this.#outgoing.length,
      this.#heard ? 1 : 0,
      this.#events.length,
      this.#texts.length,
    ]
  }

  /** The negotiation as plain data, once its keys are in use and nothing is half done. SESS-171 */
  snapshot(): KeyStateSnapshot | undefined {
    const { heardAt, initiator, keyId, startedAt } = this
    const tls = this.#talk?.tls.snapshot()
    if (tls === undefined || this.#state !== 'generated-keys' || this.#events.length > 0) return undefined
    const windows = { send: this.#send.snapshot(), receive: this.#receive.snapshot(), acks: this.#acks.snapshot() }
    return { keyId, initiator, startedAt, heardAt, ...windows, outgoing: this.#outgoing, tls }
  }

  #goOn(from: KeyStateSnapshot): void {
    this.#state = 'generated-keys'
    this.#heard = true
    this.#established = true
    this.#tlsInfo = this.#talking(from).tls.agreement
    this.#outgoing = from.outgoing
  }

  /** SESS-29: the talk begins when somebody speaks. */
  #talking(from?: KeyStateSnapshot): KeyTalk {
    this.#talk ??= beginTalk(this.#options, this.heardAt, from)
    return this.#talk
  }

  #move(input: KeyInput): void {
    this.#state = moveKey(this.#state, input)
  }

  /** Hands messages on in sequence; before both resets are done only the peer's reset itself has its turn. */
  #takeInSequence(now: number): void {
    while (this.#state !== 'pre-start' || (this.#receive.nextId === 0 && !this.#isAnsweredBare)) {
      const message = this.#receive.take()
      if (message === undefined) return
      this.#take(message, now)
      this.#progress()
    }
  }

  /** A message whose turn has come. */
  #take({ opcode, payload }: Message, now: number): void {
    if (isHardReset(opcode)) {
      this.#readSettings(payload)
      return
    }
    if (opcode === Opcode.CONTROL_SOFT_RESET_V1 || payload.length === 0) return
    this.#talking().tls.receive(payload, this.#options.timeOrigin + now)
    this.#drainTls()
  }

  /** SESS-28: a stateless server asks for the wrapped key once more, in the settings of its reset. */
  #readSettings(payload: Uint8Array): void {
    if (!this.#options.hasWrappedKey) return
    const settings = parseResetSettings(payload)
    if (typeof settings === 'string') {
      this.fail({ type: 'malformed', what: 'settings of the hard reset', detail: settings })
    } else {
      this.#wrappedKeyWanted = settings.resendWrappedKey
    }
  }

  /** Takes the next step that acks or TLS made possible. */
  #progress(): void {
    if (this.#state === 'pre-start' && this.#send.inFlight === 0) {
      this.#move('resets-done')
      if (this.#options.role === 'client') this.#talking().tls.start()
      this.#drainTls()
    }
    this.#fill()
    if (this.unacknowledged === 0) this.#becomeActive()
  }

  /** Leaves the state in which nothing but acknowledgements is missing; elsewhere it does nothing. SESS-25 */
  #becomeActive(): void {
    const last = this.#options.role === 'client' ? 'got-key' : 'sent-key'
    if (this.#state !== last) return
    this.#move('all-acked')
    this.ackRepeats = AckRepeats.begin(this.#options, this.heardAt) // REKEY-19
    this.#events.push({ type: 'active' })
    for (const text of this.#texts.splice(0)) this.writeText(text)
  }

  /** Cuts TLS bytes into packets while the send window has room. SESS-26 */
  #fill(): void {
    while (this.#outgoing.length > 0 && this.#send.room > 0) {
      const withKey = this.#wrappedKeyWanted && this.#send.nextId === 1
      const limit = withKey ? this.#options.wrappedKeyPayloadLimit : this.#options.payloadLimit
      const opcode = withKey ? Opcode.CONTROL_WKC_V1 : Opcode.CONTROL_V1
      this.#send.push({ opcode, payload: this.#outgoing.slice(0, limit) })
      this.#outgoing = this.#outgoing.subarray(limit)
    }
  }

  #drainTls(): void {
    const tls = this.#talk?.tls
    for (let output = tls?.poll(); output !== undefined; output = tls?.poll()) {
      switch (output.type) {
        case 'transmit':
          this.#outgoing = this.#outgoing.length === 0 ? output.data : concat(this.#outgoing, output.data)
          break
        case 'data':
          this.#plaintext(output.data)
          break
        case 'connected':
          this.#tlsInfo = tls?.agreement
          if (this.#options.role === 'client') this.#sendKeyMessage()
          break
        case 'signature-needed':
          this.#awaitsSignature = true
          this.#events.push({ type: 'signature-needed', request: output })
          break
        case 'key-log':
          this.#options.keyLog(output.line)
          break
        case 'session': // Never: these connections are not resumed. SESS-181
          break
        case 'closed':
          this.fail(tlsReason(output.reason))
      }
    }
  }

  #plaintext(bytes: Uint8Array): void {
    if (this.#state === 'error') return
    if (this.#peerKey !== undefined || this.#established) {
      // Only a peer that has all of our negotiation speaks on: its text stands for the acks that were lost.
      this.#becomeActive()
      this.ackRepeats?.end() // REKEY-20
      this.#events.push({ type: 'text', bytes })
      return
    }
    // SESS-27: the key message is the first plaintext record, whole.
    const { source, tls } = this.#talking()
    const message = source.parse(bytes)
    if (typeof message === 'string') {
      this.fail({ type: 'malformed', what: 'key method message', detail: message })
      tls.close()
      return
    }
    this.#peerKey = message
    this.#move('key-received')
    this.#events.push({ type: 'peer-key', message })
    if (this.#options.role === 'server') this.#sendKeyMessage()
    else this.#becomeActive() // SESS-25: a server answers a key message, so ours is there
  }

  #sendKeyMessage(): void {
    const { source, tls } = this.#talking()
    tls.write(source.write(this.#options.keyMessage(this.#tlsInfo as TlsAgreement)))
    this.#move('key-sent')
  }
}
