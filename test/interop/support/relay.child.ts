/**
 * A rough link: a UDP relay inside a laboratory that loses, repeats, delays out of order and corrupts datagrams, seeded. It
 * can also let the first renegotiation come to nothing: from its first packet on, control packets of key ids above 0 vanish
 * for some milliseconds. It prints which key ids begin (soft resets), and from where. Told to, it goes on from another port
 * of its own after so many datagrams of the client, as a NAT does that has forgotten: it prints `rebound` then. And it can
 * lose what the client's packets of nothing but acks say in each renegotiation, for so many milliseconds from its reset.
 */
import { createSocket } from 'node:dgram'
import { SeededRandom } from '../../support/random.ts'

const [from, to, seed, loss, reorder, duplicate, corrupt] = process.argv.slice(2).map(Number) as [
  number,
  number,
  number,
  number,
  number,
  number,
  number,
]
const host = process.argv[9] ?? '127.0.0.1'
const blackout = Number(process.argv[10] ?? 0)
const rebindAfter = Number(process.argv[11] ?? 0)
const deafFor = Number(process.argv[12] ?? 0)
/** Each kind of datagram meets a fate of its own: how many of the others pass meanwhile does not matter to it. */
const fates = new Map<string, SeededRandom>()
const outside = createSocket('udp4')
let inside = openInside()
let passed = 0
let client: { port: number; address: string } | undefined

const SOFT_RESET = 3
const ACK = 5
const DATA = [6, 9]
let blackoutEnds: number | undefined
let deafUntil = 0

type Sender = 'client' | 'server'

/** Whether a datagram belongs to the renegotiation that is to fail. */
function isBlackedOut(data: Buffer, sender: Sender): boolean {
  const opcode = data[0]! >> 3
  const keyId = data[0]! & 7
  if (blackout === 0 || keyId === 0 || DATA.includes(opcode)) return false
  blackoutEnds ??= Date.now() + blackout
  const gone = Date.now() < blackoutEnds
  if (opcode === SOFT_RESET) process.stdout.write(`${sender} ${keyId} ${gone ? 'lost' : 'passed'}\n`)
  return gone
}

/** Whether a packet of the client's is one of nothing but acks that is to be lost. */
function isUnheard(data: Buffer): boolean {
  const opcode = data[0]! >> 3
  const keyId = data[0]! & 7
  if (deafFor === 0 || keyId === 0) return false
  if (opcode === SOFT_RESET) deafUntil = Date.now() + deafFor
  if (opcode !== ACK || Date.now() >= deafUntil) return false
  process.stdout.write(`ack ${keyId} lost\n`)
  return true
}

function pass(data: Buffer, sender: Sender, send: (bytes: Buffer) => void): void {
  const kind = `${sender} ${data[0]!}`
  const random = fates.get(kind) ?? new SeededRandom(`${seed} ${kind}`)
  fates.set(kind, random)
  const copies = random.float() < duplicate ? 2 : 1
  for (let i = 0; i < copies; i++) {
    if (random.float() < loss) continue
    const bytes = Buffer.from(data)
    if (random.float() < corrupt) {
      const at = Math.floor(random.float() * bytes.length)
      bytes[at] = bytes[at]! ^ (1 + Math.floor(random.float() * 255))
    }
    if (random.float() < reorder) setTimeout(() => send(bytes), 5 + random.float() * 40)
    else send(bytes)
  }
}

/** A socket towards the server, on a port that the system chooses. */
function openInside(): ReturnType<typeof createSocket> {
  const socket = createSocket('udp4')
  socket.on('message', (data) => {
    // What still comes to a forgotten port is lost.
    if (socket !== inside || isBlackedOut(data, 'server')) return
    pass(data, 'server', (bytes) => {
      if (client !== undefined) outside.send(bytes, client.port, client.address)
    })
  })
  socket.bind(0, host === '127.0.0.1' ? host : undefined)
  return socket
}

outside.on('message', (data, sender) => {
  client = sender
  if (++passed === rebindAfter) {
    inside = openInside()
    process.stdout.write('rebound\n')
  }
  if (isBlackedOut(data, 'client') || isUnheard(data)) return
  pass(data, 'client', (bytes) => inside.send(bytes, to, host))
})
outside.bind(from, '127.0.0.1', () => {
  process.stdout.write('relaying\n')
})
