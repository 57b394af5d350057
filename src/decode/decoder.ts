/**
 * From packets to what they say: the decoder holds the state of a capture, one packet at a time (spec/decode.md, DEC-70
 * and DEC-71).
 *
 * A flow is a pair of addresses. Sessions are known by their ids, not by their flow, so that a client whose address changes is
 * followed. Nothing that a packet holds makes it throw.
 */
import { toHex } from '../bytes/index.ts'
import { type CryptoProvider, noble } from '../crypto/index.ts'
import {
  CONTROL_HEADER_LENGTH,
  type ControlPacket,
  isClientReset,
  isDataOpcode,
  isHardReset,
  isServerReset,
  keyIdOf,
  Opcode,
  OPCODE_NAMES,
  opcodeOf,
} from '../wire/index.ts'
import { ControlOpener, type ControlReading, type KnownWraps } from './control-opener.ts'
import { createDataFlow, type DataFlow, DataOpener } from './data-opener.ts'
import { DecodeKeys, type KeyTexts } from './keys.ts'
import { Negotiation, type NegotiationSurroundings } from './negotiation.ts'
import type { ControlFields, ControlView, DecodedPacket, RawPacket, Said, Sender } from './packet.ts'

/** How to decode. */
export interface DecodeOptions {
  /** As texts, or prepared once for several captures. */
  readonly keys?: KeyTexts | DecodeKeys
  /** Default: `noble`. */
  readonly crypto?: CryptoProvider
  /** Shows passwords, tokens, answers and randoms. Default false. */
  readonly reveal?: boolean
}

/** A pair of addresses. */
interface Flow {
  readonly number: number
  readonly wraps: KnownWraps
  readonly data: DataFlow
  /** Addresses by role, as far as packets told. */
  client: string | undefined
  server: string | undefined
  /** The session that a reset opened last. */
  latest: SessionTrack | undefined
}

/** One session: a pair of ids. */
interface SessionTrack {
  client: string | undefined
  server: string | undefined
  readonly negotiations: Map<number, Negotiation>
  lastKeyId: number
}

/** Decodes packet after packet. */
export class Decoder {
  readonly keys: DecodeKeys
  readonly #surroundings: NegotiationSurroundings
  readonly #control: ControlOpener
  readonly #data: DataOpener
  readonly #flows = new Map<string, Flow>()
  readonly #sessions = new Map<string, SessionTrack>()

  /** @throws ConfigError for a key that cannot be read. */
  constructor(options: DecodeOptions = {}) {
    const { crypto = noble, reveal = false } = options
    const { keys = {} } = options
    this.keys = keys instanceof DecodeKeys ? keys : new DecodeKeys(keys, crypto)
    this.#surroundings = { crypto, reveal, secretsOf: (random) => this.keys.tlsSecrets(random) }
    this.#control = new ControlOpener(this.keys)
    this.#data = new DataOpener(this.keys, crypto)
  }

  /** Decodes one packet. */
  packet(raw: RawPacket): DecodedPacket {
    const { bytes, frame, from, time, to, transport } = raw
    const flow = this.#flow(raw)
    const first = bytes[0] ?? 0
    const opcode = opcodeOf(first)
    const common = {
      frame,
      time,
      transport,
      from,
      to,
      flow: flow.number,
      size: bytes.length,
      opcode: OPCODE_NAMES[opcode] ?? `opcode ${opcode}`,
      keyId: keyIdOf(first),
    }
    if (bytes.length === 0) return { ...common, sender: 'unknown', said: [], notes: ['an empty packet'] }
    if (isDataOpcode(opcode)) {
      const reading = this.#data.read(bytes, from, time, flow.data)
      const sender = reading?.sender ?? senderOf(flow, from)
      if (reading === undefined) return { ...common, sender, said: [], notes: ['too short for its header'] }
      if (reading.sender !== undefined) learn(flow, reading.sender, from, to)
      return { ...common, sender, data: reading.view, said: [], notes: reading.notes }
    }
    if (OPCODE_NAMES[opcode] === undefined || bytes.length < CONTROL_HEADER_LENGTH) {
      const why = OPCODE_NAMES[opcode] === undefined ? 'no OpenVPN packet' : 'too short for a control packet'
      return { ...common, sender: senderOf(flow, from), said: [], notes: [why] }
    }
    return { ...common, ...this.#controlPacket(raw, flow, opcode) }
  }

  #controlPacket(
    { bytes, from, time, to }: RawPacket,
    flow: Flow,
    opcode: number,
  ): Pick<DecodedPacket, 'sender' | 'control' | 'said' | 'notes'> {
    const sessionId = toHex(bytes.subarray(1, CONTROL_HEADER_LENGTH))
    if (isClientReset(opcode)) learn(flow, 'client', from, to)
    if (isServerReset(opcode)) learn(flow, 'server', from, to)
    const reading = this.#control.read(bytes, time, flow.wraps)
    const peer = reading.packet?.peerSessionId
    const sender = this.#senderOfSession(sessionId) ?? senderOf(flow, from)
    const track = this.#track(flow, sender, sessionId, peer === undefined ? undefined : toHex(peer), opcode)
    const { packet } = reading
    if (packet === undefined || sender === 'unknown') {
      const view = controlView(sessionId, reading, packet && fieldsOf(packet, false))
      return { sender, control: view, said: [], notes: reading.notes }
    }
    const { repeated, said } = this.#said(track, sender, packet)
    const control = controlView(sessionId, reading, fieldsOf(packet, repeated))
    return { sender, control, said, notes: reading.notes }
  }

