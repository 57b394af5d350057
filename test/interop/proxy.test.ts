/**
 * Through proxies to each release: tinyproxy for HTTP CONNECT, Dante for SOCKS5 over TCP and with UDP ASSOCIATE, and for the
 * logins that those cannot ask for a proxy of our own, which lets the reference's client through as well.
 */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
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
import { type Lab, type Running, withLab } from './support/lab.ts'
import { opensslPki } from './support/pki.ts'
import { probe, type ProbeResult } from './support/probe.ts'
import { INTEROP_REQUIRED, RELEASES, type Release, releasesToTest } from './support/reference.ts'

const TINYPROXY = '/usr/bin/tinyproxy'
const DANTE = '/usr/sbin/danted'
const OWN = fileURLToPath(new URL('./support/proxy.child.ts', import.meta.url))
const releases = releasesToTest()

function runnable(release: Release, program: string): boolean {
  const wanted = releases.includes(release)
  if (wanted && !existsSync(program) && !INTEROP_REQUIRED) console.warn(`proxy tests skipped: no ${program}`)
  return wanted && (INTEROP_REQUIRED || existsSync(program))
}

/** Starts a server and the proxy; the two ends. */
async function started(
  lab: Lab,
  release: Release,
  transport: TransportName,
  client: string,
  startProxy: (lab: Lab) => Promise<unknown>,
): Promise<Tunnel> {
  const ends: Tunnel = { transport, wrap: 'tls-crypt', key: generateStaticKey(), pki: opensslPki('P-256'), client }
  const server = lab.openvpn(release, 'server', serverConfig(ends))
  await server.seen(SERVER_READY)
  await startProxy(lab)
  return ends
}

const ARGS = ['--count', '10', '--interval', '10', '--timeout', '15']

