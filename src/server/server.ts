/**
 * Many tunnels behind any number of sockets, as a value: bytes of many addresses, time and randomness in; bytes for
 * addresses, packets and news out.
 *
 * This file is a switchboard. It finds whose a datagram is (`client-table.ts`), lets the entrance
 * deal with strangers (`entrance.ts`, `front.ts`) and hands everything else to that client's `Session`, whose outputs the hub
 * carries out (`hub.ts`): packets are routed (`router.ts`), logins judged (`admission.ts`), deadlines kept in one heap
 * (`deadline-heap.ts`). Nothing that a session does
 * is done here. See spec/server.md.
 */
import { ConfigError, plainBytes } from '../bytes/index.ts'
import type { AuthFailure, PendingRequest } from '../control/index.ts'
import { noble } from '../crypto/index.ts'
import type { Environment, Stats } from '../session/index.ts'
import { isDataOpcode, opcodeOf } from '../wire/index.ts'
import { ServerClient, Sweep } from './client.ts'
import type { ClientLimits, Grant, Lease, ServerConfig } from './config.ts'
import { Entrance } from './entrance.ts'
import { Hub } from './hub.ts'
import { Moving } from './moving.ts'
import { WorkBudget } from './work-budget.ts'
import type { ClientAddresses, ClientId, ExportProblem, ImportProblem, ServerOutput, ServerStats } from './output.ts'

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
  readonly #hub: Hub
  readonly #entrance: Entrance
  readonly #moving: Moving

  /** @throws ConfigError for a configuration that cannot work; no byte has moved then. */
  constructor(config: ServerConfig, environment: Environment) {
    const { tls } = config
    const maxClients = config.maxClients ?? 1024
    if (!Number.isInteger(maxClients) || maxClients < 1 || maxClients > 0xfffffe) {
      throw new ConfigError('max-clients', 'max-clients is from 1 to 16777214')
    }
    // SRV-46
    if (config.admission !== 'ask' && tls.clientAuth !== undefined && tls.clientAuth !== 'required') {
      throw new ConfigError('verify-client-cert', 'without required certificates somebody must answer the logins')
    }
    const work = new WorkBudget(environment.crypto ?? noble, config.handshakeWork)
    const { crypto } = work
    this.#hub = new Hub(config, environment, crypto, work)
    this.#entrance = new Entrance(this.#hub, config, environment, crypto)
    this.#moving = new Moving(this.#hub, config, environment, crypto)
  }

  /** A TCP connection was accepted; its bytes follow through `receive`. */
  accept(connection: string, now: number): void {
    if (!this.#begin(now)) return
    this.#entrance.accept(connection)
  }

  /** A TCP connection broke or was closed by its client. */
  hangUp(connection: string, now: number): void {
    if (!this.#begin(now)) return
    this.#entrance.dismiss(connection)
    const client = this.#hub.table.byAddress(connection)
    if (client?.transport === 'tcp') this.#hub.end(client, { type: 'hung-up' })
    this.#hub.finishShutdown()
  }

  /** Bytes of an address: a datagram, or any piece of an accepted connection's stream. Borrowed until the call returns. */
  receive(given: Uint8Array, from: string, now: number): void {
    if (!this.#begin(now)) return
    const bytes = plainBytes(given)
    const newcomer = this.#entrance.newcomer(from)
    if (newcomer !== undefined) {
      this.#entrance.receiveMore(newcomer, bytes)
      return
    }
    if (this.#hub.receiveNamed(bytes, from)) return
    const client = this.#hub.table.byAddress(from)
    if (client?.transport === 'tcp') {
      client.session.receive(bytes, this.#hub.now)
      this.#hub.settle(client)
      return
    }
    this.#hub.stats.datagramsReceived++
    if (bytes.length > 0 && isDataOpcode(opcodeOf(bytes[0] as number))) this.#hub.receiveData(bytes, from, client)
    else if (client !== undefined) this.#hub.receiveControl(bytes, client)
    else this.#entrance.receiveStranger(bytes, from)
  }

  /** A packet or frame from the tunnel side; false: nobody has that address, dropped, counted. */
  send(packet: Uint8Array, now: number): boolean {
    if (!this.#begin(now)) return false
    return this.#hub.send(packet)
  }

  /** Answers `login` and `client-key`: lets the client in. False: it is gone, or waits for nothing. */
  allow(id: ClientId, grant: Grant, now: number): boolean {
    if (this.#begin(now) && this.#entrance.answerKey(id, true)) return true
    const client = this.#asking(id, now)
    if (client === undefined) return false
    this.#hub.allow(client, grant)
    this.#hub.settle(client)
    return true
  }

  /**
   * Answers `login`: the client is to wait so many seconds; `allow` or `deny` must follow within them. `request`: what its user
   * is to do meanwhile, answer a question (`login-response` is the answer) or visit a page.
   */
  defer(id: ClientId, seconds: number, now: number, request?: PendingRequest): boolean {
    const client = this.#asking(id, now)
    if (client === undefined) return false
    client.session.defer(seconds, this.#hub.now, request)
    this.#hub.settle(client)
    return true
  }

  /**
   * Answers `login`: turns the client away, with a message for its user or with what it is to do instead. Answers `client-key`:
   * the client hears nothing.
   */
  deny(id: ClientId, answer: string | AuthFailure, now: number): boolean {
    if (this.#begin(now) && this.#entrance.answerKey(id, false)) return true
    const client = this.#asking(id, now)
    if (client === undefined) return false
    this.#hub.deny(client, answer)
    this.#hub.settle(client)
    return true
  }

  /**
   * Puts other limits on a connected client: rate, filter and sources, all three anew.
   * @throws UsageError when one of them is not written well; nothing has changed then.
   */
  restrict(id: ClientId, limits: ClientLimits, now: number): boolean {
    const client = this.#begin(now) ? this.#hub.table.byId(id) : undefined
    if (client?.connected !== true) return false
    this.#hub.admission.restrict(client, limits, this.#hub.now)
    return true
  }

  /** Ends a client; `message` is a control message it is told first: `RESTART`, `HALT`, `HALT,text`. */
  kill(id: ClientId, message: string, now: number): boolean {
    const client = this.#begin(now) ? this.#hub.table.byId(id) : undefined
    if (client === undefined) return false
    this.#hub.end(client, { type: 'killed', message }, message)
    return true
  }

  /** Starts a renegotiation with a client. */
  renegotiate(id: ClientId, now: number): boolean {
    const client = this.#begin(now) ? this.#hub.table.byId(id) : undefined
    if (client === undefined) return false
    client.session.renegotiate(this.#hub.now)
    this.#hub.settle(client)
    return true
  }

  /**
   * Takes a connected client out, to go on elsewhere, as bytes sealed under `key` (32 or more, shared by the fleet). The client
   * is gone from here in the same step, and hears nothing of it. Import the state once, within two minutes.
   */
  exportClient(id: ClientId, key: Uint8Array, now: number): Uint8Array | ExportProblem {
    return this.#begin(now) ? this.#moving.export(id, key) : 'no-such-client'
  }

  /**
   * Takes a client of another server in: it goes on as if nothing had happened. `address`: where it is reached from here, when
   * this host names addresses in another way. The answer is the client's number, or why it was not taken in.
   */
  importClient(state: Uint8Array, key: Uint8Array, now: number, address?: string): ClientId | ImportProblem {
    this.#begin(now)
    return this.#moving.import(plainBytes(state), key, address)
  }

  /** Changes pushed options of a client, of several, or of all (`undefined`); the number of clients that were told. SRV-54 */
  pushUpdate(ids: ClientId | readonly ClientId[] | undefined, options: readonly string[], now: number): number {
    if (!this.#begin(now)) return 0
    const wanted = typeof ids === 'number' ? [ids] : ids
    const targets = wanted?.map((id) => this.#hub.table.byId(id)) ?? [...this.#hub.table.all()]
    let told = 0
    for (const client of targets) {
      if (client === undefined) continue
      if (client.session.pushUpdate(options, this.#hub.now)) told++
      this.#hub.settle(client)
    }
    return told
  }

  /** Tells every client to reconnect and ends; `server-closed` follows when all have heard, or after the linger time. SRV-51 */
  shutdown(now: number): void {
    if (!this.#begin(now) || this.#hub.state !== 'open') return
    this.#hub.state = 'closing'
    this.#entrance.clear()
    for (const client of [...this.#hub.table.all()]) this.#hub.end(client, { type: 'shutdown' }, 'RESTART')
    this.#hub.finishShutdown()
  }

  /** Runs everything due at `now`; harmless when early. */
  handleTimeout(now: number): void {
    if (!this.#begin(now)) return
    for (
      let item = this.#hub.heap.peek();
      item !== undefined && item.deadline <= this.#hub.now;
      item = this.#hub.heap.peek()
    ) {
      if (item instanceof ServerClient) {
        item.session.handleTimeout(this.#hub.now)
        this.#hub.settle(item)
      } else if (item instanceof Sweep) this.#hub.sweep()
      else this.#entrance.forget(item)
    }
    this.#hub.finishShutdown()
  }

  /** The next output; undefined when there is none. */
  poll(): ServerOutput | undefined {
    return this.#hub.outputs.shift()
  }

  /** When `handleTimeout` must be called; `Infinity`: never. SRV-50 */
  pollTimeout(): number {
    return this.#hub.heap.earliest
  }

  /** Live counters. */
  get stats(): ServerStats {
    return this.#hub.stats
  }

  /** Who is here. */
  clients(): readonly ClientStatus[] {
    return [...this.#hub.table.all()].map(statusOf)
  }

  /** One client; undefined when it is gone. */
  client(id: ClientId): ClientStatus | undefined {
    const client = this.#hub.table.byId(id)
    return client === undefined ? undefined : statusOf(client)
  }

  /** Who had which address, to be given to the next run. */
  leases(): readonly Lease[] {
    return this.#hub.pool.export()
  }

  /** Forgets hardware addresses that were silent for so long (`stale-routes-check`). */
  forgetStale(age: number, now: number): void {
    if (this.#begin(now)) this.#hub.router.sweep(age, this.#hub.now)
  }

  /**
   * Entries in all tables together: what a test watches for leaks.
   * @internal
   */
  get retained(): number {
    return (
      this.#hub.table.size + this.#entrance.size + this.#hub.heap.size + this.#hub.router.size + this.#hub.pool.used
    )
  }

  #begin(now: number): boolean {
    if (now > this.#hub.now) this.#hub.now = now
    return this.#hub.state !== 'closed'
  }

  #asking(id: ClientId, now: number): ServerClient | undefined {
    const client = this.#begin(now) ? this.#hub.table.byId(id) : undefined
    return client?.asking === true && client.session.pendingLogin !== undefined ? client : undefined // SRV-40
  }
}

function statusOf(client: ServerClient): ClientStatus {
  const { address, addresses, connected, id, name, session, transport } = client
  return { id, address, transport, name, connected, addresses, stats: session.stats }
}
