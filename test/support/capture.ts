/**
 * Writing captures: pcap and pcapng files out of datagrams, with the headers of any link type in front.
 */
import { concat, Writer } from '../../src/bytes/index.ts'

/** One end. */
export interface CaptureEnd {
  /** 4 or 16 bytes. */
  readonly address: Uint8Array
  readonly port: number
}

/** A datagram with its addresses. `sequence` makes it a TCP segment. */
export interface CapturedDatagram {
  readonly from: CaptureEnd
  readonly to: CaptureEnd
  readonly payload: Uint8Array
  /** Unix ms. */
  readonly time: number
  readonly sequence?: number
  readonly flags?: number
}

/** Link types that can be written. */
export type LinkName = 'ethernet' | 'vlan' | 'raw' | 'sll' | 'sll2' | 'null' | 'loop'

const LINK_NUMBERS: Readonly<Record<LinkName, number>> = {
  ethernet: 1,
  vlan: 1,
  raw: 101,
  sll: 113,
  sll2: 276,
  null: 0,
  loop: 108,
}

/** Forms of capture files. */
export interface CaptureForm {
  readonly format: 'pcap' | 'pcapng'
  readonly little: boolean
  readonly nanoseconds: boolean
  readonly link: LinkName
}

/** The form that tcpdump writes on most machines. */
export const COMMON_FORM: CaptureForm = { format: 'pcap', little: true, nanoseconds: false, link: 'ethernet' }

/** A client at 192.0.2.2 port 40000 and a server at 192.0.2.1 port 1194; the same with IPv6. */
export const CAPTURE_ENDS = {
  client: { address: Uint8Array.of(192, 0, 2, 2), port: 40_000 },
  server: { address: Uint8Array.of(192, 0, 2, 1), port: 1194 },
  client6: { address: Uint8Array.of(0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2), port: 40_000 },
  server6: { address: Uint8Array.of(0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1), port: 1194 },
} as const satisfies Readonly<Record<string, CaptureEnd>>

/** The frame of a datagram or segment. */
export function writeLinkFrame(datagram: CapturedDatagram, link: LinkName): Uint8Array {
  const packet = ipPacketOf(datagram)
  const type = datagram.from.address.length === 4 ? 0x0800 : 0x86dd
  const family = datagram.from.address.length === 4 ? 2 : 10
  switch (link) {
    case 'ethernet':
      return concat(new Writer().bytes(new Uint8Array(12)).u16(type).finish(), packet)
    case 'vlan':
      return concat(new Writer().bytes(new Uint8Array(12)).u16(0x8100).u16(7).u16(type).finish(), packet)
    case 'raw':
      return packet
    case 'sll':
      return concat(new Writer().bytes(new Uint8Array(14)).u16(type).finish(), packet)
    case 'sll2':
      return concat(new Writer().u16(type).bytes(new Uint8Array(18)).finish(), packet)
    case 'null':
      return concat(Uint8Array.of(family, 0, 0, 0), packet)
    case 'loop':
      return concat(Uint8Array.of(0, 0, 0, family), packet)
  }
}

function ipPacketOf(datagram: CapturedDatagram): Uint8Array {
  const { from, to } = datagram
  const upper = upperOf(datagram)
  const protocol = datagram.sequence === undefined ? 17 : 6
  if (from.address.length === 16) {
    const head = new Writer().u32(0x60000000).u16(upper.length).u8(protocol).u8(64)
    return head.bytes(from.address).bytes(to.address).bytes(upper).finish()
  }
  const head = new Writer()
    .u8(0x45)
    .u8(0)
    .u16(20 + upper.length)
    .u32(0)
    .u8(64)
    .u8(protocol)
    .u16(0)
  return head.bytes(from.address).bytes(to.address).bytes(upper).finish()
}

function upperOf({ flags = 0x18, from, payload, sequence, to }: CapturedDatagram): Uint8Array {
  const ports = new Writer().u16(from.port).u16(to.port)
  if (sequence === undefined)
    return ports
      .u16(8 + payload.length)
      .u16(0)
      .bytes(payload)
      .finish()
  return ports.u32(sequence).u32(0).u8(0x50).u8(flags).u16(0xffff).u32(0).bytes(payload).finish()
}

/** A capture file. */
export function writeCapture(datagrams: readonly CapturedDatagram[], form: CaptureForm = COMMON_FORM): Uint8Array {
  const frames = datagrams.map((datagram) => ({ time: datagram.time, data: writeLinkFrame(datagram, form.link) }))
  return form.format === 'pcap' ? writePcap(frames, form) : writePcapng(frames, form)
}

interface TimedFrame {
  readonly time: number
  readonly data: Uint8Array
}

const u32 = (value: number, little: boolean): Uint8Array => {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value, little)
  return bytes
}
const u16 = (value: number, little: boolean): Uint8Array => {
  const bytes = new Uint8Array(2)
  new DataView(bytes.buffer).setUint16(0, value, little)
  return bytes
}

function writePcap(frames: readonly TimedFrame[], { link, little, nanoseconds }: CaptureForm): Uint8Array {
  const parts = [
    u32(nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4, little),
    u16(2, little),
    u16(4, little),
    u32(0, little),
    u32(0, little),
    u32(262_144, little),
    u32(LINK_NUMBERS[link], little),
  ]
  for (const { data, time } of frames) {
    const fraction = Math.round((time % 1000) * (nanoseconds ? 1e6 : 1e3))
    parts.push(u32(Math.floor(time / 1000), little), u32(fraction, little))
    parts.push(u32(data.length, little), u32(data.length, little), data)
  }
  return concat(...parts)
}

/** One block with its length at both ends. */
export function pcapngBlock(type: number, body: Uint8Array, little: boolean): Uint8Array {
  const padding = new Uint8Array((4 - (body.length % 4)) % 4)
  const length = u32(12 + body.length + padding.length, little)
  return concat(u32(type, little), length, body, padding, length)
}

function writePcapng(frames: readonly TimedFrame[], { link, little, nanoseconds }: CaptureForm): Uint8Array {
  const section = concat(u32(0x1a2b3c4d, little), u16(1, little), u16(0, little), new Uint8Array(8).fill(255))
  const resolution = nanoseconds
    ? concat(u16(9, little), u16(1, little), Uint8Array.of(9, 0, 0, 0), u32(0, little))
    : new Uint8Array(0)
  const source = concat(u16(LINK_NUMBERS[link], little), u16(0, little), u32(0, little), resolution)
  const parts = [pcapngBlock(0x0a0d0d0a, section, little), pcapngBlock(1, source, little)]
  for (const { data, time } of frames) {
    const units = BigInt(Math.round(time * 1e3)) * (nanoseconds ? 1000n : 1n)
    const head = concat(u32(0, little), u32(Number(units >> 32n), little), u32(Number(units & 0xffffffffn), little))
    parts.push(pcapngBlock(6, concat(head, u32(data.length, little), u32(data.length, little), data), little))
  }
  return concat(...parts)
}
