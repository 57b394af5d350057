import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { concat, ConfigError, toHex } from '../../../src/bytes/index.ts'
import { HASH_LENGTH, type HashName, noble } from '../../../src/crypto/index.ts'
import {
  type ControlPacket,
  createTlsAuthKeys,
  createTlsCryptKeys,
  openTlsAuth,
  openTlsCrypt,
  Opcode,
  sealTlsAuth,
  sealTlsCrypt,
  StaticKey,
  TLS_CRYPT_OVERHEAD,
  writeControlPlain,
} from '../../../src/wire/index.ts'
import { SeededRandom } from '../../support/random.ts'

const random = new SeededRandom('wraps')
const keyBytes = random.bytes(256)
const key = new StaticKey(keyBytes)
const packet: ControlPacket = {
  opcode: Opcode.CONTROL_V1,
  keyId: 0,
  sessionId: random.bytes(8),
  acks: [3, 2],
  peerSessionId: random.bytes(8),
  packetId: 4,
  payload: random.bytes(120),
}
const hashes = Object.keys(HASH_LENGTH) as HashName[]

/** What a client seals over any bytes at all as body, with replay id 7 and time 8. */
function rawTlsCrypt(header: Uint8Array, body: Uint8Array): Uint8Array {
  const clear = concat(header, Uint8Array.of(0, 0, 0, 7, 0, 0, 0, 8))
  const tag = noble.createHmac('SHA256', keyBytes.subarray(192, 224)).update(clear).update(body).finish()
  const hidden = body.slice()
  noble.createCtr(keyBytes.subarray(128, 160)).apply(hidden, 0, hidden.length, tag.slice(0, 16))
  return concat(clear, tag, hidden)
}

describe('tls-auth', () => {
  it('WRAP-10 adds the digest and eight bytes', () => {
    const plain = writeControlPlain(packet).length
    for (const hash of hashes) {
      const keys = createTlsAuthKeys(noble, key, 0, hash)
      expect(keys.overhead).toBe(HASH_LENGTH[hash] + 8)
      expect(sealTlsAuth(keys, packet, 1, 2).length).toBe(plain + keys.overhead)
    }
  })

  it('WRAP-11 a swap of replay id and time, or of header and body, is not the same packet', () => {
    const server = createTlsAuthKeys(noble, key, 0, 'SHA256')
    const client = createTlsAuthKeys(noble, key, 1, 'SHA256')
    const bytes = sealTlsAuth(client, packet, 0x01010101, 0x02020202)
    expect(openTlsAuth(server, bytes)).toEqual({ packet, replayPacketId: 0x01010101, replayTime: 0x02020202 })
    const swapped = bytes.slice()
    swapped.set(bytes.subarray(41, 45), 45)
    swapped.set(bytes.subarray(45, 49), 41)
    expect(openTlsAuth(server, swapped)).toBe('tls-auth-mismatch')
  })

  it('WRAP-12 ends with matching directions understand each other, others and other digests do not', () => {
    const directions = [0, 1, undefined] as const
    for (const send of directions) {
      for (const receive of directions) {
        for (const hash of hashes) {
          const bytes = createTlsAuthKeys(noble, key, send, 'SHA1').seal(packet, 1, 2)
          const opened = createTlsAuthKeys(noble, key, receive, hash).open(bytes)
          const sendHalf = send === 1 ? 1 : 0
          const receiveHalf = receive === 0 ? 1 : 0
          expect(typeof opened === 'object', `${send} ${receive} ${hash}`).toBe(
            sendHalf === receiveHalf && hash === 'SHA1',
          )
        }
      }
    }
  })

  it('WRAP-13 refuses a forged HMAC at every byte, all of it, and none of it', () => {
    const server = createTlsAuthKeys(noble, key, 0, 'SHA512')
    const good = createTlsAuthKeys(noble, key, 1, 'SHA512').seal(packet, 1, 2)
    let refused = 0
    for (let i = 0; i < 64; i++) {
      const bytes = good.slice()
      bytes[9 + i] = (bytes[9 + i]! + 1) & 255
      expect(server.open(bytes)).toBe('tls-auth-mismatch')
      refused++
    }
    expect(refused).toBe(64)
    expect(server.open(good.slice().fill(0, 9, 73))).toBe('tls-auth-mismatch')
    expect(typeof server.open(good)).toBe('object')
  })

  it('WRAP-14 refuses the opcodes of tls-crypt-v2', () => {
    const client = createTlsAuthKeys(noble, key, 1, 'SHA1')
    const server = createTlsAuthKeys(noble, key, 0, 'SHA1')
    for (const opcode of [10, 11]) {
      expect(server.open(client.seal({ ...packet, opcode }, 1, 2))).toBe('opcode-needs-wrapped-key')
    }
  })

  it('refuses a key too short for a direction before any byte moves', () => {
    const short = new StaticKey(keyBytes.subarray(0, 128))
    expect(() => createTlsAuthKeys(noble, short, 1, 'SHA1')).toThrow(ConfigError)
    expect(typeof createTlsAuthKeys(noble, short, undefined, 'SHA1').seal(packet, 1, 2)).toBe('object')
  })
})

