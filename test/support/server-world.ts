/**
 * A server and any number of client sessions over a virtual network: built, driven and watched.
 *
 * Every datagram takes 10 ms, or what `link` says. Each client has an address of its own, which a test may change. After
 * every step the invariants hold: a packet reaches only whom it was for (each carries the name of its target), events come in
 * order, no deadline stays due. Everything is drawn from one seed.
 */
import type { CryptoProvider } from '../../src/crypto/index.ts'
import { nodeCrypto } from '../../src/node/crypto/index.ts'
import { DeadlineHeap, type HeapItem } from '../../src/server/deadline-heap.ts'
import {
  type ClientId,
  planAddresses,
  Server,
  type ServerConfig,
  type ServerEvent,
  type ServerOutput,
} from '../../src/server/index.ts'
import { type Output, Session, type SessionConfig, type SessionEvent } from '../../src/session/index.ts'
import { createPeerVerifier } from '../../src/x509/index.ts'
import { pairConfigs } from './pair.ts'
import { issue, PKI_NOW, toyPki } from './pki.ts'
import { SeededRandom } from './random.ts'
import { type WrapKind, wrapPair } from './wraps.ts'

/** What a world is made of. */
export interface WorldOptions {
  readonly seed?: string
  readonly wrap?: WrapKind
  readonly crypto?: CryptoProvider
  readonly server?: Partial<ServerConfig>
  readonly pool?: { readonly network: string; readonly netmask: string }
  readonly topology?: 'net30' | 'p2p' | 'subnet'
  readonly ipv6?: { readonly address: string; readonly prefix: number }
  readonly client?: Partial<SessionConfig>
  /** Chance that a datagram is lost. */
  readonly loss?: number
}

/** One client of a world. */
export interface WorldClient {
  readonly name: string
  readonly transport: 'udp' | 'tcp'
  session: Session
  address: string
  readonly events: SessionEvent[]
  readonly packets: Uint8Array[]
  /** The client has this address inside the tunnel, once connected. */
  inside: string | undefined
  connected: boolean
  closed: boolean
}

/** An event of the server with the client it is about. */
export interface WorldEvent {
  readonly client: ClientId | undefined
  readonly event: ServerEvent
}

interface Flight {
  readonly at: number
  readonly to: string
  readonly from: string
  readonly data: Uint8Array
}

/** When a client's session wants to be woken. */
interface Alarm extends HeapItem {
  readonly client: WorldClient
}

const DELAY = 10
const identities = new Map<string, ReturnType<typeof issue>>()

/** A client certificate of the toy PKI with that common name. */
export function identityNamed(name: string): ReturnType<typeof issue> {
  let identity = identities.get(name)
  if (identity === undefined) {
    const { ca, client } = toyPki('ed25519')
    identity = issue(`world/${name}`, { kind: 'client', subject: [['CN', name]], issuer: ca, key: client.key })
    identities.set(name, identity)
  }
  return identity
}

/** A server configuration for worlds. */
export function worldServerConfig(options: WorldOptions = {}): ServerConfig {
  const { topology = 'subnet', pool = { network: '10.8.0.0', netmask: '255.255.255.0' }, ipv6 } = options
  const pki = toyPki('ed25519')
  return {
    wraps: [wrapPair(options.wrap ?? 'none').server],
    tls: {
      certificateChain: [pki.server.der],
      privateKey: pki.server.key,
      verifier: createPeerVerifier({ ca: pki.ca.pem, remoteCertTls: 'client' }),
    },
    addresses: planAddresses({
      device: options.server?.device ?? 'tun',
      topology,
      server: pool,
      ...(ipv6 === undefined ? {} : { serverIpv6: ipv6 }),
    }),
    push: ['ping 10', 'ping-restart 60'],
    connectFreqInitial: { count: 100_000, period: 10_000 },
    ...options.server,
    session: { timers: { ping: 10_000, pingRestart: 120_000 }, ...options.server?.session },
  }
}

/** The server, its clients and what is under way. */
export class ServerWorld {
  now = 0
  readonly random: SeededRandom
  server: Server
  readonly clients = new Map<string, WorldClient>()
  readonly events: WorldEvent[] = []
  /** Packets that reached the server's tunnel side. */
  readonly packets: { readonly client: ClientId; readonly data: Uint8Array }[] = []
  readonly hungUp: string[] = []
  /** Sees every event of the server at once, for answers. */
  onEvent: ((event: WorldEvent) => void) | undefined
  /** False makes a datagram vanish. */
  filter: ((data: Uint8Array, to: string, from: string) => boolean) | undefined
  loss: number
  readonly #options: WorldOptions
  readonly #crypto: CryptoProvider
  readonly #flights: Flight[] = []
  readonly #alarms = new DeadlineHeap<Alarm>()
  readonly #alarmOf = new WeakMap<WorldClient, Alarm>()
  #head = 0
  #port = 1000
  #drained = false

