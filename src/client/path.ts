/**
 * The path of one attempt: from nothing to a channel that carries a session's bytes to the server (spec/client.md).
 *
 * A path is made of links, each of which is a socket that the host opens and closes on request. Directly there is one;
 * through an HTTP proxy there is one too, opened anew for a login; through a SOCKS proxy a TCP tunnel is one, while a UDP
 * relay needs the TCP link that keeps it alive and a UDP link to the relay. What comes in on a link that the path no longer
 * uses is ignored, so late events of closed sockets do no harm.
 */
import { concat } from '../bytes/index.ts'
import type { CryptoProvider, RandomSource } from '../crypto/index.ts'
import type { Remote } from './config.ts'
import { HttpProxy, type ProxyProblem } from './http-proxy.ts'
import { literalAddress } from './remote-list.ts'
import { type HostPort, socksDatagramHeader, SocksProxy, unwrapSocksDatagram } from './socks.ts'

/** A socket to open. */
export interface LinkRequest {
  /** Number of the link, never used twice by a client. */
  readonly link: number
  readonly transport: 'udp' | 'tcp'
  /** An address. */
  readonly address: string
  readonly port: number
}

/** Why a path came to nothing. */
export type PathFailure =
  /** No connection to the server. */
  | { readonly type: 'unreachable'; readonly detail: string }
  /** The connection broke. */
  | { readonly type: 'lost'; readonly detail: string }
  /** The proxy is at fault. */
  | { readonly type: 'proxy'; readonly problem: ProxyProblem | 'proxy-unreachable'; readonly detail: string }

/** What a path wants or has come to. */
export type PathOutput =
  | { readonly type: 'connect'; readonly request: LinkRequest }
  | { readonly type: 'disconnect'; readonly link: number }
  | { readonly type: 'transmit'; readonly link: number; readonly data: Uint8Array }
  /** Bytes can flow; `rest` are those that came already. */
  | { readonly type: 'open'; readonly rest: Uint8Array }
  | { readonly type: 'failed'; readonly failure: PathFailure }

type PathState = 'connecting' | 'asking' | 'joining' | 'open' | 'over'

/** One attempt's path. */
export class Path {
  readonly #remote: Remote
  readonly #address: string
  readonly #proxyAddress: string | undefined
  readonly #nextLink: () => number
  readonly #outputs: PathOutput[] = []
  readonly #proxy: HttpProxy | SocksProxy | undefined
  readonly #header: Uint8Array
  #state: PathState = 'connecting'
  #proxyLink: number | undefined
  #link: number | undefined

  /**
   * @param address - the server's address, or its name where a proxy resolves it.
   * @param proxyAddress - the proxy's address, where there is a proxy.
   * @param nextLink - gives link numbers.
   */
  constructor(
    remote: Remote,
    address: string,
    proxyAddress: string | undefined,
    nextLink: () => number,
    crypto: CryptoProvider,
    random: RandomSource,
  ) {
    this.#remote = remote
    this.#address = address
    this.#proxyAddress = proxyAddress
    this.#nextLink = nextLink
    this.#proxy = createProxy(remote, address, crypto, random)
    this.#header = this.#relays ? socksDatagramHeader(this.#target) : new Uint8Array(0)
    if (this.#proxy === undefined) this.#link = this.#connect(remote.session.transport, address, remote.port)
    else this.#connectProxy()
  }

  /** The link whose bytes belong to the session; undefined before the path is open. */
  get link(): number | undefined {
    return this.#state === 'open' ? this.#link : undefined
  }

  get #target(): HostPort {
    return { host: this.#address, port: this.#remote.port }
  }

  /** Through a relay each datagram has a header. */
  get #relays(): boolean {
    return this.#remote.proxy?.type === 'socks' && this.#remote.session.transport === 'udp'
  }

  /** A link is open. */
  connected(link: number): void {
    if (link === this.#proxyLink && this.#state === 'connecting') {
      this.#state = 'asking'
      this.#proxy?.connected()
      this.#drainProxy()
    } else if (link === this.#link && (this.#state === 'connecting' || this.#state === 'joining')) {
      this.#open(new Uint8Array(0))
    }
  }

