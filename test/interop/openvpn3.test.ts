/**
 * The real OpenVPN 3 as client of our server: its command line client, which `OVPN_OPENVPN3` names. Without it nothing here
 * runs, and says so; `test/vectors/record.test.ts` runs the same sessions again, recorded.
 */
import { afterAll, describe, expect, it } from 'vitest'
import { generate, generateStaticKey, TRANSPORTS, type WrapName } from './support/configs.ts'
import { type Lab, type Running, withLab } from './support/lab.ts'
import { type Desk, openvpn3Program, type Openvpn3Options, startDesk, startOpenvpn3, UP } from './support/openvpn3.ts'
import { Authority, type ClientPlace, events, eventsOf, serveConfig, type Served, withPlaces } from './support/serve.ts'

const program = openvpn3Program()
const authority = program === undefined ? undefined : new Authority()
afterAll(() => {
  authority?.close()
})

const NETWORK = 'server 10.9.0.0 255.255.255.0'
const PASSWORD = ['-u', 'ada', '-p', 'secret']

interface Cell {
  readonly transport?: (typeof TRANSPORTS)[number]
  readonly wrap?: WrapName
  readonly server?: readonly string[]
  readonly cipher?: string
  readonly admission?: 'ask' | 'automatic'
  readonly client?: Openvpn3Options
}

interface Running3 {
  readonly lab: Lab
  readonly desk: Desk
  readonly place: ClientPlace
  readonly client: Running
}

/** A server and one client, with both their words when something goes wrong. */
async function run(cell: Cell, body: (running: Running3) => Promise<void>): Promise<void> {
  const { cipher = 'AES-256-GCM', server = [], transport = 'udp', wrap = 'tls-crypt' } = cell
  await withLab(async (lab) => {
    const isV2 = wrap === 'tls-crypt-v2'
    const key = isV2 ? generate('2.6', 'tls-crypt-v2-server') : wrap === 'none' ? '' : generateStaticKey()
    const wrapKey = isV2 ? generate('2.6', 'tls-crypt-v2-client', '--tls-crypt-v2', lab.file('v2.key', key)) : undefined
    const served: Served = { authority: authority!, transport, wrap, key, lines: [NETWORK, ...server] }
    const config = serveConfig(served).replace(/data-ciphers .*/, `data-ciphers ${cipher}`)
    const desk = await startDesk(lab, config, cell.admission ?? 'automatic')
    await withPlaces(lab, 1, async ([place]) => {
      const options = { ...cell.client, ...(wrapKey === undefined ? {} : { wrapKey }) }
      const client = startOpenvpn3(lab, place!, 'c', served, options)
      try {
        await body({ lab, desk, place: place!, client })
      } catch (error) {
        throw new Error(`${String(error)}\n${client.output()}\n${desk.running.output()}`, { cause: error })
      }
    })
  })
}

/** A login's client, once it came. */
async function login({ desk }: Running3, count = 1): Promise<Readonly<Record<string, unknown>>> {
  await events(desk.running, 'login', count)
  return eventsOf(desk.running, 'login')[count - 1]!
}

/** Pings between turns of the event loop, so that news come in; how many of 20 were lost. */
async function lostPings({ place }: Running3): Promise<number> {
  const answered = place.ping('10.9.0.1', 20)
  await new Promise((done) => setTimeout(done, 20))
  return 20 - answered
}

const closing = ({ desk }: Running3): unknown => eventsOf(desk.running, 'client-closed').at(-1)?.['reason']

