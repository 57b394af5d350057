/**
 * What `ovpn serve` gives and refuses clients of every release one by one: addresses, networks behind them, options of their
 * own, names, and places.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { PORT, SERVER_READY } from './support/configs.ts'
import { type Running, withLab } from './support/lab.ts'
import { releasesToTest } from './support/reference.ts'
import { Authority, events, eventsOf, serveConfig, startServe, type Served, withPlaces } from './support/serve.ts'

const releases = releasesToTest()
const authority = new Authority()
afterAll(() => {
  authority.close()
})

/** Fails with the server's words too. */
async function ready(client: Running, server: Running): Promise<void> {
  await client.seen(SERVER_READY, 30).catch((error: unknown) => {
    throw new Error(`${String(error)}\n${server.output()}`)
  })
}

/** Tunnel addresses by name, as the server gave them. */
function addressesOf(server: Running): ReadonlyMap<unknown, { readonly ipv4?: string; readonly ipv6?: string }> {
  return new Map(eventsOf(server, 'client-connected').map(({ addresses, name }) => [name, addresses as object]))
}

describe.skipIf(releases.length === 0)('what clients are given one by one', () => {
  it.each(releases)(
    'OpenVPN %s: pushed addresses, networks behind it, checked sources, options of its own, a lease kept, a name kept out',
    async (release) => {
      await withLab(async (lab) => {
        const files = join(lab.folder, 'ccd')
        mkdirSync(files)
        const file = (name: string, ...lines: string[]): void => {
          writeFileSync(join(files, name), `${lines.join('\n')}\n`)
        }
        file(
          'gate',
          'ifconfig-push 10.9.0.77 255.255.255.0',
          'ifconfig-ipv6-push fd00:9::77/64 fd00:9::1',
          'iroute 10.77.0.0 255.255.255.0',
          'iroute-ipv6 fd77::/64',
        )
        file('plain', 'push-reset', 'push "topology subnet"', 'push "route 10.66.0.0 255.255.255.0"')
        file('DEFAULT', 'push-remove "route 10.88"')
        file('out', 'disable')
        const leases = lab.file('leases', 'kept,10.9.0.200,\n')
        const lines = [
          'server 10.9.0.0 255.255.255.0',
          'server-ipv6 fd00:9::/64',
          'topology subnet',
          'client-to-client',
          `client-config-dir ${files}`,
          `ifconfig-pool-persist ${leases}`,
          'push "route 10.77.0.0 255.255.255.0"',
          'push "route-ipv6 fd77::/64"',
          'push "route 10.88.0.0 255.255.255.0"',
        ]
        const server = await startServe(lab, serveConfig({ authority, lines }))
        await withPlaces(lab, 4, async (places) => {
          const [gate, plain, kept, out] = places
          gate!.run(['ip', 'addr', 'add', '10.77.0.1/24', 'dev', 'lo'])
          gate!.run(['ip', '-6', 'addr', 'add', 'fd77::1/64', 'dev', 'lo'])
          const names = ['gate', 'plain', 'kept'] as const
          const clients = names.map((name, i) => places[i]!.openvpn(release, name, { authority }))
          const refused = out!.openvpn(release, 'out', { authority })
          for (const client of clients) await ready(client, server)
          await refused.seen(/AUTH_FAILED/, 30)
          await events(server, 'client-connected', names.length)
          const given = addressesOf(server)
          expect([...given.keys()].sort()).toEqual([...names].sort())
          // ifconfig-push, ifconfig-ipv6-push, ifconfig-pool-persist
          expect(given.get('gate')).toEqual({ ipv4: '10.9.0.77', ipv6: 'fd00:9::77' })
          expect(gate!.run(['ip', 'addr', 'show'])).toMatch(/10\.9\.0\.77\/24[^]*fd00:9::77\/64/)
          expect(given.get('kept')!.ipv4).toBe('10.9.0.200')
          // push-remove of DEFAULT, push-reset
          const routes = (i: number): string => places[i]!.run(['ip', '-4', 'route', 'show'])
          expect(routes(0)).toContain('10.88.0.0/24')
          expect(routes(1)).toContain('10.66.0.0/24')
          expect(routes(1)).not.toMatch(/10\.(?:77|88)\.0\.0\/24/)
          expect(routes(2)).toContain('10.77.0.0/24')
          expect(routes(2)).not.toMatch(/10\.(?:66|88)\.0\.0\/24/)
          // iroute, iroute-ipv6
          expect(kept!.ping('10.77.0.1', 3), server.output()).toBe(3)
          expect(kept!.ping('fd77::1', 3, '-6')).toBe(3)
          // A source that is not the client's own goes nowhere; one of its networks does.
          expect(gate!.ping('10.9.0.1', 3, '-I', '10.77.0.1')).toBe(3)
          plain!.run(['ip', 'addr', 'add', '10.77.0.9/32', 'dev', 'lo'])
          expect(plain!.ping('10.9.0.1', 3)).toBe(3)
          expect(plain!.ping('10.9.0.1', 3, '-I', '10.77.0.9')).toBe(0)
          expect(plain!.ping('10.9.0.1', 3), server.output()).toBe(3)
        })
        server.kill('SIGTERM')
        await server.ended(10)
        expect(readFileSync(leases, 'utf8')).toMatch(/^kept,10\.9\.0\.200,/m)
      })
    },
    90_000,
  )
})

