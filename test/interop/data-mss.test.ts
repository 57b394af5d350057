/**
 * `mssfix` as it is seen in SYN packets: our value beside the one that the reference writes for the same options, cipher and
 * mtu, in both directions and both families.
 *
 * A tunnel is run twice: once only we rewrite, once only the reference does. What a SYN asks for is captured on the
 * reference's tun device, what its answer asks for is read at our end.
 */
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { soaking } from '../support/scale.ts'
import { clientConfig, generateStaticKey, SERVER_READY, serverConfig, type Tunnel } from './support/configs.ts'
import { type Lab, withLab } from './support/lab.ts'
import { opensslPki } from './support/pki.ts'
import { RELEASES, type Release, releasesToTest } from './support/reference.ts'

const CHILD = fileURLToPath(new URL('./support/syn.child.ts', import.meta.url))
const releases = releasesToTest()

/** What was asked for: in SYN and SYN-ACK, inside IPv4 and IPv6. */
interface Seen {
  readonly syn4: number
  readonly syn6: number
  readonly synAck4: number
  readonly synAck6: number
}

/** Lines for both ends, and the lines about MSS for each. */
interface Case {
  readonly name: string
  readonly releases: readonly Release[]
  readonly transport?: 'udp' | 'tcp'
  readonly common?: string
  readonly mssfix: string
}

const ALL: readonly Release[] = RELEASES
const NEW: readonly Release[] = ['2.6', '2.7']

/** One of each form; 2.5 has neither the word `mtu` nor the same default. */
const CASES: readonly Case[] = [
  { name: 'nothing said', releases: NEW, mssfix: '' },
  { name: 'mssfix', releases: ['2.6'], mssfix: 'mssfix' },
  { name: 'mssfix 1300', releases: ALL, mssfix: 'mssfix 1300' },
  { name: 'mssfix 1300 mtu', releases: ['2.6'], mssfix: 'mssfix 1300 mtu' },
  { name: 'mssfix 1300 fixed', releases: ['2.6'], mssfix: 'mssfix 1300 fixed' },
  { name: 'AES-256-CBC', releases: ['2.6'], common: 'data-ciphers AES-256-CBC\nauth SHA512', mssfix: 'mssfix 1300' },
  { name: 'fragment 1200', releases: ['2.6'], common: 'fragment 1200', mssfix: '' },
  { name: 'TCP', releases: ['2.6'], transport: 'tcp', mssfix: 'mssfix 1300 mtu' },
]

/** Every cipher, form and layer that counts, in long runs. */
const MORE: readonly Case[] = ['mssfix 1300', 'mssfix 1301 mtu', 'mssfix 999 fixed', ''].flatMap((mssfix) =>
  [
    { name: 'ChaCha', common: 'data-ciphers CHACHA20-POLY1305' },
    { name: 'CBC with SHA1', common: 'data-ciphers AES-128-CBC' },
    { name: 'CBC with MD5', common: 'data-ciphers AES-192-CBC\nauth MD5' },
    { name: 'comp-lzo', common: 'comp-lzo no\nallow-compression asym' },
    { name: 'stub-v2', common: 'compress stub-v2' },
    { name: 'fragment', common: 'fragment 1200' },
    { name: 'TCP and CBC', transport: 'tcp', common: 'data-ciphers AES-256-CBC' } as const,
    { name: 'another mtu', common: 'tun-mtu 1400' },
  ].map((setting) => ({ ...setting, releases: NEW, name: `${setting.name}, ${mssfix || 'nothing said'}`, mssfix })),
)

async function seen(lab: Lab, release: Release, kind: Case, ours: string, theirs: string): Promise<Seen> {
  const common = `${kind.common ?? ''}\n`
  const tunnel: Tunnel = {
    transport: kind.transport ?? 'udp',
    wrap: 'tls-crypt',
    key: generateStaticKey(),
    pki: opensslPki('P-256'),
    server: `${common}server-ipv6 fd00:8::/64\n${theirs}`,
    client: `${common}${ours}`,
  }
  const server = lab.openvpn(release, 'server', serverConfig(tunnel))
  await server.seen(SERVER_READY)
  const filter = ['tcp', 'or', '(ip6', 'and', 'ip6[6]', '==', '6)']
  const dump = lab.start('tcpdump', ['tcpdump', '-i', 'tun0', '-n', '-l', '--immediate-mode', ...filter])
  await dump.seen(/listening on tun0/)
  const profile = lab.file('client.ovpn', clientConfig(tunnel))
  const child = lab.start('client', [process.execPath, '--import', import.meta.resolve('tsx'), CHILD, profile])
  const output = await child.seen(/"done"/, 30)
  const captured = (source: string): Promise<number> => {
    const pattern = new RegExp(`${source}\\.5000 > .*Flags \\[S\\].*\\[mss (\\d+)`)
    return dump.seen(pattern).then((text) => Number(pattern.exec(text)?.[1]))
  }
  const read = (family: 4 | 6): number =>
    Number(new RegExp(`"type":"syn-ack","family":${family},"mss":(\\d+)`).exec(output)?.[1])
  return {
    syn4: await captured('10\\.8\\.0\\.\\d+'),
    syn6: await captured('fd00:8::[0-9a-f]+'),
    synAck4: read(4),
    synAck6: read(6),
  }
}

describe.each(RELEASES)('mssfix in SYN packets beside OpenVPN %s', (release) => {
  const test = it.skipIf(!releases.includes(release))
  for (const kind of soaking() ? [...CASES, ...MORE] : CASES) {
    if (!kind.releases.includes(release)) continue
    test(`MSS-2 MSS-8 MSS-10 ${kind.name}: both ends write the same`, async () => {
      const [ours, theirs] = await Promise.all([
        withLab((lab) => seen(lab, release, kind, kind.mssfix, 'mssfix 0')),
        withLab((lab) => seen(lab, release, kind, 'mssfix 0', kind.mssfix)),
      ])
      // 2.5 leaves room for whatever cipher may be negotiated later.
      if (release === '2.5') expect(ours.syn4).toBeGreaterThanOrEqual(theirs.syn4)
      else expect(ours).toEqual(theirs)
      expect(ours.syn4).toBeGreaterThan(900)
      expect(ours.syn4).toBeLessThan(1460)
      expect(ours).toMatchObject({ syn6: ours.syn4 - 20, synAck4: ours.syn4, synAck6: ours.syn4 - 20 })
    })
  }
})
