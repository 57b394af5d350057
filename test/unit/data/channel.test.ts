import { describe, expect, it } from 'vitest'
import { ConfigError, UsageError } from '../../../src/bytes/index.ts'
import { noble } from '../../../src/crypto/index.ts'
import {
  createDataChannel,
  DataCode,
  dataLayout,
  dataReason,
  isAuthentic,
  isDrop,
  largestPayload,
  LAST_DROP_CODE,
  layoutHeadroom,
  layoutTailroom,
  sealedLength,
  splitKey2,
} from '../../../src/data/index.ts'
import { AEADS, CBCS, channelPair, DIGESTS, opened, sealed, testKeys, VARIANTS } from '../../support/data.ts'
import { SeededRandom } from '../../support/random.ts'

const HELLO = Uint8Array.of(0x45, 1, 2, 3, 4, 5, 6)

describe.each(VARIANTS)('$name', ({ options }) => {
  it('carries payloads of every small length both ways, in place (DATA-30)', () => {
    const { client, server } = channelPair(options)
    const random = new SeededRandom(1)
    const layout = dataLayout({
      cipher: options.cipher,
      auth: options.auth ?? 'none',
      epoch: options.epoch === true,
      staticKey: options.staticKey !== undefined,
      peerId: options.peerId !== undefined,
    })
    for (let length = 1; length <= 80; length++) {
      const payload = random.bytes(length)
      const datagram = sealed(client, payload)
      expect(datagram.length).toBe(sealedLength(layout, length))
      expect(largestPayload(layout, datagram.length)).toBeGreaterThanOrEqual(length)
      expect(largestPayload(layout, datagram.length - 1)).toBeLessThan(length)
      expect(opened(server, datagram)).toEqual(payload)
      expect(opened(client, sealed(server, payload))).toEqual(payload)
    }
    expect([client.headroom, client.tailroom]).toEqual([layoutHeadroom(layout), layoutTailroom(layout)])
  })

  it('needs its headroom and tailroom, and a payload', () => {
    const { client } = channelPair(options)
    const room = client.headroom + 4 + client.tailroom
    expect(() => client.seal(new Uint8Array(room), client.headroom - 1, 4)).toThrow(UsageError)
    expect(() => client.seal(new Uint8Array(room - 1), client.headroom, 4)).toThrow(UsageError)
    expect(() => client.seal(new Uint8Array(room), client.headroom, 0)).toThrow(UsageError)
    expect(client.seal(new Uint8Array(room), client.headroom, 4)).toBeGreaterThan(4)
  })

  it('touches nothing outside the datagram and its room', () => {
    const { client, server } = channelPair(options)
    const buffer = new Uint8Array(300).fill(0xee)
    const at = 120
    buffer.set(HELLO, at)
    const length = client.seal(buffer, at, HELLO.length)
    const start = client.resultOffset
    expect(buffer.subarray(0, start).every((byte) => byte === 0xee)).toBe(true)
    expect(buffer.subarray(start + length).every((byte) => byte === 0xee)).toBe(true)
    expect(server.open(buffer, start, length, 0)).toBe(HELLO.length)
    expect(buffer.subarray(0, start).every((byte) => byte === 0xee)).toBe(true)
    expect(buffer.subarray(start + length).every((byte) => byte === 0xee)).toBe(true)
  })

  it('works on views at any place of a larger buffer', () => {
    const { client, server } = channelPair(options)
    for (let shift = 0; shift < 16; shift++) {
      const whole = new Uint8Array(400).fill(0x99)
      const view = whole.subarray(shift, shift + 300)
      view.set(HELLO, 120)
      const length = client.seal(view, 120, HELLO.length)
      const datagram = whole.subarray(shift + client.resultOffset, shift + client.resultOffset + length)
      expect(server.open(datagram, 0, length, 0)).toBe(HELLO.length)
      expect(datagram.slice(server.resultOffset, server.resultOffset + HELLO.length)).toEqual(HELLO)
      expect(whole.subarray(0, shift).every((byte) => byte === 0x99)).toBe(true)
    }
  })

  it('DATA-5 refuses every cut of a packet', () => {
    const { client, server } = channelPair(options)
    const datagram = sealed(client, HELLO)
    for (let length = 0; length < datagram.length; length++) {
      const code = opened(server, datagram.subarray(0, length))
      expect([DataCode.TOO_SHORT, DataCode.BAD_TAG]).toContain(code)
    }
    expect(opened(server, datagram)).toEqual(HELLO)
  })

  it('DATA-8 DATA-9 takes a packet once, out of order within the window, never behind it', () => {
    const { client, server } = channelPair({ ...options, replay: { window: 8, seconds: 15 } })
    const datagrams = Array.from({ length: 20 }, (_, i) => sealed(client, Uint8Array.of(0x45, i)))
    expect(opened(server, datagrams[9]!)).toEqual(Uint8Array.of(0x45, 9))
    expect(opened(server, datagrams[9]!)).toBe(DataCode.REPLAYED)
    expect(opened(server, datagrams[2]!)).toEqual(Uint8Array.of(0x45, 2))
    expect(opened(server, datagrams[2]!)).toBe(DataCode.REPLAYED)
    expect(opened(server, datagrams[1]!)).toBe(DataCode.TOO_OLD)
    expect(opened(server, datagrams[19]!)).toEqual(Uint8Array.of(0x45, 19))
    expect(opened(server, datagrams[11]!)).toBe(DataCode.TOO_OLD)
    expect(opened(server, datagrams[12]!)).toEqual(Uint8Array.of(0x45, 12))
  })

  it('DATA-9 an id that aged out is too old, seen or not, and one that was seen is replayed', () => {
    const { client, server } = channelPair({ ...options, replay: { window: 64, seconds: 15 } })
    const [unseen, seen, next, late, last] = Array.from({ length: 5 }, () => sealed(client, HELLO))
    expect(opened(server, seen!, 0)).toEqual(HELLO)
    expect(opened(server, seen!, 14_000)).toBe(DataCode.REPLAYED)
    expect(opened(server, next!, 16_000)).toEqual(HELLO)
    expect(opened(server, unseen!, 16_000)).toBe(DataCode.TOO_OLD)
    expect(opened(server, seen!, 16_000)).toBe(DataCode.TOO_OLD)
    expect(opened(server, next!, 16_000)).toBe(DataCode.REPLAYED)
    // A sweep that is due counts as made.
    expect(opened(server, last!, 17_000)).toEqual(HELLO)
    expect(opened(server, next!, 36_000)).toBe(DataCode.TOO_OLD)
    expect(opened(server, late!, 31_500)).toEqual(HELLO)
  })

  it('DATA-8 a forged packet far ahead moves no window', () => {
    const { client, server } = channelPair(options)
    const { client: ahead } = channelPair({ ...options, counterStart: { packetsSent: 1_000_000 } }, 1)
    const first = sealed(client, HELLO)
    const forged = sealed(ahead, HELLO)
    forged[forged.length - 1]! ^= 1
    expect(opened(server, forged)).toBe(DataCode.BAD_TAG)
    expect(server.failedVerifications).toBe(1)
    expect(opened(server, first)).toEqual(HELLO)
  })
})

