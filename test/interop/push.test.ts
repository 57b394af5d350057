/**
 * What servers push: many routes in several parts, updates while the tunnel runs, a farewell that asks to come back.
 */
import { connect } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { clientConfig, generateStaticKey, SERVER_READY, serverConfig, type Tunnel } from './support/configs.ts'
import { withLab } from './support/lab.ts'
import { opensslPki } from './support/pki.ts'
import { probe, startProbe } from './support/probe.ts'
import { RELEASES, releasesToTest } from './support/reference.ts'

const releases = releasesToTest()
const tunnel = (server: string): Tunnel => ({
  transport: 'udp',
  wrap: 'tls-crypt',
  key: generateStaticKey(),
  pki: opensslPki('P-256'),
  server,
})

describe.each(RELEASES)('push from OpenVPN %s', (release) => {
  const test = it.skipIf(!releases.includes(release))

  test('120 routes arrive, in order', async () => {
    const routes = Array.from({ length: 120 }, (_, i) => `172.16.${i}.0`)
    await withLab(async (lab) => {
      const config = tunnel(routes.map((route) => `push "route ${route} 255.255.255.0"`).join('\n'))
      const server = lab.openvpn(release, 'server', serverConfig(config))
      await server.seen(SERVER_READY)
      const result = await probe(lab, clientConfig(config), ['--count', '20', '--interval', '5'])
      expect(result, `${result.output}\n${server.output()}`).toMatchObject({ code: 0, pings: 20 })
      const connected = result.events.find((event) => event.event === 'connected')
      const options = connected?.['options'] as { routes: { network: string; prefix: number }[] }
      expect(options.routes.map((route) => route.network)).toEqual(routes)
      expect(options.routes.every((route) => route.prefix === 24)).toBe(true)
    })
  })

  test('a stopping server with explicit-exit-notify 1 asks to reconnect', async () => {
    await withLab(async (lab) => {
      const config = tunnel('explicit-exit-notify 1')
      const server = lab.openvpn(release, 'server', serverConfig(config))
      await server.seen(SERVER_READY)
      const running = startProbe(lab, clientConfig(config), ['--count', '200', '--interval', '50'])
      await running.seen(/"event":"ping"/)
      server.kill('SIGINT')
      const result = await running.result(20)
      expect(result.events.find((event) => event.event === 'closed')).toMatchObject({ reason: 'peer-restart' })
    })
  })
})

describe('PUSH_UPDATE from OpenVPN 2.7', () => {
  it.skipIf(!releases.includes('2.7'))('routes and gateway change while the tunnel runs', async () => {
    await withLab(async (lab) => {
      const socket = join(lab.folder, 'management')
      const config = tunnel(`management ${socket} unix\npush "route 172.16.1.0 255.255.255.0"`)
      const server = lab.openvpn('2.7', 'server', serverConfig(config))
      await server.seen(SERVER_READY)
      const running = startProbe(lab, clientConfig(config), ['--count', '60', '--interval', '50'])
      await running.seen(/"event":"ping"/)
      const management = connect(socket)
      management.write('push-update-broad "route 172.16.2.0 255.255.255.0,-dns"\n')
      const result = await running.result(20)
      management.destroy()
      const updated = result.events.find((event) => event.event === 'options-updated')
      expect(updated, `${result.output}\n${server.output()}`).toBeDefined()
      const options = updated?.['options'] as { routes: { network: string }[] }
      expect(options.routes.map((route) => route.network)).toEqual(['172.16.2.0'])
      expect(result).toMatchObject({ code: 0, pings: 60 })
    })
  })
})
