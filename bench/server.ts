/**
 * A server with many clients: what a packet costs as the number of clients grows, what a connect costs beside its primitives,
 * what an idle client weighs, and how long it takes to hand one to another server.
 *
 * Every client has made a real handshake with nodeCrypto; its own end is let go, so what is left in memory is the server's
 * alone. What a packet costs is measured in `server-packets.ts`: its ratio is the price of memory, and the lines before say
 * what memory itself asks for a chain of objects.
 */
import type { CryptoProvider } from '../src/crypto/index.ts'
import { nodeCrypto } from '../src/node/crypto/index.ts'
import { Server } from '../src/server/index.ts'
import { PKI_NOW } from '../test/support/pki.ts'
import { ServerWorld, worldServerConfig } from '../test/support/server-world.ts'
import { cpuMs } from './clock.ts'
import { median, timed } from './connect.ts'
import { createCrowd, type Crowd, packetCosts } from './server-packets.ts'

const POOL = { network: '10.0.0.0', netmask: '255.0.0.0' }
const COUNTS = [10, 100, 1000, 10_000] as const
const SIZES = [64, 1400] as const
const PASSES = 4

class NullAead {
  readonly algorithm
  constructor(algorithm: Parameters<CryptoProvider['createAead']>[0]) {
    this.algorithm = algorithm
  }
  seal(): void {
    // Nothing: the frame is what is weighed.
  }
  open(): boolean {
    return true
  }
}

/** nodeCrypto, but for packet ciphers that do nothing: what is left is the server's own work. */
const nullProvider: CryptoProvider = Object.create(nodeCrypto, {
  name: { value: 'null' },
  createAead: { value: (algorithm: ConstructorParameters<typeof NullAead>[0]) => new NullAead(algorithm) },
}) as CryptoProvider

