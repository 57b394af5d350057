/**
 * Drives one sans-IO machine with Node's clock and a socket of the caller's: every input is followed by a drain of the
 * outputs and a re-armed timer. The loop is the whole integration; it fits any object with the verbs of `Session`.
 */
import { randomBytes } from 'node:crypto'
import { performance } from 'node:perf_hooks'
import type { CryptoProvider } from '../crypto/index.ts'
import type { Environment, Output, Session, SessionEvent } from '../session/index.ts'
import { nodeCrypto } from './crypto/index.ts'

/** Node's clocks and randomness, with the fast provider unless another is named. */
export function nodeEnvironment(crypto: CryptoProvider = nodeCrypto): Environment {
  return {
    now: performance.now(),
    timeOrigin: performance.timeOrigin,
    random: (length) => new Uint8Array(randomBytes(length)),
    crypto,
  }
}

/** Where a driver's outputs go. */
export interface DriverSinks {
  /** A datagram, or a piece of the TCP stream, for the peer. */
  readonly transmit: (data: Uint8Array) => void
  /** An IP packet or Ethernet frame that came through the tunnel. */
  readonly packet: (data: Uint8Array) => void
  /** News from the session, in order. */
  readonly event: (event: SessionEvent) => void
}

/** A session kept running: feed it bytes and packets, it feeds the sinks. */
export class SessionDriver {
  readonly session: Session
  readonly #sinks: DriverSinks
  #timer: NodeJS.Timeout | undefined
  #draining = false

  constructor(session: Session, sinks: DriverSinks) {
    this.session = session
    this.#sinks = sinks
  }

  /** Drains what the constructor of the session queued and arms the first timer. */
  start(): void {
    this.#settle()
  }

  /** Bytes from the socket. */
  receive(bytes: Uint8Array): void {
    this.session.receive(bytes, performance.now())
    this.#settle()
  }

  /** A packet for the tunnel; false when there is none yet and the packet was dropped. */
  send(packet: Uint8Array): boolean {
    const taken = this.session.send(packet, performance.now())
    this.#settle()
    return taken
  }

  /** Any other input of the session, followed by the same drain. */
  input(action: (session: Session, now: number) => void): void {
    action(this.session, performance.now())
    this.#settle()
  }

  /** Stops the timer; the session is left as it is. */
  stop(): void {
    clearTimeout(this.#timer)
  }

  #settle(): void {
    if (this.#draining) return
    this.#draining = true
    for (let output = this.session.poll(); output !== undefined; output = this.session.poll()) this.#deliver(output)
    this.#draining = false
    clearTimeout(this.#timer)
    const deadline = this.session.pollTimeout()
    if (deadline === Infinity) return
    this.#timer = setTimeout(
      () => {
        this.session.handleTimeout(performance.now())
        this.#settle()
      },
      Math.min(Math.max(deadline - performance.now(), 0), 0x7fffffff),
    )
  }

  #deliver(output: Output): void {
    if (output.type === 'transmit') this.#sinks.transmit(output.data)
    else if (output.type === 'packet') this.#sinks.packet(output.data)
    else this.#sinks.event(output.event)
  }
}
