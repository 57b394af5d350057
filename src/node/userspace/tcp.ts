/**
 * One TCP connection that we open, as a value: segments, bytes and time in; segments, bytes and deadlines out.
 *
 * What is here: the three-way handshake with MSS and window scaling, a sliding window both ways, reassembly of what comes
 * out of order, retransmission by a timer that follows the measured round trip (RFC 6298) and after three repeated
 * acknowledgements, slow start and congestion avoidance (RFC 5681, NewReno), probes of a closed window, both halves closed
 * one by one, RST. What is not: listening, urgent data, SACK, timestamps, keepalive.
 *
 * Spec: node.md, "User-space TCP/IP".
 */
import { FLAG, type Segment } from './packet.ts'
import { RetransmissionTimeout } from './retransmission.ts'
import { SendBuffer } from './send-buffer.ts'

/** One thing to do for the host. */
export type TcpOutput =
  | { readonly type: 'segment'; readonly segment: Segment }
  /** The peer answered: bytes may flow. */
  | { readonly type: 'connected' }
  /** Bytes of the peer, in order. Call `consumed` when they are gone. */
  | { readonly type: 'data'; readonly data: Uint8Array }
  /** The peer sends no more. */
  | { readonly type: 'end' }
  /** There is room for more bytes, after `write` took less than it was given. */
  | { readonly type: 'drain' }
  /** The end: once, and last. */
  | { readonly type: 'closed'; readonly reason: 'done' | 'refused' | 'reset' | 'timed-out' | 'aborted' }

/** How a connection is made. */
export interface TcpOptions {
  /** First sequence number, random. */
  readonly isn: number
  /** Largest payload that fits the path. */
  readonly mss: number
  readonly now: number
}

const RECEIVE_BUFFER = 1 << 20
const OWN_SCALE = 7
const MAX_RETRIES = 8
const MAX_CONNECT_RETRIES = 5
/** How long a closed connection still answers repeated segments. */
const TIME_WAIT = 2000
const INITIAL_WINDOW = 10

const diff = (a: number, b: number): number => (a - b) | 0
const add = (a: number, b: number): number => (a + b) >>> 0

/** A connection. */
export class TcpConnection {
  readonly #outputs: TcpOutput[] = []
  readonly #buffer = new SendBuffer()
  readonly #held: { readonly seq: number; readonly data: Uint8Array }[] = []
  #state: 'opening' | 'open' | 'time-wait' | 'closed' = 'opening'
  #mss: number
  #una: number
  #next: number
  #max: number
  #window = 0
  #scale = 0
  #ownScale = 0
  #finWanted = false
  #finSeq: number | undefined
  #received = 0
  #unread = 0
  #finReceived: number | undefined
  #ended = false
  #ackOwed = false
  #advertised = 0
  #congestion: number
  #threshold = Infinity
  #repeated = 0
  #recover: number | undefined
  readonly #rto = new RetransmissionTimeout()
  #retries = 0
  #deadline = Infinity
  #starved = false

  constructor({ isn, mss, now }: TcpOptions) {
    this.#mss = mss
    this.#una = isn >>> 0
    this.#next = this.#una
    this.#max = this.#una
    this.#congestion = INITIAL_WINDOW * mss
    this.#sendSyn(now)
  }

  /** Nothing more will come of it. */
  get isClosed(): boolean {
    return this.#state === 'closed'
  }

  /** When `handleTimeout` must be called. */
  pollTimeout(): number {
    return this.#deadline
  }

  poll(): TcpOutput | undefined {
    return this.#outputs.shift()
  }

