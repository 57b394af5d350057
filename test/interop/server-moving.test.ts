/**
 * Connected clients of every release handed from server to server under their feet: no ping is lost, nobody connects again.
 */
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { generateStaticKey, PORT, SERVER_READY, type WrapName } from './support/configs.ts'
import { withLab } from './support/lab.ts'
import { releasesToTest } from './support/reference.ts'
import { Authority, events, eventsOf, serveConfig, type Served, withPlaces } from './support/serve.ts'

const CHILD = fileURLToPath(new URL('./support/moving.child.ts', import.meta.url))
const releases = releasesToTest()
const authority = new Authority()
afterAll(() => {
  authority.close()
})

const cells: readonly (readonly [WrapName, readonly string[]])[] = [
  ['tls-crypt', []],
  ['tls-auth', ['data-ciphers AES-256-CBC', 'auth SHA256']],
]

describe.skipIf(releases.length === 0)('clients that are moved', () => {
  it.each(cells)('%s %j: the tunnel, renegotiations and messages go on', async (wrap, lines) => {
    const served: Served = {
      authority,
      wrap,
      key: generateStaticKey(),
      lines: ['server 10.9.0.0 255.255.255.0', 'keepalive 2 20', ...lines],
    }
    await withLab(async (lab) => {
      const profile = lab.file('moving.conf', serveConfig(served))
      const tsx = import.meta.resolve('tsx')
      const server = lab.start('server', [process.execPath, '--import', tsx, CHILD, profile, String(PORT)])
      await server.seen(/"listening"/)
      await withPlaces(lab, releases.length, async (places) => {
        const own = [...lines, 'explicit-exit-notify 1']
        const clients = places.map((place, index) => place.openvpn(releases[index]!, `c${index}`, served, own))
        for (const client of clients) await client.seen(SERVER_READY)
        const move = async (times: number): Promise<void> => {
          server.kill('SIGUSR2')
          await events(server, 'moved', times)
          const { results } = eventsOf(server, 'moved').at(-1)!
          expect(results, server.output()).toEqual(releases.map(() => expect.any(Number) as unknown))
          for (const place of places) expect(place.ping('10.9.0.1', 5), server.output()).toBe(5)
        }
        await move(1)
        server.kill('SIGHUP')
        await events(server, 'rekeyed', releases.length)
        await move(2)
        for (const client of clients) {
          client.kill('SIGTERM')
          await client.ended(15)
          expect(client.output().match(new RegExp(SERVER_READY, 'g'))).toHaveLength(1)
        }
        // Farewells arrive: in the data channel, and in the control channel that moved twice.
        await events(server, 'client-closed', releases.length * 3)
        const formats = eventsOf(server, 'client-imported').map(({ format }) => String(format))
        expect(new Set(formats)).toEqual(new Set(lines.length > 0 ? ['cbc'] : ['aead', 'epoch']))
      })
    })
  })
})
