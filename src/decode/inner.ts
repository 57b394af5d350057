/**
 * What is inside a data packet, in one line: IP packets with their ports, ARP and Ethernet frames, pings and OCC messages
 * (spec/decode.md, DEC-60 to DEC-63).
 *
 * A capture does not say which framing or device the tunnel has, so the bytes are asked: compression bytes and fragment
 * headers are recognised where an IP packet of exactly the right length stands behind them.
 */
import { toHex } from '../bytes/index.ts'
import { formatIpv4, formatIpv6 } from '../control/index.ts'
import {
  COMPRESSION_V2,
  CompressionByte,
  ETHERNET_HEADER_LENGTH,
  ipDestination,
  ipSource,
  ipVersion,
  ipv4HeaderLength,
  IpProtocol,
  isOcc,
  isPing,
  parseArp,
  parseEthernet,
  parseOcc,
  readU16,
} from '../data/index.ts'
import type { DataView } from './packet.ts'

/** Kind and one-line summary of a payload. */
export type InnerView = Required<Pick<DataView, 'kind' | 'summary'>>

const FRAGMENT_HEADER = 4

/** What `payload` is; never fails. */
export function innerView(payload: Uint8Array): InnerView {
  if (payload.length === 0) return { kind: 'empty', summary: 'nothing' }
  const bare = plainView(payload)
  if (bare !== undefined) return bare
  const first = payload[0] as number
  if (first === CompressionByte.NONE || first === CompressionByte.NONE_SWAP) {
    const inner = payload.slice(1)
    if (first === CompressionByte.NONE_SWAP && payload.length > 1) {
      inner.set(payload.subarray(1, -1), 1)
      inner[0] = payload.at(-1) as number
    }
    return behindFragment(inner) // DEC-61
  }
  if (first === COMPRESSION_V2 && payload[1] === 0) return behindFragment(payload.subarray(2))
  const packed = compressedName(payload)
  if (packed !== undefined) return { kind: 'compressed', summary: `${packed}, ${payload.length} bytes` }
  return behindFragment(payload)
}

function compressedName(payload: Uint8Array): string | undefined {
  switch (payload[0]) {
    case CompressionByte.LZO:
    case CompressionByte.LZO_SWAP:
      return 'compressed with LZO'
    case CompressionByte.LZ4_SWAP:
      return 'compressed with LZ4'
    case CompressionByte.SNAPPY_SWAP:
      return 'compressed with Snappy'
    case COMPRESSION_V2:
      return 'compressed (v2 framing)'
    default:
      return undefined
  }
}

/** DEC-62 */
function behindFragment(payload: Uint8Array): InnerView {
  const bare = plainView(payload)
  if (bare !== undefined) return bare
  if (payload.length > FRAGMENT_HEADER) {
    const whole = plainView(payload.subarray(FRAGMENT_HEADER))
    if (whole !== undefined && (payload[0] as number) >> 6 === 0) return whole
    const parts = ['', 'a fragment', 'the last fragment', 'a fragment test'][(payload[0] as number) >> 6] ?? ''
    if (parts !== '') return { kind: 'fragment', summary: `${parts}, ${payload.length - FRAGMENT_HEADER} bytes` }
  }
  return { kind: 'other', summary: `${payload.length} bytes beginning ${toHex(payload.subarray(0, 8))}` }
}

/** A payload that needs no framing taken off; undefined when it makes no sense so. */
function plainView(payload: Uint8Array): InnerView | undefined {
  if (isPing(payload, 0, payload.length)) return { kind: 'ping', summary: 'ping' }
  if (isOcc(payload, 0, payload.length)) {
    return { kind: 'occ', summary: `OCC ${parseOcc(payload, 0, payload.length)?.type ?? 'message'}` }
  }
  const ip = ipSummary(payload)
  if (ip !== undefined) return { kind: 'packet', summary: ip }
  const frame = frameSummary(payload)
  return frame === undefined ? undefined : { kind: 'packet', summary: frame }
}

/** True when the length field is that of the bytes. */
function isWholeIp(packet: Uint8Array): boolean {
  const version = ipVersion(packet, 0, packet.length)
  if (version === 4) return readU16(packet, 2) === packet.length
  return version === 6 && readU16(packet, 4) + 40 === packet.length
}

/** One line about an IP packet; undefined when the bytes are none of exactly this length. DEC-60 */
function ipSummary(packet: Uint8Array): string | undefined {
  if (!isWholeIp(packet)) return undefined
  const version = ipVersion(packet, 0, packet.length)
  const format = version === 4 ? formatIpv4 : formatIpv6
  const source = format(ipSource(packet) as Uint8Array)
  const target = format(ipDestination(packet) as Uint8Array)
  const protocol = packet[version === 4 ? 9 : 6] as number
  const at = version === 4 ? ipv4HeaderLength(packet, 0, packet.length) : 40
  const isLater = version === 4 && (readU16(packet, 6) & 0x1fff) !== 0
  const upper = isLater ? 'fragment' : upperSummary(packet, at, protocol)
  return `IPv${version} ${source} > ${target} ${upper}, ${packet.length} bytes`
}

function upperSummary(packet: Uint8Array, at: number, protocol: number): string {
  const room = packet.length - at
  if (protocol === IpProtocol.UDP && room >= 8) return `UDP ${readU16(packet, at)} > ${readU16(packet, at + 2)}`
  if (protocol === IpProtocol.TCP && room >= 20) {
    return `TCP ${readU16(packet, at)} > ${readU16(packet, at + 2)}${tcpFlags(packet[at + 13] as number)}`
  }
  if ((protocol === IpProtocol.ICMP || protocol === IpProtocol.ICMPV6) && room >= 8) {
    const type = packet[at] as number
    const echo = protocol === IpProtocol.ICMP ? { 8: 'request', 0: 'reply' } : { 128: 'request', 129: 'reply' }
    const word = (echo as Readonly<Record<number, string>>)[type]
    if (word !== undefined) return `ICMP echo ${word} ${readU16(packet, at + 4)}/${readU16(packet, at + 6)}`
    return `ICMP type ${type}`
  }
  return `protocol ${protocol}`
}

function tcpFlags(flags: number): string {
  const names = ['FIN', 'SYN', 'RST', 'PSH', 'ACK'].filter((_, bit) => (flags & (1 << bit)) !== 0)
  return names.length === 0 ? '' : ` ${names.join(' ')}`
}

/** DEC-63 */
function frameSummary(frame: Uint8Array): string | undefined {
  if (frame.length < ETHERNET_HEADER_LENGTH) return undefined
  const arp = parseArp(frame)
  if (arp !== undefined) {
    return arp.operation === 'request'
      ? `ARP who has ${formatIpv4(arp.targetIp)}, tell ${formatIpv4(arp.senderIp)}`
      : `ARP ${formatIpv4(arp.senderIp)} is at ${macText(arp.senderMac)}`
  }
  const header = parseEthernet(frame)
  if (header === undefined) return undefined
  const payload = frame.subarray(header.payloadOffset)
  const version = ipVersion(payload, 0, payload.length)
  if (version === 0) return undefined
  // A short packet is padded to the smallest frame.
  const length = version === 4 ? readU16(payload, 2) : readU16(payload, 4) + 40
  const inner = length <= payload.length ? ipSummary(payload.subarray(0, length)) : undefined
  return inner === undefined ? undefined : `${macText(header.source)} > ${macText(header.destination)} ${inner}`
}

function macText(mac: Uint8Array): string {
  return Array.from(mac, (byte) => byte.toString(16).padStart(2, '0')).join(':')
}
