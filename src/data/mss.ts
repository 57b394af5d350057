/**
 * `mssfix`: lowering the maximum segment size in TCP SYN packets, so that connections through the tunnel never make packets
 * that would have to be fragmented outside.
 *
 * Both directions are rewritten, SYN and SYN-ACK, IPv4 and IPv6. The option may stand anywhere among the TCP options, at an
 * even or odd place; the checksum is adjusted by the difference (RFC 1624), so a packet with a wrong checksum stays wrong.
 * IPv6 gets 20 bytes less, for its longer header; extension headers are not walked, and only a first IPv4 fragment holds a
 * TCP header. Values at or below the limit stay, malformed options end the search, nothing outside the packet is touched.
 *
 * Spec: mss.md.
 */
import { type DataLayout, largestPayload } from './data-format.ts'
import { ethernetPayloadOffset } from './ethernet.ts'
import { FRAGMENT_HEADER_LENGTH } from './fragment.ts'
import { foldSum, IpProtocol, IPV6_HEADER_LENGTH, ipv4HeaderLength, ipVersion, readU16, writeU16 } from './ip.ts'

const TCP_HEADER_LENGTH = 20
const SYN = 2
const OPTION_END = 0
const OPTION_PAD = 1
const OPTION_MSS = 2
const MSS_OPTION_LENGTH = 4

/**
 * Lowers the MSS of the IP packet `buffer[offset, offset + length)` to `limit`, or `limit - 20` inside IPv6.
 *
 * @returns true when it changed the packet.
 */
export function clampMss(buffer: Uint8Array, offset: number, length: number, limit: number): boolean {
  if (limit <= 0) return false
  // The cheap test first: nearly every packet ends here.
  const version = (buffer[offset] as number) >> 4
  if (version === 4) {
    if (length < 40 || buffer[offset + 9] !== IpProtocol.TCP) return false
    const header = ipv4HeaderLength(buffer, offset, length)
    const fragmentOffset = readU16(buffer, offset + 6) & 0x1fff
    if (header === 0 || fragmentOffset !== 0) return false // MSS-4
    return clampTcp(buffer, offset + header, length - header, limit)
  }
  if (version !== 6 || length < IPV6_HEADER_LENGTH || buffer[offset + 6] !== IpProtocol.TCP) return false
  return clampTcp(buffer, offset + IPV6_HEADER_LENGTH, length - IPV6_HEADER_LENGTH, limit - 20) // MSS-3
}

/** The same for the Ethernet frame `buffer[offset, offset + length)`, tagged or not (MSS-7). */
export function clampMssEthernet(buffer: Uint8Array, offset: number, length: number, limit: number): boolean {
  const skip = ethernetPayloadOffset(buffer, offset, length)
  if (skip === 0 || ipVersion(buffer, offset + skip, length - skip) === 0) return false
  return clampMss(buffer, offset + skip, length - skip, limit)
}

function clampTcp(buffer: Uint8Array, tcp: number, length: number, limit: number): boolean {
  if (length < TCP_HEADER_LENGTH || ((buffer[tcp + 13] as number) & SYN) === 0) return false // MSS-2
  const header = ((buffer[tcp + 12] as number) >> 4) * 4
  if (header <= TCP_HEADER_LENGTH || header > length || limit <= 0) return false
  const end = tcp + header
  for (let at = tcp + TCP_HEADER_LENGTH; at < end; ) {
    const kind = buffer[at] as number
    if (kind === OPTION_END) return false
    if (kind === OPTION_PAD) {
      at++
      continue
    }
    const size = at + 1 < end ? (buffer[at + 1] as number) : 0
    if (size < 2 || at + size > end) return false // MSS-5
    if (kind === OPTION_MSS) return size === MSS_OPTION_LENGTH && replaceMss(buffer, tcp, at + 2, limit)
    at += size
  }
  return false
}

function replaceMss(buffer: Uint8Array, tcp: number, at: number, limit: number): boolean {
  const before = readU16(buffer, at)
  if (before <= limit) return false // MSS-2
  writeU16(buffer, at, limit)
  // At an odd place the value's bytes fall into two checksum words, crosswise: the same sum with bytes swapped.
  const odd = (at - tcp) % 2 === 1
  const removed = odd ? swapBytes(before) : before
  const added = odd ? swapBytes(limit) : limit
  const sum = (~readU16(buffer, tcp + 16) & 0xffff) + (~removed & 0xffff) + added // MSS-6
  writeU16(buffer, tcp + 16, ~foldSum(sum) & 0xffff)
  return true
}

function swapBytes(value: number): number {
  return ((value & 255) << 8) | (value >> 8)
}

/** What lies around a data packet on its way, for sizes that count the whole. */
export interface OuterPath {
  readonly transport: 'udp' | 'tcp'
  /** Family of the outer addresses. */
  readonly family: 4 | 6
  /** True when UDP goes through a SOCKS5 proxy, which adds 10 bytes. */
  readonly socks?: boolean
}

/** What lies between the packet and the encryption. */
export interface InnerPath {
  /** Bytes of the compression framing: 0 or 1. */
  readonly compression: number
  readonly fragment: boolean
  /** Ethernet frames are 14 bytes longer than the packets inside. */
  readonly tap: boolean
}

/** Bytes of outer IP, UDP or TCP headers. */
export function outerOverhead(path: OuterPath): number {
  return (path.family === 4 ? 20 : 40) + (path.transport === 'udp' ? 8 : 20)
}

/** Bytes that the transport puts around a datagram and that count as the tunnel's own (MSS-9). */
export function transportOverhead(path: OuterPath): number {
  if (path.transport === 'tcp') return 2
  return path.socks === true ? 10 : 0
}

/** `mssfix n`, `mssfix n mtu` and `mssfix n fixed`. */
export interface MssfixOption {
  readonly size: number
  /** `datagram`: n is the UDP payload. `mtu`: n includes outer headers. `fixed`: n is the inner packet, nothing is added. */
  readonly sense: 'datagram' | 'mtu' | 'fixed'
}

/** The setting when the profile says nothing: 1492 with outer headers for a tun-mtu of 1500, else the tun-mtu itself. */
export function defaultMssfix(tunMtu: number): MssfixOption {
  return tunMtu === 1500 ? { size: 1492, sense: 'mtu' } : { size: tunMtu, sense: 'fixed' } // MSS-10
}

/**
 * The MSS limit for IPv4 that an option means (MSS-8).
 *
 * @returns bytes; 0 or less when nothing fits, which switches the rewriting off.
 */
export function mssLimit(option: MssfixOption, layout: DataLayout, outer: OuterPath, inner: InnerPath): number {
  const tcpAndIp = 40
  if (option.sense === 'fixed') return option.size - tcpAndIp
  const datagram = option.size - transportOverhead(outer) - (option.sense === 'mtu' ? outerOverhead(outer) : 0)
  const payload = largestPayload(layout, datagram)
  return payload - inner.compression - (inner.fragment ? FRAGMENT_HEADER_LENGTH : 0) - (inner.tap ? 14 : 0) - tcpAndIp
}

/**
 * Most bytes behind the fragment header for `fragment n`: n is the largest UDP payload, or with `mtu` the largest packet
 * including outer headers (FRAG-10).
 */
export function fragmentLimit(size: number, mtu: boolean, layout: DataLayout, outer: OuterPath): number {
  const datagram = size - transportOverhead(outer) - (mtu ? outerOverhead(outer) : 0)
  return largestPayload(layout, datagram) - FRAGMENT_HEADER_LENGTH
}