describe('first byte', () => {
  it('DATA-6 names packets of other keys and other opcodes', () => {
    for (const { options } of VARIANTS.filter((v) => v.options.staticKey === undefined)) {
      const { client, server } = channelPair({ ...options, keyId: 3 })
      for (let first = 0; first < 256; first++) {
        const datagram = sealed(client, HELLO)
        const right = datagram[0]
        datagram[0] = first
        const code = opened(server, datagram)
        const opcode = first >> 3
        if (first === right) expect(code).toEqual(HELLO)
        else if (opcode !== 6 && opcode !== 9) expect(code).toBe(DataCode.WRONG_OPCODE)
        else if ((first & 7) !== 3) expect(code).toBe(DataCode.WRONG_KEY_ID)
        else expect([DataCode.BAD_TAG, DataCode.WRONG_OPCODE, DataCode.TOO_SHORT]).toContain(code)
      }
    }
  })

  it('DATA-6 takes DATA_V1 and DATA_V2 whichever it sends, except with epoch keys', () => {
    for (const cipher of ['AES-256-GCM', 'AES-256-CBC'] as const) {
      const keys = testKeys(4)
      const common = { crypto: noble, cipher, auth: 'SHA1', random: new SeededRandom(4).source } as const
      const v1 = createDataChannel({ ...common, keys: keys.server })
      const v2 = createDataChannel({ ...common, keys: keys.client, peerId: 9 })
      expect(opened(v2, sealed(v1, HELLO))).toEqual(HELLO)
      expect(opened(v1, sealed(v2, HELLO))).toEqual(HELLO)
    }
    const epoch = channelPair({ cipher: 'AES-128-GCM', peerId: 1, epoch: true })
    const plain = channelPair({ cipher: 'AES-128-GCM' })
    expect(opened(epoch.server, sealed(plain.client, HELLO))).toBe(DataCode.WRONG_OPCODE)
  })

  it('DATA-7 insists on a peer-id only where told to, and lets none pass', () => {
    const wants = { cipher: 'AES-128-CBC', auth: 'SHA256' } as const
    for (const options of [
      wants,
      { cipher: 'AES-256-GCM' } as const,
      { cipher: 'AES-256-GCM', epoch: true } as const,
    ]) {
      for (const [sent, code] of [
        [5, HELLO],
        [6, DataCode.WRONG_PEER_ID],
        [0xffffff, HELLO],
      ] as const) {
        const { client } = channelPair({ ...options, peerId: sent })
        const { server } = channelPair({ ...options, peerId: 5, receivePeerId: 5 })
        expect(opened(server, sealed(client, HELLO))).toEqual(code)
        const { server: lax } = channelPair({ ...options, peerId: 5 })
        expect(opened(lax, sealed(client, HELLO))).toEqual(HELLO)
      }
    }
  })

  it('DATA-2 an AEAD packet says nothing under another peer-id; DATA-3 in DATA_V1 only the id is bound', () => {
    const { client, server } = channelPair({ cipher: 'AES-256-GCM', peerId: 5 })
    const datagram = sealed(client, HELLO)
    datagram[3]! ^= 1
    expect(opened(server, datagram)).toBe(DataCode.BAD_TAG)
    const v1 = channelPair({ cipher: 'AES-256-GCM', keyId: 1 })
    const other = channelPair({ cipher: 'AES-256-GCM', keyId: 2 })
    const moved = sealed(v1.client, HELLO)
    moved[0] = (moved[0]! & 0xf8) | 2
    expect(opened(other.server, moved)).toEqual(HELLO)
  })
})

