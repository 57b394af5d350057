/**
 * Where strangers come in: datagrams of unknown addresses, and TCP connections that have not said anything yet.
 *
 * The front judges; the limits count; who passes both becomes a client of the hub (spec/server.md, "The front").
 */
import type { CryptoProvider } from '../crypto/index.ts'
import { DEFAULT_TIMERS, type Environment } from '../session/index.ts'
import { cookieSlotLength, ResetCookies, StreamFramer } from '../wire/index.ts'
import { type Newcomer, ServerClient } from './client.ts'
import type { ServerConfig } from './config.ts'
import { Credit } from './credit.ts'
import { type Beginning, Front } from './front.ts'
import type { Hub } from './hub.ts'
import type { ClientId } from './output.ts'
import { RateLimit } from './rate-limit.ts'
import { createSessionFor } from './sessions.ts'

/** Largest first record of a TCP connection: a reset with the longest wrapped key. */
const MAX_FIRST_RECORD = 1400
/** Bytes of a connection that are kept until it is a client. */
const MAX_HELD = 16_384

/** The door. */
export class Entrance {
  readonly #hub: Hub
  readonly #config: ServerConfig
  readonly #environment: Environment
  readonly #crypto: CryptoProvider
  readonly #front: Front
  readonly #newcomers = new Map<string, Newcomer>()
  /** Those whose keys wait, by their numbers. */
  readonly #waiting = new Map<ClientId, Newcomer>()
  readonly #begins: RateLimit
  readonly #handWindow: number

  /** @throws ConfigError */
  constructor(hub: Hub, config: ServerConfig, environment: Environment, crypto: CryptoProvider) {
    this.#hub = hub
    this.#config = config
    this.#environment = environment
    this.#crypto = crypto
    this.#handWindow = config.session?.timers?.handWindow ?? DEFAULT_TIMERS.handWindow
    const secret = config.cookieSecret ?? environment.random(32)
    this.#front = new Front(config, new ResetCookies(crypto, secret, cookieSlotLength(this.#handWindow)), crypto)
    this.#begins = new RateLimit(config.connectFreq)
    // What no session could work with shows now.
    createSessionFor(config, { ...environment, crypto }, { transport: 'udp', wrap: { type: 'none' } })
  }

  /** Connections that have not said anything yet, and addresses whose keys wait. */
  get size(): number {
    return this.#newcomers.size
  }

  /** The connection or address of that name, while it is new. */
  newcomer(address: string): Newcomer | undefined {
    return this.#newcomers.size === 0 ? undefined : this.#newcomers.get(address)
  }

  /** A TCP connection was accepted. */
  accept(connection: string): void {
    if (this.#hub.state !== 'open' || this.#hub.table.full || this.#newcomers.has(connection)) {
      this.#hangUp(connection)
      return
    }
    this.#enter(connection, 'tcp')
    if (this.#newcomers.size > this.#hub.table.limit) this.#dismissOldest()
  }

  /** SRV-62: whoever has been silent for longest makes room; whoever waits for an answer counts as a client. */
  #dismissOldest(): void {
    for (const newcomer of this.#newcomers.values()) {
      if (newcomer.waiting !== undefined) continue
      this.#hub.drop('server-full')
      this.forget(newcomer)
      return
    }
  }

