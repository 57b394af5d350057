/**
 * Published attacks on data channels, against channels, layers and pairs of sessions: nonces used twice, reordered streams,
 * used-up keys, padding oracles, hostile fragments, hostile headers inside, floods. Numbers are those of the threat table.
 */
import { describe, expect, it } from 'vitest'
import { type Cbc, type CryptoProvider, noble } from '../../src/crypto/index.ts'
import { clampMss, DataCode, dataReason, Reassembler } from '../../src/data/index.ts'
import { nodeCrypto } from '../../src/node/crypto/index.ts'
import { channelPair, opened, sealed, testKeys } from '../support/data.ts'
import { NonceWatch } from '../support/nonce-watch.ts'
import { connectPair, ipPacket } from '../support/pair.ts'
import { SeededRandom } from '../support/random.ts'
import { scaled } from '../support/scale.ts'

const crypto = nodeCrypto

describe('keys', () => {
  it('C2 no nonce is used twice under one key: crossed renegotiations, both lanes, pings and OCC at once', () => {
    const timers = { ping: 500, tranWindow: 4000, handWindow: 3000 }
    const push = { options: ['route-gateway 10.8.0.1', 'ping 1'], ifconfig: '10.8.0.2 255.255.255.0', peerId: 3 }
    for (const [dataCiphers, fragment] of [
      [['AES-256-GCM'], 0],
      [['CHACHA20-POLY1305'], 300],
    ] as const) {
      const end = { dataCiphers, fragment, timers }
      const pair = connectPair({ crypto: noble, client: end, server: { ...end, push } })
      const before = pair.watch.seals
      for (let i = 0; i < 300; i++) {
        for (const side of [pair.client, pair.server]) {
          if (i % 40 === 0)
            pair.input(side, (session, now) => {
              session.renegotiate(now)
            })
          pair.send(side, ipPacket(i, 100 + 7 * i))
          const { session } = side
          const buffer = new Uint8Array(session.headroom + 100 + session.tailroom)
          buffer.set(ipPacket(i), session.headroom)
          session.seal(buffer, session.headroom, 100, pair.now)
        }
        pair.wait(37)
      }
      expect(pair.events(pair.client, 'rekeyed').length).toBeGreaterThanOrEqual(5)
      expect(pair.watch.seals - before).toBeGreaterThan(1000)
    }
  })

  it('C2 the watch itself: a key that is rolled back is caught at its first packet', () => {
    const watch = new NonceWatch(noble)
    const options = { cipher: 'AES-256-GCM', peerId: 1, crypto: watch.provider } as const
    const first = channelPair(options).client
    sealed(first, Uint8Array.of(1))
    sealed(first, Uint8Array.of(1))
    const rolledBack = channelPair(options).client
    expect(() => sealed(rolledBack, Uint8Array.of(2))).toThrow('used twice')
  })

  it('C5 usage and failures at their limits, one below, one above, in a session: warned in time, then stopped', () => {
    const limit = 2 ** 36 - 1
    const warning = Math.floor(limit / 8) * 7
    const cost = Math.ceil(100 / 16) + 1
    const start = (counterStart: object): ReturnType<typeof connectPair> =>
      connectPair({ crypto, client: { counterStart, dataCiphers: ['AES-256-GCM'] }, server: { push: { options: [] } } })
    const below = start({ sendUsage: warning - cost - 1 })
    expect(below.client.session.send(ipPacket(1), below.now)).toBe(true)
    expect(below.client.session.pollTimeout()).toBeGreaterThan(below.now)
    const at = start({ sendUsage: warning - cost })
    expect(at.client.session.send(ipPacket(1), at.now)).toBe(true)
    expect([at.client.session.pendingTimer, at.client.session.pollTimeout()]).toEqual(['reneg-sec', at.now])
    const last = start({ sendUsage: limit - cost })
    expect([1, 2].map((mark) => last.client.session.send(ipPacket(mark), last.now))).toEqual([true, false])
    expect(last.client.session.stats.dropped['key-exhausted']).toBe(1)

    const failing = start({ failedVerifications: 2 ** 36 - 1 })
    const { session } = failing.client
    const honest = (mark: number): Uint8Array => {
      const { session: server } = failing.server
      const buffer = new Uint8Array(server.headroom + 100 + server.tailroom)
      buffer.set(ipPacket(mark), server.headroom)
      const length = server.seal(buffer, server.headroom, 100, failing.now)
      return buffer.slice(server.resultOffset, server.resultOffset + length)
    }
    const forged = honest(1)
    forged[forged.length - 1]! ^= 1
    session.receive(honest(2), failing.now)
    session.receive(forged, failing.now)
    session.receive(honest(3), failing.now)
    const { dropped, packetsReceived } = session.stats
    expect([packetsReceived, dropped['bad-tag'], dropped['key-retired']]).toEqual([1, 1, 1])
  })
})

