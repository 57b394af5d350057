/**
 * New keys every three seconds under traffic, begun by either side or by both at once: no ping is lost on a clean link.
 */
import { describe, expect, it } from 'vitest'
import {
  clientConfig,
  generateStaticKey,
  SERVER_READY,
  serverConfig,
  type Tunnel,
  type WrapName,
} from './support/configs.ts'
import { withLab } from './support/lab.ts'
import { opensslPki } from './support/pki.ts'
import { probe, type ProbeResult } from './support/probe.ts'
import { RELEASES, type Release, releasesToTest } from './support/reference.ts'

const releases = releasesToTest()

/** Seconds of traffic: a minute when everything is run at full size. */
const SECONDS = process.env['OVPN_SOAK'] === undefined ? 13 : 60

const BEGINNERS = [
  { who: 'the server', server: 'reneg-sec 3', client: '' },
  { who: 'the client', server: 'reneg-sec 0', client: 'reneg-sec 3' },
  { who: 'both at once', server: 'reneg-sec 3 3', client: 'reneg-sec 3' },
] as const

async function underTraffic(release: Release, wrap: WrapName, lines: (typeof BEGINNERS)[number]): Promise<ProbeResult> {
  const key = wrap === 'none' ? '' : generateStaticKey()
  const tunnel: Tunnel = {
    transport: 'udp',
    wrap,
    key,
    pki: opensslPki('P-256'),
    server: lines.server,
    client: lines.client,
  }
  return await withLab(async (lab) => {
    const server = lab.openvpn(release, 'server', serverConfig(tunnel))
    await server.seen(SERVER_READY)
    const args = ['--count', `${SECONDS * 20}`, '--interval', '50', '--timeout', `${SECONDS + 20}`]
    const result = await probe(lab, clientConfig(tunnel), args, SECONDS + 30)
    expect(result, `${result.output.slice(-4000)}\n${server.output().slice(-4000)}`).toMatchObject({ code: 0 })
    return result
  })
}

describe.each(RELEASES)('renegotiation with OpenVPN %s', (release) => {
  for (const [index, lines] of BEGINNERS.entries()) {
    const wrap = (['none', 'tls-auth', 'tls-crypt'] as const)[index]!
    it.skipIf(!releases.includes(release))(
      `begun by ${lines.who}, ${wrap}: no ping is lost`,
      { timeout: 120_000 },
      async () => {
        const result = await underTraffic(release, wrap, lines)
        expect(result.pings).toBe(SECONDS * 20)
        const rekeyed = result.events.filter((event) => event.event === 'rekeyed')
        expect(rekeyed.length).toBeGreaterThanOrEqual(Math.floor(SECONDS / 3) - 1)
      },
    )
  }
})
