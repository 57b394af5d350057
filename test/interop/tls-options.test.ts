/**
 * `tls-version-max`, `tls-groups`, `tls-cipher` and `tls-ciphersuites` against each release of the reference in both
 * roles, and the kinds of certificates that the matrix leaves out. The client's lines decide, so one server serves all
 * cases of one kind of certificate; what a server's own lines decide has servers of its own.
 */
import { describe, expect, it } from 'vitest'
import { clientConfig, generateStaticKey, SERVER_READY, serverConfig, type Tunnel } from './support/configs.ts'
import { soaking } from '../support/scale.ts'
import { type Lab, type Running, withLab } from './support/lab.ts'
import { type KeyKind, opensslPki } from './support/pki.ts'
import { probe } from './support/probe.ts'
import { RELEASES, type Release, releasesToTest } from './support/reference.ts'
import { events, eventsOf, startServe } from './support/serve.ts'

const releases = releasesToTest()
/** Suites are OpenSSL's business more than the reference's: the quick run tries them with one release. */
const SUITE_RELEASES: readonly Release[] = soaking() ? RELEASES : ['2.6']
const GATEWAY = '10.8.0.1'

/** Lines of a profile and what must come of them. */
interface Case {
  readonly lines: string
  readonly negotiated: Readonly<Record<string, unknown>>
  /** Releases that can do it; default all. */
  readonly releases?: readonly Release[]
}

const groups = (tlsVersion: string, before: string): readonly Case[] =>
  (['x25519', 'secp256r1', 'secp384r1', 'secp521r1'] as const).map((group) => ({
    lines: `${before}tls-groups ${group === 'x25519' ? 'X25519' : group}`,
    negotiated: { tlsVersion, group },
  }))

const HYBRID: Case = {
  lines: 'tls-groups X25519MLKEM768',
  negotiated: { tlsVersion: 'TLSv1.3', group: 'X25519MLKEM768' },
  releases: ['2.7'],
}

const SUITES_13: readonly Case[] = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
].map((cipherSuite) => ({
  lines: `tls-ciphersuites ${cipherSuite}`,
  negotiated: { tlsVersion: 'TLSv1.3', cipherSuite },
  releases: SUITE_RELEASES,
}))

const suites12 = (key: 'RSA' | 'ECDSA'): readonly Case[] =>
  ['AES-128-GCM-SHA256', 'AES-256-GCM-SHA384', 'CHACHA20-POLY1305-SHA256', 'AES-256-CBC-SHA384'].map((cipher) => ({
    lines: `tls-version-max 1.2\ntls-cipher TLS-ECDHE-${key}-WITH-${cipher}`,
    negotiated: { tlsVersion: 'TLSv1.2', cipherSuite: `TLS_ECDHE_${key}_WITH_${cipher.replaceAll('-', '_')}` },
    releases: SUITE_RELEASES,
  }))

const VERSIONS: readonly Case[] = [
  { lines: '', negotiated: { tlsVersion: 'TLSv1.3' } },
  { lines: 'tls-version-max 1.2', negotiated: { tlsVersion: 'TLSv1.2' } },
]

const BY_KIND: readonly (readonly [KeyKind, readonly Case[]])[] = [
  ['P-256', [...groups('TLSv1.3', ''), HYBRID, ...SUITES_13, ...suites12('ECDSA')]],
  ['RSA-3072', [...VERSIONS, ...groups('TLSv1.2', 'tls-version-max 1.2\n'), ...suites12('RSA')]],
  ['P-521', VERSIONS],
  ['RSA-PSS', VERSIONS],
  ['Ed25519', VERSIONS],
]

/** What the server's own lines decide, with a client that leaves it open. */
const BY_SERVER: readonly Case[] = [
  { lines: 'tls-groups secp521r1', negotiated: { tlsVersion: 'TLSv1.3', group: 'secp521r1' } },
  HYBRID,
  {
    lines: 'tls-version-max 1.2\ntls-cipher TLS-ECDHE-ECDSA-WITH-CHACHA20-POLY1305-SHA256',
    negotiated: { tlsVersion: 'TLSv1.2', cipherSuite: 'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256' },
  },
  {
    lines: 'tls-ciphersuites TLS_AES_128_GCM_SHA256',
    negotiated: { tlsVersion: 'TLSv1.3', cipherSuite: 'TLS_AES_128_GCM_SHA256' },
  },
]

