/**
 * The example of a server runs as it is printed, and does what it says; several sockets of one server.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { afterEach, describe, expect, it } from 'vitest'
import { nodeEnvironment } from '../../../src/node/driver.ts'
import { ServerDriver } from '../../../src/node/server-driver.ts'
import { Server } from '../../../src/server/index.ts'
import { Session, type SessionConfig, type SessionEvent } from '../../../src/session/index.ts'
import { pairConfigs } from '../../support/pair.ts'
import { PKI_NOW, toyPki } from '../../support/pki.ts'
import { identityNamed, packetOf, worldServerConfig } from '../../support/server-world.ts'

const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0)) close()
})

/** The toy PKI's certificates are good at its own time only. */
const environment = { ...nodeEnvironment(), timeOrigin: PKI_NOW }

/** Bytes to the server and a way to hear it. */
interface Wire {
  send(bytes: Uint8Array): void
  listen(heard: (bytes: Uint8Array) => void): void
}

async function udpWire(port: number): Promise<Wire> {
  const socket = createSocket('udp4')
  socket.connect(port, '127.0.0.1')
  await once(socket, 'connect')
  closers.push(() => socket.close())
  return { send: (bytes) => socket.send(bytes), listen: (heard) => void socket.on('message', heard) }
}

async function tcpWire(port: number): Promise<Wire> {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  closers.push(() => socket.destroy())
  return { send: (bytes) => void socket.write(bytes), listen: (heard) => void socket.on('data', heard) }
}

/** A client over a wire; `until` waits for one of its events. */
class WireClient {
  readonly session: Session
  readonly #wire: Wire
  readonly #events: SessionEvent[] = []
  #timer: NodeJS.Timeout | undefined
  #wake: (() => void) | undefined

