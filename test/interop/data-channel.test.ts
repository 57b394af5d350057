/**
 * The data channel's formats and layers against each release that has them: our client, the reference's server or peer.
 */
import { describe, expect, it } from 'vitest'
import { soaking } from '../support/scale.ts'
import { clientConfig, generateStaticKey, PORT, SERVER_READY, serverConfig, type Tunnel } from './support/configs.ts'
import { withLab } from './support/lab.ts'
import { opensslPki } from './support/pki.ts'
import { probe, type ProbeResult } from './support/probe.ts'
import { RELEASES, type Release, releasesToTest } from './support/reference.ts'

const releases = releasesToTest()

interface Case {
  readonly name: string
  /** Releases that have it; default all. */
  readonly releases?: readonly Release[]
  readonly server?: string
  readonly client?: string
  readonly args?: readonly string[]
  readonly negotiated?: Readonly<Record<string, unknown>>
  /** Fields of the tunnel's options. */
  readonly options?: Readonly<Record<string, unknown>>
  /** The server compressed: at least so many packets came decompressed. */
  readonly decompressed?: number
  /** What the event `unprotected` says; default: there is none. */
  readonly unprotected?: Readonly<Record<string, unknown>>
  readonly edit?: (config: string, side: 'server' | 'client') => string
}

const BIG = ['--size', '1372'] as const

const CBC: readonly Case[] = ['AES-128-CBC', 'AES-192-CBC', 'AES-256-CBC'].flatMap((cipher) =>
  ['SHA1', 'SHA256', 'SHA512'].map((auth) => ({
    name: `${cipher} with ${auth}`,
    server: `data-ciphers ${cipher}\nauth ${auth}`,
    client: `data-ciphers ${cipher}\nauth ${auth}`,
    negotiated: { dataCipher: cipher, dataAuth: auth, dataFormat: 'cbc' },
  })),
)

const DIGESTS: readonly Case[] = ['MD5', 'SHA224', 'SHA384'].map((auth) => ({
  name: `AES-128-CBC with ${auth}`,
  server: `data-ciphers AES-128-CBC\nauth ${auth}`,
  client: `data-ciphers AES-128-CBC\nauth ${auth}`,
  negotiated: { dataCipher: 'AES-128-CBC', dataAuth: auth },
}))

/** The other pairs of cipher and digest, in long runs. */
const ALL_CBC: readonly Case[] = !soaking()
  ? []
  : ['AES-192-CBC', 'AES-256-CBC'].flatMap((cipher) =>
      ['MD5', 'SHA224', 'SHA384'].map((auth) => ({
        name: `${cipher} with ${auth}`,
        server: `data-ciphers ${cipher}\nauth ${auth}`,
        client: `data-ciphers ${cipher}\nauth ${auth}`,
        negotiated: { dataCipher: cipher, dataAuth: auth, dataFormat: 'cbc' },
      })),
    )

const COMPRESSION: readonly Case[] = [
  { name: 'comp-lzo no on both ends', server: 'comp-lzo no', client: 'comp-lzo no' },
  { name: 'compress (stub) on both ends', server: 'compress', client: 'compress' },
  { name: 'compress stub-v2 on both ends', server: 'compress stub-v2', client: 'compress stub-v2' },
  { name: 'compress stub-v2 pushed to a client that names none', server: 'compress stub-v2\npush "compress stub-v2"' },
  { name: 'compress stub pushed to a client that names none', server: 'compress stub\npush "compress stub"' },
  { name: 'comp-lzo no pushed to a client that names none', server: 'comp-lzo no\npush "comp-lzo no"' },
]

/** The sender compresses: only releases that still do. */
const COMPRESSED: readonly Case[] = ['lzo', 'lz4', 'lz4-v2'].map((algorithm) => ({
  name: `payloads that the server compressed with ${algorithm}`,
  releases: ['2.5', '2.6'],
  server: `allow-compression yes\ncompress ${algorithm}`,
  client: `allow-compression asym\ncompress ${algorithm}`,
  args: BIG,
  decompressed: 20,
}))

