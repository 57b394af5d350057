/**
 * What a person sees when a tunnel can't come up: one reason, in time, and an alert on the wire where there is one to send.
 */
import { describe, expect, it } from 'vitest'
import { clientConfig, generateStaticKey, PORT, SERVER_READY, serverConfig, type Tunnel } from './support/configs.ts'
import { withLab } from './support/lab.ts'
import { opensslCrl, opensslPki } from './support/pki.ts'
import { probe, type ProbeResult } from './support/probe.ts'
import { RELEASES, type Release, releasesToTest } from './support/reference.ts'

const releases = releasesToTest()
const tunnel = (): Tunnel => ({
  transport: 'udp',
  wrap: 'tls-crypt',
  key: generateStaticKey(),
  pki: opensslPki('P-256'),
})

/** Starts a server and probes it with a profile that does not fit it; the result and the server's log. */
async function refused(
  release: Release,
  server: Tunnel,
  client: Tunnel,
  logged?: RegExp,
): Promise<ProbeResult & { readonly ms: number }> {
  return await withLab(async (lab) => {
    const reference = lab.openvpn(release, 'server', serverConfig(server))
    await reference.seen(SERVER_READY)
    const started = Date.now()
    const result = await probe(lab, clientConfig(client), ['--count', '1'])
    const ms = Date.now() - started
    if (logged !== undefined) await reference.seen(logged, 5)
    return { ...result, ms }
  })
}

const closed = (result: ProbeResult): unknown => result.events.find((event) => event.event === 'closed')

/** The certificate's refusal for exactly that problem, within the hand-window and no timer's doing. */
function expectCertificate(result: ProbeResult & { readonly ms: number }, problem: string): void {
  expect(result.code).toBe(1)
  expect(closed(result), result.output).toMatchObject({
    reason: 'certificate',
    message: expect.stringContaining(`certificate refused (${problem})`) as string,
  })
  expect(result.ms).toBeLessThan(10_000)
}

