/**
 * The record layer of one connection: bytes to messages and back, under whatever keys are in force.
 *
 * A record is opened only when its turn comes, because a message in the record before it may change the key. Rules kept
 * here, for both versions: record caps, no other record inside a fragmented handshake message, no message across a key
 * change, floods of empty records and warnings, the ChangeCipherSpec records that 1.3 peers send for middleboxes' sake,
 * and 0-RTT data that was offered but not accepted (RFC 8446 section 4.2.10).
 */
import { concat, EMPTY } from '../bytes/index.ts'
import { ALERT_CODES, AlertError, type AlertName, demand } from './alerts.ts'
import { type HandshakeMessage, HandshakeStream } from './handshake-stream.ts'
import { MAX_EMPTY_RECORDS, MAX_PLAINTEXT, MAX_WARNING_ALERTS } from './limits.ts'
import { PlaintextOpener, PlaintextSealer, type RecordOpener, type RecordSealer } from './protection.ts'
import { RECORD_HEADER, RecordReader } from './record-reader.ts'
import { ContentType, type TlsVersion } from './registry.ts'

/** What the peer said next. */
export type Incoming =
  | { readonly type: 'handshake'; readonly message: HandshakeMessage }
  | { readonly type: 'change-cipher-spec' }
  | { readonly type: 'alert'; readonly level: number; readonly code: number }
  | { readonly type: 'data'; readonly data: Uint8Array }

/** Both directions of an open connection. */
export interface RecordSnapshot {
  /** Records opened and sealed under the keys in force. */
  readonly opened: number
  readonly sealed: number
  /** The beginning of a record that is still coming. */
  readonly unread: Uint8Array
}

/** The parts one after another: a lone one as it is. */
function joined(parts: readonly Uint8Array[]): Uint8Array {
  const [first] = parts
  return first !== undefined && parts.length === 1 ? first : concat(...parts)
}

/** Both directions of the record stream. */
export class RecordLayer {
  readonly #reader = new RecordReader()
  readonly #stream = new HandshakeStream()
  readonly #maxFragment: number
  #opener: RecordOpener = new PlaintextOpener()
  #sealer: RecordSealer = new PlaintextSealer(0x0301)
  #protectedIn = false
  #version: TlsVersion | undefined
  #compatibility = false
  #earlyDataBudget = 0
  #plainAlertAllowed = false
  #empties = 0
  #warnings = 0
  #handshakeOut: Uint8Array[] = []
  #out: Uint8Array[] = []
  #messageLimit: (type: number) => number = () => 0

  constructor(maxFragment: number) {
    this.#maxFragment = maxFragment
  }

  /** Bytes received and not yet opened. */
  get held(): number {
    return this.#reader.length
  }

  /** `undefined` before the hello. */
  get version(): TlsVersion | undefined {
    return this.#version
  }

  /** True when the current write key should be replaced. */
  get worn(): boolean {
    return this.#sealer.worn
  }

