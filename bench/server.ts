/**
 * A server with many clients: what a packet costs as the number of clients grows (ratios to the smallest number), what a
 * connect costs, what an idle client weighs, and how long it takes to hand one to another server.
 *
 * Every client has made a real handshake with nodeCrypto. Its datagrams for the measurement are sealed at once and its own end
 * is let go, so what is left in memory is the server's alone: V8's heap and array buffers after a collection, without what
 * OpenSSL holds outside of them. CPU per connect is of both ends.
 */
import type { Server } from '../src/server/index.ts'
import { packetOf, ServerWorld, worldServerConfig } from '../test/support/server-world.ts'

const POOL = { network: '10.0.0.0', netmask: '255.0.0.0' }
const PASSES = 4
const PACKETS = 10_000

interface Crowd {
  readonly world: ServerWorld
  readonly next: () => Server
  /** One list a pass, each packet used once; the clients take turns. */
  readonly passes: readonly { readonly data: Uint8Array; readonly from: string }[][]
  readonly cpuMsPerConnect: number
}

const cpuMs = (since?: NodeJS.CpuUsage): number => {
  const { system, user } = process.cpuUsage(since)
  return (user + system) / 1000
}

function memory(): number {
  for (let i = 0; i < 3; i++) globalThis.gc?.()
  const { arrayBuffers, heapUsed } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

/** A server with that many connected clients. */
function crowd(count: number): Crowd {
  const options = {
    pool: POOL,
    server: { maxClients: count + 1, duplicateNames: true, session: { timers: { renegotiateAfter: 0 } } },
  }
  const world = new ServerWorld(options)
  const each = Math.ceil(PACKETS / count)
  const rounds: { data: Uint8Array; from: string }[][] = Array.from({ length: each * PASSES }, () => [])
  const join = (): void => {
    const client = world.connect('bench')
    while (!client.connected && world.step(world.now + 60_000));
    for (const round of rounds) {
      client.session.send(packetOf(client.inside!, '10.0.0.1', 'x'.repeat(1000)), world.now)
      for (let output = client.session.poll(); output !== undefined; output = client.session.poll()) {
        if (output.type === 'transmit') round.push({ data: output.data, from: client.address })
      }
    }
    world.events.length = 0
    world.clients.delete(client.address)
  }
  join()
  const start = process.cpuUsage()
  for (let i = 1; i < count; i++) join()
  const cpuMsPerConnect = cpuMs(start) / (count - 1)
  const passes = Array.from({ length: PASSES }, (_, pass) => rounds.slice(pass * each, (pass + 1) * each).flat())
  return { world, next: () => world.makeServer(worldServerConfig(options)), passes, cpuMsPerConnect }
}

/** Bytes that an idle client adds to a server, `seconds` after it connected; pings go both ways every ten. */
function weight(seconds: number): number {
  const [first, count] = [50, 200]
  const world = new ServerWorld({
    pool: POOL,
    server: {
      maxClients: first + count,
      handshakeWork: { count: 1e9, period: 1 },
      duplicateNames: true,
      session: { timers: { renegotiateAfter: 0, ping: 10_000, pingRestart: 120_000 } },
    },
  })
  const join = (times: number): void => {
    const clients = Array.from({ length: times }, () => world.connect('bench'))
    world.settle()
    world.wait(seconds * 1000)
    if (clients.some(({ closed, connected }) => closed || !connected)) throw new Error('a client is not connected')
    world.clients.clear()
    world.events.length = 0
  }
  join(first)
  const before = memory()
  join(count)
  return (memory() - before) / count
}

/** Nanoseconds that the server takes for one packet of a client, the best of all passes but the first. */
function packetCost({ passes, world }: Crowd): number {
  let accepted = world.server.clients().reduce((sum, { stats }) => sum - stats.packetsReceived, 0)
  const costs = passes.map((datagrams) => {
    const start = process.cpuUsage()
    for (const { data, from } of datagrams) {
      world.server.receive(data, from, world.now)
      while (world.server.poll() !== undefined);
    }
    return (cpuMs(start) * 1e6) / datagrams.length
  })
  accepted += world.server.clients().reduce((sum, { stats }) => sum + stats.packetsReceived, 0)
  const sent = passes.flat().length
  if (accepted !== sent) throw new Error(`${accepted} of ${sent} packets were taken`)
  return Math.min(...costs.slice(1))
}

/** Microseconds for exporting a client and importing it elsewhere, each. */
function movingCost({ next, world }: Crowd): { readonly exportUs: number; readonly importUs: number } {
  const key = new Uint8Array(32).fill(7)
  const ids = world.server.clients().map(({ id }) => id)
  const target = next()
  const timed = <T>(work: (item: T) => unknown, items: readonly T[]): number => {
    const start = process.cpuUsage()
    for (const item of items) work(item)
    return (cpuMs(start) * 1000) / items.length
  }
  const states: Uint8Array[] = []
  const exportUs = timed((id) => {
    const state = world.server.exportClient(id, key, world.now)
    if (typeof state === 'string') throw new Error(state)
    states.push(state)
    while (world.server.poll() !== undefined);
  }, ids)
  const importUs = timed((state) => {
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
  let base = 0
  for (const count of [10, 1000, 10_000]) {
    const made = crowd(count)
    const cost = packetCost(made)
    if (base === 0) base = cost
    const ratio = cost / base
    const { cpuMsPerConnect } = made
    const moving = movingCost(made)
    console.log(
      `${count} clients: ${cost.toFixed(0)} ns a packet (${ratio.toFixed(2)} of the smallest, target 1.2), ` +
        `${cpuMsPerConnect.toFixed(2)} CPU ms a connect with both ends (${(1000 / cpuMsPerConnect).toFixed(0)} a second), ` +
        `export ${moving.exportUs.toFixed(0)} µs, import ${moving.importUs.toFixed(0)} µs`,
    )
    results[`${count}`] = { packetNs: cost, ratio, cpuMsPerConnect, ...moving }
  }
  return results
}
