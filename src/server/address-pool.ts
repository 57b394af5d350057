/**
 * Who gets which address: leases out of the plan's pools (spec/server.md, "Addresses").
 *
 * IPv4 and IPv6 share one index, so that a client keeps both or neither. A name that comes back gets the place it had, if
 * that is free; else a place nobody had yet; else the one that has been free for longest (SRV-23). A place is given to one
 * client at a time (SRV-24). Each step costs the same however large the pool is.
 */
import { ConfigError, Queue } from '../bytes/index.ts'
import type { AddressPlan, Lease } from './config.ts'
import { ipv4Number, ipv4Text, ipv6Bytes, ipv6Plus, readU32 } from './numbers.ts'
import { netmaskOf } from './plan.ts'

/** Largest pool, as many as there are peer-ids a server could give. */
const MAX_POOL = 0x10000

/** Addresses out of the pools, in the words of `ifconfig` and `ifconfig-ipv6`. */
export interface LeasedAddresses {
  /** Place in the pool. */
  readonly index: number
  readonly ipv4?: { readonly local: string; readonly remoteOrNetmask: string }
  readonly ipv6?: { readonly address: string; readonly prefix: number; readonly remote: string }
}

/** Addresses from `first` to the end of its network, as far as they matter. SRV-22 */
function placesBehind(first: Uint8Array, prefix: number): number {
  const hostBits = Math.min(32, 128 - prefix)
  return Math.min(MAX_POOL, 2 ** hostBits - (readU32(first, 12) % 2 ** hostBits))
}

/** The pools of one server. */
export class AddressPool {
  readonly size: number
  readonly #plan: AddressPlan
  readonly #first4: number
  readonly #first6: Uint8Array | undefined
  /** The name that has or last had a place. */
  readonly #names: (string | undefined)[] = []
  readonly #inUse: boolean[] = []
  /** Counts the releases of a place, so that an entry of the queue can be told to be stale. */
  readonly #releases: number[] = []
  readonly #byName = new Map<string, number>()
  readonly #freed = new Queue<{ readonly index: number; readonly release: number }>()
  #fresh = 0
  #used = 0