const can = (list: readonly Case[], release: Release): readonly Case[] =>
  list.filter((one) => one.releases?.includes(release) !== false)

const tunnelOf = (kind: KeyKind, more: Partial<Tunnel> = {}): Tunnel => ({
  transport: 'udp',
  wrap: 'tls-crypt',
  key: generateStaticKey(),
  pki: opensslPki(kind),
  ...more,
})

/** Our client with these lines on a reference server. */
async function probes(lab: Lab, server: Running, tunnel: Tunnel, { lines, negotiated }: Case): Promise<void> {
  const result = await probe(lab, clientConfig({ ...tunnel, client: lines }), ['--count', '3', '--interval', '5'])
  const log = `${lines}\n${result.output}\n${server.output()}`
  expect(result, log).toMatchObject({ code: 0, pings: 3, negotiated })
}

/** A reference client with these lines on our server. */
async function connects(lab: Lab, release: Release, server: Running, tunnel: Tunnel, one: Case): Promise<void> {
  const before = eventsOf(server, 'client-connected').length
  const client = lab.openvpn(release, 'client', clientConfig({ ...tunnel, client: `verb 4\n${one.lines}` }))
  await client.seen(SERVER_READY).catch((error: unknown) => {
    throw new Error(`${one.lines}\n${String(error)}\n${server.output()}`)
  })
  await events(server, 'client-connected', before + 1)
  const log = `${one.lines}\n${server.output()}\n${client.output()}`
  expect(eventsOf(server, 'client-connected').at(-1), log).toMatchObject({ negotiated: one.negotiated })
  // With a deadline: without one ping gives up on the last reply after two round trips. It sends until three came back.
  const replies = /(\d+) received/.exec(lab.run(['ping', '-c', '3', '-i', '0.1', '-w', '10', GATEWAY]))?.[1]
  expect(Number(replies), log).toBeGreaterThanOrEqual(3)
  client.kill()
  await client.ended(10)
}

describe.each(RELEASES)('TLS options with OpenVPN %s', (release) => {
  const test = it.skipIf(!releases.includes(release))

  for (const [kind, all] of BY_KIND) {
    const cases = can(all, release)
    test(`our client, ${kind}: ${cases.length} times 3 of 3 pings`, async () => {
      const tunnel = tunnelOf(kind)
      await withLab(async (lab) => {
        const server = lab.openvpn(release, 'server', serverConfig(tunnel))
        await server.seen(SERVER_READY)
        for (const one of cases) await probes(lab, server, tunnel, one)
      })
    })
  }

  test('our client, what the server’s lines decide', async () => {
    for (const one of can(BY_SERVER, release)) {
      const tunnel = tunnelOf('P-256', { server: one.lines })
      await withLab(async (lab) => {
        const server = lab.openvpn(release, 'server', serverConfig(tunnel))
        await server.seen(SERVER_READY)
        await probes(lab, server, tunnel, { ...one, lines: '' })
      })
    }
  })

  for (const [kind, all] of BY_KIND) {
    const cases = can(all, release)
    test(`our server, ${kind}: ${cases.length} clients`, async () => {
      const tunnel = tunnelOf(kind, {
        server: 'tls-cipher DEFAULT:TLS-ECDHE-ECDSA-WITH-AES-256-CBC-SHA384:TLS-ECDHE-RSA-WITH-AES-256-CBC-SHA384',
      })
      await withLab(async (lab) => {
        const server = await startServe(lab, serverConfig(tunnel))
        for (const one of cases) await connects(lab, release, server, tunnel, one)
      })
    })
  }

  test('our server, what its lines decide', async () => {
    for (const one of can(BY_SERVER, release)) {
      const tunnel = tunnelOf('P-256', { server: one.lines })
      await withLab(async (lab) => {
        const server = await startServe(lab, serverConfig(tunnel))
        await connects(lab, release, server, tunnel, { ...one, lines: '' })
      })
    }
  })
})
