/**
 * TCP segments and UDP datagrams in IPv4 and IPv6 packets, both ways. Checksums are checked; fragments, IPv6 extension
 * headers and everything else are not read.
 */
import { internetChecksum } from '../echo.ts'

/** Protocol numbers. */
export const PROTOCOL = { tcp: 6, udp: 17 } as const

/** What lies in an IP packet. */
export interface Datagram {
  readonly source: Uint8Array
  readonly destination: Uint8Array
  readonly protocol: number
  readonly payload: Uint8Array
}

/** Flags of a segment. */
export const FLAG = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16 } as const

/** A TCP segment without its ports. */
export interface Segment {
  readonly seq: number
  readonly ack: number
  readonly flags: number
  /** As in the header, before any scaling. */
  readonly window: number
  /** Only with SYN. */
  readonly mss?: number | undefined
  readonly scale?: number | undefined
  readonly payload: Uint8Array
}

/** Ports and what follows them. */
export interface Ported<T> {
  readonly sourcePort: number
  readonly destinationPort: number
  readonly content: T
}

const TTL = 64
const UDP_HEADER = 8
const TCP_HEADER = 20

/** The headers before a transport header. */
export function headerLength(address: Uint8Array): number {
  return address.length === 4 ? 20 : 40
}

/** An IP packet; both addresses are of one family. */
export function writeIp({ source, destination, protocol, payload }: Datagram, id: number): Uint8Array {
  const header = headerLength(source)
  const packet = new Uint8Array(header + payload.length)
  const view = new DataView(packet.buffer)
  packet.set(payload, header)
  if (source.length === 4) {
    packet[0] = 0x45
    view.setUint16(2, packet.length)
    view.setUint16(4, id & 0xffff)
    view.setUint16(6, 0x4000)
    packet[8] = TTL
    packet[9] = protocol
    packet.set(source, 12)
    packet.set(destination, 16)
    view.setUint16(10, internetChecksum(packet.subarray(0, header)))
  } else {
    packet[0] = 0x60
    view.setUint16(4, payload.length)
    packet[6] = protocol
    packet[7] = TTL
    packet.set(source, 8)
    packet.set(destination, 24)
  }
  return packet
}

/** What lies in an IP packet; undefined when it is none, or only a piece. */
export function readIp(packet: Uint8Array): Datagram | undefined {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.length)
  const version = (packet[0] ?? 0) >> 4
  if (version === 4 && packet.length >= 20) {
    const header = ((packet[0] as number) & 15) * 4
    const length = view.getUint16(2)
    if (header < 20 || length < header || length > packet.length) return undefined
    if ((view.getUint16(6) & 0x3fff) !== 0 || internetChecksum(packet.subarray(0, header)) !== 0) return undefined
    return {
      source: packet.slice(12, 16),
      destination: packet.slice(16, 20),
      protocol: packet[9] as number,
      payload: packet.subarray(header, length),
    }
  }
  if (version !== 6 || packet.length < 40 || packet.length < 40 + view.getUint16(4)) return undefined
  return {
    source: packet.slice(8, 24),
    destination: packet.slice(24, 40),
    protocol: packet[6] as number,
    payload: packet.subarray(40, 40 + view.getUint16(4)),
  }
}

/** The checksum over a transport's packet; 0 when the one inside is right. */
function transportChecksum({ source, destination, protocol, payload }: Datagram): number {
  const rest = new Uint8Array(8)
  const view = new DataView(rest.buffer)
  view.setUint32(0, payload.length)
  rest[7] = protocol
  return internetChecksum(source, destination, rest, payload)
}

/** A segment as an IP packet's payload, with its checksum. */
export function writeTcp(
  { sourcePort, destinationPort, content }: Ported<Segment>,
  source: Uint8Array,
  destination: Uint8Array,
): Datagram {
  const options: number[] = []
  if (content.mss !== undefined) options.push(2, 4, content.mss >> 8, content.mss & 0xff)
  if (content.scale !== undefined) options.push(1, 3, 3, content.scale)
  const header = TCP_HEADER + options.length
  const payload = new Uint8Array(header + content.payload.length)
  const view = new DataView(payload.buffer)
  view.setUint16(0, sourcePort)
  view.setUint16(2, destinationPort)
  view.setUint32(4, content.seq)
  view.setUint32(8, content.ack)
  payload[12] = (header / 4) << 4
  payload[13] = content.flags
  view.setUint16(14, content.window)
  payload.set(options, TCP_HEADER)
  payload.set(content.payload, header)
  const datagram = { source, destination, protocol: PROTOCOL.tcp, payload }
  view.setUint16(16, transportChecksum(datagram))
  return datagram
}

/** A segment; undefined when it is damaged. */
export function readTcp(datagram: Datagram): Ported<Segment> | undefined {
  const { payload } = datagram
  if (payload.length < TCP_HEADER || transportChecksum(datagram) !== 0) return undefined
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length)
  const header = ((payload[12] as number) >> 4) * 4
  if (header < TCP_HEADER || header > payload.length) return undefined
  const options = readOptions(payload.subarray(TCP_HEADER, header))
  return {
    sourcePort: view.getUint16(0),
    destinationPort: view.getUint16(2),
    content: {
      seq: view.getUint32(4),
      ack: view.getUint32(8),
      flags: payload[13] as number,
      window: view.getUint16(14),
      ...options,
      payload: payload.subarray(header),
    },
  }
}

function readOptions(options: Uint8Array): Pick<Segment, 'mss' | 'scale'> {
  let mss: number | undefined
  let scale: number | undefined
  for (let at = 0; at < options.length; ) {
    const kind = options[at] as number
    if (kind === 0) break
    const length = kind === 1 ? 1 : (options[at + 1] ?? 0)
    if (length === 0 || (kind !== 1 && length < 2) || at + length > options.length) break
    if (kind === 2 && length === 4) mss = ((options[at + 2] as number) << 8) | (options[at + 3] as number)
    if (kind === 3 && length === 3) scale = Math.min(options[at + 2] as number, 14)
    at += length
  }
  return { mss, scale }
}

/** A UDP datagram as an IP packet's payload, with its checksum. */
export function writeUdp(
  { sourcePort, destinationPort, content }: Ported<Uint8Array>,
  source: Uint8Array,
  destination: Uint8Array,
): Datagram {
  const payload = new Uint8Array(UDP_HEADER + content.length)
  const view = new DataView(payload.buffer)
  view.setUint16(0, sourcePort)
  view.setUint16(2, destinationPort)
  view.setUint16(4, payload.length)
  payload.set(content, UDP_HEADER)
  const datagram = { source, destination, protocol: PROTOCOL.udp, payload }
  // Zero stands for "no checksum", so a sum of zero is written as its other form.
  view.setUint16(6, transportChecksum(datagram) || 0xffff)
  return datagram
}

/** A UDP datagram; undefined when it is damaged. */
export function readUdp(datagram: Datagram): Ported<Uint8Array> | undefined {
  const { payload } = datagram
  if (payload.length < UDP_HEADER) return undefined
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length)
  const length = view.getUint16(4)
  if (length < UDP_HEADER || length > payload.length) return undefined
  const checked = view.getUint16(6) !== 0 || datagram.source.length === 16
  if (checked && transportChecksum({ ...datagram, payload: payload.subarray(0, length) }) !== 0) return undefined
  return {
    sourcePort: view.getUint16(0),
    destinationPort: view.getUint16(2),
    content: payload.slice(UDP_HEADER, length),
  }
}
