/**
 * The other end of a session, made by hand: it speaks the control channel without wrap over a perfect link and says inside
 * TLS whatever a test wants, right or wrong.
 */
import { concat } from '../../src/bytes/index.ts'
import { writeClientKeyMessage, writeControlText, writeServerKeyMessage } from '../../src/control/index.ts'
import type { CryptoProvider } from '../../src/crypto/index.ts'
import { nodeCrypto } from '../../src/node/crypto/index.ts'
import { Session, type SessionConfig, type SessionEvent } from '../../src/session/index.ts'
import { type TlsConfig, TlsConnection, type TlsInfo } from '../../src/tls/index.ts'
import {
  type ControlPacket,
  isControlOpcode,
  Opcode,
  opcodeOf,
  parseControlPlain,
  writeControlPlain,
} from '../../src/wire/index.ts'
import { pairConfigs } from './pair.ts'
import { PKI_NOW } from './pki.ts'
import { SeededRandom } from './random.ts'

const CHUNK = 1000

/** What a raw peer is told. */
export interface RawPeerOptions {
  /** The role of the raw peer; the session has the other one. */
  readonly role: 'client' | 'server'
  readonly session?: Partial<SessionConfig>
  readonly tls?: Partial<TlsConfig>
  readonly crypto?: CryptoProvider
  /** The key message; `undefined` sends the right one. */
  readonly keyMessage?: Uint8Array
  /** Peer info of a right key message. */
  readonly peerInfo?: string
  /** Its options string. */
  readonly options?: string
  /** Messages after this one are not acknowledged. */
  readonly ackUntil?: number
  readonly login?: { readonly username: string; readonly password: string }
  /**
   * How the session's soft reset is answered: with a TLS connection that begins in message 0, as OpenVPN 3 does, whose first
   * packet has the acknowledgement or is followed by it. Default: not at all.
   */
  readonly rekeys?: 'ack-inside' | 'ack-behind'
}

/** A session under test and its hand-made peer. */
export class RawPeer {
  readonly session: Session
  readonly events: SessionEvent[] = []
  readonly packets: Uint8Array[] = []
  /** Control packets that the session sent. */
  readonly received: ControlPacket[] = []
  /** TLS plaintext that the session sent, record by record. */
  readonly plaintext: Uint8Array[] = []
  readonly sessionId: Uint8Array
  now = 0
  info: TlsInfo | undefined
  closed = false
  readonly #options: RawPeerOptions
  readonly #random: SeededRandom
  readonly #newTls: () => TlsConnection
  #tls: TlsConnection
  #keyId = 0
  /** TLS connection, key id and next message of the key before. */
  #before: { readonly tls: TlsConnection; readonly keyId: number; next: number } | undefined
  #next = 0
  #expected = 0
  #peerSessionId: Uint8Array | undefined
  #keySent = false

