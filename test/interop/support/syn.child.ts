/**
 * A client that opens a TCP connection through the tunnel without a kernel of its own, run inside a laboratory: it sends a
 * SYN that asks for segments of 9,000 bytes, over IPv4 and IPv6, to the far end's tunnel address, where it also listens
 * with the kernel's TCP, and prints what the answering SYN-ACKs ask for. The kernel answers only if our checksums are right.
 *
 * Arguments: the profile's file. One JSON object a line on standard output: `syn-ack` for each family, then `done`.
 */
import { createSocket } from 'node:dgram'
import { readFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { addressBytes } from '../../../src/node/command/plan.ts'
import { nodeEnvironment, SessionDriver } from '../../../src/node/driver.ts'
import { internetChecksum } from '../../../src/node/echo.ts'
import { parseProfile, toSessionConfig } from '../../../src/profile/index.ts'
import { Session } from '../../../src/session/index.ts'
import { PORT } from './configs.ts'

const TCP = 6
const ASKED_MSS = 9000
const LISTEN_PORT = 7000
const GATEWAYS = { 4: '10.8.0.1', 6: 'fd00:8::1' } as const
type Family = keyof typeof GATEWAYS

const print = (value: unknown): void => {
  process.stdout.write(`${JSON.stringify(value)}\n`)
}

function u16(value: number): number[] {
  return [value >> 8, value & 255]
}

/** A SYN from `source`. The MSS option stands at an even place: at odd ones the reference spoils the checksum. */
function synPacket(family: Family, source: Uint8Array): Uint8Array {
  const destination = addressBytes(GATEWAYS[family])
  if (destination === undefined) throw new Error('no address')
  const tcp = Uint8Array.of(
    ...u16(5000),
    ...u16(LISTEN_PORT),
    ...[0, 0, 1, 0, 0, 0, 0, 0],
    ...[0x70, 2, 0xff, 0xff, 0, 0, 0, 0],
    ...[2, 4, ...u16(ASKED_MSS), 1, 1, 1, 0],
  )
  const pseudo = Uint8Array.of(...source, ...destination, 0, 0, ...u16(tcp.length), 0, 0, 0, TCP)
  tcp.set(u16(internetChecksum(pseudo, tcp)), 16)
  if (family === 6) return Uint8Array.of(0x60, 0, 0, 0, ...u16(tcp.length), TCP, 64, ...source, ...destination, ...tcp)
  const header = Uint8Array.of(
    0x45,
    0,
    ...u16(20 + tcp.length),
    0,
    0,
    0x40,
    0,
    64,
    TCP,
    0,
    0,
    ...source,
    ...destination,
  )
  header.set(u16(internetChecksum(header)), 10)
  return Uint8Array.of(...header, ...tcp)
}

/** Family and MSS of a SYN-ACK. */
function readSynAck(packet: Uint8Array): { family: Family; mss: number } | undefined {
  const family: Family = packet[0]! >> 4 === 6 ? 6 : 4
  const tcp = packet.subarray(family === 6 ? 40 : 20)
  if (packet[family === 6 ? 6 : 9] !== TCP || tcp[13] !== 0x12) return undefined
  for (let at = 20; at < (tcp[12]! >> 4) * 4; at += tcp[at] === 1 ? 1 : tcp[at + 1]!) {
    if (tcp[at] === 2) return { family, mss: (tcp[at + 2]! << 8) | tcp[at + 3]! }
  }
  return undefined
}

const config = toSessionConfig(parseProfile(readFileSync(process.argv[2]!)))
const answered = new Set<Family>()

function ask(options: {
  readonly ipv4?: { address: string } | undefined
  readonly ipv6?: { address: string } | undefined
}): void {
  for (const [family, address] of [
    [4, options.ipv4?.address],
    [6, options.ipv6?.address],
  ] as const) {
    const source = address === undefined ? undefined : addressBytes(address)
    if (source === undefined || answered.has(family)) continue
    driver.send(synPacket(family, source))
  }
  if (answered.size < 2) setTimeout(ask, 300, options)
}

const driver: SessionDriver = new SessionDriver(new Session(config, nodeEnvironment()), {
  transmit: (data) => {
    transmit(data)
  },
  packet: (packet) => {
    const found = readSynAck(packet)
    if (found === undefined || answered.has(found.family)) return
    answered.add(found.family)
    print({ type: 'syn-ack', ...found })
    if (answered.size === 2) print({ type: 'done' })
  },
  event: (event) => {
    print(event)
    if (event.type === 'connected') ask(event.options)
  },
})

const transmit = config.transport === 'tcp' ? overTcp() : overUdp()
createServer().listen(LISTEN_PORT, '::', () => {
  driver.start()
})

function overUdp(): (data: Uint8Array) => void {
  const socket = createSocket('udp4')
  socket.on('message', (data) => {
    driver.receive(data)
  })
  return (data) => {
    socket.send(data, PORT, '127.0.0.1')
  }
}

function overTcp(): (data: Uint8Array) => void {
  const socket = connect({ port: PORT, host: '127.0.0.1', noDelay: true })
  socket.on('data', (data) => {
    driver.receive(data)
  })
  return (data) => {
    socket.write(data)
  }
}