describe('order and floods', () => {
  it('C4 a stream out of order: the window judges as over UDP, a replay is dropped, the connection stays', () => {
    const pair = connectPair({ crypto, transport: 'tcp' })
    const { session: client } = pair.client
    const records = Array.from({ length: 70 }, (_, mark) => {
      const buffer = new Uint8Array(client.headroom + 100 + client.tailroom)
      buffer.set(ipPacket(mark), client.headroom)
      const length = client.seal(buffer, client.headroom, 100, pair.now)
      return buffer.slice(client.resultOffset, client.resultOffset + length)
    })
    const { session: server } = pair.server
    const table = [
      [1, 'packet'],
      [3, 'packet'], // a gap
      [2, 'packet'], // late
      [2, 'replayed'],
      [3, 'replayed'],
      [69, 'packet'],
      [5, 'too-old'],
      [6, 'packet'],
    ] as const
    for (const [index, expected] of table) {
      const { dropped, packetsReceived } = structuredClone(server.stats)
      server.receive(records[index]!, pair.now)
      if (expected === 'packet') expect(server.stats.packetsReceived, String(index)).toBe(packetsReceived + 1)
      else expect(server.stats.dropped[expected], String(index)).toBe(dropped[expected] + 1)
      expect(server.state).toBe('connected')
    }
  })

  it('C13 a flood of forgeries: one count each, no output, no timer, nothing kept, and honest packets pass', () => {
    const pair = connectPair({ crypto: noble, watch: false })
    const { session: client } = pair.client
    const { session: server } = pair.server
    const seal = (mark: number): Uint8Array => {
      const buffer = new Uint8Array(client.headroom + 1400 + client.tailroom)
      buffer.set(ipPacket(mark, 1400), client.headroom)
      const length = client.seal(buffer, client.headroom, 1400, pair.now)
      return buffer.slice(client.resultOffset, client.resultOffset + length)
    }
    const random = new SeededRandom('flood')
    const count = scaled(5000, 500_000)
    const template = seal(0)
    const state = JSON.stringify(server.digest())
    const deadline = server.pollTimeout()
    for (let i = 0; i < count; i++) {
      template[12 + random.below(template.length - 12)]! ^= 1 + random.below(255)
      server.receive(template, pair.now)
      if (i % 512 === 0) expect(server.poll()).toBeUndefined()
    }
    expect(server.poll()).toBeUndefined()
    expect([JSON.stringify(server.digest()), server.pollTimeout()]).toEqual([state, deadline])
    expect(server.stats.dropped['bad-tag']).toBe(count)
    expect(server.stats.packetsReceived).toBe(0)
    for (let mark = 1; mark <= 20; mark++) server.receive(seal(mark), pair.now)
    expect(server.stats.packetsReceived).toBe(20)
  })
})

