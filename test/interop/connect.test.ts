/**
 * `ovpn connect` with a real tun or tap against the reference's server: traffic through it, routes moved and put back,
 * names, kill and restart, reconnection, a lossy path.
 */
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { startConnect } from './support/connect.ts'
import { clientConfig, generateStaticKey, PORT, SERVER_READY, serverConfig, type Tunnel } from './support/configs.ts'
import { type Lab, type Running, withLab } from './support/lab.ts'
import { opensslPki } from './support/pki.ts'
import { type Release, RELEASES, releasesToTest } from './support/reference.ts'
import { type ClientPlace, withPlaces } from './support/serve.ts'

const releases = releasesToTest()
/** What does not differ between releases is tried with one, and with all in a soak. */
const some: readonly Release[] = process.env['OVPN_SOAK'] === undefined ? ['2.6'] : RELEASES
const RELAY = fileURLToPath(new URL('./support/relay.child.ts', import.meta.url))
const WEB = fileURLToPath(new URL('./support/web.child.ts', import.meta.url))
const REDIRECT = 'push "redirect-gateway def1"'

/** A server in the laboratory that the place can call, and the place's profile. */
async function ends(
  lab: Lab,
  place: ClientPlace,
  release: Release,
  more: Partial<Tunnel> = {},
  device: 'tun' | 'tap' = 'tun',
): Promise<{ server: Running; profile: string; restart: () => Promise<Running> }> {
  const tunnel: Tunnel = {
    transport: 'udp',
    wrap: 'tls-crypt',
    key: generateStaticKey(),
    pki: opensslPki('P-256'),
    ...more,
  }
  const config = serverConfig(tunnel)
    .replace('proto udp4', 'proto udp6')
    .replace('local 127.0.0.1\n', '')
    .replace('tun0\ndev-type tun', `${device}0\ndev-type ${device}`)
  const start = async (): Promise<Running> => {
    const server = lab.openvpn(release, 'server', config)
    await server.seen(SERVER_READY)
    return server
  }
  const profile = clientConfig(tunnel).replace(`remote 127.0.0.1 ${PORT}`, `remote ${place.server} ${PORT}`)
  return { server: await start(), profile: profile.replace('dev tun', `dev ${device}`), restart: start }
}

const routes = (place: ClientPlace): string => place.run(['ip', 'route'])
const links = (place: ClientPlace): string => place.run(['ip', '-br', 'link'])

/** As kill -9 does, everything in the place. */
function killAll(place: ClientPlace): void {
  const pids = execFileSync('ip', ['netns', 'pids', place.namespace], { encoding: 'utf8' })
  for (const pid of pids.trim().split('\n')) process.kill(Number(pid), 'SIGKILL')
}

/** Sends and fetches so many kilobytes through the tunnel, by HTTP; throws unless each byte arrived. */
async function transfer(lab: Lab, place: ClientPlace, address: string, kilobytes: number): Promise<void> {
  const web = lab.start('web', [process.execPath, '--import', import.meta.resolve('tsx'), WEB, address])
  await web.seen(/serving/)
  const size = kilobytes * 1024
  const content = lab.file('content', new Uint8Array(size).fill(0x6f))
  const curl = ['curl', '-sS', '--max-time', '60', '--noproxy', '*']
  const url = `http://${address.includes(':') ? `[${address}]` : address}:8080/`
  expect(place.run([...curl, '-T', content, url])).toBe(`${size}`)
  const fetched = place.run([...curl, '-o', '/dev/null', '-w', '%{size_download}', `${url}${size}`])
  expect(fetched).toBe(`${size}`)
  web.kill()
}

describe.each(RELEASES)('ovpn connect to OpenVPN %s', (release) => {
  const test = it.skipIf(!releases.includes(release))

  test('NODE-5 NODE-8 TCP both ways, the default route moved and put back', async () => {
    await withLab(async (lab) => {
      await withPlaces(lab, 1, async ([place]) => {
        const { server, profile } = await ends(lab, place!, release, { server: REDIRECT })
        const before = routes(place!)
        const connect = startConnect(lab, place!, profile)
        await connect.event('connected')
        const log = (): string => `${connect.running.output()}\n${server.output()}`
        expect(routes(place!), log()).toMatch(/^0\.0\.0\.0\/1 via 10\.8\.0\.1 dev tun0/m)
        expect(routes(place!)).toMatch(new RegExp(`^${place!.server.replaceAll('.', '\\.')} dev eth0`, 'm'))
        // An address that only the tunnel leads to.
        lab.run(['ip', 'addr', 'add', '198.51.100.1/32', 'dev', 'lo'])
        expect(place!.ping('198.51.100.1')).toBe(5)
        await transfer(lab, place!, '10.8.0.1', 8192)
        const { code } = await connect.stop()
        expect(code, log()).toBe(0)
        expect(routes(place!)).toBe(before)
        expect(links(place!)).not.toMatch(/tun0/)
      })
    })
  })
})

