import { describe, expect, it } from 'vitest'
import { InvariantError, UsageError } from '../../../src/bytes/index.ts'
import { noble } from '../../../src/crypto/index.ts'
import {
  type ControlPacket,
  cookiePacketProblem,
  cookieSlotLength,
  DYNAMIC_KEY_LABEL,
  EARLY_NEGOTIATION_START,
  mixDynamicKey,
  Opcode,
  parseResetSettings,
  ResetCookies,
  StaticKey,
  supportsEarlyNegotiation,
  writeResetSettings,
} from '../../../src/wire/index.ts'
import { SeededRandom } from '../../support/random.ts'
import { bytesOf } from '../../support/wire.ts'

const random = new SeededRandom('first packets')

describe('dynamic key', () => {
  const exported = random.bytes(256)

  it('WRAP-50 is the exporter’s bytes XOR the key in use, and mixing twice undoes it', () => {
    const base = new StaticKey(random.bytes(256))
    const before = exported.slice()
    const mixed = mixDynamicKey(exported, base)
    expect(exported).toEqual(before)
    expect(mixed.exportBytes()).not.toEqual(exported)
    expect(mixDynamicKey(mixed.exportBytes(), base).exportBytes()).toEqual(exported)
    expect(mixDynamicKey(exported, undefined).exportBytes()).toEqual(exported)
    const half = mixDynamicKey(exported, new StaticKey(base.exportBytes().subarray(0, 128))).exportBytes()
    expect(half.slice(0, 128)).toEqual(mixed.exportBytes().slice(0, 128))
    expect(half.slice(128)).toEqual(exported.slice(128))
    expect(() => mixDynamicKey(exported.subarray(1), base)).toThrow(InvariantError)
  })

  it('WRAP-51 has the reference’s label', () => {
    expect(DYNAMIC_KEY_LABEL).toBe('EXPORTER-OpenVPN-dynamic-tls-crypt')
  })
})

describe('early negotiation', () => {
  it('WRAP-60, WRAP-61 the mark is the low half of the top byte', () => {
    expect(supportsEarlyNegotiation(EARLY_NEGOTIATION_START + 1)).toBe(true)
    expect(supportsEarlyNegotiation(0x0fffffff)).toBe(true)
    expect(supportsEarlyNegotiation(0xff000001)).toBe(true)
    for (const id of [0, 1, 0x0e000001, 0x07000001, 0x10000001, 0xf0000001]) {
      expect(supportsEarlyNegotiation(id)).toBe(false)
    }
  })

  it('WRAP-62 asks with six bytes or with none', () => {
    expect(writeResetSettings({ resendWrappedKey: true })).toEqual(bytesOf('000100020001'))
    expect(writeResetSettings({ resendWrappedKey: false })).toEqual(new Uint8Array(0))
    for (const resendWrappedKey of [true, false]) {
      expect(parseResetSettings(writeResetSettings({ resendWrappedKey }))).toEqual({ resendWrappedKey })
    }
  })

  it('WRAP-63 skips unknown settings and unknown flags', () => {
    for (const [hex, resendWrappedKey] of [
      ['', false],
      ['00020000', false],
      ['ffff0003aabbcc000100020001', true],
      ['000100020001ffff0000', true],
      ['00010002fffe', false],
      ['00010002ffff', true],
      ['000100020001000100020000', true],
    ] as const) {
      expect(parseResetSettings(bytesOf(hex)), hex).toEqual({ resendWrappedKey })
    }
  })

  it('WRAP-64 refuses settings that do not parse', () => {
    for (const hex of ['00', '0001', '000100', '0001000200', '00010001aa', '00010003aabbcc', '000100020001ff']) {
      expect(parseResetSettings(bytesOf(hex)), hex).toBe('early-negotiation-malformed')
    }
  })
})

