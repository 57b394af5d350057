/**
 * Opening the wrap of a control packet, or guessing which one it is (spec/decode.md, DEC-41 to DEC-44).
 *
 * What a key authenticates is certain. Without a key the form tells: tls-crypt and tls-auth show a replay id and the Unix time
 * at which the session began, each at its own place, and tls-auth does not hide the rest. The wrap that fitted a flow or a
 * session last is tried first.
 */
import { toHex } from '../bytes/index.ts'
import { HASH_LENGTH } from '../crypto/index.ts'
import {
  CONTROL_HEADER_LENGTH,
  carriesWrappedKey,
  type ControlPacket,
  keyIdOf,
  LONG_PACKET_ID_LENGTH,
  opcodeOf,
  parseControlBody,
  parseControlPlain,
  readLongPacketIdTime,
  readPacketId,
  splitWrappedKey,
  TLS_CRYPT_TAG_LENGTH,
} from '../wire/index.ts'
import type { DecodeKeys, WrapCandidate, WrapName } from './keys.ts'

/** A control packet as far as it could be read. */
export interface ControlReading {
  readonly wrap: WrapName
  readonly authentic: boolean
  /** Absent where it is encrypted. */
  readonly packet?: ControlPacket
  readonly replayPacketId?: number
  readonly replayTime?: number
  readonly wrappedKey?: number
  readonly notes: readonly string[]
}

/** Wraps that fitted before, the latest first. */
export type KnownWraps = WrapCandidate[]

const MOST_KNOWN = 8
/** How long before its packet a session may have begun, in seconds: a month. */
const LONGEST_SESSION = 31 * 86_400
const CLOCK_SKEW = 2 * 86_400
/** Where no capture time is known: any time of this century since there is OpenVPN. */
const EARLIEST = 1_000_000_000
const TLS_CRYPT_BODY = CONTROL_HEADER_LENGTH + LONG_PACKET_ID_LENGTH + TLS_CRYPT_TAG_LENGTH
const MAC_LENGTHS = [...new Set([HASH_LENGTH.SHA1, ...Object.values(HASH_LENGTH)])]

/** Opens what the keys open. */
export class ControlOpener {
  readonly #keys: DecodeKeys

  constructor(keys: DecodeKeys) {
    this.#keys = keys
  }

  /**
   * Reads a control datagram; the header must be whole.
   * @param time - Unix ms of the capture; 0: unknown.
   * @param known - wraps of its flow; one that fits is put in front.
   */
  read(datagram: Uint8Array, time: number, known: KnownWraps): ControlReading {
    const carries = carriesWrappedKey(opcodeOf(datagram[0] as number))
    const split = carries ? splitWrappedKey(datagram) : undefined
    if (typeof split === 'string') {
      return { wrap: 'tls-crypt-v2', authentic: false, notes: [`the wrapped client key does not fit: ${split}`] }
    }
    const bytes = split?.packet ?? datagram
    const wrappedKey = split?.wrappedKey.length
    const own = split === undefined ? undefined : this.#unwrap(split.wrappedKey)
    for (const candidate of this.#candidates(bytes, known, own?.wraps)) {
      const opened = candidate.wrap.open(bytes)
      if (typeof opened === 'string') continue // DEC-41
      // The other end's packets need the other role of the same key.
      for (const other of own?.wraps ?? []) remember(known, other)
      remember(known, candidate)
      const { packet, replayPacketId, replayTime } = opened
      const name = carries ? 'tls-crypt-v2' : candidate.name
      const notes = own?.notes ?? []
      return {
        wrap: name,
        authentic: true,
        packet,
        replayPacketId,
        replayTime,
        ...optional('wrappedKey', wrappedKey),
        notes,
      }
    }
    return carries
      ? {
          ...readClearIds(bytes),
          wrap: 'tls-crypt-v2',
          authentic: false,
          ...optional('wrappedKey', wrappedKey),
          notes: [],
        }
      : guessWrap(bytes, time)
  }

