/**
 * A renegotiation of which nothing arrives, and the one after it: under which key id each side tries again, and that the
 * tunnel carries every packet meanwhile. A relay loses the control packets of key ids above 0 for four seconds.
 */
import { fileURLToPath } from 'node:url'
import { describe, it } from 'vitest'
import { clientConfig, generateStaticKey, PORT, SERVER_READY, serverConfig, type Tunnel } from './support/configs.ts'
import { type Lab, type Running, withLab } from './support/lab.ts'
import { opensslPki } from './support/pki.ts'
import { probe, type ProbeResult } from './support/probe.ts'
import { RELEASES, type Release, releasesToTest } from './support/reference.ts'
import { Authority, eventsOf, serveConfig, startServe } from './support/serve.ts'

const releases = releasesToTest()
const RELAY = fileURLToPath(new URL('./support/relay.child.ts', import.meta.url))
const BLACKOUT = 4000
const QUICK = 'hand-window 3\nreneg-sec 2'
const PATIENT = 'hand-window 3\nreneg-sec 3600'

/** The relay, once it relays. */
async function startRelay(lab: Lab): Promise<Running> {
  const numbers = [PORT + 1, PORT, 1, 0, 0, 0, 0, '127.0.0.1', BLACKOUT].map(String)
  const relay = lab.start('relay', [process.execPath, '--import', import.meta.resolve('tsx'), RELAY, ...numbers])
  await relay.seen(/relaying/)
  return relay
}

const throughRelay = (profile: string): string =>
  profile.replace(`remote 127.0.0.1 ${PORT}`, `remote 127.0.0.1 ${PORT + 1}`)

interface Told {
  readonly result: ProbeResult
  /** The soft resets that the relay saw, in words. */
  readonly resets: string
  readonly log: string
}

/** Our client through the relay, with so many pings. */
async function ourClient(release: Release, server: string, client: string, count: number): Promise<Told> {
  const key = generateStaticKey()
  const tunnel: Tunnel = { transport: 'udp', wrap: 'tls-crypt', key, pki: opensslPki('P-256'), server, client }
  return await withLab(async (lab) => {
    const reference = lab.openvpn(release, 'server', serverConfig(tunnel))
    await reference.seen(SERVER_READY)
    const relay = await startRelay(lab)
    const args = ['--count', `${count}`, '--interval', '50', '--timeout', '60']
    const result = await probe(lab, throughRelay(clientConfig(tunnel)), args)
    return { result, resets: relay.output(), log: `${relay.output()}\n${result.output}\n${reference.output()}` }
  })
}

describe.concurrent.each(RELEASES)('a renegotiation lost on the way to or from OpenVPN %s', (release) => {
  const test = it.skipIf(!releases.includes(release))

  test('REKEY-10 ours is tried again under the same key id, which the server expects', async ({ expect }) => {
    const { result, resets, log } = await ourClient(release, PATIENT, QUICK, 360)
    expect(result, log).toMatchObject({ code: 0, pings: 360 })
    expect(resets).toMatch(/client 1 lost\n(.*\n)*client 1 passed\nserver 1 passed/)
    expect(resets).not.toContain('client 2 lost')
    expect(result.events.find(({ event }) => event === 'rekey-failed')).toMatchObject({ keyId: 1 })
    expect(result.events.find(({ event }) => event === 'rekeyed')).toMatchObject({ keyId: 1, initiator: 'us' })
  })

  // It puts the session aside with its keys and waits for a hard reset: soft resets of ours it calls stale from then on.
  it.skipIf(release !== '2.6' || !releases.includes(release))(
    'the server’s own is not tried again; the tunnel goes on with its key',
    async ({ expect }) => {
      const { result, resets, log } = await ourClient(release, 'hand-window 3\nreneg-sec 2 2', PATIENT, 200)
      expect(result, log).toMatchObject({ code: 0, pings: 200 })
      expect(resets).toContain('server 1 lost')
      expect(resets).not.toContain('passed')
      expect(result.events.some(({ event }) => event === 'rekeyed')).toBe(false)
    },
  )

  test('REKEY-10 our server’s is tried again under the same key id, which the client expects', async ({ expect }) => {
    const authority = new Authority()
    const key = generateStaticKey()
    await withLab(async (lab) => {
      const lines = ['server 10.9.0.0 255.255.255.0', 'hand-window 3', 'reneg-sec 2 2']
      const server = await startServe(lab, serveConfig({ authority, wrap: 'tls-crypt', key, lines }))
      const relay = await startRelay(lab)
      const pair = authority.client('c')
      const pki = { ...opensslPki('P-256'), ca: authority.ca, client: pair }
      const tunnel: Tunnel = { transport: 'udp', wrap: 'tls-crypt', key, pki, client: PATIENT }
      const client = lab.openvpn(release, 'client', throughRelay(clientConfig(tunnel)))
      await client.seen(SERVER_READY)
      const ping = lab.start('ping', ['ping', '-i', '0.05', '-c', '340', '-W', '2', '10.9.0.1'])
      await server.seen(/"rekeyed"/, 30)
      const { output } = await ping.ended(40)
      const log = `${relay.output()}\n${server.output()}\n${client.output()}`
      expect(output, log).toContain('340 received')
      expect(relay.output()).toMatch(/server 1 lost\n(.*\n)*server 1 passed\nclient 1 passed/)
      expect(eventsOf(server, 'rekey-failed')[0], log).toMatchObject({ keyId: 1 })
      expect(eventsOf(server, 'rekeyed')[0]).toMatchObject({ keyId: 1, initiator: 'us' })
    }).finally(() => {
      authority.close()
    })
  })
})
