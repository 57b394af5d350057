/**
 * A UDP socket that takes and gives many datagrams per system call (recvmmsg, sendmmsg), in buffers that stay in place, so
 * that packets are sealed and opened where they lie.
 *
 * Connected: only the peer's datagrams arrive. An answer of the network that a datagram was not delivered is a lost packet
 * and nothing else. What the kernel does not take at once is dropped, as any full queue on the way would.
 */
import { formatIpv4, parseIpv4Bytes, parseIpv6Bytes } from '../../control/index.ts'
import type { Link, LinkRequest } from '../link.ts'
import { type Arena, ERRNO, type Libc, type Watch } from './libc.ts'

/** Datagrams per system call. */
export const BATCH = 64
/** Room of each datagram, enough for any tunnel MTU up to about 16,000. */
export const SLOT = 16_384

const AF_INET = 2
const AF_INET6 = 10
const SOCK_DGRAM = 2
const SOCK_NONBLOCK = 0o4000
const SOCK_CLOEXEC = 0o2000000
const SOL_SOCKET = 1
const SO_SNDBUF = 7
const SO_RCVBUF = 8
const SO_SNDBUFFORCE = 32
const SO_RCVBUFFORCE = 33
const SOCKET_BUFFER = 1 << 20
/** `struct mmsghdr` and `struct iovec` of 64-bit Linux. */
const HEADER = 64
const HEADER_VECTOR = 16
const HEADER_COUNT = 24
const HEADER_LENGTH = 56
const VECTOR = 16

/** Buffers for a batch, with the headers that name them to the kernel. */
export class Batch {
  /** Slot `i` starts at `i * SLOT`. */
  readonly buffer: Uint8Array
  readonly headers: bigint
  readonly #base: number
  readonly #words: Uint32Array
  readonly #vectors: number

  constructor(libc: Libc) {
    const packets: Arena = libc.arena(BATCH * SLOT)
    const table: Arena = libc.arena(BATCH * (HEADER + VECTOR))
    this.buffer = packets.bytes
    this.headers = table.address
    this.#base = Number(packets.address)
    this.#words = new Uint32Array(table.bytes.buffer, 0, (BATCH * (HEADER + VECTOR)) / 4)
    this.#vectors = BATCH * HEADER
    for (let i = 0; i < BATCH; i++) {
      const vector = this.#vectors + i * VECTOR
      this.#address(i * HEADER + HEADER_VECTOR, Number(table.address) + vector)
      this.#words[(i * HEADER + HEADER_COUNT) / 4] = 1
      this.place(i, i * SLOT, SLOT)
    }
  }

  /** Lets entry `index` be `buffer[offset, offset + length)`. */
  place(index: number, offset: number, length: number): void {
    const vector = this.#vectors + index * VECTOR
    this.#address(vector, this.#base + offset)
    this.#words[vector / 4 + 2] = length
  }

  /** Bytes of a received datagram. */
  length(index: number): number {
    return this.#words[(index * HEADER + HEADER_LENGTH) / 4] as number
  }

  #address(at: number, address: number): void {
    this.#words[at / 4] = address % 0x1_0000_0000
    this.#words[at / 4 + 1] = Math.floor(address / 0x1_0000_0000)
  }
}

/** Both batches of a process: one way each. They are as large as they are, so they are made once. */
export interface Batches {
  readonly incoming: Batch
  readonly outgoing: Batch
}

/** A socket for batches. */
export class BatchSocket implements Link {
  readonly #libc: Libc
  readonly #batches: Batches
  #fd: number
  #watch: Watch | undefined

  /** @throws Error when the system does not let it be opened. */
  constructor(libc: Libc, batches: Batches, { address, port, local }: LinkRequest) {
    this.#libc = libc
    this.#batches = batches
    const family = address.includes(':') ? AF_INET6 : AF_INET
    this.#fd = libc.socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)
    this.#must('no socket', this.#fd)
    this.#widen(SO_RCVBUFFORCE, SO_RCVBUF)
    this.#widen(SO_SNDBUFFORCE, SO_SNDBUF)
    if (local !== undefined) {
      const bound = socketAddress(local.address ?? (family === AF_INET ? '0.0.0.0' : '::'), local.port ?? 0)
      this.#must('its local address is not free', libc.bind(this.#fd, bound, bound.length))
    }
    const peer = socketAddress(address, port)
    this.#must('no route to the server', libc.connect(this.#fd, peer, peer.length))
  }

  /** Calls back when datagrams wait. */
  start(readable: () => void): void {
    this.#watch = this.#libc.watch(this.#fd, readable)
  }

  /** Takes waiting datagrams into the incoming batch; their number. */
  receive(): number {
    if (this.#fd < 0) return 0
    return Math.max(this.#libc.recvmmsg(this.#fd, this.#batches.incoming.headers, BATCH, 0, null), 0)
  }

  /** Sends the first `count` entries of the outgoing batch. */
  flush(count: number): void {
    const { headers } = this.#batches.outgoing
    let failed = -1
    for (let at = 0; at < count && this.#fd >= 0; ) {
      const from = at === 0 ? headers : headers + BigInt(at * HEADER)
      const sent = this.#libc.sendmmsg(this.#fd, from, count - at, 0)
      if (sent > 0) at += sent
      else if (this.#libc.errno() === ERRNO.EAGAIN) return
      // The first error may be the answer to an earlier datagram; the second is about this one.
      else if (failed === at) at++
      else failed = at
    }
  }

  send(data: Uint8Array): void {
    if (this.#fd >= 0) this.#libc.write(this.#fd, data, data.length)
  }

  close(): void {
    if (this.#fd < 0) return
    this.#watch?.close()
    this.#libc.close(this.#fd)
    this.#fd = -1
  }

  #widen(force: number, ask: number): void {
    const size = new Uint8Array(Int32Array.of(SOCKET_BUFFER).buffer)
    if (this.#libc.setsockopt(this.#fd, SOL_SOCKET, force, size, 4) < 0) {
      this.#libc.setsockopt(this.#fd, SOL_SOCKET, ask, size, 4)
    }
  }

  #must(what: string, result: number): void {
    if (result >= 0) return
    const error = this.#libc.errno()
    this.close()
    throw new Error(`${what} (errno ${error})`)
  }
}

/** True when {@link BatchSocket} can reach it: a plain address, not one of a link's own zone. */
export function isPlainAddress(text: string): boolean {
  const bytes = parseIpv4Bytes(text)
  return (bytes !== undefined && formatIpv4(bytes) === text) || parseIpv6Bytes(text) !== undefined
}

/** `struct sockaddr_in` or `sockaddr_in6`. */
function socketAddress(text: string, port: number): Uint8Array {
  const ipv4 = parseIpv4Bytes(text)
  const bytes = ipv4 ?? parseIpv6Bytes(text) ?? new Uint8Array(16)
  const address = new Uint8Array(ipv4 === undefined ? 28 : 16)
  const view = new DataView(address.buffer)
  view.setUint16(0, ipv4 === undefined ? AF_INET6 : AF_INET, true)
  view.setUint16(2, port)
  address.set(bytes, ipv4 === undefined ? 8 : 4)
  return address
}
