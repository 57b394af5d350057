/**
 * Logins that a person decides behind the server, through its management interface: a second factor in a second attempt
 * (CRV1), a web page to visit, an answer that never comes, and a refusal while the tunnel runs.
 */
import { describe, expect, it } from 'vitest'
import { clientConfig, generateStaticKey, SERVER_READY, serverConfig, type Tunnel } from './support/configs.ts'
import { type Lab, type Running, withLab } from './support/lab.ts'
import { Management, managementLine } from './support/management.ts'
import { opensslPki } from './support/pki.ts'
import { type ProbeEvent, type ProbeResult, type RunningProbe, startProbe } from './support/probe.ts'
import { RELEASES, type Release, releasesToTest } from './support/reference.ts'

const releases = releasesToTest()

interface Desk {
  readonly management: Management
  readonly server: Running
  readonly probe: RunningProbe
}

/** A server that asks its management interface about every login, and a probe with one. */
async function desk(
  lab: Lab,
  release: Release,
  options: { readonly server?: string; readonly client?: string; readonly args?: readonly string[] } = {},
): Promise<Desk> {
  const { args = [], client = '', server: lines = '' } = options
  const tunnel: Tunnel = {
    transport: 'udp',
    wrap: 'tls-crypt',
    key: generateStaticKey(),
    pki: opensslPki('P-256'),
    server: `${managementLine(lab)}\nmanagement-client-auth\nauth-user-pass-optional\n${lines}`,
    client: `<auth-user-pass>\nalice\nsecret\n</auth-user-pass>\n${client}`,
  }
  const server = lab.openvpn(release, 'server', serverConfig(tunnel))
  await server.seen(SERVER_READY)
  const management = await Management.open(lab)
  const probe = startProbe(lab, clientConfig(tunnel), ['--count', '10', '--interval', '20', ...args])
  return { management, server, probe }
}

/** The next login: `client id key id`, and the password it came with. */
async function login(management: Management, kind: 'CONNECT' | 'REAUTH' = 'CONNECT'): Promise<[string, string]> {
  const [, ids = ''] = await management.said(new RegExp(`>CLIENT:${kind},(\\d+,\\d+)`))
  const [, password = ''] = await management.said(/>CLIENT:ENV,password=(.*?)\r?\n/)
  await management.said(/>CLIENT:ENV,END/)
  return [ids.replace(',', ' '), password]
}

/** 2.5 knows neither key ids nor times here. */
function pending(release: Release, ids: string, what: string, seconds: number): string {
  return release === '2.5'
    ? `client-pending-auth ${ids.split(' ')[0]} ${what}`
    : `client-pending-auth ${ids} ${what} ${seconds}`
}

const find = (result: ProbeResult, event: string): ProbeEvent | undefined =>
  result.events.find((candidate) => candidate.event === event)

describe.each(RELEASES)('a login decided behind OpenVPN %s', (release) => {
  const test = it.skipIf(!releases.includes(release))

  test('MSG-13 CLIENT-15 CRV1: the answer to a dynamic challenge is the next attempt’s password', async () => {
    await withLab(async (lab) => {
      const { management, probe, server } = await desk(lab, release, { args: ['--response', '7242'] })
      const [first, password] = await login(management)
      expect(password).toBe('secret')
      // "YWxpY2U=" is alice.
      management.send(`client-deny ${first} "second factor" "CRV1:R,E:state-1:YWxpY2U=:Your code?"`)
      const [second, answer] = await login(management)
      expect(answer).toBe('CRV1::state-1::7242')
      management.send(`client-auth-nt ${second}`)
      const result = await probe.result()
      management.close()
      expect(result, `${result.output}\n${server.output()}`).toMatchObject({ code: 0, pings: 10 })
      expect(find(result, 'retry')).toMatchObject({ reason: 'auth-failed' })
    })
  })

  test.each([
    ['OPEN_URL:https://login.example/a?b=c', { type: 'open-url', url: 'https://login.example/a?b=c' }],
    ['WEB_AUTH:hidden:https://login.example/', { type: 'web-auth', url: 'https://login.example/' }],
  ])('a page to visit: %s', async (what, request) => {
    await withLab(async (lab) => {
      const { management, probe, server } = await desk(lab, release)
      const [ids] = await login(management)
      management.send(pending(release, ids, what, 30))
      await probe.seen(/"event":"login-request"/)
      management.send(`client-auth-nt ${ids}`)
      const result = await probe.result()
      management.close()
      expect(result, `${result.output}\n${server.output()}`).toMatchObject({ code: 0, pings: 10 })
      expect(find(result, 'auth-pending'), result.output).toBeDefined()
      expect(find(result, 'login-request')?.['request']).toMatchObject(request)
    })
  })

  test('SESS-103 nobody answers: the login is waited for as long as the server said', async () => {
    await withLab(async (lab) => {
      const { management, probe, server } = await desk(lab, release, { client: 'hand-window 5' })
      const [ids] = await login(management)
      management.send(pending(release, ids, 'OPEN_URL:https://login.example/', 3))
      await probe.seen(/"event":"auth-pending"/)
      const started = Date.now()
      const result = await probe.result()
      const took = Date.now() - started
      management.close()
      // 2.5 names no time: then it is the hand-window.
      const timeout = release === '2.5' ? 5000 : 3000
      expect(find(result, 'auth-pending'), `${result.output}\n${server.output()}`).toMatchObject({ timeout })
      expect(find(result, 'closed')).toMatchObject({
        reason: 'timed-out',
        message: 'timed out (auth-pending): the server did not decide about the login in time',
      })
      expect(took).toBeGreaterThan(timeout - 500)
    })
  })

  test('a refusal at a renegotiation ends the tunnel with its reason', async () => {
    await withLab(async (lab) => {
      const args = ['--count', '1000', '--interval', '20']
      const { management, probe, server } = await desk(lab, release, { client: 'reneg-sec 2', args })
      const [first] = await login(management)
      management.send(`client-auth-nt ${first}`)
      const [again] = await login(management, 'REAUTH')
      management.send(`client-deny ${again} "no longer" "You are out"`)
      const result = await probe.result()
      management.close()
      expect(find(result, 'closed'), `${result.output}\n${server.output()}`).toMatchObject({
        reason: 'auth-failed',
        message: 'login refused: You are out',
      })
      expect(result.pings).toBeGreaterThan(50)
    })
  })
})
