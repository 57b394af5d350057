/**
 * A client and a server session over a virtual network: built, driven and watched.
 *
 * {@link Pair} is the host of both: it drains outputs, carries datagrams, calls timeouts when they are due and jumps the
 * clock to whatever happens next. Everything is drawn from one seed. After every step the invariants hold (bounded outputs,
 * no deadline left behind, `closed` once and last, inputs untouched, every packet out was put in and comes out once, no nonce
 * twice), or an error names seed and step.
 */
import { type CryptoProvider, noble } from '../../src/crypto/index.ts'
import {
  type Environment,
  type Output,
  Session,
  type SessionConfig,
  type SessionEvent,
} from '../../src/session/index.ts'
import { createPeerVerifier } from '../../src/x509/index.ts'
import { CLEAN, type End, type Faults, Network } from './network.ts'
import { NonceWatch } from './nonce-watch.ts'
import { PKI_NOW, type PkiKind, toyPki } from './pki.ts'
import { SeededRandom } from './random.ts'

/** Outputs that one input may add at most: a full send window, acks, events and a margin. */
export const MOST_OUTPUTS = 64

/** What a pair is made of; everything has a default. */
export interface PairOptions {
  readonly seed?: number | string
  readonly crypto?: CryptoProvider
  readonly transport?: 'udp' | 'tcp'
  readonly faults?: Faults
  readonly pki?: PkiKind
  readonly client?: Partial<SessionConfig>
  readonly server?: Partial<SessionConfig>
  /** Stops at a nonce used twice, at some cost per packet. Default true. */
  readonly watch?: boolean
  /** Keeps every output, to compare runs. Default false. */
  readonly record?: boolean
}

/** One end and what it said. */
export interface Side {
  readonly end: End
  readonly session: Session
  readonly events: SessionEvent[]
  /** Packets delivered to the tunnel side. */
  readonly packets: Uint8Array[]
  /** Every output, with `record`. */
  readonly outputs: Output[]
  /** Packets sent into the tunnel that did not arrive yet, by content. */
  readonly pending: Map<string, number>
  connectedAt: number
  closedAt: number
}

/** Both ends and the link between them. */
export class Pair {
  readonly seed: string
  readonly random: SeededRandom
  readonly network: Network
  readonly client: Side
  readonly server: Side
  readonly watch: NonceWatch
  now = 0
  steps = 0
  /** How far each end's clock is ahead of `now`: a step of one clock is a change of its number. */
  readonly ahead: Record<End, number> = { client: 0, server: 0 }
  readonly #record: boolean
  readonly #crypto: CryptoProvider

  constructor(options: PairOptions = {}) {
    const { transport = 'udp', faults = CLEAN, crypto = noble } = options
    this.random = new SeededRandom(options.seed ?? 1)
    this.seed = this.random.seed
    this.network = new Network(this.random.fork('network'), faults, transport)
    this.watch = new NonceWatch(crypto)
    this.#crypto = options.watch === false ? crypto : this.watch.provider
    this.#record = options.record ?? false
    const [client, server] = pairConfigs(options)
    this.server = this.#side('server', server)
    this.client = this.#side('client', client)
    this.drain(this.client)
    this.drain(this.server)
  }

