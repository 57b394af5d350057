/**
 * A small world around one `Client`: names, servers, proxies and sockets in virtual time.
 *
 * It is the client's host. Every request is carried out a moment later; servers are server-role sessions made anew for each
 * link; proxies are written by hand, apart from the library's own code, so that both sides cannot share a mistake.
 */
import { nodeCrypto } from '../../src/node/crypto/index.ts'
import { Client, type ClientConfig, type ClientEvent, type ClientOutput } from '../../src/client/index.ts'
import { Session, type SessionConfig } from '../../src/session/index.ts'
import { PKI_NOW } from './pki.ts'
import { SeededRandom } from './random.ts'

/** Time from one end of a link to the other, in ms. */
const LATENCY = 10

/** What listens at an address. `answer` gets bytes with a function to send others back; its result is called on close. */
export interface Listener {
  /** A server-role session for each link. */
  readonly server?: () => SessionConfig
  /** A hand-written peer for each link. */
  readonly peer?: (link: PeerLink) => Peer
}

/** A hand-written peer's end of a link. */
export interface PeerLink {
  readonly world: ClientWorld
  send(bytes: Uint8Array): void
  close(): void
  /** A link of the peer's own to another listener; `receive` gets what comes back. */
  dial(
    transport: 'udp' | 'tcp',
    address: string,
    port: number,
    receive: (bytes: Uint8Array) => void,
  ): PeerSocket | undefined
}

/** A peer's socket to somewhere else. */
export interface PeerSocket {
  send(bytes: Uint8Array): void
}

/** What a hand-written peer does. */
export interface Peer {
  receive(bytes: Uint8Array): void
}

interface Task {
  readonly at: number
  readonly order: number
  readonly run: () => void
}

/** A server-role session at the far end of some link. */
class ServerEnd {
  readonly session: Session
  readonly #world: ClientWorld
  readonly #send: (bytes: Uint8Array) => void
  readonly #close: () => void

  constructor(world: ClientWorld, config: SessionConfig, send: (bytes: Uint8Array) => void, close: () => void) {
    this.#world = world
    this.#send = send
    this.#close = close
    const random = world.random.fork(`server ${world.sessions.length}`).source
    this.session = new Session(config, { now: world.now, timeOrigin: PKI_NOW, random, crypto: nodeCrypto })
    world.sessions.push(this.session)
    world.ends.push(this)
  }

