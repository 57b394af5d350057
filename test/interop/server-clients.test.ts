/**
 * `ovpn serve` with clients of every release at once: each in a namespace of its own with its own tun device.
 */
import { afterAll, describe, expect, it } from 'vitest'
import { generate, generateStaticKey, SERVER_READY, TRANSPORTS, type WrapName } from './support/configs.ts'
import { withLab } from './support/lab.ts'
import { releasesToTest } from './support/reference.ts'
import { Authority, events, eventsOf, serveConfig, startServe, type Served, withPlaces } from './support/serve.ts'

const releases = releasesToTest()
const authority = new Authority()
afterAll(() => {
  authority.close()
})

describe.skipIf(releases.length === 0)('clients of all releases at once', () => {
  const cells: (readonly [WrapName, (typeof TRANSPORTS)[number], string])[] = [
    ['none', 'udp', 'subnet'],
    ['tls-auth', 'udp', 'net30'],
    ['tls-crypt', 'udp', 'p2p'],
    ['none', 'tcp', 'net30'],
    ['tls-crypt', 'tcp', 'subnet'],
    ['tls-auth', 'tcp', 'p2p'],
  ]
  it.each(cells)(
    '%s over %s, %s: pings to the server and to each other, IPv4 and IPv6',
    async (wrap, transport, topology) => {
      const served: Served = {
        authority,
        wrap,
        transport,
        key: wrap === 'none' ? '' : generateStaticKey(),
        lines: [
          'server 10.9.0.0 255.255.255.0',
          'server-ipv6 fd00:9::/64',
          `topology ${topology}`,
          'client-to-client',
          'push "route 10.9.0.0 255.255.255.0"',
        ].filter((line) => topology !== 'subnet' || !line.startsWith('push')),
      }
      await withLab(async (lab) => {
        const server = await startServe(lab, serveConfig(served))
        await withPlaces(lab, releases.length, async (places) => {
          const clients = places.map((place, index) => place.openvpn(releases[index]!, `c${index}`, served))
          for (const client of clients) {
            await client.seen(SERVER_READY).catch((error: unknown) => {
              throw new Error(`${String(error)}\n${server.output()}`)
            })
          }
          await events(server, 'client-connected', releases.length)
          const connected = eventsOf(server, 'client-connected')
          const addresses = new Map(
            connected.map(({ addresses: a, name }) => [name, a as { ipv4: string; ipv6: string }]),
          )
          expect(addresses.size).toBe(releases.length)
          expect(new Set([...addresses.values()].map(({ ipv4 }) => ipv4)).size).toBe(releases.length)
          for (const [index, place] of places.entries()) {
            expect(place.ping('10.9.0.1', 10), server.output()).toBe(10)
            expect(place.ping('fd00:9::1', 3, '-6')).toBe(3)
            const other = addresses.get(`c${(index + 1) % places.length}`)!
            expect(place.ping(other.ipv4, 3), `${index} to ${other.ipv4}`).toBe(3)
            expect(place.ping(other.ipv6, 3, '-6')).toBe(3)
          }
        })
      })
    },
  )

  it('tls-crypt-v2 beside tls-crypt: each client with its own kind of key', async () => {
    const serverKey = generate('2.6', 'tls-crypt-v2-server')
    const shared = generateStaticKey()
    await withLab(async (lab) => {
      const keyFile = lab.file('v2.key', serverKey)
      const clientKey = generate('2.6', 'tls-crypt-v2-client', '--tls-crypt-v2', keyFile)
      const served: Served = { authority, wrap: 'tls-crypt-v2', key: serverKey }
      const config = `${serveConfig(served)}\n<tls-crypt>\n${shared.trim()}\n</tls-crypt>\n`
      const server = await startServe(lab, config)
      await withPlaces(lab, releases.length + 1, async (places) => {
        const clients = releases.map((release, index) =>
          places[index]!.openvpn(release, `c${index}`, served, [], clientKey),
        )
        const older: Served = { authority, wrap: 'tls-crypt', key: shared }
        clients.push(places.at(-1)!.openvpn(releases[0]!, 'older', older))
        for (const client of clients) {
          await client.seen(SERVER_READY).catch((error: unknown) => {
            throw new Error(`${String(error)}\n${server.output()}`)
          })
        }
        for (const place of places) expect(place.ping('10.9.0.1', 5), server.output()).toBe(5)
      })
    })
  })
})
