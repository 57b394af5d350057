/**
 * A link that loses 15 % of all datagrams, reorders, repeats and corrupts others: the tunnel comes up, renews its keys, and
 * most pings return. And one that loses nothing but the client's last acks of each renegotiation: every ping returns, though
 * the server takes nothing under a key before its last message is acknowledged, and asks for that only after ten seconds.
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

interface Run {
  readonly result: ProbeResult
  readonly rekeys: number
  /** What the relay told. */
  readonly told: string
  /** What everybody said. */
  readonly log: string
}

/** Probes through a relay: `link` is what it is told behind the ports. */
async function run(
  release: Release,
  lines: Pick<Tunnel, 'server' | 'client'>,
  link: readonly (number | string)[],
  args: readonly string[],
): Promise<Run> {
  const pki = opensslPki('P-256')
  const tunnel: Tunnel = { transport: 'udp', wrap: 'tls-crypt', key: generateStaticKey(), pki, ...lines }
  return await withLab(async (lab) => {
    const server = lab.openvpn(release, 'server', serverConfig(tunnel))
    await server.seen(SERVER_READY)
    const numbers = [PORT + 1, PORT, ...link].map(String)
    const relay = lab.start('relay', [process.execPath, '--import', import.meta.resolve('tsx'), RELAY, ...numbers])
    await relay.seen(/relaying/)
    const profile = clientConfig(tunnel).replace(`remote 127.0.0.1 ${PORT}`, `remote 127.0.0.1 ${PORT + 1}`)
    const result = await probe(lab, profile, args, 100)
    const rekeys = result.events.filter(({ event }) => event === 'rekeyed').length
    const told = relay.output()
    return { result, rekeys, told, log: `${told}\n${result.output.slice(-3000)}\n${server.output().slice(-3000)}` }
  })
}

describe.each(RELEASES)('a rough link to OpenVPN %s', (release) => {
  const test = it.skipIf(!releases.includes(release))

  test.each(SEEDS)('seed %d: connects, rekeys, pings', { timeout: 120_000 }, async (seed) => {
    const args = ['--count', '350', '--interval', '100', '--require', '190', '--timeout', '90']
    const { log, rekeys, result } = await run(release, { client: 'reneg-sec 5' }, [seed, 0.15, 0.125, 0.1, 0.03], args)
    expect(result, log).toMatchObject({ code: 0 })
    expect(rekeys, log).toBeGreaterThan(0)
  })

  test('REKEY-19 the last acks of each renegotiation are lost: no ping is', { timeout: 120_000 }, async () => {
    const args = ['--count', '280', '--interval', '50', '--timeout', '60']
    const { log, rekeys, result, told } = await run(
      release,
      { server: 'tls-timeout 10', client: 'reneg-sec 4' },
      [1, 0, 0, 0, 0, '127.0.0.1', 0, 0, 1000],
      args,
    )
    expect(result, log).toMatchObject({ code: 0, pings: 280 })
    expect(rekeys, log).toBeGreaterThan(1)
    for (let keyId = 1; keyId <= rekeys; keyId++) expect(told).toContain(`ack ${keyId} lost`)
  })
})
