import { describe, expect, it } from 'vitest'
import { type Cbc, type CryptoProvider, HASH_LENGTH, type Hmac, noble } from '../../../src/crypto/index.ts'
import { createDataChannel, type DataAuth, DataCode, type DataKeys } from '../../../src/data/index.ts'
import { channelPair, CBCS, opened, sealed, testKeys } from '../../support/data.ts'
import { SeededRandom } from '../../support/random.ts'

/** A CBC packet with a right HMAC over a body of our choosing: what only a holder of the key can send. */
function withBody(keys: DataKeys, body: Uint8Array, auth: DataAuth): Uint8Array {
  const iv = new SeededRandom('iv').bytes(16)
  const text = body.slice()
  noble.createCbc('AES-128-CBC', keys.send.cipher.subarray(0, 16))!.encrypt(text, 0, text.length, iv, 0)
  const mac =
    auth === 'none'
      ? new Uint8Array(0)
      : noble.createHmac(auth, keys.send.hmac.subarray(0, HASH_LENGTH[auth])).update(iv).update(text).finish()
  return Uint8Array.of(0x30, ...mac, ...iv, ...text)
}

/** A provider that writes down what is asked of it. */
function recording(calls: string[]): CryptoProvider {
  return {
    ...noble,
    name: 'recording',
    createCbc: (algorithm, key): Cbc | undefined => {
      const cbc = noble.createCbc(algorithm, key)!
      return {
        algorithm,
        blockLength: cbc.blockLength,
        encrypt: (...args) => cbc.encrypt(...args),
        decrypt: (...args) => {
          calls.push('decrypt')
          cbc.decrypt(...args)
        },
      }
    },
    createHmac: (hash, key): Hmac => {
      const hmac = noble.createHmac(hash, key)
      return {
        length: hmac.length,
        update(data, start, end) {
          hmac.update(data, start, end)
          return this
        },
        finish: () => hmac.finish(),
        finishInto: (out, offset) => {
          calls.push('mac')
          hmac.finishInto(out, offset)
        },
      }
    },
  }
}

describe('padding', () => {
  it('DATA-12 every last byte, every wrong byte: a drop, no plaintext left (DATA-29)', () => {
    const keys = testKeys(2)
    let refused = 0
    for (let last = 0; last < 256; last++) {
      for (const blocks of [1, 2]) {
        const body = new Uint8Array(16 * blocks).fill(0x77)
        body.set([0, 0, 0, 1])
        body[body.length - 1] = last
        const datagram = withBody(keys.client, body, 'SHA256')
        const server = createDataChannel({
          crypto: noble,
          cipher: 'AES-128-CBC',
          auth: 'SHA256',
          keys: keys.server,
          random: new SeededRandom(1).source,
        })
        const buffer = datagram.slice()
        const code = server.open(buffer, 0, buffer.length, 0)
        if (last === 1) {
          expect(code).toBe(16 * blocks - 5)
          continue
        }
        expect(code).toBe(DataCode.BAD_PADDING)
        expect(buffer.subarray(1 + 32 + 16).every((byte) => byte === 0)).toBe(true)
        expect(server.failedVerifications).toBe(0)
        refused++
      }
    }
    expect(refused).toBe(510)
  })

  it('DATA-12 all right paddings of a block are taken, and each is refused with one byte off', () => {
    const keys = testKeys(3)
    const server = (): ReturnType<typeof createDataChannel> =>
      createDataChannel({
        crypto: noble,
        cipher: 'AES-128-CBC',
        auth: 'SHA1',
        keys: keys.server,
        random: new SeededRandom(1).source,
      })
    for (let padding = 1; padding <= 16; padding++) {
      const body = new Uint8Array(32).fill(0x41)
      body.set([0, 0, 0, 9])
      body.fill(padding, 32 - padding)
      expect(opened(server(), withBody(keys.client, body, 'SHA1'))).toHaveProperty('length', 28 - padding)
      for (let i = 32 - padding; i < 31; i++) {
        const wrong = body.slice()
        wrong[i]! ^= 0x80
        expect(opened(server(), withBody(keys.client, wrong, 'SHA1'))).toBe(DataCode.BAD_PADDING)
      }
    }
  })

  it('DATA-5 an authentic packet whose body is no whole blocks is a drop, with and without HMAC', () => {
    for (const auth of ['SHA1', 'none'] as const) {
      const keys = testKeys(3)
      const server = createDataChannel({
        crypto: noble,
        cipher: 'AES-128-CBC',
        auth,
        keys: keys.server,
        random: new SeededRandom(1).source,
        allowInsecure: true,
      })
      const whole = withBody(keys.client, new Uint8Array(48), auth)
      const macLength = auth === 'SHA1' ? 20 : 0
      for (let length = 0; length < 48; length++) {
        if (length > 0 && length % 16 === 0) continue
        const cut = whole.slice(0, 1 + macLength + 16 + length)
        if (auth === 'SHA1') {
          const mac = noble.createHmac(auth, keys.client.send.hmac.subarray(0, 20))
          mac.update(cut, 21).finishInto(cut, 1)
        }
        expect(opened(server, cut), `${auth} ${length}`).toBe(DataCode.TOO_SHORT)
      }
    }
  })

  it('DATA-5 an authentic packet without payload is a drop', () => {
    const keys = testKeys(3)
    const server = createDataChannel({
      crypto: noble,
      cipher: 'AES-128-CBC',
      auth: 'SHA1',
      keys: keys.server,
      random: new SeededRandom(1).source,
    })
    const body = new Uint8Array(16).fill(12)
    body.set([0, 0, 0, 9])
    expect(opened(server, withBody(keys.client, body, 'SHA1'))).toBe(DataCode.TOO_SHORT)
    body.fill(16)
    expect(opened(server, withBody(keys.client, body, 'SHA1'))).toBe(DataCode.TOO_SHORT)
  })
})

