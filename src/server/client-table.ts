/**
 * Finding the client of a datagram: by peer-id for data that carries one, by source address for all else.
 *
 * Peer-ids are below `max-clients`; a freed one is given out again as late as possible, so that late packets of its former
 * owner meet nobody. See spec/server.md, "Finding the client".
 */
import { Queue } from '../bytes/index.ts'
import type { ServerClient } from './client.ts'
import type { ClientId } from './output.ts'

/** Every client of a server. */
export class ClientTable {
  readonly #byId = new Map<ClientId, ServerClient>()
  readonly #byAddress = new Map<string, ServerClient>()
  /** By place in this server's range; those of other ranges, who were imported, stand apart. */
  readonly #byPeerId: (ServerClient | undefined)[] = []
  readonly #guests = new Map<number, ServerClient>()
  readonly #byName = new Map<string, Set<ServerClient>>()
  readonly #freePeerIds = new Queue<number>()
  /** `max-clients`. */
  readonly limit: number
  /** The first peer-id that nobody had yet, and the first that is not this server's to give. */
  #nextPeerId: number
  readonly #firstPeerId: number
  readonly #peerIdEnd: number
  #nextId: ClientId = 1

  constructor(limit: number, firstPeerId = 0) {
    this.limit = limit
    this.#firstPeerId = firstPeerId
    this.#nextPeerId = firstPeerId
    this.#peerIdEnd = firstPeerId + limit
  }

  get size(): number {
    return this.#byId.size
  }

  get full(): boolean {
    return this.#byId.size >= this.limit
  }

  /** Every client, oldest first. */
  all(): IterableIterator<ServerClient> {
    return this.#byId.values()
  }

  byId(id: ClientId): ServerClient | undefined {
    return this.#byId.get(id)
  }

  byAddress(address: string): ServerClient | undefined {
    return this.#byAddress.get(address)
  }

  byPeerId(peerId: number): ServerClient | undefined {
    return this.#isOwn(peerId) ? this.#byPeerId[peerId - this.#firstPeerId] : this.#guests.get(peerId)
  }

  /** Clients of that name. */
  byName(name: string): ReadonlySet<ServerClient> | undefined {
    return this.#byName.get(name)
  }

  /** A peer-id that nobody has, longest free last; undefined when imported clients hold those that were left. */
  takePeerId(): number | undefined {
    while (this.#nextPeerId < this.#peerIdEnd) {
      const peerId = this.#nextPeerId++
      if (this.byPeerId(peerId) === undefined) return peerId
    }
    for (let peerId = this.#freePeerIds.shift(); peerId !== undefined; peerId = this.#freePeerIds.shift()) {
      if (this.byPeerId(peerId) === undefined) return peerId
    }
    return undefined
  }

  /** A number for a client. */
  takeId(): ClientId {
    return this.#nextId++
  }

  add(client: ServerClient): void {
    this.#byId.set(client.id, client)
    this.#byAddress.set(client.address, client)
    this.#setPeerId(client.peerId, client)
  }

  /** The client goes by that name from now on. */
  rename(client: ServerClient, name: string | undefined): void {
    this.#unname(client)
    client.name = name
    if (name === undefined) return
    const others = this.#byName.get(name)
    if (others === undefined) this.#byName.set(name, new Set([client]))
    else others.add(client)
  }

  /** The client sends from another address now. */
  move(client: ServerClient, address: string): void {
    if (this.#byAddress.get(client.address) === client) this.#byAddress.delete(client.address)
    client.address = address
    this.#byAddress.set(address, client)
  }

  remove(client: ServerClient): void {
    this.#byId.delete(client.id)
    if (this.#byAddress.get(client.address) === client) this.#byAddress.delete(client.address)
    const { peerId } = client
    if (this.byPeerId(peerId) === client) {
      this.#setPeerId(peerId, undefined)
      // An id of another server's range goes back with its client.
      if (this.#isOwn(peerId) && peerId < this.#nextPeerId) this.#freePeerIds.push(peerId)
    }
    this.#unname(client)
  }

  #isOwn(peerId: number): boolean {
    return peerId >= this.#firstPeerId && peerId < this.#peerIdEnd
  }

  #setPeerId(peerId: number, client: ServerClient | undefined): void {
    if (this.#isOwn(peerId)) this.#byPeerId[peerId - this.#firstPeerId] = client
    else if (client === undefined) this.#guests.delete(peerId)
    else this.#guests.set(peerId, client)
  }

  #unname(client: ServerClient): void {
    if (client.name === undefined) return
    const others = this.#byName.get(client.name)
    others?.delete(client)
    if (others?.size === 0) this.#byName.delete(client.name)
  }
}
