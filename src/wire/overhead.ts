/**
 * How many TLS bytes fit into one control packet (spec/wire.md, WIRE-50 to WIRE-53).
 *
 * `max-packet-size` bounds the whole packet as it travels, outer IP and transport headers included, so everything that is not
 * payload is subtracted: header, acks, message id, the wrap, the wrapped client key, the TCP length, IP and UDP or TCP.
 */
import { ackBlockLength, CONTROL_HEADER_LENGTH, type ControlWrap } from './control-packet.ts'
import { LONG_PACKET_ID_LENGTH } from './packet-id.ts'
import { FRAME_HEADER_LENGTH } from './stream-framer.ts'
import { TLS_CRYPT_OVERHEAD } from './tls-crypt.ts'

/** Default of `max-packet-size`. */
export const MAX_PACKET_SIZE = 1250
/** Smallest `max-packet-size`. */
export const MAX_PACKET_SIZE_LEAST = 154
/** Largest `max-packet-size`. */
export const MAX_PACKET_SIZE_MOST = 2048

/** What carries the packets. */
export type Transport = 'udp4' | 'udp6' | 'tcp4' | 'tcp6'

/** Bytes around an OpenVPN packet: outer IP and transport header, and the length field on TCP (WIRE-51). */
export const TRANSPORT_OVERHEAD: Readonly<Record<Transport, number>> = {
  udp4: 20 + 8,
  udp6: 40 + 8,
  tcp4: 20 + 20 + FRAME_HEADER_LENGTH,
  tcp6: 40 + 20 + FRAME_HEADER_LENGTH,
}

/** Bytes that a wrap adds to a plain control packet. */
export function wrapOverhead(wrap: ControlWrap['type'], hashLength: number): number {
  switch (wrap) {
    case 'none':
      return 0
    case 'tls-auth':
      return hashLength + LONG_PACKET_ID_LENGTH
    case 'tls-crypt':
      return TLS_CRYPT_OVERHEAD
  }
}

/**
 * Bytes of a control packet with `ackCount` acks and a message id that are not payload (WIRE-50).
 *
 * @param hashLength - of the `auth` digest; only tls-auth looks at it.
 */
export function controlOverhead(wrap: ControlWrap['type'], ackCount: number, hashLength: number): number {
  return CONTROL_HEADER_LENGTH + wrapOverhead(wrap, hashLength) + ackBlockLength(ackCount) + 4
}

/** What a control packet's payload has to share the packet with. */
export interface PayloadLimitOptions {
  /** `max-packet-size`; values outside its range are moved to its ends. */
  readonly maxPacketSize: number
  readonly transport: Transport
  /** Overhead of the wrap, as `ControlWrap.overhead` says. */
  readonly wrapOverhead: number
  /** Acks in this packet. */
  readonly ackCount: number
  /** Length of a wrapped client key behind the packet; 0 without one. */
  readonly wrappedKeyLength: number
}

/** TLS bytes that fit into one control packet; 0 when nothing is left for them (WIRE-52). */
export function controlPayloadLimit(options: PayloadLimitOptions): number {
  const size = Math.min(Math.max(options.maxPacketSize, MAX_PACKET_SIZE_LEAST), MAX_PACKET_SIZE_MOST) // WIRE-53
  const plain = controlOverhead('none', options.ackCount, 0)
  return Math.max(
    0,
    size - TRANSPORT_OVERHEAD[options.transport] - plain - options.wrapOverhead - options.wrappedKeyLength,
  )
}
