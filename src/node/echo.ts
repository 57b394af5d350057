/**
 * Ping without a kernel: builds ICMP and ICMPv6 echo requests, answers requests sent to us, and recognises replies.
 * For tap profiles the same packets travel in Ethernet frames, with ARP asked and answered.
 *
 * RFC 792, RFC 4443 (echo and its pseudo-header checksum), RFC 826. Anything that is not a whole, well-formed echo or ARP
 * packet for us is ignored.
 */
import { concat, equalBytes, Reader, Writer } from '../bytes/index.ts'

const ICMP = 1
const ICMPV6 = 58
const ECHO_REPLY_V4 = 0
const ECHO_REQUEST_V4 = 8
const ECHO_REQUEST_V6 = 128
const ECHO_REPLY_V6 = 129

/** An echo request or reply found in a packet. Addresses are 4 or 16 bytes. */
export interface Echo {
  readonly kind: 'request' | 'reply'
  readonly source: Uint8Array
  readonly destination: Uint8Array
  readonly identifier: number
  readonly sequence: number
  readonly payload: Uint8Array
}

/** The 16-bit one's complement sum of RFC 1071 over `bytes`, complemented. */
export function internetChecksum(...parts: readonly Uint8Array[]): number {
  const bytes = concat(...parts)
  let sum = 0
  for (let i = 0; i < bytes.length; i += 2) sum += ((bytes[i] as number) << 8) | (bytes[i + 1] ?? 0)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}

/** An IP packet that carries `echo`; IPv4 or IPv6 by the addresses' length. */
export function writeEcho(echo: Echo): Uint8Array {
  return echo.source.length === 4 ? writeEchoV4(echo) : writeEchoV6(echo)
}

function writeEchoV4(echo: Echo): Uint8Array {
  const type = echo.kind === 'request' ? ECHO_REQUEST_V4 : ECHO_REPLY_V4
  const message = writeMessage(type, echo)
  putU16(message, 2, internetChecksum(message))
  const header = new Writer(20)
    .u8(0x45)
    .u8(0)
    .u16(20 + message.length)
    .u16(echo.sequence & 0xffff)
    .u16(0x4000)
  header.u8(64).u8(ICMP).u16(0).bytes(echo.source).bytes(echo.destination)
  const bytes = header.finish()
  putU16(bytes, 10, internetChecksum(bytes))
  return concat(bytes, message)
}

function writeEchoV6(echo: Echo): Uint8Array {
  const type = echo.kind === 'request' ? ECHO_REQUEST_V6 : ECHO_REPLY_V6
  return writeIcmpV6(echo.source, echo.destination, 64, writeMessage(type, echo))
}

/** An IPv6 packet around an ICMPv6 message, whose checksum field must be zero. */
export function writeIcmpV6(
  source: Uint8Array,
  destination: Uint8Array,
  hopLimit: number,
  message: Uint8Array,
): Uint8Array {
  const body = message.slice()
  putU16(body, 2, checksumV6(source, destination, body))
  const header = new Writer(40).u32(0x60000000).u16(body.length).u8(ICMPV6).u8(hopLimit)
  return concat(header.bytes(source).bytes(destination).finish(), body)
}

/** The ICMPv6 checksum of `body` with its pseudo-header; 0 when `body` holds its right checksum. */
export function checksumV6(source: Uint8Array, destination: Uint8Array, body: Uint8Array): number {
  return internetChecksum(source, destination, new Writer(8).u32(body.length).u32(ICMPV6).finish(), body)
}

/** An echo message whose checksum is still zero. */
function writeMessage(type: number, echo: Echo): Uint8Array {
  const body = new Writer(8 + echo.payload.length).u8(type).u8(0).u16(0)
  return body.u16(echo.identifier).u16(echo.sequence).bytes(echo.payload).finish()
}

function putU16(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value >> 8
  bytes[offset + 1] = value & 255
}

/** The echo in an IP packet, or `undefined` when it holds none or is damaged. */
export function parseEcho(packet: Uint8Array): Echo | undefined {
  const version = (packet[0] ?? 0) >> 4
  if (version === 4) return parseEchoV4(packet)
  return version === 6 ? parseEchoV6(packet) : undefined
}

function parseEchoV4(packet: Uint8Array): Echo | undefined {
  const reader = new Reader(packet)
  const headerLength = (reader.u8() & 15) * 4
  reader.skip(1)
  const total = reader.u16()
  reader.skip(2)
  const fragment = reader.u16()
  reader.skip(1)
  const protocol = reader.u8()
  reader.skip(2)
  const source = reader.copy(4)
  const destination = reader.copy(4)
  if (reader.failed || protocol !== ICMP || (fragment & 0x3fff) !== 0) return undefined
  if (headerLength < 20 || total < headerLength + 8 || total > packet.length) return undefined
  const body = packet.subarray(headerLength, total)
  if (internetChecksum(body) !== 0) return undefined
  return parseMessage(body, ECHO_REQUEST_V4, ECHO_REPLY_V4, source, destination)
}