  /** From the hello on: how the rest is framed. */
  negotiated(version: TlsVersion): void {
    this.#version = version
    if (this.#sealer instanceof PlaintextSealer) this.#sealer = new PlaintextSealer(0x0303)
    this.#compatibility = version === 'TLSv1.3'
  }

  /** The peer's Finished is in: ChangeCipherSpec records are no longer dropped. */
  handshakeDone(): void {
    this.#compatibility = false
    this.#earlyDataBudget = 0
  }

  /** Server: up to `bytes` of records that cannot be read are the client's refused 0-RTT data, from now on. */
  skipEarlyData(bytes: number): void {
    this.#earlyDataBudget = bytes
  }

  /**
   * Server: a client that cannot derive keys from the ServerHello can only say so in plaintext, so one alert is taken
   * unprotected until the first protected record is in, and anything else unprotected is no forgery but out of place.
   * TLS13-28
   */
  allowPlaintextAlert(): void {
    this.#plainAlertAllowed = true
  }

  /** Longest handshake message accepted, by type, in the current state. */
  limitMessages(limit: (type: number) => number): void {
    this.#messageLimit = limit
  }

  /** @throws AlertError when handshake bytes are left over: they were sent under the wrong key. */
  setOpener(opener: RecordOpener): void {
    demand(!this.#stream.pending, 'unexpected-message', 'handshake data across a key change') // TLS-7
    this.#opener = opener
    this.#protectedIn = true
  }

  /** The peer must wait for an answer now. @throws AlertError when it went on already. TLS-7 */
  endOfFlight(): void {
    demand(!this.#stream.pending, 'unexpected-message', 'handshake data after the end of a flight')
  }

  setSealer(sealer: RecordSealer): void {
    this.flush()
    this.#sealer = sealer
  }

  /** Where both directions stand; undefined while anything but whole records of data is under way. */
  snapshot(): RecordSnapshot | undefined {
    if (this.#stream.pending || this.#handshakeOut.length > 0 || this.#out.length > 0) return undefined
    return { opened: this.#opener.opened, sealed: this.#sealer.sealed, unread: this.#reader.unread() }
  }

  /** An open connection goes on under these keys, which stand where a snapshot says. */
  resume(version: TlsVersion, opener: RecordOpener, sealer: RecordSealer, unread: Uint8Array): void {
    this.#version = version
    this.#opener = opener
    this.#sealer = sealer
    this.#protectedIn = true
    this.#reader.push(unread)
  }

  receive(bytes: Uint8Array): void {
    this.#reader.push(bytes)
  }

  /** The next thing the peer said, or `undefined` until more bytes come. @throws AlertError */
  next(): Incoming | undefined {
    for (;;) {
      const message = this.#stream.next(this.#messageLimit)
      if (message !== undefined) return { type: 'handshake', message }
      if (!this.#haveRecord()) return undefined
      const incoming = this.#nextRecord()
      if (incoming !== undefined) return incoming
    }
  }

  /** Judges the header as soon as it is there; true when the whole record is. */
  #haveRecord(): boolean {
    const reader = this.#reader
    if (reader.length < RECORD_HEADER) return false
    const { type, version } = reader
    const known = type >= ContentType.changeCipherSpec && type <= ContentType.applicationData
    demand(known, 'unexpected-message', `record type ${type}`)
    const versionFits = this.#protectedIn ? version === 0x0303 : version >> 8 === 3
    demand(versionFits, 'protocol-version', `record version ${version.toString(16)}`)
    const most = this.#earlyDataBudget > 0 ? MAX_PLAINTEXT + 256 : this.#opener.maxPayload
    demand(reader.payloadLength <= most, 'record-overflow', `a record of ${reader.payloadLength} bytes`) // TLS-5
    return reader.whole
  }

  #nextRecord(): Incoming | undefined {
    const { buffer, offset, type, payloadLength } = this.#reader
    this.#reader.advance()
    if (type === ContentType.changeCipherSpec && this.#compatibility) {
      const valid = payloadLength === 1 && buffer[offset + RECORD_HEADER] === 1
      demand(valid && !this.#stream.pending, 'unexpected-message', 'a ChangeCipherSpec record') // TLS13-4
      this.#countEmpty()
      return undefined
    }
    if (this.#earlyDataBudget > 0 && type === ContentType.applicationData && !this.#protectedIn) {
      return this.#skipEarly(payloadLength)
    }
    if (this.#plainAlertAllowed) {
      demand(type !== ContentType.handshake, 'unexpected-message', 'a handshake record without protection')
      if (type === ContentType.alert && payloadLength === 2) {
        return this.#alert(buffer.subarray(offset + RECORD_HEADER, offset + RECORD_HEADER + 2))
      }
    }
    const opened = this.#opener.open(buffer, offset, payloadLength)
    if (opened === undefined) {
      if (this.#earlyDataBudget > 0) return this.#skipEarly(payloadLength)
      throw new AlertError('bad-record-mac', 'a record does not authenticate') // TLS-4
    }
    if (this.#protectedIn) {
      this.#earlyDataBudget = 0
      this.#plainAlertAllowed = false
    }
    return this.#dispatch(opened.type, opened.fragment)
  }

  #skipEarly(length: number): undefined {
    this.#earlyDataBudget -= length
    demand(this.#earlyDataBudget >= 0, 'unexpected-message', 'too much early data') // TLS13-22
    return undefined
  }

  #dispatch(type: number, fragment: Uint8Array): Incoming | undefined {
    if (fragment.length === 0) {
      const strict = this.#version === 'TLSv1.3' && type !== ContentType.applicationData
      demand(!strict, 'unexpected-message', 'an empty record') // TLS13-21
      this.#countEmpty()
    }
    if (type === ContentType.alert) return this.#alert(fragment)
    if (fragment.length > 0) {
      this.#empties = 0
      this.#warnings = 0
    }
    if (type === ContentType.handshake) {
      this.#stream.push(fragment)
      return undefined
    }
    demand(!this.#stream.pending, 'unexpected-message', 'a record inside a handshake message') // TLS-8
    if (type === ContentType.applicationData) return { type: 'data', data: fragment.slice() }
    demand(type === ContentType.changeCipherSpec, 'unexpected-message', `record type ${type}`)
    demand(this.#version !== 'TLSv1.3', 'unexpected-message', 'a ChangeCipherSpec record')
    demand(fragment.length === 1 && fragment[0] === 1, 'unexpected-message', 'a malformed ChangeCipherSpec')
    return { type: 'change-cipher-spec' }
  }

  #alert(fragment: Uint8Array): Incoming {
    demand(fragment.length === 2, 'decode-error', 'an alert record must hold one alert')
    const [level, code] = fragment as unknown as [number, number]
    if (level === 1) {
      this.#warnings++
      demand(this.#warnings <= MAX_WARNING_ALERTS, 'unexpected-message', 'too many warnings') // TLS-14
    }
    return { type: 'alert', level, code }
  }

  #countEmpty(): void {
    this.#empties++
    demand(this.#empties <= MAX_EMPTY_RECORDS, 'unexpected-message', 'too many empty records') // TLS-13
  }

  /** Queues a handshake message; messages in a row share records. */
  sendHandshake(message: Uint8Array): void {
    this.#handshakeOut.push(message)
  }

  sendAlert(level: 'warning' | 'fatal', alert: AlertName): void {
    this.#send(ContentType.alert, Uint8Array.of(level === 'warning' ? 1 : 2, ALERT_CODES[alert]))
  }

  sendChangeCipherSpec(): void {
    this.flush()
    this.#out.push(Uint8Array.of(ContentType.changeCipherSpec, 3, 3, 0, 1, 1))
  }

  sendData(data: Uint8Array): void {
    this.#send(ContentType.applicationData, data)
  }

  /** Puts queued handshake messages into records. */
  flush(): void {
    if (this.#handshakeOut.length === 0) return
    const bytes = joined(this.#handshakeOut)
    this.#handshakeOut = []
    this.#send(ContentType.handshake, bytes)
  }

  #send(type: number, bytes: Uint8Array): void {
    if (type !== ContentType.handshake) this.flush()
    if (bytes.length > 0 && bytes.length <= this.#maxFragment) {
      this.#out.push(this.#sealer.seal(type, bytes))
      return
    }
    for (let at = 0; at < bytes.length; at += this.#maxFragment) {
      this.#out.push(this.#sealer.seal(type, bytes.subarray(at, at + this.#maxFragment)))
    }
  }

  /** All records since the last call, as one array of their own; empty when there are none. */
  takeOutput(): Uint8Array {
    this.flush()
    if (this.#out.length === 0) return EMPTY
    const out = joined(this.#out)
    this.#out = []
    return out
  }

  /** Gives up all memory and everything still unread. */
  clear(): void {
    this.#reader.clear()
    this.#stream.clear()
    this.#handshakeOut = []
  }
}