  constructor(name: string, wire: Wire, config: Partial<SessionConfig> = {}) {
    const { der, key } = identityNamed(name)
    const [base] = pairConfigs()
    const tls = { ...base.tls, certificateChain: [der], privateKey: key }
    this.session = new Session({ ...base, tls, ...config }, { ...environment, now: performance.now() })
    this.#wire = wire
    wire.listen((bytes) => {
      this.session.receive(bytes, performance.now())
      this.drain()
    })
    closers.push(() => clearTimeout(this.#timer))
    this.drain()
  }

  drain(): void {
    for (let output = this.session.poll(); output !== undefined; output = this.session.poll()) {
      if (output.type === 'transmit') this.#wire.send(output.data)
      else if (output.type === 'event') this.#events.push(output.event)
    }
    this.#wake?.()
    clearTimeout(this.#timer)
    const deadline = this.session.pollTimeout()
    if (deadline === Infinity) return
    const wait = Math.max(0, deadline - performance.now())
    this.#timer = setTimeout(() => {
      this.session.handleTimeout(performance.now())
      this.drain()
    }, wait)
  }

  async until<K extends SessionEvent['type']>(type: K): Promise<Extract<SessionEvent, { type: K }>> {
    for (;;) {
      const event = this.#events.find((candidate) => candidate.type === type)
      if (event !== undefined) return event as Extract<SessionEvent, { type: K }>
      await new Promise<void>((wake) => (this.#wake = wake))
    }
  }
}

/** Resolves with the output once it matches. */
function printed(child: ChildProcess, pattern: RegExp): Promise<RegExpExecArray> {
  let output = ''
  return new Promise((resolve, reject) => {
    const look = (data: Buffer): void => {
      output += data.toString()
      const match = pattern.exec(output)
      if (match !== null) resolve(match)
    }
    child.stdout?.on('data', look)
    child.stderr?.on('data', look)
    child.once('exit', () => {
      reject(new Error(output))
    })
  })
}

describe('examples/server.ts', () => {
  it('lets in and keeps out by name, and counts packets', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ovpn-example-'))
    closers.push(() => rmSync(folder, { recursive: true }))
    const { ca, server } = toyPki('ed25519')
    const files = { 'server.crt': server.pem, 'server.key': server.keyPem, 'ca.crt': ca.pem }
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
    const names = Object.keys(files).map((name) => join(folder, name))
    // The toy certificates are of their own time, so the example is told the time of the PKI.
    const clock = `Object.defineProperty(performance, 'timeOrigin', { value: ${PKI_NOW} })`
    const early = `data:text/javascript,${encodeURIComponent(clock)}`
    const args = ['--import', 'tsx', '--import', early, 'examples/server.ts', ...names, '0']
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    closers.push(() => void child.kill('SIGKILL'))
    const [, port] = await printed(child, /listening on (\d+)/)
    const ada = new WireClient('ada', await udpWire(Number(port)))
    const { options } = await ada.until('connected')
    expect(options.ipv4).toMatchObject({ address: '10.8.0.2', prefix: 24 })
    expect(options.routes).toMatchObject([{ network: '10.20.0.0', prefix: 16 }])
    const counted = printed(child, /packets 1/)
    ada.session.send(packetOf('10.8.0.2', '10.8.0.1', 'hello'), performance.now())
    ada.drain()
    await counted
    const mallory = new WireClient('mallory', await udpWire(Number(port)))
    const { reason } = await mallory.until('closed')
    expect(reason).toMatchObject({ type: 'auth-failed', failure: { message: 'not on the list' } })
  })
})

describe('ServerDriver', () => {
  it('several sockets of one server, UDP and TCP: each client is answered from the socket it came to', async () => {
    const packets: Uint8Array[] = []
    const config = worldServerConfig({ server: { clientToClient: true } })
    const server = new Server(config, { ...environment, now: performance.now() })
    const driver = new ServerDriver(server, {
      packet: (_client, data) => void packets.push(data),
      event: () => undefined,
    })
    closers.push(() => {
      driver.close()
    })
    const listen = (protocol: 'udp' | 'tcp', host = '127.0.0.1') =>
      driver.listen({ protocol, host, port: 0, family: 4 })
    const [first, second, third] = [await listen('udp'), await listen('udp'), await listen('tcp')]
    expect(new Set([first, second, third]).size).toBe(3)
    const clients = [
      new WireClient('ada', await udpWire(first)),
      new WireClient('bob', await udpWire(second)),
      new WireClient('tia', await tcpWire(third), { transport: 'tcp' }),
    ]
    const inside: string[] = []
    for (const client of clients) inside.push((await client.until('connected')).options.ipv4!.address)
    expect(new Set(inside).size).toBe(3)
    const addresses = server.clients().map(({ address }) => address.split(' ').slice(0, 2).join(' '))
    expect(addresses.sort()).toEqual(['tcp 127.0.0.1', 'udp 0', 'udp 1'])
    expect(
      server
        .clients()
        .map(({ transport }) => transport)
        .sort(),
    ).toEqual(['tcp', 'udp', 'udp'])
  })

  it.each([
    [undefined, 'some'],
    [1_000_000, 'all'],
  ] as const)(
    'a TCP client that does not read, tcp-queue-limit %s: %s of its packets come',
    async (limit, expected) => {
      const server = new Server(worldServerConfig(), { ...environment, now: performance.now() })
      const options = limit === undefined ? {} : { tcpQueueLimit: limit }
      const driver = new ServerDriver(server, { packet: () => undefined, event: () => undefined }, options)
      closers.push(() => {
        driver.close()
      })
      const port = await driver.listen({ protocol: 'tcp', host: '127.0.0.1', port: 0, family: 4 })
      const socket = connect(port, '127.0.0.1')
      await once(socket, 'connect')
      closers.push(() => socket.destroy())
      const wire: Wire = {
        send: (bytes) => void socket.write(bytes),
        listen: (heard) => void socket.on('data', heard),
      }
      const client = new WireClient('tia', wire, { transport: 'tcp' })
      const target = (await client.until('connected')).options.ipv4!.address
      socket.pause()
      const count = 12_000
      const big = 'x'.repeat(1300)
      for (let i = 0; i < count; i++) {
        driver.input((machine, now) => machine.send(packetOf('10.8.0.1', target, big), now))
      }
      socket.resume()
      // The stream stays whole: what comes last arrives, whatever was left out before.
      const received = (): number => client.session.stats.packetsReceived
      let before = -1
      while (before !== received()) {
        before = received()
        await new Promise((done) => setTimeout(done, 300))
      }
      driver.input((machine, now) => machine.send(packetOf('10.8.0.1', target, 'last'), now))
      while (received() === before) await new Promise((done) => setTimeout(done, 20))
      if (expected === 'all') expect(before).toBe(count)
      else expect(before).toBeLessThan(count)
      expect(before).toBeGreaterThan(64)
    },
  )
})