  constructor(options: RawPeerOptions) {
    const { crypto = nodeCrypto, role } = options
    this.#options = options
    this.#random = new SeededRandom(`raw/${role}`)
    const [client, server] = pairConfigs()
    const [own, other] = role === 'client' ? [client, server] : [server, client]
    this.sessionId = this.#random.bytes(8)
    this.#newTls = () =>
      new TlsConnection(
        { ...own.tls, role, clientAuth: 'optional', ...options.tls },
        { unixTime: PKI_NOW, random: this.#random.source, crypto },
      )
    this.#tls = this.#newTls()
    this.session = new Session(
      { ...other, ...options.session },
      { now: 0, timeOrigin: PKI_NOW, random: new SeededRandom('raw/session').source, crypto },
    )
    if (role === 'client') this.send(Opcode.CONTROL_HARD_RESET_CLIENT_V2, new Uint8Array(0))
    this.settle()
  }

  /** Texts that the session sent as control messages. */
  get texts(): string[] {
    const all = this.plaintext.slice(1).map((bytes) => new TextDecoder().decode(bytes))
    return all.join('').split('\0').slice(0, -1)
  }

  /** Events of a kind. */
  eventsOf<K extends SessionEvent['type']>(type: K): Extract<SessionEvent, { type: K }>[] {
    return this.events.filter((event): event is Extract<SessionEvent, { type: K }> => event.type === type)
  }

  /** A message of the next id. */
  send(opcode: number, payload: Uint8Array, acks: readonly number[] = []): void {
    this.packet({ opcode, keyId: this.#keyId, sessionId: this.sessionId, acks, packetId: this.#next++, payload })
  }

  /** Id of the next message. */
  get nextId(): number {
    return this.#next
  }

  /** TLS plaintext as the bytes of its record, which are not sent. */
  record(plaintext: Uint8Array): Uint8Array {
    this.#tls.write(plaintext)
    const output = this.#tls.poll()
    if (output?.type !== 'transmit') throw new Error('TLS is not connected')
    return output.data
  }

  /** What both ends export from TLS. */
  exportKey(label: string, length: number): Uint8Array {
    return this.#tls.exportKeyingMaterial(label, undefined, length)
  }

  /** Any packet. */
  packet(packet: ControlPacket): void {
    const { acks } = packet
    const named = acks.length > 0 && this.#peerSessionId !== undefined ? { peerSessionId: this.#peerSessionId } : {}
    this.session.receive(writeControlPlain({ ...packet, ...named }), this.now)
  }

  /** TLS plaintext as one record. */
  write(plaintext: Uint8Array): void {
    this.#tls.write(plaintext)
    this.settle()
  }

  /** A control message. */
  say(text: string): void {
    this.write(writeControlText(text))
  }

  /** A control message under the key before the present one, or, without a text, the end of its TLS connection. */
  sayBefore(text: string | undefined): void {
    const before = this.#before
    if (before === undefined) throw new Error('there was no key before')
    if (text === undefined) before.tls.close()
    else before.tls.write(writeControlText(text))
    const output = before.tls.poll()
    if (output?.type !== 'transmit') throw new Error('its TLS is not connected')
    const { keyId } = before
    const message = { opcode: Opcode.CONTROL_V1, keyId, sessionId: this.sessionId, acks: [] }
    this.packet({ ...message, packetId: before.next++, payload: output.data })
    this.settle()
  }

  /** A control message with the end of TLS right behind it, in one packet. */
  sayAndClose(text: string): void {
    this.#tls.write(writeControlText(text))
    this.#tls.close()
    this.settle()
  }

  /** The end of TLS. */
  endTls(): void {
    this.#tls.close()
    this.settle()
  }

  /** Moves the clock and runs what is due. */
  wait(duration: number): void {
    const until = this.now + duration
    for (let at = this.session.pollTimeout(); at <= until; at = this.session.pollTimeout()) {
      this.now = Math.max(this.now, at)
      this.session.handleTimeout(this.now)
      this.settle()
    }
    this.now = until
  }

  /** Carries packets both ways until nobody has any more. */
  settle(): void {
    for (;;) {
      this.#flushTls()
      const output = this.session.poll()
      if (output === undefined) return
      if (output.type === 'event') this.events.push(output.event)
      else if (output.type === 'packet') this.packets.push(output.data)
      else this.#receive(output.data)
    }
  }

  #receive(bytes: Uint8Array): void {
    if (!isControlOpcode(opcodeOf(bytes[0]!))) return
    const packet = parseControlPlain(bytes)
    if (typeof packet === 'string') throw new Error(packet)
    this.received.push(packet)
    const first = this.#peerSessionId === undefined
    this.#peerSessionId ??= packet.sessionId
    if (packet.packetId === undefined) return
    if (packet.opcode === Opcode.CONTROL_SOFT_RESET_V1 && packet.keyId !== this.#keyId) {
      this.#rekey(packet.keyId)
      return
    }
    if (packet.packetId === this.#expected) {
      this.#expected++
      if (packet.payload.length > 0) this.#tls.receive(packet.payload, PKI_NOW + this.now)
    }
    if (first && this.#options.role === 'server') this.send(Opcode.CONTROL_HARD_RESET_SERVER_V2, new Uint8Array(0), [0])
    else this.#ack(packet.packetId)
    if (first && this.#options.role === 'client') this.#tls.start()
  }

  #rekey(keyId: number): void {
    const { rekeys } = this.#options
    if (rekeys === undefined) return
    this.#before = { tls: this.#tls, keyId: this.#keyId, next: this.#next }
    this.#keyId = keyId
    this.#next = 0
    this.#expected = 1
    this.#keySent = false
    this.#tls = this.#newTls()
    this.#tls.start()
    if (rekeys === 'ack-inside') this.#flushTls([0])
    else {
      this.#flushTls()
      this.#ack(0)
    }
  }

  #ack(id: number): void {
    if (id > (this.#options.ackUntil ?? Infinity)) return
    const payload = new Uint8Array(0)
    this.packet({
      opcode: Opcode.ACK_V1,
      keyId: this.#keyId,
      sessionId: this.sessionId,
      acks: [id],
      packetId: undefined,
      payload,
    })
  }

  #flushTls(acks: readonly number[] = []): void {
    let bytes: Uint8Array = new Uint8Array(0)
    for (let output = this.#tls.poll(); output !== undefined; output = this.#tls.poll()) {
      if (output.type === 'transmit') bytes = concat(bytes, output.data)
      else if (output.type === 'data') this.#onPlaintext(output.data)
      else if (output.type === 'connected') {
        this.info = output.info
        if (this.#options.role === 'client') this.#sendKey()
      } else if (output.type === 'closed') this.closed = true
    }
    for (let at = 0; at < bytes.length; at += CHUNK) this.send(Opcode.CONTROL_V1, bytes.slice(at, at + CHUNK), acks)
  }

  #onPlaintext(bytes: Uint8Array): void {
    this.plaintext.push(bytes.slice())
    if (this.#options.role === 'server') this.#sendKey()
  }

  #sendKey(): void {
    if (this.#keySent) return
    this.#keySent = true
    const { role, keyMessage, login, options = 'V4,dev-type tun' } = this.#options
    const { peerInfo = 'IV_PROTO=990\nIV_CIPHERS=AES-256-GCM\nIV_NCP=2\n' } = this.#options
    const random = (length: number): Uint8Array => this.#random.bytes(length)
    const base = { random1: random(32), random2: random(32), options, login, peerInfo }
    const right =
      role === 'client' ? writeClientKeyMessage({ ...base, preMaster: random(48) }) : writeServerKeyMessage(base)
    this.#tls.write(keyMessage ?? right)
  }
}