function memory(): number {
  for (let i = 0; i < 3; i++) globalThis.gc?.()
  const { arrayBuffers, heapUsed } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

function optionsFor(count: number, crypto: CryptoProvider) {
  const session = { timers: { renegotiateAfter: 0 } }
  const handshakeWork = { count: 1e9, period: 1 }
  return { pool: POOL, crypto, server: { maxClients: count + 1, handshakeWork, duplicateNames: true, session } }
}

/** Nanoseconds for a look at `objects` objects of a client, each led to by the one before, among 4 kB each, clients in turn. */
function memoryCost(clients: number, objects: number): number {
  interface Link {
    count: number
    next: Link | undefined
    room: number[]
  }
  const heads: Link[] = []
  for (let i = 0; i < clients; i++) {
    let head: Link | undefined
    for (let k = 0; k < objects; k++) head = { count: 0, next: head, room: new Array<number>(500).fill(0) }
    heads.push(head!)
  }
  // No loop may run ahead of the memory: whose turn is next is known when the last look is done.
  let at = 0
  const looks = 20_000
  const costs = Array.from({ length: PASSES }, () => {
    const start = process.cpuUsage()
    for (let i = 0; i < looks; i++) {
      let last = 0
      for (let link = heads[at]; link !== undefined; link = link.next) last = ++link.count
      at = (at + 1 + (last & 0x40000000)) % clients
    }
    return (cpuMs(start) * 1e6) / looks
  })
  return Math.min(...costs.slice(1))
}

/** A connect as the server pays for it: milliseconds in all its inputs and outputs, and in the primitives it calls. */
function connectCost(): { readonly serverMs: number; readonly primitivesMs: number; readonly ratio: number } {
  const rounds = 60
  const options = optionsFor(2 * rounds, nodeCrypto)
  const world = new ServerWorld(options)
  const inside = { ms: 0, depth: 0 }
  const outside = { ms: 0, depth: 0 }
  const server = new Server(worldServerConfig(options), {
    now: 0,
    timeOrigin: PKI_NOW,
    random: world.random.fork('bench').source,
    crypto: timed(nodeCrypto, inside),
  })
  // Its methods are called on itself: a proxy has no private fields.
  world.server = timed(server, outside)
  const results = Array.from({ length: rounds }, () => {
    inside.ms = 0
    outside.ms = 0
    const client = world.connect('bench')
    while (!client.connected && world.step(world.now + 60_000));
    world.wait(50)
    world.forget(client)
    return { serverMs: outside.ms, primitivesMs: inside.ms, ratio: outside.ms / inside.ms }
  }).slice(rounds / 3)
  const middle = (name: keyof (typeof results)[0]): number => median(results.map((result) => result[name]))
  return { serverMs: middle('serverMs'), primitivesMs: middle('primitivesMs'), ratio: middle('ratio') }
}

/** Bytes that an idle client adds to a server, `seconds` after it connected; pings go both ways every ten. */
function weight(seconds: number): number {
  const [first, count] = [50, 200]
  const options = optionsFor(first + count, nodeCrypto)
  const timers = { renegotiateAfter: 0, ping: 10_000, pingRestart: 120_000 }
  const world = new ServerWorld({ ...options, server: { ...options.server, session: { timers } } })
  const join = (times: number): void => {
    const clients = Array.from({ length: times }, () => world.connect('bench'))
    world.settle()
    world.wait(seconds * 1000)
    if (clients.some(({ closed, connected }) => closed || !connected)) throw new Error('a client is not connected')
    for (const client of clients) world.forget(client)
    world.events.length = 0
  }
  join(first)
  const before = memory()
  join(count)
  return (memory() - before) / count
}

/** Microseconds for exporting a client and importing it elsewhere, each. */
function movingCost({ crypto, world }: Crowd): { readonly exportUs: number; readonly importUs: number } {
  const key = new Uint8Array(32).fill(7)
  const ids = world.server.clients().map(({ id }) => id)
  const target = world.makeServer(worldServerConfig(optionsFor(ids.length, crypto)))
  const timedUs = <T>(work: (item: T) => unknown, items: readonly T[]): number => {
    const start = process.cpuUsage()
    for (const item of items) work(item)
    return (cpuMs(start) * 1000) / items.length
  }
  const states: Uint8Array[] = []
  const exportUs = timedUs((id) => {
    const state = world.server.exportClient(id, key, world.now)
    if (typeof state === 'string') throw new Error(state)
    states.push(state)
    while (world.server.poll() !== undefined);
  }, ids)
  const importUs = timedUs((state) => {
    const id = target.importClient(state, key, world.now)
    if (typeof id === 'string') throw new Error(id)
    while (target.poll() !== undefined);
  }, states)
  return { exportUs, importUs }
}

/** Measures and prints. */
export function runServerBench(): unknown {
  const results: Record<string, unknown> = {}
  for (const seconds of [1, 45]) {
    const bytes = weight(seconds)
    console.log(`an idle client after ${seconds} s: ${(bytes / 1024).toFixed(1)} kB (target 40)`)
    results[`idle ${seconds} s`] = bytes
  }
  const connect = connectCost()
  results['connect'] = connect
  console.log(
    `a connect, the server's end: ${connect.serverMs.toFixed(2)} ms, ${(1000 / connect.serverMs).toFixed(0)} a second; ` +
      `${connect.primitivesMs.toFixed(2)} ms in primitives; ratio ${connect.ratio.toFixed(2)}`,
  )
  for (const objects of [1, 8, 24]) {
    const looks = COUNTS.map((count) => memoryCost(count, objects))
    results[`memory ${objects}`] = looks
    console.log(
      `memory: ${objects} objects of each of ${COUNTS.join(', ')} clients: ${looks.map((ns) => ns.toFixed(0)).join(', ')} ns`,
    )
  }
  for (const crypto of [nullProvider, nodeCrypto]) {
    const crowds = COUNTS.map((count) => createCrowd(count, SIZES, optionsFor(count, crypto)))
    for (const size of SIZES) {
      const costs = packetCosts(crowds, size)
      const { fromNs, toNs } = costs[0]!
      for (const [i, { count }] of crowds.entries()) {
        const cost = costs[i]!
        const ratios = [cost.fromNs / fromNs, cost.toNs / toNs] as const
        console.log(
          `${crypto.name.padEnd(12)}${String(count).padStart(6)} clients, ${String(size).padStart(4)} bytes: ` +
            `from a client ${cost.fromNs.toFixed(0)} ns (${ratios[0].toFixed(2)} of the smallest), ` +
            `to a client ${cost.toNs.toFixed(0)} ns (${ratios[1].toFixed(2)})`,
        )
        results[`${crypto.name} ${count} ${size}`] = { ...cost, ratios }
      }
    }
    if (crypto !== nodeCrypto) continue
    for (const crowd of crowds.slice(2)) {
      const moving = movingCost(crowd)
      results[`moving ${crowd.count}`] = moving
      console.log(
        `${crowd.count} clients moved: export ${moving.exportUs.toFixed(0)} µs, import ${moving.importUs.toFixed(0)} µs each`,
      )
    }
  }
  return results
}
