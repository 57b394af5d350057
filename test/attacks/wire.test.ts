/**
 * Known attacks on the first packets and the control wraps, one test each: what happened elsewhere, and that it does not
 * happen here. The letters are those of the threat table in the security notes.
 */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { concat } from '../../src/bytes/index.ts'
import { type CryptoProvider, noble } from '../../src/crypto/index.ts'
import { ReplayWindow } from '../../src/reliability/index.ts'
import {
  type ControlPacket,
  type ControlWrap,
  createTlsAuthKeys,
  createTlsCryptKeys,
  createTlsCryptV2Wrapper,
  generateStaticKey,
  isWireProblem,
  MAX_CONTROL_PACKET,
  mixDynamicKey,
  Opcode,
  opcodeProblem,
  parseClientKeyMetadata,
  parseControlPlain,
  parseDataHeader,
  parseResetSettings,
  plainWrap,
  ResetCookies,
  splitWrappedKey,
  StreamFramer,
  TlsCryptV2ServerKey,
  TRANSPORT_OVERHEAD,
  writeFrame,
} from '../../src/wire/index.ts'
import { SeededRandom } from '../support/random.ts'
import { scaled } from '../support/scale.ts'
import { goldenPackets } from '../support/wire.ts'

const random = new SeededRandom('wire attacks')
const key = generateStaticKey(random.source)
const message: ControlPacket = {
  opcode: Opcode.CONTROL_V1,
  keyId: 0,
  sessionId: random.bytes(8),
  acks: [0],
  peerSessionId: random.bytes(8),
  packetId: 1,
  payload: random.bytes(60),
}

/** The three wraps as a server has them. */
function receivers(crypto: CryptoProvider = noble): ControlWrap[] {
  return [plainWrap, createTlsAuthKeys(crypto, key, 0, 'SHA1'), createTlsCryptKeys(crypto, key, 'server')]
}

/** A provider that counts how often a MAC was finished. */
function countingProvider(): { crypto: CryptoProvider; macs: () => number } {
  let macs = 0
  const crypto: CryptoProvider = Object.create(noble, {
    createHmac: {
      value: (...args: Parameters<CryptoProvider['createHmac']>) => {
        const inner = noble.createHmac(...args)
        const outer = {
          length: inner.length,
          update: (...parts: Parameters<typeof inner.update>) => {
            inner.update(...parts)
            return outer
          },
          finish: () => {
            macs++
            return inner.finish()
          },
          finishInto: (out: Uint8Array, offset: number) => {
            macs++
            inner.finishInto(out, offset)
          },
        }
        return outer
      },
    },
  })
  return { crypto, macs: () => macs }
}

