/**
 * Control packets for tests: vectors read back, golden packets of every wrap with the wrap that opens them, and an oracle
 * that says what each mutated packet must give.
 *
 * The oracle is written apart from the parser (one DataView, no shared helper), so that both would have to be wrong alike.
 */
import { readFileSync } from 'node:fs'
import { fromHex } from '../../src/bytes/index.ts'
import { type HashName, noble } from '../../src/crypto/index.ts'
import {
  type ControlPacket,
  type ControlWrap,
  createTlsAuthKeys,
  createTlsCryptKeys,
  type KeyDirection,
  plainWrap,
  StaticKey,
  type WireProblem,
} from '../../src/wire/index.ts'

/** Bytes of hex digits; throws on anything else. */
export function bytesOf(hex: string): Uint8Array {
  const bytes = /[A-F]/u.test(hex) ? undefined : fromHex(hex)
  if (bytes === undefined) throw new Error(`not hex: ${hex}`)
  return bytes
}

/** A control packet as the vector files write it. */
export interface PacketJson {
  name?: string
  opcode: number
  keyId: number
  sessionId: string
  acks: number[]
  peerSessionId?: string
  packetId?: number
  payload: string
}

/** The packet a vector describes. */
export function packetOf(json: PacketJson): ControlPacket {
  return {
    opcode: json.opcode,
    keyId: json.keyId,
    sessionId: bytesOf(json.sessionId),
    acks: json.acks,
    ...(json.peerSessionId === undefined ? {} : { peerSessionId: bytesOf(json.peerSessionId) }),
    packetId: json.packetId,
    payload: bytesOf(json.payload),
  }
}

/** The cases of `vectors/wire/NAME.json`. */
export function wireVectors<T>(name: string): T[] {
  const url = new URL(`../../vectors/wire/${name}.json`, import.meta.url)
  const file = JSON.parse(readFileSync(url, 'utf8')) as { source: string; cases: T[] }
  if (file.source.length < 20) throw new Error(`${name} does not name its source`)
  return file.cases
}

/** A case of `control-plain.json`. */
export interface PlainCase {
  name: string
  packet: PacketJson
  bytes: string
}

/** A case of `tls-auth.json`. */
export interface TlsAuthCase extends PlainCase {
  key: string
  hash: HashName
  senderDirection: 0 | 1 | null
  receiverDirection: 0 | 1 | null
  replayPacketId: number
  replayTime: number
}

/** A case of `tls-crypt.json`. */
export interface TlsCryptCase extends PlainCase {
  key: string
  sender: 'client' | 'server'
  replayPacketId: number
  replayTime: number
}

/** A direction as the vector files write it. */
export function directionOf(direction: 0 | 1 | null): KeyDirection {
  return direction ?? undefined
}

/** The end that sends what a tls-auth vector holds, and the end that opens it. */
export function tlsAuthEnds(vector: TlsAuthCase): { sender: ControlWrap; receiver: ControlWrap } {
  const key = new StaticKey(bytesOf(vector.key))
  return {
    sender: createTlsAuthKeys(noble, key, directionOf(vector.senderDirection), vector.hash),
    receiver: createTlsAuthKeys(noble, key, directionOf(vector.receiverDirection), vector.hash),
  }
}

/** The end that sends what a tls-crypt vector holds, and the end that opens it. */
export function tlsCryptEnds(vector: TlsCryptCase): { sender: ControlWrap; receiver: ControlWrap } {
  const key = new StaticKey(bytesOf(vector.key))
  return {
    sender: createTlsCryptKeys(noble, key, vector.sender),
    receiver: createTlsCryptKeys(noble, key, vector.sender === 'client' ? 'server' : 'client'),
  }
}

/** A good packet and what opens it. */
export interface Golden {
  readonly name: string
  readonly wrap: ControlWrap
  readonly bytes: Uint8Array
  readonly packet: ControlPacket
}

