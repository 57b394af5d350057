import { describe, expect, it } from 'vitest'
import { type Aead, type Cbc, type CryptoProvider, type Hmac, noble } from '../../../src/crypto/index.ts'
import {
  aeadUsageLimit,
  type CounterStart,
  createDataChannel,
  type DataChannel,
  DataCode,
  EPOCH_WARNING,
  EpochChannel,
  FAILED_VERIFICATION_LIMIT,
  FAILED_VERIFICATION_WARNING,
  FUTURE_EPOCHS,
  LAST_EPOCH,
  SMALL_BLOCK_BYTES,
  usageWarning,
} from '../../../src/data/index.ts'
import { nodeCrypto } from '../../../src/node/crypto/index.ts'
import { channelPair, opened, type Pair, sealed, testKeys } from '../../support/data.ts'
import { SeededRandom } from '../../support/random.ts'

/** noble with an HMAC that only counts: 65,535 derivations in no time, where the keys themselves do not matter. */
const quickKeys: CryptoProvider = {
  ...noble,
  createHmac: (_hash, key): Hmac => ({
    length: 32,
    update() {
      return this
    },
    finish: () => key.slice(0, 32).map((byte, i) => byte + i + 1),
    finishInto: () => undefined,
  }),
}

const ONE = Uint8Array.of(0x45)
const BLOCK = new Uint8Array(16)

function sealCode(channel: Pair['client'], length: number): number {
  const buffer = new Uint8Array(channel.headroom + length + channel.tailroom)
  return channel.seal(buffer, channel.headroom, length)
}

describe('DATA-18 packet ids', () => {
  const variants = [{ cipher: 'AES-256-GCM' }, { cipher: 'AES-128-CBC', auth: 'SHA1' }] as const
  it.each(variants)('$cipher wants a new key from 0xFF000000 on and stops after 0xFFFFFFFF', (options) => {
    const { client, server } = channelPair({ ...options, counterStart: { packetsSent: 0xfefffffe } })
    opened(server, sealed(client, ONE))
    expect(client.renegotiation).toBeUndefined()
    expect(opened(server, sealed(client, ONE))).toEqual(ONE)
    expect(client.renegotiation).toBe('packet-ids')
    expect(server.renegotiation).toBeUndefined()

    const late = channelPair({ ...options, counterStart: { packetsSent: 0xfffffffd } })
    expect(opened(late.server, sealed(late.client, ONE))).toEqual(ONE)
    expect(opened(late.server, sealed(late.client, ONE))).toEqual(ONE)
    for (let i = 0; i < 3; i++) expect(sealCode(late.client, 1)).toBe(DataCode.KEY_EXHAUSTED)
  })

  it('ids around 2^31 and 2^32 are plain numbers to the receiver', () => {
    for (const packetsSent of [0x7ffffff0, 0xffffffe0]) {
      const { client, server } = channelPair({ cipher: 'AES-128-GCM', counterStart: { packetsSent } })
      const datagrams = Array.from({ length: 31 }, () => sealed(client, ONE))
      for (const datagram of datagrams.reverse()) expect(opened(server, datagram)).toEqual(ONE)
      for (const datagram of datagrams) expect(opened(server, datagram)).toBe(DataCode.REPLAYED)
    }
  })
})

describe('DATA-20 AEAD usage', () => {
  const limit = aeadUsageLimit('AES-256-GCM')
  const warning = usageWarning(limit)

  it('is 2^36 - 1 blocks and packets for GCM and unlimited for ChaCha', () => {
    expect(limit).toBe(2 ** 36 - 1)
    expect(warning).toBe(Math.floor((2 ** 36 - 1) / 8) * 7)
    expect(aeadUsageLimit('CHACHA20-POLY1305')).toBe(Infinity)
    expect(usageWarning(Infinity)).toBe(Infinity)
  })

  it('counts blocks rounded up and one for the packet, sending', () => {
    for (const [length, cost] of [
      [1, 2],
      [16, 2],
      [17, 3],
      [1400, 89],
    ] as const) {
      const { client: below } = channelPair({ cipher: 'AES-256-GCM', counterStart: { sendUsage: warning - cost - 1 } })
      sealCode(below, length)
      expect(below.renegotiation).toBeUndefined()
      const { client: at } = channelPair({ cipher: 'AES-256-GCM', counterStart: { sendUsage: warning - cost } })
      sealCode(at, length)
      expect(at.renegotiation).toBe('aead-usage')
      const { client: last } = channelPair({ cipher: 'AES-256-GCM', counterStart: { sendUsage: limit - cost } })
      expect(sealCode(last, length)).toBeGreaterThan(0)
      expect(sealCode(last, length)).toBe(DataCode.KEY_EXHAUSTED)
    }
  })

  it('counts what was received, too, and goes on receiving', () => {
    const { client } = channelPair({ cipher: 'AES-256-GCM' })
    const { server } = channelPair({ cipher: 'AES-256-GCM', counterStart: { receiveUsage: warning - 3 } })
    opened(server, sealed(client, BLOCK))
    expect(server.renegotiation).toBeUndefined()
    expect(opened(server, sealed(client, BLOCK))).toEqual(BLOCK)
    expect(server.renegotiation).toBe('aead-usage')
    expect(opened(server, sealed(client, BLOCK))).toEqual(BLOCK)
  })

  it('does not count forgeries and never limits ChaCha', () => {
    const { client, server } = channelPair({ cipher: 'AES-256-GCM', counterStart: { receiveUsage: warning - 1 } })
    const forged = sealed(client, BLOCK)
    forged[30]! ^= 1
    expect(opened(server, forged)).toBe(DataCode.BAD_TAG)
    expect(server.renegotiation).toBeUndefined()
    const chacha = channelPair({
      cipher: 'CHACHA20-POLY1305',
      counterStart: { sendUsage: 2 ** 40, receiveUsage: 2 ** 40 },
    })
    expect(opened(chacha.server, sealed(chacha.client, BLOCK))).toEqual(BLOCK)
    expect(chacha.client.renegotiation ?? chacha.server.renegotiation).toBeUndefined()
  })
})

