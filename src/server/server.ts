/**
 * Many tunnels behind any number of sockets, as a value: bytes of many addresses, time and randomness in; bytes for
 * addresses, packets and news out.
 *
 * This file is a switchboard. It finds whose a datagram is (`client-table.ts`), lets the front answer strangers
 * (`front.ts`), hands everything else to that client's `Session`, and carries out what its outputs mean: packets are routed
 * (`router.ts`), logins judged (`admission.ts`), deadlines kept in one heap (`deadline-heap.ts`). Nothing that a session does
 * is done here. See spec/server.md.
 */
import { ConfigError, Queue } from '../bytes/index.ts'
import { noble, type CryptoProvider } from '../crypto/index.ts'
import { isAuthentic } from '../data/index.ts'
import {
  DEFAULT_TIMERS,
  type DropReason,
  type Environment,
  LaneCode,
  type SessionEvent,
  type Stats,
} from '../session/index.ts'
import {
  cookieSlotLength,
  isDataOpcode,
  Opcode,
  opcodeOf,
  PEER_ID_NONE,
  readPeerId,
  ResetCookies,
  StreamFramer,
} from '../wire/index.ts'
import { AddressPool } from './address-pool.ts'
import { Admission, type SessionLogin } from './admission.ts'
import { type Newcomer, ServerClient } from './client.ts'
import { ClientTable } from './client-table.ts'
import type { Grant, Lease, ServerConfig } from './config.ts'
import { DeadlineHeap } from './deadline-heap.ts'
import { Front, type FrontVerdict } from './front.ts'
import { ipv4Number } from './numbers.ts'
import type {
  ClientAddresses,
  ClientId,
  ServerCloseReason,
  ServerDropReason,
  ServerEvent,
  ServerOutput,
  ServerStats,
} from './output.ts'
import { RateLimit } from './rate-limit.ts'
import { Router } from './router.ts'
import { createSessionFor } from './sessions.ts'
import { createServerCounters } from './stats.ts'
import { Tokens } from './tokens.ts'

/** Largest first record of a TCP connection: a reset with the longest wrapped key. */
const MAX_FIRST_RECORD = 1400

/** A client as an operator sees it. */
export interface ClientStatus {
  readonly id: ClientId
  readonly address: string
  readonly transport: 'udp' | 'tcp'
  readonly name: string | undefined
  readonly connected: boolean
  readonly addresses: ClientAddresses
  readonly stats: Stats
}

/**
 * A server. Driven with the verbs of `Session`, with an address beside the bytes; it keeps the same promises.
 *
 * Addresses are opaque strings of the host that name socket, peer address and port. What was announced with `accept` is a TCP
 * connection, everything else sends datagrams.
 *
 * @example
 * const server = new Server(config, { now: performance.now(), timeOrigin: performance.timeOrigin, random })
 * socket.on('message', (bytes, { address, port }) => {
 *   server.receive(bytes, `${address} ${port}`, performance.now())
 *   for (let output; (output = server.poll()) !== undefined; ) handle(output)
 * })
 */
export class Server {
  readonly #config: ServerConfig
  readonly #environment: Environment
  readonly #crypto: CryptoProvider
  readonly #front: Front
  readonly #table: ClientTable
  readonly #pool: AddressPool
  readonly #router: Router<ServerClient>
  readonly #admission: Admission
  readonly #heap = new DeadlineHeap<ServerClient | Newcomer>()
  readonly #newcomers = new Map<string, Newcomer>()
  readonly #resets: RateLimit
  readonly #begins: RateLimit
  readonly #stats = createServerCounters()
  readonly #outputs = new Queue<ServerOutput>()
  readonly #handWindow: number
  #now: number
  #nextId: ClientId = 1
  #state: 'open' | 'closing' | 'closed' = 'open'

