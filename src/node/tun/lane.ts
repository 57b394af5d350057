/**
 * The way of packets between a device and a client: in batches, sealed and opened in place, without an object per packet.
 *
 *     device -> read behind headroom -> session.seal -> sendmmsg
 *     recvmmsg -> session.open -> device
 *
 * The short way is for UDP without a relay, once a tunnel is up; everything else (control packets, TCP, proxies, the time
 * before the first key) goes through the client's plain inputs. Without koffi the socket is Node's own and datagrams come
 * one by one, still opened in place.
 */
import type { ClientConfig } from '../../client/index.ts'
import type { Session } from '../../session/index.ts'
import type { ClientDriver } from '../client-driver.ts'
import { type Link, type LinkRequest, type LinkSinks, openLink } from '../link.ts'
import type { TunDevice } from './tun-device.ts'
import { type Libc, loadLibc } from './libc.ts'
import { Batch, BATCH, BatchSocket, type Batches, isPlainAddress, SLOT } from './udp.ts'

/** Free bytes before a packet: more than any session asks for. */
const HEADROOM = 128
/** Free bytes behind a packet. */
const TAILROOM = 128
/** Room of a packet. */
const ROOM = SLOT - HEADROOM - TAILROOM

/** Moves packets between one device and one client. */
export class PacketLane {
  readonly #direct: boolean
  readonly #libc: Libc | undefined
  readonly #batches: Batches | undefined
  readonly #outgoing: Uint8Array
  #driver: ClientDriver | undefined
  #device: TunDevice | undefined
  #socket: BatchSocket | undefined

  /** @param koffi - the koffi module, for hosts that bundle it; otherwise the installed one, or none. */
  constructor(config: ClientConfig, koffi?: unknown) {
    this.#direct = config.remotes.every(({ proxy }) => proxy === undefined)
    this.#libc = tryLoad(koffi)
    this.#batches =
      this.#libc === undefined ? undefined : { incoming: new Batch(this.#libc), outgoing: new Batch(this.#libc) }
    this.#outgoing = this.#batches?.outgoing.buffer ?? new Uint8Array(SLOT)
  }

  /** Whose packets these are. Call it before the driver starts. */
  attach(driver: ClientDriver): void {
    this.#driver = driver
  }

  /** Begins to carry the device's packets. */
  carry(device: TunDevice): void {
    this.#device = device
    device.start(() => {
      this.#fromDevice(device)
    })
  }

  /** A packet that came the plain way, for the device. */
  deliver(packet: Uint8Array): void {
    this.#device?.write(packet, 0, packet.length)
  }

  /** Opens a client's sockets: the driver's link opener. */
  readonly open = (request: LinkRequest, sinks: LinkSinks): Link => {
    const { transport, float, address } = request
    const fits = transport === 'udp' && !float && this.#direct
    if (!fits) return openLink(request, sinks)
    if (this.#libc === undefined || this.#batches === undefined || !isPlainAddress(address)) {
      const receive = (data: Uint8Array): void => {
        const bytes = new Uint8Array(data.buffer, data.byteOffset, data.length)
        if (!this.#openPacket(request.link, bytes, 0, bytes.length)) sinks.receive(bytes)
        else this.#driver?.settle()
      }
      return openLink(request, { ...sinks, receive })
    }
    try {
      return this.#openSocket(this.#libc, this.#batches, request, sinks)
    } catch (error) {
      setImmediate(() => {
        sinks.over(error instanceof Error ? error.message : String(error))
      })
      return { send: () => undefined, close: () => undefined }
    }
  }

  #openSocket(libc: Libc, batches: Batches, request: LinkRequest, sinks: LinkSinks): Link {
    const socket = new BatchSocket(libc, batches, request)
    const { incoming } = batches
    socket.start(() => {
      const count = socket.receive()
      for (let i = 0; i < count; i++) {
        const offset = i * SLOT
        const length = incoming.length(i)
        if (!this.#openPacket(request.link, incoming.buffer, offset, length)) {
          sinks.receive(incoming.buffer.subarray(offset, offset + length))
        }
      }
      this.#driver?.settle()
    })
    this.#socket = socket
    setImmediate(sinks.open)
    return {
      send: (data) => {
        socket.send(data)
      },
      close: () => {
        if (this.#socket === socket) this.#socket = undefined
        socket.close()
      },
    }
  }

  /** The session whose packets may go the short way now. */
  #session(link?: number): Session | undefined {
    const client = this.#driver?.client
    if (client === undefined || (link !== undefined && client.link !== link)) return undefined
    const { session } = client
    return session?.state === 'connected' ? session : undefined
  }

  /** False: it is for the plain way. */
  #openPacket(link: number, buffer: Uint8Array, offset: number, length: number): boolean {
    const session = this.#session(link)
    if (session === undefined) return false
    const size = session.open(buffer, offset, length, performance.now())
    if (size > 0) this.#device?.write(session.resultBuffer, session.resultOffset, size)
    return true
  }

  #fromDevice(device: TunDevice): void {
    const socket = this.#socket
    const session = socket === undefined ? undefined : this.#session()
    if (socket === undefined || session === undefined) {
      this.#fromDeviceSlowly(device)
      return
    }
    const now = performance.now()
    const outgoing = (this.#batches as Batches).outgoing
    const buffer = this.#outgoing
    let count = 0
    for (let i = 0; i < BATCH; i++) {
      const offset = i * SLOT + HEADROOM
      const length = device.read(buffer, offset, ROOM)
      if (length === 0) break
      const size = session.seal(buffer, offset, length, now)
      if (size < 0) continue
      if (session.fragmentsLeft === 0) {
        outgoing.place(count++, session.resultOffset, size)
        continue
      }
      // The fragments of a packet are made in one place, so they leave one by one, behind what was sealed before.
      socket.flush(count)
      count = 0
      for (let part = size; part > 0; part = session.sealNext(buffer, offset, now)) {
        socket.send(buffer.subarray(session.resultOffset, session.resultOffset + part))
      }
    }
    socket.flush(count)
    this.#driver?.settle()
  }

  #fromDeviceSlowly(device: TunDevice): void {
    for (let i = 0; i < BATCH; i++) {
      const length = device.read(this.#outgoing, 0, SLOT)
      if (length === 0) return
      this.#driver?.send(this.#outgoing.subarray(0, length))
    }
  }
}

function tryLoad(koffi: unknown): Libc | undefined {
  try {
    return loadLibc(koffi)
  } catch {
    return undefined
  }
}