/** The same, and a probe through it. */
async function through(...[lab, ...rest]: Parameters<typeof started>): Promise<ProbeResult> {
  return await probe(lab, clientConfig(await started(lab, ...rest)), ARGS)
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

/** The proxy of our own; resolves once it listens. */
async function ownProxy(lab: Lab, ...kind: readonly [string, string, string]): Promise<Running> {
  const command = [process.execPath, '--import', import.meta.resolve('tsx'), OWN, ...kind, 'user', 'secret']
  const running = lab.start('own proxy', command)
  await running.seen(/listening/)
  return running
}

/** What the reference's client needs beside the profile, so that it leaves the machine alone. */
const REFERENCE_CLIENT = 'verb 3\nconnect-retry 1 1\nconnect-retry-max 1\ndev null\nifconfig-noexec\nroute-noexec\n'

const closed = (result: ProbeResult): unknown => result.events.find(({ event }) => event === 'closed')
const LOGIN = (password: string): string => `<http-proxy-user-pass>\nuser\n${password}\n</http-proxy-user-pass>`
const WANTS_LOGIN = 'BasicAuth user secret\n'

/** Proxies speak before the release matters: every way is gone once, and one of each kind with each release. */
const EVERY_WAY: Release = '2.6'

const CONNECTS = [
  ['with a Basic login on demand', `http-proxy 127.0.0.1 3128\n${LOGIN('secret')}`, WANTS_LOGIN],
  ['without a login', 'http-proxy 127.0.0.1 3128', ''],
  ['by the name of the server', 'http-proxy localhost 3128', ''],
] as const

describe.each(RELEASES)('through tinyproxy to OpenVPN %s', (release) => {
  const test = it.skipIf(!runnable(release, TINYPROXY))
  const ways = release === EVERY_WAY ? CONNECTS : CONNECTS.slice(0, 1)

  test.each(ways)('PROXY-1 PROXY-4 HTTP CONNECT %s', async (_, client, proxy) => {
    await withLab(async (lab) => {
      const result = await through(lab, release, 'tcp', client, () => tinyproxy(lab, proxy))
      expect(result, result.output).toMatchObject({ code: 0, pings: 10 })
    })
  })

  it.skipIf(release !== EVERY_WAY || !runnable(release, TINYPROXY))(
    'PROXY-4 a wrong login: refused, with the proxy’s reason',
    async () => {
      await withLab(async (lab) => {
        const client = `http-proxy 127.0.0.1 3128\n${LOGIN('wrong')}`
        const result = await through(lab, release, 'tcp', client, () => tinyproxy(lab, WANTS_LOGIN))
        expect(result.code).toBe(1)
        expect(closed(result), result.output).toMatchObject({ reason: expect.stringMatching(/^proxy-/) as string })
      })
    },
  )
})

describe.each(RELEASES)('through Dante to OpenVPN %s', (release) => {
  it.skipIf(!runnable(release, DANTE)).each(['tcp', 'udp'] as const)(
    'PROXY-7 PROXY-8 SOCKS5 for %s',
    async (transport) => {
      await withLab(async (lab) => {
        const result = await through(lab, release, transport, 'socks-proxy 127.0.0.1 1080', dante)
        expect(result, result.output).toMatchObject({ code: 0, pings: 10 })
      })
    },
  )
})

describe.each(RELEASES)('with a login that only our own proxy asks for, to OpenVPN %s', (release) => {
  const test = it.skipIf(!releases.includes(release))

  // The reference knows MD5 only.
  test.each(release === EVERY_WAY ? ['MD5', 'SHA-256'] : ['MD5'])(
    'PROXY-5 PROXY-6 HTTP CONNECT with Digest, %s',
    async (algorithm) => {
      await withLab(async (lab) => {
        let proxy: Running | undefined
        const client = `http-proxy 127.0.0.1 3128 auto\n${LOGIN('secret')}`
        const ends = await started(lab, release, 'tcp', client, async () => {
          proxy = await ownProxy(lab, 'http', algorithm, '3128')
        })
        if (algorithm === 'MD5') {
          const config = REFERENCE_CLIENT + clientConfig(ends).replace('dev tun\n', '')
          const reference = lab.openvpn(release, 'client', config)
          await reference.seen(SERVER_READY)
          await proxy?.seen(/asked for a login\ntunnel to 127.0.0.1:1194/)
          reference.kill()
          await reference.ended()
        }
        const result = await probe(lab, clientConfig(ends), ARGS)
        expect(result, `${result.output}\n${proxy?.output()}`).toMatchObject({ code: 0, pings: 10 })
        expect(proxy?.output()).not.toContain('refused')
        const wrong = await probe(lab, clientConfig({ ...ends, client: client.replace('secret', 'wrong') }), ARGS)
        expect(closed(wrong), wrong.output).toMatchObject({ reason: 'proxy-login-refused' })
        expect(proxy?.output()).toContain('refused Digest')
      })
    },
  )

  test.each(['tcp', 'udp'] as const)('PROXY-7 PROXY-9 SOCKS5 with name and password, %s', async (transport) => {
    await withLab(async (lab) => {
      let proxy: Running | undefined
      // RFC 1929 says 1. The client of 2.7 takes nothing but 5; we take either.
      const version = release === '2.7' ? '5' : '1'
      const client = `socks-proxy 127.0.0.1 1080 ${lab.file('login', 'user\nsecret\n')}`
      const ends = await started(lab, release, transport, client, async () => {
        proxy = await ownProxy(lab, 'socks', version, '1080')
      })
      const config = REFERENCE_CLIENT + clientConfig(ends).replace('dev tun\n', '')
      const reference = lab.openvpn(release, 'client', config)
      await reference.seen(SERVER_READY)
      await proxy?.seen(transport === 'tcp' ? /tunnel to 127.0.0.1:1194/ : /relay at/)
      reference.kill()
      await reference.ended()
      const result = await probe(lab, clientConfig(ends), ARGS)
      expect(result, `${result.output}\n${proxy?.output()}`).toMatchObject({ code: 0, pings: 10 })
      expect(proxy?.output()).not.toContain('refused')
      lab.file('login', 'user\nwrong\n')
      const wrong = await probe(lab, clientConfig(ends), ARGS)
      expect(closed(wrong), wrong.output).toMatchObject({ reason: 'proxy-login-refused' })
    })
  })
})

describe('without a proxy', () => {
  it.skipIf(!releases.includes('2.6'))('a proxy that is not there: its own reason', async () => {
    await withLab(async (lab) => {
      const result = await through(lab, '2.6', 'tcp', 'http-proxy 127.0.0.1 3128', () => Promise.resolve())
      expect(result.code).toBe(1)
      expect(closed(result)).toMatchObject({ reason: 'proxy-unreachable' })
    })
  })
})
