import { describe, expect, it } from 'vitest'
import { UsageError } from '../../../src/bytes/index.ts'
import {
  type CompressionFraming,
  DataCode,
  DataPipeline,
  EtherType,
  FRAMING_STYLES,
  type PipelineOptions,
  readU16,
  writeEthernet,
} from '../../../src/data/index.ts'
import {
  channelPair,
  ipv4Packet,
  ipv6Packet,
  pipelineOpened,
  pipelineSealed,
  sealed,
  VARIANTS,
} from '../../support/data.ts'
import { SeededRandom } from '../../support/random.ts'

const FRAMINGS = Object.keys(FRAMING_STYLES) as CompressionFraming[]
const random = new SeededRandom('pipeline')

interface Ends {
  readonly send: (packet: Uint8Array) => Uint8Array[]
  readonly receive: (datagram: Uint8Array, now?: number) => Uint8Array | number
  readonly sender: DataPipeline
  readonly receiver: DataPipeline
  readonly client: ReturnType<typeof channelPair>['client']
}

function ends(options: Partial<PipelineOptions>, variant = VARIANTS[1]!): Ends {
  const { client, server } = channelPair(variant.options)
  const sender = new DataPipeline({ device: 'tun', ...options })
  const receiver = new DataPipeline({ device: 'tun', ...options })
  return {
    sender,
    receiver,
    client,
    send: (packet) => pipelineSealed(sender, client, packet),
    receive: (datagram, now) => pipelineOpened(receiver, server, datagram, now),
  }
}

describe.each(VARIANTS)('over $name', (variant) => {
  it('DATA-38 packets come out as they went in, through every framing, with and without fragments', () => {
    for (const compression of FRAMINGS) {
      for (const fragment of [undefined, 300]) {
        const { send, receive } = ends({ compression, ...(fragment === undefined ? {} : { fragment }) }, variant)
        for (const length of [20, 21, 299, 300, 301, 1400, 1500]) {
          const packet = random.chance(0.5) || length < 40 ? ipv4Packet(length) : ipv6Packet(length)
          const results = random.shuffle(send(packet)).map((datagram) => receive(datagram))
          expect(results.pop()).toEqual(packet)
          expect(results.every((code) => code === DataCode.FRAGMENT_STORED)).toBe(true)
          if (fragment !== undefined && length > 300) expect(results.length).toBeGreaterThan(0)
        }
      }
    }
  })

  it('DATA-31 DATA-32 pings and OCC messages pass every framing and are taken out', () => {
    for (const compression of FRAMINGS) {
      for (const fragment of [undefined, 300]) {
        const { sender, receiver, client, receive } = ends(
          { compression, ...(fragment === undefined ? {} : { fragment }) },
          variant,
        )
        const buffer = new Uint8Array(400)
        const at = sender.headroom + client.headroom
        const take = (length: number): Uint8Array => buffer.slice(sender.resultOffset, sender.resultOffset + length)
        expect(receive(take(sender.sealPing(client, buffer, at)))).toBe(DataCode.PING)
        const message = { type: 'reply', options: 'V4,tun-mtu 1500' } as const
        expect(receive(take(sender.sealOcc(client, buffer, at, message)))).toBe(DataCode.OCC)
        expect(receiver.lastOcc).toEqual(message)
      }
    }
  })
})

