/**
 * Drives a `Server` with Node's sockets and clock: every input is followed by a drain of the outputs and a re-armed timer.
 *
 * Addresses are `udp SOCKET IP PORT`, with the socket's index, or `tcp IP PORT SERIAL`: `readAddress` takes them apart. A TCP
 * client that does not read is not waited for: data packets for it are dropped once its queue is long; control packets are not.
 */
import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { createServer, type Server as TcpServer, type Socket as TcpSocket } from 'node:net'
import { performance } from 'node:perf_hooks'
import type { Server, ServerEvent, ServerOutput } from '../server/index.ts'
import { isDataOpcode, opcodeOf } from '../wire/index.ts'

/** Where a server listens. */
export interface ListenTarget {
  readonly protocol: 'udp' | 'tcp'
  /** Default: every address. */
  readonly host?: string
  readonly port: number
  /** Default: IPv6 and IPv4 together where no host says otherwise. */
  readonly family?: 4 | 6
}

/** Where a server's outputs go, sockets aside. */
export interface ServerSinks {
  readonly packet: (client: number, data: Uint8Array) => void
  readonly event: (client: number | undefined, event: ServerEvent) => void
}

/** Settings of a driver. */
export interface ServerDriverOptions {
  /** Packets of 1,500 bytes that may wait for a TCP client before its data packets are dropped. Default 64. */
  readonly tcpQueueLimit?: number
}

/** Where a client sends from. */
export interface PeerAddress {
  readonly protocol: 'udp' | 'tcp'
  /** An IPv4 address as such, also where it came through a socket for both versions. */
  readonly host: string
  readonly port: number
}

/** What a driver's address says. */
export function readAddress(address: string): PeerAddress {
  const [protocol, ...words] = address.split(' ')
  const [host = '', port = ''] = protocol === 'udp' ? words.slice(1) : words
  return {
    protocol: protocol === 'udp' ? 'udp' : 'tcp',
    host: host.replace(/^::ffff:(?=[\d.]+$)/i, ''),
    port: Number(port),
  }
}

const TCP_QUEUE_LIMIT = 64
const FULL_PACKET = 1500

/** A server kept running. */
export class ServerDriver {
  readonly server: Server
  readonly #sinks: ServerSinks
  /** Bytes that may wait in a connection. */
  readonly #queue: number
  readonly #udp: UdpSocket[] = []
  readonly #tcp: TcpServer[] = []
  readonly #connections = new Map<string, TcpSocket>()
  #serial = 0
  #timer: NodeJS.Timeout | undefined
  #draining = false

  constructor(server: Server, sinks: ServerSinks, options: ServerDriverOptions = {}) {
    this.server = server
    this.#sinks = sinks
    this.#queue = (options.tcpQueueLimit ?? TCP_QUEUE_LIMIT) * FULL_PACKET
  }

  /** Opens a socket; resolves with its port. */
  listen(target: ListenTarget): Promise<number> {
    return target.protocol === 'udp' ? this.#listenUdp(target) : this.#listenTcp(target)
  }

  /** Any input of the server, followed by a drain. */
  input<T>(action: (server: Server, now: number) => T): T {
    const result = action(this.server, performance.now())
    this.#settle()
    return result
  }

  /** Closes every socket; the server is left as it is. */
  close(): void {
    clearTimeout(this.#timer)
    for (const socket of this.#udp.splice(0)) socket.close()
    for (const server of this.#tcp.splice(0)) server.close()
    for (const socket of this.#connections.values()) socket.end()
  }

  #listenUdp({ family, host, port }: ListenTarget): Promise<number> {
    const index = this.#udp.length
    const socket = createSocket(family === 4 ? 'udp4' : 'udp6')
    this.#udp.push(socket)
    socket.on('message', (data, from) => {
      this.input((server, now) => {
        server.receive(data, `udp ${index} ${from.address} ${from.port}`, now)
      })
    })
    return new Promise((done, failed) => {
      socket.once('error', failed)
      socket.bind({ port, ...(host === undefined ? {} : { address: host }) }, () => {
        // From here on an error is an ICMP answer to some datagram: a lost packet.
        socket.on('error', () => undefined)
        socket.setRecvBufferSize(1 << 20)
        done(socket.address().port)
      })
    })
  }

  #listenTcp({ family, host, port }: ListenTarget): Promise<number> {
    const server = createServer({ noDelay: true }, (socket) => {
      this.#accept(socket)
    })
    this.#tcp.push(server)
    return new Promise((done, failed) => {
      server.once('error', failed)
      server.listen({ port, host: host ?? (family === 4 ? '0.0.0.0' : '::') }, () => {
        const address = server.address()
        done(typeof address === 'object' && address !== null ? address.port : port)
      })
    })
  }

  #accept(socket: TcpSocket): void {
    const name = `tcp ${socket.remoteAddress ?? ''} ${socket.remotePort ?? 0} ${this.#serial++}`
    this.#connections.set(name, socket)
    socket.on('data', (data) => {
      this.input((server, now) => {
        server.receive(data, name, now)
      })
    })
    socket.on('error', () => undefined)
    socket.on('close', () => {
      if (!this.#connections.delete(name)) return
      this.input((server, now) => {
        server.hangUp(name, now)
      })
    })
    this.input((server, now) => {
      server.accept(name, now)
    })
  }

  #settle(): void {
    if (this.#draining) return
    this.#draining = true
    for (let output = this.server.poll(); output !== undefined; output = this.server.poll()) this.#deliver(output)
    this.#draining = false
    clearTimeout(this.#timer)
    const deadline = this.server.pollTimeout()
    if (deadline === Infinity) return
    const wait = Math.min(Math.max(Math.ceil(deadline - performance.now()), 0), 0x7fffffff)
    this.#timer = setTimeout(() => {
      this.input((server, now) => {
        server.handleTimeout(now)
      })
    }, wait)
  }

  #deliver(output: ServerOutput): void {
    switch (output.type) {
      case 'transmit':
        this.#transmit(output.to, output.data)
        return
      case 'packet':
        this.#sinks.packet(output.client, output.data)
        return
      case 'hang-up':
        this.#connections.get(output.connection)?.end()
        this.#connections.delete(output.connection)
        return
      case 'event':
        this.#sinks.event(output.client, output.event)
    }
  }

  #transmit(to: string, data: Uint8Array): void {
    if (to.startsWith('tcp ')) {
      const socket = this.#connections.get(to)
      if (socket === undefined) return
      const isData = data.length > 2 && isDataOpcode(opcodeOf(data[2] as number))
      if (!isData || socket.writableLength < this.#queue) socket.write(data)
      return
    }
    const [, index, address, port] = to.split(' ')
    this.#udp[Number(index)]?.send(data, Number(port), address, () => undefined)
  }
}