  receive(bytes: Uint8Array): void {
    this.session.receive(bytes, this.#world.now)
    this.drain()
  }

  drain(): void {
    for (let output = this.session.poll(); output !== undefined; output = this.session.poll()) {
      if (output.type === 'transmit') this.#send(output.data)
      else if (output.type === 'packet') this.session.send(output.data, this.#world.now)
      else {
        this.#world.serverEvents.push(output.event)
        if (output.event.type === 'closed') this.#close()
      }
    }
  }
}

/** The world. */
export class ClientWorld {
  readonly random: SeededRandom
  readonly client: Client
  readonly events: ClientEvent[] = []
  readonly outputs: ClientOutput[] = []
  readonly packets: Uint8Array[] = []
  readonly serverEvents: { readonly type: string }[] = []
  readonly sessions: Session[] = []
  readonly ends: ServerEnd[] = []
  readonly dns: Map<string, readonly string[]>
  readonly listeners: Map<string, Listener>
  now = 0
  #tasks: Task[] = []
  #order = 0
  readonly #links = new Map<number, Peer>()

  /** Listeners by `transport address:port`. */
  constructor(
    config: ClientConfig,
    listeners: Readonly<Record<string, Listener>>,
    dns: Readonly<Record<string, readonly string[]>> = {},
    seed = 'world',
  ) {
    this.random = new SeededRandom(seed)
    this.dns = new Map(Object.entries(dns))
    this.listeners = new Map(Object.entries(listeners))
    const random = this.random.fork('client').source
    this.client = new Client(config, { now: 0, timeOrigin: PKI_NOW, random, crypto: nodeCrypto })
    this.drain()
  }

  /** Events of a kind. */
  eventsOf<K extends ClientEvent['type']>(type: K): Extract<ClientEvent, { type: K }>[] {
    return this.events.filter((event): event is Extract<ClientEvent, { type: K }> => event.type === type)
  }

  /** Gives the client an input, then carries out its outputs. */
  input(body: (client: Client, now: number) => void): void {
    body(this.client, this.now)
    this.drain()
  }

  /** Gives a server an input, then sends its outputs. */
  atServer(index: number, body: (session: Session, now: number) => void): void {
    const end = this.ends.at(index)
    if (end === undefined) throw new Error('no such server')
    body(end.session, this.now)
    end.drain()
  }

  later(delay: number, run: () => void): void {
    this.#tasks.push({ at: this.now + delay, order: this.#order++, run })
  }

  /** Runs until `done` or virtual time `until`; true when done. */
  run(until: number, done: () => boolean = () => false): boolean {
    while (!done()) {
      this.#tasks.sort((a, b) => a.at - b.at || a.order - b.order)
      const task = this.#tasks[0]
      let at = Math.min(task?.at ?? Infinity, this.client.pollTimeout())
      for (const { session } of this.ends) at = Math.min(at, session.pollTimeout())
      if (at > until) {
        this.now = Math.max(this.now, until)
        return done()
      }
      this.now = Math.max(this.now, at)
      if (task !== undefined && task.at <= this.now) {
        this.#tasks.shift()
        task.run()
        continue
      }
      if (this.client.pollTimeout() <= this.now) {
        this.input((client, now) => client.handleTimeout(now))
        if (this.client.pollTimeout() <= this.now && this.#tasks.length === 0) throw new Error('a deadline stays due')
      }
      for (const end of this.ends) {
        if (end.session.pollTimeout() > this.now) continue
        end.session.handleTimeout(this.now)
        end.drain()
      }
    }
    return true
  }

  /** Runs until the tunnel is up. */
  connect(until = 60_000): boolean {
    const before = this.eventsOf('connected').length
    return this.run(this.now + until, () => this.eventsOf('connected').length > before)
  }

  drain(): void {
    for (let output = this.client.poll(); output !== undefined; output = this.client.poll()) {
      this.outputs.push(output)
      this.#carryOut(output)
    }
  }

  #carryOut(output: ClientOutput): void {
    switch (output.type) {
      case 'resolve': {
        const { host, request } = output
        this.later(LATENCY, () => this.input((client, now) => client.resolved(request, this.dns.get(host) ?? [], now)))
        return
      }
      case 'connect':
        this.#open(output)
        return
      case 'disconnect':
        this.#links.delete(output.link)
        return
      case 'transmit': {
        const { data, link } = output
        const peer = this.#links.get(link)
        this.later(LATENCY, () => peer?.receive(data))
        return
      }
      case 'packet':
        this.packets.push(output.data)
        return
      case 'event':
        this.events.push(output.event)
    }
  }

  #open({ transport, address, port, link }: Extract<ClientOutput, { type: 'connect' }>): void {
    this.later(LATENCY, () => {
      const peer = this.accept(
        transport,
        address,
        port,
        (bytes) => {
          const copy = bytes.slice()
          this.later(LATENCY, () => this.input((client, now) => client.receive(copy, now, link)))
        },
        () => this.later(LATENCY, () => this.input((client, now) => client.disconnected(link, 'closed', now))),
      )
      if (peer === undefined && transport === 'tcp') {
        this.input((client, now) => client.disconnected(link, 'connection refused', now))
        return
      }
      if (peer !== undefined) this.#links.set(link, peer)
      this.input((client, now) => client.connected(link, now))
    })
  }

  /** What listens there, ready for one link; undefined when nothing does. */
  accept(
    transport: 'udp' | 'tcp',
    address: string,
    port: number,
    send: (bytes: Uint8Array) => void,
    close: () => void,
  ): Peer | undefined {
    const listener = this.listeners.get(`${transport} ${address}:${port}`)
    if (listener?.server !== undefined) {
      return new ServerEnd(this, listener.server(), send, transport === 'tcp' ? close : () => undefined)
    }
    return listener?.peer?.({
      world: this,
      send,
      close,
      dial: (kind, host, number, receive) => {
        const peer = this.accept(kind, host, number, receive, close)
        return peer === undefined ? undefined : { send: (bytes) => peer.receive(bytes) }
      },
    })
  }
}

/** An HTTP proxy that knows CONNECT; `authorize` judges the header line, or tells what to answer instead. */
export function httpProxyPeer(
  authorize: (
    authorization: string | undefined,
  ) => 'ok' | { readonly status: string; readonly headers: readonly string[] },
): (link: PeerLink) => Peer {
  return (link) => {
    let head = ''
    let far: PeerSocket | undefined
    return {
      receive(bytes) {
        if (far !== undefined) {
          far.send(bytes)
          return
        }
        head += Buffer.from(bytes).toString('latin1')
        if (!head.includes('\r\n\r\n')) return
        const [first = '', ...lines] = head.split('\r\n')
        head = ''
        const authorization = lines.find((line) => line.startsWith('Proxy-Authorization: '))?.slice(21)
        const verdict = authorize(authorization)
        if (verdict !== 'ok') {
          link.send(Buffer.from(`HTTP/1.1 ${verdict.status}\r\n${verdict.headers.join('\r\n')}\r\n\r\n`))
          link.close()
          return
        }
        const target = /^CONNECT (\S+):(\d+) HTTP\/1\.[01]$/.exec(first)
        const address = link.world.dns.get(target?.[1] ?? '')?.[0] ?? target?.[1] ?? ''
        far = link.dial('tcp', address, Number(target?.[2]), (data) => link.send(data))
        if (far === undefined) {
          link.send(Buffer.from('HTTP/1.1 502 Bad Gateway\r\n\r\n'))
          link.close()
        } else {
          link.send(Buffer.from('HTTP/1.0 200 Connection established\r\nVia: test\r\n\r\n'))
        }
      },
    }
  }
}

/** A SOCKS5 proxy at an address, with a UDP relay at its port + 1 when `relay` is on. */
export function socksProxyPeer(
  options: { readonly login?: string; readonly relay?: { readonly address: string; readonly port: number } } = {},
): (link: PeerLink) => Peer {
  return (link) => {
    let state: 'method' | 'login' | 'request' | 'open' = 'method'
    let far: PeerSocket | undefined
    return {
      receive(bytes) {
        const data = Buffer.from(bytes)
        if (state === 'method') {
          const wanted = options.login === undefined ? 0 : 2
          const offered = data.subarray(2, 2 + data[1]!).includes(wanted)
          state = wanted === 2 ? 'login' : 'request'
          link.send(Uint8Array.of(5, offered ? wanted : 255))
        } else if (state === 'login') {
          const name = data.subarray(2, 2 + data[1]!).toString()
          const password = data.subarray(3 + data[1]!).toString()
          const good = `${name}:${password}` === options.login
          state = 'request'
          link.send(Uint8Array.of(1, good ? 0 : 1))
        } else if (state === 'request') {
          state = 'open'
          if (data[1] === 3) {
            const { address, port } = options.relay!
            link.send(Uint8Array.of(5, 0, 0, 1, ...address.split('.').map(Number), port >> 8, port & 255))
            return
          }
          const name = data[3] === 3 ? data.subarray(5, 5 + data[4]!).toString() : data.subarray(4, 8).join('.')
          const address = link.world.dns.get(name)?.[0] ?? name
          far = link.dial('tcp', address, data.readUInt16BE(data.length - 2), (reply) => link.send(reply))
          link.send(Uint8Array.of(5, far === undefined ? 5 : 0, 0, 1, 0, 0, 0, 0, 0, 0))
        } else {
          far?.send(bytes)
        }
      },
    }
  }
}

/** The UDP side of a SOCKS5 proxy: takes a header off and puts it on. */
export function socksRelayPeer(link: PeerLink): Peer {
  const sockets = new Map<string, PeerSocket | undefined>()
  return {
    receive(bytes) {
      const data = Buffer.from(bytes)
      if (data[2] !== 0 || data[3] !== 1) throw new Error('only whole IPv4 datagrams')
      const header = Buffer.from(data.subarray(0, 10))
      const key = header.toString('hex')
      if (!sockets.has(key)) {
        const address = header.subarray(4, 8).join('.')
        const socket = link.dial('udp', address, header.readUInt16BE(8), (reply) =>
          link.send(Buffer.concat([header, reply])),
        )
        sockets.set(key, socket)
      }
      sockets.get(key)?.send(data.subarray(10))
    },
  }
}
