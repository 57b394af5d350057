/**
 * Whole sessions of ours as captures: every packet named, every field as the session itself traced it.
 */
import { describe, expect, it } from 'vitest'
import {
  type DecodedCapture,
  type DecodedPacket,
  decodeCapture,
  type KeyTexts,
  ladderLines,
} from '../../../src/decode/index.ts'
import { nodeCrypto } from '../../../src/node/crypto/index.ts'
import type { ControlTrace } from '../../../src/session/index.ts'
import type { TlsVersion } from '../../../src/tls/index.ts'
import { writeStaticKey, writeTlsCryptV2ClientKey, writeTlsCryptV2ServerKey } from '../../../src/wire/index.ts'
import { writeCapture } from '../../support/capture.ts'
import { type CapturedRun, capturedRun, type CapturedSession } from '../../support/captured-pair.ts'
import { type WrapKind, wrapPair } from '../../support/wraps.ts'

/** The key texts that a user would have for a wrap; `client`: of tls-crypt-v2 the client's. */
function keysOf(wrap: WrapKind, end: 'client' | 'server' = 'server'): KeyTexts {
  const config = wrapPair(wrap)[end]
  switch (config.type) {
    case 'none':
      return {}
    case 'tls-auth':
      return { tlsAuth: [{ text: writeStaticKey(config.key) }] }
    case 'tls-crypt':
      return { tlsCrypt: [writeStaticKey(config.key)] }
    case 'tls-crypt-v2':
      return { tlsCryptV2: [writeTlsCryptV2ClientKey({ key: config.key, wrappedKey: config.wrappedKey })] }
    case 'tls-crypt-v2-server':
      return { tlsCryptV2: [writeTlsCryptV2ServerKey(config.serverKey)] }
  }
}

function decode(run: CapturedRun, keys: KeyTexts): DecodedCapture {
  const decoded = decodeCapture(writeCapture(run.datagrams), { crypto: nodeCrypto, keys })
  if (decoded === undefined) throw new Error('not a capture')
  return decoded
}

/** What a trace says of a packet, in the decoder's words. */
function traced({ acks, keyId, opcode, packetId, payload, repeated, size }: ControlTrace): object {
  return { opcode, keyId, size, acks, packetId, payload, repeated }
}

function viewed({ control, keyId, opcode, size }: DecodedPacket): object {
  const fields = control?.fields
  return {
    opcode,
    keyId,
    size,
    acks: fields?.acks,
    packetId: fields?.packetId,
    payload: fields?.payload,
    repeated: fields?.repeated,
  }
}

const controlsOf = (decoded: DecodedCapture, sender: string): readonly DecodedPacket[] =>
  decoded.packets.filter((packet) => packet.control !== undefined && packet.sender === sender)

const messages = (decoded: DecodedCapture): readonly string[] =>
  decoded.packets.flatMap(({ said }) =>
    said.map((item) => ('name' in item ? item.name : item.type === 'message' ? item.text : item.type)),
  )

const WRAPS: readonly WrapKind[] = ['none', 'tls-auth', 'tls-crypt', 'tls-crypt-v2']
const VERSIONS: readonly TlsVersion[] = ['TLSv1.2', 'TLSv1.3']
const CASES = WRAPS.flatMap((wrap) =>
  VERSIONS.flatMap((version) => (['udp', 'tcp'] as const).map((transport) => ({ wrap, version, transport }))),
)

describe('a session with its keys', () => {
  it.each(CASES)(
    'DEC-41 DEC-42 DEC-51 DEC-53 $wrap $version $transport: every packet as the session traced it',
    ({ transport, version, wrap }) => {
      const run = capturedRun({ wrap, version, transport, ipv6: transport === 'tcp', renegotiations: 2 })
      const decoded = decode(run, { ...keysOf(wrap), keyLogs: [run.keyLog] })
      expect(decoded.problems).toEqual([])
      expect(decoded.skipped).toEqual({})
      for (const end of ['client', 'server'] as const) {
        const controls = controlsOf(decoded, end)
        expect(controls.map(viewed)).toEqual(run.sent[end].map(traced))
        expect(controls.length).toBeGreaterThan(12)
      }
      const controls = decoded.packets.filter(({ control }) => control !== undefined)
      if (wrap !== 'none') expect(controls.every(({ control }) => control?.authentic === true)).toBe(true)
      const dynamic = controls.filter(({ keyId }) => keyId > 0)
      expect(dynamic.every(({ control }) => control?.wrap === 'dynamic')).toBe(true)
      expect(decoded.packets.every(({ notes }) => notes.every((note) => note.startsWith('client key metadata')))).toBe(
        true,
      )
      // Three handshakes, both key messages each, and the push.
      const said = messages(decoded)
      expect(said.filter((name) => name === 'ClientHello')).toHaveLength(3)
      expect(said.filter((name) => name === 'ServerHello')).toHaveLength(3)
      expect(said.filter((name) => name === 'Finished')).toHaveLength(6)
      expect(said.filter((name) => name === 'key-method')).toHaveLength(6)
      expect(said.filter((text) => text.startsWith('PUSH_REPLY,route-gateway 10.8.0.1'))).toHaveLength(1)
      expect(said).not.toContain('tls-sealed')
    },
  )

  it('DEC-60 DEC-64 data packets: every payload opened, under every key id', () => {
    const run = capturedRun({ wrap: 'tls-crypt', renegotiations: 3 })
    const decoded = decode(run, { ...keysOf('tls-crypt'), keyLogs: [run.keyLog] })
    const data = decoded.packets.filter((packet) => packet.data !== undefined)
    expect(data.length).toBeGreaterThanOrEqual(40)
    expect(data.every((packet) => packet.data?.opened === true && packet.data.peerId === 5)).toBe(true)
    expect(new Set(data.map(({ keyId }) => keyId))).toEqual(new Set([0, 1, 2, 3]))
    const inner = data.filter((packet) => packet.data?.kind === 'packet').map((packet) => packet.data?.length)
    const sizes = [60, 90, 120, 150, 180].flatMap((size) => [size, size])
    expect(inner).toEqual([0, 1, 2, 3].flatMap(() => sizes))
  })

  it.each([
    ['AES-128-GCM', undefined],
    ['CHACHA20-POLY1305', undefined],
    ['AES-256-CBC', 'SHA256'],
  ] as const)('DEC-64 %s: the key of the log opens it', (cipher, auth) => {
    const config: CapturedSession['config'] = { dataCiphers: [cipher], ...(auth === undefined ? {} : { auth }) }
    const run = capturedRun({ config, renegotiations: 0 })
    const data = decode(run, { keyLogs: [run.keyLog] }).packets.filter((packet) => packet.data !== undefined)
    expect(data.length).toBeGreaterThanOrEqual(10)
    expect(data.every((packet) => packet.data?.opened === true && packet.data.cipher === cipher)).toBe(true)
  })

  it('DEC-42 a tls-crypt-v2 session opens with the client key alone too', () => {
    const run = capturedRun({ wrap: 'tls-crypt-v2', renegotiations: 0 })
    const decoded = decode(run, { ...keysOf('tls-crypt-v2', 'client'), keyLogs: [run.keyLog] })
    const controls = decoded.packets.filter(({ control }) => control !== undefined)
    expect(controls.every(({ control }) => control?.authentic === true)).toBe(true)
  })
})