describe.each(RELEASES)('refusals against OpenVPN %s', (release) => {
  const test = it.skipIf(!releases.includes(release))

  test('a server certificate of another authority: certificate problem after the alert, within seconds', async () => {
    const server = tunnel()
    const pki = { ...server.pki, ca: server.pki.foreignCa }
    const result = await refused(
      release,
      server,
      { ...server, pki },
      /unknown ca|alert|TLS Error: TLS handshake failed/,
    )
    expectCertificate(result, 'bad-signature')
  })

  test('an expired server certificate', async () => {
    const client = tunnel()
    const server = { ...client, pki: { ...client.pki, server: client.pki.expiredServer } }
    const result = await refused(release, server, client)
    expectCertificate(result, 'expired')
  })

  test('a server that presents a client certificate', async () => {
    const client = tunnel()
    const server = { ...client, pki: { ...client.pki, server: client.pki.client } }
    const result = await refused(release, server, client)
    expectCertificate(result, 'wrong-purpose')
  })

  test('a server of another name (verify-x509-name)', async () => {
    const server = tunnel()
    const client = { ...server, client: 'verify-x509-name vpn.example name' }
    const result = await refused(release, server, client)
    expectCertificate(result, 'name-mismatch')
    const fits = { ...server, client: 'verify-x509-name server name' }
    expect(await refused(release, server, fits)).toMatchObject({ code: 0 })
  })

  test('a revoked server certificate (crl-verify)', async () => {
    const server = tunnel()
    const client = { ...server, client: `<crl-verify>\n${opensslCrl('P-256', ['server']).trim()}\n</crl-verify>` }
    const result = await refused(release, server, client)
    expectCertificate(result, 'revoked')
    const others = { ...server, client: `<crl-verify>\n${opensslCrl('P-256', ['expired']).trim()}\n</crl-verify>` }
    expect(await refused(release, server, others)).toMatchObject({ code: 0 })
  })

  // 2.7 has no such comparison any more.
  it.skipIf(!releases.includes(release) || release === '2.7')(
    'NEG-28 opt-verify: a client with the same lines has the options string that the server expects',
    async () => {
      const lines = 'data-ciphers AES-256-GCM:AES-128-GCM\ncipher AES-256-CBC\nauth SHA256'
      const listed = release === '2.5' ? lines.replace('AES-128-GCM', 'AES-256-CBC') : lines
      const server = { ...tunnel(), server: `${listed}\nopt-verify` }
      expect(await refused(release, server, { ...server, client: listed })).toMatchObject({ code: 0 })
      const other = { ...server, client: `${listed}\ntun-mtu 1400` }
      expect((await refused(release, server, other, /due to --opt-verify/)).code).toBe(1)
    },
  )

  test('no cipher in common: told by the server, at once', async () => {
    const server = tunnel()
    const client = { ...server, client: 'data-ciphers AES-192-GCM' }
    const result = await refused(release, server, client)
    expect(result.code).toBe(1)
    expect(closed(result), result.output).toMatchObject({
      reason: 'auth-failed',
      message: 'login refused: Data channel cipher negotiation failed (no shared cipher)',
    })
    expect(result.ms).toBeLessThan(5000)
  })

  // Every release destroys its half of the session with the alert still in it, and answers nothing more.
  test('no TLS version or cipher suite in common: silence until hand-window', async () => {
    const rows = [
      ['tls-version-max 1.2', 'tls-version-min 1.3'],
      ['tls-version-min 1.3', 'tls-version-max 1.2'],
      ['', 'tls-version-max 1.2\ntls-cipher TLS-ECDHE-RSA-WITH-AES-128-GCM-SHA256'],
    ] as const
    const results = await Promise.all(
      rows.map(async ([serverLine, clientLine]) => {
        const ends = tunnel()
        const client = { ...ends, client: `${clientLine}\nhand-window 2` }
        return await refused(release, { ...ends, server: serverLine }, client, /TLS Error: TLS handshake failed/)
      }),
    )
    for (const result of results) {
      expect(result.code).toBe(1)
      expect(closed(result), result.output).toMatchObject({
        reason: 'timed-out',
        message: expect.stringMatching(/^timed out \(hand-window\): the server fell silent at our first TLS/) as string,
      })
      expect(result.ms).toBeGreaterThan(2000)
      expect(result.ms).toBeLessThan(10_000)
    }
    expect(results).toHaveLength(3)
  })

  test('a wrong tls-crypt key: silence, then the name of the timer', async () => {
    const server = tunnel()
    const client = { ...server, key: generateStaticKey(), client: 'hand-window 2' }
    const result = await refused(release, server, client, /tls-crypt unwrap error|TLS Error/)
    expect(result.code).toBe(1)
    expect(closed(result)).toMatchObject({
      reason: 'timed-out',
      message: expect.stringContaining('hand-window') as string,
    })
  })
})

describe('without a server', () => {
  it.skipIf(releases.length === 0)('no answer: closed with the name of the timer after hand-window', async () => {
    await withLab(async (lab) => {
      const profile = clientConfig({ ...tunnel(), client: 'hand-window 2' })
      const result = await probe(lab, profile)
      expect(result.code).toBe(1)
      expect(closed(result)).toMatchObject({
        reason: 'timed-out',
        message: expect.stringContaining('hand-window') as string,
      })
    })
  })

  it.skipIf(releases.length === 0)(
    'a profile that cannot work: exit 2, one line with file, line and directive, and the same in objects',
    async () => {
      await withLab(async (lab) => {
        const profile = clientConfig(tunnel()).replace(`remote 127.0.0.1 ${PORT}`, 'remote 127.0.0.1 99999')
        const result = await probe(lab, profile)
        expect(result.code).toBe(2)
        expect(result.output.trim().split('\n').at(-1)).toMatch(/^ovpn probe: .*\.ovpn:4:\d+: remote: .+$/)
        expect(result.events).toMatchObject([
          { event: 'problem', directive: 'remote', line: 4 },
          { event: 'error', option: 'remote', line: 4 },
        ])
      })
    },
  )
})
