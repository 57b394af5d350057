/**
 * A look at the control packets of a pair without wrap: what was sent, parsed, and packets of one's own making.
 */
import {
  type ControlPacket,
  isControlOpcode,
  opcodeOf,
  parseControlPlain,
  writeControlPlain,
} from '../../src/wire/index.ts'
import type { End } from './network.ts'
import type { Pair } from './pair.ts'

/** A control packet on its way. */
export interface Tapped {
  readonly to: End
  readonly at: number
  readonly packet: ControlPacket
  readonly bytes: Uint8Array
}

/** Notes every control packet that both ends send from now on; `pass` decides what gets through. */
export function tapLine(pair: Pair, pass: (tapped: Tapped) => boolean = () => true): Tapped[] {
  const tapped: Tapped[] = []
  pair.network.filter = (bytes, to) => {
    const packet = parsePlain(bytes)
    if (packet === undefined) return true
    const seen = { to, at: pair.now, packet, bytes: bytes.slice() }
    tapped.push(seen)
    return pass(seen)
  }
  return tapped
}

/** The control packet in plain bytes; undefined for anything else. */
export function parsePlain(bytes: Uint8Array): ControlPacket | undefined {
  if (!isControlOpcode(opcodeOf(bytes[0]!))) return undefined
  const packet = parseControlPlain(bytes)
  return typeof packet === 'string' ? undefined : packet
}

/** A packet with some fields changed, as bytes. */
export function forged(packet: ControlPacket, change: Partial<ControlPacket>): Uint8Array {
  return writeControlPlain({ ...packet, ...change })
}
