/**
 * IPv6 neighbour discovery for a tap tunnel without a kernel: asks for a hardware address, answers for our own.
 *
 * RFC 4861 sections 4.3, 4.4 and 7.2; messages with a hop limit other than 255 or a bad checksum are ignored.
 */
import { concat, equalBytes, Reader, Writer } from '../bytes/index.ts'
import { checksumV6, ETHERTYPE, writeFrame, writeIcmpV6 } from './echo.ts'

const SOLICITATION = 135
const ADVERTISEMENT = 136
const SOURCE_LINK_LAYER = 1
const TARGET_LINK_LAYER = 2
const SOLICITED_AND_OVERRIDE = 0x60000000
const ICMPV6 = 58

/** A frame that asks all hosts which share the target's last 24 bits for the target's hardware address. */
export function writeSolicitation(mac: Uint8Array, source: Uint8Array, target: Uint8Array): Uint8Array {
  const low = target.subarray(13)
  const group = concat(Uint8Array.of(0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff), low)
  const message = new Writer(32)
    .u8(SOLICITATION)
    .u8(0)
    .u16(0)
    .u32(0)
    .bytes(target)
    .u8(SOURCE_LINK_LAYER)
    .u8(1)
    .bytes(mac)
  const packet = writeIcmpV6(source, group, 255, message.finish())
  return writeFrame(concat(Uint8Array.of(0x33, 0x33, 0xff), low), mac, ETHERTYPE.ipv6, packet)
}

/** What a neighbour-discovery packet meant to the host that owns `own` at `mac`. */
export type Neighbor =
  /** Somebody asks for us; `answer` is the frame to send. */
  | { readonly type: 'solicitation'; readonly answer: Uint8Array }
  | { readonly type: 'advertisement'; readonly address: Uint8Array; readonly mac: Uint8Array }

/** Reads an IPv6 packet that arrived from the hardware address `from`; `undefined` when it is none of the two. */
export function readNeighbor(
  packet: Uint8Array,
  mac: Uint8Array,
  own: Uint8Array,
  from: Uint8Array,
): Neighbor | undefined {
  const reader = new Reader(packet)
  const version = reader.u8() >> 4
  reader.skip(3)
  const length = reader.u16()
  const fixed = reader.u8() === ICMPV6 && reader.u8() === 255
  const source = reader.copy(16)
  const destination = reader.copy(16)
  const body = reader.take(length)
  if (reader.failed || version !== 6 || !fixed || length < 24) return undefined
  if (checksumV6(source, destination, body) !== 0 || body[1] !== 0) return undefined
  const target = body.slice(8, 24)
  if (body[0] === ADVERTISEMENT) return { type: 'advertisement', address: target, mac: linkLayer(body) ?? from }
  if (body[0] !== SOLICITATION || !equalBytes(target, own)) return undefined
  const message = new Writer(32).u8(ADVERTISEMENT).u8(0).u16(0).u32(SOLICITED_AND_OVERRIDE).bytes(own)
  const answer = writeIcmpV6(own, source, 255, message.u8(TARGET_LINK_LAYER).u8(1).bytes(mac).finish())
  return { type: 'solicitation', answer: writeFrame(from, mac, ETHERTYPE.ipv6, answer) }
}

function linkLayer(body: Uint8Array): Uint8Array | undefined {
  const options = new Reader(body, 24)
  while (options.remaining >= 8) {
    const type = options.u8()
    const units = options.u8()
    if (units === 0) return undefined
    const value = options.copy(units * 8 - 2)
    if (type === TARGET_LINK_LAYER && value.length === 6) return value
  }
  return undefined
}
