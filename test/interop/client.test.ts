/**
 * A tunnel kept up: a server that goes and comes back, and a remote that is dead.
 */
import { describe, expect, it } from 'vitest'
import { clientConfig, generateStaticKey, PORT, SERVER_READY, serverConfig, type Tunnel } from './support/configs.ts'
import { withLab } from './support/lab.ts'
import { opensslPki } from './support/pki.ts'
import { probe, startProbe } from './support/probe.ts'
import { RELEASES, releasesToTest } from './support/reference.ts'

const releases = releasesToTest()

function tunnel(more: Partial<Tunnel> = {}): Tunnel {
  return { transport: 'udp', wrap: 'tls-crypt', key: generateStaticKey(), pki: opensslPki('P-256'), ...more }
}

describe.each(RELEASES)('a client of OpenVPN %s', (release) => {
  const test = it.skipIf(!releases.includes(release))

  test('CLIENT-14 a server stops with RESTART and comes back: the client reconnects and pings go on', async () => {
    await withLab(async (lab) => {
      const ends = tunnel({ server: 'explicit-exit-notify 1', client: 'connect-retry 1 1\nserver-poll-timeout 3' })
      const server = lab.openvpn(release, 'server', serverConfig(ends))
      await server.seen(SERVER_READY)
      const args = ['--count', '60', '--interval', '100', '--require', '10', '--keep']
      const running = startProbe(lab, clientConfig(ends), args)
      await running.seen(/"event":"ping","seq":5/)
      server.kill('SIGTERM')
      await server.ended(10)
      const again = lab.openvpn(release, 'again', serverConfig(ends))
      await again.seen(SERVER_READY)
      const result = await running.result()
      const log = `${result.output}\n${server.output()}\n${again.output()}`
      expect(result.code, log).toBe(0)
      expect(
        result.events.find(({ event }) => event === 'retry'),
        log,
      ).toMatchObject({ reason: 'peer-restart' })
      const ups = result.events.map(({ event }, index) => (event === 'connected' ? index : -1)).filter((at) => at >= 0)
      expect(ups.length).toBe(2)
      const after = result.events.slice(ups[1]).filter(({ event }) => event === 'ping').length
      expect(after).toBeGreaterThan(5)
    })
  })
})

describe.each(RELEASES)('remotes of a client of OpenVPN %s', (release) => {
  it.skipIf(!releases.includes(release)).each(['udp', 'tcp'] as const)(
    'CLIENT-3 the second %s remote is taken when the first is dead',
    async (transport) => {
      await withLab(async (lab) => {
        const ends = tunnel({ transport, client: 'server-poll-timeout 2' })
        const server = lab.openvpn(release, 'server', serverConfig(ends))
        await server.seen(SERVER_READY)
        const alive = `remote 127.0.0.1 ${PORT}`
        const profile = clientConfig(ends).replace(alive, `remote 127.0.0.1 9\n${alive}`)
        const result = await probe(lab, profile, ['--count', '5'])
        expect(result, `${result.output}\n${server.output()}`).toMatchObject({ code: 0, pings: 5 })
        const tried = result.events.filter(({ event }) => event === 'connecting').map((event) => event['remote'])
        expect(tried).toEqual(['127.0.0.1:9', `127.0.0.1:${PORT}`])
      })
    },
  )

  it.skipIf(!releases.includes(release))('each connection block has its own transport', async () => {
    await withLab(async (lab) => {
      const ends = tunnel({ transport: 'tcp' })
      const server = lab.openvpn(release, 'server', serverConfig(ends))
      await server.seen(SERVER_READY)
      const blocks =
        `server-poll-timeout 2\n<connection>\nremote 127.0.0.1 ${PORT} udp\n</connection>\n` +
        `<connection>\nremote 127.0.0.1 ${PORT} tcp\n</connection>`
      const profile = clientConfig(ends).replace(`remote 127.0.0.1 ${PORT}`, blocks)
      const result = await probe(lab, profile, ['--count', '5'])
      expect(result, `${result.output}\n${server.output()}`).toMatchObject({ code: 0, pings: 5 })
      const tried = result.events.filter(({ event }) => event === 'connecting').map((event) => event['protocol'])
      expect(tried).toEqual(['udp', 'tcp'])
    })
  })

  it.skipIf(!releases.includes(release))('every remote is dead: one pass, then the last one’s reason', async () => {
    await withLab(async (lab) => {
      const profile = clientConfig(tunnel({ transport: 'tcp' })).replace(
        `remote 127.0.0.1 ${PORT}`,
        'remote 127.0.0.1 9\nremote 127.0.0.1 10',
      )
      const result = await probe(lab, profile, ['--count', '5'])
      expect(result.code).toBe(1)
      expect(result.events.filter(({ event }) => event === 'connecting').length).toBe(2)
      expect(result.events.at(-1)).toMatchObject({ event: 'closed', reason: 'transport-broken' })
    })
  })
})