describe.skipIf(releases.length === 0)('names and places', () => {
  it('UDP and TCP sockets of one server, the newest of a name, and max-clients', async () => {
    const sockets = [`local 0.0.0.0 ${PORT} udp4`, `local 0.0.0.0 ${PORT} tcp4-server`]
    const lines = ['server 10.9.0.0 255.255.255.0', 'topology subnet', `max-clients ${releases.length + 1}`, ...sockets]
    const tcp: Served = { authority, transport: 'tcp' }
    await withLab(async (lab) => {
      const server = await startServe(lab, serveConfig({ authority, lines }))
      await withPlaces(lab, releases.length + 2, async (places) => {
        const farewell = ['explicit-exit-notify 1']
        const clients = releases.map((release, i) =>
          i % 2 === 0
            ? places[i]!.openvpn(release, `n${i}`, { authority }, farewell)
            : places[i]!.openvpn(release, `n${i}`, tcp),
        )
        const extra = places.at(-2)!.openvpn(releases.at(-1)!, 'extra', { authority }, farewell)
        for (const client of [...clients, extra]) await ready(client, server)
        for (const [i] of releases.entries()) expect(places[i]!.ping('10.9.0.1', 3), server.output()).toBe(3)
        await events(server, 'client-connected', releases.length + 1)
        const used = eventsOf(server, 'client-connected').length
        expect(used).toBe(releases.length + 1)
        // All places are taken: one more waits until somebody goes.
        const late = places.at(-1)!.openvpn(releases.at(-1)!, 'late', { authority }, ['hand-window 10'])
        await late.seen(/UDPv4 link remote|TCP\/UDP: Preserving/, 20)
        await expect(late.seen(SERVER_READY, 4)).rejects.toThrow('not within')
        expect(eventsOf(server, 'client-connected').length).toBe(used)
        clients[0]!.kill()
        await ready(late, server)
        expect(places.at(-1)!.ping('10.9.0.1', 3), server.output()).toBe(3)
        // The same name from elsewhere takes the place of the one who is there.
        late.kill('SIGKILL')
        await late.ended(10).catch(() => undefined)
        extra.kill()
        await server.seen(/"client-closed"[^\n]*"extra"/)
        await ready(places[0]!.openvpn(releases[0]!, 'late', { authority }), server)
        await server.seen(/"replaced"/)
        expect(places[0]!.ping('10.9.0.1', 3), server.output()).toBe(3)
        const closed = eventsOf(server, 'client-closed').map(({ name }) => name)
        expect(closed).toEqual(['n0', 'extra', 'late'])
      })
    })
  }, 120_000)

  it('duplicate-cn, username-as-common-name and no certificate of the client', async () => {
    const lines = [
      'server 10.9.0.0 255.255.255.0',
      'topology subnet',
      'duplicate-cn',
      'verify-client-cert optional',
      'username-as-common-name',
      'management-client-auth',
    ]
    await withLab(async (lab) => {
      const users = lab.file('users', 'ada:secret\n')
      const login = lab.file('login', 'ada\nsecret\n')
      const server = await startServe(lab, serveConfig({ authority, lines }), '--users', users)
      await withPlaces(lab, releases.length, async (places) => {
        const clients = releases.map((release, i) =>
          places[i]!.openvpn(release, `u${i}`, { authority }, [`auth-user-pass ${login}`]),
        )
        for (const client of clients) await ready(client, server)
        for (const place of places) expect(place.ping('10.9.0.1', 3), server.output()).toBe(3)
        await events(server, 'client-connected', releases.length)
        const connected = eventsOf(server, 'client-connected')
        expect(connected.map(({ name }) => name)).toEqual(releases.map(() => 'ada'))
        expect(new Set(connected.map(({ addresses }) => (addresses as { ipv4: string }).ipv4)).size).toBe(
          releases.length,
        )
        expect(eventsOf(server, 'client-closed')).toEqual([])
      })
    })
  }, 60_000)
})