describe('DATA-21 failed verifications', () => {
  const variants = [
    { name: 'AEAD', cipher: 'AES-256-GCM' },
    { name: 'epoch', cipher: 'AES-256-GCM', epoch: true, peerId: 1 },
    { name: 'CBC', cipher: 'AES-128-CBC', auth: 'SHA1' },
  ] as const
  it.each(variants)('$name wants a new key at 2^35 and opens nothing after 2^36', (options) => {
    const forge = ({ client, server }: Pair): number => {
      const datagram = sealed(client, BLOCK)
      datagram[datagram.length - 1]! ^= 1
      return opened(server, datagram) as number
    }
    const start = (failedVerifications: number): Pair =>
      channelPair({ ...options, counterStart: { failedVerifications } })
    expect([FAILED_VERIFICATION_WARNING, FAILED_VERIFICATION_LIMIT]).toEqual([2 ** 35, 2 ** 36])
    const warned = start(2 ** 35 - 2)
    expect(forge(warned)).toBe(DataCode.BAD_TAG)
    expect(warned.server.renegotiation).toBeUndefined()
    forge(warned)
    expect(warned.server.renegotiation).toBe('failed-verifications')
    expect(opened(warned.server, sealed(warned.client, BLOCK))).toEqual(BLOCK)

    const last = start(2 ** 36 - 1)
    expect(opened(last.server, sealed(last.client, BLOCK))).toEqual(BLOCK)
    forge(last)
    expect(last.server.failedVerifications).toBe(2 ** 36)
    expect(opened(last.server, sealed(last.client, BLOCK))).toBe(DataCode.KEY_RETIRED)
    expect(last.server.failedVerifications).toBe(2 ** 36)
  })
})

describe('DATA-19 64-bit block ciphers', () => {
  /** A provider whose BF-CBC does nothing: only the counting matters here. */
  const provider: CryptoProvider = {
    ...noble,
    createCbc: (algorithm): Cbc => ({ algorithm, blockLength: 8, encrypt: () => undefined, decrypt: () => undefined }),
  }
  const options = { crypto: provider, cipher: 'BF-CBC', auth: 'SHA1' } as const

  it('want a new key after 64 MB in both directions together', () => {
    expect(SMALL_BLOCK_BYTES).toBe(64 * 1024 * 1024)
    const { client, server } = channelPair({ ...options, counterStart: { bytes: SMALL_BLOCK_BYTES - 130 } })
    const datagram = sealed(client, new Uint8Array(40))
    expect(datagram.length).toBe(1 + 20 + 8 + 48)
    expect(client.renegotiation).toBeUndefined()
    opened(client, sealed(server, new Uint8Array(40)))
    expect(client.renegotiation).toBe('bytes')
    expect(sealed(client, ONE).length).toBe(1 + 20 + 8 + 8)
  })

  it('triple DES, which node:crypto has, is one of them', () => {
    const bytes = SMALL_BLOCK_BYTES - 60
    const { client, server } = channelPair({
      ...options,
      cipher: 'DES-EDE3-CBC',
      crypto: nodeCrypto,
      counterStart: { bytes },
    })
    expect(opened(server, sealed(client, ONE))).toEqual(ONE)
    expect([client.renegotiation, server.renegotiation]).toEqual([undefined, undefined])
    expect(opened(server, sealed(client, ONE))).toEqual(ONE)
    expect([client.renegotiation, server.renegotiation]).toEqual(['bytes', 'bytes'])
  })

  it('other ciphers do not', () => {
    const { client } = channelPair({ cipher: 'AES-128-CBC', auth: 'SHA1', counterStart: { bytes: 2 ** 50 } })
    sealed(client, ONE)
    expect(client.renegotiation).toBeUndefined()
  })
})

