/**
 * What a grant allows a client beyond its addresses: sources, partners and rates (spec/server.md, "Policy of a client").
 *
 * Compiled once when the client is let in; a client without any of it has no policy, and its packets pass without a look.
 * Filters answer what the packet filter of releases up to 2.5 answered: which other clients, and which networks outside.
 */
import { maskBytes, parseIpv4Bytes, parseIpv6Bytes } from '../control/index.ts'
import type { ClientLimits, FilterList, RateGrant } from './config.ts'
import type { Network } from './push-lines.ts'

/** `address/prefix`, the host bits cleared; undefined when it is none. */
export function parseNetwork(text: string): Network | undefined {
  const match = /^([0-9a-fA-F.:]+)(?:\/(\d{1,3}))?$/.exec(text)
  const bytes = parseIpv4Bytes(match?.[1] ?? '') ?? parseIpv6Bytes(match?.[1] ?? '')
  if (bytes === undefined) return undefined
  const most = bytes.length * 8
  const prefix = match?.[2] === undefined ? most : Number(match[2])
  return prefix > most ? undefined : { network: maskBytes(bytes, prefix), prefix }
}

/** Tunnel bytes a client may send or be sent: a bucket that fills at the rate. */
class Bucket {
  readonly #perMs: number
  readonly #size: number
  #level: number
  #filledAt: number

  constructor({ bytesPerSecond, burst }: RateGrant, now: number) {
    this.#perMs = bytesPerSecond / 1000
    this.#size = Math.max(burst ?? bytesPerSecond, 1)
    this.#level = this.#size
    this.#filledAt = now
  }

  take(bytes: number, now: number): boolean {
    this.#level = Math.min(this.#size, this.#level + (now - this.#filledAt) * this.#perMs)
    this.#filledAt = now
    if (bytes > this.#level) return false
    this.#level -= bytes
    return true
  }
}

/** A list with its exceptions, prepared. */
interface Rules<T> {
  readonly accept: boolean
  readonly except: readonly T[]
}

/** The policy of one client. */
export class ClientPolicy {
  readonly #send: Bucket | undefined
  readonly #receive: Bucket | undefined
  readonly #clients: Rules<string> | undefined
  readonly #networks: Rules<Network> | undefined
  readonly #anySource: boolean
  readonly #sources: readonly Network[]

  /** Use {@link compilePolicy}. */
  constructor(grant: ClientLimits, networks: Rules<Network> | undefined, sources: readonly Network[], now: number) {
    const { filter, rate } = grant
    this.#send = rate?.fromClient === undefined ? undefined : new Bucket(rate.fromClient, now)
    this.#receive = rate?.toClient === undefined ? undefined : new Bucket(rate.toClient, now)
    this.#clients = filter?.clients === undefined ? undefined : rulesOf(filter.clients, (name) => name)
    this.#networks = networks
    this.#anySource = grant.sources === 'any'
    this.#sources = sources
  }

  /** Whether a source that is not the client's own may stand in its packets. SRV-84 */
  allowsSource(packet: Uint8Array): boolean {
    return this.#anySource || this.#sources.some((network) => covers(network, packet, false))
  }

  /** Whether the client and that other one may exchange packets, as far as this side says. SRV-82 */
  allowsClient(name: string | undefined): boolean {
    const rules = this.#clients
    if (rules === undefined) return true
    return rules.accept !== (name !== undefined && rules.except.includes(name))
  }

  /** Whether a packet from (or to) outside may pass. SRV-83 */
  allowsNetwork(packet: Uint8Array, toOutside: boolean): boolean {
    const rules = this.#networks
    if (rules === undefined) return true
    return rules.accept !== rules.except.some((network) => covers(network, packet, toOutside))
  }

  /** Whether the client's rate has room for a packet it sent (or is to be sent). SRV-81 */
  allowsBytes(bytes: number, fromClient: boolean, now: number): boolean {
    const bucket = fromClient ? this.#send : this.#receive
    return bucket === undefined || bucket.take(bytes, now)
  }
}

/** The limits in a grant, alone. */
export function limitsOf({ filter, rate, sources }: ClientLimits): ClientLimits {
  return { ...(filter && { filter }), ...(rate && { rate }), ...(sources && { sources }) }
}

/** The policy of a grant; undefined when it has none, a sentence when it is not written well. */
export function compilePolicy(
  grant: ClientLimits,
  device: 'tun' | 'tap' | undefined,
  now: number,
): ClientPolicy | string | undefined {
  const { filter, rate, sources } = grant
  if (filter === undefined && rate === undefined && sources === undefined) return undefined
  if (device === 'tap' && (sources !== undefined || filter?.networks !== undefined)) {
    return 'sources and networks of a filter are IP addresses, and this server carries frames'
  }
  for (const limit of [rate?.fromClient, rate?.toClient]) {
    if (limit !== undefined && !(limit.bytesPerSecond > 0 && (limit.burst ?? 1) > 0)) return 'a rate is above 0'
  }
  const own = typeof sources === 'string' || sources === undefined ? [] : sources
  const exceptions = filter?.networks?.except ?? []
  const bad = [...own, ...exceptions].find((text) => parseNetwork(text) === undefined)
  if (bad !== undefined) return `${bad} is no network`
  const parsed = (text: string) => parseNetwork(text) as Network
  const networks = filter?.networks === undefined ? undefined : rulesOf(filter.networks, parsed)
  return new ClientPolicy(grant, networks, own.map(parsed), now)
}

function rulesOf<T>(list: FilterList, read: (text: string) => T): Rules<T> {
  return { accept: list.default === 'accept', except: list.except.map(read) }
}

/** Whether a packet's source (or destination) lies in the network. */
function covers({ network, prefix }: Network, packet: Uint8Array, destination: boolean): boolean {
  const ipv4 = network.length === 4
  if ((packet[0] as number) >> 4 !== (ipv4 ? 4 : 6)) return false
  const at = ipv4 ? (destination ? 16 : 12) : destination ? 24 : 8
  for (let bit = 0; bit < prefix; bit += 8) {
    const mask = prefix - bit >= 8 ? 0xff : (0xff << (8 - prefix + bit)) & 0xff
    if ((((packet[at + (bit >> 3)] as number) ^ (network[bit >> 3] as number)) & mask) !== 0) return false
  }
  return true
}