describe('first packets', () => {
  it('A1 truncated control packets (CVE-2014-8104 class): every prefix of every packet is refused or plain', () => {
    let accepted = 0
    let refused = 0
    for (const { wrap, bytes } of goldenPackets()) {
      for (let length = 0; length < bytes.length; length++) {
        const result = wrap.open(bytes.subarray(0, length))
        if (isWireProblem(result)) refused++
        else if (wrap.type !== 'none') accepted++
      }
    }
    expect(accepted).toBe(0)
    expect(refused).toBeGreaterThan(3000)
    for (let length = 0; length < 40; length++) {
      expect(typeof parseResetSettings(random.bytes(length))).toMatch(/string|object/u)
      expect(typeof parseDataHeader(random.bytes(length))).toMatch(/string|object/u)
      expect(splitWrappedKey(random.bytes(length))).toBe('too-short')
    }
  })

  it('A2 oversized control packets (CVE-2017-7478): refused before any key is used', () => {
    const { crypto, macs } = countingProvider()
    for (const wrap of receivers(crypto)) {
      for (const length of [MAX_CONTROL_PACKET + 1, 4096, 65_507, 65_535]) {
        for (const opcode of [3, 4, 5, 7, 8]) {
          const bytes = random.bytes(length)
          bytes[0] = opcode << 3
          expect(wrap.open(bytes)).toBe('too-long')
        }
      }
    }
    expect(macs()).toBe(0)
    const cap = random.bytes(MAX_CONTROL_PACKET)
    cap[0] = 0x20
    expect(
      receivers(crypto)
        .map((wrap) => wrap.open(cap))
        .slice(1),
    ).toEqual(['tls-auth-mismatch', 'tls-crypt-mismatch'])
    expect(macs()).toBe(2)
  })

  it('A3 forged reset cookies (CVE-2025-13086): none of them is accepted', () => {
    const cookies = new ResetCookies(noble, random.bytes(32), 30_000)
    const client = random.bytes(8)
    const count = scaled(20_000, 1_000_000)
    let accepted = 0
    for (let i = 0; i < count; i++) {
      if (cookies.check('udp4 192.0.2.1:1', client, random.bytes(8), random.int(0, 1e9))) accepted++
    }
    expect(accepted).toBe(0)
    const addresses = [
      'udp4 192.0.2.1:1',
      'udp4 192.0.2.1:2',
      'udp4 192.0.2.2:1',
      'udp6 [::ffff:192.0.2.1]:1',
      'tcp4 192.0.2.1:1',
    ]
    let good = 0
    let tried = 0
    for (const made of addresses) {
      for (const used of addresses) {
        for (let slot = -4; slot <= 4; slot++) {
          const cookie = cookies.make(made, client, 600_000)
          const now = 600_000 + 30_000 * slot
          const verdict = cookies.check(used, client, cookie, now)
          expect(verdict, `${made} ${used} ${slot}`).toBe(made === used && slot >= 0 && slot <= 2)
          if (verdict) good++
          tried++
        }
      }
    }
    expect([good, tried]).toEqual([15, 225])
  })

  it('A4 later packets open no session: only ids 0 and 1 under key id 0 may prove an address', () => {
    const cookies = new ResetCookies(noble, random.bytes(32), 30_000)
    const from = 'udp4 192.0.2.9:9'
    const good = { ...message, peerSessionId: cookies.make(from, message.sessionId, 0) }
    let accepted = 0
    for (let opcode = 0; opcode < 32; opcode++) {
      for (const packetId of [0, 1, 2, 2 ** 31, 2 ** 32 - 1]) {
        for (const acked of [0, 1, 2, 2 ** 31, 2 ** 32 - 1]) {
          for (const keyId of [0, 1, 7]) {
            const early = [4, 11, 5].includes(opcode) && packetId <= 1 && acked <= 1 && keyId === 0
            const verdict = cookies.packetProblem({ ...good, opcode, packetId, keyId, acks: [acked] }, from, 0)
            expect(verdict).toBe(early ? undefined : 'cookie-missing')
            if (verdict === undefined) accepted++
          }
        }
      }
    }
    expect(accepted).toBe(3 * 2 * 2)
  })

  it('A5 reflection: no answer is more than 1.3 times its request on the wire', () => {
    const reset: ControlPacket = {
      opcode: 7,
      keyId: 0,
      sessionId: random.bytes(8),
      acks: [],
      packetId: 0,
      payload: new Uint8Array(0),
    }
    const answer = { ...reset, opcode: 8, acks: [0], peerSessionId: reset.sessionId }
    for (const wrap of receivers()) {
      const request = wrap.seal(reset, 1, 1).length
      const reply = wrap.seal(answer, 1, 1).length
      expect((reply + TRANSPORT_OVERHEAD.udp4) / (request + TRANSPORT_OVERHEAD.udp4)).toBeLessThan(1.3)
      expect(isWireProblem(wrap.open(wrap.seal(reset, 1, 1).subarray(0, request - 1)))).toBe(true)
    }
    expect(parseControlPlain(Uint8Array.of(0x38, ...random.bytes(8)))).toBe('too-short')
  })

  it('A13 a session id of zeros is refused under every wrap, before any key is used', () => {
    const { crypto, macs } = countingProvider()
    const senders = [plainWrap, createTlsAuthKeys(noble, key, 1, 'SHA1'), createTlsCryptKeys(noble, key, 'client')]
    for (const [i, wrap] of receivers(crypto).entries()) {
      const bytes = senders[i]!.seal(message, 1, 1)
      bytes.fill(0, 1, 9)
      expect(wrap.open(bytes)).toBe('session-id-zero')
    }
    expect(macs()).toBe(0)
  })

  it('A14 opcode and role confusion: only the other role’s resets pass, and no opcode of key method 1', () => {
    const taken = (role: 'client' | 'server') =>
      Array.from({ length: 32 }, (_, opcode) => opcode).filter((opcode) => opcodeProblem(opcode, role) === undefined)
    expect(taken('client')).toEqual([3, 4, 5, 6, 8, 9])
    expect(taken('server')).toEqual([3, 4, 5, 6, 7, 9, 10, 11])
  })

  it('A15 hostile TCP framing: bad lengths end the stream, a slow sender costs one frame at most', () => {
    for (const [frame, problem] of [
      [Uint8Array.of(0, 0), 'frame-length'],
      [Uint8Array.of(0x10, 0), 'frame-length'],
      [writeFrame(random.bytes(2000)), undefined],
    ] as const) {
      for (let cut = 0; cut <= frame.length; cut += frame.length > 10 ? 37 : 1) {
        const framer = new StreamFramer(2048)
        let packets = 0
        for (const piece of [frame.slice(0, cut), frame.slice(cut), Uint8Array.of(0, 1, 7)]) {
          framer.push(piece)
          while (framer.next() !== undefined) packets++
        }
        expect(framer.problem).toBe(problem)
        expect(packets).toBe(problem === undefined ? 2 : 0)
      }
    }
    const slow = new StreamFramer(2048)
    let most = 0
    for (let i = 0; i < 2000; i++) {
      slow.push(Uint8Array.of(i === 0 ? 8 : 0))
      expect(slow.next()).toBeUndefined()
      most = Math.max(most, slow.retainedBytes)
    }
    expect(most).toBeLessThanOrEqual(2050)
  })

  it('A18 misaligned input: packets inside a larger dirty buffer read the same, and nothing around them is touched', () => {
    let opened = 0
    for (const { name, wrap, bytes, packet } of goldenPackets()) {
      for (let offset = 1; offset <= 15; offset++) {
        const arena = random.bytes(bytes.length + 40)
        arena.set(bytes, offset)
        const before = arena.slice()
        const result = wrap.open(arena.subarray(offset, offset + bytes.length))
        expect(typeof result === 'string' ? result : result.packet, name).toEqual(packet)
        expect(arena).toEqual(before)
        opened++
      }
    }
    expect(opened).toBe(40 * 15)
  })
})