  /** The sessions' environment: virtual time and seeded randomness. */
  environment(end: End): Environment {
    return { now: this.#clock(end), timeOrigin: PKI_NOW, random: this.random.fork(end).source, crypto: this.#crypto }
  }

  side(end: End): Side {
    return end === 'client' ? this.client : this.server
  }

  /** Gives one end an input, then takes its outputs. */
  input<T>(side: Side, body: (session: Session, now: number) => T): T {
    const result = body(side.session, this.#clock(side.end))
    this.drain(side)
    return result
  }

  /** Sends a packet into the tunnel; false when it was not taken. */
  send(side: Side, packet: Uint8Array): boolean {
    const key = packet.join()
    side.pending.set(key, (side.pending.get(key) ?? 0) + 1)
    return this.input(side, (session, now) => session.send(packet, now))
  }

  /** Takes every output of one end; transmits go to the network. */
  drain(side: Side): void {
    const { session } = side
    let count = 0
    for (let output = session.poll(); output !== undefined; output = session.poll()) {
      if (this.#record) side.outputs.push(output)
      if (side.closedAt < Infinity) this.fail(`an output after closed: ${output.type}`)
      if (output.type === 'transmit')
        this.network.send(output.data, side.end === 'client' ? 'server' : 'client', this.now)
      else if (output.type === 'packet') this.#onPacket(side, output.data)
      else this.#onEvent(side, output.event)
      count++
    }
    if (count > MOST_OUTPUTS) this.fail(`${count} outputs after one input`)
    const deadline = session.pollTimeout()
    if (session.state === 'closed' && deadline !== Infinity) this.fail('a deadline after closed')
    if (deadline <= this.#clock(side.end) && this.now > 0) this.#sameDeadline(side, deadline)
  }

  /** Lets the next thing happen; false when nothing is left to happen before `until`. */
  step(until: number): boolean {
    const at = Math.min(
      this.network.pollTimeout(),
      this.client.session.pollTimeout() - this.ahead.client,
      this.server.session.pollTimeout() - this.ahead.server,
    )
    if (at > until) {
      this.now = Math.max(this.now, Math.min(until, Number.MAX_SAFE_INTEGER))
      return false
    }
    this.steps++
    this.now = Math.max(this.now, at)
    const arrival = this.network.poll(this.now)
    if (arrival !== undefined) {
      const { bytes } = arrival
      const before = bytes.slice()
      this.input(this.side(arrival.to), (session, now) => session.receive(bytes, now))
      if (before.some((byte, index) => byte !== bytes[index])) this.fail('an input was written to')
      return true
    }
    for (const side of [this.client, this.server]) {
      const due = side.session.pollTimeout()
      if (due <= this.#clock(side.end) || due - this.ahead[side.end] <= this.now)
        this.input(side, (session, now) => session.handleTimeout(now))
    }
    return true
  }

  /** Runs until `done`, or until virtual time `until`; true when done. */
  run(until: number, done: () => boolean = () => false): boolean {
    while (!done()) if (!this.step(until)) return done()
    return true
  }

  /** Runs for so long. */
  wait(duration: number): void {
    this.run(this.now + duration)
  }

  /** Runs until both ends are connected; true when they are before `until`. */
  connect(until = 60_000): boolean {
    return this.run(until, () => this.client.connectedAt < Infinity && this.server.connectedAt < Infinity)
  }

  /** Events of a kind. */
  events<K extends SessionEvent['type']>(side: Side, type: K): Extract<SessionEvent, { type: K }>[] {
    return side.events.filter((event): event is Extract<SessionEvent, { type: K }> => event.type === type)
  }

  /** Stops the test with everything needed to repeat it. */
  fail(message: string): never {
    throw new Error(`${message} (seed=${this.seed} step=${this.steps} now=${this.now})`)
  }

  #clock(end: End): number {
    return this.now + this.ahead[end]
  }

  #side(end: End, config: SessionConfig): Side {
    const session = new Session(config, this.environment(end))
    return {
      end,
      session,
      events: [],
      packets: [],
      outputs: [],
      pending: new Map(),
      connectedAt: Infinity,
      closedAt: Infinity,
    }
  }

  /** What comes out of the tunnel was put in at the other end, and comes out once. */
  #onPacket(side: Side, packet: Uint8Array): void {
    const { pending } = side === this.client ? this.server : this.client
    const key = packet.join()
    const count = pending.get(key) ?? 0
    if (count === 0) this.fail(`the ${side.end} delivered a packet that was not sent, or twice`)
    if (count === 1) pending.delete(key)
    else pending.set(key, count - 1)
    side.packets.push(packet)
  }

  #onEvent(side: Side, event: SessionEvent): void {
    side.events.push(event)
    if (event.type === 'connected') side.connectedAt = Math.min(side.connectedAt, this.now)
    if (event.type === 'closed') side.closedAt = this.now
  }

  /** A deadline that has passed must go away when it is served. */
  #sameDeadline(side: Side, deadline: number): void {
    const now = this.#clock(side.end)
    side.session.handleTimeout(now)
    const again = side.session.pollTimeout()
    if (again <= now) this.fail(`the deadline ${deadline} of the ${side.end} (${side.session.pendingTimer}) stays due`)
    this.drain(side)
  }
}

/** Configurations of two ends that fit together. */
export function pairConfigs(options: PairOptions = {}): [client: SessionConfig, server: SessionConfig] {
  const { transport = 'udp', pki: kind = 'ed25519' } = options
  const pki = toyPki(kind)
  const client: SessionConfig = {
    role: 'client',
    transport,
    tls: {
      certificateChain: [pki.client.der],
      privateKey: pki.client.key,
      verifier: createPeerVerifier({ ca: pki.ca.pem, remoteCertTls: 'server' }),
    },
    ...options.client,
  }
  const server: SessionConfig = {
    role: 'server',
    transport,
    tls: {
      certificateChain: [pki.server.der],
      privateKey: pki.server.key,
      verifier: createPeerVerifier({ ca: pki.ca.pem, remoteCertTls: 'client' }),
    },
    timers: { ping: 10_000, pingRestart: 120_000 },
    push: {
      options: ['route-gateway 10.8.0.1', 'topology subnet', 'ping 10', 'ping-restart 60'],
      ifconfig: '10.8.0.2 255.255.255.0',
      peerId: 0,
    },
    ...options.server,
  }
  return [client, server]
}

/** A pair that is connected. */
export function connectPair(options: PairOptions = {}): Pair {
  const pair = new Pair(options)
  if (!pair.connect()) {
    const state = `${pair.client.session.state}, ${pair.server.session.state}`
    pair.fail(`no connection (${state}): ${JSON.stringify([pair.client.events, pair.server.events])}`)
  }
  return pair
}

/** An IPv4 packet of `length` bytes whose payload tells `mark`. */
export function ipPacket(mark: number, length = 100): Uint8Array {
  const packet = new Uint8Array(length)
  packet[0] = 0x45
  packet[2] = length >> 8
  packet[3] = length
  packet.set([10, 8, 0, 2, 10, 8, 0, 1], 12)
  new DataView(packet.buffer).setUint32(20, mark)
  return packet
}

/** The mark of a packet made by {@link ipPacket}. */
export function markOf(packet: Uint8Array): number {
  return new DataView(packet.buffer, packet.byteOffset).getUint32(20)
}