/** Forty good packets: every opcode, every wrap, every digest, both roles and all directions. */
export function goldenPackets(): Golden[] {
  const golden: Golden[] = wireVectors<PlainCase>('control-plain').map((vector) => ({
    name: `plain ${vector.name}`,
    wrap: plainWrap,
    bytes: bytesOf(vector.bytes),
    packet: packetOf(vector.packet),
  }))
  const perTriple = 11
  for (const [i, vector] of wireVectors<TlsAuthCase>('tls-auth').entries()) {
    const triple = Math.floor(i / perTriple)
    if (i % perTriple !== (3 * triple) % perTriple || triple > 14) continue
    golden.push({
      name: `tls-auth ${vector.name}`,
      wrap: tlsAuthEnds(vector).receiver,
      bytes: bytesOf(vector.bytes),
      packet: packetOf(vector.packet),
    })
  }
  for (const [i, vector] of wireVectors<TlsCryptCase>('tls-crypt').entries()) {
    if (i % 2 !== 0) continue
    golden.push({
      name: `tls-crypt ${vector.name}`,
      wrap: tlsCryptEnds(vector).receiver,
      bytes: bytesOf(vector.bytes),
      packet: packetOf(vector.packet),
    })
  }
  return golden
}

/** Shortest packet that each wrap looks into. */
function leastLength(wrap: ControlWrap): number {
  return 9 + wrap.overhead + (wrap.type === 'none' ? 0 : 1)
}

/** What the readable part decides, before any key: a reason, or `undefined` to go on. */
function headerVerdict(wrap: ControlWrap, bytes: Uint8Array): WireProblem | undefined {
  if (bytes.length === 0) return 'too-short'
  const opcode = Math.floor(bytes[0]! / 8)
  if ([12, 13, 14].includes(opcode)) return 'opcode-draft'
  if (![1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11].includes(opcode)) return 'opcode-unknown'
  if (opcode === 6 || opcode === 9) return 'opcode-not-control'
  if (bytes.length < leastLength(wrap)) return 'too-short'
  if (bytes.length > 2174) return 'too-long'
  if (bytes.subarray(1, 9).every((byte) => byte === 0)) return 'session-id-zero'
  if (opcode >= 10 && wrap.type !== 'tls-crypt') return 'opcode-needs-wrapped-key'
  return undefined
}

/** What a plain control packet must give: a reason, or the fields of the record. */
function bodyVerdict(bytes: Uint8Array): WireProblem | ControlPacket {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const opcode = bytes[0]! >> 3
  if (bytes.length < 10) return 'too-short'
  const count = bytes[9]!
  if (count > 8) return 'too-many-acks'
  const idAt = 10 + (count === 0 ? 0 : count * 4 + 8)
  const payloadAt = opcode === 5 ? idAt : idAt + 4
  if (bytes.length < payloadAt) return 'too-short'
  const peerSessionId = Uint8Array.from(bytes.subarray(idAt - 8, idAt))
  if (count > 0 && peerSessionId.every((byte) => byte === 0)) return 'peer-session-id-zero'
  if (opcode !== 5 && bytes.length - payloadAt > 2048) return 'too-long'
  const packet = {
    opcode,
    keyId: bytes[0]! & 7,
    sessionId: Uint8Array.from(bytes.subarray(1, 9)),
    acks: Array.from({ length: count }, (_, i) => view.getUint32(10 + 4 * i)),
    packetId: opcode === 5 ? undefined : view.getUint32(idAt),
    payload: opcode === 5 ? new Uint8Array(0) : Uint8Array.from(bytes.subarray(payloadAt)),
  }
  return count === 0 ? packet : { ...packet, peerSessionId }
}

/**
 * What a packet that was changed on its way must give under `wrap`: the reason, or, for the plain wrap only, the record.
 */
export function mutatedVerdict(wrap: ControlWrap, bytes: Uint8Array): WireProblem | ControlPacket {
  const problem = headerVerdict(wrap, bytes)
  if (problem !== undefined) return problem
  if (wrap.type === 'none') return bodyVerdict(bytes)
  return wrap.type === 'tls-auth' ? 'tls-auth-mismatch' : 'tls-crypt-mismatch'
}
