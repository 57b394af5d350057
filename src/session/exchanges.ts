/**
 * The exchange of each of the peer's sessions, made when it is first needed, and the host's answers to them.
 */
import { UsageError } from '../bytes/index.ts'
import { parsePeerInfo, peerHas, type PeerInfo, writePushParts } from '../control/index.ts'
import { ClientExchange } from './client-exchange.ts'
import type { SessionContext } from './context.ts'
import type { ControlChannel } from './control-channel.ts'
import type { Exchange } from './exchange.ts'
import type { ClientLogin } from './login.ts'
import { LoginDesk } from './login-desk.ts'
import { PairExchange } from './pair-exchange.ts'
import { ServerExchange } from './server-exchange.ts'
import type { ExchangeSnapshot } from './snapshot.ts'

/** Exchanges by session of the peer. */
export class Exchanges {
  readonly #context: SessionContext
  readonly #login: ClientLogin
  /** Made with the first: a peer that never gets so far needs none. */
  #all: Map<ControlChannel, Exchange> | undefined
  readonly #desk: LoginDesk<ServerExchange>

  constructor(context: SessionContext, login: ClientLogin) {
    this.#context = context
    this.#login = login
    this.#desk = new LoginDesk((question, number) => {
      context.outbox.event({ ...question, number })
    })
  }

  /** The exchange of a session. */
  of(channel: ControlChannel): Exchange {
    const known = this.#all?.get(channel)
    if (known !== undefined) return known
    const made = this.#create()
    this.#add(channel, made)
    return made
  }

  /** The exchange of a connected client of another process goes on here. */
  restore(channel: ControlChannel, from: ExchangeSnapshot): void {
    this.#add(channel, new ServerExchange(this.#context, this.#desk, from))
  }

  /** A client's exchange as plain data; undefined while something in it is open. */
  snapshot(channel: ControlChannel): ExchangeSnapshot | undefined {
    const exchange = this.#all?.get(channel)
    return exchange instanceof ServerExchange ? exchange.snapshot() : undefined
  }

  /** All exchanges, as a list of their own. */
  list(): readonly (readonly [ControlChannel, Exchange])[] {
    return [...(this.#all ?? [])]
  }

  /** The session is over. */
  drop(channel: ControlChannel): void {
    const exchange = this.#all?.get(channel)
    this.#all?.delete(channel)
    if (exchange instanceof ServerExchange) exchange.leave()
  }

  clear(): void {
    this.#all?.clear()
  }

  /** What the peer told about itself; empty for a server seen by a client. */
  peerInfo(channel: ControlChannel): PeerInfo {
    const exchange = this.#all?.get(channel)
    return exchange instanceof ServerExchange || exchange instanceof PairExchange
      ? exchange.peerInfo
      : parsePeerInfo('')
  }

  /** The number of the login that waits for an answer. */
  get pendingLogin(): number | undefined {
    return this.#desk.number
  }

  /**
   * The session whose login waits for an answer. SESS-119
   * @throws UsageError when none does.
   */
  asking(): readonly [ControlChannel, ServerExchange] {
    const { current } = this.#desk
    for (const [channel, exchange] of this.#all ?? []) {
      if (exchange instanceof ServerExchange && exchange === current) return [channel, exchange]
    }
    throw new UsageError('no login waits for an answer')
  }

  /**
   * Sends the answer to a server's question.
   * @throws UsageError when there was none.
   */
  respond(channel: ControlChannel | undefined, response: string): void {
    const exchange = channel === undefined ? undefined : this.#all?.get(channel)
    const asked = exchange instanceof ClientExchange && channel !== undefined
    if (!asked || !exchange.respond(response, channel.newest)) throw new UsageError('no answer was asked for')
  }

  /** Sends a PUSH_UPDATE to a client that understands it; false for any other peer. */
  update(channel: ControlChannel, options: readonly string[]): boolean {
    if (!peerHas(this.peerInfo(channel), 'pushUpdate')) return false
    for (const part of writePushParts('PUSH_UPDATE', options)) channel.newest.writeText(part)
    return true
  }

  #add(channel: ControlChannel, exchange: Exchange): void {
    this.#all ??= new Map()
    this.#all.set(channel, exchange)
  }

  #create(): Exchange {
    const { config } = this.#context
    if (config.pointToPoint) return new PairExchange(this.#context)
    return config.role === 'client'
      ? new ClientExchange(this.#context, this.#login)
      : new ServerExchange(this.#context, this.#desk)
  }
}