/** For routers that know no negotiation. Only 2.5 can still be told to negotiate nothing. */
const LEGACY: Case = {
  name: 'DES-EDE3-CBC as the fallback',
  releases: ['2.5'],
  server: 'ncp-disable\ncipher DES-EDE3-CBC',
  client: 'data-ciphers-fallback DES-EDE3-CBC',
  negotiated: { dataCipher: 'DES-EDE3-CBC', dataFormat: 'cbc' },
}

const NO_DIGEST: Case = {
  name: 'AES-256-CBC without a digest',
  server: 'data-ciphers AES-256-CBC\nauth none',
  client: 'data-ciphers AES-256-CBC\nauth none',
  negotiated: { dataCipher: 'AES-256-CBC', dataAuth: 'none' },
  unprotected: { encrypted: true, authenticated: false },
}

/** The server's cipher line of releases that negotiate; 2.5 is told to negotiate nothing. */
const NO_CIPHER: readonly Case[] = (['SHA256', 'none'] as const).flatMap((auth) =>
  ([['2.5'], ['2.6', '2.7']] as const).map((having) => ({
    name: `no cipher, digest ${auth}`,
    releases: having,
    server: `${having[0] === '2.5' ? 'ncp-disable\ncipher none' : 'data-ciphers none'}\nauth ${auth}`,
    client: `data-ciphers-fallback none\nauth ${auth}`,
    negotiated: { dataCipher: 'none', dataAuth: auth, dataFormat: 'none' },
    unprotected: { encrypted: false, authenticated: auth !== 'none' },
  })),
)

const PUSHED_MTU: Case = {
  name: 'an mtu that is pushed',
  releases: ['2.6', '2.7'],
  server: 'tun-mtu 1400\npush "tun-mtu 1400"',
  args: ['--size', '1340'],
  options: { mtu: 1400 },
}

const SIZES: readonly Case[] = [700, 1200].map((size) => ({
  name: `fragment ${size} with packets of 1400 bytes`,
  server: `fragment ${size}`,
  client: `fragment ${size}`,
  args: BIG,
}))

const EPOCH: Case = {
  name: 'epoch keys',
  releases: ['2.7'],
  negotiated: { dataFormat: 'epoch', keyDerivation: 'tls-ekm' },
}

const INSIDE6: Case = {
  name: 'IPv6 inside',
  server: 'server-ipv6 fd00:8::/64',
  args: ['--ping', 'fd00:8::1'],
}

const OUTSIDE6: Case = {
  name: 'IPv6 outside',
  edit: (config, side) =>
    side === 'server'
      ? config.replace('proto udp4', 'proto udp6').replace('local 127.0.0.1', 'local ::1')
      : config.replace('proto udp', 'proto udp6').replace('remote 127.0.0.1', 'remote ::1'),
}

const TAP: Case = {
  name: 'tap with ARP',
  edit: (config, side) =>
    side === 'server'
      ? config.replace('dev tun0\ndev-type tun', 'dev tap0\ndev-type tap')
      : config.replace('dev tun', 'dev tap'),
}

const TAP6: Case = {
  name: 'tap with neighbour discovery',
  server: 'server-ipv6 fd00:8::/64',
  args: ['--ping', 'fd00:8::1'],
  edit: (config, side) => TAP.edit?.(config, side) ?? config,
}

const CASES = [
  ...CBC,
  ...DIGESTS,
  ...ALL_CBC,
  ...COMPRESSION,
  ...COMPRESSED,
  ...SIZES,
  EPOCH,
  LEGACY,
  NO_DIGEST,
  ...NO_CIPHER,
  PUSHED_MTU,
  INSIDE6,
  OUTSIDE6,
  TAP,
  TAP6,
]

async function run(release: Release, kind: Case): Promise<ProbeResult & { log: string }> {
  const tunnel: Tunnel = {
    transport: 'udp',
    wrap: 'tls-crypt',
    key: generateStaticKey(),
    pki: opensslPki('P-256'),
    server: kind.server ?? '',
    client: kind.client ?? '',
  }
  const edit = kind.edit ?? ((config: string) => config)
  return await withLab(async (lab) => {
    const server = lab.openvpn(release, 'server', edit(serverConfig(tunnel), 'server'))
    await server.seen(SERVER_READY)
    const args = ['--count', '20', '--interval', '5', ...(kind.args ?? [])]
    const result = await probe(lab, edit(clientConfig(tunnel), 'client'), args)
    return { ...result, log: server.output() }
  })
}