  /**
   * @param leases - of an earlier run: their places are kept for their names.
   * @throws ConfigError for a pool that is none.
   */
  constructor(plan: AddressPlan, leases: readonly Lease[] = []) {
    this.#plan = plan
    const pool = plan.ipv4?.pool
    const first = pool === undefined ? 0 : ipv4Number(pool.first, 'ifconfig-pool')
    const last = pool === undefined ? 0 : ipv4Number(pool.last, 'ifconfig-pool')
    const block = plan.topology === 'net30' ? 4 : 1
    this.#first4 = plan.topology === 'net30' ? first - (first % 4) : first
    if (last < first) throw new ConfigError('ifconfig-pool', 'its last address is below its first')
    const places4 = pool === undefined ? MAX_POOL : Math.floor((last - this.#first4 + 1 + (block - 1)) / block)
    const poolFirst = plan.ipv6?.poolFirst
    this.#first6 = poolFirst === undefined ? undefined : ipv6Bytes(poolFirst, 'ifconfig-ipv6-pool')
    const places6 = this.#first6 === undefined ? MAX_POOL : placesBehind(this.#first6, plan.ipv6?.prefix ?? 0)
    const none = pool === undefined && poolFirst === undefined
    this.size = none ? 0 : Math.min(MAX_POOL, places4, places6)
    for (const lease of leases) this.#restore(lease)
  }

  /** Places given out. */
  get used(): number {
    return this.#used
  }

  /** A place for a client; `sticky`: the one its name had before, where possible. Undefined: the pool is used up. */
  acquire(name: string, sticky: boolean): LeasedAddresses | undefined {
    const index = (sticky ? this.#ownPlace(name) : undefined) ?? this.#freshPlace() ?? this.#longestFree()
    if (index === undefined) return undefined
    this.#take(index, name, sticky)
    return this.addresses(index)
  }

  #take(index: number, name: string, sticky: boolean): void {
    const former = this.#names[index]
    if (former !== undefined && this.#byName.get(former) === index) this.#byName.delete(former)
    this.#inUse[index] = true // SRV-24
    this.#names[index] = name
    if (sticky) this.#byName.set(name, index)
    this.#used++
  }

  /** The place of addresses that a client has already; undefined where they are not of this pool, or another has them. */
  claim(lease: Lease): LeasedAddresses | undefined {
    const index = this.#indexOf(lease)
    if (index === undefined || this.#inUse[index] === true) return undefined
    this.#take(index, lease.commonName, lease.commonName !== '')
    return this.addresses(index)
  }

  /** Takes a place back. */
  release(index: number): void {
    if (this.#inUse[index] !== true) return
    this.#inUse[index] = false
    this.#used--
    this.#queue(index)
  }

  /** The addresses of a place. SRV-20, SRV-21, SRV-22 */
  addresses(index: number): LeasedAddresses {
    const { ipv4, ipv6, topology } = this.#plan
    const four = ipv4?.pool === undefined ? undefined : this.#ipv4At(index, topology, ipv4.server, netmaskOf(ipv4))
    const six =
      ipv6 === undefined || this.#first6 === undefined
        ? undefined
        : { address: ipv6Plus(this.#first6, index), prefix: ipv6.prefix, remote: ipv6.server }
    return { index, ...(four === undefined ? {} : { ipv4: four }), ...(six === undefined ? {} : { ipv6: six }) }
  }

  /** Who has or had which place, for `ifconfig-pool-persist`. */
  export(): readonly Lease[] {
    return [...this.#byName].map(([commonName, index]) => {
      const { ipv4, ipv6 } = this.addresses(index)
      return {
        commonName,
        ...(ipv4 === undefined ? {} : { ipv4: ipv4.local }),
        ...(ipv6 === undefined ? {} : { ipv6: ipv6.address }),
      }
    })
  }

  #ipv4At(index: number, topology: AddressPlan['topology'], server: string, netmask: string): LeasedAddresses['ipv4'] {
    if (topology === 'net30') {
      const block = this.#first4 + 4 * index
      return { local: ipv4Text(block + 2), remoteOrNetmask: ipv4Text(block + 1) }
    }
    return { local: ipv4Text(this.#first4 + index), remoteOrNetmask: topology === 'subnet' ? netmask : server }
  }

  /** SRV-23 */
  #ownPlace(name: string): number | undefined {
    const index = this.#byName.get(name)
    return index === undefined || this.#inUse[index] === true ? undefined : index
  }

  #freshPlace(): number | undefined {
    while (this.#fresh < this.size && this.#names[this.#fresh] !== undefined) this.#fresh++
    return this.#fresh < this.size ? this.#fresh++ : undefined
  }

  #longestFree(): number | undefined {
    for (let entry = this.#freed.shift(); entry !== undefined; entry = this.#freed.shift()) {
      if (this.#inUse[entry.index] !== true && this.#releases[entry.index] === entry.release) return entry.index
    }
    return undefined
  }

  #queue(index: number): void {
    const release = (this.#releases[index] ?? 0) + 1
    this.#releases[index] = release
    this.#freed.push({ index, release })
    // Places that were taken again leave stale entries behind: sweep before they outgrow the pool.
    if (this.#freed.length > 2 * this.size + 16) this.#sweep()
  }

  #sweep(): void {
    for (let left = this.#freed.length; left > 0; left--) {
      const entry = this.#freed.shift()
      if (entry === undefined) return
      if (this.#inUse[entry.index] !== true && this.#releases[entry.index] === entry.release) this.#freed.push(entry)
    }
  }

  #restore(lease: Lease): void {
    const index = this.#indexOf(lease)
    if (index === undefined || this.#names[index] !== undefined) return
    this.#names[index] = lease.commonName
    this.#byName.set(lease.commonName, index)
    this.#queue(index)
  }

  #indexOf(lease: Lease): number | undefined {
    if (lease.ipv4 !== undefined && this.#plan.ipv4?.pool !== undefined) {
      const offset = ipv4Number(lease.ipv4, 'ifconfig-pool-persist') - this.#first4
      const index = this.#plan.topology === 'net30' ? Math.floor(offset / 4) : offset
      return index >= 0 && index < this.size ? index : undefined
    }
    if (lease.ipv6 === undefined || this.#first6 === undefined) return undefined
    const bytes = ipv6Bytes(lease.ipv6, 'ifconfig-pool-persist')
    for (let index = 0; index < this.size; index++) {
      if (ipv6Plus(this.#first6, index) === ipv6Plus(bytes, 0)) return index
    }
    return undefined
  }
}
