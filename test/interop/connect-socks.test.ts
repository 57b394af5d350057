/**
 * `ovpn connect --socks` without any privilege: curl through its proxy, to a server behind the tunnel.
 */
import { chmodSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { startConnect } from './support/connect.ts'
import { clientConfig, generateStaticKey, PORT, SERVER_READY, serverConfig } from './support/configs.ts'
import { withLab } from './support/lab.ts'
import { opensslPki } from './support/pki.ts'
import { type Release, RELEASES, releasesToTest } from './support/reference.ts'
import { withPlaces } from './support/serve.ts'

const releases = releasesToTest()
const some: readonly Release[] = process.env['OVPN_SOAK'] === undefined ? ['2.6'] : RELEASES
const WEB = fileURLToPath(new URL('./support/web.child.ts', import.meta.url))
const NOBODY = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups', '--bounding-set', '-all']

describe.each(some)('ovpn connect --socks to OpenVPN %s', (release) => {
  it.skipIf(!releases.includes(release)).each(['udp', 'tcp'] as const)(
    'NODE-29 %s, as nobody: curl up and down, by SOCKS5 with a name and by HTTP CONNECT',
    async (transport) => {
      await withLab(async (lab) => {
        await withPlaces(lab, 1, async ([place]) => {
          const tunnel = { transport, wrap: 'tls-crypt', key: generateStaticKey(), pki: opensslPki('P-256') } as const
          const server = 'push "dhcp-option DNS 10.8.0.1"'
          const config = serverConfig({ ...tunnel, server }).replace('local 127.0.0.1\n', '')
          await lab.openvpn(release, 'server', config).seen(SERVER_READY)
          const web = [process.execPath, '--import', import.meta.resolve('tsx'), WEB, '10.8.0.1']
          await lab.start('web', web).seen(/serving/)
          const profile = clientConfig(tunnel).replace(`remote 127.0.0.1 ${PORT}`, `remote ${place!.server} ${PORT}`)
          chmodSync(lab.folder, 0o755)
          const args = ['--socks', '1080']
          const connect = startConnect(lab, place!, profile, args, {}, NOBODY)
          await connect.running.seen(/proxy on 127\.0\.0\.1:1080/)
          const size = 3_000_000
          const content = lab.file('content', new Uint8Array(size).fill(0x6f))
          const curl = (...words: readonly string[]): string =>
            place!.run(['curl', '-sS', '--max-time', '60', ...words])
          const url = 'http://web.test:8080/'
          for (const proxy of ['socks5h://127.0.0.1:1080', 'http://127.0.0.1:1080']) {
            const through = ['-p', '-x', proxy]
            expect(curl(...through, '-o', '/dev/null', '-w', '%{size_download}', `${url}${size}`)).toBe(`${size}`)
            expect(curl(...through, '-T', content, url)).toBe(`${size}`)
          }
          // Nobody listens there, and the refusal comes back as one.
          expect(() => curl('-x', 'socks5h://127.0.0.1:1080', 'http://10.8.0.1:9/')).toThrow()
          expect(place!.run(['ip', '-br', 'link'])).not.toMatch(/tun/)
          expect(place!.run(['ss', '-ltnH'])).toMatch(/127\.0\.0\.1:1080 /)
          // A second proxy on the same port can't be: that run ends instead of keeping a tunnel nobody can use.
          const second = startConnect(lab, place!, profile, args, {}, NOBODY)
          const { code, output } = await second.running.ended(30)
          expect([code, output], output).toEqual([1, expect.stringContaining("the proxy can't be opened")])
          expect((await connect.stop()).code, connect.running.output()).toBe(0)
        })
      })
    },
  )
})
