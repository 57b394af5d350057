/**
 * The other way round: the reference client of each release connects to a server-role `Session` and pings it through its
 * own tun device.
 */
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import {
  clientConfig,
  generateStaticKey,
  PORT,
  SERVER_READY,
  TRANSPORTS,
  type Tunnel,
  WRAPS,
} from './support/configs.ts'
import { type Lab, type Running, withLab } from './support/lab.ts'
import { pingFrom } from './support/ping.ts'
import { opensslPki } from './support/pki.ts'
import { RELEASES, releasesToTest } from './support/reference.ts'
import type { ServeOne } from './support/serve-one.child.ts'

const CHILD = fileURLToPath(new URL('./support/serve-one.child.ts', import.meta.url))
const GATEWAY = '10.9.0.1'

async function serveOne(lab: Lab, tunnel: Tunnel): Promise<Running> {
  const { transport, key, pki } = tunnel
  const wrap = tunnel.wrap as ServeOne['wrap']
  const { certificate, key: privateKey } = pki.server
  const asked: ServeOne = { transport, wrap, key, ca: pki.ca, certificate, privateKey, port: PORT }
  const running = lab.start('server-role session', [
    process.execPath,
    '--import',
    import.meta.resolve('tsx'),
    CHILD,
    lab.file('serve.json', JSON.stringify(asked)),
  ])
  await running.seen(/"listening"/)
  return running
}

const releases = releasesToTest()

describe.each(RELEASES)('OpenVPN %s as client of a server-role Session', (release) => {
  for (const transport of TRANSPORTS) {
    it.skipIf(!releases.includes(release)).each(WRAPS)(`${transport}, %s: 20 of 20 pings`, async (wrap) => {
      const tunnel: Tunnel = {
        transport,
        wrap,
        key: wrap === 'none' ? '' : generateStaticKey(),
        pki: opensslPki('P-256'),
        client: 'verb 4',
      }
      await withLab(async (lab) => {
        const server = await serveOne(lab, tunnel)
        const client = lab.openvpn(release, 'client', clientConfig(tunnel))
        await client.seen(SERVER_READY).catch((error: unknown) => {
          throw new Error(`${String(error)}\n${server.output()}`)
        })
        expect(pingFrom(lab.namespace, GATEWAY, 20), server.output()).toBe(20)
        expect(pingFrom(lab.namespace, GATEWAY, 5, '-s', '1372')).toBe(5)
      })
    })
  }
})