  /** @throws ConfigError for a configuration that cannot work; no byte has moved then. */
  constructor(config: ServerConfig, environment: Environment) {
    const { addresses, tls } = config
    const { random, timeOrigin } = environment
    const maxClients = config.maxClients ?? 1024
    if (!Number.isInteger(maxClients) || maxClients < 1 || maxClients > 0xfffffe) {
      throw new ConfigError('max-clients', 'max-clients is from 1 to 16777214')
    }
    // SRV-46
    if (config.admission !== 'ask' && tls.clientAuth !== undefined && tls.clientAuth !== 'required') {
      throw new ConfigError('verify-client-cert', 'without required certificates somebody must answer the logins')
    }
    const crypto = environment.crypto ?? noble
    this.#config = config
    this.#crypto = crypto
    this.#environment = environment
    this.#now = environment.now
    this.#handWindow = config.session?.timers?.handWindow ?? DEFAULT_TIMERS.handWindow
    const cookies = new ResetCookies(crypto, config.cookieSecret ?? random(32), cookieSlotLength(this.#handWindow))
    this.#front = new Front(config, cookies, crypto)
    this.#table = new ClientTable(maxClients)
    this.#pool = new AddressPool(addresses, config.leases)
    this.#router = new Router(config.device ?? 'tun', config.maxRoutesPerClient ?? 256, broadcastOf(config))
    const tokens = new Tokens(config.authToken, crypto, random)
    this.#admission = new Admission(config, this.#table, this.#pool, this.#router, tokens, timeOrigin)
    this.#resets = new RateLimit(config.connectFreqInitial ?? { count: 100, period: 10_000 })
    this.#begins = new RateLimit(config.connectFreq)
    // What no session could work with shows now.
    createSessionFor(config, { ...environment, crypto }, { transport: 'udp', wrap: { type: 'none' } })
  }

  /** A TCP connection was accepted; its bytes follow through `receive`. */
  accept(connection: string, now: number): void {
    if (!this.#begin(now)) return
    if (this.#state !== 'open' || this.#table.full || this.#newcomers.has(connection)) {
      this.#hangUp(connection)
      return
    }
    const newcomer = {
      connection,
      framer: new StreamFramer(MAX_FIRST_RECORD),
      chunks: [],
      deadline: Infinity,
      heapIndex: -1,
    }
    this.#newcomers.set(connection, newcomer)
    this.#heap.set(newcomer, this.#now + this.#handWindow)
  }

  /** A TCP connection broke or was closed by its client. */
  hangUp(connection: string, now: number): void {
    if (!this.#begin(now)) return
    this.#dismissNewcomer(connection)
    const client = this.#table.byAddress(connection)
    if (client?.transport === 'tcp') this.#end(client, { type: 'hung-up' })
    this.#finishShutdown()
  }

  /** Bytes of an address: a datagram, or any piece of an accepted connection's stream. Borrowed until the call returns. */
  receive(bytes: Uint8Array, from: string, now: number): void {
    if (!this.#begin(now)) return
    const newcomer = this.#newcomers.size === 0 ? undefined : this.#newcomers.get(from)
    if (newcomer !== undefined) {
      this.#receiveFirst(newcomer, bytes)
      return
    }
    const client = this.#table.byAddress(from)
    if (client?.transport === 'tcp') {
      client.session.receive(bytes, this.#now)
      this.#settle(client)
      return
    }
    this.#stats.datagramsReceived++
    if (bytes.length > 0 && isDataOpcode(opcodeOf(bytes[0] as number))) this.#receiveData(bytes, from, client)
    else if (client !== undefined) {
      client.session.receive(bytes, this.#now)
      this.#settle(client)
    } else this.#receiveStranger(bytes, from)
  }

  /** A packet or frame from the tunnel side; false: nobody has that address, dropped, counted. */
  send(packet: Uint8Array, now: number): boolean {
    if (!this.#begin(now)) return false
    const target = this.#router.destination(packet)
    if (target === 'malformed') return this.#drop('malformed')
    if (target === 'nobody' && this.#config.device !== 'tap') return this.#drop('no-route')
    if (target === 'everybody' || target === 'nobody') return this.#flood(packet, undefined)
    return this.#deliver(packet, target)
  }

  /** Answers `login`: lets the client in. False: it is gone, or waits for nothing. */
  allow(id: ClientId, grant: Grant, now: number): boolean {
    const client = this.#asking(id, now)
    if (client === undefined) return false
    this.#allow(client, grant)
    this.#settle(client)
    return true
  }

  /** Answers `login`: the client is to wait so many seconds; `allow` or `deny` must follow within them. */
  defer(id: ClientId, seconds: number, now: number): boolean {
    const client = this.#asking(id, now)
    if (client === undefined) return false
    client.session.defer(seconds, this.#now)
    this.#settle(client)
    return true
  }

  /** Answers `login`: turns the client away with a message for its user. */
  deny(id: ClientId, message: string, now: number): boolean {
    const client = this.#asking(id, now)
    if (client === undefined) return false
    this.#deny(client, message)
    this.#settle(client)
    return true
  }

  /** Ends a client; `message` is a control message it is told first: `RESTART`, `HALT`, `HALT,text`. */
  kill(id: ClientId, message: string, now: number): boolean {
    const client = this.#begin(now) ? this.#table.byId(id) : undefined
    if (client === undefined) return false
    this.#end(client, { type: 'killed', message }, message)
    return true
  }

  /** Starts a renegotiation with a client. */
  renegotiate(id: ClientId, now: number): boolean {
    const client = this.#begin(now) ? this.#table.byId(id) : undefined
    if (client === undefined) return false
    client.session.renegotiate(this.#now)
    this.#settle(client)
    return true
  }

  /** Changes pushed options of a client, or of all (`undefined`); the number of clients that were told. */
  pushUpdate(id: ClientId | undefined, options: readonly string[], now: number): number {
    if (!this.#begin(now)) return 0
    const one = id === undefined ? undefined : this.#table.byId(id)
    const targets = id === undefined ? [...this.#table.all()] : one === undefined ? [] : [one]
    let told = 0
    for (const client of targets) {
      if (client.session.pushUpdate(options, this.#now)) told++
      this.#settle(client)
    }
    return told
  }

  /** Tells every client to reconnect and ends; `server-closed` follows when all have heard, or after the linger time. SRV-51 */
  shutdown(now: number): void {
    if (!this.#begin(now) || this.#state !== 'open') return
    this.#state = 'closing'
    for (const connection of [...this.#newcomers.keys()]) this.#hangUp(connection)
    for (const client of [...this.#table.all()]) this.#end(client, { type: 'shutdown' }, 'RESTART')
    this.#finishShutdown()
  }

  /** Runs everything due at `now`; harmless when early. */
  handleTimeout(now: number): void {
    if (!this.#begin(now)) return
    for (let item = this.#heap.peek(); item !== undefined && item.deadline <= this.#now; item = this.#heap.peek()) {
      if (item instanceof ServerClient) {
        item.session.handleTimeout(this.#now)
        this.#settle(item)
      } else this.#hangUp(item.connection)
    }
    this.#finishShutdown()
  }

  /** The next output; undefined when there is none. */
  poll(): ServerOutput | undefined {
    return this.#outputs.shift()
  }

  /** When `handleTimeout` must be called; `Infinity`: never. SRV-50 */
  pollTimeout(): number {
    return this.#heap.earliest
  }

  /** Live counters. */
  get stats(): ServerStats {
    return this.#stats
  }

  /** Who is here. */
  clients(): readonly ClientStatus[] {
    return [...this.#table.all()].map(statusOf)
  }

  /** One client; undefined when it is gone. */
  client(id: ClientId): ClientStatus | undefined {
    const client = this.#table.byId(id)
    return client === undefined ? undefined : statusOf(client)
  }

  /** Who had which address, to be given to the next run. */
  leases(): readonly Lease[] {
    return this.#pool.export()
  }

  /** Forgets hardware addresses that were silent for so long (`stale-routes-check`). */
  forgetStale(age: number, now: number): void {
    if (this.#begin(now)) this.#router.sweep(age, this.#now)
  }

  /**
   * Entries in all tables together: what a test watches for leaks.
   * @internal
   */
  get retained(): number {
    return this.#table.size + this.#newcomers.size + this.#heap.size + this.#router.size + this.#pool.used
  }

  #begin(now: number): boolean {
    if (now > this.#now) this.#now = now
    return this.#state !== 'closed'
  }

  #asking(id: ClientId, now: number): ServerClient | undefined {
    const client = this.#begin(now) ? this.#table.byId(id) : undefined
    return client?.asking === true ? client : undefined // SRV-40
  }

  /** SRV-10, SRV-11 */
  #receiveData(bytes: Uint8Array, from: string, byAddress: ServerClient | undefined): void {
    const named = opcodeOf(bytes[0] as number) === Opcode.DATA_V2 && bytes.length >= 4
    const peerId = named ? readPeerId(bytes, 0) : PEER_ID_NONE
    const client = peerId === PEER_ID_NONE ? byAddress : this.#table.byPeerId(peerId)
    if (client?.transport !== 'udp') {
      this.#drop('no-client') // SRV-1, SRV-14
      return
    }
    const buffer = bytes.slice()
    const result = client.session.open(buffer, 0, buffer.length, this.#now)
    const authentic = isAuthentic(result) && result > LaneCode.NO_TUNNEL
    const welcome = client.address === from || (authentic && this.#float(client, from, byAddress)) // SRV-12
    if (result >= 0 && welcome) {
      const { resultBuffer, resultOffset } = client.session
      const packet = resultBuffer.subarray(resultOffset, resultOffset + result)
      this.#route(client, resultBuffer === buffer ? packet : packet.slice())
    }
    this.#settle(client)
  }

  /** SRV-13: an address that belongs to somebody else is not taken over. */
  #float(client: ServerClient, to: string, holder: ServerClient | undefined): boolean {
    if (holder !== undefined && (client.name === undefined || holder.name !== client.name)) {
      return this.#drop('float-refused')
    }
    if (holder !== undefined) this.#end(holder, { type: 'replaced', by: client.id })
    const from = client.address
    this.#table.move(client, to)
    this.#stats.floats++
    this.#event(client, { type: 'client-floated', from, to })
    return true
  }

  #receiveStranger(bytes: Uint8Array, from: string): void {
    if (this.#state !== 'open') return
    const verdict = this.#front.judge(bytes, from, this.#unixTime)
    if (verdict.type === 'drop') this.#drop(verdict.reason)
    else if (verdict.type === 'begin') {
      // SRV-8: without a cookie the first packet itself makes a client, so it counts like an answer.
      if (verdict.resume === undefined && !this.#resets.take(this.#now)) this.#drop('reset-rate')
      else this.#beginClient(verdict, from, 'udp', [bytes])
    } else if (this.#resets.take(this.#now)) {
      this.#stats.resetsAnswered++
      this.#outputs.push({ type: 'transmit', to: from, data: verdict.datagram })
    } else this.#drop('reset-rate')
  }

  #receiveFirst(newcomer: Newcomer, bytes: Uint8Array): void {
    const { chunks, connection, framer } = newcomer
    chunks.push(bytes.slice())
    framer.push(bytes)
    const record = framer.next()
    if (framer.problem !== undefined) this.#drop(framer.problem)
    else if (record === undefined) return
    else {
      const verdict = this.#front.judgeRecord(record, this.#unixTime)
      if (verdict.type === 'begin') {
        this.#dismissNewcomer(connection)
        if (!this.#beginClient(verdict, connection, 'tcp', chunks)) this.#hangUp(connection)
        return
      }
      if (verdict.type === 'drop') this.#drop(verdict.reason)
    }
    this.#hangUp(connection) // SRV-61
  }

  /** SRV-9 */
  #beginClient(
    verdict: Extract<FrontVerdict, { type: 'begin' }>,
    address: string,
    transport: 'udp' | 'tcp',
    chunks: readonly Uint8Array[],
  ): boolean {
    if (this.#table.full) return this.#drop('server-full')
    if (!this.#begins.take(this.#now)) return this.#drop('client-rate')
    const { keyMetadata, resume, wrap } = verdict
    const environment = { ...this.#environment, now: this.#now, crypto: this.#crypto }
    const client = new ServerClient(
      this.#nextId++,
      address,
      transport,
      this.#table.takePeerId(),
      keyMetadata,
      (owner) => createSessionFor(this.#config, environment, { transport, wrap, resume, owner }),
    )
    this.#table.add(client)
    this.#stats.clientsBegun++
    this.#event(client, { type: 'client-begun', address })
    for (const chunk of chunks) client.session.receive(chunk, this.#now)
    this.#settle(client)
    return true
  }

  /** Takes a session's outputs and books its deadline. */
  #settle(client: ServerClient): void {
    if (client.gone) return
    const { session } = client
    for (let output = session.poll(); output !== undefined; output = session.poll()) {
      if (output.type === 'transmit') this.#outputs.push({ type: 'transmit', to: client.address, data: output.data })
      else if (output.type === 'packet') this.#route(client, output.data)
      else if (output.event.type === 'login') this.#login(client, output.event)
      else if (output.event.type === 'connected') this.#connected(client, output.event)
      else if (output.event.type === 'closed') client.closeReason = output.event.reason
      else this.#event(client, output.event)
    }
    if (session.state === 'closed') this.#forget(client)
    else if (session.state === 'waiting')
      this.#end(client, { type: 'timed-out', timer: 'hand-window', detail: 'nobody negotiated' })
    else this.#heap.set(client, session.pollTimeout())
  }

  #login(client: ServerClient, login: SessionLogin): void {
    const verdict = this.#admission.judge(client, login, this.#now)
    if (verdict.type === 'ask') this.#event(client, verdict.event)
    else if (verdict.type === 'allow') this.#allow(client, {})
    else this.#deny(client, verdict.message)
  }

  #allow(client: ServerClient, grant: Grant): void {
    client.asking = false
    for (const rival of this.#admission.rivals(client, grant)) this.#end(rival, { type: 'replaced', by: client.id })
    const push = this.#admission.admit(client, grant, this.#now)
    if (typeof push !== 'string') {
      client.session.allow(this.#now, push)
      return
    }
    this.#event(client, { type: 'refused', address: client.address, detail: push })
    this.#deny(client, push)
  }

  #deny(client: ServerClient, message: string): void {
    client.asking = false
    client.session.deny(message, this.#now)
  }

  #connected(client: ServerClient, event: Extract<SessionEvent, { type: 'connected' }>): void {
    client.connected = true
    this.#stats.clientsConnected++
    if (client.transport === 'udp') this.#resets.refund() // SRV-8
    const { address, addresses, name } = client
    const { negotiated, options } = event
    this.#event(client, { type: 'client-connected', address, name, addresses, options, negotiated })
  }

  /** A packet that a client sent. SRV-31, SRV-33 */
  #route(client: ServerClient, packet: Uint8Array): void {
    const verdict = this.#router.judgeSource(packet, client, this.#now)
    if (verdict !== 'good') {
      this.#drop(verdict)
      return
    }
    if (this.#config.clientToClient === true) {
      const target = this.#router.destination(packet)
      if (target instanceof ServerClient) {
        if (target !== client && this.#deliver(packet, target)) this.#stats.relayed++
        return
      }
      if (target === 'everybody' || (target === 'nobody' && this.#config.device === 'tap')) this.#flood(packet, client)
    }
    this.#outputs.push({ type: 'packet', client: client.id, data: packet })
  }

  #deliver(packet: Uint8Array, target: ServerClient): boolean {
    const sent = target.session.send(packet, this.#now)
    this.#settle(target)
    return sent
  }

  /** SRV-34: to everybody who is connected but the sender. */
  #flood(packet: Uint8Array, sender: ServerClient | undefined): boolean {
    let sent = false
    for (const client of [...this.#table.all()]) {
      if (client !== sender && client.connected) sent = this.#deliver(packet, client) || sent
    }
    return sent
  }

  /** Ends a client, telling it why where it can hear. SRV-52 */
  #end(client: ServerClient, reason: ServerCloseReason, message?: string): void {
    if (client.gone) return
    client.ending ??= reason
    if (message !== undefined && client.connected) {
      client.session.dismiss(message, this.#config.linger ?? 2000, this.#now)
    } else client.session.abandon(this.#now)
    this.#settle(client)
  }

  /** SRV-53 */
  #forget(client: ServerClient): void {
    client.gone = true
    const { address, name } = client
    this.#admission.release(client)
    this.#table.remove(client)
    this.#heap.set(client, Infinity)
    this.#stats.clientsClosed++
    const reason = client.ending ?? client.closeReason ?? { type: 'local' }
    this.#event(client, { type: 'client-closed', address, name, reason, stats: client.session.stats })
    if (client.transport === 'tcp' && reason.type !== 'hung-up') this.#hangUp(address)
    this.#finishShutdown()
  }

  #finishShutdown(): void {
    if (this.#state !== 'closing' || this.#table.size > 0) return
    this.#state = 'closed'
    this.#outputs.push({ type: 'event', client: undefined, event: { type: 'server-closed' } })
  }

  #hangUp(connection: string): void {
    this.#dismissNewcomer(connection)
    this.#outputs.push({ type: 'hang-up', connection })
  }

  #dismissNewcomer(connection: string): void {
    const newcomer = this.#newcomers.get(connection)
    if (newcomer === undefined) return
    this.#newcomers.delete(connection)
    this.#heap.set(newcomer, Infinity)
  }

  #event(client: ServerClient, event: ServerEvent): void {
    this.#outputs.push({ type: 'event', client: client.id, event })
  }

  #drop(reason: ServerDropReason | DropReason): false {
    this.#stats.dropped[reason]++
    return false
  }

  get #unixTime(): number {
    return this.#environment.timeOrigin + this.#now
  }
}

function statusOf(client: ServerClient): ClientStatus {
  const { address, addresses, connected, id, name, session, transport } = client
  return { id, address, transport, name, connected, addresses, stats: session.stats }
}

/** The tunnel network's broadcast address where clients share one network. */
function broadcastOf({ addresses }: ServerConfig): number | undefined {
  const { ipv4, topology } = addresses
  if (ipv4 === undefined || topology !== 'subnet') return undefined
  return ipv4Number(ipv4.network, 'server') + 2 ** (32 - ipv4.prefix) - 1
}