describe('CBC with HMAC', () => {
  /** A provider that counts decryptions. */
  function counting(): { readonly provider: CryptoProvider; readonly decryptions: () => number } {
    let count = 0
    const createCbc: CryptoProvider['createCbc'] = (algorithm, key): Cbc | undefined => {
      const cbc = noble.createCbc(algorithm, key)
      if (cbc === undefined) return undefined
      return {
        algorithm,
        blockLength: cbc.blockLength,
        encrypt: (...args) => {
          cbc.encrypt(...args)
        },
        decrypt: (...args) => {
          count++
          cbc.decrypt(...args)
        },
      }
    }
    return { provider: { ...noble, createCbc }, decryptions: () => count }
  }

  it('C8 no padding oracle: without the key nothing is decrypted, whatever the last byte; with it only right padding passes', () => {
    const { provider, decryptions } = counting()
    const keys = testKeys(1)
    const { server } = channelPair({ cipher: 'AES-128-CBC', auth: 'SHA256', crypto: provider })
    const random = new SeededRandom('padding')
    const cbc = noble.createCbc('AES-128-CBC', keys.client.send.cipher.subarray(0, 16))
    const counts = new Map<string, number>()
    let id = 0
    let shouldPass = 0
    for (let blocks = 1; blocks <= 4; blocks++) {
      for (let last = 0; last < 256; last++) {
        for (const consistent of [true, false]) {
          // header, HMAC, IV, then id and padding as the attacker likes.
          const body = 49
          const datagram = random.bytes(body + 16 * blocks)
          datagram[0] = 6 << 3
          id++
          datagram.set([id >> 24, id >> 16, id >> 8, id], body)
          const end = datagram.length
          datagram[end - 1] = last
          if (consistent && last >= 1 && last <= 16) datagram.fill(last, Math.max(body + 4, end - last), end)
          else if (last > 1 && last <= 16) datagram[end - 2] = last ^ 0x80
          const isRight = last >= 1 && last <= 16 && datagram.subarray(end - last).every((byte) => byte === last)
          const passes = isRight && end - last > body + 4
          cbc?.encrypt(datagram, body, 16 * blocks, datagram, 33)
          const mac = noble.createHmac('SHA256', keys.client.send.hmac.subarray(0, 32)).update(datagram, 33, end)
          const before = decryptions()
          expect(opened(server, datagram)).toBe(DataCode.BAD_TAG)
          expect(decryptions()).toBe(before)
          mac.finishInto(datagram, 1)
          const result = opened(server, datagram)
          expect(decryptions()).toBe(before + 1)
          const word = typeof result === 'number' ? dataReason(result) : 'passed'
          if ((word === 'passed') !== passes) expect.fail(`${blocks} blocks, last byte ${last}: ${word}`)
          counts.set(word, (counts.get(word) ?? 0) + 1)
          if (passes) shouldPass++
        }
      }
    }
    expect(counts.get('passed')).toBe(shouldPass)
    expect(shouldPass).toBeGreaterThan(40)
    expect(counts.get('bad-padding')).toBeGreaterThan(1800)
    expect([...counts.keys()].sort()).toEqual(['bad-padding', 'passed', 'too-short'])
  })
})

