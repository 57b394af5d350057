/**
 * Through proxies that others wrote: tinyproxy for HTTP CONNECT, Dante for SOCKS5 over TCP and with UDP ASSOCIATE.
 */
import { existsSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  clientConfig,
  generateStaticKey,
  PORT,
  SERVER_READY,
  serverConfig,
  type TransportName,
  type Tunnel,
} from './support/configs.ts'
import { type Lab, withLab } from './support/lab.ts'
import { opensslPki } from './support/pki.ts'
import { probe, type ProbeResult } from './support/probe.ts'
import { INTEROP_REQUIRED, releasesToTest } from './support/reference.ts'

const release = '2.6'
const TINYPROXY = '/usr/bin/tinyproxy'
const DANTE = '/usr/sbin/danted'
const hasReference = releasesToTest().includes(release)

function runnable(program: string): boolean {
  if (hasReference && !existsSync(program) && !INTEROP_REQUIRED) console.warn(`proxy tests skipped: no ${program}`)
  return hasReference && (INTEROP_REQUIRED || existsSync(program))
}

/** Starts a server and the proxy, and probes through it. */
async function through(
  lab: Lab,
  transport: TransportName,
  client: string,
  startProxy: (lab: Lab) => Promise<void>,
): Promise<ProbeResult> {
  const ends: Tunnel = { transport, wrap: 'tls-crypt', key: generateStaticKey(), pki: opensslPki('P-256'), client }
  const server = lab.openvpn(release, 'server', serverConfig(ends))
  await server.seen(SERVER_READY)
  await startProxy(lab)
  return await probe(lab, clientConfig(ends), ['--count', '10', '--interval', '10', '--timeout', '15'])
}

async function tinyproxy(lab: Lab, more = ''): Promise<void> {
  const config = `Port 3128\nListen 127.0.0.1\nTimeout 60\nMaxClients 10\nConnectPort ${PORT}\nLogLevel Info\n${more}`
  const running = lab.start('tinyproxy', [TINYPROXY, '-d', '-c', lab.file('tinyproxy.conf', config)])
  await running.seen(/Accepting connections|Starting main loop/)
}

async function dante(lab: Lab): Promise<void> {
  const config = [
    'logoutput: stdout',
    'internal: 127.0.0.1 port = 1080',
    'external: lo',
    'clientmethod: none',
    'socksmethod: none',
    'user.privileged: root',
    'user.unprivileged: root',
    'client pass { from: 0.0.0.0/0 to: 0.0.0.0/0 }',
    'socks pass { from: 0.0.0.0/0 to: 0.0.0.0/0 protocol: tcp udp }',
  ].join('\n')
  const running = lab.start('dante', [DANTE, '-f', lab.file('danted.conf', `${config}\n`), '-p', '/dev/null'])
  await running.seen(/running/)
}

const closed = (result: ProbeResult): unknown => result.events.find(({ event }) => event === 'closed')
const LOGIN = (password: string): string => `<http-proxy-user-pass>\nuser\n${password}\n</http-proxy-user-pass>`
const WANTS_LOGIN = 'BasicAuth user secret\n'

describe('through tinyproxy', () => {
  const test = it.skipIf(!runnable(TINYPROXY))

  test.each([
    ['without a login', 'http-proxy 127.0.0.1 3128', ''],
    ['with a Basic login on demand', `http-proxy 127.0.0.1 3128\n${LOGIN('secret')}`, WANTS_LOGIN],
    ['by the name of the server', 'http-proxy localhost 3128', ''],
  ])('PROXY-1 PROXY-4 HTTP CONNECT %s', async (_, client, proxy) => {
    await withLab(async (lab) => {
      const result = await through(lab, 'tcp', client, () => tinyproxy(lab, proxy))
      expect(result, result.output).toMatchObject({ code: 0, pings: 10 })
    })
  })

  test('PROXY-4 a wrong login and none: refused, with the proxy’s reason', async () => {
    await withLab(async (lab) => {
      const client = `http-proxy 127.0.0.1 3128\n${LOGIN('wrong')}`
      const result = await through(lab, 'tcp', client, () => tinyproxy(lab, WANTS_LOGIN))
      expect(result.code).toBe(1)
      expect(closed(result), result.output).toMatchObject({ reason: expect.stringMatching(/^proxy-/) as string })
    })
  })
})

describe('through Dante', () => {
  it.skipIf(!runnable(DANTE)).each(['tcp', 'udp'] as const)('PROXY-7 PROXY-8 SOCKS5 for %s', async (transport) => {
    await withLab(async (lab) => {
      const result = await through(lab, transport, 'socks-proxy 127.0.0.1 1080', dante)
      expect(result, result.output).toMatchObject({ code: 0, pings: 10 })
    })
  })
})

describe('without a proxy', () => {
  it.skipIf(!hasReference)('a proxy that is not there: its own reason', async () => {
    await withLab(async (lab) => {
      const result = await through(lab, 'tcp', 'http-proxy 127.0.0.1 3128', () => Promise.resolve())
      expect(result.code).toBe(1)
      expect(closed(result)).toMatchObject({ reason: 'proxy-unreachable' })
    })
  })
})
