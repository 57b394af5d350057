/**
 * ICMP echo over IPv4, enough to send a ping through the tunnel and to answer one.
 */

/** An echo request or reply. */
export interface Echo {
  readonly kind: 'request' | 'reply'
  readonly source: Uint8Array
  readonly destination: Uint8Array
  readonly sequence: number
}

const HEADER = 20
const LENGTH = 84

/** The address of dotted text. */
export function address(text: string): Uint8Array {
  return Uint8Array.from(text.split('.'), Number)
}

function checksum(packet: Uint8Array, from: number, to: number): number {
  const view = new DataView(packet.buffer, packet.byteOffset)
  let sum = 0
  for (let at = from; at < to; at += 2) sum += view.getUint16(at)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}

/** The packet: 84 bytes, like the system's ping. */
export function writeEcho({ kind, source, destination, sequence }: Echo): Uint8Array {
  const packet = new Uint8Array(LENGTH)
  const view = new DataView(packet.buffer)
  packet.set([0x45, 0, 0, LENGTH, 0, sequence & 0xff, 0x40, 0, 64, 1])
  packet.set(source, 12)
  packet.set(destination, 16)
  view.setUint16(10, checksum(packet, 0, HEADER))
  packet[HEADER] = kind === 'request' ? 8 : 0
  view.setUint16(HEADER + 6, sequence)
  for (let at = HEADER + 8; at < LENGTH; at++) packet[at] = at
  view.setUint16(HEADER + 2, checksum(packet, HEADER, LENGTH))
  return packet
}

/** The echo in a packet; undefined for anything else. */
export function readEcho(packet: Uint8Array): Echo | undefined {
  if (packet.length !== LENGTH || packet[0] !== 0x45 || packet[9] !== 1) return undefined
  if (checksum(packet, 0, HEADER) !== 0 || checksum(packet, HEADER, LENGTH) !== 0) return undefined
  const type = packet[HEADER]
  if (type !== 0 && type !== 8) return undefined
  return {
    kind: type === 8 ? 'request' : 'reply',
    source: packet.slice(12, 16),
    destination: packet.slice(16, 20),
    sequence: new DataView(packet.buffer, packet.byteOffset).getUint16(HEADER + 6),
  }
}