describe('what lies inside', () => {
  const word = (type: number, sequence: number, number: number, quarters: number): number =>
    (type | (sequence << 2) | (number << 10) | (quarters << 15)) >>> 0

  it('C10 CVE-2023-46849 hostile fragments: sizes of 0 and 2^16, overlaps, gaps, wraps: refused or forgotten, memory bounded', () => {
    const largest = 1500
    const reassembler = new Reassembler(largest)
    const feed = (header: number, data: Uint8Array, now: number): number => {
      const buffer = new Uint8Array(4 + data.length)
      new DataView(buffer.buffer).setUint32(0, header)
      buffer.set(data, 4)
      return reassembler.unwrap(buffer, 0, buffer.length, now)
    }
    const eight = new Uint8Array(8).fill(1)
    expect(feed(word(2, 1, 0, 0), eight, 0)).toBe(DataCode.BAD_FRAGMENT) // size 0
    expect(feed(word(2, 1, 31, 0x3fff), eight, 0)).toBe(DataCode.BAD_FRAGMENT) // beyond the largest packet
    expect(feed(word(1, 1, 0, 0), new Uint8Array(6), 0)).toBe(DataCode.BAD_FRAGMENT) // no multiple of 4
    expect(feed(word(1, 1, 0, 0), new Uint8Array(0), 0)).toBe(DataCode.BAD_FRAGMENT) // empty
    expect(feed(word(1, 1, 0, 0), eight, 0)).toBe(DataCode.FRAGMENT_STORED)
    expect(feed(word(1, 1, 0, 0), eight, 0)).toBe(DataCode.DUPLICATE_FRAGMENT)
    expect(feed(word(2, 1, 0, 2), eight, 0)).toBe(DataCode.DUPLICATE_FRAGMENT) // the last one overlaps it
    expect(feed(word(2, 1, 2, 2), eight, 0)).toBe(DataCode.FRAGMENT_STORED) // the middle is missing
    expect(feed(word(1, 1, 1, 0), eight, 30_000)).toBe(DataCode.FRAGMENT_STORED) // too late: the others are gone
    expect(reassembler.abandoned).toBe(1)
    expect(feed(word(1, 255, 0, 0), eight, 30_000)).toBe(DataCode.FRAGMENT_STORED)
    expect(feed(word(1, 0, 0, 0), eight, 30_000)).toBe(DataCode.FRAGMENT_STORED) // the ids wrap
    expect(feed(word(2, 255, 1, 2), eight, 30_000)).toBe(16)
    expect(feed(word(2, 0, 1, 2), eight, 30_000)).toBe(16)

    const random = new SeededRandom('fragments')
    const hosts = new Set<ArrayBufferLike>()
    let complete = 0
    let now = 40_000
    for (let i = 0; i < scaled(100_000, 3_000_000); i++) {
      const size = random.pick([0, 4, 8, 8, 8, 12, 1400])
      const header = word(random.below(4), random.below(30), random.below(3), random.pick([0, 1, 2, 2, 2, 0x3fff]))
      const result = feed(header, new Uint8Array(size), (now += random.below(20)))
      if (result > largest) expect.fail(`${result} bytes`)
      if (result < 0 || (header & 3) === 0) continue
      complete++
      hosts.add(reassembler.resultBuffer.buffer)
    }
    expect(complete).toBeGreaterThan(1000)
    expect(hosts.size).toBeLessThanOrEqual(25)
  })

  it('C11 CVE-2017-7508 every header length and option against mssfix: nothing beside MSS and checksum changes, nothing throws', () => {
    const random = new SeededRandom('mss')
    const margin = 16
    const buffer = new Uint8Array(160)
    let changed = 0
    let tried = 0
    const probe = (length: number): void => {
      const before = buffer.slice()
      const did = clampMss(buffer, margin, length, 1000)
      const differing = before.reduce((count, byte, at) => count + (byte === buffer[at] ? 0 : 1), 0)
      if (differing > 4 || (!did && differing > 0)) expect.fail(`${differing} bytes changed`)
      if (before.slice(0, margin).some((byte, at) => byte !== buffer[at])) expect.fail('in front of the packet')
      if (before.slice(margin + length).some((byte, at) => byte !== buffer[margin + length + at]))
        expect.fail('behind it')
      if (did) changed++
      if (clampMss(buffer, margin, length, 1000)) expect.fail('not idempotent')
      tried++
    }
    for (let ihl = 0; ihl < 16; ihl++) {
      for (let offset = 0; offset < 16; offset++) {
        for (let kind = 0; kind < 256; kind += kind < 8 ? 1 : 31) {
          for (const size of [0, 1, 2, 3, 4, 5, 40, 255]) {
            for (const version of [4, 6]) {
              buffer.set(random.bytes(buffer.length))
              const header = version === 4 ? 4 * ihl : 40
              buffer[margin] = (version << 4) | ihl
              buffer[margin + (version === 4 ? 9 : 6)] = 6
              if (version === 4) buffer.fill(0, margin + 6, margin + 8)
              const tcp = margin + Math.min(header, 60)
              buffer[tcp + 12] = offset << 4
              buffer[tcp + 13] = 2
              buffer.set([kind, size, 0x20, 0x20], tcp + 20 + random.below(3))
              buffer.set([2, 4, 0x20, 0x20], tcp + 24 + random.below(6))
              probe(random.int(0, 120))
            }
          }
        }
      }
    }
    expect(tried).toBeGreaterThan(60_000)
    expect(changed).toBeGreaterThan(200)
  })

  it('C6 CVE-2025-15497 a jump of exactly the look-ahead, from many epochs, is taken; one more is not; forged ones move nothing', () => {
    for (const epoch of [1, 2, 100, 1000]) {
      for (const jump of [1, 15, 16, 17, 18]) {
        const options = { cipher: 'AES-128-GCM', epoch: true, peerId: 1 } as const
        const { server } = channelPair({ ...options, counterStart: { epoch } })
        const { client } = channelPair({ ...options, counterStart: { epoch: epoch + jump } })
        const datagram = sealed(client, Uint8Array.of(1, 2))
        const forged = datagram.slice()
        forged[forged.length - 1]! ^= 1
        expect(opened(server, forged)).toBe(jump <= 16 ? DataCode.BAD_TAG : DataCode.WRONG_EPOCH)
        if (jump <= 16) expect(opened(server, datagram)).toEqual(Uint8Array.of(1, 2))
        else expect(opened(server, datagram)).toBe(DataCode.WRONG_EPOCH)
      }
    }
  })
})
