/**
 * The tools of the command against each release: captures decoded with the session's own keys, recordings replayed, generated
 * keys used by both sides, servers enumerated.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, vi } from 'vitest'
import { parseAuthTokenKey } from '../../src/control/index.ts'
import {
  type DecodedCapture,
  type DecodedPacket,
  decodeCapture,
  Decoder,
  type KeyTexts,
} from '../../src/decode/index.ts'
import { nodeCrypto } from '../../src/node/crypto/index.ts'
import { recordedTraffic, Replay } from '../../src/record/index.ts'
import {
  clientConfig,
  generate,
  PORT,
  SERVER_READY,
  serverConfig,
  type Tunnel,
  type WrapName,
} from './support/configs.ts'
import { startCapture } from './support/capture.ts'
import { type Lab, withLab } from './support/lab.ts'
import { opensslPki } from './support/pki.ts'
import { probe } from './support/probe.ts'
import { type Release, RELEASES, releasesToTest } from './support/reference.ts'

const OVPN = fileURLToPath(new URL('../../bin/ovpn.mjs', import.meta.url))
const releases = releasesToTest()

/** A wrap and a transport for each release, so that all are seen. */
const TUNNELS: Readonly<Record<Release, { readonly wrap: WrapName; readonly transport: 'udp' | 'tcp' }>> = {
  '2.5': { wrap: 'tls-auth', transport: 'udp' },
  '2.6': { wrap: 'tls-crypt-v2', transport: 'udp' },
  '2.7': { wrap: 'tls-crypt', transport: 'tcp' },
}

interface Keys {
  readonly key: string
  readonly clientKey?: string
  readonly texts: KeyTexts
}

function makeKeys(lab: Lab, release: Release, wrap: WrapName): Keys {
  if (wrap !== 'tls-crypt-v2') {
    const key = generate(release, 'secret')
    return { key, texts: wrap === 'tls-auth' ? { tlsAuth: [{ text: key }] } : { tlsCrypt: [key] } }
  }
  const key = generate(release, 'tls-crypt-v2-server')
  const clientKey = generate(release, 'tls-crypt-v2-client', '--tls-crypt-v2', lab.file('v2-server.key', key))
  return { key, clientKey, texts: { tlsCryptV2: [key] } }
}

/** Runs one of our commands in the laboratory. */
async function command(lab: Lab, args: readonly string[]): Promise<{ readonly code: number; readonly output: string }> {
  return await lab.start(`ovpn ${args[0] ?? ''}`, [process.execPath, OVPN, ...args]).ended(60)
}

/** What is to be the same however a packet was come by: everything but frame numbers, times and addresses. */
function essence(packets: readonly DecodedPacket[], sender: 'client' | 'server'): readonly unknown[] {
  return packets
    .filter((packet) => packet.sender === sender)
    .map(({ control, data, keyId, notes, opcode, said, size }) => ({ opcode, keyId, size, control, data, said, notes }))
}

