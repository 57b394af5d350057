/**
 * The commands that only read and write files: decode, genkey and replay, as a person calls them.
 */
import { createSocket } from 'node:dgram'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { parseAuthTokenKey } from '../../../src/control/index.ts'
import { nodeCrypto } from '../../../src/node/crypto/index.ts'
import { createRecording } from '../../../src/node/command/files.ts'
import { main } from '../../../src/node/command/main.ts'
import { parseProfile, toClientConfig } from '../../../src/profile/index.ts'
import { recordSession } from '../../../src/record/index.ts'
import {
  createTlsCryptV2Wrapper,
  parseStaticKey,
  parseTlsCryptV2ClientKey,
  parseTlsCryptV2ServerKey,
} from '../../../src/wire/index.ts'
import { writeCapture } from '../../support/capture.ts'
import { capturedRun } from '../../support/captured-pair.ts'
import { pairConfigs } from '../../support/pair.ts'
import { PKI_NOW } from '../../support/pki.ts'
import { SeededRandom } from '../../support/random.ts'

const folder = mkdtempSync(join(tmpdir(), 'ovpn-tools-'))
const at = (name: string): string => join(folder, name)
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

interface Result {
  readonly code: number
  readonly out: string
  readonly error: string
}

async function ovpn(...args: readonly string[]): Promise<Result> {
  const out: string[] = []
  const error: string[] = []
  const io = { out: (text: string) => out.push(text), error: (text: string) => error.push(text), colour: false }
  const code = await main(args, io)
  return { code, out: out.join('\n'), error: error.join('\n') }
}

describe('ovpn decode', () => {
  const run = capturedRun({ renegotiations: 1 })
  writeFileSync(at('a.pcap'), writeCapture(run.datagrams))
  writeFileSync(at('a.log'), run.keyLog)

  it('draws a ladder, with keys down to the packets inside', async () => {
    const closed = await ovpn('decode', at('a.pcap'))
    expect(closed.code).toBe(0)
    expect(closed.out).toContain('--> P_CONTROL_HARD_RESET_CLIENT_V2')
    expect(closed.out).not.toContain('PUSH_REPLY')
    const open = await ovpn('decode', at('a.pcap'), '--keylog', at('a.log'))
    expect(open.out).toContain('says PUSH_REPLY,')
    expect(open.out).toContain('IPv4 10.8.0.2 > 10.8.0.1')
    const control = await ovpn('decode', at('a.pcap'), '--keylog', at('a.log'), '--control')
    expect(control.out).not.toContain('P_DATA')
  })

  it('gives JSON, a line a packet and one for the whole', async () => {
    const { code, out } = await ovpn('decode', at('a.pcap'), '--json')
    const events = out.split('\n').map((text) => JSON.parse(text) as { event: string; packets?: number })
    expect(code).toBe(0)
    expect(events.filter(({ event }) => event === 'packet')).toHaveLength(run.datagrams.length)
    expect(events.at(-1)).toMatchObject({ event: 'capture', format: 'pcap', packets: run.datagrams.length })
  })

  it('DEC-81 names the keys that opened nothing, and why', async () => {
    expect((await ovpn('decode', at('a.pcap'), '--keylog', at('a.log'))).error).toBe('')
    await ovpn('genkey', 'secret', at('other.key'))
    writeFileSync(at('other.log'), capturedRun({ renegotiations: 0 }).keyLog.replaceAll(/[0-9a-f]{2}\b/g, '00'))
    const idle = await ovpn('decode', at('a.pcap'), '--tls-crypt', at('other.key'), '--keylog', at('other.log'))
    expect(idle.code).toBe(0)
    expect(idle.error).toContain('--tls-crypt opens nothing: no packet here is wrapped with tls-crypt')
    expect(idle.error).toContain('--keylog opens nothing: its secrets are of other sessions')
    for (const wrap of ['tls-auth', 'tls-crypt'] as const) {
      writeFileSync(at(`${wrap}.pcap`), writeCapture(capturedRun({ wrap, renegotiations: 0 }).datagrams))
      const wrong = await ovpn(
        'decode',
        at(`${wrap}.pcap`),
        `--${wrap}`,
        at('other.key'),
        '--keylog',
        at('other.log'),
        '--json',
      )
      const last = JSON.parse(wrong.out.split('\n').at(-1) ?? '') as { idleKeys: { kind: string; reason: string }[] }
      expect(last.idleKeys).toMatchObject([
        { kind: wrap, reason: `the packets are wrapped with ${wrap}, but under another key` },
        { kind: 'keylog', reason: expect.stringContaining(wrap === 'tls-auth' ? 'other sessions' : 'encrypted') },
      ])
    }
    expect(await ovpn('decode', at('a.pcap'), '--tls-auth', `${at('other.key')},SHA9`)).toMatchObject({ code: 2 })
  })

  it('says what is wrong: no capture, a damaged one, a key that is none', async () => {
    writeFileSync(at('text'), 'hello')
    expect(await ovpn('decode', at('text'))).toMatchObject({ code: 2 })
    expect(await ovpn('decode', at('missing'))).toMatchObject({ code: 2 })
    for (const kind of ['tls-auth', 'tls-crypt', 'tls-crypt-v2']) {
      const { code, error } = await ovpn('decode', at('a.pcap'), `--${kind}`, at('text'))
      expect(code).toBe(2)
      expect(error).toMatch(new RegExp(`^ovpn decode: ${at('text')}: ${kind}: the line "-----BEGIN .*" is missing$`))
    }
    writeFileSync(at('cut.pcap'), writeCapture(run.datagrams).subarray(0, 500))
    const cut = await ovpn('decode', at('cut.pcap'))
    expect(cut.code).toBe(1)
    expect(cut.error).toContain('the file ends inside')
  })
})