describe.skipIf(program === undefined)('OpenVPN 3', () => {
  const WRAPS: readonly WrapName[] = ['none', 'tls-auth', 'tls-crypt', 'tls-crypt-v2']
  const CIPHERS = ['AES-256-GCM', 'AES-128-GCM', 'CHACHA20-POLY1305']
  const cells = TRANSPORTS.flatMap((transport) =>
    WRAPS.map((wrap, index) => [transport, wrap, CIPHERS[index % 3]!, index % 2 === 0 ? '1.3' : '1.2'] as const),
  )

  it.each(cells)('%s, %s, %s, TLS %s: pings of both versions, and a farewell', async (transport, wrap, cipher, tls) => {
    const topology = tls === '1.2' ? 'net30' : 'subnet'
    const server = ['server-ipv6 fd00:9::/64', `topology ${topology}`, `tls-version-max ${tls}`]
    await run({ transport, wrap, cipher, server }, async (running) => {
      const { client, desk, place } = running
      await client.seen(UP)
      expect(place.ping('10.9.0.1', 20)).toBe(20)
      expect(place.ping('fd00:9::1', 5, '-6')).toBe(5)
      const [connected] = eventsOf(desk.running, 'client-connected')
      expect(connected?.['negotiated']).toMatchObject({
        tlsVersion: `TLSv${tls}`,
        wrap,
        dataCipher: cipher,
        dataFormat: 'epoch',
        dynamicTlsCrypt: true,
      })
      client.kill('SIGTERM')
      await desk.running.seen(/"client-closed"/)
      expect(closing(running)).toEqual({ type: transport === 'udp' ? 'peer-exit' : 'hung-up' })
    })
  })

  it.each(['none', 'tls-crypt'] as const)(
    'the server renegotiates under traffic, %s: no ping is lost',
    async (wrap) => {
      await run({ wrap }, async (running) => {
        const { client, desk } = running
        await client.seen(UP)
        desk.call('renegotiate', 1)
        let lost = 0
        for (let i = 0; i < 4; i++) lost += await lostPings(running)
        expect(lost).toBe(0)
        expect(eventsOf(desk.running, 'rekeyed')).toMatchObject([{ keyId: 1, initiator: 'us' }])
        client.kill('SIGTERM')
        await desk.running.seen(/"client-closed"/)
        expect(closing(running)).toEqual({ type: 'peer-exit' })
      })
    },
  )

  it('the client renegotiates under traffic: no ping is lost, and its farewell under the key before is heard', async () => {
    await run({ wrap: 'tls-auth', client: { lines: ['reneg-sec 10'] } }, async (running) => {
      const { client, desk } = running
      await client.seen(UP)
      let lost = 0
      for (let i = 0; i < 40 && eventsOf(desk.running, 'rekeyed').length === 0; i++) lost += await lostPings(running)
      lost += await lostPings(running)
      expect(lost).toBe(0)
      expect(eventsOf(desk.running, 'rekeyed')).toMatchObject([{ keyId: 1, initiator: 'peer' }])
      client.kill('SIGTERM')
      await desk.running.seen(/"client-closed"/)
      expect(closing(running)).toEqual({ type: 'peer-exit' })
    })
  }, 60_000)

  it('logins: a wrong password, a static challenge', async () => {
    const lines = ['auth-user-pass']
    await run({ admission: 'ask', client: { lines, args: PASSWORD } }, async (running) => {
      const { client: id } = await login(running)
      running.desk.call('deny', id, 'no such user')
      await running.client.seen(/EVENT: AUTH_FAILED no such user/)
    })
    const challenge = [...lines, 'static-challenge "Code?" 1']
    const args = [...PASSWORD, '-r', '7242']
    await run({ admission: 'ask', client: { lines: challenge, args } }, async (running) => {
      const { client: id, password } = await login(running)
      expect(password).toBe(`SCRV1:${btoa('secret')}:${btoa('7242')}`)
      running.desk.call('allow', id, {})
      await running.client.seen(UP)
    })
  })

  it('logins: a dynamic challenge, decided late, and a token for the next time', async () => {
    const client = { lines: ['auth-user-pass'], args: PASSWORD }
    await run({ admission: 'ask', server: ['auth-gen-token 600'], client }, async (running) => {
      const { desk } = running
      const challenge = { text: 'Code?', username: 'ada', stateId: 's1', echo: true, responseRequired: true }
      desk.call('deny', (await login(running))['client'], { type: 'challenge', challenge })
      await running.client.seen(/ENTER RESPONSE/)
      running.client.process.stdin?.write('7242\n')
      const second = await login(running, 2)
      expect(second['password']).toBe('CRV1::s1::7242')
      desk.call('defer', second['client'], 30)
      await running.client.seen(/EVENT: AUTH_PENDING timeout 30/)
      desk.call('allow', second['client'], {})
      await running.client.seen(UP)
      desk.call('renegotiate', second['client'])
      await desk.running.seen(/"rekeyed"/)
      running.client.kill('SIGHUP')
      const third = await login(running, 3)
      expect(third).toMatchObject({ tokenAccepted: true, renewal: false })
      desk.call('allow', third['client'], {})
      await running.client.seen(/(?:EVENT: CONNECTED[^]*){2}/)
      expect(running.place.ping('10.9.0.1', 5)).toBe(5)
    })
  }, 60_000)

  it('pushed routes and names, changed later; RESTART brings it back, HALT ends it', async () => {
    const server = [
      'push "route 10.50.0.0 255.255.0.0"',
      'push "dhcp-option DNS 10.9.0.1"',
      'push "dns server 1 address 10.9.0.1 [fd00:9::1]:5353"',
      'push "dns search-domains a.example b.example"',
    ]
    await run({ server }, async ({ client, desk, place }) => {
      await client.seen(UP)
      const routes = (): string => place.run(['ip', 'route'])
      expect(routes()).toContain('10.50.0.0/16')
      desk.call('pushUpdate', 1, ['route 10.66.0.0 255.255.255.0'])
      await expect.poll(routes, { timeout: 5_000 }).toContain('10.66.0.0/24')
      desk.call('pushUpdate', 1, ['-route'])
      await expect.poll(routes, { timeout: 5_000 }).not.toContain('10.66.0.0/24')
      expect(place.ping('10.9.0.1', 5)).toBe(5)
      desk.call('kill', 1, 'RESTART')
      await client.seen(/CLIENT_RESTART[^]*EVENT: CONNECTED/)
      expect(place.ping('10.9.0.1', 5)).toBe(5)
      desk.call('kill', 2, 'HALT,enough')
      await client.seen(/EVENT: CLIENT_HALT enough/)
      expect((await client.ended(10)).output).toContain('EVENT: DISCONNECTED')
    })
  }, 60_000)

  it('a revoked certificate, and a server of another authority', async () => {
    const list = authority!.crl('c')
    await withLab(async (lab) => {
      const lines = [NETWORK, `crl-verify ${lab.file('crl.pem', list)}`]
      const served: Served = { authority: authority!, lines }
      const desk = await startDesk(lab, serveConfig(served), 'automatic')
      await withPlaces(lab, 1, async ([place]) => {
        startOpenvpn3(lab, place!, 'c', served)
        await desk.running.seen(/"problem":"revoked"/)
      })
    })
    const other = new Authority()
    await run({ client: { ca: other.ca } }, async ({ client, desk }) => {
      await desk.running.seen(/"client-closed"/)
      await client.seen(/CERT_VERIFY_FAIL/)
    })
    other.close()
  }, 60_000)
})

it.skipIf(program !== undefined)('OpenVPN 3: skipped, OVPN_OPENVPN3 names no client that runs here', () => undefined)
