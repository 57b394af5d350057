/**
 * The vectors of the control wraps: computed by independent code, and caught from the reference's own program.
 */
import { describe, expect, it } from 'vitest'
import { noble } from '../../src/crypto/index.ts'
import {
  type ControlWrap,
  createTlsAuthKeys,
  createTlsCryptKeys,
  createTlsCryptV2Wrapper,
  isWireProblem,
  keySlots,
  mixDynamicKey,
  parseClientKeyMetadata,
  parseControlPlain,
  parseResetSettings,
  parseStaticKey,
  parseTlsCryptV2ClientKey,
  parseTlsCryptV2ServerKey,
  plainWrap,
  ResetCookies,
  splitWrappedKey,
  StaticKey,
  TlsCryptV2ServerKey,
  writeClientKeyMetadata,
  writeControlPlain,
  writeStaticKey,
  writeTlsCryptV2ClientKey,
  writeTlsCryptV2ServerKey,
} from '../../src/wire/index.ts'
import type { HashName } from '../../src/crypto/index.ts'
import {
  bytesOf,
  directionOf,
  packetOf,
  type PlainCase,
  type TlsAuthCase,
  tlsAuthEnds,
  type TlsCryptCase,
  tlsCryptEnds,
  wireVectors,
} from '../support/wire.ts'

describe('computed vectors', () => {
  it('WIRE-6 control packets without a wrap', () => {
    const cases = wireVectors<PlainCase>('control-plain')
    expect(cases.length).toBe(11)
    for (const vector of cases) {
      expect(writeControlPlain(packetOf(vector.packet)), vector.name).toEqual(bytesOf(vector.bytes))
      expect(parseControlPlain(bytesOf(vector.bytes)), vector.name).toEqual(packetOf(vector.packet))
    }
  })

  it('WRAP-10 tls-auth with every digest and direction', () => {
    const cases = wireVectors<TlsAuthCase>('tls-auth')
    expect(cases.length).toBe(198)
    for (const vector of cases) {
      const { sender, receiver } = tlsAuthEnds(vector)
      const packet = packetOf(vector.packet)
      const { replayPacketId, replayTime } = vector
      expect(sender.seal(packet, replayPacketId, replayTime), vector.name).toEqual(bytesOf(vector.bytes))
      expect(receiver.open(bytesOf(vector.bytes)), vector.name).toEqual({ packet, replayPacketId, replayTime })
    }
  })

  it('WRAP-22 tls-crypt in both roles', () => {
    const cases = wireVectors<TlsCryptCase>('tls-crypt')
    expect(cases.length).toBe(28)
    for (const vector of cases) {
      const { sender, receiver } = tlsCryptEnds(vector)
      const packet = packetOf(vector.packet)
      const { replayPacketId, replayTime } = vector
      expect(sender.seal(packet, replayPacketId, replayTime), vector.name).toEqual(bytesOf(vector.bytes))
      expect(receiver.open(bytesOf(vector.bytes)), vector.name).toEqual({ packet, replayPacketId, replayTime })
    }
  })

  it('WRAP-35 wrapped client keys with every kind of metadata, WRAP-41 also with a server key id', () => {
    interface Case {
      name: string
      serverKey: string
      serverKeyId?: number
      clientKey: string
      metadata: string
      bytes: string
    }
    const cases = wireVectors<Case>('wrapped-client-key')
    expect(cases.length).toBe(16)
    for (const vector of cases) {
      const serverKey = new TlsCryptV2ServerKey(bytesOf(vector.serverKey))
      const wrapper = createTlsCryptV2Wrapper(noble, serverKey, vector.serverKeyId)
      const metadata = parseClientKeyMetadata(bytesOf(vector.metadata))
      expect(writeClientKeyMetadata(metadata), vector.name).toEqual(bytesOf(vector.metadata))
      const wrapped = wrapper.wrap(new StaticKey(bytesOf(vector.clientKey)), metadata)
      expect(wrapped, vector.name).toEqual(bytesOf(vector.bytes))
      const back = wrapper.unwrap(bytesOf(vector.bytes))
      if (isWireProblem(back)) throw new Error(`${vector.name}: ${back}`)
      expect(back.metadata, vector.name).toEqual(metadata)
      expect(back.key.exportBytes(), vector.name).toEqual(bytesOf(vector.clientKey))
    }
  })

  it('WRAP-50 dynamic keys', () => {
    const cases = wireVectors<{ name: string; exported: string; base: string; mixed: string }>('dynamic-key')
    expect(cases.length).toBe(3)
    for (const vector of cases) {
      const base = vector.base === '' ? undefined : new StaticKey(bytesOf(vector.base))
      expect(mixDynamicKey(bytesOf(vector.exported), base).exportBytes(), vector.name).toEqual(bytesOf(vector.mixed))
    }
  })

  it('WRAP-71 reset cookies', () => {
    interface Case {
      secret: string
      slotLength: number
      address: string
      clientSessionId: string
      now: number
      serverSessionId: string
    }
    const cases = wireVectors<Case>('reset-cookie')
    expect(cases.length).toBe(5)
    for (const vector of cases) {
      const cookies = new ResetCookies(noble, bytesOf(vector.secret), vector.slotLength)
      const cookie = cookies.make(vector.address, bytesOf(vector.clientSessionId), vector.now)
      expect(cookie, vector.address).toEqual(bytesOf(vector.serverSessionId))
    }
  })
})