  #candidates(
    bytes: Uint8Array,
    known: KnownWraps,
    own: readonly WrapCandidate[] | undefined,
  ): readonly WrapCandidate[] {
    const dynamic =
      keyIdOf(bytes[0] as number) === 0 ? [] : this.#keys.dynamicWraps(toHex(bytes.subarray(1, CONTROL_HEADER_LENGTH)))
    return [...dynamic, ...(own ?? []), ...known, ...this.#keys.wraps]
  }

  /** DEC-42 */
  #unwrap(
    wrappedKey: Uint8Array,
  ): { readonly wraps: readonly WrapCandidate[]; readonly notes: readonly string[] } | undefined {
    for (const serverKey of this.#keys.serverKeys) {
      const client = serverKey.unwrap(wrappedKey)
      if (typeof client === 'string') continue
      const { metadata } = client
      const notes = metadata.type === 'none' ? [] : [`client key metadata: ${describeMetadata(metadata)}`]
      return { wraps: this.#keys.tlsCryptCandidates(client.key, 'tls-crypt-v2'), notes }
    }
    return undefined
  }
}

function describeMetadata(metadata: {
  readonly type: string
  readonly data?: Uint8Array
  readonly unixSeconds?: number
}): string {
  if (metadata.unixSeconds !== undefined) return `made at Unix time ${metadata.unixSeconds}`
  return `${metadata.type} ${toHex(metadata.data ?? new Uint8Array(0))}`
}

function remember(known: KnownWraps, candidate: WrapCandidate): void {
  const at = known.indexOf(candidate)
  if (at === 0) return
  if (at > 0) known.splice(at, 1)
  known.unshift(candidate)
  known.splice(MOST_KNOWN)
}

function optional<K extends string>(name: K, value: number | undefined): { readonly [P in K]?: number } {
  return (value === undefined ? {} : { [name]: value }) as { readonly [P in K]?: number }
}

function readClearIds(bytes: Uint8Array): { readonly replayPacketId?: number; readonly replayTime?: number } {
  if (bytes.length < CONTROL_HEADER_LENGTH + LONG_PACKET_ID_LENGTH) return {}
  return {
    replayPacketId: readPacketId(bytes, CONTROL_HEADER_LENGTH),
    replayTime: readLongPacketIdTime(bytes, CONTROL_HEADER_LENGTH),
  }
}

/** The wrap that a packet's form tells of. DEC-43 */
export function guessWrap(bytes: Uint8Array, time: number): ControlReading {
  if (bytes.length > TLS_CRYPT_BODY && isReplayId(bytes, CONTROL_HEADER_LENGTH, time)) {
    return { ...readClearIds(bytes), wrap: 'tls-crypt', authentic: false, notes: [] }
  }
  for (const macLength of MAC_LENGTHS) {
    const at = CONTROL_HEADER_LENGTH + macLength
    const bodyAt = at + LONG_PACKET_ID_LENGTH
    if (bytes.length <= bodyAt || !isReplayId(bytes, at, time)) continue
    const packet = parseControlBody(bytes, bytes, bodyAt)
    if (typeof packet === 'string') continue
    const ids = { replayPacketId: readPacketId(bytes, at), replayTime: readLongPacketIdTime(bytes, at) }
    return { wrap: 'tls-auth', authentic: false, packet, ...ids, notes: [] }
  }
  const packet = parseControlPlain(bytes)
  if (typeof packet === 'string') return { wrap: 'none', authentic: false, notes: [`not a control packet: ${packet}`] }
  return { wrap: 'none', authentic: false, packet, notes: [] }
}

/** DEC-44 */
function isReplayId(bytes: Uint8Array, at: number, time: number): boolean {
  const id = readPacketId(bytes, at)
  if (id === 0 || id > 0x0fffffff) return false
  const began = readLongPacketIdTime(bytes, at)
  if (time <= 0) return began >= EARLIEST
  const now = time / 1000
  return began > now - LONGEST_SESSION && began < now + CLOCK_SKEW
}
