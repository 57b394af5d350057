/**
 * Where tunnel packets go, and whether they may come from where they say (spec/server.md, "Routing").
 *
 * With `tun` the tables hold what was granted: virtual addresses and networks behind clients. With `tap` the server learns
 * which hardware address speaks through whom, as a switch does. The answers are a client or one of three words, so that the
 * packet path branches on them and allocates nothing.
 */
import { readI32 } from './numbers.ts'
import { macNumber, RouteTable } from './route-table.ts'

/** Where a packet goes: to a client, to all of them, or to nobody that is known. */
export type Destination<T> = T | 'everybody' | 'nobody' | 'malformed'

/** What becomes of a packet by its source. */
export type SourceVerdict = 'good' | 'bad-source' | 'link-local' | 'malformed' | 'table-full'

/** The part of a client that the router looks at. */
export interface RouteOwner {
  /** One IPv4 address of its own as a signed number, 0 for none: what most of its packets come from. */
  ownAddress: number
  /** Networks given to it. */
  readonly networks: { readonly network: Uint8Array; readonly prefix: number }[]
  /** Hardware addresses learned of it. */
  learned: number
  /** Its VLAN; 0 where there are none. */
  readonly vlan: number
}

interface Learned<T> {
  owner: T
  seenAt: number
}

/** The tables of one server. */
export class Router<T extends RouteOwner & object> {
  readonly #table = new RouteTable<T>()
  /** Hardware addresses by VLAN. */
  readonly #lans = new Map<number, Map<number, Learned<T>>>()
  #learned = 0
  readonly #device: 'tun' | 'tap'
  readonly #maxRoutes: number
  readonly #broadcast4: number | undefined

  /** @param broadcast4 - the tunnel network's own broadcast address. */
  constructor(device: 'tun' | 'tap', maxRoutes: number, broadcast4: number | undefined) {
    this.#device = device
    this.#maxRoutes = maxRoutes
    this.#broadcast4 = broadcast4
  }

  /** Networks and learned addresses in all. */
  get size(): number {
    return this.#table.size + this.#learned
  }

  /** The owner of exactly that network. */
  ownerOf(network: Uint8Array, prefix: number): T | undefined {
    return this.#table.exact(network, prefix)
  }

  /** Gives a network to a client; false when it has too many. SRV-35 */
  add(owner: T, network: Uint8Array, prefix: number): boolean {
    if (owner.networks.length >= this.#maxRoutes) return false
    this.#table.set(network, prefix, owner)
    owner.networks.push({ network, prefix })
    if (network.length === 4 && prefix === 32) owner.ownAddress ||= readI32(network, 0)
    return true
  }

  /** Forgets everything of a client. */
  remove(owner: T): void {
    owner.ownAddress = 0
    for (const { network, prefix } of owner.networks.splice(0)) this.#table.delete(network, prefix, owner)
    if (owner.learned === 0) return
    for (const lan of this.#lans.values()) {
      for (const [mac, entry] of lan) if (entry.owner === owner) this.#forget(lan, mac, entry)
    }
  }

  /** Where the packet is to go; with `tap`, in that VLAN. SRV-30, SRV-34 */
  destination(packet: Uint8Array, vlan = 0): Destination<T> {
    if (this.#device === 'tap') {
      if (packet.length < 14) return 'malformed'
      if (((packet[0] as number) & 1) === 1) return 'everybody'
      return this.#lans.get(vlan)?.get(macNumber(packet, 0))?.owner ?? 'nobody'
    }
    const version = packet.length === 0 ? 0 : (packet[0] as number) >> 4
    if (version === 4 && packet.length >= 20) {
      const first = packet[16] as number
      if (first >= 224) return first < 240 || isAllOnes(packet, 16) ? 'everybody' : 'nobody'
      if (this.#broadcast4 !== undefined && isNumber(packet, 16, this.#broadcast4)) return 'everybody'
      return this.#table.find4(packet, 16) ?? 'nobody'
    }
    if (version !== 6 || packet.length < 40) return 'malformed'
    return packet[24] === 0xff ? 'everybody' : (this.#table.find6(packet, 24) ?? 'nobody')
  }

  /** Whether a client may send a packet from that source; with `tap` it learns who speaks. SRV-31 */
  judgeSource(packet: Uint8Array, owner: T, now: number): SourceVerdict {
    if (this.#device === 'tap') return this.#learn(packet, owner, now)
    const version = packet.length === 0 ? 0 : (packet[0] as number) >> 4
    if (version === 4 && packet.length >= 20) {
      // An address is the longest prefix there is, so its owner is known without the table.
      if (owner.ownAddress !== 0 && readI32(packet, 12) === owner.ownAddress) return 'good'
      return this.#table.find4(packet, 12) === owner ? 'good' : 'bad-source'
    }
    if (version !== 6 || packet.length < 40) return 'malformed'
    if (packet[8] === 0xfe && ((packet[9] as number) & 0xc0) === 0x80) return 'link-local' // SRV-32
    return this.#table.find6(packet, 8) === owner ? 'good' : 'bad-source'
  }

  /** Forgets hardware addresses that were silent for so long. */
  sweep(age: number, now: number): void {
    for (const lan of this.#lans.values()) {
      for (const [mac, entry] of lan) if (now - entry.seenAt >= age) this.#forget(lan, mac, entry)
    }
  }

  #forget(lan: Map<number, Learned<T>>, mac: number, { owner }: Learned<T>): void {
    lan.delete(mac)
    owner.learned--
    this.#learned--
  }

  /** SRV-36: the newest sender has the address. */
  #learn(frame: Uint8Array, owner: T, now: number): SourceVerdict {
    if (frame.length < 14) return 'malformed'
    if (((frame[6] as number) & 1) === 1) return 'bad-source'
    const mac = macNumber(frame, 6)
    let lan = this.#lans.get(owner.vlan)
    if (lan === undefined) this.#lans.set(owner.vlan, (lan = new Map<number, Learned<T>>()))
    const known = lan.get(mac)
    if (known !== undefined && known.owner === owner) {
      known.seenAt = now
      return 'good'
    }
    if (owner.learned >= this.#maxRoutes) return 'table-full'
    if (known !== undefined) this.#forget(lan, mac, known)
    lan.set(mac, { owner, seenAt: now })
    owner.learned++
    this.#learned++
    return 'good'
  }
}

function isAllOnes(bytes: Uint8Array, offset: number): boolean {
  return isNumber(bytes, offset, 0xffffffff)
}

function isNumber(bytes: Uint8Array, offset: number, value: number): boolean {
  return (
    bytes[offset] === value >>> 24 &&
    bytes[offset + 1] === ((value >>> 16) & 255) &&
    bytes[offset + 2] === ((value >>> 8) & 255) &&
    bytes[offset + 3] === (value & 255)
  )
}