describe('what cannot be made', () => {
  const keys = testKeys(1).client
  const random = new SeededRandom(1).source
  const make = (options: object): (() => unknown) => {
    return () => createDataChannel({ crypto: noble, cipher: 'AES-256-GCM', keys, random, ...options })
  }

  it('DATA-14 insecure channels without being asked in so many words', () => {
    expect(make({ cipher: 'none', auth: 'SHA256' })).toThrow(ConfigError)
    expect(make({ cipher: 'AES-128-CBC', auth: 'none' })).toThrow(ConfigError)
    expect(make({ cipher: 'AES-128-CBC' })).toThrow(ConfigError)
    expect(make({ cipher: 'none', auth: 'none', allowInsecure: true })).not.toThrow()
    expect(make({ cipher: 'AES-128-CBC', auth: 'none', allowInsecure: true })).not.toThrow()
    expect(make({ cipher: 'AES-128-GCM', auth: 'none' })).not.toThrow()
  })

  it('DATA-16 ciphers with 64-bit blocks that the provider does not offer', () => {
    for (const cipher of ['BF-CBC', 'DES-EDE3-CBC'] as const) {
      expect(make({ cipher, auth: 'SHA1' })).toThrow(/64-bit blocks.*noble/)
    }
  })

  it('epoch keys without AEAD or peer-id, static keys with AEAD, numbers out of range', () => {
    expect(make({ epoch: true })).toThrow(ConfigError)
    expect(make({ epoch: true, peerId: 3, cipher: 'AES-128-CBC', auth: 'SHA1' })).toThrow(ConfigError)
    expect(make({ staticKey: { startTime: 1 } })).toThrow(ConfigError)
    expect(make({ keyId: 8 })).toThrow(UsageError)
    expect(make({ peerId: 0x1000000 })).toThrow(UsageError)
    expect(make({ receivePeerId: -1 })).toThrow(UsageError)
    expect(make({ replay: { window: 0 } })).toThrow(ConfigError)
    expect(make({ replay: { window: 65537 } })).toThrow(ConfigError)
    expect(make({ replay: { seconds: 601 } })).toThrow(ConfigError)
    expect(make({ cipher: 'AES-128-CBC', auth: 'SHA1', random: undefined })).toThrow(UsageError)
  })
})

