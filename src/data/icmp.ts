/**
 * ICMP errors that a tunnel sends back to its own side: "this packet is too big for the tunnel" and "no IPv6 here".
 *
 * The answer is a whole IP packet for the host's tun device. It comes from the address the offending packet was going to,
 * unless the caller names another, and quotes as much of that packet as the rules allow: header and 8 bytes for IPv4
 * (RFC 792), up to 1280 bytes in all for IPv6 (RFC 4443).
 *
 * Nothing is answered to multicast or unspecified addresses, to ICMP errors, to fragments other than the first, and to
 * IPv4 packets that may be fragmented on the way.
 *
 * Spec: mss.md, "ICMP answers".
 */
import { concat } from '../bytes/index.ts'
import { pseudoHeaderSum } from './ethernet.ts'
import {
  internetChecksum,
  IpProtocol,
  IPV4_HEADER_LENGTH,
  IPV6_HEADER_LENGTH,
  ipv4HeaderLength,
  ipVersion,
  readU16,
  writeU16,
} from './ip.ts'

const ICMP_HEADER_LENGTH = 8
const IPV6_MIN_MTU = 1280
const DONT_FRAGMENT = 0x4000
const FRAGMENT_OFFSET = 0x1fff
const TTL = 64

/**
 * The answer to a packet that does not fit: ICMP "fragmentation needed" (MSS-11) or ICMPv6 "packet too big" (MSS-12).
 *
 * @param mtu - the largest IP packet that does fit.
 * @param from - source address of the answer, of the packet's family; default: the packet's destination.
 * @returns an IP packet for the tunnel's own side, or `undefined` when nothing may be answered.
 */
export function packetTooBigAnswer(packet: Uint8Array, mtu: number, from?: Uint8Array): Uint8Array | undefined {
  const version = ipVersion(packet, 0, packet.length)
  if (packet.length <= mtu) return undefined
  if (version === 4) return (readU16(packet, 6) & DONT_FRAGMENT) === 0 ? undefined : icmpError(packet, 3, 4, mtu, from)
  return version === 6 ? icmpv6Error(packet, 2, 0, mtu, from) : undefined
}

/**
 * The answer to an IPv6 packet while `block-ipv6` is on: ICMPv6 "no route to destination" (MSS-13).
 *
 * @param from - source address of the answer; default: the packet's destination.
 */
export function ipv6UnreachableAnswer(packet: Uint8Array, from?: Uint8Array): Uint8Array | undefined {
  return ipVersion(packet, 0, packet.length) === 6 ? icmpv6Error(packet, 1, 0, 0, from) : undefined
}

function icmpError(
  packet: Uint8Array,
  type: number,
  code: number,
  mtu: number,
  from: Uint8Array = packet.subarray(16, 20),
): Uint8Array | undefined {
  const header = ipv4HeaderLength(packet, 0, packet.length)
  const source = packet.subarray(12, 16)
  const destination = packet.subarray(16, 20)
  if ((readU16(packet, 6) & FRAGMENT_OFFSET) !== 0 || !isUnicast4(source) || !isUnicast4(destination)) return undefined
  if (packet[9] === IpProtocol.ICMP && isIcmpError(packet[header])) return undefined // MSS-14
  const quoted = packet.subarray(0, Math.min(packet.length, header + 8))
  const answer = new Uint8Array(IPV4_HEADER_LENGTH + ICMP_HEADER_LENGTH + quoted.length)
  answer[0] = 0x45
  writeU16(answer, 2, answer.length)
  answer[8] = TTL
  answer[9] = IpProtocol.ICMP
  answer.set(from, 12)
  answer.set(source, 16)
  writeU16(answer, 10, internetChecksum(answer, 0, IPV4_HEADER_LENGTH))
  answer[20] = type
  answer[21] = code
  writeU16(answer, 26, mtu)
  answer.set(quoted, IPV4_HEADER_LENGTH + ICMP_HEADER_LENGTH)
  writeU16(answer, 22, internetChecksum(answer, IPV4_HEADER_LENGTH, answer.length))
  return answer
}

/** Echo and echo reply are the messages that are no errors and may be large. */
function isIcmpError(type: number | undefined): boolean {
  return type !== 0 && type !== 8
}

function isUnicast4(address: Uint8Array): boolean {
  const first = address[0] as number
  return first !== 0 && first < 224
}

function icmpv6Error(
  packet: Uint8Array,
  type: number,
  code: number,
  mtu: number,
  from: Uint8Array = packet.subarray(24, 40),
): Uint8Array | undefined {
  const source = packet.subarray(8, 24)
  if (source[0] === 0xff || source.every((byte) => byte === 0) || packet[24] === 0xff) return undefined
  // Types below 128 are errors.
  if (packet[6] === IpProtocol.ICMPV6 && (packet[IPV6_HEADER_LENGTH] ?? 0) < 128) return undefined // MSS-14
  const quoted = packet.subarray(0, IPV6_MIN_MTU - IPV6_HEADER_LENGTH - ICMP_HEADER_LENGTH)
  const length = ICMP_HEADER_LENGTH + quoted.length
  const answer = concat(
    Uint8Array.of(0x60, 0, 0, 0, length >> 8, length & 255, IpProtocol.ICMPV6, TTL),
    from,
    source,
    Uint8Array.of(type, code, 0, 0, 0, 0, mtu >> 8, mtu & 255),
    quoted,
  )
  const sum = pseudoHeaderSum(answer, length)
  writeU16(answer, IPV6_HEADER_LENGTH + 2, internetChecksum(answer, IPV6_HEADER_LENGTH, answer.length, sum))
  return answer
}
