/**
 * A datagram down to its fields: which bytes say what, from the packet layouts; and what was said with it, which the library's
 * decoder finds with the world's keys.
 */
import { Decoder, describeSaid, type DecodedPacket } from 'ovpn-core/decode'
import { isDataOpcode, Opcode, opcodeOf } from 'ovpn-core/wire'
import type { Datagram } from './link.ts'
import { type World, wrapKey } from './world.ts'

/** One field, or a line about what is inside. */
export interface Field {
  readonly name: string
  readonly value: string
  /** Where it stands; absent for what had to be opened first. */
  readonly bytes?: readonly [from: number, to: number]
}

const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ')

/** Opens the datagrams of one world. */
export class Inspector {
  readonly #world: World
  #decoder: Decoder
  #packets: DecodedPacket[] = []
  #secrets = 0

  constructor(world: World) {
    this.#world = world
    this.#decoder = this.#fresh()
  }

  /** A few words for the ladder. */
  label(datagram: Datagram): string {
    const { control, data, keyId, opcode, said } = this.#packet(datagram)
    const words = [opcode]
    if (keyId !== 0) words.push(`key ${keyId}`)
    const { acks = [], packetId } = control?.fields ?? {}
    if (packetId !== undefined) words.push(`#${packetId}`)
    if (acks.length > 0) words.push(`ack ${acks.join(',')}`)
    const inside = said.flatMap((item) =>
      item.type === 'tls' ? [item.name] : item.type === 'message' ? [item.text.split(',')[0] ?? ''] : [],
    )
    if (inside.length > 0) words.push(`· ${inside.join(', ')}`)
    else if (data?.summary !== undefined) words.push(`· ${data.summary}`)
    const text = words.join(' ')
    return text.length > 84 ? `${text.slice(0, 83)}…` : text
  }

  /** Every field. */
  fields(datagram: Datagram): readonly Field[] {
    const { bytes } = datagram
    const packet = this.#packet(datagram)
    const fields: Field[] = [
      { name: 'opcode', value: packet.opcode, bytes: [0, 1] },
      { name: 'key id', value: String(packet.keyId), bytes: [0, 1] },
    ]
    if (isDataOpcode(opcodeOf(bytes[0] ?? 0))) fields.push(...dataFields(bytes, packet))
    else fields.push(...controlFields(bytes, packet))
    for (const said of packet.said) fields.push({ name: 'says', value: describeSaid(said) })
    for (const note of packet.notes) fields.push({ name: 'note', value: note })
    return fields
  }

  #fresh(): Decoder {
    const { seed, wrap } = this.#world.options
    const text = wrapKey(seed)
    return new Decoder({
      keys: {
        ...(wrap === 'tls-auth' ? { tlsAuth: [{ text, digest: 'SHA1' }] } : {}),
        ...(wrap === 'tls-crypt' ? { tlsCrypt: [text] } : {}),
        keyLogs: this.#world.secrets,
      },
    })
  }

  /** Secrets are told after the first packets they open: each new one has everything read again. */
  #packet(datagram: Datagram): DecodedPacket {
    const { datagrams, secrets } = this.#world
    if (secrets.length !== this.#secrets) {
      this.#secrets = secrets.length
      this.#decoder = this.#fresh()
      this.#packets = []
    }
    for (const { bytes, from, number, sentAt } of datagrams.slice(this.#packets.length)) {
      const [source, target] = from === 'client' ? ['client', 'server'] : ['server', 'client']
      const raw = {
        frame: number,
        time: sentAt,
        transport: 'udp',
        from: `${source}:1194`,
        to: `${target}:1194`,
      } as const
      this.#packets.push(this.#decoder.packet({ ...raw, bytes }))
    }
    const found = this.#packets[datagram.number - 1]
    if (found === undefined) throw new Error(`there is no datagram ${datagram.number}`)
    return found
  }
}

function dataFields(bytes: Uint8Array, { data }: DecodedPacket): readonly Field[] {
  const fields: Field[] = []
  const v2 = opcodeOf(bytes[0] ?? 0) === Opcode.DATA_V2
  if (v2) fields.push({ name: 'peer-id', value: String(data?.peerId ?? 'none'), bytes: [1, 4] })
  const at = v2 ? 4 : 1
  const end = bytes.length
  const epoch = data?.epoch
  const id = `${data?.packetId ?? '?'}`
  if (epoch === undefined) {
    fields.push({ name: 'packet id', value: id, bytes: [at, at + 4] })
    fields.push({ name: 'tag', value: hex(bytes.subarray(at + 4, at + 20)), bytes: [at + 4, at + 20] })
    fields.push({ name: 'ciphertext', value: `${end - at - 20} bytes`, bytes: [at + 20, end] })
  } else {
    fields.push({ name: 'epoch', value: String(epoch), bytes: [at, at + 2] })
    fields.push({ name: 'packet id', value: id, bytes: [at + 2, at + 8] })
    fields.push({ name: 'ciphertext', value: `${end - at - 24} bytes`, bytes: [at + 8, end - 16] })
    fields.push({ name: 'tag', value: hex(bytes.subarray(end - 16)), bytes: [end - 16, end] })
  }
  if (data?.summary !== undefined) fields.push({ name: 'inside', value: `${data.cipher ?? ''}: ${data.summary}` })
  return fields
}

function controlFields(bytes: Uint8Array, { control }: DecodedPacket): readonly Field[] {
  if (control === undefined) return []
  const { fields, replayPacketId, replayTime, sessionId, wrap } = control
  const all: Field[] = [{ name: 'session id', value: sessionId, bytes: [1, 9] }]
  const sealed = wrap !== 'none' && wrap !== 'tls-auth'
  let at = wrap === 'tls-auth' ? 29 : 9
  if (wrap === 'tls-auth') all.push({ name: 'HMAC', value: hex(bytes.subarray(9, 29)), bytes: [9, 29] })
  if (wrap !== 'none') {
    const when = replayTime === undefined ? '' : ` (${new Date(replayTime * 1000).toISOString()})`
    all.push({ name: 'replay packet id', value: String(replayPacketId ?? '?'), bytes: [at, at + 4] })
    all.push({ name: 'replay time', value: `${replayTime ?? '?'}${when}`, bytes: [at + 4, at + 8] })
    at += 8
  }
  if (sealed) {
    all.push({ name: 'tag', value: hex(bytes.subarray(at, at + 32)), bytes: [at, at + 32] })
    all.push({ name: 'ciphertext', value: `${bytes.length - at - 32} bytes (${wrap})`, bytes: [at + 32, bytes.length] })
  }
  if (fields === undefined) return all
  // What was encrypted has no place in the datagram that could be shown.
  const add = (name: string, value: string, length: number): void => {
    all.push(sealed ? { name, value } : { name, value, bytes: [at, at + length] })
    at += length
  }
  const { acks, packetId, payload, peerSessionId } = fields
  add('acks', acks.length === 0 ? 'none' : acks.join(', '), 1 + 4 * acks.length)
  if (peerSessionId !== undefined) add('peer session id', peerSessionId, 8)
  if (packetId !== undefined) add('packet id', String(packetId), 4)
  if (payload > 0) add('payload', `${payload} bytes`, payload)
  return all
}
