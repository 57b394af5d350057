/**
 * A small TCP/IP of our own, for programs without a tunnel device: TCP connections that we open and UDP questions, over
 * packets in and packets out. A value like the connections in it: time and randomness come in.
 *
 * Only answers to what was asked are let in (NODE-28); everything else is dropped without a word, so nothing on this machine can be
 * reached through it.
 */
import type { RandomSource } from '../../crypto/index.ts'
import {
  headerLength,
  type Ported,
  PROTOCOL,
  readIp,
  readTcp,
  readUdp,
  type Segment,
  writeIp,
  writeTcp,
  writeUdp,
} from './packet.ts'
import { TcpConnection, type TcpOutput } from './tcp.ts'

/** Addresses of the inner end. */
export interface StackAddresses {
  readonly ipv4: Uint8Array | undefined
  readonly ipv6: Uint8Array | undefined
  readonly mtu: number
}

/** What the owner of a connection hears. */
export type TcpNews = Exclude<TcpOutput, { readonly type: 'segment' }>

/** A connection as its owner has it. */
export interface TcpHandle {
  write(data: Uint8Array, now: number): number
  end(now: number): void
  abort(now: number): void
  consumed(bytes: number, now: number): void
}

interface Entry {
  readonly tcp: TcpConnection
  readonly local: Uint8Array
  readonly remote: Uint8Array
  readonly localPort: number
  readonly remotePort: number
  readonly hear: (news: TcpNews) => void
}

interface Question {
  readonly remote: string
  readonly hear: (answer: Uint8Array) => void
}

const FIRST_PORT = 49_152
const TCP_HEADER = 20

/** The stack. `send` gets every packet that is to leave. */
export class Stack {
  readonly #random: RandomSource
  readonly #send: (packet: Uint8Array) => void
  readonly #connections = new Map<string, Entry>()
  readonly #questions = new Map<number, Question>()
  #addresses: StackAddresses = { ipv4: undefined, ipv6: undefined, mtu: 1500 }
  #id = 0

  constructor(random: RandomSource, send: (packet: Uint8Array) => void) {
    this.#random = random
    this.#send = send
  }

  /** Connections that are not closed. */
  get size(): number {
    return this.#connections.size
  }

  /** The tunnel has (other) addresses: connections from an address that is gone end. */
  configure(addresses: StackAddresses): void {
    this.#addresses = addresses
    for (const [key, entry] of this.#connections) {
      const own = entry.local.length === 4 ? addresses.ipv4 : addresses.ipv6
      if (own !== undefined && key.startsWith(`${String(own)} `)) continue
      entry.tcp.abort()
      this.#drain(key, entry)
    }
  }

  /** True when an address of this family can be called. */
  reaches(address: Uint8Array): boolean {
    return this.#own(address) !== undefined
  }

  /** Opens a connection; undefined when the tunnel has no address of that family. */
  connect(remote: Uint8Array, remotePort: number, now: number, hear: (news: TcpNews) => void): TcpHandle | undefined {
    const local = this.#own(remote)
    if (local === undefined) return undefined
    let localPort = this.#port()
    let key = connectionKey(local, localPort, remote, remotePort)
    while (this.#connections.has(key)) {
      localPort = this.#port()
      key = connectionKey(local, localPort, remote, remotePort)
    }
    const isn = new DataView(this.#random(4).slice().buffer).getUint32(0)
    const mss = this.#addresses.mtu - headerLength(local) - TCP_HEADER
    const tcp = new TcpConnection({ isn, mss, now })
    const entry: Entry = { tcp, local, remote, localPort, remotePort, hear }
    this.#connections.set(key, entry)
    this.#drain(key, entry)
    const then = <T>(result: T): T => {
      this.#drain(key, entry)
      return result
    }
    return {
      write: (data, at) => then(tcp.write(data, at)),
      end: (at) => {
        then(tcp.end(at))
      },
      abort: () => {
        then(tcp.abort())
      },
      consumed: (bytes) => {
        then(tcp.consumed(bytes))
      },
    }
  }

  /** Sends a UDP datagram and hears its answers, until `forget`; the port is the question's number. */
  ask(remote: Uint8Array, port: number, content: Uint8Array, hear: (answer: Uint8Array) => void): number | undefined {
    const local = this.#own(remote)
    if (local === undefined) return undefined
    let sourcePort = this.#port()
    while (this.#questions.has(sourcePort)) sourcePort = this.#port()
    this.#questions.set(sourcePort, { remote: `${String(remote)} ${port}`, hear })
    this.#send(writeIp(writeUdp({ sourcePort, destinationPort: port, content }, local, remote), this.#id++))
    return sourcePort
  }

  /** No more answers to this question. */
  forget(question: number): void {
    this.#questions.delete(question)
  }

  /** A packet out of the tunnel. */
  receive(packet: Uint8Array, now: number): void {
    const datagram = readIp(packet)
    if (datagram === undefined) return
    const own = datagram.destination.length === 4 ? this.#addresses.ipv4 : this.#addresses.ipv6
    if (own === undefined || String(own) !== String(datagram.destination)) return
    if (datagram.protocol === PROTOCOL.udp) {
      const read = readUdp(datagram)
      const question = read === undefined ? undefined : this.#questions.get(read.destinationPort)
      if (read === undefined || question?.remote !== `${String(datagram.source)} ${read.sourcePort}`) return
      question.hear(read.content)
    } else if (datagram.protocol === PROTOCOL.tcp) {
      const read = readTcp(datagram)
      if (read === undefined) return
      const key = connectionKey(datagram.destination, read.destinationPort, datagram.source, read.sourcePort)
      const entry = this.#connections.get(key)
      if (entry === undefined) return
      entry.tcp.receive(read.content, now)
      this.#drain(key, entry)
    }
  }

  /** Runs what is due. */
  handleTimeout(now: number): void {
    for (const [key, entry] of this.#connections) {
      if (entry.tcp.pollTimeout() > now) continue
      entry.tcp.handleTimeout(now)
      this.#drain(key, entry)
    }
  }

  /** When `handleTimeout` must be called. */
  pollTimeout(): number {
    let earliest = Infinity
    for (const { tcp } of this.#connections.values()) earliest = Math.min(earliest, tcp.pollTimeout())
    return earliest
  }

  #drain(key: string, entry: Entry): void {
    const { tcp, local, remote, localPort, remotePort, hear } = entry
    for (let output = tcp.poll(); output !== undefined; output = tcp.poll()) {
      if (output.type === 'segment') {
        const content: Ported<Segment> = { sourcePort: localPort, destinationPort: remotePort, content: output.segment }
        this.#send(writeIp(writeTcp(content, local, remote), this.#id++))
      } else {
        if (output.type === 'closed') this.#connections.delete(key)
        hear(output)
      }
    }
  }

  #own(remote: Uint8Array): Uint8Array | undefined {
    return remote.length === 4 ? this.#addresses.ipv4 : this.#addresses.ipv6
  }

  /** A random port, so that answers cannot be guessed. */
  #port(): number {
    const [high = 0, low = 0] = this.#random(2)
    return FIRST_PORT + (((high << 8) | low) % (65_536 - FIRST_PORT))
  }
}

function connectionKey(local: Uint8Array, localPort: number, remote: Uint8Array, remotePort: number): string {
  return `${String(local)} ${localPort} ${String(remote)} ${remotePort}`
}
