/**
 * Ethernet frames of tap tunnels: where the packet begins, who sent it, and ARP and neighbour messages for a host without a
 * network stack of its own.
 *
 * Frames come without checksum or padding. One VLAN tag is looked through. The builders make whole frames; the readers
 * return `undefined` for anything that is not exactly what they look for.
 *
 * Spec: mss.md, "Ethernet".
 */
import { concat, equalBytes } from '../bytes/index.ts'
import { internetChecksum, IpProtocol, IPV6_HEADER_LENGTH, readU16, sumWords, writeU16 } from './ip.ts'

/** Length of an Ethernet header without VLAN tag. */
export const ETHERNET_HEADER_LENGTH = 14
/** Types of payload. */
export const EtherType = { IPV4: 0x0800, ARP: 0x0806, VLAN: 0x8100, IPV6: 0x86dd } as const
/** The address of everybody. */
export const ETHERNET_BROADCAST: Uint8Array = new Uint8Array(6).fill(255)

const VLAN_TAG_LENGTH = 4
const ARP_LENGTH = 28

/** Where the payload of the frame begins, counted from `offset`: 14, or 18 behind a VLAN tag; 0 when the frame is cut short. */
export function ethernetPayloadOffset(bytes: Uint8Array, offset: number, length: number): number {
  if (length < ETHERNET_HEADER_LENGTH) return 0
  if (readU16(bytes, offset + 12) !== EtherType.VLAN) return ETHERNET_HEADER_LENGTH
  return length >= ETHERNET_HEADER_LENGTH + VLAN_TAG_LENGTH ? ETHERNET_HEADER_LENGTH + VLAN_TAG_LENGTH : 0
}

/** An Ethernet header, as copies. */
export interface EthernetHeader {
  readonly destination: Uint8Array
  readonly source: Uint8Array
  /** Type of the payload, behind a VLAN tag. */
  readonly etherType: number
  /** 12-bit VLAN id, where there is a tag. */
  readonly vlan: number | undefined
  /** Where the payload begins. */
  readonly payloadOffset: number
}

/** The header of a frame. */
export function parseEthernet(frame: Uint8Array): EthernetHeader | undefined {
  const payloadOffset = ethernetPayloadOffset(frame, 0, frame.length)
  if (payloadOffset === 0) return undefined
  return {
    destination: frame.slice(0, 6),
    source: frame.slice(6, 12),
    etherType: readU16(frame, payloadOffset - 2),
    vlan: payloadOffset === ETHERNET_HEADER_LENGTH ? undefined : readU16(frame, 14) & 0xfff,
    payloadOffset,
  }
}

/** A frame around `payload`. */
export function writeEthernet(
  destination: Uint8Array,
  source: Uint8Array,
  etherType: number,
  payload: Uint8Array,
): Uint8Array {
  return concat(destination, source, Uint8Array.of(etherType >> 8, etherType & 255), payload)
}

/** An ARP message for IPv4 over Ethernet. */
export interface ArpMessage {
  readonly operation: 'request' | 'reply'
  readonly senderMac: Uint8Array
  readonly senderIp: Uint8Array
  /** All zero in a request. */
  readonly targetMac: Uint8Array
  readonly targetIp: Uint8Array
}

const ARP_FIXED = Uint8Array.of(0, 1, 8, 0, 6, 4, 0)

/** The ARP message in a frame. */
export function parseArp(frame: Uint8Array): ArpMessage | undefined {
  const header = parseEthernet(frame)
  if (header?.etherType !== EtherType.ARP) return undefined
  const body = frame.subarray(header.payloadOffset)
  if (body.length < ARP_LENGTH || !equalBytes(body.subarray(0, 7), ARP_FIXED)) return undefined
  const operation = body[7]
  if (operation !== 1 && operation !== 2) return undefined
  return {
    operation: operation === 1 ? 'request' : 'reply',
    senderMac: body.slice(8, 14),
    senderIp: body.slice(14, 18),
    targetMac: body.slice(18, 24),
    targetIp: body.slice(24, 28),
  }
}

/** The frame that carries an ARP message: requests to everybody, replies to the target (MSS-15). */
export function writeArp(message: ArpMessage): Uint8Array {
  const { operation, senderMac, senderIp, targetMac, targetIp } = message
  const body = concat(
    ARP_FIXED,
    Uint8Array.of(operation === 'request' ? 1 : 2),
    senderMac,
    senderIp,
    targetMac,
    targetIp,
  )
  return writeEthernet(operation === 'request' ? ETHERNET_BROADCAST : targetMac, senderMac, EtherType.ARP, body)
}

/** The question who has `targetIp`, from a host with the given addresses. */
export function arpRequest(senderMac: Uint8Array, senderIp: Uint8Array, targetIp: Uint8Array): Uint8Array {
  return writeArp({ operation: 'request', senderMac, senderIp, targetMac: new Uint8Array(6), targetIp })
}