describe('ovpn genkey', () => {
  it('writes what the parsers read, for its owner alone, and overwrites nothing', async () => {
    expect(await ovpn('genkey', 'secret', at('s.key'))).toMatchObject({ code: 0 })
    expect(statSync(at('s.key')).mode & 0o777).toBe(0o600)
    const before = readFileSync(at('s.key'), 'utf8')
    expect(parseStaticKey(before).length).toBe(256)
    expect(await ovpn('genkey', 'secret', at('s.key'))).toMatchObject({ code: 2 })
    expect(readFileSync(at('s.key'), 'utf8')).toBe(before)
    expect(await ovpn('genkey', 'secret', at('s.key'), '--force')).toMatchObject({ code: 0 })
    expect(readFileSync(at('s.key'), 'utf8')).not.toBe(before)
    expect(parseAuthTokenKey((await ovpn('genkey', 'auth-token')).out)).toHaveLength(128)
  })

  it('makes tls-crypt-v2 client keys with metadata', async () => {
    await ovpn('genkey', 'tls-crypt-v2-server', at('v2.key'))
    const wrapper = createTlsCryptV2Wrapper(nodeCrypto, parseTlsCryptV2ServerKey(readFileSync(at('v2.key'), 'utf8')))
    const metadataOf = async (...args: readonly string[]): Promise<unknown> => {
      const { out } = await ovpn('genkey', 'tls-crypt-v2-client', '--tls-crypt-v2', at('v2.key'), ...args)
      const client = wrapper.unwrap(parseTlsCryptV2ClientKey(out).wrappedKey)
      return typeof client === 'string' ? client : client.metadata
    }
    expect(await metadataOf()).toMatchObject({ type: 'timestamp' })
    expect(await metadataOf('--user', 'ada')).toMatchObject({ type: 'user', data: Uint8Array.of(97, 100, 97) })
    expect(await metadataOf('--metadata', 'YWRh')).toMatchObject({ type: 'user', data: Uint8Array.of(97, 100, 97) })
    expect(await ovpn('genkey', 'tls-crypt-v2-client')).toMatchObject({ code: 2 })
    const none = await ovpn('genkey', 'tls-crypt-v2-client', '--tls-crypt-v2', at('s.key'))
    expect(none).toMatchObject({
      code: 2,
      error: expect.stringContaining(`ovpn genkey: ${at('s.key')}: tls-crypt-v2: `),
    })
    const long = await ovpn('genkey', 'tls-crypt-v2-client', '--tls-crypt-v2', at('v2.key'), '--user', 'x'.repeat(800))
    expect(long.code).toBe(2)
    expect(await ovpn('genkey', 'what')).toMatchObject({ code: 2 })
  })

  it.each(['tls-crypt', 'tls-crypt-v2', 'tls-auth', 'none'])(
    'makes a PKI whose profiles work, with %s',
    async (wrap) => {
      const made = await ovpn('genkey', 'pki', at(wrap), '--wrap', wrap, '--clients', '2', '--json')
      expect(made.code).toBe(0)
      expect(readdirSync(at(wrap))).toEqual(expect.arrayContaining(['ca.crt', 'client2.ovpn', 'server.ovpn']))
      const client = toClientConfig(parseProfile(readFileSync(join(at(wrap), 'client2.ovpn'), 'utf8')))
      expect(client.remotes[0]).toMatchObject({
        host: '127.0.0.1',
        port: 1194,
        session: wrap === 'none' ? {} : { wrap: { type: wrap } },
      })
      expect(await ovpn('lint', join(at(wrap), 'client1.ovpn'))).toMatchObject({ code: 0 })
      expect(await ovpn('lint', join(at(wrap), 'server.ovpn'))).toMatchObject({ code: 0 })
      expect(existsSync(join(at(wrap), 'ca.key'))).toBe(true)
    },
  )
})