  #said(
    track: SessionTrack,
    sender: 'client' | 'server',
    packet: ControlPacket,
  ): { readonly said: readonly Said[]; readonly repeated: boolean } {
    const { keyId, opcode } = packet
    let negotiation = track.negotiations.get(keyId)
    // DEC-52: a key id comes round again with another soft reset.
    const isNew = opcode === Opcode.CONTROL_SOFT_RESET_V1 && keyId !== track.lastKeyId
    if (negotiation === undefined || isNew) {
      negotiation = new Negotiation(this.#surroundings)
      track.negotiations.set(keyId, negotiation)
    }
    if (isNew) track.lastKeyId = keyId
    return negotiation.receive(sender, packet)
  }

  #flow({ from, to, transport }: RawPacket): Flow {
    const key = from < to ? `${transport} ${from} ${to}` : `${transport} ${to} ${from}`
    const known = this.#flows.get(key)
    if (known !== undefined) return known
    const flow: Flow = {
      number: this.#flows.size + 1,
      wraps: [],
      data: createDataFlow(),
      client: undefined,
      server: undefined,
      latest: undefined,
    }
    this.#flows.set(key, flow)
    return flow
  }

  #senderOfSession(sessionId: string): 'client' | 'server' | undefined {
    const track = this.#sessions.get(sessionId)
    if (track === undefined) return undefined
    return track.client === sessionId ? 'client' : 'server'
  }

  /** The session that a packet belongs to. DEC-71 */
  #track(flow: Flow, sender: Sender, id: string, peerId: string | undefined, opcode: number): SessionTrack {
    let track = this.#sessions.get(id) ?? (peerId === undefined ? undefined : this.#sessions.get(peerId))
    if (track === undefined) {
      const { latest } = flow
      const fits =
        latest !== undefined && (sender === 'server' ? latest.server === undefined : latest.client === undefined)
      const opens = isHardReset(opcode) && sender === 'client'
      track = fits && !opens ? latest : { client: undefined, server: undefined, negotiations: new Map(), lastKeyId: 0 }
    }
    if (sender === 'client') track.client ??= id
    if (sender === 'server') track.server ??= id
    if (sender !== 'unknown') this.#sessions.set(id, track)
    flow.data.sessionIds.add(id)
    flow.latest = track
    return track
  }
}

function learn(flow: Flow, sender: 'client' | 'server', from: string, to: string): void {
  const [client, server] = sender === 'client' ? [from, to] : [to, from]
  flow.client = client
  flow.server = server
}

/** Who sent it; before a reset told, the usual port does. */
function senderOf(flow: Flow, from: string): Sender {
  if (flow.client === from) return 'client'
  if (flow.server === from) return 'server'
  return from.endsWith(':1194') ? 'server' : 'unknown'
}

function fieldsOf({ acks, packetId, payload, peerSessionId }: ControlPacket, repeated: boolean): ControlFields {
  return {
    acks,
    ...(peerSessionId === undefined ? {} : { peerSessionId: toHex(peerSessionId) }),
    ...(packetId === undefined ? {} : { packetId }),
    payload: payload.length,
    repeated,
  }
}

function controlView(sessionId: string, reading: ControlReading, fields: ControlFields | undefined): ControlView {
  const { authentic, replayPacketId, replayTime, wrap, wrappedKey } = reading
  return {
    sessionId,
    wrap,
    authentic,
    ...(replayPacketId === undefined || wrap === 'none' ? {} : { replayPacketId }),
    ...(replayTime === undefined || wrap === 'none' ? {} : { replayTime }),
    ...(wrappedKey === undefined ? {} : { wrappedKey }),
    ...(fields === undefined ? {} : { fields }),
  }
}