describe('epochs', () => {
  const options = { cipher: 'AES-256-GCM', epoch: true, peerId: 9 } as const
  const epochChannel = (channel: DataChannel): EpochChannel => {
    if (channel instanceof EpochChannel) return channel
    throw new Error('not an epoch channel')
  }
  const pair = (counterStart: CounterStart = {}): { readonly client: EpochChannel; readonly server: EpochChannel } => {
    const crypto = (counterStart.epoch ?? 1) > 1 ? quickKeys : noble
    const { client, server } = channelPair({ ...options, crypto, counterStart })
    return { client: epochChannel(client), server: epochChannel(server) }
  }
  const idOf = (datagram: Uint8Array): number[] => [...datagram.slice(4, 12)]

  it('DATA-23 start at epoch 1, counter 1; 0 of either is refused', () => {
    const { client, server } = pair()
    const datagram = sealed(client, ONE)
    expect(idOf(datagram)).toEqual([0, 1, 0, 0, 0, 0, 0, 1])
    const zeroEpoch = datagram.slice()
    zeroEpoch[5] = 0
    expect(opened(server, zeroEpoch)).toBe(DataCode.WRONG_EPOCH)
    const zeroCounter = datagram.slice()
    zeroCounter[11] = 0
    expect(opened(server, zeroCounter)).toBe(DataCode.BAD_PACKET_ID)
    expect(opened(server, datagram)).toEqual(ONE)
    client.advanceSendEpoch()
    expect(idOf(sealed(client, ONE))).toEqual([0, 2, 0, 0, 0, 0, 0, 1])
  })

  it('DATA-27 an authentic packet of a later epoch moves the receiver, and its sending', () => {
    const { client, server } = pair()
    opened(server, sealed(client, ONE))
    for (let i = 0; i < 3; i++) client.advanceSendEpoch()
    const datagram = sealed(client, ONE)
    const forged = datagram.slice()
    forged[14]! ^= 1
    expect(opened(server, forged)).toBe(DataCode.BAD_TAG)
    expect([server.receiveEpoch, server.sendEpoch]).toEqual([1, 1])
    expect(opened(server, datagram)).toEqual(ONE)
    expect([server.receiveEpoch, server.sendEpoch]).toEqual([4, 4])
    expect(idOf(sealed(server, ONE))).toEqual([0, 4, 0, 0, 0, 0, 0, 1])
    expect(opened(client, sealed(server, ONE))).toEqual(ONE)
    expect(client.receiveEpoch).toBe(4)
  })

  it('DATA-27 sending never goes back: a receiver that lags behind keeps its own later send epoch', () => {
    const { client, server } = pair()
    for (let i = 0; i < 5; i++) server.advanceSendEpoch()
    client.advanceSendEpoch()
    expect(opened(server, sealed(client, ONE))).toEqual(ONE)
    expect([server.receiveEpoch, server.sendEpoch]).toEqual([2, 6])
  })

  it('DATA-26 takes present, last left and sixteen future epochs, each with its own window', () => {
    const { client, server } = pair()
    const old: Uint8Array[] = []
    for (let epoch = 1; epoch <= 19; epoch++) {
      old.push(sealed(client, ONE), sealed(client, ONE))
      client.advanceSendEpoch()
    }
    const first = (epoch: number): Uint8Array => old[2 * (epoch - 1)]!
    const second = (epoch: number): Uint8Array => old[2 * (epoch - 1) + 1]!
    expect(opened(server, first(1))).toEqual(ONE)
    expect(opened(server, first(18))).toBe(DataCode.WRONG_EPOCH)
    expect(opened(server, first(17))).toEqual(ONE)
    expect(opened(server, first(17))).toBe(DataCode.REPLAYED)
    expect(opened(server, first(1))).toBe(DataCode.REPLAYED)
    expect(opened(server, second(1))).toEqual(ONE)
    for (let epoch = 2; epoch < 17; epoch++) expect(opened(server, first(epoch))).toBe(DataCode.WRONG_EPOCH)
    expect(opened(server, first(18))).toEqual(ONE)
    expect(opened(server, second(17))).toEqual(ONE)
    expect(opened(server, second(1))).toBe(DataCode.WRONG_EPOCH)
  })

  it('DATA-25 forgeries of future epochs cause at most sixteen derivations', () => {
    let made = 0
    const counting: CryptoProvider = {
      ...noble,
      createAead: (algorithm, key): Aead => {
        made++
        return noble.createAead(algorithm, key)
      },
    }
    const { server } = channelPair({ ...options, crypto: counting })
    const { client } = channelPair(options)
    const before = made
    const random = new SeededRandom(25)
    const datagram = sealed(client, BLOCK)
    let tags = 0
    for (let i = 0; i < 3000; i++) {
      const forged = datagram.slice()
      forged.set(random.bytes(2), 4)
      if (i < 100) forged.set([0, 1 + (i % 20)], 4)
      forged[10] = 1
      if (opened(server, forged) === DataCode.BAD_TAG) tags++
    }
    expect(made - before).toBe(FUTURE_EPOCHS)
    expect(tags).toBeGreaterThan(80)
    expect(opened(server, datagram)).toEqual(BLOCK)
  })

  it('DATA-28 the sender moves on at 7/8 of its usage and at the last counter', () => {
    const warning = usageWarning(aeadUsageLimit('AES-256-GCM'))
    const { client } = pair({ sendUsage: warning - 2 })
    expect(idOf(sealed(client, BLOCK)).slice(0, 2)).toEqual([0, 1])
    expect(idOf(sealed(client, BLOCK))).toEqual([0, 2, 0, 0, 0, 0, 0, 1])
    const { client: counted, server } = pair({ packetsSent: 2 ** 48 - 2 })
    const last = sealed(counted, ONE)
    expect(idOf(last)).toEqual([0, 1, 255, 255, 255, 255, 255, 255])
    expect(opened(server, last)).toEqual(ONE)
    expect(opened(server, last)).toBe(DataCode.REPLAYED)
    const next = sealed(counted, ONE)
    expect(idOf(next)).toEqual([0, 2, 0, 0, 0, 0, 0, 1])
    expect(opened(server, next)).toEqual(ONE)
  })

  it('DATA-28 a receiver whose key is used up brings the peer along, once', () => {
    const warning = usageWarning(aeadUsageLimit('AES-256-GCM'))
    const { client } = pair()
    const { server } = pair({ receiveUsage: warning - 2 })
    opened(server, sealed(client, BLOCK))
    expect(server.sendEpoch).toBe(1)
    for (let i = 0; i < 5; i++) opened(server, sealed(client, BLOCK))
    expect(server.sendEpoch).toBe(2)
    expect(opened(client, sealed(server, ONE))).toEqual(ONE)
    expect(client.sendEpoch).toBe(2)
    expect(opened(server, sealed(client, ONE))).toEqual(ONE)
    expect(server.receiveEpoch).toBe(2)
  })

  it('DATA-22 from 0xF000 on a new key is due; epoch 65535 is the last, and its end the end of sending', () => {
    const { client, server } = pair({ epoch: EPOCH_WARNING - 1 })
    expect(client.renegotiation).toBeUndefined()
    client.advanceSendEpoch()
    expect(client.renegotiation).toBe('epochs')
    expect(opened(server, sealed(client, ONE))).toEqual(ONE)
    expect(server.renegotiation).toBe('epochs')

    const keys = testKeys(1)
    const last = epochChannel(
      createDataChannel({
        crypto: quickKeys,
        ...options,
        keys: keys.client,
        counterStart: { epoch: LAST_EPOCH, packetsSent: 2 ** 48 - 2 },
      }),
    )
    expect(last.sendEpoch).toBe(0xffff)
    expect(last.advanceSendEpoch()).toBe(false)
    expect(idOf(sealed(last, ONE)).slice(0, 2)).toEqual([255, 255])
    expect(sealCode(last, 1)).toBe(DataCode.KEY_EXHAUSTED)
    const used = createDataChannel({
      crypto: quickKeys,
      ...options,
      keys: keys.client,
      counterStart: { epoch: LAST_EPOCH, sendUsage: aeadUsageLimit('AES-256-GCM') - 2 },
    })
    expect(sealCode(used, 16)).toBeGreaterThan(0)
    expect(sealCode(used, 16)).toBe(DataCode.KEY_EXHAUSTED)
  })

  it('DATA-26 no receiver moves so far that its look-ahead would pass the last epoch', () => {
    const edge = LAST_EPOCH - FUTURE_EPOCHS - 1
    const { client, server } = pair({ epoch: edge - 1 })
    client.advanceSendEpoch()
    client.advanceSendEpoch()
    expect(opened(server, sealed(client, ONE))).toBe(DataCode.WRONG_EPOCH)
    const { client: other } = pair({ epoch: edge })
    expect(opened(server, sealed(other, ONE))).toEqual(ONE)
  })
})