/** The answer to an ARP request for `ip`, or `undefined` when the frame is none (MSS-15). */
export function arpAnswer(frame: Uint8Array, mac: Uint8Array, ip: Uint8Array): Uint8Array | undefined {
  const request = parseArp(frame)
  if (request?.operation !== 'request' || !equalBytes(request.targetIp, ip)) return undefined
  return writeArp({
    operation: 'reply',
    senderMac: mac,
    senderIp: ip,
    targetMac: request.senderMac,
    targetIp: request.senderIp,
  })
}

const NEIGHBOUR_SOLICITATION = 135
const NEIGHBOUR_ADVERTISEMENT = 136
const NEIGHBOUR_LENGTH = 32

/** An IPv6 neighbour message. */
export interface NeighbourMessage {
  readonly kind: 'solicitation' | 'advertisement'
  /** Address of the IPv6 packet. */
  readonly source: Uint8Array
  readonly target: Uint8Array
  /** Link-layer address in the message's option, where there is one. */
  readonly mac: Uint8Array | undefined
}

/** The neighbour solicitation or advertisement in a frame. Its checksum and hop limit must be right (RFC 4861, 7.1). */
export function parseNeighbour(frame: Uint8Array): NeighbourMessage | undefined {
  const header = parseEthernet(frame)
  if (header?.etherType !== EtherType.IPV6) return undefined
  const packet = frame.subarray(header.payloadOffset)
  if (packet.length < IPV6_HEADER_LENGTH + 24 || packet[6] !== IpProtocol.ICMPV6 || packet[7] !== 255) return undefined
  const length = readU16(packet, 4)
  if (length < 24 || length > packet.length - IPV6_HEADER_LENGTH) return undefined
  const body = packet.subarray(IPV6_HEADER_LENGTH, IPV6_HEADER_LENGTH + length)
  const type = body[0]
  if ((type !== NEIGHBOUR_SOLICITATION && type !== NEIGHBOUR_ADVERTISEMENT) || body[1] !== 0) return undefined
  if (internetChecksum(body, 0, length, pseudoHeaderSum(packet, length)) !== 0) return undefined
  const hasMac = length >= NEIGHBOUR_LENGTH && (body[24] === 1 || body[24] === 2) && body[25] === 1
  return {
    kind: type === NEIGHBOUR_SOLICITATION ? 'solicitation' : 'advertisement',
    source: packet.slice(8, 24),
    target: body.slice(8, 24),
    mac: hasMac ? body.slice(26, 32) : undefined,
  }
}

/** The question who has the IPv6 address `target`, to its solicited-node multicast address (MSS-16). */
export function neighbourSolicitation(mac: Uint8Array, source: Uint8Array, target: Uint8Array): Uint8Array {
  const group = concat(Uint8Array.of(0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff), target.subarray(13))
  const destinationMac = concat(Uint8Array.of(0x33, 0x33), group.subarray(12))
  return neighbourFrame(destinationMac, mac, source, group, NEIGHBOUR_SOLICITATION, 0, target, 1)
}

/** The answer to a solicitation for `address`, or `undefined` when the frame is none (MSS-16). */
export function neighbourAnswer(frame: Uint8Array, mac: Uint8Array, address: Uint8Array): Uint8Array | undefined {
  const question = parseNeighbour(frame)
  if (question?.kind !== 'solicitation' || !equalBytes(question.target, address)) return undefined
  if (question.source.every((byte) => byte === 0)) return undefined
  const askerMac = question.mac ?? frame.slice(6, 12)
  return neighbourFrame(askerMac, mac, address, question.source, NEIGHBOUR_ADVERTISEMENT, 0x60, address, 2)
}

function neighbourFrame(
  destinationMac: Uint8Array,
  mac: Uint8Array,
  source: Uint8Array,
  destination: Uint8Array,
  type: number,
  flags: number,
  target: Uint8Array,
  option: number,
): Uint8Array {
  const body = concat(Uint8Array.of(type, 0, 0, 0, flags, 0, 0, 0), target, Uint8Array.of(option, 1), mac)
  const packet = concat(Uint8Array.of(0x60, 0, 0, 0, 0, body.length, IpProtocol.ICMPV6, 255), source, destination, body)
  const sum = pseudoHeaderSum(packet, body.length)
  writeU16(packet, IPV6_HEADER_LENGTH + 2, internetChecksum(packet, IPV6_HEADER_LENGTH, packet.length, sum))
  return writeEthernet(destinationMac, mac, EtherType.IPV6, packet)
}

/** The sum over an IPv6 packet's addresses, upper-layer length and next header, for ICMPv6 checksums (RFC 8200, 8.1). */
export function pseudoHeaderSum(packet: Uint8Array, upperLength: number): number {
  return sumWords(packet, 8, 40, upperLength + IpProtocol.ICMPV6)
}
