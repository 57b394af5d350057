/**
 * From a captured frame to the transport's payload: link layer, IP, UDP or TCP (spec/decode.md, DEC-10 to DEC-14).
 *
 * Ethernet with VLAN tags, raw IP, Linux cooked captures of both versions, and the loopback headers of the BSDs. IPv4 with
 * options, IPv6 with extension headers. Fragments of IP packets are named and left alone. Checksums are not looked at:
 * captures of a sending host hold wrong ones.
 */
import { formatIpv4, formatIpv6 } from '../control/index.ts'
import { EtherType, ipVersion, IpProtocol, readU16 } from '../data/index.ts'
import { readPacketId } from '../wire/index.ts'
import type { Frame } from './capture.ts'

/** One end of a flow. */
export interface Endpoint {
  readonly address: string
  readonly port: number
}

/** What a frame carries. */
export type Segment =
  | { readonly type: 'udp'; readonly from: Endpoint; readonly to: Endpoint; readonly payload: Uint8Array }
  | {
      readonly type: 'tcp'
      readonly from: Endpoint
      readonly to: Endpoint
      readonly payload: Uint8Array
      readonly sequence: number
      readonly syn: boolean
      /** FIN or RST: nothing follows. */
      readonly end: boolean
    }

/** Why a frame carries nothing that could be looked at. */
export const FRAME_SKIPS = {
  'link-type': 'A link type that is not read here.',
  'not-ip': 'No IPv4 or IPv6 packet: ARP, for instance.',
  'cut-short': 'The frame ends inside a header, or its IP packet was not captured whole.',
  'ip-fragment': 'A fragment of an IP packet; fragments are not put together.',
  'other-protocol': 'Neither UDP nor TCP.',
} as const

/** A reason from {@link FRAME_SKIPS}. */
export type FrameSkip = keyof typeof FRAME_SKIPS

/** Link types, by the names of the registry without their common prefix. */
const LinkType = {
  null: 0,
  ethernet: 1,
  rawBsd: 12,
  rawOpenBsd: 14,
  raw: 101,
  loop: 108,
  sll: 113,
  ipv4: 228,
  ipv6: 229,
  sll2: 276,
}
const VLAN_TYPES: ReadonlySet<number> = new Set([EtherType.VLAN, 0x88a8, 0x9100])
const MOST_VLAN_TAGS = 4
const MOST_IPV6_HEADERS = 8
const IPV6_FRAGMENT = 44
/** Hop-by-hop, routing, destination options. */
const IPV6_OPTIONS: ReadonlySet<number> = new Set([0, 43, 60])
const TCP_FIN = 1
const TCP_SYN = 2
const TCP_RST = 4

/** The segment in a frame, or why there is none. Payloads are views. */
export function parseFrame({ data, linkType }: Frame): Segment | FrameSkip {
  const at = ipOffset(data, linkType)
  if (typeof at === 'string') return at
  const version = ipVersion(data, at, data.length - at)
  if (version === 4) return parseIpv4Packet(data, at)
  if (version === 6) return parseIpv6Packet(data, at)
  return at < data.length && ((data[at] as number) >> 4 === 4 || (data[at] as number) >> 4 === 6)
    ? 'cut-short'
    : 'not-ip'
}

/** Where the IP packet begins. DEC-10 */
function ipOffset(data: Uint8Array, linkType: number): number | FrameSkip {
  switch (linkType) {
    case LinkType.ethernet:
      return behindEtherType(data, 12)
    case LinkType.raw:
    case LinkType.rawBsd:
    case LinkType.rawOpenBsd:
    case LinkType.ipv4:
    case LinkType.ipv6:
      return 0
    case LinkType.null:
    case LinkType.loop:
      // The address family's number differs from system to system; the IP header behind it says enough.
      return data.length < 4 ? 'cut-short' : 4
    case LinkType.sll:
      return behindEtherType(data, 14)
    case LinkType.sll2:
      return data.length < 20 ? 'cut-short' : isIpType(readU16(data, 0)) ? 20 : 'not-ip'
    default:
      return 'link-type'
  }
}

/** DEC-11 */
function behindEtherType(data: Uint8Array, typeAt: number): number | FrameSkip {
  let at = typeAt
  for (let tags = 0; tags <= MOST_VLAN_TAGS; tags++) {
    if (data.length < at + 2) return 'cut-short'
    const type = readU16(data, at)
    if (isIpType(type)) return at + 2
    if (!VLAN_TYPES.has(type)) return 'not-ip'
    at += 4
  }
  return 'not-ip'
}

function isIpType(type: number): boolean {
  return type === EtherType.IPV4 || type === EtherType.IPV6
}

/** DEC-12 */
function parseIpv4Packet(data: Uint8Array, at: number): Segment | FrameSkip {
  const header = ((data[at] as number) & 15) * 4
  // A length of 0 stands in captures of hosts whose network card cuts the segments.
  const total = readU16(data, at + 2) || data.length - at
  if (total < header || at + total > data.length) return 'cut-short'
  if ((readU16(data, at + 6) & 0x3fff) !== 0) return 'ip-fragment'
  const from = formatIpv4(data.subarray(at + 12, at + 16))
  const to = formatIpv4(data.subarray(at + 16, at + 20))
  return parseTransport(data, at + header, at + total, data[at + 9] as number, from, to)
}

/** DEC-13 */
function parseIpv6Packet(data: Uint8Array, at: number): Segment | FrameSkip {
  const length = readU16(data, at + 4)
  const end = length === 0 ? data.length : at + 40 + length
  if (end > data.length) return 'cut-short'
  const from = formatIpv6(data.subarray(at + 8, at + 24))
  const to = formatIpv6(data.subarray(at + 24, at + 40))
  let next = data[at + 6] as number
  let offset = at + 40
  for (let headers = 0; IPV6_OPTIONS.has(next); headers++) {
    if (headers === MOST_IPV6_HEADERS || offset + 8 > end) return 'cut-short'
    next = data[offset] as number
    offset += 8 * ((data[offset + 1] as number) + 1)
  }
  return next === IPV6_FRAGMENT ? 'ip-fragment' : parseTransport(data, offset, end, next, from, to)
}

/** DEC-14 */
function parseTransport(
  data: Uint8Array,
  at: number,
  end: number,
  protocol: number,
  source: string,
  target: string,
): Segment | FrameSkip {
  if (protocol !== IpProtocol.UDP && protocol !== IpProtocol.TCP) return 'other-protocol'
  if (at + (protocol === IpProtocol.UDP ? 8 : 20) > end) return 'cut-short'
  const from: Endpoint = { address: source, port: readU16(data, at) }
  const to: Endpoint = { address: target, port: readU16(data, at + 2) }
  if (protocol === IpProtocol.UDP) {
    const length = readU16(data, at + 4) || end - at
    if (length < 8 || at + length > end) return 'cut-short'
    return { type: 'udp', from, to, payload: data.subarray(at + 8, at + length) }
  }
  const header = ((data[at + 12] as number) >> 4) * 4
  if (header < 20 || at + header > end) return 'cut-short'
  const flags = data[at + 13] as number
  return {
    type: 'tcp',
    from,
    to,
    payload: data.subarray(at + header, end),
    sequence: readPacketId(data, at + 4),
    syn: (flags & TCP_SYN) !== 0,
    end: (flags & (TCP_FIN | TCP_RST)) !== 0,
  }
}

/** `address:port`, with brackets around an IPv6 address. */
export function endpointText({ address, port }: Endpoint): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}