function parseEchoV6(packet: Uint8Array): Echo | undefined {
  const reader = new Reader(packet)
  reader.skip(4)
  const length = reader.u16()
  const next = reader.u8()
  reader.skip(1)
  const source = reader.copy(16)
  const destination = reader.copy(16)
  const body = reader.take(length)
  if (reader.failed || next !== ICMPV6 || length < 8) return undefined
  if (checksumV6(source, destination, body) !== 0) return undefined
  return parseMessage(body, ECHO_REQUEST_V6, ECHO_REPLY_V6, source, destination)
}

function parseMessage(
  body: Uint8Array,
  request: number,
  reply: number,
  source: Uint8Array,
  destination: Uint8Array,
): Echo | undefined {
  const reader = new Reader(body)
  const type = reader.u8()
  if (reader.u8() !== 0 || (type !== request && type !== reply)) return undefined
  reader.skip(2)
  const identifier = reader.u16()
  const sequence = reader.u16()
  const kind = type === request ? 'request' : 'reply'
  return { kind, source, destination, identifier, sequence, payload: reader.rest().slice() }
}

/** The reply to an echo request, for sending back through the tunnel. */
export function replyTo(request: Echo): Uint8Array {
  return writeEcho({ ...request, kind: 'reply', source: request.destination, destination: request.source })
}

/** EtherTypes used here. */
export const ETHERTYPE = { ipv4: 0x0800, arp: 0x0806, ipv6: 0x86dd } as const

const BROADCAST = new Uint8Array(6).fill(0xff)

/** An Ethernet frame. */
export function writeFrame(destination: Uint8Array, source: Uint8Array, type: number, payload: Uint8Array): Uint8Array {
  return new Writer(14 + payload.length).bytes(destination).bytes(source).u16(type).bytes(payload).finish()
}

/** An ARP request for the hardware address of `target`, as a broadcast frame. */
export function writeArpRequest(mac: Uint8Array, source: Uint8Array, target: Uint8Array): Uint8Array {
  return writeFrame(BROADCAST, mac, ETHERTYPE.arp, arpBody(1, mac, source, new Uint8Array(6), target))
}

function arpBody(
  operation: number,
  senderMac: Uint8Array,
  sender: Uint8Array,
  targetMac: Uint8Array,
  target: Uint8Array,
): Uint8Array {
  const body = new Writer(28).u16(1).u16(ETHERTYPE.ipv4).u8(6).u8(4).u16(operation)
  return body.bytes(senderMac).bytes(sender).bytes(targetMac).bytes(target).finish()
}

/** What a frame meant to a host with one MAC and one IPv4 address. */
export type FrameMeaning =
  | { readonly type: 'arp-reply'; readonly address: Uint8Array; readonly mac: Uint8Array }
  /** Somebody asks for us; `answer` is the frame to send. */
  | { readonly type: 'arp-request'; readonly answer: Uint8Array }
  | { readonly type: 'packet'; readonly packet: Uint8Array; readonly from: Uint8Array }
  | { readonly type: 'other' }

/** Reads a frame as the host that owns `mac` and the IPv4 address `own`. */
export function readFrame(frame: Uint8Array, mac: Uint8Array, own: Uint8Array | undefined): FrameMeaning {
  const reader = new Reader(frame)
  const destination = reader.take(6)
  const from = reader.copy(6)
  const type = reader.u16()
  if (reader.failed) return { type: 'other' }
  if (type === ETHERTYPE.arp) return readArp(reader, mac, own)
  const forUs = equalBytes(destination, mac) || ((destination[0] as number) & 1) === 1
  if (!forUs || (type !== ETHERTYPE.ipv4 && type !== ETHERTYPE.ipv6)) return { type: 'other' }
  return { type: 'packet', packet: reader.rest().slice(), from }
}

function readArp(reader: Reader, mac: Uint8Array, own: Uint8Array | undefined): FrameMeaning {
  const fixed = reader.take(6)
  const operation = reader.u16()
  const senderMac = reader.copy(6)
  const sender = reader.copy(4)
  reader.skip(6)
  const target = reader.take(4)
  if (reader.failed || !equalBytes(fixed, Uint8Array.of(0, 1, 8, 0, 6, 4))) return { type: 'other' }
  if (operation === 2) return { type: 'arp-reply', address: sender, mac: senderMac }
  if (operation !== 1 || own === undefined || !equalBytes(target, own)) return { type: 'other' }
  return {
    type: 'arp-request',
    answer: writeFrame(senderMac, mac, ETHERTYPE.arp, arpBody(2, mac, own, senderMac, sender)),
  }
}