  /** A link could not be opened, or was closed from outside. */
  disconnected(link: number, detail: string): void {
    if (this.#state === 'over') return
    if (link === this.#proxyLink) {
      this.#proxyLink = undefined
      if (this.#state === 'asking') {
        this.#proxy?.closed()
        this.#drainProxy()
      } else {
        const problem = this.#state === 'connecting' ? 'proxy-unreachable' : 'proxy-closed'
        this.#fail({ type: 'proxy', problem, detail })
      }
    } else if (link === this.#link) {
      this.#link = undefined
      this.#fail({ type: this.#state === 'open' ? 'lost' : 'unreachable', detail })
    }
  }

  /** Bytes from a link: what of them is the session's, as a view; undefined when nothing is. */
  receive(link: number, bytes: Uint8Array): Uint8Array | undefined {
    if (link === this.#link && this.#state === 'open')
      return this.#relays ? unwrapSocksDatagram(bytes, this.#target) : bytes
    if (link !== this.#proxyLink || this.#state !== 'asking') return undefined
    this.#proxy?.receive(bytes)
    this.#drainProxy()
    return undefined
  }

  /** Sends a session's bytes. */
  transmit(data: Uint8Array): void {
    const link = this.link
    if (link === undefined) return
    this.#outputs.push({ type: 'transmit', link, data: this.#relays ? concat(this.#header, data) : data })
  }

  /** Closes every link. */
  close(): void {
    if (this.#state === 'over') return
    this.#state = 'over'
    for (const link of new Set([this.#link, this.#proxyLink]))
      if (link !== undefined) this.#outputs.push({ type: 'disconnect', link })
  }

  /** Closes every link. What is still to be done: the session's last bytes, then the links' end. */
  finish(): readonly Extract<PathOutput, { type: 'transmit' | 'disconnect' }>[] {
    this.close()
    return this.#outputs.splice(0).filter((output) => output.type === 'transmit' || output.type === 'disconnect')
  }

  /** The next output. */
  poll(): PathOutput | undefined {
    return this.#outputs.shift()
  }

  #connect(transport: 'udp' | 'tcp', address: string, port: number): number {
    const link = this.#nextLink()
    this.#outputs.push({ type: 'connect', request: { link, transport, address, port } })
    return link
  }

  #connectProxy(): void {
    this.#state = 'connecting'
    this.#proxyLink = this.#connect('tcp', this.#proxyAddress ?? '', this.#remote.proxy?.server.port ?? 0)
  }

  #drainProxy(): void {
    for (let output = this.#proxy?.poll(); output !== undefined; output = this.#proxy?.poll()) {
      switch (output.type) {
        case 'transmit':
          if (this.#proxyLink !== undefined)
            this.#outputs.push({ type: 'transmit', link: this.#proxyLink, data: output.data })
          break
        case 'reconnect':
          if (this.#proxyLink !== undefined) this.#outputs.push({ type: 'disconnect', link: this.#proxyLink })
          this.#connectProxy()
          break
        case 'open':
          this.#link = this.#proxyLink
          this.#proxyLink = undefined
          this.#open(output.rest)
          break
        case 'associated':
          this.#join(output.relay)
          break
        case 'failed':
          this.#fail({ type: 'proxy', problem: output.problem, detail: output.detail })
      }
    }
  }

  /** PROXY-10: a relay at no address in particular is where the proxy is. */
  #join(relay: HostPort): void {
    const unspecified = relay.host === '0.0.0.0' || relay.host === '::'
    const address = unspecified ? this.#proxyAddress : literalAddress(relay.host)
    if (address === undefined || relay.port === 0) {
      this.#fail({ type: 'proxy', problem: 'proxy-malformed', detail: 'its relay has no address' })
      return
    }
    this.#state = 'joining'
    this.#link = this.#connect('udp', address, relay.port)
  }

  #open(rest: Uint8Array): void {
    this.#state = 'open'
    this.#outputs.push({ type: 'open', rest })
  }

  #fail(failure: PathFailure): void {
    this.close()
    this.#outputs.push({ type: 'failed', failure })
  }
}

function createProxy(
  remote: Remote,
  address: string,
  crypto: CryptoProvider,
  random: RandomSource,
): HttpProxy | SocksProxy | undefined {
  const { port, proxy, session } = remote
  if (proxy === undefined) return undefined
  if (proxy.type === 'http') return new HttpProxy({ ...proxy, host: address, port }, crypto, random)
  const command = session.transport === 'udp' ? 'udp-associate' : 'connect'
  return new SocksProxy({ command, target: { host: address, port }, login: proxy.login })
}
