/**
 * tls-crypt-v2 against each release: keys made by the reference, the stateless cookie asked for or not, UDP and TCP.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { clientConfig, generate, SERVER_READY, serverConfig, TRANSPORTS, type Tunnel } from './support/configs.ts'
import { withLab } from './support/lab.ts'
import { opensslPki } from './support/pki.ts'
import { probe } from './support/probe.ts'
import { RELEASES, releasesToTest } from './support/reference.ts'

const releases = releasesToTest()

describe.each(RELEASES)('tls-crypt-v2 with OpenVPN %s', (release) => {
  const test = it.skipIf(!releases.includes(release))
  // 2.5 knows no cookies.
  const cookies = release === '2.5' ? [''] : ['', 'force-cookie', 'allow-noncookie']

  for (const transport of TRANSPORTS) {
    for (const cookie of cookies) {
      test(`${transport}${cookie === '' ? '' : `, ${cookie}`}: 20 of 20 pings`, async () => {
        await withLab(async (lab) => {
          const key = generate(release, 'tls-crypt-v2-server')
          const serverKey = join(lab.folder, 'v2-server.key')
          writeFileSync(serverKey, key)
          const clientKey = generate(release, 'tls-crypt-v2-client', '--tls-crypt-v2', serverKey)
          const tunnel: Tunnel = { transport, wrap: 'tls-crypt-v2', key, clientKey, pki: opensslPki('P-256') }
          const config = serverConfig({ ...tunnel, wrap: 'none' })
          const server = lab.openvpn(release, 'server', `${config}\ntls-crypt-v2 ${serverKey} ${cookie}\n`)
          await server.seen(SERVER_READY)
          const result = await probe(lab, clientConfig(tunnel), ['--count', '20', '--interval', '5'])
          expect(result, `${result.output}\n${server.output()}`).toMatchObject({
            code: 0,
            pings: 20,
            negotiated: { wrap: 'tls-crypt-v2' },
          })
        })
      })
    }
  }
})
