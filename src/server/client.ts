/**
 * One client of a server: its session, where it is, who it is, what it was given.
 *
 * A plain record with every field set from the start; only the server's parts write it.
 */
import { equalBytes } from '../bytes/index.ts'
import { type CloseReason, PacketPath, type Session } from '../session/index.ts'
import type { ClientKeyMetadata, StreamFramer } from '../wire/index.ts'
import type { Beginning } from './front.ts'
import type { LeasedAddresses } from './address-pool.ts'
import type { ClientPolicy } from './client-policy.ts'
import type { ClientLimits } from './config.ts'
import type { Credit } from './credit.ts'
import type { HeapItem } from './deadline-heap.ts'
import type { ClientAddresses, ClientId, ServerCloseReason } from './output.ts'
import type { RouteOwner } from './router.ts'

/** What every client begins with. */
const NOTHING = {}
/** Certificates whose names are kept: of a client's session, of one that may replace it, and one before each. */
const NAMES_KEPT = 4

/** Who a client has proved to be. */
export interface Identity {
  readonly commonName: string | undefined
  readonly username: string
  /** DER of the certificate; undefined without one. */
  readonly certificate: Uint8Array | undefined
}

/** A client, at the head of its packets' path. What every packet asks for stands first, so that it lies together in memory. */
export class ServerClient extends PacketPath implements HeapItem, RouteOwner {
  readonly session: Session
  /** Where it sends from; changes when it floats. */
  address: string
  readonly transport: 'udp' | 'tcp'
  readonly id: ClientId
  ownAddress = 0
  policy: ClientPolicy | undefined
  /** Its VLAN, with `vlan-tagging`; else 0. */
  vlan = 0
  /** In data packets to and from it. */
  readonly peerId: number
  readonly keyMetadata: ClientKeyMetadata | undefined
  readonly #named: { readonly leaf: Uint8Array; readonly name: string | undefined }[] = []
  identity: Identity | undefined
  /** The name that leases, limits and logs use. */
  name: string | undefined
  lease: LeasedAddresses | undefined
  addresses: ClientAddresses = NOTHING
  /** As granted, to be compiled anew where it moves. */
  limits: ClientLimits = NOTHING
  token: { readonly sessionId: Uint8Array; readonly initialTime: number } | undefined
  /** What it may still be sent, while its address is not proven. */
  credit: Credit | undefined
  /** True while a login waits for its answer. */
  asking = false
  /** The login that waits is one of a renegotiation. */
  renewal = false
  connected = false
  /** Why the server, not the session, ends it. */
  ending: ServerCloseReason | undefined
  closeReason: CloseReason | undefined
  gone = false
  readonly networks: { readonly network: Uint8Array; readonly prefix: number }[] = []
  learned = 0
  deadline = Infinity
  heapIndex = -1

  constructor(
    id: ClientId,
    address: string,
    transport: 'udp' | 'tcp',
    peerId: number,
    keyMetadata: ClientKeyMetadata | undefined,
    createSession: (client: ServerClient) => Session,
  ) {
    super()
    this.id = id
    this.address = address
    this.transport = transport
    this.peerId = peerId
    this.keyMetadata = keyMetadata
    this.session = createSession(this)
  }

  /**
   * The verifier read that name in that certificate. Several negotiations may run from one address, so a name counts for its
   * own certificate only. SRV-45
   */
  noteName(leaf: Uint8Array, name: string | undefined): void {
    const known = this.#named.findIndex((entry) => equalBytes(entry.leaf, leaf))
    if (known >= 0) this.#named.splice(known, 1)
    this.#named.push({ leaf, name })
    if (this.#named.length > NAMES_KEPT) this.#named.shift()
  }

  /** What the verifier called that certificate; undefined when it gave no name. */
  nameOf(leaf: Uint8Array): string | undefined {
    return this.#named.find((entry) => equalBytes(entry.leaf, leaf))?.name
  }
}

/** The time of the next look for stale routes. */
export class Sweep implements HeapItem {
  deadline = Infinity
  heapIndex = -1
}

/** A TCP connection whose first record has not come yet, or any address whose tls-crypt-v2 key waits for the host's answer. */
export interface Newcomer extends HeapItem {
  readonly address: string
  readonly transport: 'udp' | 'tcp'
  readonly framer: StreamFramer
  readonly chunks: Uint8Array[]
  /** Bytes in the chunks. */
  held: number
  /** What it begins with once its key is good. */
  waiting: { readonly id: ClientId; readonly start: Beginning } | undefined
}
