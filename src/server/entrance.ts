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
import { Front, type FrontVerdict } from './front.ts'
import type { Hub } from './hub.ts'
import { RateLimit } from './rate-limit.ts'
import { createSessionFor } from './sessions.ts'

/** Largest first record of a TCP connection: a reset with the longest wrapped key. */
const MAX_FIRST_RECORD = 1400

/** The door. */
export class Entrance {
  readonly #hub: Hub
  readonly #config: ServerConfig
  readonly #environment: Environment
  readonly #crypto: CryptoProvider
  readonly #front: Front
  readonly #newcomers = new Map<string, Newcomer>()
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

  /** Connections that have not said anything yet. */
  get size(): number {
    return this.#newcomers.size
  }

  /** The connection of that name, while it is new. */
  newcomer(connection: string): Newcomer | undefined {
    return this.#newcomers.size === 0 ? undefined : this.#newcomers.get(connection)
  }

  /** A TCP connection was accepted. */
  accept(connection: string): void {
    if (this.#hub.state !== 'open' || this.#hub.table.full || this.#newcomers.has(connection)) {
      this.hangUp(connection)
      return
    }
    const framer = new StreamFramer(MAX_FIRST_RECORD)
    const newcomer = { connection, framer, chunks: [], deadline: Infinity, heapIndex: -1 }
    this.#newcomers.set(connection, newcomer)
    this.#hub.heap.set(newcomer, this.#hub.now + this.#handWindow)
  }

  /** Closes every connection that has not said anything yet. */
  clear(): void {
    for (const connection of [...this.#newcomers.keys()]) this.hangUp(connection)
  }

  receiveStranger(bytes: Uint8Array, from: string): void {
    if (this.#hub.state !== 'open') return
    const verdict = this.#front.judge(bytes, from, this.#unixTime)
    if (verdict.type === 'drop') this.#hub.drop(verdict.reason)
    else if (verdict.type === 'begin') {
      // SRV-8: without a cookie the first packet itself makes a client, so it counts like an answer.
      if (verdict.resume === undefined && !this.#hub.resets.take(this.#hub.now)) this.#hub.drop('reset-rate')
      else this.#beginClient(verdict, from, 'udp', [bytes])
    } else if (this.#hub.resets.take(this.#hub.now)) {
      this.#hub.stats.resetsAnswered++
      this.#hub.outputs.push({ type: 'transmit', to: from, data: verdict.datagram })
    } else this.#hub.drop('reset-rate')
  }

  receiveFirst(newcomer: Newcomer, bytes: Uint8Array): void {
    const { chunks, connection, framer } = newcomer
    chunks.push(bytes.slice())
    framer.push(bytes)
    const record = framer.next()
    if (framer.problem !== undefined) this.#hub.drop(framer.problem)
    else if (record === undefined) return
    else {
      const verdict = this.#front.judgeRecord(record, this.#unixTime)
      if (verdict.type === 'begin') {
        this.dismiss(connection)
        if (!this.#beginClient(verdict, connection, 'tcp', chunks)) this.hangUp(connection)
        return
      }
      if (verdict.type === 'drop') this.#hub.drop(verdict.reason)
    }
    this.hangUp(connection) // SRV-61
  }

  /** SRV-9 */
  #beginClient(
    verdict: Extract<FrontVerdict, { type: 'begin' }>,
    address: string,
    transport: 'udp' | 'tcp',
    chunks: readonly Uint8Array[],
  ): boolean {
    if (this.#hub.table.full) return this.#hub.drop('server-full')
    if (!this.#begins.take(this.#hub.now)) return this.#hub.drop('client-rate')
    const { keyMetadata, resume, wrap } = verdict
    const environment = { ...this.#environment, now: this.#hub.now, crypto: this.#crypto }
    const peerId = this.#hub.table.takePeerId()
    if (peerId === undefined) return this.#hub.drop('server-full')
    const client = new ServerClient(this.#hub.table.takeId(), address, transport, peerId, keyMetadata, (owner) =>
      createSessionFor(this.#config, environment, { transport, wrap, resume, owner }),
    )
    this.#hub.table.add(client)
    this.#hub.stats.clientsBegun++
    this.#hub.event(client, { type: 'client-begun', address })
    for (const chunk of chunks) client.session.receive(chunk, this.#hub.now)
    this.#hub.settle(client)
    return true
  }

  hangUp(connection: string): void {
    this.dismiss(connection)
    this.#hub.outputs.push({ type: 'hang-up', connection })
  }

  dismiss(connection: string): void {
    const newcomer = this.#newcomers.get(connection)
    if (newcomer === undefined) return
    this.#newcomers.delete(connection)
    this.#hub.heap.set(newcomer, Infinity)
  }

  get #unixTime(): number {
    return this.#environment.timeOrigin + this.#hub.now
  }
}