describe.each(RELEASES)('tools with OpenVPN %s', (release) => {
  const test = it.skipIf(!releases.includes(release))

  test('a captured session is decoded packet by packet as the session recorded it, and its recording replays', async () => {
    await withLab(async (lab) => {
      const { transport, wrap } = TUNNELS[release]
      const { clientKey, key, texts } = makeKeys(lab, release, wrap)
      const tunnel: Tunnel = {
        transport,
        wrap,
        key,
        pki: opensslPki('P-256'),
        ...(clientKey === undefined ? {} : { clientKey }),
      }
      const v2 = wrap === 'tls-crypt-v2' ? `\ntls-crypt-v2 ${lab.file('server.key', key)}\n` : ''
      const config = serverConfig(wrap === 'tls-crypt-v2' ? { ...tunnel, wrap: 'none' } : tunnel) + v2
      const server = lab.openvpn(release, 'server', config)
      await server.seen(SERVER_READY)
      const [capture, keyLog, recording] = ['capture.pcap', 'keys.log', 'run.rec'].map((name) => join(lab.folder, name))
      const dump = await startCapture(lab, 'lo', capture!, `port ${PORT}`)
      const flags = ['--count', '3', '--interval', '20', '--keylog', keyLog!, '--record', recording!]
      const result = await probe(lab, clientConfig(tunnel), flags)
      expect(result, result.output).toMatchObject({ code: 0, pings: 3 })
      // The recording knows what was sent and received, and opens it with what the client itself had.
      const text = readFileSync(recording!, 'utf8')
      const traffic = recordedTraffic(text, nodeCrypto)
      const decoder = new Decoder({ keys: traffic.keys, crypto: nodeCrypto })
      const own = traffic.packets.map((packet) => decoder.packet(packet))

      const keys = { ...texts, keyLogs: [readFileSync(keyLog!, 'utf8')] }
      const captured = (): DecodedCapture | undefined =>
        decodeCapture(new Uint8Array(readFileSync(capture!)), { keys, crypto: nodeCrypto })
      // The last packets reach the file a moment after they were sent.
      const sent = essence(own, 'client').length
      await vi.waitFor(
        () => {
          expect(essence(captured()?.packets ?? [], 'client').length).toBeGreaterThanOrEqual(sent)
        },
        { timeout: 10_000, interval: 50 },
      )
      dump.kill('SIGINT')
      await dump.ended()
      const decoded = captured()
      expect(decoded?.problems).toEqual([])
      const packets = decoded?.packets ?? []
      const isOpen = ({ control, data }: DecodedPacket): boolean => control?.authentic === true || data?.opened === true
      expect(packets.filter((packet) => !isOpen(packet))).toEqual([])
      const lines = packets.flatMap(({ data, said }) => [
        ...said.map((item) => JSON.stringify(item)),
        data?.summary ?? '',
      ])
      expect(lines.filter((line) => line.includes('ClientHello'))).toHaveLength(1)
      expect(lines.filter((line) => line.includes('"key-method"'))).toHaveLength(2)
      expect(lines.filter((line) => line.includes('PUSH_REPLY'))).toHaveLength(1)
      expect(lines.filter((line) => line.includes('ICMP echo request'))).toHaveLength(3)
      expect(lines.filter((line) => line.includes('ICMP echo reply'))).toHaveLength(3)

      expect(essence(packets, 'client').map(withoutMetadata)).toEqual(essence(own, 'client').map(withoutMetadata))
      // What comes after the client has left is in the capture alone.
      const heard = essence(own, 'server')
      expect(heard.length).toBeGreaterThan(6)
      expect(essence(packets, 'server').slice(0, heard.length)).toEqual(heard)

      const replay = new Replay(text, { crypto: nodeCrypto })
      while (replay.step() !== undefined);
      expect(replay.verdict).toEqual({ type: 'same' })
      const again = await command(lab, ['replay', recording!, '--portable', '--json'])
      expect(again).toMatchObject({ code: 0 })
      expect(again.output).toContain(replay.digest)
    })
  })

  test('keys and profiles of genkey work with it', async () => {
    const wrap = { '2.5': 'tls-auth', '2.6': 'tls-crypt', '2.7': 'tls-crypt-v2' }[release]
    await withLab(async (lab) => {
      const made = await command(lab, [
        'genkey',
        'pki',
        'pki',
        '--wrap',
        wrap,
        '--proto',
        release === '2.6' ? 'tcp' : 'udp',
      ])
      expect(made, made.output).toMatchObject({ code: 0 })
      const token = await command(lab, ['genkey', 'auth-token', 'token.key'])
      expect(token).toMatchObject({ code: 0 })
      const profile = readFileSync(join(lab.folder, 'pki/server.ovpn'), 'utf8')
      const secret = 'auth-gen-token 3600\nauth-gen-token-secret token.key\nauth-user-pass-optional\n'
      const script = 'script-security 2\nauth-user-pass-verify /bin/true via-env\n'
      const server = lab.openvpn(release, 'server', `${profile}\n${secret}${script}dev tun0\ncd ${lab.folder}\n`)
      await server.seen(SERVER_READY)
      const result = await probe(lab, readFileSync(join(lab.folder, 'pki/client1.ovpn'), 'utf8'), ['--count', '2'])
      expect(result, `${result.output}\n${server.output()}`).toMatchObject({ code: 0, pings: 2, negotiated: { wrap } })
    })
    // And the other way round.
    if (release !== '2.5') expect(parseAuthTokenKey(generate(release, 'auth-token'))).toHaveLength(128)
  })

  test('is enumerated', async () => {
    await withLab(async (lab) => {
      const key = generate(release, 'secret')
      const tunnel: Tunnel = { transport: 'udp', wrap: 'tls-crypt', key, pki: opensslPki('P-256') }
      const server = lab.openvpn(release, 'server', serverConfig(tunnel))
      await server.seen(SERVER_READY)
      const found = await enumerated(lab, clientConfig(tunnel))
      expect(found.of('cookie')).toMatchObject([{ stateless: release !== '2.5' }])
      expectCommon(found, server.output())
      const hybrid = found.of('group').find(({ group }) => group === 'X25519MLKEM768')
      expect(hybrid).toMatchObject({ accepted: release === '2.7' })
    })
  })
})

