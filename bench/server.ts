/**
 * A server with many clients: what a packet costs as the number of clients grows (ratios to the smallest number), how many
 * clients connect per second, and what an idle one weighs.
 */
import type { ServerWorld as World, WorldClient } from '../test/support/server-world.ts'
import { packetOf, ServerWorld } from '../test/support/server-world.ts'

const POOL = { network: '10.0.0.0', netmask: '255.0.0.0' }

/** A world with that many connected clients, and the CPU ms and bytes each took on the server's and its own side. */
function crowd(count: number): { world: World; clients: WorldClient[]; cpuPerConnect: number; heapPerPair: number } {
  const collect = (globalThis as { gc?: () => void }).gc ?? ((): void => undefined)
  const world = new ServerWorld({
    pool: POOL,
    server: { maxClients: count + 1, duplicateNames: true, session: { timers: { renegotiateAfter: 0 } } },
  })
  collect()
  const before = process.memoryUsage()
  const start = process.cpuUsage()
  const clients: WorldClient[] = []
  for (let i = 0; i < count; i++) {
    const client = world.connect('bench')
    while (!client.connected && world.step(world.now + 60_000));
    client.events.length = 0
    world.events.length = 0
    clients.push(client)
    // Only the newest client takes part in the clock: the others stay idle.
    world.clients.delete(client.address)
  }
  const { system, user } = process.cpuUsage(start)
  collect()
  const after = process.memoryUsage()
  const grown = after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers
  return { world, clients, cpuPerConnect: (user + system) / 1000 / count, heapPerPair: grown / count }
}

/** Nanoseconds that the server takes for one packet of a client. */
function packetCost(world: World, clients: readonly WorldClient[]): number {
  const rounds = 10_000
  const datagrams: { data: Uint8Array; from: string }[] = []
  for (let i = 0; i < rounds; i++) {
    const client = clients[i % clients.length]!
    client.session.send(packetOf(client.inside!, '10.0.0.1', 'x'.repeat(1000)), world.now)
    for (let output = client.session.poll(); output !== undefined; output = client.session.poll()) {
      if (output.type === 'transmit') datagrams.push({ data: output.data, from: client.address })
    }
  }
  const start = process.hrtime.bigint()
  for (const { data, from } of datagrams) {
    world.server.receive(data, from, world.now)
    while (world.server.poll() !== undefined);
  }
  return Number(process.hrtime.bigint() - start) / datagrams.length
}

/** Measures and prints. */
export function runServerBench(): unknown {
  const results: Record<string, unknown> = {}
  let base = 0
  for (const count of [10, 1000, 10_000]) {
    const { clients, cpuPerConnect, heapPerPair, world } = crowd(count)
    packetCost(world, clients)
    const cost = Math.min(packetCost(world, clients), packetCost(world, clients), packetCost(world, clients))
    if (base === 0) base = cost
    const ratio = cost / base
    const perSecond = 1000 / cpuPerConnect
    console.log(
      `${count} clients: ${cost.toFixed(0)} ns a packet (${ratio.toFixed(2)} of the smallest), ` +
        `${cpuPerConnect.toFixed(2)} CPU ms a connect with both ends (${perSecond.toFixed(0)} a second), ` +
        `${(heapPerPair / 1024).toFixed(1)} kB an idle pair`,
    )
    results[`${count}`] = { packetNs: cost, ratio, cpuMsPerConnect: cpuPerConnect, bytesPerIdlePair: heapPerPair }
  }
  return results
}
