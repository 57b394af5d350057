/**
 * A link that loses 15 % of all datagrams, reorders, repeats and corrupts others: the tunnel comes up, renews its keys, and
 * most pings return.
 *
 * A server of the reference uses new keys only when its last message is acknowledged, and repeats that after 1, 2, 4 ... times its
 * `tls-timeout`. Where the same acknowledgement is lost again and again, packets under the new key are dropped for long: about
 * one run in twenty at 2 s. So the server asks again after one second, and a run with too few pings has one more seed to show
 * that this was it.
 */
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { clientConfig, generateStaticKey, PORT, SERVER_READY, serverConfig, type Tunnel } from './support/configs.ts'
import { withLab } from './support/lab.ts'
import { opensslPki } from './support/pki.ts'
import { probe, type ProbeResult } from './support/probe.ts'
import { type Release, RELEASES, releasesToTest } from './support/reference.ts'

const releases = releasesToTest()
const RELAY = fileURLToPath(new URL('./support/relay.child.ts', import.meta.url))
const SEEDS = process.env['OVPN_SOAK'] === undefined ? [1] : [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]

/** Pings of one tunnel over such a link, and what both ends said. */
async function run(release: Release, seed: number, tunnel: Tunnel): Promise<{ result: ProbeResult; log: string }> {
  return await withLab(async (lab) => {
    const server = lab.openvpn(release, 'server', serverConfig(tunnel))
    await server.seen(SERVER_READY)
    const numbers = [PORT + 1, PORT, seed, 0.15, 0.125, 0.1, 0.03].map(String)
    const relay = lab.start('relay', [process.execPath, '--import', import.meta.resolve('tsx'), RELAY, ...numbers])
    await relay.seen(/relaying/)
    const profile = clientConfig(tunnel).replace(`remote 127.0.0.1 ${PORT}`, `remote 127.0.0.1 ${PORT + 1}`)
    const args = ['--count', '350', '--interval', '60', '--require', '190', '--timeout', '90']
    const result = await probe(lab, profile, args, 100)
    return { result, log: `${result.output.slice(-3000)}\n${server.output().slice(-3000)}` }
  })
}

describe.each(RELEASES)('a rough link to OpenVPN %s', (release) => {
  it.skipIf(!releases.includes(release)).each(SEEDS)(
    'seed %d: connects, rekeys, pings',
    { timeout: 240_000 },
    async (seed) => {
      const tunnel: Tunnel = {
        transport: 'udp',
        wrap: 'tls-crypt',
        key: generateStaticKey(),
        pki: opensslPki('P-256'),
        server: 'tls-timeout 1',
        client: 'reneg-sec 5',
      }
      const first = await run(release, seed, tunnel)
      const { log, result } = first.result.code === 0 ? first : await run(release, seed + 1000, tunnel)
      expect(result, log).toMatchObject({ code: 0 })
      expect(result.events.some((event) => event.event === 'rekeyed')).toBe(true)
    },
  )
})
