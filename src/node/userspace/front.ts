/**
 * A proxy on this machine's own address whose connections go through the stack: SOCKS5 (RFC 1928, CONNECT, no login) and
 * HTTP CONNECT on one port; the first byte tells which.
 *
 * Listens on 127.0.0.1 only, because whoever can reach it is inside the tunnel (NODE-29). Names are resolved through the
 * tunnel.
 */
import { createServer, type Server, type Socket } from 'node:net'
import { performance } from 'node:perf_hooks'
import type { Stack, TcpHandle } from './stack.ts'

/** Finds addresses of a name, inside the tunnel; empty: none. */
export type Resolve = (name: string) => Promise<readonly Uint8Array[]>

/** Longest request that is read. */
const MAX_REQUEST = 8192
const SOCKS = 5
const CONNECT = 1
/** The answer to an HTTP request that is no CONNECT, for a person to read. */
const ONLY_CONNECT = httpAnswer(
  '405 Only CONNECT',
  'This proxy tunnels connections and takes CONNECT only: use curl -p (--proxytunnel), or SOCKS5.\n',
)
const REPLY = { ok: 0, failed: 1, unreachable: 4, refused: 5, notSupported: 7, badAddress: 8 } as const
type Reply = (typeof REPLY)[keyof typeof REPLY]

/** How a client of the proxy is answered. */
type Answer = (reply: Reply) => void

/** A proxy front that listens. */
export class ProxyFront {
  readonly #stack: Stack
  readonly #resolve: Resolve
  readonly #changed: () => void
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  /** @param changed - the stack was given something to do: its deadline may have moved. */
  constructor(stack: Stack, resolve: Resolve, changed: () => void) {
    this.#stack = stack
    this.#resolve = resolve
    this.#changed = changed
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      this.#accept(socket)
    })
  }

  /** Opens the port on 127.0.0.1; resolves with its number. */
  listen(port: number): Promise<number> {
    return new Promise((done, failed) => {
      this.#server.once('error', failed)
      this.#server.listen(port, '127.0.0.1', () => {
        const address = this.#server.address()
        done(typeof address === 'object' && address !== null ? address.port : port)
      })
    })
  }

  close(): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('close', () => this.#sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    let received: Buffer = Buffer.alloc(0)
    let greeted = false
    const take = (data: Buffer): void => {
      received = Buffer.concat([received, data])
      if (received.length > MAX_REQUEST) return void socket.destroy()
      if (received[0] !== SOCKS) return this.#http(socket, received, take)
      if (!greeted) {
        const methods = received[1] ?? 0
        if (received.length < 2 + methods) return
        const free = received.subarray(2, 2 + methods).includes(0)
        socket.write(Buffer.from([SOCKS, free ? 0 : 0xff]))
        if (!free) return void socket.end()
        greeted = true
        received = Buffer.concat([Buffer.from([SOCKS]), received.subarray(2 + methods)])
      }
      // A mark of one byte stands before the request, so that the first byte still tells the protocol.
      this.#socks(socket, received.subarray(1), take)
    }
    socket.on('data', take)
  }

  #socks(socket: Socket, request: Buffer, take: (data: Buffer) => void): void {
    if (request.length < 5) return
    const answer: Answer = (reply) => socket.write(Buffer.from([SOCKS, reply, 0, 1, 0, 0, 0, 0, 0, 0]))
    const kind = request[3]
    const length = kind === 1 ? 4 : kind === 4 ? 16 : kind === 3 ? 1 + (request[4] as number) : undefined
    if (request[1] !== CONNECT || length === undefined) {
      answer(length === undefined ? REPLY.badAddress : REPLY.notSupported)
      socket.end()
      return
    }
    if (request.length < 4 + length + 2) return
    socket.off('data', take)
    const host = request.subarray(4, 4 + length)
    const port = request.readUInt16BE(4 + length)
    const rest = request.subarray(4 + length + 2)
    void this.#open(socket, kind === 3 ? host.subarray(1).toString() : new Uint8Array(host), port, rest, answer)
  }

  #http(socket: Socket, request: Buffer, take: (data: Buffer) => void): void {
    const end = request.indexOf('\r\n\r\n')
    if (end < 0) return
    socket.off('data', take)
    const line = request.subarray(0, request.indexOf('\r\n')).toString('latin1')
    const [, name, address, port] =
      /^CONNECT (?:([^\s:[\]]+)|\[([\da-fA-F:.]+)\]):(\d{1,5}) HTTP\/1\.[01]$/.exec(line) ?? []
    const say = (status: string): boolean => socket.write(`HTTP/1.1 ${status}\r\n\r\n`)
    const host = name ?? address
    // NODE-30
    if (host === undefined) {
      socket.end(ONLY_CONNECT)
      return
    }
    const answer: Answer = (reply) => say(reply === REPLY.ok ? '200 Connected' : '502 Not reachable through the tunnel')
    void this.#open(socket, host, Number(port), request.subarray(end + 4), answer)
  }

  async #open(socket: Socket, host: string | Uint8Array, port: number, rest: Buffer, answer: Answer): Promise<void> {
    socket.pause()
    const found = typeof host === 'string' ? await this.#resolve(host) : [host]
    const remote = found.find((address) => this.#stack.reaches(address))
    if (remote === undefined || socket.destroyed) {
      answer(REPLY.unreachable)
      socket.end()
      return
    }
    this.#join(socket, remote, port, rest, answer)
  }

  /** Ties a socket to a connection through the tunnel, both ways, at the slower one's speed. */
  #join(socket: Socket, remote: Uint8Array, port: number, rest: Buffer, answer: Answer): void {
    let waiting: Buffer = rest
    let open = false
    let ended = false
    const push = (tcp: TcpHandle): void => {
      const taken = tcp.write(waiting, performance.now())
      waiting = waiting.subarray(taken)
      if (waiting.length > 0) socket.pause()
      else if (ended) tcp.end(performance.now())
      else socket.resume()
      this.#changed()
    }
    const tcp = this.#stack.connect(remote, port, performance.now(), (news) => {
      switch (news.type) {
        case 'connected':
          open = true
          answer(REPLY.ok)
          if (tcp !== undefined) push(tcp)
          break
        case 'data': {
          const { length } = news.data
          socket.write(news.data, () => {
            tcp?.consumed(length, performance.now())
          })
          break
        }
        case 'end':
          socket.end()
          break
        case 'drain':
          if (tcp !== undefined) push(tcp)
          break
        case 'closed':
          if (!open) answer(news.reason === 'refused' ? REPLY.refused : REPLY.unreachable)
          if (news.reason === 'done' || !open) socket.end()
          else socket.destroy()
      }
    })
    if (tcp === undefined) return
    socket.on('data', (data: Buffer) => {
      waiting = waiting.length === 0 ? data : Buffer.concat([waiting, data])
      push(tcp)
    })
    socket.on('end', () => {
      ended = true
      push(tcp)
    })
    socket.on('close', (failed) => {
      if (failed || !socket.readableEnded) tcp.abort(performance.now())
      this.#changed()
    })
    this.#changed()
  }
}

function httpAnswer(status: string, text: string): string {
  const header = ['Allow: CONNECT', 'Content-Type: text/plain', `Content-Length: ${text.length}`, 'Connection: close']
  return [`HTTP/1.1 ${status}`, ...header, '', text].join('\r\n')
}
