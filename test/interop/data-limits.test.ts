/**
 * Data keys and packet forms that a server decides: epochs forced to change under traffic, and clients without a peer-id.
 * Our server-role `Session`, the reference's client; what is on the wire is captured and read.
 */
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import type { SessionConfig } from '../../src/session/index.ts'
import { soaking } from '../support/scale.ts'
import { startCapture } from './support/capture.ts'
import { clientConfig, generateStaticKey, PORT, SERVER_READY, type Tunnel } from './support/configs.ts'
import { type Lab, type Running, withLab } from './support/lab.ts'
import { opensslPki } from './support/pki.ts'
import { pingFrom } from './support/ping.ts'
import { RELEASES, type Release, releasesToTest } from './support/reference.ts'
import type { ServeOne } from './support/serve-one.child.ts'

const CHILD = fileURLToPath(new URL('./support/serve-one.child.ts', import.meta.url))
const DATA_V1 = 6
const DATA_V2 = 9
const releases = releasesToTest()

/** UDP payloads out of what `tcpdump -x` prints; IPv4 without options. */
function payloadsOf(dump: string): { readonly toServer: boolean; readonly bytes: Uint8Array }[] {
  const packets = dump.split(/^(?=\d\d:\d\d:)/m).filter((text) => text.includes('0x0000:'))
  return packets.map((text) => {
    const hex = [...text.matchAll(/0x[0-9a-f]{4}:((?: +[0-9a-f]+)+)/g)]
      .map((line) => line[1]!.replaceAll(' ', ''))
      .join('')
    const bytes = Uint8Array.from(Buffer.from(hex, 'hex'))
    return { toServer: ((bytes[22]! << 8) | bytes[23]!) === PORT, bytes: bytes.slice(28) }
  })
}

/** Our server for one client, once it listens. */
async function startServer(lab: Lab, { key, pki }: Tunnel, session: Partial<SessionConfig>): Promise<Running> {
  const { certificate, key: privateKey } = pki.server
  const common = { transport: 'udp', wrap: 'tls-crypt', port: PORT } as const
  const asked: ServeOne = { ...common, key, ca: pki.ca, certificate, privateKey, session }
  const file = lab.file('serve.json', JSON.stringify(asked))
  const server = lab.start('server', [process.execPath, '--import', import.meta.resolve('tsx'), CHILD, file])
  await server.seen(/"listening"/)
  return server
}

/** Pings from the reference's client through our server, and every data packet that was on the wire. */
async function capture(
  release: Release,
  session: Partial<SessionConfig>,
  client: string,
  pings: number,
): Promise<{ readonly replies: number; readonly data: ReturnType<typeof payloadsOf>; readonly log: string }> {
  const pki = opensslPki('P-256')
  const tunnel: Tunnel = { transport: 'udp', wrap: 'tls-crypt', key: generateStaticKey(), pki, client }
  return await withLab(async (lab) => {
    const server = await startServer(lab, tunnel, session)
    const captured = `${lab.folder}/packets.pcap`
    const dump = await startCapture(lab, 'lo', captured, 'udp', 'port', String(PORT))
    const running = lab.openvpn(release, 'client', `${clientConfig(tunnel)}\nverb 4\n`)
    await running.seen(SERVER_READY)
    const replies = pingFrom(lab.namespace, '10.9.0.1', pings, '-i', '0.01')
    dump.kill('SIGINT')
    await dump.ended()
    const data = payloadsOf(lab.run(['tcpdump', '-r', captured, '-n', '-x'])).filter(({ bytes }) =>
      [DATA_V1, DATA_V2].includes(bytes[0]! >> 3),
    )
    return { replies, data, log: `${running.output()}\n${server.output()}` }
  })
}

describe('epoch keys with OpenVPN 2.7', () => {
  it.skipIf(!releases.includes('2.7'))('both ends go through many epochs under traffic: 200 of 200 pings', async () => {
    // A ping of 84 bytes counts 7: a new epoch after eight packets.
    const { replies, data, log } = await capture('2.7', { counterStart: { usageLimit: 64 } }, '', 200)
    expect(replies, log).toBe(200)
    for (const toServer of [true, false]) {
      const epochs = new Set(
        data.filter((packet) => packet.toServer === toServer).map(({ bytes }) => (bytes[4]! << 8) | bytes[5]!),
      )
      expect(epochs.size).toBeGreaterThanOrEqual(20)
    }
  })
})

describe.each(RELEASES)('clients without a peer-id, OpenVPN %s', (release) => {
  it.skipIf(!releases.includes(release))('both ends send DATA_V1: 50 of 50 pings', async () => {
    const push = {
      options: ['route-gateway 10.9.0.1', 'topology subnet'],
      ifconfig: '10.9.0.2 255.255.255.0',
    }
    const { replies, data, log } = await capture(release, { push }, '', 50)
    expect(replies, log).toBe(50)
    expect(data.length).toBeGreaterThanOrEqual(100)
    expect(new Set(data.map(({ bytes }) => bytes[0]! >> 3))).toEqual(new Set([DATA_V1]))
  })
})

// The reference takes three to four minutes for it, so all releases do it at once.
describe.skipIf(!soaking())('mtu-test', () => {
  it.concurrent.each(releases)('DATA-33 OpenVPN %s finds every size that it tried, both ways', async (release) => {
    const pki = opensslPki('P-256')
    const tunnel: Tunnel = { transport: 'udp', wrap: 'tls-crypt', key: generateStaticKey(), pki, client: 'mtu-test' }
    await withLab(async (lab) => {
      const server = await startServer(lab, tunnel, {})
      const running = lab.openvpn(release, 'client', `${clientConfig(tunnel)}\nverb 4\n`)
      await running.seen(SERVER_READY)
      const done =
        /Empirical MTU test completed \[Tried,Actual\] local->remote=\[(\d+),(\d+)\] remote->local=\[(\d+),(\d+)\]/
      const output = await running.seen(done, 300)
      const [triedOut, out, triedIn, came] = (done.exec(output) ?? []).slice(1).map(Number)
      expect([out, came], `${output}\n${server.output()}`).toEqual([triedOut, triedIn])
      expect(out).toBeGreaterThan(1500)
    })
  })
})
