/**
 * A server of a profile on one UDP socket that hands all of its clients to a fresh server on SIGUSR2, as a rolling restart does;
 * SIGHUP renegotiates with all. Answers pings to its own addresses. Prints what it does, one JSON object a line.
 *
 * Run: `node --import tsx moving.child.ts PROFILE PORT`.
 */
import { createSocket } from 'node:dgram'
import { performance } from 'node:perf_hooks'
import { nodeCrypto } from '../../../src/node/crypto/index.ts'
import { loadServePlan } from '../../../src/node/command/serve-plan.ts'
import { StandIn } from '../../../src/node/command/serve-inside.ts'
import { nodeEnvironment } from '../../../src/node/driver.ts'
import { Server } from '../../../src/server/index.ts'

const [profile = '', port = ''] = process.argv.slice(2)
const plan = loadServePlan(profile, nodeCrypto, nodeEnvironment().random)
const key = nodeEnvironment().random(32)
const say = (event: string, fields: object = {}): void => {
  process.stdout.write(`${JSON.stringify({ event, ...fields })}\n`)
}
let server = new Server(plan.config, nodeEnvironment())
const socket = createSocket('udp4')
const inside = new StandIn(plan, (packet) => void server.send(packet, performance.now()))
let timer: NodeJS.Timeout | undefined

function drain(): void {
  for (let output = server.poll(); output !== undefined; output = server.poll()) {
    if (output.type === 'transmit') {
      const [address, to] = output.to.split(' ')
      socket.send(output.data, Number(to), address)
    } else if (output.type === 'packet') inside.take(output.data)
    else if (output.type === 'event') {
      const { type } = output.event
      const negotiated = 'negotiated' in output.event ? output.event.negotiated : undefined
      say(type, { client: output.client, format: negotiated?.dataFormat })
    }
  }
  clearTimeout(timer)
  const wait = server.pollTimeout() - performance.now()
  if (wait === Infinity) return
  timer = setTimeout(
    () => {
      server.handleTimeout(performance.now())
      drain()
    },
    Math.max(0, wait),
  )
}

socket.on('message', (bytes, { address, port: from }) => {
  server.receive(bytes, `${address} ${from}`, performance.now())
  drain()
})
process.on('SIGUSR2', () => {
  const next = new Server(plan.config, nodeEnvironment())
  const results = server.clients().map(({ id }) => {
    const state = server.exportClient(id, key, performance.now())
    return typeof state === 'string' ? state : next.importClient(state, key, performance.now())
  })
  drain()
  server = next
  say('moved', { results })
  drain()
})
process.on('SIGHUP', () => {
  for (const { id } of server.clients()) server.renegotiate(id, performance.now())
  drain()
})
socket.bind(Number(port), () => {
  say('listening')
})