describe('ovpn replay', () => {
  const lines: string[] = []
  const environment = { now: 0, timeOrigin: PKI_NOW, random: new SeededRandom('cli').source, crypto: nodeCrypto }
  const session = recordSession(pairConfigs()[0], environment, (text) => lines.push(text))
  while (session.poll() !== undefined);
  for (let now = 1000; now <= 9000; now += 1000) {
    session.handleTimeout(now)
    while (session.poll() !== undefined);
  }
  writeFileSync(at('run.rec'), lines.join('\n'))

  it('says that the same bytes came out, and stops where it is told', async () => {
    const whole = await ovpn('replay', at('run.rec'))
    expect(whole.code).toBe(0)
    expect(whole.out).toContain('9 of 9 inputs')
    expect(whole.out).toContain('the same as recorded')
    const part = await ovpn('replay', at('run.rec'), '--until', '4', '--json')
    const events = part.out.split('\n').map((text) => JSON.parse(text) as { event: string })
    expect(events.map(({ event }) => event)).toEqual(['step', 'state', 'replay'])
    expect(events.at(-1)).toMatchObject({ steps: 4, inputs: 9, verdict: 'same' })
    expect(part.error).toBe('')
    const beyond = await ovpn('replay', at('run.rec'), '--until', '10')
    expect(beyond).toMatchObject({ code: 0, error: 'ovpn replay: there is no step 10: the recording ends at step 9' })
    const portable = await ovpn('replay', at('run.rec'), '--portable', '--steps')
    expect(portable.out).toContain('4 handleTimeout(4000)')
  })

  it('says where the bytes are others, and what is no recording', async () => {
    const other = lines.map((text) => (text.startsWith('["r"') ? text.replace(/,"..../, ',"AAAA') : text))
    writeFileSync(at('other.rec'), other.join('\n'))
    const result = await ovpn('replay', at('other.rec'))
    expect(result.code).toBe(1)
    expect(result.out).toContain('different at step 0')
    expect(await ovpn('replay', at('a.pcap'))).toMatchObject({ code: 2 })
  })

  it('a recording gives way to a new one, any other file does not', async () => {
    writeFileSync(at('precious'), 'remote vpn.example\n')
    const refused = await ovpn('probe', at('none.ovpn'), '--record', at('precious'))
    expect(refused).toMatchObject({ code: 2 })
    expect(refused.error).toContain('is there already and is no recording')
    expect(readFileSync(at('precious'), 'utf8')).toBe('remote vpn.example\n')
    createRecording(at('again.rec'))(lines[0] ?? '')
    createRecording(at('again.rec'))('{"ovpn-recording":1,')
    expect(readFileSync(at('again.rec'), 'utf8')).toBe('{"ovpn-recording":1,\n')
  })

  it('a recording is decoded like a capture', async () => {
    const { code, out } = await ovpn('decode', at('run.rec'))
    expect(code).toBe(0)
    expect(out).toContain('P_CONTROL_HARD_RESET_CLIENT_V2')
    expect(out).toContain('again')
  })
})

describe('a profile that cannot work', () => {
  writeFileSync(at('bad.ovpn'), 'client\ndev tun\nremote a\nbogus\n')

  it.each(['probe', 'connect', 'serve'])('ovpn %s --json tells it in objects, too', async (name) => {
    const { code, error, out } = await ovpn(name, at('bad.ovpn'), '--json')
    expect(code).toBe(2)
    expect(error).toMatch(/bad\.ovpn:4:1: bogus: no release .* \(2 more errors: ovpn lint shows them all\)$/)
    const events = out.split('\n').map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(events.at(0)).toMatchObject({ event: 'problem', code: 'unknown-directive', line: 4 })
    expect(events.at(-1)).toMatchObject({ event: 'error', option: 'bogus', file: at('bad.ovpn'), line: 4 })
    expect((await ovpn(name, at('bad.ovpn'))).out).toBe('')
  })

  it.each([
    ['a file that is not there', ['lint', at('nowhere'), '--json'], /can't read/],
    ['a profile that is not there', ['probe', at('nowhere'), '--json'], /cannot be read/],
    ['an option that is none', ['replay', at('bad.ovpn'), '--json', '--bogus'], /--bogus/],
    ['a capture that is none', ['decode', at('bad.ovpn'), '--json'], /is no pcap file/],
  ])('%s is an object with --json', async (_, args, text) => {
    const { code, error, out } = await ovpn(...args)
    expect(code).toBe(2)
    expect(error).toMatch(text)
    expect(JSON.parse(out)).toEqual(expect.objectContaining({ event: 'error', text: expect.stringMatching(text) }))
  })
})

it('ovpn serve names the port that somebody else has', async () => {
  const other = createSocket({ type: 'udp6', ipv6Only: false })
  await new Promise<void>((done) => other.bind(0, done))
  const { port } = other.address()
  await ovpn('genkey', 'pki', at('taken'), '--port', String(port))
  const { code, error, out } = await ovpn('serve', join(at('taken'), 'server.ovpn'), '--json')
  other.close()
  expect(code).toBe(1)
  expect(error).toMatch(new RegExp(`^ovpn serve: udp port ${port} can't be opened: .*EADDRINUSE`))
  expect(JSON.parse(out)).toMatchObject({ event: 'error' })
})

it('ovpn probe says when nothing at all came back', async () => {
  const silent = createSocket('udp4')
  await new Promise<void>((done) => silent.bind(0, '127.0.0.1', done))
  const { port } = silent.address()
  await ovpn('genkey', 'pki', at('silent'), '--port', String(port))
  const { code, out } = await ovpn('probe', join(at('silent'), 'client1.ovpn'), '--timeout', '0.2')
  silent.close()
  expect(code).toBe(1)
  expect(out).toContain(`not finished within 0.2 s: nothing came from 127.0.0.1:${port} (no server there`)
})

describe('help', () => {
  it.each(['decode', 'genkey', 'replay', 'probe', 'serve', 'lint', 'connect'])(
    'ovpn %s --help tells its exit codes',
    async (name) => {
      const { code, out } = await ovpn(name, '--help')
      expect(code).toBe(0)
      expect(out).toContain('--json')
      if (name !== 'serve') expect(out).toMatch(/Exit codes?:|exits? with/i)
    },
  )
})
