/**
 * Counters of a session: what crossed, what was thrown away and why.
 *
 * Plain numbers in one object of fixed shape; `session.stats` is a live view, so read it, do not keep it.
 */
import { DROP_REASONS, type DropReason } from './reasons.ts'

/** The live counters of one session. All counts are since its construction. */
export interface Stats {
  /** Datagrams (or TCP records) received, of any kind. */
  readonly datagramsReceived: number
  /** Datagrams (or TCP records) handed to the socket. */
  readonly datagramsSent: number
  /** Their bytes, without the TCP length prefix. */
  readonly bytesReceived: number
  readonly bytesSent: number
  /** Tunnel packets delivered to the host, pings and fragments not counted. */
  readonly packetsReceived: number
  /** Tunnel packets accepted from the host. */
  readonly packetsSent: number
  readonly tunnelBytesReceived: number
  readonly tunnelBytesSent: number
  /** Tunnel packets that came compressed (`allow-compression`). */
  readonly packetsDecompressed: number
  /** Control messages sent again because no ack came. */
  readonly retransmissions: number
  /** Pings sent and received. */
  readonly pingsSent: number
  readonly pingsReceived: number
  /** Completed renegotiations. */
  readonly rekeys: number
  /** Renegotiations that failed and left the tunnel on its old key. */
  readonly failedRekeys: number
  /** Packets thrown away, by reason. */
  readonly dropped: Readonly<Record<DropReason, number>>
}

/** The same, writable: the session's own. */
export type Counters = { -readonly [K in keyof Stats]: Stats[K] extends number ? number : Record<DropReason, number> }

/** All zero. */
export function createCounters(): Counters {
  const dropped: Partial<Record<DropReason, number>> = {}
  for (const reason of Object.keys(DROP_REASONS) as DropReason[]) dropped[reason] = 0
  return {
    datagramsReceived: 0,
    datagramsSent: 0,
    bytesReceived: 0,
    bytesSent: 0,
    packetsReceived: 0,
    packetsSent: 0,
    tunnelBytesReceived: 0,
    tunnelBytesSent: 0,
    packetsDecompressed: 0,
    retransmissions: 0,
    pingsSent: 0,
    pingsReceived: 0,
    rekeys: 0,
    failedRekeys: 0,
    dropped: dropped as Record<DropReason, number>,
  }
}
