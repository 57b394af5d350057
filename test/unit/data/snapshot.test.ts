/** Channels taken as plain data and restored: the next packet follows on the last, whatever the format. */
import { describe, expect, it } from 'vitest'
import { ConfigError, UsageError } from '../../../src/bytes/index.ts'
import { noble } from '../../../src/crypto/index.ts'
import {
  type DataChannel,
  DataCode,
  type DataChannelOptions,
  EpochChannel,
  restoreDataChannel,
} from '../../../src/data/index.ts'
import { channelPair, opened, sealed, VARIANTS } from '../../support/data.ts'
import { SeededRandom } from '../../support/random.ts'

const TLS_MODE = VARIANTS.filter(({ options }) => options.staticKey === undefined)
const payload = (value: number): Uint8Array => new Uint8Array(40).fill(value)

function moved(channel: DataChannel, options: Omit<DataChannelOptions, 'crypto' | 'keys'>): DataChannel {
  const random = new SeededRandom('moved').source
  return restoreDataChannel({ crypto: noble, allowInsecure: true, random, ...options }, channel.snapshot(500), 900)
}

function epochChannel(channel: DataChannel): EpochChannel {
  if (channel instanceof EpochChannel) return channel
  throw new Error('no epoch channel')
}

describe.each(TLS_MODE)('$name', ({ options }) => {
  it('DATA-51: goes on with the next packet id, both ways', () => {
    const { client, server } = channelPair(options)
    const [before] = [sealed(server, payload(1))]
    expect(opened(client, before)).toEqual(payload(1))
    expect(opened(server, sealed(client, payload(2)))).toEqual(payload(2))
    const next = moved(server, options)
    const twin = channelPair(options).server
    sealed(twin, payload(0))
    const after = sealed(next, payload(3))
    // A CBC body has a fresh IV; the other formats are the very bytes that the old channel would have made.
    if (!options.cipher.endsWith('CBC')) expect(after).toEqual(sealed(twin, payload(3)))
    expect(opened(client, after)).toEqual(payload(3))
    expect(opened(next, sealed(client, payload(4)))).toEqual(payload(4))
    expect([next.headroom, next.tailroom]).toEqual([server.headroom, server.tailroom])
  })

  it('DATA-52: refuses what the other one had taken, and remembers failures', () => {
    const { client, server } = channelPair(options)
    const old = Array.from({ length: 20 }, (_, i) => sealed(client, payload(i)))
    for (const [i, datagram] of old.entries()) if (i !== 7) opened(server, datagram)
    const forged = sealed(client, payload(99))
    forged[forged.length - 1] = forged.at(-1)! ^ 1
    opened(server, forged)
    const next = moved(server, options)
    expect(next.failedVerifications).toBe(server.failedVerifications)
    const results = old.map((datagram) => opened(next, datagram))
    expect(results.filter((result) => typeof result !== 'number')).toEqual([payload(7)])
    expect(results.filter((result) => result === DataCode.REPLAYED).length).toBe(19)
  })

  it('DATA-52: a spent key stays spent', () => {
    const counterStart = options.epoch === true ? { epoch: 65_535 } : { packetsSent: 0xffffffff }
    const { server } = channelPair({ ...options, counterStart })
    const { client: last } = channelPair({ ...options, counterStart: { packetsSent: 0xfffffffe } })
    expect(server.renegotiation).toBe(options.epoch === true ? 'epochs' : undefined)
    const next = moved(server, options)
    expect(next.renegotiation).toBe(server.renegotiation)
    if (options.epoch === true) return
    expect(() => sealed(next, payload(1))).toThrow(String(DataCode.KEY_EXHAUSTED))
    sealed(last, payload(1))
    expect(moved(last, options).renegotiation).toBe('packet-ids')
  })
})

it('DATA-51: epochs go on where they stood, late and early ones too', () => {
  const options = { cipher: 'AES-256-GCM', epoch: true, peerId: 5 } as const
  const { client, server } = channelPair(options)
  const epochs = epochChannel(client)
  const late = sealed(client, payload(1))
  for (let i = 0; i < 3; i++) epochs.advanceSendEpoch()
  const [inEpoch4, alsoIn4] = [sealed(client, payload(2)), sealed(client, payload(3))]
  expect(opened(server, inEpoch4)).toEqual(payload(2))
  for (let i = 0; i < 2; i++) epochs.advanceSendEpoch()
  const forged = sealed(client, payload(9))
  forged[forged.length - 1] = forged.at(-1)! ^ 1
  expect(opened(server, forged)).toBe(DataCode.BAD_TAG)
  const next = epochChannel(moved(server, options))
  expect([next.receiveEpoch, next.sendEpoch]).toEqual([4, 4])
  expect(opened(next, inEpoch4)).toBe(DataCode.REPLAYED)
  for (const [datagram, value] of [
    [alsoIn4, 3],
    [late, 1],
    [sealed(client, payload(6)), 6],
  ] as const) {
    expect(opened(next, datagram)).toEqual(payload(value))
  }
  expect([next.receiveEpoch, next.sendEpoch]).toEqual([6, 6])
  expect(opened(client, sealed(next, payload(7)))).toEqual(payload(7))
  // Nothing of an earlier epoch leaves with a snapshot: it could not be derived, so it must be absent.
  const { current, receive, send } = next.snapshot(0)
  expect([send.epoch, current.epoch, receive.epoch]).toEqual([6, 6, 6])
})

it('a snapshot of another format is refused', () => {
  const { server } = channelPair({ cipher: 'AES-256-GCM', peerId: 5 })
  expect(() => moved(server, { cipher: 'AES-256-GCM', epoch: true, peerId: 5 })).toThrow(ConfigError)
  expect(() => moved(server, { cipher: 'AES-256-GCM', peerId: -1 })).toThrow(UsageError)
})