describe('tls-crypt', () => {
  const server = createTlsCryptKeys(noble, key, 'server')
  const client = createTlsCryptKeys(noble, key, 'client')

  it('WRAP-21 server and client understand each other, two of a kind do not', () => {
    expect(openTlsCrypt(client, sealTlsCrypt(server, packet, 1, 2))).toEqual({
      packet,
      replayPacketId: 1,
      replayTime: 2,
    })
    expect(openTlsCrypt(server, sealTlsCrypt(client, packet, 1, 2))).toEqual({
      packet,
      replayPacketId: 1,
      replayTime: 2,
    })
    expect(openTlsCrypt(server, sealTlsCrypt(server, packet, 1, 2))).toBe('tls-crypt-mismatch')
    expect(openTlsCrypt(client, sealTlsCrypt(client, packet, 1, 2))).toBe('tls-crypt-mismatch')
  })

  it('WRAP-20 only the first 32 bytes of each slot matter', () => {
    const other = keyBytes.slice()
    for (const slot of [0, 64, 128, 192]) other.fill(0, slot + 32, slot + 64)
    const same = createTlsCryptKeys(noble, new StaticKey(other), 'server')
    expect(same.seal(packet, 1, 2)).toEqual(server.seal(packet, 1, 2))
    for (const at of [0, 31, 64, 95]) {
      const changed = keyBytes.slice()
      changed[at] = changed[at]! ^ 1
      const different = createTlsCryptKeys(noble, new StaticKey(changed), 'server')
      expect(client.open(different.seal(packet, 1, 2))).toBe('tls-crypt-mismatch')
    }
  })

  it('WRAP-23, WRAP-25 hides the body, leaves the header readable, and adds 40 bytes', () => {
    const bytes = client.seal(packet, 1, 2)
    const plain = writeControlPlain(packet)
    expect(bytes.length).toBe(plain.length + 40)
    expect(TLS_CRYPT_OVERHEAD).toBe(40)
    expect(bytes.slice(0, 9)).toEqual(plain.slice(0, 9))
    expect(toHex(bytes)).not.toContain(toHex(plain.subarray(9, 17)))
  })

  it('WRAP-24 refuses a forged tag at every byte, all of it, and none of it', () => {
    const good = client.seal(packet, 1, 2)
    let refused = 0
    for (let i = 0; i < 32; i++) {
      const bytes = good.slice()
      bytes[17 + i] = (bytes[17 + i]! + 128) & 255
      expect(server.open(bytes)).toBe('tls-crypt-mismatch')
      refused++
    }
    expect(refused).toBe(32)
    expect(server.open(good.slice().fill(0, 17, 49))).toBe('tls-crypt-mismatch')
    expect(typeof server.open(good)).toBe('object')
  })

  it('WIRE-8 opens authentic bytes that are no control packet to a reason', () => {
    const header = writeControlPlain(packet).slice(0, 9)
    const sealed = (body: Uint8Array) => rawTlsCrypt(header, body)
    expect(server.open(sealed(Uint8Array.of(9, ...random.bytes(100))))).toBe('too-many-acks')
    expect(server.open(sealed(Uint8Array.of(2, ...random.bytes(12))))).toBe('too-short')
    expect(server.open(sealed(new Uint8Array(4)))).toBe('too-short')
    expect(server.open(sealed(new Uint8Array(0)))).toBe('too-short')
    expect(server.open(sealed(Uint8Array.of(1, ...new Uint8Array(16))))).toBe('peer-session-id-zero')
    expect(server.open(sealed(new Uint8Array(5)))).toMatchObject({ packet: { packetId: 0 }, replayPacketId: 7 })
    expect(server.open(sealed(new Uint8Array(5 + 2049)))).toBe('too-long')
    expect(typeof server.open(sealed(new Uint8Array(5 + 2048)))).toBe('object')
  })

  it('needs 256 bytes', () => {
    expect(() => createTlsCryptKeys(noble, new StaticKey(keyBytes.subarray(0, 128)), 'client')).toThrow(ConfigError)
  })
})

describe('all wraps', () => {
  it('WRAP-5 show no key material when printed', () => {
    const shown = [createTlsAuthKeys(noble, key, 0, 'SHA1'), createTlsCryptKeys(noble, key, 'server')].map(
      (keys) => inspect(keys, { depth: 9 }) + JSON.stringify(keys),
    )
    for (const text of shown) expect(text).toMatch(/^\w+ \{[^[\]]*\}\{"type":"tls-(auth|crypt)"[^[\]]*\}$/u)
  })

  it('the same packet sealed twice under other replay ids gives other bytes', () => {
    const server = createTlsCryptKeys(noble, key, 'server')
    expect(server.seal(packet, 1, 2)).not.toEqual(server.seal(packet, 2, 2))
    expect(server.seal(packet, 1, 2)).toEqual(server.seal(packet, 1, 2))
  })
})
