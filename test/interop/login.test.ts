/**
 * Name and password against each release: with and without certificates, tokens across renegotiations, a script that
 * answers later, a script that refuses.
 */
import { chmodSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { clientConfig, generateStaticKey, SERVER_READY, serverConfig, type Tunnel } from './support/configs.ts'
import { type Lab, withLab } from './support/lab.ts'
import { opensslPki } from './support/pki.ts'
import { probe, type ProbeResult } from './support/probe.ts'
import { RELEASES, releasesToTest } from './support/reference.ts'

const releases = releasesToTest()

const NAME = 'alice'
const PASSWORD = 'correct horse'

/** Accepts the one login. */
const CHECK = `#!/bin/sh
{ read name; read password; } < "$1"
[ "$name" = "${NAME}" ] && { [ "$password" = "${PASSWORD}" ] || case "$password" in SESS_ID_AT_*) true;; *) false;; esac; }
`

/** Says "later", and accepts the one login two seconds after. */
const DEFERRED = `#!/bin/sh
{ read name; read password; } < "$1"
verdict=0
[ "$name" = "${NAME}" ] && [ "$password" = "${PASSWORD}" ] && verdict=1
control="$auth_control_file"
( sleep 2; echo $verdict > "$control" ) >/dev/null 2>&1 &
exit 2
`

interface Login {
  /** The server's script. */
  readonly script: string
  /** More lines for the server. */
  readonly server?: string
  readonly password?: string
  /** Leave the client's certificate out. */
  readonly bare?: boolean
  readonly client?: string
  readonly args?: readonly string[]
}

async function login(
  lab: Lab,
  release: (typeof RELEASES)[number],
  options: Login,
): Promise<ProbeResult & { log: string }> {
  const script = lab.file('check.sh', options.script)
  chmodSync(script, 0o755)
  chmodSync(lab.folder, 0o755)
  const tunnel: Tunnel = {
    transport: 'udp',
    wrap: 'tls-crypt',
    key: generateStaticKey(),
    pki: opensslPki('P-256'),
    server: `script-security 2\nauth-user-pass-verify ${script} via-file\ntmp-dir ${lab.folder}\n${options.server ?? ''}`,
    client: `<auth-user-pass>\n${NAME}\n${options.password ?? PASSWORD}\n</auth-user-pass>\n${options.client ?? ''}`,
  }
  const server = lab.openvpn(release, 'server', serverConfig(tunnel))
  await server.seen(SERVER_READY)
  const profile = clientConfig(tunnel)
  const text = options.bare === true ? profile.replace(/<cert>[\s\S]*<\/key>\n/, '') : profile
  const result = await probe(lab, text, ['--count', '20', '--interval', '5', ...(options.args ?? [])])
  return { ...result, log: server.output() }
}

describe.each(RELEASES)('login to OpenVPN %s', (release) => {
  const test = it.skipIf(!releases.includes(release))
  const works = (result: ProbeResult & { log: string }): void => {
    expect(result, `${result.output}\n${result.log}`).toMatchObject({ code: 0, pings: 20 })
  }

  test('with a certificate', async () => {
    await withLab(async (lab) => {
      works(await login(lab, release, { script: CHECK }))
    })
  })

  test('without a certificate', async () => {
    await withLab(async (lab) => {
      works(await login(lab, release, { script: CHECK, bare: true, server: 'verify-client-cert none' }))
    })
  })

  // 2.5 waits for scripts: it knows no later answers from them.
  it.skipIf(!releases.includes(release) || release === '2.5')('a script that answers two seconds later', async () => {
    await withLab(async (lab) => {
      works(await login(lab, release, { script: DEFERRED }))
    })
  })

  test('a wrong password: refused, with its reason', async () => {
    await withLab(async (lab) => {
      const result = await login(lab, release, { script: CHECK, password: 'wrong' })
      expect(result.code).toBe(1)
      expect(result.events.find((event) => event.event === 'closed')).toMatchObject({ reason: 'auth-failed' })
    })
  })

  test('the answer to a static challenge goes with the password', async () => {
    await withLab(async (lab) => {
      // The script sees `SCRV1:` and both in base64: "correct horse" and "1234".
      const scrv1 = `#!/bin/sh\n{ read name; read password; } < "$1"\n[ "$password" = "SCRV1:Y29ycmVjdCBob3JzZQ==:MTIzNA==" ]\n`
      const client = 'static-challenge "PIN?" 1'
      works(await login(lab, release, { script: scrv1, client, args: ['--response', '1234'] }))
    })
  })

  // 2.5 knows no questions from scripts that answer later.
  it.skipIf(!releases.includes(release) || release === '2.5')(
    'a question while the login is pending: CR_TEXT',
    async () => {
      await withLab(async (lab) => {
        const pending = `#!/bin/sh\nprintf '60\\ncrtext\\nCR_TEXT:R,E:Your code?\\n' > "$auth_pending_file"\nexit 2\n`
        const answered = lab.file(
          'answered.sh',
          `#!/bin/sh\n[ "$(cat "$1")" = "NzI0Mg==" ] && echo 1 > "$auth_control_file"\nexit 0\n`,
        )
        chmodSync(answered, 0o755)
        const server = `client-crresponse ${answered}`
        const result = await login(lab, release, { script: pending, server, args: ['--response', '7242'] })
        works(result)
        expect(result.events.map(({ event }) => event)).toContain('auth-pending')
      })
    },
  )

  test('a token takes the place of the password in renegotiations', async () => {
    await withLab(async (lab) => {
      // The script takes the password once; every renegotiation lives on the token.
      const once = `${CHECK}result=$?\n[ -e "${lab.folder}/used" ] && exit 1\ntouch "${lab.folder}/used"\nexit $result\n`
      const result = await login(lab, release, {
        script: once,
        // From 2.6 on the token's renewal time is checked against the hand-window.
        server: `auth-gen-token 3600${release === '2.5' ? '' : ' 200'}\nreneg-sec 3`,
        args: ['--count', '100', '--interval', '80'],
      })
      expect(result, `${result.output}\n${result.log}`).toMatchObject({ code: 0, pings: 100 })
      expect(result.events.filter((event) => event.event === 'rekeyed').length).toBeGreaterThanOrEqual(2)
    })
  })
})

describe('a login that lacks something', () => {
  it.skipIf(releases.length === 0).each([
    ['no login', 'auth-user-pass', /wants a username and a password/],
    ['no password', '<auth-user-pass>\nalice\n</auth-user-pass>', /has a username and no password/],
    ['no answer', '<auth-user-pass>\nalice\nx\n</auth-user-pass>\nstatic-challenge "PIN?" 1', /asks "PIN\?"/],
  ])('%s: exit 1 with a clear reason before anything is sent', async (_, client, message) => {
    await withLab(async (lab) => {
      const profile = clientConfig({ transport: 'udp', wrap: 'none', key: '', pki: opensslPki('P-256'), client })
      const result = await probe(lab, profile)
      expect(result.code).toBe(1)
      expect(result.events.at(-1)).toMatchObject({ event: 'closed', reason: 'gave-up' })
      expect(result.events.at(-1)?.['message']).toMatch(message)
      expect(result.events.map(({ event }) => event)).not.toContain('connecting')
    })
  })
})
