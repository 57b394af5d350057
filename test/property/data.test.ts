/**
 * Laws of the data channel, and peers that have the keys and mean harm.
 */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  DataCode,
  dataLayout,
  dataReason,
  DataPipeline,
  isAuthentic,
  largestPayload,
  sealedLength,
} from '../../src/data/index.ts'
import { AEADS, CBCS, channelPair, DIGESTS, pipelineOpened, pipelineSealed, sealed, VARIANTS } from '../support/data.ts'
import { SeededRandom } from '../support/random.ts'
import { scaled } from '../support/scale.ts'

const settings = { seed: 20_260_101, numRuns: scaled(200, 20_000) }

describe('laws', () => {
  it('DATA-30 sealed length and largest payload are each other’s inverse', () => {
    const choice = fc.record({
      cipher: fc.constantFrom(...AEADS, ...CBCS, 'none' as const, 'BF-CBC' as const),
      auth: fc.constantFrom(...DIGESTS, 'none' as const),
      epoch: fc.boolean(),
      staticKey: fc.boolean(),
      peerId: fc.boolean(),
    })
    fc.assert(
      fc.property(choice, fc.integer({ min: 0, max: 3000 }), (c, length) => {
        const layout = dataLayout(c)
        const size = sealedLength(layout, length)
        expect(largestPayload(layout, size)).toBeGreaterThanOrEqual(length)
        expect(largestPayload(layout, size - 1)).toBeLessThan(length)
      }),
      settings,
    )
  })

  it('DATA-38 a pipeline gives back every packet, in any order, under any setting', () => {
    const setting = fc.record({
      variant: fc.constantFrom(...VARIANTS),
      compression: fc.constantFrom('none', 'comp-lzo', 'stub', 'lzo', 'lz4', 'stub-v2', 'lz4-v2' as const),
      fragment: fc.constantFrom(undefined, 64, 333, 1400),
      device: fc.constantFrom('tun', 'tap' as const),
      lengths: fc.array(fc.integer({ min: 20, max: 1600 }), { minLength: 1, maxLength: 12 }),
      seed: fc.integer(),
    })
    fc.assert(
      fc.property(setting, ({ variant, compression, fragment, device, lengths, seed }) => {
        const random = new SeededRandom(seed)
        const { client, server } = channelPair({ ...variant.options, replay: { window: 4096 } }, seed)
        const options = { device, compression, ...(fragment === undefined ? {} : { fragment }) } as const
        const sender = new DataPipeline(options)
        const receiver = new DataPipeline(options)
        const packets = lengths.map((length) => {
          const packet = random.bytes(length)
          // An Ethernet frame may begin with any byte, 0x50 among them; an IP packet may not.
          packet[0] = device === 'tun' ? 0x45 : random.pick([0x50, 0xfa, 0xfb, packet[0]!])
          return packet
        })
        const datagrams = random.shuffle(packets.flatMap((packet) => pipelineSealed(sender, client, packet)))
        const got = datagrams.map((datagram) => pipelineOpened(receiver, server, datagram))
        const text = (list: readonly (Uint8Array | number)[]): string[] =>
          list.map((bytes) => (typeof bytes === 'number' ? String(bytes) : Buffer.from(bytes).toString('hex'))).sort()
        expect(text(got.filter((result) => result !== DataCode.FRAGMENT_STORED))).toEqual(text(packets))
      }),
      settings,
    )
  })
})

describe('a peer that has the keys and means harm', () => {
  it('DATA-39 DATA-40 COMP-4 COMP-8 FRAG-5: no payload makes a pipeline throw, deliver too much, or deliver no packet', () => {
    const rounds = scaled(20_000, 2_000_000)
    const random = new SeededRandom('hostile peer')
    const framings = ['none', 'comp-lzo', 'stub', 'lz4', 'stub-v2', 'lz4-v2'] as const
    const largestPacket = 300
    const setups = framings.flatMap((compression) =>
      [undefined, 100].flatMap((fragment) =>
        (['tun', 'tap'] as const).map((device) => {
          const { client, server } = channelPair({ cipher: 'none', auth: 'none' })
          const more = fragment === undefined ? {} : { fragment }
          const pipeline = new DataPipeline({
            device,
            compression,
            allowCompression: true,
            largestPacket,
            mss: 100,
            ...more,
          })
          return { device, fragment, client, server, pipeline }
        }),
      ),
    )
    const results = new Map<string, number>()
    let now = 0
    for (let i = 0; i < rounds; i++) {
      const { device, fragment, client, server, pipeline } = random.pick(setups)
      const payload = random.bytes(random.pick([1, 2, 3, 4, 5, 17, 21, 60, 1 + random.below(500)]))
      let at = 0
      if (fragment !== undefined && random.chance(0.9) && payload.length > 4) {
        payload.set([0, 0, random.below(8), random.pick([0, 0, 0, 1, 2, 3, 4, 6])])
        at = 4
      }
      payload[at] = random.pick([0x45, 0x60, 0xfa, 0xfb, 0x66, 0x67, 0x68, 0x69, 0x50, 0x2a, 0x28, payload[at]!])
      if (payload[at] === 0x50 && at + 1 < payload.length) payload[at + 1] = random.below(12)
      now += random.pick([0, 1, 100, 5000])
      const result = pipelineOpened(pipeline, server, sealed(client, payload), now)
      if (typeof result === 'number') {
        if (!isAuthentic(result)) expect.fail(`${dataReason(result)} of an authentic packet`)
        results.set(dataReason(result), (results.get(dataReason(result)) ?? 0) + 1)
        continue
      }
      if (result.length > largestPacket) expect.fail(`${result.length} bytes delivered`)
      if (device === 'tun' && result[0]! >> 4 !== 4 && result[0]! >> 4 !== 6) expect.fail('no IP packet delivered')
      results.set(device, (results.get(device) ?? 0) + 1)
    }
    for (const reason of [
      'tun',
      'tap',
      'not-ip',
      'too-long',
      'unknown-compression',
      'compression-refused',
      'bad-compression',
      'bad-fragment',
      'fragment-stored',
      'fragment-test',
      'empty',
    ]) {
      expect(results.get(reason), `${reason} among ${[...results].join(' ')}`).toBeGreaterThan(rounds / 2000)
    }
  })
})
