/**
 * What is on the tunnel side of `ovpn serve`: a real device, or a stand-in that answers pings to the server's own addresses.
 *
 * The stand-in needs no privileges. The device (root or CAP_NET_ADMIN, and koffi) has the server's addresses and the networks
 * of the profile's `route` lines; all of it is taken back at the end.
 */
import { equalBytes } from '../../bytes/index.ts'
import { emptyOptions, type TunnelOptions } from '../../control/index.ts'
import { ETHERTYPE, parseEcho, readFrame, replyTo, writeFrame } from '../echo.ts'
import { readNeighbor } from '../neighbor.ts'
import { HostNetwork, type NetworkNews, openTun, type TunDevice } from '../tun/index.ts'
import { addressBytes } from './plan.ts'
import type { ServePlan } from './serve-plan.ts'

/** The tunnel side. */
export interface Inside {
  /** A packet or frame of a client. */
  take(data: Uint8Array): void
  /** Takes everything back. */
  close(): void
}

/** The hardware address of the stand-in, with tap. */
const SERVER_MAC = Uint8Array.of(0x02, 0x6f, 0x76, 0x70, 0x6e, 0x01)
/** Largest packet read from a device. */
const ROOM = 65_536
/** Packets taken from a device before anything else has its turn. */
const BATCH = 64

/** Answers pings and, with tap, questions for the server's hardware address. */
export class StandIn implements Inside {
  readonly #tap: boolean
  readonly #own: readonly Uint8Array[]
  readonly #send: (packet: Uint8Array) => void

  constructor(plan: ServePlan, send: (packet: Uint8Array) => void) {
    this.#tap = plan.device === 'tap'
    this.#own = plan.addresses.map((address) => addressBytes(address)).filter((bytes) => bytes !== undefined)
    this.#send = send
  }

  take(data: Uint8Array): void {
    const answer = this.#tap ? this.#answerFrame(data) : this.#answerPing(data)
    if (answer !== undefined) this.#send(answer)
  }

  close(): void {
    // Nothing was opened.
  }

  #answerPing(packet: Uint8Array): Uint8Array | undefined {
    const echo = parseEcho(packet)
    if (echo?.kind !== 'request') return undefined
    return this.#own.some((own) => equalBytes(own, echo.destination)) ? replyTo(echo) : undefined
  }

  #answerFrame(frame: Uint8Array): Uint8Array | undefined {
    const ipv4 = this.#own.find((own) => own.length === 4)
    const ipv6 = this.#own.find((own) => own.length === 16)
    const meaning = readFrame(frame, SERVER_MAC, ipv4)
    if (meaning.type === 'arp-request') return meaning.answer
    if (meaning.type !== 'packet') return undefined
    const { from, packet } = meaning
    const neighbor = ipv6 === undefined ? undefined : readNeighbor(packet, SERVER_MAC, ipv6, from)
    if (neighbor?.type === 'solicitation') return neighbor.answer
    const reply = this.#answerPing(packet)
    const type = reply?.length !== undefined && (reply[0] as number) >> 4 === 6 ? ETHERTYPE.ipv6 : ETHERTYPE.ipv4
    return reply === undefined ? undefined : writeFrame(from, SERVER_MAC, type, reply)
  }
}

/** A tun or tap device of the system. */
export class RealDevice implements Inside {
  readonly #device: TunDevice
  readonly #network: HostNetwork
  readonly #buffer = new Uint8Array(ROOM)

  /**
   * Opens the device and sets the network up.
   * @param send - packets of the system, several at a time; borrowed until it returns.
   * @throws UsageError when there are no privileges or no koffi.
   */
  constructor(plan: ServePlan, send: (packets: readonly Uint8Array[]) => void, tell: (news: NetworkNews) => void) {
    const { device: kind, deviceName: name, inside } = plan
    this.#device = openTun({ kind, name })
    const mtu = plan.config.session?.tunMtu ?? 1500
    this.#network = new HostNetwork({ name: this.#device.name, kind, mtu }, false, { tell, settings: { names: false } })
    this.#network.up(serverOptions(plan, inside), undefined)
    this.#device.start(() => {
      const packets: Uint8Array[] = []
      while (packets.length < BATCH) {
        const length = this.#device.read(this.#buffer, 0, ROOM)
        if (length <= 0) break
        packets.push(this.#buffer.slice(0, length))
      }
      if (packets.length > 0) send(packets)
    })
  }

  /** The device's name. */
  get name(): string {
    return this.#device.name
  }

  take(data: Uint8Array): void {
    this.#device.write(data, 0, data.length)
  }

  close(): void {
    this.#network.down()
    this.#device.close()
  }
}

/** The server's own end: its addresses with the whole tunnel network on the link, and the profile's routes. */
function serverOptions({ config, device }: ServePlan, own: TunnelOptions): TunnelOptions {
  const { ipv4, ipv6 } = config.addresses
  return {
    ...emptyOptions(device),
    routes: own.routes,
    routes6: own.routes6,
    ...(ipv4 === undefined ? {} : { ipv4: { address: ipv4.server, prefix: ipv4.prefix } }),
    ...(ipv6 === undefined ? {} : { ipv6: { address: ipv6.server, prefix: ipv6.prefix } }),
  }
}