describe.each(RELEASES)('data channel with OpenVPN %s', (release) => {
  const test = it.skipIf(!releases.includes(release))
  for (const kind of CASES) {
    if (kind.releases?.includes(release) === false) continue
    test(`${kind.name}: 20 of 20 pings`, async () => {
      const result = await run(release, kind)
      expect(result, `${result.output}\n${result.log}`).toMatchObject({
        code: 0,
        pings: 20,
        negotiated: kind.negotiated ?? {},
      })
      expect(result.events.find(({ event }) => event === 'connected')).toMatchObject({ options: kind.options ?? {} })
      const warning = result.events.find(({ event }) => event === 'unprotected')
      if (kind.unprotected === undefined) expect(warning).toBeUndefined()
      else expect(warning).toMatchObject(kind.unprotected)
      const stats = result.events.find(({ event }) => event === 'closed')?.['stats'] as { packetsDecompressed: number }
      expect(stats.packetsDecompressed).toBeGreaterThanOrEqual(kind.decompressed ?? 0)
    })
  }
})

const inline = (name: string, text: string): string => `<${name}>\n${text.trim()}\n</${name}>`

describe.each(RELEASES)('two equal ends with OpenVPN %s', (release) => {
  const test = it.skipIf(!releases.includes(release))
  const common = `proto udp4\ndev tun\nverb 4\nping 10\n`
  const peers = async (theirs: string, ours: string): Promise<void> => {
    await withLab(async (lab) => {
      const peer = lab.openvpn(
        release,
        'peer',
        `${common}local 127.0.0.1\nport ${PORT}\nifconfig 10.8.0.1 10.8.0.2\n${theirs}`,
      )
      await peer.seen(/link local|UDPv4 link|Listening/)
      const profile = `${common}remote 127.0.0.1 ${PORT}\nnobind\nifconfig 10.8.0.2 10.8.0.1\n${ours}`
      // The reference opens its tun device a second or two after the handshake: the first pings meet nobody.
      const result = await probe(lab, profile, ['--count', '30', '--interval', '150', '--require', '10'])
      expect(result, `${result.output}\n${peer.output()}`).toMatchObject({ code: 0 })
    })
  }

  const { ca, server, client } = opensslPki('P-256')

  test('TLS without push', async () => {
    // 2.5 negotiates no cipher between equal ends.
    const cipher = release === '2.5' ? 'cipher AES-256-GCM\n' : ''
    await peers(
      `${cipher}tls-server\ndh none\n${inline('ca', ca)}\n${inline('cert', server.certificate)}\n${inline('key', server.key)}`,
      `${cipher}tls-client\nremote-cert-tls server\n${inline('ca', ca)}\n${inline('cert', client.certificate)}\n${inline('key', client.key)}`,
    )
  })

  const STATIC = [
    { cipher: 'AES-256-CBC', auth: 'SHA256', direction: true, transport: 'udp' },
    { cipher: 'AES-256-CBC', auth: 'SHA256', direction: false, transport: 'udp' },
    { cipher: 'AES-128-CBC', auth: 'SHA1', direction: true, transport: 'udp' },
    { cipher: 'AES-192-CBC', auth: 'SHA512', direction: true, transport: 'tcp' },
    { cipher: 'none', auth: 'none', direction: false, transport: 'udp' },
  ] as const
  for (const { cipher, auth, direction, transport } of STATIC) {
    const how = direction ? 'a direction' : 'no direction'
    test(`static key with ${how}, ${cipher}, ${auth}, over ${transport}`, async () => {
      const key = generateStaticKey()
      const lines = `cipher ${cipher}\nauth ${auth}`
      const allow = release === '2.7' ? '\nallow-deprecated-insecure-static-crypto' : ''
      const half = (side: 0 | 1): string => (direction ? `\nkey-direction ${side}` : '')
      const proto = (side: 'server' | 'client'): string => (transport === 'tcp' ? `\nproto tcp4-${side}` : '')
      await peers(
        `${lines}${allow}\n${inline('secret', key)}${half(0)}${proto('server')}`,
        `${lines}\n${inline('secret', key)}${half(1)}${proto('client').replace('tcp4', 'tcp')}`,
      )
    })
  }
})
