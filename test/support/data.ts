/**
 * Builders for tests of the data channel: key material, pairs of channels, packets, and one call that seals a payload into
 * an array of its own.
 */
import { noble } from '../../src/crypto/index.ts'
import type { CryptoProvider } from '../../src/crypto/index.ts'
import {
  createDataChannel,
  type DataAuth,
  type DataChannel,
  type DataChannelOptions,
  type DataCipher,
  type DataKeys,
  type DataPipeline,
  splitKey2,
} from '../../src/data/index.ts'
import { SeededRandom } from './random.ts'

export const AEADS = ['AES-128-GCM', 'AES-192-GCM', 'AES-256-GCM', 'CHACHA20-POLY1305'] as const
export const CBCS = ['AES-128-CBC', 'AES-192-CBC', 'AES-256-CBC'] as const
export const DIGESTS = ['MD5', 'SHA1', 'SHA224', 'SHA256', 'SHA384', 'SHA512'] as const

/** key2 of both ends, fixed by the seed. */
export function testKeys(seed: number | string): { readonly client: DataKeys; readonly server: DataKeys } {
  const key2 = new SeededRandom(`keys ${seed}`).bytes(256)
  return { client: splitKey2(key2, 'client')!, server: splitKey2(key2, 'server')! }
}

/** A format worth testing, by name. */
export interface Variant {
  readonly name: string
  readonly options: Pick<DataChannelOptions, 'cipher' | 'auth' | 'epoch' | 'peerId' | 'staticKey'>
}

function variant(name: string, cipher: DataCipher, auth: DataAuth, more: Partial<Variant['options']> = {}): Variant {
  return { name, options: { cipher, auth, ...more } }
}

/** One of each format, with and without peer-id where that differs. */
export const VARIANTS: readonly Variant[] = [
  variant('AEAD V1', 'AES-256-GCM', 'none'),
  variant('AEAD V2', 'AES-128-GCM', 'none', { peerId: 0x010203 }),
  variant('ChaCha V2', 'CHACHA20-POLY1305', 'none', { peerId: 5 }),
  variant('epoch', 'AES-256-GCM', 'none', { peerId: 5, epoch: true }),
  variant('CBC V1', 'AES-128-CBC', 'SHA1'),
  variant('CBC V2', 'AES-256-CBC', 'SHA256', { peerId: 7 }),
  variant('clear with HMAC', 'none', 'SHA256'),
  variant('static CBC', 'AES-256-CBC', 'SHA512', { staticKey: { startTime: 1_700_000_000 } }),
  variant('static clear', 'none', 'SHA224', { staticKey: { startTime: 1_700_000_000 } }),
]

/** Two channels that understand each other. */
export interface Pair {
  readonly client: DataChannel
  readonly server: DataChannel
}

/** A client's and a server's channel of a variant. */
export function channelPair(
  options: Omit<DataChannelOptions, 'crypto' | 'keys'> & { readonly crypto?: CryptoProvider },
  seed: number | string = 1,
): Pair {
  const keys = testKeys(seed)
  const common = { crypto: noble, allowInsecure: true, random: new SeededRandom(`iv ${seed}`).source, ...options }
  return {
    client: createDataChannel({ ...common, keys: keys.client }),
    server: createDataChannel({ ...common, keys: keys.server }),
  }
}

/** The datagram that a channel makes of a payload. */
export function sealed(channel: DataChannel, payload: Uint8Array): Uint8Array {
  const buffer = new Uint8Array(channel.headroom + payload.length + channel.tailroom)
  buffer.set(payload, channel.headroom)
  const length = channel.seal(buffer, channel.headroom, payload.length)
  if (length < 0) throw new Error(`seal answered ${length}`)
  return buffer.slice(channel.resultOffset, channel.resultOffset + length)
}

/** The payload in a datagram, or the code; the datagram itself is left alone. */
export function opened(channel: DataChannel, datagram: Uint8Array, now = 0): Uint8Array | number {
  const buffer = datagram.slice()
  const length = channel.open(buffer, 0, buffer.length, now)
  return length < 0 ? length : buffer.slice(channel.resultOffset, channel.resultOffset + length)
}

/** All datagrams that a pipeline makes of a packet. */
export function pipelineSealed(pipeline: DataPipeline, channel: DataChannel, packet: Uint8Array): Uint8Array[] {
  const headroom = pipeline.headroom + channel.headroom
  const buffer = new Uint8Array(headroom + packet.length + pipeline.tailroom + channel.tailroom)
  const datagrams: Uint8Array[] = []
  const take = (length: number): void => {
    if (length < 0) throw new Error(`seal answered ${length}`)
    datagrams.push(buffer.slice(pipeline.resultOffset, pipeline.resultOffset + length))
  }
  buffer.set(packet, headroom)
  take(pipeline.seal(channel, buffer, headroom, packet.length))
  while (pipeline.fragmentsLeft > 0) take(pipeline.sealNext(channel, buffer, headroom))
  return datagrams
}

/** The packet that a datagram completes, or the code. */
export function pipelineOpened(
  pipeline: DataPipeline,
  channel: DataChannel,
  datagram: Uint8Array,
  now = 0,
): Uint8Array | number {
  const buffer = datagram.slice()
  const length = pipeline.open(channel, buffer, 0, buffer.length, now)
  return length < 0 ? length : pipeline.resultBuffer.slice(pipeline.resultOffset, pipeline.resultOffset + length)
}

/** An IPv4 packet of `length` bytes with right header fields and the given filling. */
export function ipv4Packet(length: number, fill = 0x61): Uint8Array {
  const packet = new Uint8Array(length).fill(fill)
  packet.set([0x45, 0, length >> 8, length & 255, 0, 0, 0x40, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2])
  return packet
}

/** An IPv6 packet of `length` bytes. */
export function ipv6Packet(length: number, nextHeader = 17): Uint8Array {
  const packet = new Uint8Array(length).fill(0x62)
  const payload = length - 40
  packet.set([0x60, 0, 0, 0, payload >> 8, payload & 255, nextHeader, 64])
  packet.set([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], 8)
  packet.set([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2], 24)
  return packet
}
