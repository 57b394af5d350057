/**
 * `ovpn connect` at a terminal: name, password and answer are asked for and not shown, a status line is drawn, Ctrl-C ends it.
 */
import { chmodSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { clientConfig, generateStaticKey, PORT, SERVER_READY, serverConfig } from './support/configs.ts'
import { OVPN } from './support/connect.ts'
import { withLab } from './support/lab.ts'
import { opensslPki } from './support/pki.ts'
import { releasesToTest } from './support/reference.ts'
import { withPlaces } from './support/serve.ts'

/** Types each answer once its question was shown, and Ctrl-C once the tunnel is up. */
const TYPIST = `#!/bin/sh
shown() { until grep -q "$1" typescript 2>/dev/null; do sleep 0.1; done; }
{ shown 'Username: '; printf 'alice\\r'; shown 'Password: '; printf 'sesXX\\177\\177ame\\r'
  shown 'key 0'; printf '\\003'; sleep 5; } | script -qfec "$1" typescript
`

describe('ovpn connect at a terminal', () => {
  it.skipIf(!releasesToTest().includes('2.6'))(
    'asks without echo, shows how things stand, ends by Ctrl-C',
    async () => {
      await withLab(async (lab) => {
        await withPlaces(lab, 1, async ([place]) => {
          const check = lab.file('check.sh', '#!/bin/sh\n{ read n; read p; } < "$1"; [ "$n $p" = "alice sesame" ]\n')
          chmodSync(check, 0o755)
          chmodSync(lab.folder, 0o755)
          const server = `script-security 2\nauth-user-pass-verify ${check} via-file\ntmp-dir ${lab.folder}`
          const ends = {
            wrap: 'tls-crypt',
            key: generateStaticKey(),
            pki: opensslPki('P-256'),
            client: 'auth-user-pass',
          } as const
          const config = serverConfig({ ...ends, transport: 'udp', server }).replace('local 127.0.0.1\n', '')
          await lab.openvpn('2.6', 'server', config).seen(SERVER_READY)
          const profile = clientConfig({ ...ends, transport: 'udp' })
          const file = lab.file(
            'client.ovpn',
            profile.replace(`remote 127.0.0.1 ${PORT}`, `remote ${place!.server} ${PORT}`),
          )
          const typist = lab.file('typist.sh', TYPIST)
          // exec: whatever shell runs this, the exit code is that of ovpn.
          const command = `exec ${process.execPath} ${OVPN} connect ${file}`
          const running = lab.start('typist', ['ip', 'netns', 'exec', place!.namespace, 'sh', typist, command])
          await running.seen(/key 0/, 30)
          await running.ended(30)
          const shown = readFileSync(join(lab.folder, 'typescript'), 'utf8')
          expect(shown).toContain('Username: alice')
          expect(shown).not.toMatch(/ses(XX|ame)/)
          expect(shown).toMatch(/connected \d+:\d\d \| in .* \| out .* \| rtt .* ms \| key 0/)
          expect(shown).toMatch(/COMMAND_EXIT_CODE="0"/)
          expect(place!.run(['ip', '-br', 'link'])).not.toMatch(/tun/)
        })
      })
    },
  )
})
