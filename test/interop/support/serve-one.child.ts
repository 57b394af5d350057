/**
 * A server for one client at a time, run inside a laboratory: a server-role `Session` behind a UDP or TCP socket that pushes
 * a fixed address and answers pings to its own. Events go to standard output, one JSON object a line; lines on standard
 * input are commands (`renegotiate`, `close`).
 */
import { createSocket } from 'node:dgram'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { nodeEnvironment, SessionDriver } from '../../../src/node/driver.ts'
import { parseEcho, replyTo } from '../../../src/node/echo.ts'
import { Session, type SessionConfig } from '../../../src/session/index.ts'
import { parseStaticKey } from '../../../src/wire/index.ts'
import { createPeerVerifier, parsePemCertificates, parsePrivateKey } from '../../../src/x509/index.ts'

/** What the laboratory asks for. */
export interface ServeOne {
  readonly transport: 'udp' | 'tcp'
  readonly wrap: 'none' | 'tls-auth' | 'tls-crypt'
  readonly key: string
  readonly ca: string
  readonly certificate: string
  readonly privateKey: string
  readonly port: number
  /** More of the session's configuration. */
  readonly session?: Partial<SessionConfig>
}

const asked = JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as ServeOne

function wrap(): NonNullable<SessionConfig['wrap']> {
  if (asked.wrap === 'none') return { type: 'none' }
  const key = parseStaticKey(asked.key)
  return asked.wrap === 'tls-auth' ? { type: 'tls-auth', key, direction: 0 } : { type: 'tls-crypt', key }
}

const config: SessionConfig = {
  role: 'server',
  transport: asked.transport,
  wrap: wrap(),
  tls: {
    certificateChain: parsePemCertificates(asked.certificate),
    privateKey: parsePrivateKey(asked.privateKey),
    verifier: createPeerVerifier({ ca: asked.ca, remoteCertTls: 'client' }),
  },
  push: {
    options: ['route-gateway 10.9.0.1', 'topology subnet', 'ping 10', 'ping-restart 60'],
    ifconfig: '10.9.0.2 255.255.255.0',
    peerId: 0,
  },
  ...asked.session,
}

const print = (value: unknown): void => {
  process.stdout.write(`${JSON.stringify(value)}\n`)
}

/** A running session that answers pings; `transmit` goes to its client. */
function serve(transmit: (data: Uint8Array) => void, ended: () => void): SessionDriver {
  const driver = new SessionDriver(new Session(config, nodeEnvironment()), {
    transmit,
    packet: (packet) => {
      const echo = parseEcho(packet)
      if (echo?.kind === 'request') driver.send(replyTo(echo))
    },
    event: (event) => {
      print(event)
      if (event.type === 'closed') {
        print({ type: 'stats', ...driver.session.stats })
        ended()
      }
    },
  })
  driver.start()
  return driver
}

const sessions = new Map<string, SessionDriver>()

function serveUdp(): void {
  const socket = createSocket('udp4')
  socket.on('message', (data, from) => {
    const name = `${from.address}:${from.port}`
    let driver = sessions.get(name)
    if (driver === undefined) {
      driver = serve(
        (bytes) => {
          socket.send(bytes, from.port, from.address)
        },
        () => sessions.delete(name),
      )
      sessions.set(name, driver)
    }
    driver.receive(data)
  })
  socket.bind(asked.port, '127.0.0.1', () => {
    print({ type: 'listening' })
  })
}

function serveTcp(): void {
  const server = createServer({ noDelay: true }, (socket) => {
    const name = `${socket.remoteAddress ?? ''}:${socket.remotePort ?? 0}`
    const driver = serve(
      (bytes) => {
        socket.write(bytes)
      },
      () => {
        sessions.delete(name)
        socket.end()
      },
    )
    sessions.set(name, driver)
    socket.on('data', (data) => {
      driver.receive(data)
    })
    socket.on('error', () => undefined)
    socket.on('close', () => {
      driver.stop()
      sessions.delete(name)
    })
  })
  server.listen(asked.port, '127.0.0.1', () => {
    print({ type: 'listening' })
  })
}

if (asked.transport === 'udp') serveUdp()
else serveTcp()

createInterface({ input: process.stdin }).on('line', (line) => {
  for (const driver of sessions.values()) {
    driver.input((session, now) => {
      if (line === 'renegotiate') session.renegotiate(now)
      else if (line === 'close') session.close(now)
    })
  }
})
