/**
 * A capture, decoded without keys, or a recording: run again in the page, compared with what it holds, and decoded with its
 * own keys.
 */
import { noble } from 'ovpn-core/crypto'
import { type DecodedCapture, type DecodedPacket, Decoder, ladderLines } from 'ovpn-core/decode'
import { recordedTraffic, Replay } from 'ovpn-core/record'
import { element } from './views.ts'

/** Draws what a capture says. */
export function drawCapture(into: HTMLElement, name: string, capture: DecodedCapture): void {
  const { format, frames, packets, problems } = capture
  into.replaceChildren(
    element('h3', '', `${name}: ${format}, ${frames} frames, ${packets.length} OpenVPN packets`),
    ...problems.map((problem) => element('p', 'problem', problem)),
    ladder(packets),
  )
}

/** Replays a recording and draws how that went, with what passed in it. */
export function drawRecording(into: HTMLElement, name: string, text: string): void {
  const replay = new Replay(text)
  while (replay.step() !== undefined);
  const { inputs, verdict } = replay
  const outcome =
    verdict.type === 'same'
      ? `the same to the byte${replay.isCut ? ', as far as it goes: its end is missing' : ''}`
      : `different from step ${verdict.step} on: ${verdict.detail}`
  const { keys, packets } = recordedTraffic(text, noble)
  const decoder = new Decoder({ keys })
  into.replaceChildren(
    element('h3', '', `${name}: a recorded ${replay.header.machine}, ${inputs} inputs replayed`),
    element('p', verdict.type === 'same' ? 'works' : 'fails', outcome),
    ladder(packets.map((packet) => decoder.packet(packet))),
  )
}

function ladder(packets: readonly DecodedPacket[]): HTMLElement {
  const start = packets[0]?.time ?? 0
  return element('pre', '', packets.flatMap((packet) => ladderLines(packet, start)).join('\n'))
}