describe.each(some)('ovpn connect to OpenVPN %s, beyond the first connection', (release) => {
  const test = it.skipIf(!releases.includes(release))

  test('a lossy path: a TCP transfer goes through, keys are renewed meanwhile', async () => {
    await withLab(async (lab) => {
      await withPlaces(lab, 1, async ([place]) => {
        const { server, profile } = await ends(lab, place!, release, { client: 'reneg-sec 3' })
        const numbers = [PORT + 1, PORT, 1, 0.02, 0.02, 0.02, 0.01].map(String)
        const relaying = [process.execPath, '--import', import.meta.resolve('tsx'), RELAY, ...numbers, place!.server]
        const relay = lab.start('relay', ['ip', 'netns', 'exec', place!.namespace, ...relaying])
        await relay.seen(/relaying/)
        const connect = startConnect(lab, place!, profile.replace(/^remote .*$/m, `remote 127.0.0.1 ${PORT + 1}`))
        await connect.event('connected', 1, 40)
        await transfer(lab, place!, '10.8.0.1', 1024)
        await connect.event('rekeyed', 1, 30)
        expect(place!.ping('10.8.0.1', 20)).toBeGreaterThan(10)
        expect((await connect.stop()).code, `${connect.running.output()}\n${server.output()}`).toBe(0)
      })
    })
  })

  test('NODE-5 NODE-8 IPv6 inside and outside: addresses, routes, the default route moved and put back', async () => {
    await withLab(async (lab) => {
      await withPlaces(lab, 1, async ([place]) => {
        const [outside, inside] = ['fd42:16::1', 'fd00:8::1']
        lab.run(['ip', 'addr', 'add', `${outside}/64`, 'dev', 'v1', 'nodad'])
        place!.run(['ip', 'addr', 'add', 'fd42:16::2/64', 'dev', 'eth0', 'nodad'])
        place!.run(['ip', '-6', 'route', 'add', 'default', 'via', outside])
        const server = `server-ipv6 fd00:8::/64\npush "redirect-gateway def1 ipv6"\npush "route-ipv6 2001:db8:5::/48"`
        const made = await ends(lab, place!, release, { server, transport: 'udp' })
        const routes6 = (): string => place!.run(['ip', '-6', 'route', 'show', 'table', 'main'])
        const before = [routes(place!), routes6()]
        const connect = startConnect(
          lab,
          place!,
          made.profile.replace(/^proto udp$/m, 'proto udp6').replace(/^remote .*$/m, `remote ${outside} ${PORT}`),
        )
        await connect.event('connected')
        const log = (): string => `${connect.running.output()}\n${made.server.output()}`
        expect(routes6(), log()).toMatch(/^2001:db8:5::\/48 .*dev tun0/m)
        expect(routes6()).toMatch(/^2000::\/4 .*dev tun0/m)
        // Only the tunnel leads there, and the packets of the tunnel itself do not go into it.
        lab.run(['ip', 'addr', 'add', '2001:db8:9::1/128', 'dev', 'lo', 'nodad'])
        for (const target of [inside, '2001:db8:9::1', '10.8.0.1']) expect(place!.ping(target), log()).toBe(5)
        await transfer(lab, place!, inside, 2048)
        expect((await connect.stop()).code, log()).toBe(0)
        expect([routes(place!), routes6()]).toEqual(before)
      })
    })
  })

  test('NODE-3 tap: an Ethernet of its own', async () => {
    await withLab(async (lab) => {
      await withPlaces(lab, 1, async ([place]) => {
        const { server, profile } = await ends(lab, place!, release, {}, 'tap')
        const connect = startConnect(lab, place!, profile)
        await connect.event('connected')
        expect(place!.ping('10.8.0.1'), `${connect.running.output()}\n${server.output()}`).toBe(5)
        await transfer(lab, place!, '10.8.0.1', 4096)
        expect(place!.run(['ip', 'neigh', 'show', 'dev', 'tap0'])).toMatch(/^10\.8\.0\.1 lladdr /m)
        // Told to reconnect, it does.
        connect.running.kill('SIGUSR1')
        expect(await connect.event('retry')).toMatchObject({ reason: 'transport-broken' })
        await connect.event('connected', 2)
        expect(place!.ping('10.8.0.1')).toBe(5)
        expect((await connect.stop()).code).toBe(0)
        expect(links(place!)).not.toMatch(/tap0/)
      })
    })
  })

  test('NODE-9 names are set and taken back, also after a kill', async () => {
    await withLab(async (lab) => {
      await withPlaces(lab, 1, async ([place]) => {
        const server = 'push "dhcp-option DNS 10.8.0.1"\npush "dhcp-option DOMAIN-SEARCH lan.example"'
        const { profile } = await ends(lab, place!, release, { server })
        const record = join(lab.folder, 'tun0.ovpn')
        const keeper = `case "$1" in -a) cat > "${lab.folder}/$2";; -d) rm "${lab.folder}/$2";; esac`
        chmodSync(lab.file('resolvconf', `#!/bin/sh\n${keeper}\n`), 0o755)
        const env = { PATH: `${lab.folder}:${process.env['PATH'] ?? ''}` }
        const names = 'nameserver 10.8.0.1\nsearch lan.example\n'
        const first = startConnect(lab, place!, profile, [], env)
        await first.event('connected')
        expect(readFileSync(record, 'utf8')).toBe(names)
        expect((await first.stop()).code).toBe(0)
        expect(existsSync(record)).toBe(false)
        const second = startConnect(lab, place!, profile, [], env)
        await second.event('connected')
        killAll(place!)
        await second.running.ended(5)
        expect(readFileSync(record, 'utf8')).toBe(names)
        const third = startConnect(lab, place!, profile, ['--no-dns'], env)
        await third.event('connected')
        expect(existsSync(record)).toBe(false)
        expect((await third.stop()).code).toBe(0)
      })
    })
  })

  test('NODE-10 killed and started again: nothing is left over', async () => {
    await withLab(async (lab) => {
      await withPlaces(lab, 1, async ([place]) => {
        const { profile } = await ends(lab, place!, release, { server: 'push "redirect-gateway"' })
        const before = routes(place!)
        const first = startConnect(lab, place!, profile)
        await first.event('connected')
        expect(routes(place!)).toMatch(/^default via 10\.8\.0\.1 dev tun0/m)
        killAll(place!)
        await first.running.ended(5)
        expect(routes(place!)).not.toMatch(/^default/m)
        const second = startConnect(lab, place!, profile)
        expect(await second.event('leftovers')).toMatchObject({ commands: 2 })
        await second.event('connected')
        expect(place!.ping('10.8.0.1')).toBe(5)
        expect((await second.stop()).code).toBe(0)
        expect(routes(place!)).toBe(before)
      })
    })
  })

  test('CLIENT-30 CLIENT-31 the server restarts: the device stays, and traffic goes on', async () => {
    await withLab(async (lab) => {
      await withPlaces(lab, 1, async ([place]) => {
        const more = {
          server: `explicit-exit-notify 1\nkeepalive 1 4\n${REDIRECT}`,
          client: 'persist-tun\nconnect-retry 1 1\nserver-poll-timeout 3',
        }
        const { server, profile, restart } = await ends(lab, place!, release, more)
        const connect = startConnect(lab, place!, profile)
        await connect.event('connected')
        server.kill('SIGTERM')
        await server.ended(10)
        await connect.event('tunnel-down')
        // Nothing passes beside the tunnel meanwhile.
        expect(routes(place!)).toMatch(/^0\.0\.0\.0\/1 via 10\.8\.0\.1 dev tun0/m)
        // A server that takes its time to end may have been reached once more before.
        const ups = connect.events('connected').length
        const again = await restart()
        await connect.event('connected', ups + 1, 30)
        expect(connect.events('tunnel-up').at(-1)).toMatchObject({ action: 'keep' })
        expect(place!.ping('10.8.0.1'), `${connect.running.output()}\n${again.output()}`).toBe(5)
        expect((await connect.stop()).code).toBe(0)
      })
    })
  })
})
