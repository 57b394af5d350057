/**
 * Pings through a tunnel without a kernel: sends echo requests at an interval, matches replies, answers what a host must
 * answer (echo requests, ARP), and reports each reply with its time.
 */
import { randomBytes } from 'node:crypto'
import { performance } from 'node:perf_hooks'
import { equalBytes } from '../../bytes/index.ts'
import { ETHERTYPE, parseEcho, readFrame, replyTo, writeArpRequest, writeEcho, writeFrame } from '../echo.ts'
import { readNeighbor, writeSolicitation } from '../neighbor.ts'

/** What to ping and how. Addresses are 4 or 16 bytes; both of one family. */
export interface PingPlan {
  readonly device: 'tun' | 'tap'
  readonly source: Uint8Array
  readonly target: Uint8Array
  readonly count: number
  /** ms between requests. */
  readonly interval: number
  /** Bytes of ICMP payload. */
  readonly size: number
  /** ms to wait for a reply after the last request. */
  readonly patience: number
}

/** Where a pinger's packets and news go. */
export interface PingSinks {
  /** A packet or frame for the tunnel. */
  readonly send: (packet: Uint8Array) => void
  readonly reply: (sequence: number, ms: number) => void
  /** All requests were answered, or patience ended. */
  readonly done: (received: number) => void
}

/** One run of pings. */
export class Pinger {
  readonly #plan: PingPlan
  readonly #sinks: PingSinks
  readonly #identifier = randomBytes(2).readUInt16BE()
  readonly #payload: Uint8Array
  readonly #mac = Uint8Array.of(2, ...randomBytes(5))
  readonly #sentAt = new Map<number, number>()
  #peerMac: Uint8Array | undefined
  #sent = 0
  #received = 0
  #timer: NodeJS.Timeout | undefined
  #finished = false

  constructor(plan: PingPlan, sinks: PingSinks) {
    this.#plan = plan
    this.#sinks = sinks
    this.#payload = new Uint8Array(plan.size).map((_, index) => index & 255)
  }

  get received(): number {
    return this.#received
  }

  start(): void {
    if (this.#plan.count === 0) this.#finish()
    else if (this.#plan.device === 'tap') this.#askMac(0)
    else this.#next()
  }

  stop(): void {
    this.#finished = true
    clearTimeout(this.#timer)
  }

  /** A packet or frame out of the tunnel. */
  receive(data: Uint8Array): void {
    if (this.#plan.device === 'tun') {
      this.#packet(data)
      return
    }
    const own = this.#plan.source.length === 4 ? this.#plan.source : undefined
    const meaning = readFrame(data, this.#mac, own)
    if (meaning.type === 'arp-request') this.#sinks.send(meaning.answer)
    else if (meaning.type === 'packet') this.#packet(meaning.packet, meaning.from)
    else if (meaning.type === 'arp-reply' && equalBytes(meaning.address, this.#plan.target)) this.#learn(meaning.mac)
  }

  #askMac(attempt: number): void {
    if (attempt === 10) {
      this.#finish()
      return
    }
    const { source, target } = this.#plan
    const ask = target.length === 4 ? writeArpRequest : writeSolicitation
    this.#sinks.send(ask(this.#mac, source, target))
    this.#timer = setTimeout(() => {
      this.#askMac(attempt + 1)
    }, 300)
  }

  #learn(mac: Uint8Array): void {
    if (this.#peerMac !== undefined || this.#finished) return
    this.#peerMac = mac
    clearTimeout(this.#timer)
    this.#next()
  }

  #next(): void {
    if (this.#finished) return
    const { source, target } = this.#plan
    const sequence = ++this.#sent
    this.#sentAt.set(sequence, performance.now())
    const last = sequence === this.#plan.count
    this.#timer = setTimeout(
      () => {
        if (last) this.#finish()
        else this.#next()
      },
      last ? this.#plan.patience : this.#plan.interval,
    )
    const echo = { source, destination: target, identifier: this.#identifier, sequence, payload: this.#payload }
    this.#emit(writeEcho({ kind: 'request', ...echo }), this.#peerMac)
  }

  #emit(packet: Uint8Array, mac: Uint8Array | undefined): void {
    if (this.#plan.device === 'tun') {
      this.#sinks.send(packet)
      return
    }
    const type = (packet[0] as number) >> 4 === 6 ? ETHERTYPE.ipv6 : ETHERTYPE.ipv4
    this.#sinks.send(writeFrame(mac ?? new Uint8Array(6).fill(255), this.#mac, type, packet))
  }

  #packet(packet: Uint8Array, from?: Uint8Array): void {
    if (from !== undefined) {
      const neighbor = readNeighbor(packet, this.#mac, this.#plan.source, from)
      if (neighbor?.type === 'solicitation') this.#sinks.send(neighbor.answer)
      if (neighbor?.type === 'advertisement' && equalBytes(neighbor.address, this.#plan.target))
        this.#learn(neighbor.mac)
    }
    const echo = parseEcho(packet)
    if (echo === undefined) return
    if (echo.kind === 'request') {
      if (equalBytes(echo.destination, this.#plan.source)) this.#emit(replyTo(echo), from)
      return
    }
    const sentAt = this.#sentAt.get(echo.sequence)
    const ours =
      echo.identifier === this.#identifier &&
      equalBytes(echo.source, this.#plan.target) &&
      equalBytes(echo.payload, this.#payload)
    if (!ours || sentAt === undefined || this.#finished) return
    this.#sentAt.delete(echo.sequence)
    this.#received++
    this.#sinks.reply(echo.sequence, performance.now() - sentAt)
    if (this.#received === this.#plan.count) this.#finish()
  }

  #finish(): void {
    if (this.#finished) return
    this.stop()
    this.#sinks.done(this.#received)
  }
}