describe('a session without its keys', () => {
  it.each(WRAPS)('DEC-43 DEC-44 %s: the wrap is guessed, what is readable is read', (wrap) => {
    const run = capturedRun({ wrap, renegotiations: 0 })
    const decoded = decode(run, {})
    for (const end of ['client', 'server'] as const) {
      const controls = controlsOf(decoded, end)
      expect(controls).toHaveLength(run.sent[end].length)
      expect(controls.every(({ control }) => control?.authentic === false)).toBe(true)
      if (wrap === 'none' || wrap === 'tls-auth') expect(controls.map(viewed)).toEqual(run.sent[end].map(traced))
      else expect(controls.every(({ control }) => control?.fields === undefined)).toBe(true)
    }
    const wraps = decoded.packets.flatMap(({ control }) => (control === undefined ? [] : [control.wrap]))
    const expected = wrap === 'tls-crypt-v2' ? ['tls-crypt-v2', 'tls-crypt'] : [wrap]
    expect(new Set(wraps)).toEqual(new Set(expected))
    expect(messages(decoded).includes('ServerHello')).toBe(wrap === 'none' || wrap === 'tls-auth')
    const data = decoded.packets.filter((packet) => packet.data !== undefined)
    expect(data.every((packet) => packet.data?.opened === false)).toBe(true)
  })

  it('DEC-65 ids of data packets are read where they are plausible', () => {
    const run = capturedRun({ renegotiations: 0 })
    const [closed, open] = [decode(run, {}), decode(run, { keyLogs: [run.keyLog] })]
    const ids = ({ packets }: DecodedCapture): readonly unknown[] =>
      packets.flatMap(({ data }) => (data === undefined ? [] : [[data.epoch, data.packetId]]))
    expect(ids(closed)).toEqual(ids(open))
    expect(ids(closed).length).toBeGreaterThanOrEqual(10)
  })

  it('DEC-41 a key of another tunnel opens nothing', () => {
    const run = capturedRun({ wrap: 'tls-crypt', renegotiations: 0 })
    const other = capturedRun({ wrap: 'tls-auth', renegotiations: 0, config: { dataCiphers: ['AES-128-GCM'] } })
    const decoded = decode(run, {
      ...keysOf('tls-auth'),
      tlsCrypt: [writeStaticKey(keyOf('tls-auth'))],
      keyLogs: [other.keyLog],
    })
    expect(decoded.packets.some(({ control }) => control?.authentic === true)).toBe(false)
    expect(decoded.packets.some(({ data }) => data?.opened === true)).toBe(false)
  })
})

function keyOf(wrap: 'tls-auth'): Parameters<typeof writeStaticKey>[0] {
  const { client } = wrapPair(wrap)
  if (client.type !== 'tls-auth') throw new Error('no key')
  return client.key
}

describe('secrets', () => {
  it('DEC-54 DEC-55 passwords, tokens and randoms show only where they are asked for', () => {
    const run = capturedRun({
      renegotiations: 0,
      config: {
        login: { type: 'password', username: 'ada', password: 'swordfish' },
        push: { options: ['topology subnet'], ifconfig: '10.8.0.2 255.255.255.0', authToken: 'SESS_ID_secret' },
      },
    })
    const bytes = writeCapture(run.datagrams)
    const text = (reveal: boolean): string => {
      const decoded = decodeCapture(bytes, { crypto: nodeCrypto, keys: { keyLogs: [run.keyLog] }, reveal })
      const lines = (decoded?.packets ?? []).flatMap((packet) => ladderLines(packet, 0))
      return `${JSON.stringify(decoded)}\n${lines.join('\n')}`
    }
    const hidden = text(false)
    expect(hidden).toContain('ada')
    expect(hidden).not.toContain('swordfish')
    expect(hidden).not.toContain('SESS_ID_secret')
    expect(hidden).toContain('auth-token (hidden)')
    expect(text(true)).toContain('swordfish')
    expect(text(true)).toContain('auth-token SESS_ID_secret')
  })
})
