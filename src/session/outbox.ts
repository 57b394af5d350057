/**
 * Everything a session says to its host, in order, and the counting of it.
 *
 * Over TCP a packet leaves behind its 16-bit length; the host sees pieces of a stream and need not know.
 */
import { Queue } from '../bytes/index.ts'
import { writeFrame } from '../wire/index.ts'
import type { TunnelOptions } from '../control/index.ts'
import type { Negotiated, Output, SessionEvent } from './output.ts'
import type { Counters } from './stats.ts'

/** The one output queue. */
export class Outbox {
  readonly counters: Counters
  readonly #queue = new Queue<Output>()
  readonly #framed: boolean

  constructor(counters: Counters, transport: 'udp' | 'tcp') {
    this.counters = counters
    this.#framed = transport === 'tcp'
  }

  /** Outputs waiting. */
  get length(): number {
    return this.#queue.length
  }

  /** The oldest output. */
  poll(): Output | undefined {
    return this.#queue.shift()
  }

  /** A datagram for the socket; the bytes are given away. */
  transmit(datagram: Uint8Array): void {
    this.counters.datagramsSent++
    this.counters.bytesSent += datagram.length
    this.#queue.push({ type: 'transmit', data: this.#framed ? writeFrame(datagram) : datagram })
  }

  /** Bytes for the socket that are framed and counted already. */
  sealed(data: Uint8Array): void {
    this.#queue.push({ type: 'transmit', data })
  }

  /** A packet for the tunnel side; the bytes are given away. */
  packet(data: Uint8Array): void {
    this.counters.packetsReceived++
    this.counters.tunnelBytesReceived += data.length
    this.#queue.push({ type: 'packet', data })
  }

  /** A packet for the tunnel side that did not come through the tunnel; the bytes are given away. */
  answer(data: Uint8Array): void {
    this.#queue.push({ type: 'packet', data })
  }

  /** The tunnel is up; where it protects less than a tunnel should, that is said, too. SESS-155 */
  connected(options: TunnelOptions, negotiated: Negotiated): void {
    this.event({ type: 'connected', options, negotiated })
    const encrypted = negotiated.dataCipher !== 'none'
    const authenticated = negotiated.dataAuth !== 'none'
    if (!encrypted || !authenticated) this.event({ type: 'unprotected', encrypted, authenticated })
  }

  /** News. */
  event(event: SessionEvent): void {
    this.#queue.push({ type: 'event', event })
  }
}