  constructor(options: WorldOptions = {}) {
    this.#options = options
    this.#crypto = options.crypto ?? nodeCrypto
    this.random = new SeededRandom(options.seed ?? 'world')
    this.loss = options.loss ?? 0
    this.server = this.makeServer()
  }

  /** A fresh server of the same configuration, as after a restart. */
  makeServer(config: ServerConfig = worldServerConfig(this.#options)): Server {
    const random = this.random.fork(`server/${this.now}`).source
    return new Server(config, { now: this.now, timeOrigin: PKI_NOW, random, crypto: this.#crypto })
  }

  /** Starts a client. */
  connect(name: string, config: Partial<SessionConfig> = {}, address?: string): WorldClient {
    const port = this.#port++
    const [base] = pairConfigs()
    const identity = identityNamed(name)
    const transport = config.transport ?? 'udp'
    const session = new Session(
      {
        ...base,
        wrap: wrapPair(this.#options.wrap ?? 'none').client,
        tls: { ...base.tls, certificateChain: [identity.der], privateKey: identity.key },
        ...this.#options.client,
        ...config,
      },
      {
        now: this.now,
        timeOrigin: PKI_NOW,
        random: this.random.fork(`client/${name}/${port}`).source,
        crypto: this.#crypto,
      },
    )
    const client: WorldClient = {
      name,
      transport,
      session,
      address: address ?? `192.0.2.1 ${port}`,
      events: [],
      packets: [],
      inside: undefined,
      connected: false,
      closed: false,
    }
    this.clients.set(client.address, client)
    if (transport === 'tcp') this.input((server) => server.accept(client.address, this.now))
    this.drain(client)
    return client
  }

  /** The client sends from another address from now on. */
  float(client: WorldClient, address = `192.0.2.2 ${this.#port++}`): void {
    this.clients.delete(client.address)
    client.address = address
    this.clients.set(address, client)
  }

  /** Forgets a client's own end without a word; the server's goes on. */
  forget(client: WorldClient): void {
    this.clients.delete(client.address)
    this.#setAlarm(client)
  }

  /** Gives the server an input, then takes its outputs. */
  input<T>(body: (server: Server) => T): T {
    const result = body(this.server)
    for (let output = this.server.poll(); output !== undefined; output = this.server.poll()) this.#onOutput(output)
    const deadline = this.server.pollTimeout()
    if (deadline <= this.now && this.now > 0 && !this.#drained) {
      this.#drained = true
      this.input((server) => {
        server.handleTimeout(this.now)
      })
      this.#drained = false
      if (this.server.pollTimeout() <= this.now) throw new Error(`a deadline stays due at ${this.now}`)
    }
    return result
  }

  /** Takes a client's outputs. */
  drain(client: WorldClient): void {
    for (let output = client.session.poll(); output !== undefined; output = client.session.poll()) {
      this.#onClientOutput(client, output)
    }
    this.#setAlarm(client)
  }

  #setAlarm(client: WorldClient): void {
    let alarm = this.#alarmOf.get(client)
    if (alarm === undefined) this.#alarmOf.set(client, (alarm = { client, deadline: Infinity, heapIndex: -1 }))
    const present = this.clients.get(client.address) === client
    this.#alarms.set(alarm, present ? client.session.pollTimeout() : Infinity)
  }

  /** Sends a packet from a client into its tunnel. */
  sendFrom(client: WorldClient, packet: Uint8Array): boolean {
    const sent = client.session.send(packet, this.now)
    this.drain(client)
    return sent
  }

  /** Puts a datagram on the way to the server. */
  inject(data: Uint8Array, from: string): void {
    this.#fly({ at: this.now + DELAY, to: 'server', from, data })
  }

  /** Lets the next thing happen; false when nothing does before `until`. */
  step(until: number): boolean {
    let at = Math.min(this.#flights[this.#head]?.at ?? Infinity, this.server.pollTimeout())
    let due: WorldClient | undefined
    const alarm = this.#alarms.peek()
    if (alarm !== undefined && alarm.deadline < at) {
      this.#setAlarm(alarm.client)
      if (this.#alarms.peek() !== alarm || alarm.deadline >= at) return true
      ;[at, due] = [alarm.deadline, alarm.client]
    }
    if (at > until) {
      this.now = until
      return false
    }
    this.now = Math.max(this.now, at)
    const flight = this.#flights[this.#head]
    if (due !== undefined) {
      due.session.handleTimeout(this.now)
      this.drain(due)
    } else if (flight !== undefined && flight.at <= this.now) {
      this.#flights[this.#head++] = undefined as unknown as Flight
      if (this.#head > 4096) {
        this.#flights.splice(0, this.#head)
        this.#head = 0
      }
      this.#arrive(flight)
    } else {
      this.input((server) => {
        server.handleTimeout(this.now)
      })
    }
    return true
  }

  /** Runs until `done`, or until virtual time `until`; true when done. */
  run(until: number, done: () => boolean = () => false): boolean {
    for (const client of this.clients.values()) this.#setAlarm(client)
    while (!done()) if (!this.step(until)) return done()
    return true
  }

  /** Runs for so long. */
  wait(duration: number): void {
    this.run(this.now + duration)
  }

  /** Runs until every open client is connected, and the server knows it. */
  settle(patience = 60_000): boolean {
    const all = (): boolean => [...this.clients.values()].every((client) => client.connected || client.closed)
    const done = this.run(this.now + patience, all)
    this.wait(50)
    return done
  }

  /** A connected client; `address` is where it sends from, a fresh one by default. */
  connected(name: string, config: Partial<SessionConfig> = {}, address?: string): WorldClient {
    const client = this.connect(name, config, address)
    if (!this.run(this.now + 60_000, () => client.connected)) {
      throw new Error(`${name} did not connect: ${JSON.stringify([client.events, this.events, this.server.stats])}`)
    }
    this.wait(50)
    return client
  }

  /** Events of a kind. */
  eventsOf<K extends ServerEvent['type']>(type: K): Extract<ServerEvent, { type: K }>[] {
    return this.events
      .map(({ event }) => event)
      .filter((event): event is Extract<ServerEvent, { type: K }> => event.type === type)
  }

  /** The server's number of the client that was connected last under that name. */
  idOf(name: string): ClientId {
    return (
      this.server
        .clients()
        .filter((client) => client.name === name)
        .at(-1)?.id ?? 0
    )
  }

  /** Datagrams dropped for that reason. */
  dropped(reason: keyof Server['stats']['dropped']): number {
    return this.server.stats.dropped[reason]
  }

  #fly(flight: Flight): void {
    if (this.loss > 0 && this.random.chance(this.loss)) return
    const { data, from, to } = flight
    if (this.filter?.(data, to, from) === false) return
    this.#flights.push(flight)
  }

  #arrive({ data, from, to }: Flight): void {
    if (to === 'server') {
      this.input((server) => {
        server.receive(data, from, this.now)
      })
      return
    }
    const client = this.clients.get(to)
    if (client === undefined) return
    client.session.receive(data, this.now)
    this.drain(client)
  }

  #onOutput(output: ServerOutput): void {
    switch (output.type) {
      case 'transmit':
        this.#fly({ at: this.now + DELAY, to: output.to, from: 'server', data: output.data })
        return
      case 'packet':
        this.packets.push({ client: output.client, data: output.data })
        return
      case 'hang-up':
        this.hungUp.push(output.connection)
        return
      case 'event': {
        const { client, event } = output
        this.events.push({ client, event })
        this.onEvent?.({ client, event })
      }
    }
  }

  #onClientOutput(client: WorldClient, output: Output): void {
    if (output.type === 'transmit') this.inject(output.data, client.address)
    else if (output.type === 'packet') client.packets.push(output.data)
    else {
      const { event } = output
      client.events.push(event)
      if (event.type === 'connected') {
        client.connected = true
        client.inside = event.options.ipv4?.address
      } else if (event.type === 'closed') client.closed = true
    }
  }
}

/** An IPv4 packet whose payload is a text. */
export function packetOf(source: string, destination: string, text = ''): Uint8Array {
  const payload = new TextEncoder().encode(text)
  const packet = new Uint8Array(20 + payload.length)
  packet[0] = 0x45
  packet[2] = packet.length >> 8
  packet[3] = packet.length
  packet[8] = 64
  packet[9] = 17
  packet.set(source.split('.').map(Number), 12)
  packet.set(destination.split('.').map(Number), 16)
  packet.set(payload, 20)
  return packet
}

/** The text in a packet made by {@link packetOf}. */
export function textOf(packet: Uint8Array): string {
  return new TextDecoder().decode(packet.subarray(20))
}
