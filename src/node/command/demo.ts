/**
 * `ovpn demo` (npm start): a client and a server of this library over real UDP sockets on this machine, with certificates
 * made on the fly, drawn as a ladder while they talk: connect, pings both ways, one renegotiation under traffic, counters.
 * With `--reference` the server is the installed `openvpn`.
 */
import { createSocket, type Socket } from 'node:dgram'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { createPeerVerifier, makePki } from '../../x509/index.ts'
import { nodeCrypto } from '../crypto/index.ts'
import { nodeEnvironment } from '../driver.ts'
import { End, PINGS } from './demo-end.ts'
import { describeStats } from './describe.ts'
import { type CommandIo, EXIT } from './io.ts'
import { Ladder } from './ladder.ts'
import { runReferenceClient, runReferenceDemo } from './reference-demo.ts'

const HELP = `ovpn demo: two ends of this library over UDP on this machine, drawn as a ladder

usage: ovpn demo [--reference]

  --reference   the server is the installed openvpn (needs root, /dev/net/tun and iproute2)

Exit codes: 0 every ping came back, 1 one did not.`

const SERVER_ADDRESS = Uint8Array.of(10, 8, 0, 1)
const CLIENT_ADDRESS = Uint8Array.of(10, 8, 0, 2)

/** Runs `ovpn demo`. */
export async function runDemo(args: readonly string[], io: CommandIo): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      reference: { type: 'boolean', default: false },
      // What --reference starts inside its namespace.
      'reference-client': { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) {
    io.out(HELP)
    return EXIT.ok
  }
  const profile = values['reference-client']
  if (profile !== undefined) return await runReferenceClient(profile, io)
  return values.reference ? await runReferenceDemo(io) : await runBothEnds(io)
}

async function bound(): Promise<Socket> {
  const socket = createSocket('udp4')
  await new Promise<void>((done, failed) => {
    socket.once('error', failed)
    socket.bind(0, '127.0.0.1', done)
  })
  return socket
}

async function runBothEnds(io: CommandIo): Promise<number> {
  const [left, right] = await Promise.all([bound(), bound()])
  const random = nodeEnvironment().random
  const pki = makePki('P-256', performance.timeOrigin + performance.now(), nodeCrypto, random)
  const common = { transport: 'udp', trace: true } as const
  const ladder = new Ladder(io.out, io.colour, performance.now())
  ladder.heading(`client 127.0.0.1:${left.address().port}`, `server 127.0.0.1:${right.address().port}`)
  const server = new End({
    side: 'right',
    ladder,
    transmit: (data) => {
      right.send(data, left.address().port, '127.0.0.1')
    },
    config: {
      ...common,
      role: 'server',
      tls: {
        certificateChain: [pki.server.certificate],
        privateKey: pki.server.key,
        verifier: createPeerVerifier({ ca: pki.ca, remoteCertTls: 'client' }),
      },
      push: {
        options: ['route-gateway 10.8.0.1', 'topology subnet', 'ping 10', 'ping-restart 60'],
        ifconfig: '10.8.0.2 255.255.255.0',
        peerId: 0,
      },
    },
  })
  const client = new End({
    side: 'left',
    ladder,
    transmit: (data) => {
      left.send(data, right.address().port, '127.0.0.1')
    },
    config: {
      ...common,
      role: 'client',
      tls: {
        certificateChain: [pki.client.certificate],
        privateKey: pki.client.key,
        verifier: createPeerVerifier({ ca: pki.ca, remoteCertTls: 'server' }),
      },
    },
  })
  right.on('message', (data) => {
    server.driver.receive(data)
  })
  left.on('message', (data) => {
    client.driver.receive(data)
  })
  const both = Promise.all([client.seen('connected'), server.seen('connected')])
  server.driver.start()
  client.driver.start()
  await both
  const replies = await talk(client, server, ladder)
  await farewell(client, server)
  left.close()
  right.close()
  io.out('')
  for (const [name, end] of [
    ['client', client],
    ['server', server],
  ] as const) {
    for (const line of describeStats(end.driver.session.stats)) io.out(`${name}: ${line}`)
  }
  io.out(replies === 4 * PINGS ? 'every ping came back' : `${replies} of ${4 * PINGS} pings came back`)
  return replies === 4 * PINGS ? EXIT.ok : EXIT.failed
}

/** Pings both ways, then again while the keys are renewed; the number of replies. */
async function talk(client: End, server: End, ladder: Ladder): Promise<number> {
  const bothWays = async (interval: number): Promise<number> => {
    const [there, back] = await Promise.all([
      client.ping(CLIENT_ADDRESS, SERVER_ADDRESS, interval),
      server.ping(SERVER_ADDRESS, CLIENT_ADDRESS, interval),
    ])
    const now = performance.now()
    ladder.arrow(now, 'left', `P_DATA_V2: ${there} of ${PINGS} pings answered`)
    ladder.arrow(now, 'right', `P_DATA_V2: ${back} of ${PINGS} pings answered`)
    return there + back
  }
  const before = await bothWays(20)
  ladder.note(performance.now(), 'left', 'renegotiates while pings go on')
  const rekeyed = Promise.all([client.seen('rekeyed'), server.seen('rekeyed')])
  const during = bothWays(60)
  await sleep(100)
  client.driver.input((session, now) => {
    session.renegotiate(now)
  })
  await rekeyed
  return before + (await during)
}

async function farewell(client: End, server: End): Promise<void> {
  const ended = Promise.all([client.seen('closed'), server.seen('closed')])
  client.driver.input((session, now) => {
    session.close(now)
  })
  await ended
  client.driver.stop()
  server.driver.stop()
}