describe('wraps', () => {
  it('A7 length of a wrapped key (CVE-2026-35058): whatever byte a key begins with, the right bytes are taken', () => {
    const wrapper = createTlsCryptV2Wrapper(noble, new TlsCryptV2ServerKey(random.bytes(128)))
    const leading = new Set<number>()
    for (let i = 0; leading.size < 256 && i < 20_000; i++) {
      const clientKey = generateStaticKey(random.source)
      const wrapped = wrapper.wrap(clientKey)
      if (leading.has(wrapped[0]!)) continue
      leading.add(wrapped[0]!)
      for (const opcode of [10, 11]) {
        const { peerSessionId, ...rest } = message
        const packet = { ...rest, opcode, acks: [0], ...(peerSessionId === undefined ? {} : { peerSessionId }) }
        const datagram = concat(createTlsCryptKeys(noble, clientKey, 'client').seal(packet, 1, 1), wrapped)
        const parts = splitWrappedKey(datagram)
        if (isWireProblem(parts)) throw new Error(parts)
        const unwrapped = wrapper.unwrap(parts.wrappedKey)
        if (isWireProblem(unwrapped)) throw new Error(unwrapped)
        expect(createTlsCryptKeys(noble, unwrapped.key, 'server').open(parts.packet)).toMatchObject({ packet })
      }
    }
    expect(leading.size).toBe(256)
  })

  it('A9 metadata of every type and length is read without harm', () => {
    let read = 0
    for (let type = 0; type < 256; type++) {
      for (const length of [0, 1, 7, 8, 9, 100, 733, 734]) {
        const metadata = parseClientKeyMetadata(Uint8Array.of(type, ...new Uint8Array(length)))
        const expected = type === 0 ? 'user' : type === 1 && length === 8 ? 'timestamp' : 'other'
        expect(metadata.type).toBe(expected)
        read++
      }
    }
    expect(read).toBe(256 * 8)
  })

  it('A11 secrets are compared in constant time only (CVE-2013-2061)', () => {
    for (const name of ['tls-auth', 'tls-crypt', 'tls-crypt-v2', 'reset-cookie']) {
      const source = readFileSync(new URL(`../../src/wire/${name}.ts`, import.meta.url), 'utf8')
      expect(source.match(/equalRangeConstantTime\(/gu)?.length, name).toBe(1)
      expect(source, name).not.toMatch(/equalBytes|compareBytes|toHex|\.every\(\(byte|toString\(/u)
    }
  })

  it('A12 replayed, reordered and forged packets: each honest packet counts once and no forgery moves the window', () => {
    for (const [sender, receiver] of [
      [createTlsAuthKeys(noble, key, 1, 'SHA256'), createTlsAuthKeys(noble, key, 0, 'SHA256')],
      [createTlsCryptKeys(noble, key, 'client'), createTlsCryptKeys(noble, key, 'server')],
    ] as const) {
      const window = new ReplayWindow()
      const wire: Uint8Array[] = []
      let honest = 0
      let replayed = 0
      let forged = 0
      const arrive = (bytes: Uint8Array, now: number): boolean => {
        const opened = receiver.open(bytes)
        if (isWireProblem(opened)) return false
        if (!window.accepts(opened.replayPacketId, opened.replayTime, now)) return false
        window.commit(opened.replayPacketId, opened.replayTime, now)
        return true
      }
      for (let i = 1; i <= 200; i++) {
        wire.push(sender.seal(message, i, 1000))
        if (i % 4 !== 0) continue
        for (const bytes of random.shuffle(wire.slice(-4))) if (arrive(bytes, i)) honest++
        for (let j = 0; j < 5; j++) if (arrive(random.pick(wire), i)) replayed++
        const before = JSON.stringify(window.snapshot(i))
        const lockOut = random.pick(wire).slice()
        lockOut.fill(0xff, lockOut.length - message.payload.length - 30)
        const future = random.pick(wire).slice()
        future.fill(0xff, sender.type === 'tls-crypt' ? 9 : 41, sender.type === 'tls-crypt' ? 17 : 49)
        if (arrive(lockOut, i) || arrive(future, i)) forged++
        expect(JSON.stringify(window.snapshot(i))).toBe(before)
      }
      expect([honest, replayed, forged]).toEqual([200, 0, 0])
      expect(arrive(sender.seal(message, 0, 1000), 300)).toBe(false)
      expect(arrive(sender.seal(message, 201, 999), 300)).toBe(false)
    }
  })

  it('A16 dynamic key (CVE-2026-13117): the old wrap, no wrap and another mix open nothing', () => {
    const exported = random.bytes(256)
    const dynamic = mixDynamicKey(exported, key)
    const server = createTlsCryptKeys(noble, dynamic, 'server')
    const soft = { ...message, opcode: Opcode.CONTROL_SOFT_RESET_V1, keyId: 1, packetId: 0 }
    const intruders: ControlWrap[] = [
      plainWrap,
      createTlsCryptKeys(noble, key, 'client'),
      createTlsCryptKeys(noble, mixDynamicKey(exported, undefined), 'client'),
      createTlsCryptKeys(noble, mixDynamicKey(random.bytes(256), key), 'client'),
      createTlsAuthKeys(noble, dynamic, 1, 'SHA256'),
      createTlsCryptKeys(noble, dynamic, 'server'),
    ]
    let refused = 0
    for (const intruder of intruders) {
      expect(server.open(intruder.seal(soft, 1, 1))).toBe('tls-crypt-mismatch')
      refused++
    }
    expect(refused).toBe(6)
    expect(createTlsCryptKeys(noble, dynamic, 'client').seal(soft, 1, 1)).toSatisfy(
      (bytes: Uint8Array) => !isWireProblem(server.open(bytes)),
    )
  })
})
