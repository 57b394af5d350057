/**
 * Server configurations nobody wrote by hand, with real clients of mixed releases: drawn from seeds, served, used, disturbed and
 * compared with what the reference pushes for the same file. A few seeds here, as many as wanted with `OVPN_SOAK`.
 */
import { afterAll, describe, expect, it } from 'vitest'
import { scaled } from '../support/scale.ts'
import { generate, generateStaticKey, SERVER_READY } from './support/configs.ts'
import { withLab } from './support/lab.ts'
import type { KeyKind } from './support/pki.ts'
import { releasesToTest } from './support/reference.ts'
import { Authority, events, serveConfig, startServe, withPlaces } from './support/serve.ts'
import { drawWildServer, type WildMaterial } from './support/wild-server-draw.ts'
import { runWildServer } from './support/wild-server-run.ts'

const releases = releasesToTest()
const complete = releases.length === 3

/** Seeds whose draws differ in device, addresses, wrap, login and framing. */
const SEEDS = [101, 303]

const authorities = new Map<KeyKind, Authority>()
afterAll(() => {
  for (const authority of authorities.values()) authority.close()
})

function authority(kind: KeyKind): Authority {
  let made = authorities.get(kind)
  if (made === undefined) authorities.set(kind, (made = new Authority(kind)))
  return made
}

/** A tls-crypt-v2 server key, and a client key made of it. */
async function v2Keys(): Promise<Pick<WildMaterial, 'v2Client' | 'v2Server'>> {
  const v2Server = generate('2.6', 'tls-crypt-v2-server')
  return await withLab((lab) => {
    const path = lab.file('v2.key', v2Server)
    return Promise.resolve({ v2Server, v2Client: generate('2.6', 'tls-crypt-v2-client', '--tls-crypt-v2', path) })
  })
}

describe.skipIf(!complete)('servers as they are found', () => {
  const more = Array.from({ length: scaled(0, 200) }, (_, i) => 10_000 + i)

  it.each([...SEEDS, ...more])(
    'seed %i: clients get in or not, reach what they may, stay, come back, leave',
    async (seed) => {
      const material: WildMaterial = { authority, staticKey: generateStaticKey(), ...(await v2Keys()) }
      const draw = drawWildServer(seed, material, releases)
      await withLab(async (lab) => {
        const report = await runWildServer(lab, draw)
        expect(report.problems, `${draw.server}\n${JSON.stringify(report.logs, undefined, 1)}`).toEqual([])
      })
    },
    300_000,
  )

  it('compress migrate: clients with comp-lzo, with compress and without either, of every release', async () => {
    const ways = ['comp-lzo no', 'compress', undefined] as const
    const wanted = releases.flatMap((release) => ways.map((way) => ({ release, way })))
    const lines = ['server 10.9.0.0 255.255.255.0', 'compress migrate', 'client-to-client']
    await withLab(async (lab) => {
      const served = { authority: authority('P-256'), lines }
      const server = await startServe(lab, serveConfig(served))
      await withPlaces(lab, wanted.length, async (places) => {
        const clients = wanted.map(({ release, way }, i) =>
          places[i]!.openvpn(release, `m${i}`, served, way === undefined ? [] : [way]),
        )
        for (const [i, client] of clients.entries()) {
          const output = await client.seen(SERVER_READY, 60)
          const { release, way } = wanted[i]!
          const pushed = /PUSH_REPLY,[^\n]*/.exec(output)?.[0] ?? ''
          expect(pushed.includes(',compress stub-v2'), `${release} ${way}: ${pushed}`).toBe(way !== undefined)
          expect(places[i]!.ping('10.9.0.1', 3), `${release} ${way}`).toBe(3)
        }
        expect(places[0]!.ping('10.9.0.4', 3), 'from one framing to another').toBe(3)
      })
      await events(server, 'client-connected', wanted.length)
    })
  })
})
