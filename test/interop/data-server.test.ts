/**
 * The data channel's formats and layers with the ends changed: the reference's client, our server-role session.
 */
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import type { SessionConfig } from '../../src/session/index.ts'
import { soaking } from '../support/scale.ts'
import { clientConfig, generateStaticKey, PORT, SERVER_READY, type Tunnel } from './support/configs.ts'
import { withLab } from './support/lab.ts'
import { opensslPki } from './support/pki.ts'
import { RELEASES, type Release, releasesToTest } from './support/reference.ts'
import type { ServeOne } from './support/serve-one.child.ts'

const CHILD = fileURLToPath(new URL('./support/serve-one.child.ts', import.meta.url))
const releases = releasesToTest()

/** What the server is told, the lines of the client, and what must have happened. */
interface Case {
  readonly name: string
  readonly releases?: readonly Release[]
  readonly session: Partial<SessionConfig>
  readonly client: string
  /** Fields of what was negotiated. */
  readonly negotiated?: Readonly<Record<string, unknown>>
  /** At least so many packets came compressed. */
  readonly decompressed?: number
  /** Only in long runs. */
  readonly long?: boolean
}

const cbc = (cipher: string, auth: NonNullable<SessionConfig['auth']>, long: boolean): Case => ({
  name: `${cipher} with ${auth}`,
  session: { dataCiphers: [cipher], auth },
  client: `data-ciphers ${cipher}\nauth ${auth}`,
  negotiated: { dataCipher: cipher, dataAuth: auth },
  long,
})

const aead = (cipher: string): Case => ({
  name: cipher,
  session: { dataCiphers: [cipher] },
  client: `data-ciphers ${cipher}`,
  negotiated: { dataCipher: cipher },
  long: true,
})

const CASES: readonly Case[] = [
  cbc('AES-256-CBC', 'SHA256', false),
  ...['AES-128-CBC', 'AES-192-CBC', 'AES-256-CBC'].flatMap((cipher) =>
    (['MD5', 'SHA1', 'SHA224', 'SHA384', 'SHA512'] as const).map((auth) => cbc(cipher, auth, true)),
  ),
  ...['AES-128-GCM', 'AES-192-GCM', 'CHACHA20-POLY1305'].map(aead),
  {
    name: 'fragment 700 with comp-lzo',
    session: { fragment: 700, compression: 'comp-lzo' },
    client: 'fragment 700\ncomp-lzo no',
  },
  { name: 'fragment 1200', session: { fragment: 1200 }, client: 'fragment 1200', long: true },
  { name: 'compress (stub)', session: { compression: 'stub' }, client: 'compress', long: true },
  { name: 'compress stub-v2', session: { compression: 'stub-v2' }, client: 'compress stub-v2', long: true },
  {
    name: 'no cipher',
    releases: ['2.6', '2.7'],
    session: { dataCiphersFallback: 'none', allowInsecure: true, auth: 'SHA256' },
    client: 'data-ciphers none\nauth SHA256',
    negotiated: { dataCipher: 'none', dataAuth: 'SHA256' },
    long: true,
  },
  ...(['lzo', 'lz4', 'lz4-v2'] as const).map((algorithm) => ({
    name: `payloads that the client compressed with ${algorithm}`,
    releases: ['2.5', '2.6'] as const,
    session: { compression: algorithm, allowCompression: 'asym' } as const,
    client: `allow-compression yes\ncompress ${algorithm}`,
    decompressed: 40,
    long: algorithm !== 'lz4-v2',
  })),
]

async function run(release: Release, kind: Case): Promise<void> {
  const pki = opensslPki('P-256')
  const { ca, server } = pki
  const tunnel: Tunnel = {
    transport: 'udp',
    wrap: 'tls-crypt',
    key: generateStaticKey(),
    pki,
    client: kind.client,
  }
  await withLab(async (lab) => {
    const asked: ServeOne = {
      ...{ transport: 'udp', wrap: 'tls-crypt', key: tunnel.key, ca, port: PORT },
      ...{ certificate: server.certificate, privateKey: server.key, session: kind.session },
    }
    const file = lab.file('serve.json', JSON.stringify(asked))
    const serving = lab.start('server', [process.execPath, '--import', import.meta.resolve('tsx'), CHILD, file])
    await serving.seen(/"listening"/)
    const running = lab.openvpn(release, 'client', `${clientConfig(tunnel)}\nverb 4\nexplicit-exit-notify 1\n`)
    await running.seen(SERVER_READY)
    const output = lab.run(['ping', '-c', '50', '-i', '0.01', '-W', '2', '-s', '1372', '10.9.0.1'])
    const said = `${running.output()}\n${serving.output()}`
    expect(Number(/(\d+) received/.exec(output)?.[1]), said).toBe(50)
    running.kill('SIGTERM')
    const lines = (await serving.seen(/"type":"stats"/)).split('\n').filter((line) => line.startsWith('{'))
    const events = lines.map(
      (line) => JSON.parse(line) as { type: string; negotiated?: unknown; packetsDecompressed?: number },
    )
    expect(events.find(({ type }) => type === 'connected')).toMatchObject({ negotiated: kind.negotiated ?? {} })
    const decompressed = events.find(({ type }) => type === 'stats')?.packetsDecompressed
    expect(decompressed).toBeGreaterThanOrEqual(kind.decompressed ?? 0)
  })
}

describe.each(RELEASES)('data channel of our server with OpenVPN %s', (release) => {
  const test = it.skipIf(!releases.includes(release))
  for (const kind of CASES) {
    if (kind.releases?.includes(release) === false || (kind.long === true && !soaking())) continue
    test(`${kind.name}: 50 of 50 pings of 1,400 bytes`, async () => {
      await run(release, kind)
    })
  }
})