  /** Forgets everybody who is new. */
  clear(): void {
    for (const newcomer of [...this.#newcomers.values()]) this.forget(newcomer)
  }

  receiveStranger(bytes: Uint8Array, from: string): void {
    if (this.#hub.state !== 'open') return
    const verdict = this.#front.judge(bytes, from, this.#unixTime)
    if (verdict.type === 'drop') this.#hub.drop(verdict.reason)
    else if (verdict.type === 'begin') {
      // SRV-8: without a cookie the first packet itself makes a client, so it counts like an answer.
      if (verdict.resume === undefined && !this.#hub.resets.take(this.#hub.now)) this.#hub.drop('reset-rate')
      else if (this.#asksForKey(verdict)) this.#ask(this.#enter(from, 'udp', bytes), verdict)
      else this.#begin(verdict, from, 'udp', [bytes])
    } else if (this.#hub.resets.take(this.#hub.now)) {
      this.#hub.stats.resetsAnswered++
      this.#hub.outputs.push({ type: 'transmit', to: from, data: verdict.datagram })
    } else this.#hub.drop('reset-rate')
  }

  /** More bytes of somebody who is new. */
  receiveMore(newcomer: Newcomer, bytes: Uint8Array): void {
    const { address, chunks, framer, transport } = newcomer
    if (transport === 'udp') {
      this.#hub.drop('key-waits')
      return
    }
    newcomer.held += bytes.length
    if (newcomer.held > MAX_HELD) {
      this.forget(newcomer)
      return
    }
    chunks.push(bytes.slice())
    if (newcomer.waiting !== undefined) return
    framer.push(bytes)
    const record = framer.next()
    if (framer.problem !== undefined) this.#hub.drop(framer.problem)
    else if (record === undefined) return
    else {
      const verdict = this.#front.judgeRecord(record, this.#unixTime)
      if (verdict.type === 'begin') {
        if (this.#asksForKey(verdict)) this.#ask(newcomer, verdict)
        else {
          this.dismiss(address)
          if (!this.#begin(verdict, address, 'tcp', chunks)) this.#hangUp(address)
        }
        return
      }
      if (verdict.type === 'drop') this.#hub.drop(verdict.reason)
    }
    this.forget(newcomer) // SRV-61
  }

  /** The host's answer about a key; false when none waits under that number. SRV-85 */
  answerKey(id: ClientId, good: boolean): boolean {
    const newcomer = this.#waiting.get(id)
    if (newcomer?.waiting === undefined) return false
    const { address, chunks, transport, waiting } = newcomer
    if (!good) {
      this.#hub.drop('key-refused')
      this.forget(newcomer)
      return true
    }
    this.dismiss(address)
    if (!this.#begin(waiting.start, address, transport, chunks, id) && transport === 'tcp') this.#hangUp(address)
    return true
  }

  #asksForKey({ keyMetadata }: Beginning): boolean {
    return keyMetadata !== undefined && this.#config.tlsCryptV2?.verify === true
  }

  #enter(address: string, transport: 'udp' | 'tcp', first?: Uint8Array): Newcomer {
    const framer = new StreamFramer(MAX_FIRST_RECORD)
    const chunks = first === undefined ? [] : [first.slice()]
    const newcomer: Newcomer = {
      address,
      transport,
      framer,
      chunks,
      held: 0,
      waiting: undefined,
      deadline: Infinity,
      heapIndex: -1,
    }
    this.#newcomers.set(address, newcomer)
    this.#hub.heap.set(newcomer, this.#hub.now + this.#handWindow)
    return newcomer
  }

  /** SRV-85: who waits counts as one of `max-clients`. */
  #ask(newcomer: Newcomer, start: Beginning): void {
    if (this.#hub.table.size + this.#waiting.size >= this.#hub.table.limit) {
      this.#hub.drop('server-full')
      this.forget(newcomer)
      return
    }
    const id = this.#hub.table.takeId()
    const { address } = newcomer
    newcomer.waiting = { id, start }
    this.#waiting.set(id, newcomer)
    const metadata = start.keyMetadata ?? { type: 'none' }
    this.#hub.outputs.push({ type: 'event', client: id, event: { type: 'client-key', address, metadata } })
  }

  /** SRV-9 */
  #begin(
    verdict: Beginning,
    address: string,
    transport: 'udp' | 'tcp',
    chunks: readonly Uint8Array[],
    id?: ClientId,
  ): boolean {
    const { table, work } = this.#hub
    if (table.full) return this.#hub.drop('server-full')
    if (!work.allows(false, this.#hub.now)) return this.#hub.drop('handshake-work') // SRV-80
    if (!this.#begins.take(this.#hub.now)) return this.#hub.drop('client-rate')
    const { keyMetadata, resume, wrap } = verdict
    const environment = { ...this.#environment, now: this.#hub.now, crypto: this.#crypto }
    const peerId = table.takePeerId()
    if (peerId === undefined) return this.#hub.drop('server-full')
    const client = new ServerClient(id ?? table.takeId(), address, transport, peerId, keyMetadata, (owner) =>
      createSessionFor(this.#config, environment, { transport, wrap, resume, owner }),
    )
    table.add(client)
    this.#hub.stats.clientsBegun++
    this.#hub.event(client, { type: 'client-begun', address })
    if (transport === 'udp' && resume === undefined) client.credit = new Credit()
    for (const chunk of chunks) {
      client.credit?.earn(chunk.length)
      client.session.receive(chunk, this.#hub.now)
    }
    this.#hub.settle(client)
    return true
  }

  /** Whoever is new is not welcome, or too slow. */
  forget({ address, transport }: Newcomer): void {
    if (transport === 'tcp') this.#hangUp(address)
    else this.dismiss(address)
  }

  #hangUp(connection: string): void {
    this.dismiss(connection)
    this.#hub.outputs.push({ type: 'hang-up', connection })
  }

  dismiss(address: string): void {
    const newcomer = this.#newcomers.get(address)
    if (newcomer === undefined) return
    this.#newcomers.delete(address)
    if (newcomer.waiting !== undefined) this.#waiting.delete(newcomer.waiting.id)
    this.#hub.heap.set(newcomer, Infinity)
  }

  get #unixTime(): number {
    return this.#environment.timeOrigin + this.#hub.now
  }
}