describe('HMAC', () => {
  it('DATA-11 nothing is decrypted before the HMAC matches, wherever it is wrong', () => {
    const calls: string[] = []
    const { client, server } = channelPair({ crypto: recording(calls), cipher: 'AES-256-CBC', auth: 'SHA256' })
    const datagram = sealed(client, new Uint8Array(100))
    calls.length = 0
    for (let i = 1; i < datagram.length; i++) {
      const forged = datagram.slice()
      forged[i]! ^= 1 << (i % 8)
      expect(opened(server, forged)).toBe(DataCode.BAD_TAG)
    }
    expect(calls).toEqual(new Array(datagram.length - 1).fill('mac'))
    expect(server.failedVerifications).toBe(datagram.length - 1)
    calls.length = 0
    expect(opened(server, datagram)).toHaveProperty('length', 100)
    expect(calls).toEqual(['mac', 'decrypt'])
  })

  it('DATA-10 covers the IV and the ciphertext and not the header; IVs never repeat', () => {
    const { client, server } = channelPair({ cipher: 'AES-128-CBC', auth: 'SHA1', peerId: 1 })
    const datagram = sealed(client, new Uint8Array(20))
    datagram[3]! ^= 7
    expect(opened(server, datagram)).toHaveProperty('length', 20)
    const ivs = new Set<string>()
    for (let i = 0; i < 500; i++) ivs.add(sealed(client, new Uint8Array(20)).slice(24, 40).join())
    expect(ivs.size).toBe(500)
  })

  it('DATA-29 a replayed packet leaves no plaintext in the buffer', () => {
    for (const cipher of CBCS) {
      const { client, server } = channelPair({ cipher, auth: 'SHA512' })
      const datagram = sealed(client, new Uint8Array(60).fill(0x5a))
      expect(opened(server, datagram)).toHaveProperty('length', 60)
      const buffer = datagram.slice()
      expect(server.open(buffer, 0, buffer.length, 0)).toBe(DataCode.REPLAYED)
      expect(buffer.includes(0x5a, 1 + 64 + 16)).toBe(false)
    }
  })
})

describe('DATA-15 static-key mode', () => {
  const options = { cipher: 'AES-256-CBC', auth: 'SHA256' } as const

  it('carries the same time in every packet', () => {
    const { client, server } = channelPair({
      cipher: 'none',
      auth: 'SHA256',
      staticKey: { startTime: 1_700_000_000.9 },
    })
    for (let id = 1; id < 5; id++) {
      const datagram = sealed(client, Uint8Array.of(9))
      expect([...datagram.slice(32, 40)]).toEqual([0, 0, 0, id, 0x65, 0x53, 0xf1, 0])
      expect(opened(server, datagram)).toEqual(Uint8Array.of(9))
    }
  })

  it('a later start is taken, an earlier one is not', () => {
    const at = (startTime: number): ReturnType<typeof channelPair> =>
      channelPair({ ...options, staticKey: { startTime } })
    const { client, server } = at(2000)
    expect(opened(server, sealed(client, Uint8Array.of(1)))).toEqual(Uint8Array.of(1))
    expect(opened(server, sealed(at(1999).client, Uint8Array.of(2)))).toBe(DataCode.BAD_PACKET_ID)
    expect(opened(server, sealed(at(2001).client, Uint8Array.of(3)))).toEqual(Uint8Array.of(3))
    expect(opened(server, sealed(client, Uint8Array.of(4)))).toBe(DataCode.BAD_PACKET_ID)
  })

  it('ids that run out begin again a second later; in 2038 nothing happens, in 2106 sending stops', () => {
    for (const startTime of [1_700_000_000, 0x7fffffff, 0x80000000, 0xfffffffe]) {
      const { client, server } = channelPair({
        ...options,
        staticKey: { startTime },
        counterStart: { packetsSent: 0xfffffffd },
      })
      for (let i = 0; i < 5; i++) expect(opened(server, sealed(client, Uint8Array.of(i)))).toEqual(Uint8Array.of(i))
    }
    const { client } = channelPair({
      ...options,
      staticKey: { startTime: 0xffffffff },
      counterStart: { packetsSent: 0xfffffffd },
    })
    const buffer = new Uint8Array(300)
    expect(client.seal(buffer, 120, 5)).toBeGreaterThan(0)
    expect(client.seal(buffer, 120, 5)).toBeGreaterThan(0)
    expect(client.seal(buffer, 120, 5)).toBe(DataCode.KEY_EXHAUSTED)
    expect(client.seal(buffer, 120, 5)).toBe(DataCode.KEY_EXHAUSTED)
  })
})
