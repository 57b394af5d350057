/**
 * A server with decisions in code: who may come in, with which address and networks, is a function of yours. Needs no root;
 * packets of clients are counted instead of going to a tun device.
 *
 * Run: `npx tsx examples/server.ts server.crt server.key ca.crt 1194`.
 */
import { createSocket } from 'node:dgram'
import { readFileSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import { createPeerVerifier, parsePemCertificates, parsePrivateKey } from '../src/index.ts'
import { nodeEnvironment } from '../src/node/index.ts'
import { type Grant, planAddresses, Server, type ServerOutput } from '../src/server/index.ts'

const [certificate = 'server.crt', key = 'server.key', ca = 'ca.crt', port = '1194'] = process.argv.slice(2)
const read = (path: string): string => readFileSync(path, 'utf8')

/** What a client of that name gets; undefined keeps it out. */
function decide(name: string | undefined): Grant | undefined {
  if (name === undefined || name === 'mallory') return undefined
  return name === 'office' ? { routes: ['10.20.0.0/16'] } : { push: ['route 10.20.0.0 255.255.0.0'] }
}

const server = new Server(
  {
    tls: {
      certificateChain: parsePemCertificates(read(certificate)),
      privateKey: parsePrivateKey(read(key)),
      verifier: createPeerVerifier({ ca: read(ca), remoteCertTls: 'client' }),
    },
    session: { timers: { ping: 10_000, pingRestart: 120_000 } },
    addresses: planAddresses({ device: 'tun', server: { network: '10.8.0.0', netmask: '255.255.255.0' } }),
    push: ['ping 10', 'ping-restart 60'],
    clientToClient: true,
    admission: 'ask',
  },
  nodeEnvironment(),
)
const socket = createSocket('udp4')
let timer: NodeJS.Timeout | undefined
let packets = 0

function deliver(output: ServerOutput): void {
  if (output.type === 'transmit') {
    const [address, toPort] = output.to.split(' ')
    socket.send(output.data, Number(toPort), address)
  } else if (output.type === 'packet') console.log('packets', ++packets)
  else if (output.type === 'event' && output.event.type === 'login' && output.client !== undefined) {
    const grant = decide(output.event.commonName)
    if (grant === undefined) server.deny(output.client, 'not on the list', performance.now())
    else server.allow(output.client, grant, performance.now())
  } else if (output.type === 'event') console.log(output.client, output.event.type)
}

function drain(): void {
  for (let output = server.poll(); output !== undefined; output = server.poll()) deliver(output)
  clearTimeout(timer)
  const wait = server.pollTimeout() - performance.now()
  if (wait !== Infinity) timer = setTimeout(() => (server.handleTimeout(performance.now()), drain()), Math.max(0, wait))
}

socket.on('message', (bytes, { address, port: from }) => {
  server.receive(bytes, `${address} ${from}`, performance.now())
  drain()
})
socket.bind(Number(port), () => console.log('listening on', socket.address().port))