describe('what is not delivered', () => {
  it('DATA-39 payloads that are no IP packets, among them the framing a peer should not send', () => {
    const { client, receive } = ends({})
    for (const payload of [
      new Uint8Array(40),
      ipv4Packet(40).subarray(0, 19),
      ipv6Packet(80).subarray(0, 39),
      Uint8Array.of(0xfa, ...ipv4Packet(40)),
      Uint8Array.of(0xfb, ...ipv4Packet(40)),
    ]) {
      expect(receive(sealed(client, payload))).toBe(DataCode.NOT_IP)
    }
  })

  it('DATA-39 tap takes any frame with a whole header', () => {
    const { client, receive } = ends({ device: 'tap' })
    expect(receive(sealed(client, new Uint8Array(13)))).toBe(DataCode.NOT_IP)
    expect(receive(sealed(client, new Uint8Array(14)))).toEqual(new Uint8Array(14))
  })

  it('DATA-40 packets above the largest, either way', () => {
    const { client, sender, receive } = ends({ largestPacket: 100 })
    expect(receive(sealed(client, ipv4Packet(100)))).toEqual(ipv4Packet(100))
    expect(receive(sealed(client, ipv4Packet(101)))).toBe(DataCode.TOO_LONG)
    expect(sender.seal(client, new Uint8Array(300), 100, 101)).toBe(DataCode.TOO_LONG)
  })

  it('DATA-32 broken OCC messages', () => {
    const { client, receive } = ends({})
    const payload = new Uint8Array(17).fill(99)
    payload.set([0x28, 0x7f, 0x34, 0x6b, 0xd4, 0xef, 0x7a, 0x81, 0x2d, 0x56, 0xb8, 0xd3, 0xaf, 0xc5, 0x45, 0x9c])
    expect(receive(sealed(client, payload))).toBe(DataCode.BAD_OCC)
  })

  it('DATA-41 IPv6 with block-ipv6, in tun and tap', () => {
    const { sender, client } = ends({ blockIpv6: true })
    const buffer = new Uint8Array(300)
    buffer.set(ipv6Packet(80), 100)
    expect(sender.seal(client, buffer, 100, 80)).toBe(DataCode.IPV6_BLOCKED)
    buffer.set(ipv4Packet(80), 100)
    expect(sender.seal(client, buffer, 100, 80)).toBeGreaterThan(80)
    const tap = new DataPipeline({ device: 'tap', blockIpv6: true })
    const frame = writeEthernet(new Uint8Array(6), new Uint8Array(6), EtherType.IPV6, ipv6Packet(60))
    buffer.set(frame, 100)
    expect(tap.seal(client, buffer, 100, frame.length)).toBe(DataCode.IPV6_BLOCKED)
  })

  it('FRAG-3 packets that cannot be cut', () => {
    const { sender, client } = ends({ fragment: 16 })
    expect(sender.seal(client, new Uint8Array(1000), 100, 600)).toBe(DataCode.UNSPLITTABLE)
    expect(sender.fragmentsLeft).toBe(0)
    expect(sender.sealNext(client, new Uint8Array(1000), 100)).toBe(0)
  })

  it('DATA-43 a packet that a used-up key refused can be sealed by another', () => {
    for (const compression of FRAMINGS) {
      for (const fragment of [undefined, 30, 60, 300]) {
        const options = { device: 'tun', compression, ...(fragment === undefined ? {} : { fragment }) } as const
        const pipeline = new DataPipeline(options)
        const used = channelPair({ cipher: 'AES-128-GCM', counterStart: { packetsSent: 0xffffffff } }).client
        const { client, server } = channelPair({ cipher: 'AES-128-GCM' })
        const packet = ipv4Packet(100)
        const buffer = new Uint8Array(300)
        buffer.set(packet, 100)
        expect(pipeline.seal(used, buffer, 100, 100)).toBe(DataCode.KEY_EXHAUSTED)
        expect(buffer.slice(100, 200)).toEqual(packet)
        expect(pipeline.fragmentsLeft).toBe(0)
        const receiver = new DataPipeline(options)
        const results = pipelineSealed(pipeline, client, buffer.slice(100, 200)).map((datagram) =>
          pipelineOpened(receiver, server, datagram),
        )
        expect(results.pop()).toEqual(packet)
      }
    }
  })

  it('calls without room', () => {
    const { sender, client } = ends({ compression: 'stub', fragment: 300 })
    const headroom = sender.headroom + client.headroom
    expect(() => sender.seal(client, new Uint8Array(500), headroom - 1, 100)).toThrow(UsageError)
    expect(() => sender.seal(client, new Uint8Array(headroom + 100), headroom, 100)).toThrow(UsageError)
    expect(() => sender.sealOcc(client, new Uint8Array(headroom + 8), headroom, { type: 'exit' })).toThrow(UsageError)
    expect(sender.seal(client, new Uint8Array(headroom + 101), headroom, 100)).toBeGreaterThan(100)
  })
})

describe('mssfix in the pipeline', () => {
  it('MSS-2 lowers the MSS going out and coming in', () => {
    const syn = ipv4Packet(44)
    syn[9] = 6
    syn.set([0x60, 2], 32)
    syn.set([2, 4, 5, 180], 40)
    const plain = ends({})
    const clamping = ends({ mss: 1000 })
    const mssOf = (packet: Uint8Array | number): number => (typeof packet === 'number' ? packet : readU16(packet, 42))
    expect(mssOf(plain.receive(plain.send(syn)[0]!))).toBe(1460)
    expect(mssOf(plain.receive(clamping.send(syn)[0]!))).toBe(DataCode.REPLAYED)
    expect(mssOf(ends({}).receive(ends({ mss: 1000 }).send(syn)[0]!))).toBe(1000)
    expect(mssOf(ends({ mss: 1000 }).receive(ends({}).send(syn)[0]!))).toBe(1000)
  })
})

describe('fragments in the pipeline', () => {
  it('survive a change of the key between them', () => {
    const before = channelPair(VARIANTS[1]!.options, 1)
    const after = channelPair(VARIANTS[1]!.options, 2)
    const sender = new DataPipeline({ device: 'tun', fragment: 500 })
    const receiver = new DataPipeline({ device: 'tun', fragment: 500 })
    const buffer = new Uint8Array(1400)
    const packet = ipv4Packet(900)
    buffer.set(packet, 100)
    const datagrams: Uint8Array[] = []
    const length = sender.seal(before.client, buffer, 100, 900)
    datagrams.push(buffer.slice(sender.resultOffset, sender.resultOffset + length))
    const second = sender.sealNext(after.client, buffer, 100)
    datagrams.push(buffer.slice(sender.resultOffset, sender.resultOffset + second))
    expect(pipelineOpened(receiver, after.server, datagrams[1]!)).toBe(DataCode.FRAGMENT_STORED)
    expect(pipelineOpened(receiver, before.server, datagrams[0]!)).toEqual(packet)
    expect(receiver.abandonedFragments).toBe(0)
  })
})
