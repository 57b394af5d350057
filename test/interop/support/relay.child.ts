/**
 * A rough link: a UDP relay inside a laboratory that loses, repeats, delays out of order and corrupts datagrams, seeded.
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
const random = new SeededRandom(seed)
const outside = createSocket('udp4')
const inside = createSocket('udp4')
let client: { port: number; address: string } | undefined

function pass(data: Buffer, send: (bytes: Buffer) => void): void {
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

outside.on('message', (data, sender) => {
  client = sender
  pass(data, (bytes) => inside.send(bytes, to, host))
})
inside.on('message', (data) => {
  pass(data, (bytes) => {
    if (client !== undefined) outside.send(bytes, client.port, client.address)
  })
})
inside.bind(0, host === '127.0.0.1' ? host : undefined)
outside.bind(from, '127.0.0.1', () => {
  process.stdout.write('relaying\n')
})
