/**
 * What happens to clients of `ovpn serve` over time: passwords decided late, revocation, another source address, a crowd, and
 * a server that is started again.
 */
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { generateStaticKey, PORT, SERVER_READY } from './support/configs.ts'
import { type Running, withLab } from './support/lab.ts'
import { scaled, soaking } from '../support/scale.ts'
import { releasesToTest } from './support/reference.ts'
import { Authority, events, eventsOf, serveConfig, startServe, type Served, withPlaces } from './support/serve.ts'

const releases = releasesToTest()
/** One release in the default run, all of them in a long one. */
const some = soaking() ? releases : releases.slice(-1)
/** Datagrams of a client after which its relay has another port: more than a handshake takes. */
const REBIND_AFTER = 40
const RELAY = fileURLToPath(new URL('./support/relay.child.ts', import.meta.url))
/** Clients of a crowd. */
const COUNT = scaled(8, 50)
const authority = new Authority()
afterAll(() => {
  authority.close()
})

/** Fails with the server's words too. */
async function ready(client: Running, server: Running, seconds = 20): Promise<void> {
  await client.seen(SERVER_READY, seconds).catch((error: unknown) => {
    throw new Error(`${String(error)}\n${server.output()}`)
  })
}

describe.skipIf(releases.length === 0)('clients over time', () => {
  it('password decided a second later, a wrong one refused', async () => {
    const lines = ['server 10.9.0.0 255.255.255.0']
    await withLab(async (lab) => {
      const users = lab.file('users', 'ada:secret\n')
      const server = await startServe(lab, serveConfig({ authority, lines }), '--users', users, '--defer', '1000')
      await withPlaces(lab, releases.length, async (places) => {
        const good = lab.file('good', 'ada\nsecret\n')
        const bad = lab.file('bad', 'ada\nwrong\n')
        for (const [index, release] of releases.entries()) {
          const served: Served = { authority, lines }
          const refused = places[index]!.openvpn(release, `b${index}`, served, [`auth-user-pass ${bad}`])
          await refused.seen(/AUTH_FAILED/)
          refused.kill()
          const client = places[index]!.openvpn(release, `g${index}`, served, [`auth-user-pass ${good}`])
          await ready(client, server)
          expect(places[index]!.ping('10.9.0.1', 3)).toBe(3)
          client.kill()
        }
      })
      expect(eventsOf(server, 'login').length).toBe(2 * releases.length)
      expect(server.output()).not.toContain('secret')
    })
  })

  it.each(some)('OpenVPN %s: a revoked certificate is refused, and let in again with a new list', async (release) => {
    await withLab(async (lab) => {
      const list = lab.file('crl.pem', authority.crl('mallory'))
      const served: Served = { authority, lines: ['server 10.9.0.0 255.255.255.0', `crl-verify ${list}`] }
      const server = await startServe(lab, serveConfig(served))
      await withPlaces(lab, 1, async ([place]) => {
        const client = place!.openvpn(release, 'mallory', served, ['hand-window 10', 'connect-timeout 3'])
        await server.seen(/"problem":"revoked"/)
        lab.file('crl.pem', authority.crl())
        await ready(client, server, 30)
        expect(place!.ping('10.9.0.1', 3)).toBe(3)
      })
    })
  })

  it.each(some)('OpenVPN %s: a client whose source port changes stays connected', async (release) => {
    const served: Served = { authority, wrap: 'tls-crypt', key: generateStaticKey() }
    await withLab(async (lab) => {
      const server = await startServe(lab, serveConfig(served))
      await withPlaces(lab, 1, async ([place]) => {
        const numbers = [PORT, PORT, 1, 0, 0, 0, 0, place!.server, 0, REBIND_AFTER].map(String)
        const relaying = [process.execPath, '--import', import.meta.resolve('tsx'), RELAY, ...numbers]
        const relay = lab.start('relay', ['ip', 'netns', 'exec', place!.namespace, ...relaying])
        await relay.seen(/relaying/)
        const client = place!.openvpn(release, 'nat', served, [], undefined, '127.0.0.1')
        await ready(client, server)
        // Sends until the relay has another port, and on.
        let answered = 0
        for (let round = 0; round < 20 && !relay.output().includes('rebound'); round++)
          answered += place!.ping('10.9.0.1', 20)
        await relay.seen(/rebound/)
        expect(answered).toBeGreaterThan(0)
        expect(place!.ping('10.9.0.1', 10), server.output()).toBe(10)
        await server.seen(/"client-floated"/)
        const floats = eventsOf(server, 'client-floated') as readonly { from: string; to: string }[]
        expect(floats.length).toBe(1)
        const [{ from, to }] = floats as [{ from: string; to: string }]
        expect(from.split(' ')[0]).toBe(to.split(' ')[0])
        expect(from).not.toBe(to)
        expect(eventsOf(server, 'client-connected').length).toBe(1)
        expect(client.output().match(/Initialization Sequence Completed/g)?.length).toBe(1)
      })
    })
  })

  it.each(some)('OpenVPN %s: a client that changes its source address stays connected', async (release) => {
    await withLab(async (lab) => {
      const server = await startServe(lab, serveConfig({ authority }))
      await withPlaces(lab, 1, async ([place]) => {
        await ready(place!.openvpn(release, 'walker', { authority }), server)
        expect(place!.ping('10.9.0.1', 3)).toBe(3)
        place!.run(['ip', 'addr', 'add', '172.16.1.3/24', 'dev', 'eth0'])
        place!.run(['ip', 'addr', 'del', '172.16.1.2/24', 'dev', 'eth0'])
        place!.run(['ip', 'addr', 'replace', '172.16.1.3/24', 'dev', 'eth0'])
        place!.run(['ip', 'route', 'replace', 'default', 'via', place!.server])
        expect(place!.ping('10.9.0.1', 10)).toBeGreaterThanOrEqual(9)
        await server.seen(/"client-floated"/)
        expect(eventsOf(server, 'client-floated').length).toBe(1)
        expect(eventsOf(server, 'client-connected').length).toBe(1)
      })
    })
  })

  it('many clients at once, and all of them back after the server was started again', async () => {
    const release = releases.at(-1)!
    const lines = ['server 10.9.0.0 255.255.255.0', 'duplicate-cn', 'local 127.0.0.1']
    await withLab(async (lab) => {
      const config = serveConfig({ authority, lines })
      const first = await startServe(lab, config)
      const pair = authority.client('many')
      const profile = [
        'client\ndev null\nifconfig-noexec\nroute-noexec\nproto udp4\nremote 127.0.0.1 1194\nnobind\nconnect-retry 1 2',
        'remote-cert-tls server',
        `<ca>\n${authority.ca}</ca>\n<cert>\n${pair.certificate}</cert>\n<key>\n${pair.key}</key>`,
      ].join('\n')
      const clients = Array.from({ length: COUNT }, (_, index) => lab.openvpn(release, `many-${index}`, profile))
      for (const client of clients) await ready(client, first, 60)
      await events(first, 'client-connected', COUNT)
      const given = eventsOf(first, 'client-connected').map(({ addresses }) => (addresses as { ipv4: string }).ipv4)
      expect(new Set(given).size).toBe(COUNT)
      first.kill('SIGTERM')
      const { code } = await first.ended(10)
      expect(code).toBe(0)
      const second = await startServe(lab, config)
      await events(second, 'client-connected', COUNT, 40)
      expect(eventsOf(second, 'client-connected').length).toBeGreaterThanOrEqual(COUNT)
    })
  }, 150_000)
})
