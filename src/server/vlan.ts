/**
 * VLANs on a tap server: clients are access ports, the tunnel side is a trunk (IEEE 802.1Q; SRV-37, SRV-38).
 *
 * A client sees frames without a tag and belongs to one VLAN, its port's. Toward the tunnel side a frame carries its VLAN's
 * tag, or none where it is the server's own VLAN; which kinds the tunnel side may send is `vlan-accept`. A tag that names no
 * VLAN but a priority counts as none, and the priority of a tagged frame survives the loss of its VLAN.
 */
import type { VlanConfig } from './config.ts'

const TAG = 4
const TPID = 12
const TCI = 14

/** A frame without its VLAN's tag, and its VLAN. */
export interface PortFrame {
  readonly vlan: number
  readonly frame: Uint8Array
}

/** A number that names a VLAN. */
export function isVlan(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= 4094
}

function isTagged(frame: Uint8Array): boolean {
  return frame.length >= 18 && frame[TPID] === 0x81 && frame[TPID + 1] === 0
}

/** The VLAN that a frame's tag names; 0 for a tag of a priority alone, and without a tag. */
function tagOf(frame: Uint8Array): number {
  return isTagged(frame) ? (((frame[TCI] as number) & 0x0f) << 8) | (frame[TCI + 1] as number) : 0
}

function withTci(frame: Uint8Array, vlan: number): Uint8Array {
  const out = frame.slice()
  out[TCI] = ((frame[TCI] as number) & 0xf0) | (vlan >> 8)
  out[TCI + 1] = vlan & 0xff
  return out
}

/** A frame of the tunnel side; undefined when `vlan-accept` does not take its kind. SRV-37 */
export function fromTrunk(frame: Uint8Array, { accept, pvid }: VlanConfig): PortFrame | undefined {
  const vlan = tagOf(frame)
  if (vlan === 0) return accept === 'tagged' ? undefined : { vlan: pvid, frame }
  if (accept === 'untagged') return undefined
  const priority = (frame[TCI] as number) & 0xe0
  if (priority !== 0) return { vlan, frame: withTci(frame, 0) }
  const plain = new Uint8Array(frame.length - TAG)
  plain.set(frame.subarray(0, TPID))
  plain.set(frame.subarray(TPID + TAG), TPID)
  return { vlan, frame: plain }
}

/** A frame of a client, for the tunnel side; undefined when that takes no tags and this VLAN needs one. SRV-38 */
export function toTrunk(frame: Uint8Array, vlan: number, { accept, pvid }: VlanConfig): Uint8Array | undefined {
  if (vlan === pvid && accept !== 'tagged') return frame
  if (accept === 'untagged') return undefined
  if (isTagged(frame)) return withTci(frame, vlan)
  const out = new Uint8Array(frame.length + TAG)
  out.set(frame.subarray(0, TPID))
  out.set([0x81, 0, vlan >> 8, vlan & 0xff], TPID)
  out.set(frame.subarray(TPID), TPID + TAG)
  return out
}

/** Whether a client may send the frame: it cannot choose its VLAN. SRV-38 */
export function isPortFrame(frame: Uint8Array): boolean {
  return tagOf(frame) === 0
}
