/**
 * One client of a server: its session, where it is, who it is, what it was given.
 *
 * A plain record with every field set from the start; only the server's parts write it.
 */
import type { CloseReason, Session } from '../session/index.ts'
import type { ClientKeyMetadata, StreamFramer } from '../wire/index.ts'
import type { Beginning } from './front.ts'
import type { LeasedAddresses } from './address-pool.ts'
import type { ClientPolicy } from './client-policy.ts'
import type { ClientLimits } from './config.ts'
import type { HeapItem } from './deadline-heap.ts'
import type { ClientAddresses, ClientId, ServerCloseReason } from './output.ts'
import type { RouteOwner } from './router.ts'

/** Who a client has proved to be. */
export interface Identity {
  readonly commonName: string | undefined
  readonly username: string
  /** DER of the certificate; undefined without one. */
  readonly certificate: Uint8Array | undefined
}

/** A client. */
export class ServerClient implements HeapItem, RouteOwner {
  readonly id: ClientId
  readonly transport: 'udp' | 'tcp'
  /** In data packets to and from it. */
  readonly peerId: number
  readonly keyMetadata: ClientKeyMetadata | undefined
  readonly session: Session
  /** Where it sends from; changes when it floats. */
  address: string
  /** The certificate's username as the verifier read it. */
  certificateName: string | undefined
  identity: Identity | undefined
  /** The name that leases, limits and logs use. */
  name: string | undefined
  lease: LeasedAddresses | undefined
  addresses: ClientAddresses = {}
  /** As granted, to be compiled anew where it moves. */
  limits: ClientLimits = {}
  policy: ClientPolicy | undefined
  token: { readonly sessionId: Uint8Array; readonly initialTime: number } | undefined
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
  /** Its VLAN, with `vlan-tagging`; else 0. */
  vlan = 0
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
    this.id = id
    this.address = address
    this.transport = transport
    this.peerId = peerId
    this.keyMetadata = keyMetadata
    this.session = createSession(this)
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