it.skipIf(releases.length === 0)('our own server is enumerated too', async () => {
  await withLab(async (lab) => {
    await command(lab, ['genkey', 'pki', 'pki'])
    const server = lab.start('ovpn serve', [process.execPath, OVPN, 'serve', 'pki/server.ovpn', '--json'])
    await server.seen(/"listening"/)
    const found = await enumerated(lab, readFileSync(join(lab.folder, 'pki/client1.ovpn'), 'utf8'))
    expect(found.of('cookie')).toMatchObject([{ stateless: true }])
    expectCommon(found, server.output())
    expect(found.of('certificate')).toMatchObject([{ depth: 0, subject: 'CN=server', key: 'P-256' }])
  })
})

it.skipIf(releases.length === 0).each([
  ['name and password', 'auth-user-pass', 'ada\nopen\n'],
  ['the password of a known name', '<auth-user-pass>\nada\n</auth-user-pass>', 'open\n'],
])('probe reads %s from a pipe', async (_, line, typed) => {
  await withLab(async (lab) => {
    await command(lab, ['genkey', 'pki', 'pki'])
    const users = lab.file('users', 'ada:open\n')
    const server = lab.start('ovpn serve', [process.execPath, OVPN, 'serve', 'pki/server.ovpn', '--users', users])
    await server.seen(/ listening protocol=udp /)
    const profile = `${readFileSync(join(lab.folder, 'pki/client1.ovpn'), 'utf8')}\n${line}\n`
    const args = [OVPN, 'probe', lab.file('login.ovpn', profile), '--count', '1']
    const probe = lab.start('ovpn probe', [process.execPath, ...args], {}, 'pipe')
    probe.process.stdin?.end(typed)
    const { code, output } = await probe.ended(30)
    expect([code, output], output).toEqual([0, expect.stringContaining('1 of 1 pings came back')])
    expect(server.output()).toMatch(/ client 1 login address=127\.0\.0\.1:\d+\/udp commonName=client1 .*username=ada/)
  })
})

/** A wrapped key tells its metadata to who holds the server's key only. */
function withoutMetadata(packet: unknown): unknown {
  return { ...(packet as object), notes: [] }
}

interface Found {
  readonly output: string
  readonly of: (event: string) => readonly Readonly<Record<string, unknown>>[]
}

async function enumerated(lab: Lab, profile: string): Promise<Found> {
  const { code, output } = await command(lab, [
    'probe',
    lab.file('e.ovpn', profile),
    '--enumerate',
    '--json',
    '--patience',
    '1',
  ])
  expect(code, output).toBe(0)
  const events = output
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)
  return { output, of: (name) => events.filter(({ event }) => event === name) }
}

function expectCommon(found: Found, log: string): void {
  const explain = `${found.output}\n${log}`
  expect(found.of('wrap'), explain).toMatchObject([
    { wrap: 'tls-crypt', answers: true },
    { wrap: 'none', answers: false },
  ])
  expect(found.of('chain'), explain).toMatchObject([{ valid: true }])
  expect(found.of('tls-version'), explain).toMatchObject([
    { version: 'TLSv1.3', accepted: true },
    { version: 'TLSv1.2', accepted: true },
  ])
  const groups = found.of('group').filter(({ accepted }) => accepted === true)
  expect(groups.map(({ group }) => group)).toEqual(expect.arrayContaining(['secp256r1', 'x25519']))
  const suites = found.of('suite').filter(({ accepted }) => accepted === true)
  expect(suites.map(({ suite }) => suite)).toEqual(
    expect.arrayContaining(['TLS_AES_256_GCM_SHA384', 'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384']),
  )
  expect(suites.length).toBeLessThan(20)
  expect(Number(found.of('enumerated')[0]?.['handshakes'])).toBeLessThanOrEqual(36)
}
