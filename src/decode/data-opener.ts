/**
 * Data packets: their header, and what is inside where a key log has the key (spec/decode.md, DEC-60 to DEC-65).
 *
 * A data packet does not name its session. The key that opened the flow's last packet of this key id and direction is tried
 * first, then the others of that key id, the flow's own sessions before strangers'; what authenticates is right. How many
 * strangers' keys are tried is bounded per flow, so that a long capture without its keys stays cheap.
 */
import type { CryptoProvider } from '../crypto/index.ts'
import { createDataChannel, type DataChannel, DataCode, isAuthentic, splitKey2 } from '../data/index.ts'
import { EPOCH_PACKET_ID_LENGTH, parseDataHeader, readEpoch, readEpochCounter, readPacketId } from '../wire/index.ts'
import { ConfigError, UsageError } from '../bytes/index.ts'
import { innerView } from './inner.ts'
import type { DataKeyEntry, DecodeKeys } from './keys.ts'
import type { DataView } from './packet.ts'

/** What a flow remembers about its data keys. */
export interface DataFlow {
  /** By sender's end and key id: what opened last. */
  readonly fits: Map<string, OpenableKey>
  /** Attempts with keys that did not fit. */
  misses: number
  /** Session ids seen in the flow's control packets. */
  readonly sessionIds: Set<string>
}

/** One direction of a data key. */
interface OpenableKey {
  readonly entry: DataKeyEntry
  readonly sender: 'client' | 'server'
  readonly channel: DataChannel
}

/** A data packet as read: the view, who must have sent it, and what is wrong. */
export interface DataReading {
  readonly view: DataView
  readonly sender: 'client' | 'server' | undefined
  readonly notes: readonly string[]
}

/** Attempts with keys that do not fit, per flow. */
const MAX_MISSES = 4096
const REPLAY = { window: 65_536, seconds: 600 }

/** A flow that remembers nothing yet. */
export function createDataFlow(): DataFlow {
  return { fits: new Map(), misses: 0, sessionIds: new Set() }
}

/** Opens data packets. */
export class DataOpener {
  readonly #keys: DecodeKeys
  readonly #crypto: CryptoProvider
  readonly #channels = new Map<DataKeyEntry, readonly OpenableKey[]>()

  constructor(keys: DecodeKeys, crypto: CryptoProvider) {
    this.#keys = keys
    this.#crypto = crypto
  }

  /** Reads a data packet; undefined when it is too short for its header. */
  read(datagram: Uint8Array, from: string, time: number, flow: DataFlow): DataReading | undefined {
    const header = parseDataHeader(datagram)
    if (typeof header === 'string') return undefined
    const { keyId, length, peerId } = header
    const outside = peerId === undefined ? {} : { peerId }
    const slot = `${from} ${keyId}`
    let repeated: OpenableKey | undefined
    for (const key of this.#candidates(keyId, slot, flow)) {
      const buffer = datagram.slice()
      const size = key.channel.open(buffer, 0, buffer.length, time)
      if (isAuthentic(size)) {
        flow.fits.set(slot, key)
        const start = key.channel.resultOffset
        return this.#opened(
          outside,
          key,
          datagram,
          length,
          size < 0 ? new Uint8Array(0) : buffer.subarray(start, start + size),
        )
      }
      if (size === DataCode.REPLAYED && key === flow.fits.get(slot)) {
        repeated = key
        break
      }
      flow.misses++
    }
    const ids = repeated === undefined ? guessIds(datagram, length) : idsOf(repeated.entry, datagram, length)
    const notes = repeated === undefined ? [] : ['seen before: sent or captured twice, or replayed']
    return { view: { ...outside, ...ids, opened: false }, sender: repeated?.sender, notes }
  }

  #opened(
    outside: Pick<DataView, 'peerId'>,
    { entry, sender }: OpenableKey,
    datagram: Uint8Array,
    at: number,
    payload: Uint8Array,
  ): DataReading {
    const ids = idsOf(entry, datagram, at)
    const { cipher } = entry
    const view = { ...outside, ...ids, opened: true, cipher, length: payload.length, ...innerView(payload) }
    return { view, sender, notes: [] }
  }

  /** DEC-64 */
  *#candidates(keyId: number, slot: string, flow: DataFlow): Iterable<OpenableKey> {
    const fit = flow.fits.get(slot)
    if (fit !== undefined) yield fit
    if (flow.misses > MAX_MISSES) return
    const entries = this.#keys.dataKeys(keyId)
    const isOwn = ({ clientSessionId, serverSessionId }: DataKeyEntry): boolean =>
      flow.sessionIds.has(clientSessionId) || flow.sessionIds.has(serverSessionId)
    for (const own of [true, false]) {
      // The newest first: a key id comes round again.
      for (let i = entries.length - 1; i >= 0; i--) {
        const entry = entries[i] as DataKeyEntry
        if (isOwn(entry) !== own) continue
        for (const key of this.#channelsOf(entry)) if (key !== fit) yield key
      }
    }
  }

  #channelsOf(entry: DataKeyEntry): readonly OpenableKey[] {
    const known = this.#channels.get(entry)
    if (known !== undefined) return known
    const keys = (['client', 'server'] as const).flatMap((sender) => this.#openable(entry, sender))
    this.#channels.set(entry, keys)
    return keys
  }

  #openable(entry: DataKeyEntry, sender: 'client' | 'server'): readonly OpenableKey[] {
    const keys = splitKey2(entry.material, sender === 'client' ? 'server' : 'client')
    if (keys === undefined) return []
    const { auth, cipher, epoch, keyId } = entry
    const options = {
      crypto: this.#crypto,
      cipher,
      auth,
      epoch,
      keys,
      keyId,
      replay: REPLAY,
      peerId: epoch ? 0 : undefined,
    }
    try {
      const channel = createDataChannel({ ...options, random: (length) => new Uint8Array(length), allowInsecure: true })
      return [{ entry, sender, channel }]
    } catch (error) {
      // A cipher that there is not here: the packets stay closed.
      if (error instanceof ConfigError || error instanceof UsageError) return []
      throw error
    }
  }
}

function idsOf(entry: DataKeyEntry, datagram: Uint8Array, at: number): Pick<DataView, 'packetId' | 'epoch'> {
  if (entry.epoch) return { epoch: readEpoch(datagram, at), packetId: readEpochCounter(datagram, at) }
  // Under a CBC cipher the id is encrypted.
  return entry.auth === 'none' ? { packetId: readPacketId(datagram, at) } : {}
}

/** What the header of an AEAD packet would say, where that is plausible. DEC-65 */
function guessIds(datagram: Uint8Array, at: number): Pick<DataView, 'packetId' | 'epoch'> {
  if (datagram.length < at + EPOCH_PACKET_ID_LENGTH) return {}
  const first = readPacketId(datagram, at)
  if (first >> 16 === 1 && readEpochCounter(datagram, at) < 0x1000000) {
    return { epoch: readEpoch(datagram, at), packetId: readEpochCounter(datagram, at) }
  }
  return first > 0 && first < 0x1000000 ? { packetId: first } : {}
}
