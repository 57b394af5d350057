/**
 * `ovpn serve --tun`: a real device at the server's end, with a network behind it and one behind a client.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { soaking } from '../support/scale.ts'
import { SERVER_READY } from './support/configs.ts'
import { withLab } from './support/lab.ts'
import { pingFrom } from './support/ping.ts'
import { releasesToTest } from './support/reference.ts'
import { Authority, eventsOf, serveConfig, startServe, withPlaces } from './support/serve.ts'

const releases = soaking() ? releasesToTest() : releasesToTest().slice(-1)
const authority = new Authority()
afterAll(() => {
  authority.close()
})

describe.skipIf(releases.length === 0)('a real device', () => {
  it.each(releases)(
    'has the server’s addresses and routes, carries both ways to OpenVPN %s, and is gone at the end',
    async (release) => {
      await withLab(async (lab) => {
        const clients = join(lab.folder, 'ccd')
        mkdirSync(clients)
        writeFileSync(join(clients, 'c0'), 'iroute 10.77.0.0 255.255.255.0\niroute-ipv6 fd77::/64\n')
        const lines = [
          'server 10.9.0.0 255.255.255.0',
          'server-ipv6 fd00:9::/64',
          'route 10.77.0.0 255.255.255.0',
          'route-ipv6 fd77::/64',
          `client-config-dir ${clients}`,
          'push "route 10.88.0.0 255.255.255.0"',
        ]
        const server = await startServe(lab, serveConfig({ authority, lines }), '--tun')
        const [device] = eventsOf(server, 'device')
        const inLab = (...args: readonly string[]): string => lab.run(['ip', ...args])
        expect(inLab('-4', 'addr', 'show', 'dev', String(device!['name']))).toContain('10.9.0.1/24')
        expect(inLab('-6', 'addr', 'show', 'dev', String(device!['name']))).toContain('fd00:9::1/64')
        inLab('addr', 'add', '10.88.0.1/24', 'dev', 'lo')
        await withPlaces(lab, 1, async (places) => {
          const [place] = places
          place!.run(['ip', 'addr', 'add', '10.77.0.1/24', 'dev', 'lo'])
          place!.run(['ip', '-6', 'addr', 'add', 'fd77::1/64', 'dev', 'lo'])
          await place!.openvpn(release, 'c0', { authority }).seen(SERVER_READY)
          await server.seen(/"client-connected"/)
          expect(place!.ping('10.9.0.1', 5), server.output()).toBe(5)
          expect(place!.ping('10.88.0.1', 3)).toBe(3)
          expect(place!.ping('fd00:9::1', 3, '-6')).toBe(3)
          expect(pingFrom(lab.namespace, '10.77.0.1', 3)).toBe(3)
          expect(pingFrom(lab.namespace, 'fd77::1', 3, '-6')).toBe(3)
        })
        server.kill('SIGTERM')
        expect((await server.ended(10)).code).toBe(0)
        expect(inLab('link', 'show')).not.toContain(`${String(device!['name'])}:`)
        expect(inLab('-4', 'route', 'show')).not.toContain('10.77.0.0')
      })
    },
  )
})