describe('from the reference', () => {
  it('WRAP-1, WRAP-30 key files made by openvpn --genkey are read, and written back as they were', () => {
    interface Case {
      name: string
      type: 'static' | 'tls-crypt-v2-server' | 'tls-crypt-v2-client'
      text: string
      bytes: string
      serverKey: string
      clientKey: string
      metadata: string
    }
    const cases = wireVectors<Case>('key-files')
    expect(cases.length).toBe(5)
    for (const vector of cases) {
      switch (vector.type) {
        case 'static': {
          const key = parseStaticKey(vector.text)
          expect(key.exportBytes()).toEqual(bytesOf(vector.bytes))
          expect(writeStaticKey(key)).toBe(vector.text)
          break
        }
        case 'tls-crypt-v2-server': {
          const key = parseTlsCryptV2ServerKey(vector.text)
          expect(key.exportBytes()).toEqual(bytesOf(vector.bytes))
          expect(writeTlsCryptV2ServerKey(key)).toBe(vector.text)
          break
        }
        case 'tls-crypt-v2-client': {
          const client = parseTlsCryptV2ClientKey(vector.text)
          expect(writeTlsCryptV2ClientKey(client)).toBe(vector.text)
          const wrapper = createTlsCryptV2Wrapper(noble, new TlsCryptV2ServerKey(bytesOf(vector.serverKey)))
          const unwrapped = wrapper.unwrap(client.wrappedKey)
          if (isWireProblem(unwrapped)) throw new Error(`${vector.name}: ${unwrapped}`)
          expect(unwrapped.key.exportBytes()).toEqual(client.key.exportBytes())
          expect(unwrapped.key.exportBytes()).toEqual(bytesOf(vector.clientKey))
          expect(unwrapped.metadata).toEqual(parseClientKeyMetadata(bytesOf(vector.metadata)))
          expect(unwrapped.metadata.type).toBe(vector.name.includes('user') ? 'user' : 'timestamp')
        }
      }
    }
  })

  interface Captured extends PlainCase {
    from: 'client' | 'server'
    args: string[]
    wrap: 'none' | 'tls-auth' | 'tls-crypt'
    key: string
    hash: HashName
    senderDirection: 0 | 1 | null
    replayPacketId: number
    replayTime: number
    wrappedKey?: string
  }

  /** The wraps of the end that sent a captured packet and of the end that opens it. */
  function endsOf(vector: Captured): { sender: ControlWrap; receiver: ControlWrap } {
    if (vector.wrap === 'none') return { sender: plainWrap, receiver: plainWrap }
    const key = new StaticKey(bytesOf(vector.key))
    if (vector.wrap === 'tls-auth') {
      const direction = directionOf(vector.senderDirection)
      const other = direction === undefined ? undefined : direction === 0 ? 1 : 0
      return {
        sender: createTlsAuthKeys(noble, key, direction, vector.hash),
        receiver: createTlsAuthKeys(noble, key, other, vector.hash),
      }
    }
    return {
      sender: createTlsCryptKeys(noble, key, vector.from),
      receiver: createTlsCryptKeys(noble, key, vector.from === 'client' ? 'server' : 'client'),
    }
  }

  const captured = wireVectors<Captured>('captured')

  it('WRAP-13, WRAP-24 packets caught from openvpn open, and sealing their content gives the same bytes', () => {
    expect(captured.length).toBe(65)
    const seen = new Set<string>()
    for (const vector of captured) {
      const datagram = bytesOf(vector.bytes)
      let bytes = datagram
      if (vector.packet.opcode >= 10) {
        const parts = splitWrappedKey(datagram)
        if (isWireProblem(parts)) throw new Error(`${vector.name}: ${parts}`)
        expect(parts.wrappedKey, vector.name).toEqual(bytesOf(vector.wrappedKey!))
        bytes = parts.packet
      }
      const { sender, receiver } = endsOf(vector)
      const packet = packetOf(vector.packet)
      const { replayPacketId, replayTime } = vector
      expect(receiver.open(bytes), vector.name).toEqual({ packet, replayPacketId, replayTime })
      expect(sender.seal(packet, replayPacketId, replayTime), vector.name).toEqual(Uint8Array.from(bytes))
      seen.add(`${vector.wrap} ${vector.packet.opcode}`)
    }
    expect([...seen].sort()).toEqual(
      [
        ...['none 4', 'none 7', 'none 8', 'tls-auth 4', 'tls-auth 7', 'tls-auth 8'],
        ...['tls-crypt 10', 'tls-crypt 11', 'tls-crypt 4', 'tls-crypt 7', 'tls-crypt 8'],
      ].sort(),
    )
  })

  it('WRAP-60, WRAP-62 the reference marks its first replay id and asks for the key again as these rules say', () => {
    const resets = captured.filter((vector) => vector.packet.opcode === 10)
    expect(resets.length).toBe(3)
    for (const vector of resets) expect(vector.replayPacketId).toBe(0x0f000001)
    const answers = captured.filter((vector) => vector.from === 'server')
    expect(answers.length).toBe(11)
    const asked = answers.map((vector) => parseResetSettings(bytesOf(vector.packet.payload)))
    expect(asked.filter((settings) => !isWireProblem(settings) && settings.resendWrappedKey).length).toBe(2)
    expect(asked.filter((settings) => !isWireProblem(settings) && !settings.resendWrappedKey).length).toBe(9)
  })

  it('WRAP-4, WRAP-21 the wrong half of the key opens nothing', () => {
    let refused = 0
    for (const vector of captured) {
      if (vector.wrap === 'none' || vector.packet.opcode >= 10) continue
      if (vector.wrap === 'tls-auth' && vector.senderDirection === null) continue
      const { sender } = endsOf(vector)
      expect(sender.open(bytesOf(vector.bytes))).toBe(`${vector.wrap}-mismatch`)
      refused++
    }
    expect(refused).toBeGreaterThan(35)
    const key = new StaticKey(bytesOf(captured.find((vector) => vector.wrap === 'tls-auth')!.key))
    expect(keySlots(key, 0).send).toEqual(keySlots(key, 1).receive)
  })
})
