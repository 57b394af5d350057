/**
 * Client sockets as two verbs: UDP through `dgram`, connected so that only the peer's datagrams arrive, and TCP through
 * `net`. Names are resolved here; nothing else is decided here.
 */
import { createSocket, type Socket } from 'node:dgram'
import { lookup } from 'node:dns/promises'
import { connect as connectTcp, isIP, type Socket as TcpSocket } from 'node:net'

/** One path to one peer. */
export interface Transport {
  /** The peer as `address:port`, for people. */
  readonly peer: string
  send(data: Uint8Array): void
  close(): void
}

/** What a transport tells its owner. */
export interface TransportSinks {
  readonly receive: (data: Uint8Array) => void
  /** A TCP stream broke or the peer closed it. Datagrams that can't be delivered are only lost. */
  readonly broken: (reason: string) => void
}

/** A peer's address as the profile names it. */
export interface TransportTarget {
  readonly host: string
  readonly port: number
  readonly protocol: 'udp' | 'tcp'
  /** Restricts name resolution to one address family. */
  readonly family?: 4 | 6
  /** Local port to bind, 0 or absent for any. */
  readonly localPort?: number
}

/** Resolves the target and opens a socket to it. Rejects with a plain sentence when either fails. */
export async function openTransport(target: TransportTarget, sinks: TransportSinks): Promise<Transport> {
  const family = isIP(target.host)
  const resolved = family === 0 ? await resolve(target) : { address: target.host, family: family === 6 ? 6 : 4 }
  return target.protocol === 'udp' ? await openUdp(target, resolved, sinks) : await openTcp(target, resolved, sinks)
}

interface Resolved {
  readonly address: string
  readonly family: number
}

async function resolve(target: TransportTarget): Promise<Resolved> {
  try {
    return await lookup(target.host, target.family === undefined ? {} : { family: target.family })
  } catch {
    throw new Error(`cannot resolve ${target.host}`)
  }
}

function openUdp(target: TransportTarget, resolved: Resolved, sinks: TransportSinks): Promise<Transport> {
  return new Promise((done, failed) => {
    const socket: Socket = createSocket(resolved.family === 6 ? 'udp6' : 'udp4')
    let open = false
    // Once open, an error is an ICMP answer to some datagram: a lost packet, about which the session's timers decide.
    socket.on('error', (error) => {
      if (!open) failed(error)
    })
    socket.on('message', (data) => {
      sinks.receive(data)
    })
    socket.bind(target.localPort ?? 0, () => {
      socket.connect(target.port, resolved.address, () => {
        open = true
        done({
          peer: `${resolved.address}:${target.port}`,
          send: (data) => {
            socket.send(data, () => undefined)
          },
          close: () => {
            socket.removeAllListeners('message')
            socket.close()
          },
        })
      })
    })
  })
}

function openTcp(target: TransportTarget, resolved: Resolved, sinks: TransportSinks): Promise<Transport> {
  return new Promise((done, failed) => {
    const socket: TcpSocket = connectTcp({
      host: resolved.address,
      port: target.port,
      noDelay: true,
      ...(target.localPort === undefined ? {} : { localPort: target.localPort }),
    })
    let open = false
    let closed = false
    socket.on('error', (error) => {
      if (!open) failed(error)
      else if (!closed) sinks.broken(error.message)
    })
    socket.on('close', () => {
      if (open && !closed) sinks.broken('the peer closed the connection')
    })
    socket.on('data', (data) => {
      sinks.receive(data)
    })
    socket.on('connect', () => {
      open = true
      done({
        peer: `${resolved.address}:${target.port}`,
        send: (data) => {
          socket.write(data)
        },
        close: () => {
          closed = true
          socket.end()
        },
      })
    })
  })
}
