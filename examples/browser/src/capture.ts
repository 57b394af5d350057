/**
 * A capture file, decoded without keys: the ladder as text.
 */
import { type DecodedCapture, ladderLines } from 'ovpn-core/decode'
import { element } from './views.ts'

/** Draws what a capture says. */
export function drawCapture(into: HTMLElement, name: string, capture: DecodedCapture): void {
  const { format, frames, packets, problems } = capture
  const start = packets[0]?.time ?? 0
  const lines = packets.flatMap((packet) => ladderLines(packet, start))
  into.replaceChildren(
    element('h3', '', `${name}: ${format}, ${frames} frames, ${packets.length} OpenVPN packets`),
    ...problems.map((problem) => element('p', 'problem', problem)),
    element('pre', '', lines.join('\n')),
  )
}
