/**
 * A host for one `Client` on Node: names through the system's resolver, sockets through `link.ts`, deadlines through one
 * timer. Every input is followed by a drain of the outputs, and the timer is armed anew.
 *
 * What the client decides stays with the client: the driver neither retries nor chooses. News and tunnel packets go to the
 * caller's sinks, from where inputs may be called again.
 */
import { lookup } from 'node:dns/promises'
import { performance } from 'node:perf_hooks'
import { Client, type ClientConfig, type ClientEvent, type ClientOutput } from '../client/index.ts'
import type { Environment, Stats } from '../session/index.ts'
import { nodeEnvironment } from './driver.ts'
import { type Link, type LinkRequest, type LinkSinks, openLink } from './link.ts'

/** Opens a socket as a client asks for it; what `openLink` does, unless the host knows better. */
export type LinkOpener = (request: LinkRequest, sinks: LinkSinks) => Link

/** Where a client's tunnel packets and news go. */
export interface ClientSinks {
  /** An IP packet or Ethernet frame that came through the tunnel. */
  readonly packet: (data: Uint8Array) => void
  /** News, in order; `closed` comes once and last. */
  readonly event: (event: ClientEvent) => void
}

/**
 * A client kept running.
 *
 * @example
 * const driver = new ClientDriver(toClientConfig(profile), { packet: toTun, event: console.log })
 * driver.start()
 */
export class ClientDriver {
  readonly client: Client
  readonly #sinks: ClientSinks
  readonly #openLink: LinkOpener
  readonly #links = new Map<number, Link>()
  #stats: Stats | undefined
  #timer: NodeJS.Timeout | undefined
  #timerAt = Infinity
  #draining = false

  /**
   * @param client - a configuration, or a client that was made already (a recorded one, for instance).
   * @param open - opens the client's sockets.
   * @throws ConfigError for a configuration that cannot work; nothing was opened then.
   */
  constructor(
    client: ClientConfig | Client,
    sinks: ClientSinks,
    environment: Environment = nodeEnvironment(),
    open: LinkOpener = openLink,
  ) {
    this.client = client instanceof Client ? client : new Client(client, environment)
    this.#sinks = sinks
    this.#openLink = open
  }

  /** The counters of the newest session, also after its end; undefined before the first. */
  get stats(): Stats | undefined {
    return this.#stats
  }

  /** Carries out what the client asked for so far. */
  start(): void {
    this.settle()
  }

  /** A packet for the tunnel; false when there is none yet and the packet was dropped. */
  send(packet: Uint8Array): boolean {
    const taken = this.client.send(packet, performance.now())
    this.settle()
    return taken
  }

  /** Any other input of the client, followed by the same drain. */
  input(action: (client: Client, now: number) => void): void {
    action(this.client, performance.now())
    this.settle()
  }

  /** Breaks the link in use, as a network would: the client decides what follows. */
  breakLink(detail: string): void {
    const { link } = this.client
    if (link === undefined) return
    this.#links.get(link)?.close()
    this.#links.delete(link)
    this.input((client, now) => {
      client.disconnected(link, detail, now)
    })
  }

  /** Stops the timer and closes the sockets; the client is left as it is. */
  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    for (const link of this.#links.values()) link.close()
    this.#links.clear()
  }

  /** Drains the outputs and arms the timer. For hosts that use the session's fast lane: after each batch. */
  settle(): void {
    this.#stats = this.client.session?.stats ?? this.#stats
    if (this.#draining) return
    this.#draining = true
    for (let output = this.client.poll(); output !== undefined; output = this.client.poll()) this.#carryOut(output)
    this.#draining = false
    this.#stats = this.client.session?.stats ?? this.#stats
    this.#arm()
  }

  /** A timer that rings early does no harm, so one for a deadline that has moved away is left alone. */
  #arm(): void {
    const deadline = this.client.pollTimeout()
    if (this.#timer !== undefined && deadline >= this.#timerAt) return
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (deadline === Infinity) return
    this.#timerAt = deadline
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined
        this.input((client, now) => {
          client.handleTimeout(now)
        })
      },
      Math.min(Math.max(deadline - performance.now(), 0), 0x7fffffff),
    )
  }

  #carryOut(output: ClientOutput): void {
    switch (output.type) {
      case 'resolve':
        void this.#resolve(output.request, output.host, output.family)
        return
      case 'connect':
        this.#open(output)
        return
      case 'disconnect':
        this.#links.get(output.link)?.close()
        this.#links.delete(output.link)
        return
      case 'transmit':
        this.#links.get(output.link)?.send(output.data)
        return
      case 'packet':
        this.#sinks.packet(output.data)
        return
      case 'event':
        this.#sinks.event(output.event)
    }
  }

  async #resolve(request: number, host: string, family: 4 | 6 | undefined): Promise<void> {
    const found = await lookup(host, { all: true, family: family ?? 0 }).catch(() => [])
    this.input((client, now) => {
      const addresses = found.map(({ address }) => address)
      client.resolved(request, addresses, now)
    })
  }

  #open(request: Extract<ClientOutput, { readonly type: 'connect' }>): void {
    const { link } = request
    const socket = this.#openLink(request, {
      open: () => {
        this.input((client, now) => {
          client.connected(link, now)
        })
      },
      receive: (data) => {
        this.input((client, now) => {
          client.receive(data, now, link)
        })
      },
      over: (detail) => {
        this.#links.delete(link)
        this.input((client, now) => {
          client.disconnected(link, detail, now)
        })
      },
    })
    this.#links.set(link, socket)
  }
}
