/**
 * From an address to its owner: the longest prefix wins (SRV-30).
 *
 * One hash table per prefix length in use, looked through from the longest to the shortest: the cost depends on how many
 * different lengths there are (a handful), not on how many clients. IPv4 keys are numbers. IPv6 keys are two numbers of 64
 * bits folded into one string; MAC addresses fit one number.
 */
import { readU32 } from './numbers.ts'

/** Prefix lengths of one address family. */
class FamilyTable<K, T> {
  /** Longest first. */
  readonly #lengths: number[] = []
  readonly #tables = new Map<number, Map<K, T>>()
  readonly #keyOf: (bytes: Uint8Array, offset: number, prefix: number) => K

  constructor(keyOf: (bytes: Uint8Array, offset: number, prefix: number) => K) {
    this.#keyOf = keyOf
  }

  get(bytes: Uint8Array, offset: number): T | undefined {
    for (const length of this.#lengths) {
      const owner = this.#tables.get(length)?.get(this.#keyOf(bytes, offset, length)) // SRV-30
      if (owner !== undefined) return owner
    }
    return undefined
  }

  exact(bytes: Uint8Array, prefix: number): T | undefined {
    return this.#tables.get(prefix)?.get(this.#keyOf(bytes, 0, prefix))
  }

  set(bytes: Uint8Array, prefix: number, owner: T): void {
    let table = this.#tables.get(prefix)
    if (table === undefined) {
      table = new Map()
      this.#tables.set(prefix, table)
      this.#lengths.push(prefix)
      this.#lengths.sort((a, b) => b - a)
    }
    table.set(this.#keyOf(bytes, 0, prefix), owner)
  }

  delete(bytes: Uint8Array, prefix: number, owner: T): void {
    const table = this.#tables.get(prefix)
    const key = this.#keyOf(bytes, 0, prefix)
    if (table?.get(key) !== owner) return
    table.delete(key)
    if (table.size > 0) return
    this.#tables.delete(prefix)
    this.#lengths.splice(this.#lengths.indexOf(prefix), 1)
  }

  get size(): number {
    let size = 0
    for (const table of this.#tables.values()) size += table.size
    return size
  }
}

/** Networks and addresses of IPv4 and IPv6 with their owners. */
export class RouteTable<T> {
  readonly #v4 = new FamilyTable<number, T>(key4)
  readonly #v6 = new FamilyTable<string, T>(key6)

  /** Entries in all. */
  get size(): number {
    return this.#v4.size + this.#v6.size
  }

  /** The owner of the IPv4 address at `offset`. */
  find4(bytes: Uint8Array, offset: number): T | undefined {
    return this.#v4.get(bytes, offset)
  }

  /** The owner of the IPv6 address at `offset`. */
  find6(bytes: Uint8Array, offset: number): T | undefined {
    return this.#v6.get(bytes, offset)
  }

  /** The owner of exactly that network of 4 or 16 bytes. */
  exact(network: Uint8Array, prefix: number): T | undefined {
    return network.length === 4 ? this.#v4.exact(network, prefix) : this.#v6.exact(network, prefix)
  }

  /** Gives a network of 4 or 16 bytes to an owner. */
  set(network: Uint8Array, prefix: number, owner: T): void {
    if (network.length === 4) this.#v4.set(network, prefix, owner)
    else this.#v6.set(network, prefix, owner)
  }

  /** Takes a network back, if it is that owner's. */
  delete(network: Uint8Array, prefix: number, owner: T): void {
    if (network.length === 4) this.#v4.delete(network, prefix, owner)
    else this.#v6.delete(network, prefix, owner)
  }
}

function key4(bytes: Uint8Array, offset: number, prefix: number): number {
  return prefix === 0 ? 0 : (readU32(bytes, offset) & (0xffffffff << (32 - prefix))) >>> 0
}

function word(bytes: Uint8Array, offset: number, bits: number): number {
  const value = ((bytes[offset] as number) << 8) | (bytes[offset + 1] as number)
  return bits >= 16 ? value : bits <= 0 ? 0 : value & (0xffff << (16 - bits)) & 0xffff
}

function key6(bytes: Uint8Array, offset: number, prefix: number): string {
  return String.fromCharCode(
    word(bytes, offset, prefix),
    word(bytes, offset + 2, prefix - 16),
    word(bytes, offset + 4, prefix - 32),
    word(bytes, offset + 6, prefix - 48),
    word(bytes, offset + 8, prefix - 64),
    word(bytes, offset + 10, prefix - 80),
    word(bytes, offset + 12, prefix - 96),
    word(bytes, offset + 14, prefix - 112),
  )
}

/** The MAC address at `offset` as a number. */
export function macNumber(bytes: Uint8Array, offset: number): number {
  return (((bytes[offset] as number) << 8) | (bytes[offset + 1] as number)) * 0x100000000 + readU32(bytes, offset + 2)
}
