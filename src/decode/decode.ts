/**
 * A whole capture at once: frames to flows, those of OpenVPN to packets, packets to what they say (spec/decode.md, DEC-70,
 * DEC-80).
 *
 * A flow counts as OpenVPN when a hard reset of the right form is in it, or when one of its ports was named; 1194 always is.
 * Everything else is counted and left alone.
 */
import { isHardReset, keyIdOf, looksLikeOpenVpn, opcodeOf } from '../wire/index.ts'
import { type Capture, type Frame, readCapture } from './capture.ts'
import { guessWrap } from './control-opener.ts'
import { type DecodeOptions, Decoder } from './decoder.ts'
import { type Endpoint, endpointText, type FrameSkip, parseFrame, type Segment } from './frame.ts'
import type { DecodedPacket } from './packet.ts'
import { TcpStream } from './tcp-stream.ts'

/** How to decode a capture. */
export interface CaptureOptions extends DecodeOptions {
  /** Ports whose flows are OpenVPN whatever they look like, beside 1194. */
  readonly ports?: readonly number[]
}

/** What a capture says. */
export interface DecodedCapture {
  readonly format: Capture['format']
  /** Frames in the file. */
  readonly frames: number
  readonly packets: readonly DecodedPacket[]
  /** Frames that hold no packet, by reason. `other-flow`: not OpenVPN. */
  readonly skipped: Readonly<Partial<Record<FrameSkip | 'other-flow', number>>>
  /** What is wrong with the capture, a line each. */
  readonly problems: readonly string[]
}

const OPENVPN_PORT = 1194
/** A hard reset is at least this long: opcode, session id, no acks, a packet id. */
const LEAST_RESET = 14

/**
 * Decodes a capture file.
 *
 * @returns undefined when the bytes are no capture file.
 * @throws ConfigError for a key that cannot be read; never for what the capture holds.
 * @example
 * const decoded = decodeCapture(bytes, { keys: { keyLogs: [text] } })
 * for (const packet of decoded?.packets ?? []) print(describePacket(packet))
 */
export function decodeCapture(bytes: Uint8Array, options: CaptureOptions = {}): DecodedCapture | undefined {
  const capture = readCapture(bytes)
  return capture === undefined ? undefined : new CaptureDecoder(capture, options).run()
}

class CaptureDecoder {
  readonly #capture: Capture
  readonly #decoder: Decoder
  readonly #ports: ReadonlySet<number>
  readonly #streams = new Map<string, TcpStream>()
  readonly #packets: DecodedPacket[] = []
  readonly #skipped: Partial<Record<FrameSkip | 'other-flow', number>> = {}
  readonly #problems: string[] = []

  constructor(capture: Capture, options: CaptureOptions) {
    this.#capture = capture
    this.#decoder = new Decoder(options)
    this.#ports = new Set([OPENVPN_PORT, ...(options.ports ?? [])])
    for (const text of capture.keyLogs) this.#decoder.keys.addKeyLog(text)
    if (capture.problem !== undefined) this.#problems.push(capture.problem)
  }

  run(): DecodedCapture {
    const { format, frames } = this.#capture
    const segments = frames.map((frame) => parseFrame(frame))
    const flows = this.#openVpnFlows(segments)
    frames.forEach((frame, index) => {
      const segment = segments[index] as Segment | FrameSkip
      if (typeof segment === 'string') this.#skip(segment)
      else if (!flows.has(flowKey(segment))) this.#skip('other-flow')
      else this.#segment(frame, segment)
    })
    for (const [name, stream] of this.#streams) {
      if (stream.problem === 'frame-length')
        this.#problems.push(`${name}: the stream is not OpenVPN, or is out of step`)
      else if (stream.problem !== undefined || stream.hasGap) this.#problems.push(`${name}: bytes are missing`)
    }
    return { format, frames: frames.length, packets: this.#packets, skipped: this.#skipped, problems: this.#problems }
  }

  /** DEC-80 */
  #openVpnFlows(segments: readonly (Segment | FrameSkip)[]): ReadonlySet<string> {
    const flows = new Set<string>()
    segments.forEach((segment, index) => {
      if (typeof segment === 'string') return
      const key = flowKey(segment)
      if (flows.has(key)) return
      const named = this.#ports.has(segment.from.port) || this.#ports.has(segment.to.port)
      if (named || isStart(segment, this.#capture.frames[index] as Frame)) flows.add(key)
    })
    return flows
  }

  #segment({ number, time }: Frame, segment: Segment): void {
    const from = endpointText(segment.from)
    const to = endpointText(segment.to)
    const common = { frame: number, time, transport: segment.type, from, to }
    if (segment.type === 'udp') {
      if (segment.payload.length > 0) this.#packets.push(this.#decoder.packet({ ...common, bytes: segment.payload }))
      return
    }
    const name = `TCP ${from} > ${to}`
    const stream = this.#streams.get(name) ?? new TcpStream()
    this.#streams.set(name, stream)
    for (const bytes of stream.receive(segment.sequence, segment.syn, segment.payload)) {
      this.#packets.push(this.#decoder.packet({ ...common, bytes }))
    }
  }

  #skip(reason: FrameSkip | 'other-flow'): void {
    this.#skipped[reason] = (this.#skipped[reason] ?? 0) + 1
  }
}

function flowKey({ from, to, type }: Segment): string {
  const text = ({ address, port }: Endpoint): string => `${address} ${port}`
  const [a, b] = [text(from), text(to)]
  return a < b ? `${type} ${a} ${b}` : `${type} ${b} ${a}`
}

/** True for what only an OpenVPN flow begins with. */
function isStart({ payload, type }: Segment, { time }: Frame): boolean {
  if (type === 'tcp') return looksLikeOpenVpn(payload) === true
  const first = payload[0] ?? 0
  if (payload.length < LEAST_RESET || !isHardReset(opcodeOf(first)) || keyIdOf(first) !== 0) return false
  const { packet, wrap } = guessWrap(payload, time)
  // A reset is message 0 and says nothing, or settings of a few bytes.
  return packet === undefined ? wrap === 'tls-crypt' : packet.packetId === 0 && packet.payload.length <= 16
}