  /** Takes bytes for the peer; the number taken. Fewer than given: `drain` follows. */
  write(data: Uint8Array, now: number): number {
    if (this.#finWanted || this.#state === 'closed' || this.#state === 'time-wait') return data.length
    const taken = this.#buffer.append(data)
    this.#starved = taken < data.length
    this.#send(now)
    return taken
  }

  /** No more bytes from us. */
  end(now: number): void {
    this.#finWanted = true
    this.#send(now)
  }

  /** Ends at once, with RST. */
  abort(): void {
    if (this.#state === 'closed') return
    if (this.#state === 'open') this.#emit(FLAG.rst | FLAG.ack, this.#next)
    this.#close('aborted')
  }

  /** The host is done with so many bytes of `data`. */
  consumed(bytes: number): void {
    this.#unread -= bytes
    // NODE-25: told once it is worth a segment.
    const gain = this.#room() - diff(this.#advertised, this.#received)
    if (this.#state === 'open' && gain >= Math.min(RECEIVE_BUFFER / 4, 16 * this.#mss)) this.#emit(FLAG.ack, this.#next)
  }

  /** A segment of this connection, whose checksum was right. */
  receive(segment: Segment, now: number): void {
    if (this.#state === 'closed') return
    if (this.#state === 'opening') {
      this.#receiveFirst(segment, now)
      return
    }
    if ((segment.flags & FLAG.rst) !== 0) {
      // NODE-27: exactly the next byte, so that guessing the ports is not enough.
      if (diff(segment.seq, this.#peerNext()) === 0) this.#close(this.#state === 'time-wait' ? 'done' : 'reset')
      else this.#ackOwed = true
    } else if ((segment.flags & FLAG.syn) !== 0) {
      this.#ackOwed = true
    } else if ((segment.flags & FLAG.ack) !== 0) {
      this.#acknowledge(segment, now)
      this.#take(segment)
      this.#finish(now)
    }
    if (this.isClosed) return
    this.#send(now)
    if (this.#ackOwed) this.#emit(FLAG.ack, this.#next)
  }

  handleTimeout(now: number): void {
    if (now < this.#deadline) return
    if (this.#state === 'time-wait') {
      this.#close('done')
      return
    }
    this.#retries++
    const limit = this.#state === 'opening' ? MAX_CONNECT_RETRIES : MAX_RETRIES
    if (this.#retries > limit) {
      this.#close('timed-out')
      return
    }
    this.#rto.backOff()
    if (this.#state === 'opening') {
      this.#sendSyn(now)
      return
    }
    // NODE-23: everything from the first byte in doubt goes again, in small steps.
    this.#threshold = Math.max(diff(this.#max, this.#una) / 2, 2 * this.#mss)
    this.#congestion = this.#mss
    this.#recover = undefined
    this.#next = this.#una
    if (this.#window === 0) this.#probe(now)
    else this.#send(now)
  }

  #sendSyn(now: number): void {
    const mss = this.#mss
    const flags = FLAG.syn
    const window = Math.min(RECEIVE_BUFFER, 0xffff)
    const segment = { seq: this.#una, ack: 0, flags, window, mss, scale: OWN_SCALE, payload: new Uint8Array() }
    this.#outputs.push({ type: 'segment', segment })
    this.#next = add(this.#una, 1)
    this.#max = this.#next
    if (this.#retries === 0) this.#rto.sent(this.#next, now)
    this.#deadline = now + this.#rto.ms
  }

  /** NODE-21: the answer to our SYN. */
  #receiveFirst({ flags, ack, seq, mss, scale, window }: Segment, now: number): void {
    if ((flags & FLAG.ack) !== 0 && diff(ack, this.#next) !== 0) return
    if ((flags & FLAG.rst) !== 0) {
      if ((flags & FLAG.ack) !== 0) this.#close('refused')
      return
    }
    if ((flags & (FLAG.syn | FLAG.ack)) !== (FLAG.syn | FLAG.ack)) return
    this.#rto.acknowledged(ack, now)
    this.#state = 'open'
    this.#una = ack
    this.#retries = 0
    this.#deadline = Infinity
    this.#received = add(seq, 1)
    this.#advertised = this.#received
    this.#mss = Math.min(this.#mss, mss ?? 536)
    this.#scale = scale ?? 0
    this.#ownScale = scale === undefined ? 0 : OWN_SCALE
    this.#window = window
    this.#congestion = INITIAL_WINDOW * this.#mss
    this.#outputs.push({ type: 'connected' })
    this.#emit(FLAG.ack, this.#next)
    this.#send(now)
  }

  /** NODE-22, NODE-24 */
  #acknowledge({ ack, window, payload, flags }: Segment, now: number): void {
    const size = window << this.#scale
    const news = diff(ack, this.#una)
    if (diff(ack, this.#max) > 0) {
      this.#ackOwed = true
      return
    }
    if (news > 0) {
      this.#rto.acknowledged(ack, now)
      const finAcked = this.#finSeq !== undefined && diff(ack, this.#finSeq) > 0
      this.#buffer.drop(news - (finAcked ? 1 : 0))
      this.#una = ack
      if (diff(this.#next, ack) < 0) this.#next = ack
      this.#retries = 0
      this.#grow(ack, news, now)
      this.#deadline = ack === this.#max ? Infinity : now + this.#rto.ms
      if (this.#starved && this.#buffer.room > 0) {
        this.#starved = false
        this.#outputs.push({ type: 'drain' })
      }
    } else if (news === 0 && payload.length === 0 && size === this.#window && this.#una !== this.#max) {
      if ((flags & FLAG.fin) === 0 && ++this.#repeated === 3) this.#fastRetransmit(now)
    }
    if (news >= 0) {
      // NODE-24: who answers is alive, however long it takes to read; a probe may not have been taken.
      if (this.#window === 0) {
        this.#retries = 0
        this.#next = this.#una
      }
      this.#window = size
    }
  }

  #grow(ack: number, news: number, now: number): void {
    this.#repeated = 0
    if (this.#recover !== undefined) {
      if (diff(ack, this.#recover) < 0) {
        this.#resendFirst(now)
        return
      }
      this.#recover = undefined
      this.#congestion = this.#threshold
      return
    }
    this.#congestion +=
      this.#congestion < this.#threshold ? Math.min(news, this.#mss) : (this.#mss * this.#mss) / this.#congestion
  }

  #fastRetransmit(now: number): void {
    if (this.#recover !== undefined) return
    this.#threshold = Math.max(diff(this.#max, this.#una) / 2, 2 * this.#mss)
    this.#congestion = this.#threshold + 3 * this.#mss
    this.#recover = this.#max
    this.#rto.cancel()
    this.#resendFirst(now)
  }

  #resendFirst(now: number): void {
    const data = this.#buffer.read(0, Math.min(this.#mss, this.#buffer.length))
    if (data.length > 0) this.#emit(FLAG.ack | FLAG.psh, this.#una, data)
    else if (this.#finSeq !== undefined) this.#emit(FLAG.ack | FLAG.fin, this.#finSeq)
    this.#deadline = now + this.#rto.ms
  }

  /** NODE-25: puts the peer's bytes in order. */
  #take({ seq, flags, payload }: Segment): void {
    if (payload.length > 0 || (flags & FLAG.fin) !== 0) this.#ackOwed = true
    if ((flags & FLAG.fin) !== 0 && this.#finReceived === undefined) {
      const at = add(seq, payload.length)
      if (diff(at, this.#received) >= 0 && diff(at, this.#received) <= RECEIVE_BUFFER) this.#finReceived = at
    }
    if (payload.length > 0 && !this.#ended) {
      const ahead = diff(seq, this.#received)
      if (ahead <= 0) this.#deliver(seq, payload)
      else if (ahead + payload.length <= this.#room()) this.#hold(seq, payload)
      for (let first = this.#held[0]; first !== undefined; first = this.#held[0]) {
        if (diff(first.seq, this.#received) > 0) break
        this.#held.shift()
        this.#deliver(first.seq, first.data)
      }
    }
    if (this.#finReceived === undefined || this.#ended || diff(this.#received, this.#finReceived) !== 0) return
    this.#ended = true
    this.#outputs.push({ type: 'end' })
  }

  #deliver(seq: number, payload: Uint8Array): void {
    const known = diff(this.#received, seq)
    const data = payload.slice(known, known + this.#room())
    if (data.length === 0) return
    this.#received = add(this.#received, data.length)
    this.#unread += data.length
    this.#outputs.push({ type: 'data', data })
  }

  #hold(seq: number, data: Uint8Array): void {
    const at = this.#held.findIndex((entry) => diff(entry.seq, seq) >= 0)
    const same = at < 0 ? undefined : this.#held[at]
    if (same?.seq === seq && same.data.length >= data.length) return
    if (this.#held.length >= 2048) return
    this.#held.splice(at < 0 ? this.#held.length : at, 0, { seq, data: data.slice() })
  }

  /** NODE-26: both halves are done. */
  #finish(now: number): void {
    const sent = this.#finSeq !== undefined && diff(this.#una, this.#finSeq) > 0
    if (!sent || !this.#ended || this.#state !== 'open') return
    this.#state = 'time-wait'
    this.#deadline = now + TIME_WAIT
  }

  #room(): number {
    return Math.max(RECEIVE_BUFFER - this.#unread, 0)
  }

  #peerNext(): number {
    return this.#ended ? add(this.#received, 1) : this.#received
  }

  /** Sends what window and congestion allow. NODE-22 */
  #send(now: number): void {
    if (this.#state !== 'open') return
    const limit = Math.min(this.#congestion, this.#window)
    for (;;) {
      const offset = diff(this.#next, this.#una)
      const left = this.#buffer.length - offset
      const size = Math.min(left, this.#mss, limit - offset)
      // Less than a whole segment waits while more could go with it.
      if (left <= 0 || size <= 0 || (size < left && size < this.#mss && offset > 0)) break
      const data = this.#buffer.read(offset, Math.floor(size))
      this.#emit(FLAG.ack | (data.length === left ? FLAG.psh : 0), this.#next, data)
      this.#advance(data.length, now)
    }
    const done = diff(this.#next, this.#una) === this.#buffer.length
    if (this.#finWanted && done && (this.#finSeq === undefined || this.#next === this.#finSeq)) {
      this.#finSeq = this.#next
      this.#emit(FLAG.ack | FLAG.fin, this.#next)
      this.#advance(1, now)
    }
    // NODE-24: a closed window is asked again.
    if (this.#deadline === Infinity && this.#window === 0 && this.#buffer.length > 0)
      this.#deadline = now + this.#rto.ms
  }

  #advance(length: number, now: number): void {
    this.#next = add(this.#next, length)
    if (diff(this.#next, this.#max) > 0) {
      this.#max = this.#next
      this.#rto.sent(this.#next, now)
    }
    if (this.#deadline === Infinity || this.#retries > 0) this.#deadline = now + this.#rto.ms
  }

  /** One byte, so that the peer says how much room it has. */
  #probe(now: number): void {
    const data = this.#buffer.read(0, Math.min(1, this.#buffer.length))
    if (data.length > 0) {
      this.#emit(FLAG.ack, this.#una, data)
      if (this.#max === this.#una) this.#max = add(this.#una, 1)
      this.#next = this.#max
    }
    this.#deadline = now + this.#rto.ms
  }

  #emit(flags: number, seq: number, payload: Uint8Array = new Uint8Array()): void {
    const room = this.#room() >> this.#ownScale
    const window = Math.min(room, 0xffff)
    this.#advertised = add(this.#received, window << this.#ownScale)
    this.#ackOwed = false
    this.#outputs.push({ type: 'segment', segment: { seq, ack: this.#peerNext(), flags, window, payload } })
  }

  #close(reason: Extract<TcpOutput, { type: 'closed' }>['reason']): void {
    this.#state = 'closed'
    this.#deadline = Infinity
    this.#held.length = 0
    this.#outputs.push({ type: 'closed', reason })
  }
}
