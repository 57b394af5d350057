/**
 * Features of `ovpn serve` that clients of every release must find as they know them: Ethernet with bridged addresses, session
 * tokens at a renegotiation, changes pushed later, and a server that was killed and comes back.
 */
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { SERVER_READY, TRANSPORTS } from './support/configs.ts'
import { type Running, withLab } from './support/lab.ts'
import { releasesToTest } from './support/reference.ts'
import { Authority, events, eventsOf, serveConfig, startServe, type Served, withPlaces } from './support/serve.ts'

const CHILD = fileURLToPath(new URL('./support/push-update.child.ts', import.meta.url))
const releases = releasesToTest()
const authority = new Authority()
afterAll(() => {
  authority.close()
})

/** Fails with the server's words too. */
async function seen(client: Running, server: Running, pattern: RegExp = SERVER_READY, seconds = 30): Promise<void> {
  await client.seen(pattern, seconds).catch((error: unknown) => {
    throw new Error(`${String(error)}\n${server.output()}`)
  })
}

describe.skipIf(releases.length === 0)('features of a server', () => {
  it('server-bridge: an Ethernet of all releases, addresses of the bridge pool, ARP to the server and to each other', async () => {
    const lines = ['server-bridge 10.9.0.1 255.255.255.0 10.9.0.50 10.9.0.60', 'client-to-client']
    await withLab(async (lab) => {
      const server = await startServe(lab, serveConfig({ authority, lines }).replace('dev tun', 'dev tap'))
      await withPlaces(lab, releases.length, async (places) => {
        const clients = places.map((place, i) => place.openvpn(releases[i]!, `t${i}`, { authority }, ['dev tap']))
        for (const client of clients) await seen(client, server)
        await events(server, 'client-connected', releases.length, 30)
        const addresses = new Map(
          eventsOf(server, 'client-connected').map(({ name, addresses: a }) => [name, (a as { ipv4: string }).ipv4]),
        )
        expect([...addresses.values()].sort()).toEqual(releases.map((_, i) => `10.9.0.${50 + i}`))
        for (const [i, place] of places.entries()) {
          const other = addresses.get(`t${(i + 1) % places.length}`)!
          expect(place.ping(other, 5), server.output()).toBe(5)
          expect(place.run(['ip', 'neigh', 'show', other])).toContain('lladdr')
        }
      })
    })
  })

  it('auth-gen-token: the password is asked for once, the token is good at the renegotiation', async () => {
    const lines = ['server 10.9.0.0 255.255.255.0', 'auth-gen-token 600']
    await withLab(async (lab) => {
      const users = lab.file('users', releases.map((_, i) => `user${i}:secret${i}\n`).join(''))
      const server = await startServe(lab, serveConfig({ authority, lines }), '--users', users)
      await withPlaces(lab, releases.length, async (places) => {
        const clients = places.map((place, i) => {
          const login = lab.file(`login${i}`, `user${i}\nsecret${i}\n`)
          return place.openvpn(releases[i]!, `u${i}`, { authority }, [`auth-user-pass ${login}`, 'reneg-sec 4'])
        })
        for (const client of clients) await seen(client, server)
        // From here on only a token gets anybody in.
        await events(server, 'rekeyed', releases.length, 40)
        const renewed = new Set(eventsOf(server, 'rekeyed').map(({ client }) => client))
        for (let more = 2; renewed.size < releases.length && more < 12; more++) {
          await events(server, 'rekeyed', releases.length + more, 30)
          for (const { client } of eventsOf(server, 'rekeyed')) renewed.add(client)
        }
        expect(renewed.size).toBe(releases.length)
        expect(eventsOf(server, 'login').length).toBe(releases.length)
        expect(eventsOf(server, 'client-closed')).toEqual([])
        for (const place of places) expect(place.ping('10.9.0.1', 3), server.output()).toBe(3)
      })
      expect(server.output()).not.toMatch(/secret\d|SESS_ID/)
    })
  })

  it.each(TRANSPORTS)(
    '%s: the server is killed without a word; all clients are back at the next one',
    async (transport) => {
      const served: Served = {
        authority,
        transport,
        lines: ['server 10.9.0.0 255.255.255.0', 'keepalive 1 4'],
      }
      await withLab(async (lab) => {
        const config = serveConfig(served).replace('keepalive 10 60\n', '')
        const first = await startServe(lab, config)
        await withPlaces(lab, releases.length, async (places) => {
          const clients = places.map((place, i) =>
            place.openvpn(releases[i]!, `k${i}`, served, ['connect-retry 1 2', 'persist-tun']),
          )
          for (const client of clients) await seen(client, first)
          await events(first, 'client-connected', releases.length, 30)
          first.kill('SIGKILL')
          await first.ended(10).catch(() => undefined)
          const second = await startServe(lab, config)
          await events(second, 'client-connected', releases.length, 60)
          const back = eventsOf(second, 'client-connected').map(({ name }) => name)
          expect([...new Set(back)].sort()).toEqual(releases.map((_, i) => `k${i}`))
          for (const [i, place] of places.entries()) {
            await seen(clients[i]!, second, /(?:Initialization Sequence Completed[^]*){2}/)
            expect(place.ping('10.9.0.1', 3), second.output()).toBe(3)
          }
        })
      })
    },
    120_000,
  )
})

describe.skipIf(!releases.includes('2.7'))('changes pushed later', () => {
  it('PUSH_UPDATE: a 2.7 client takes a route and gives it back; 2.6 is not told', async () => {
    await withLab(async (lab) => {
      const config = lab.file('serve.conf', serveConfig({ authority }))
      const command = [process.execPath, '--import', import.meta.resolve('tsx'), CHILD, config]
      const server = lab.start('pushing server', command)
      await server.seen(/"listening"/)
      await withPlaces(lab, 2, async ([newer, older]) => {
        const routes = (): string => newer!.run(['ip', 'route', 'show'])
        const client = newer!.openvpn('2.7', 'newer', { authority })
        await seen(client, server)
        await events(server, 'client-connected', 1, 30)
        if (releases.includes('2.6')) {
          await seen(older!.openvpn('2.6', 'older', { authority }), server)
          await events(server, 'client-connected', 2, 30)
        }
        expect(newer!.ping('10.9.0.1', 3), server.output()).toBe(3)
        server.kill('SIGUSR1')
        await server.seen(/"told":1\b/)
        await expect.poll(routes, { timeout: 10_000 }).toContain('10.66.0.0/24')
        await seen(client, server, /(?:Initialization Sequence Completed[^]*){2}/)
        server.kill('SIGUSR2')
        await server.seen(/"taken-back":1\b/)
        // The client opens its device anew for each change of routes.
        await seen(client, server, /(?:Initialization Sequence Completed[^]*){3}/)
        expect(routes()).not.toContain('10.66.0.0/24')
        expect(newer!.ping('10.9.0.1', 3), client.output()).toBe(3)
      })
    })
  })
})