describe('keys', () => {
  it('KDF-4 both ends of every cipher and digest understand each other, and nobody understands itself', () => {
    let combinations = 0
    for (const cipher of [...AEADS, ...CBCS, 'none'] as const) {
      for (const auth of AEADS.some((name) => name === cipher) ? (['none'] as const) : DIGESTS) {
        const { client, server } = channelPair({ cipher, auth })
        const datagram = sealed(client, HELLO)
        expect(opened(client, datagram)).toBe(DataCode.BAD_TAG)
        expect(opened(server, datagram)).toEqual(HELLO)
        combinations++
      }
    }
    expect(combinations).toBe(4 + 4 * 6)
  })

  it('KDF-5 refuses a key2 with an all-zero cipher part, and other lengths', () => {
    const key2 = new SeededRandom(1).bytes(256)
    expect(splitKey2(key2, 'client')).toBeDefined()
    for (const start of [0, 128]) {
      const bad = key2.slice().fill(0, start, start + 64)
      expect(splitKey2(bad, 'client')).toBeUndefined()
      expect(splitKey2(bad, 'server')).toBeUndefined()
    }
    expect(() => splitKey2(key2.subarray(1), 'client')).toThrow(UsageError)
  })

  it('no channel shows key material when printed', () => {
    for (const { options } of VARIANTS) {
      const { client } = channelPair(options)
      const shown = JSON.stringify(client)
      expect(shown).not.toMatch(/key(?!Id)|secret|iv/iu)
      expect(Object.keys(client).sort()).toEqual(['headroom', 'renegotiation', 'resultOffset', 'tailroom'])
    }
  })
})

describe('results', () => {
  it('DATA-42 every code has a name of its own and is either a drop or news', () => {
    const codes = Object.values(DataCode)
    expect(new Set(codes).size).toBe(codes.length)
    expect(new Set(codes.map(dataReason)).size).toBe(codes.length)
    for (const [name, code] of Object.entries(DataCode)) {
      expect(dataReason(code)).toBe(name.toLowerCase().replaceAll('_', '-'))
      expect(isDrop(code)).toBe(code >= LAST_DROP_CODE)
    }
    expect(isDrop(0)).toBe(false)
    expect([5, 0, DataCode.PING, DataCode.OCC, DataCode.BAD_FRAGMENT, DataCode.NOT_IP].every(isAuthentic)).toBe(true)
    const unproven = [DataCode.TOO_SHORT, DataCode.BAD_TAG, DataCode.REPLAYED, DataCode.TOO_OLD, DataCode.WRONG_EPOCH]
    expect(unproven.some(isAuthentic)).toBe(false)
  })
})