describe('reset cookies', () => {
  const cookies = new ResetCookies(noble, random.bytes(32), 30_000)
  const client = random.bytes(8)
  const from = 'udp4 198.51.100.4:4000'

  it('WRAP-70 the secret has at least 16 bytes', () => {
    expect(() => new ResetCookies(noble, new Uint8Array(15), 30_000)).toThrow(UsageError)
  })

  it('WRAP-72 a slot is half the hand-window in whole seconds', () => {
    expect([60_000, 59_000, 30_000, 1000, 0, 61_000].map(cookieSlotLength)).toEqual([
      30_000, 30_000, 15_000, 1000, 1000, 31_000,
    ])
  })

  it('WRAP-73 a cookie is the same within its slot and good until the end of the second after', () => {
    for (const start of [0, 30_000, 90_000, 1_767_225_600_000]) {
      const cookie = cookies.make(from, client, start)
      expect(cookies.make(from, client, start + 29_999)).toEqual(cookie)
      expect(cookies.make(from, client, start + 30_000)).not.toEqual(cookie)
      expect(
        [0, 29_999, 30_000, 89_999, 90_000, 120_000, 180_000].map((age) =>
          cookies.check(from, client, cookie, start + age),
        ),
      ).toEqual([true, true, true, true, false, false, false])
      expect(cookies.check(from, client, cookie, start - 1)).toBe(false)
    }
  })

  it('WRAP-73 a clock that has just begun knows no slot before it', () => {
    for (let low = 0; low < 256; low++) {
      const forged = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, low)
      for (const now of [0, 29_999, 30_000, 60_000]) expect(cookies.check(from, client, forged, now)).toBe(false)
    }
  })

  it('WRAP-71, WRAP-74 another address, port, client, secret or any flipped bit is refused', () => {
    const cookie = cookies.make(from, client, 0)
    for (const address of ['udp4 198.51.100.4:4001', 'udp4 198.51.100.5:4000', 'udp6 198.51.100.4:4000', '']) {
      expect(cookies.check(address, client, cookie, 0)).toBe(false)
    }
    expect(cookies.check(from, random.bytes(8), cookie, 0)).toBe(false)
    expect(new ResetCookies(noble, random.bytes(32), 30_000).check(from, client, cookie, 0)).toBe(false)
    for (let bit = 0; bit < 64; bit++) {
      const flipped = cookie.slice()
      flipped[bit >> 3] = flipped[bit >> 3]! ^ (1 << (bit & 7))
      expect(cookies.check(from, client, flipped, 65_000)).toBe(false)
    }
    expect(cookies.check(from, client, cookie.subarray(0, 7), 0)).toBe(false)
    expect(cookies.check(from, client, cookie, 65_000)).toBe(true)
  })

  it('WRAP-75 is never all zero', () => {
    for (let i = 0; i < 200; i++) expect(cookies.make(from, random.bytes(8), 30_000 * i)[0]! & 1).toBe(1)
  })

  it('WRAP-76, WRAP-77 only the first packets of a handshake can bring one', () => {
    const good: ControlPacket = {
      opcode: Opcode.CONTROL_V1,
      keyId: 0,
      sessionId: client,
      acks: [0],
      peerSessionId: cookies.make(from, client, 0),
      packetId: 1,
      payload: new Uint8Array(0),
    }
    for (let opcode = 0; opcode < 32; opcode++) {
      const expected = opcode === 4 || opcode === 5 || opcode === 11 ? undefined : 'cookie-missing'
      const packetId = opcode === 5 ? undefined : 1
      expect(cookiePacketProblem({ ...good, opcode, packetId }), String(opcode)).toBe(expected)
    }
    for (const packetId of [0, 1]) expect(cookiePacketProblem({ ...good, packetId })).toBeUndefined()
    for (const packetId of [2, 0x80000000, 0xffffffff]) {
      expect(cookiePacketProblem({ ...good, packetId })).toBe('cookie-missing')
      expect(cookiePacketProblem({ ...good, acks: [packetId] })).toBe('cookie-missing')
      expect(cookiePacketProblem({ ...good, acks: [0, packetId] })).toBe('cookie-missing')
    }
    for (let keyId = 1; keyId < 8; keyId++) expect(cookiePacketProblem({ ...good, keyId })).toBe('cookie-missing')
    const { opcode, keyId, sessionId, packetId, payload } = good
    expect(cookiePacketProblem({ opcode, keyId, sessionId, packetId, payload, acks: [] })).toBe('cookie-missing')
    expect(cookies.packetProblem(good, from, 0)).toBeUndefined()
    expect(cookies.packetProblem(good, from, 90_000)).toBe('cookie-invalid')
    expect(cookies.packetProblem({ ...good, keyId: 1 }, from, 0)).toBe('cookie-missing')
    expect(cookies.packetProblem({ ...good, sessionId: random.bytes(8) }, from, 0)).toBe('cookie-invalid')
  })
})
