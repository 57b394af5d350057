/**
 * What a packet costs a server with ten, a hundred, a thousand, ten thousand clients.
 *
 * The servers live side by side in one process and take turns, pass by pass, so that the machine's weather and the collector
 * meet all of them alike. Packets come from the clients in turn and go to them in turn: with many clients nothing of one is in
 * a cache when its turn comes. A batch of packets is copied into place just before its turn, as a socket hands them over.
 */
import type { CryptoProvider } from '../src/crypto/index.ts'
import { packetOf, ServerWorld, type WorldOptions } from '../test/support/server-world.ts'
import { cpuMs } from './clock.ts'
import { median } from './connect.ts'

const PASSES = 9
const PACKETS = 10_000
const BATCH = 100

/** A server with clients, and what they have to say. */
export interface Crowd {
  readonly count: number
  readonly world: ServerWorld
  readonly crypto: CryptoProvider
  /** Tunnel addresses of all. */
  readonly inside: readonly string[]
  /** Where each sends from. */
  readonly addresses: readonly string[]
  /** By packet size: one store of datagrams a pass; the clients take turns, each datagram is used once. */
  readonly passes: ReadonlyMap<number, readonly Store[]>
}

/** Many byte arrays of one length in one buffer, written in any order. */
class Store {
  readonly length: number
  readonly #bytes: Uint8Array

  constructor(count: number, length: number) {
    this.length = length
    this.#bytes = new Uint8Array(count * length)
  }

  put(index: number, data: Uint8Array): void {
    if (data.length !== this.length) throw new Error('a datagram of another length')
    this.#bytes.set(data, index * this.length)
  }

  copyTo(target: Uint8Array, index: number): void {
    target.set(this.#bytes.subarray(index * this.length, (index + 1) * this.length))
  }
}

/** A server with that many connected clients, whose own ends are let go, and `PASSES` times `PACKETS` datagrams of theirs. */
export function createCrowd(count: number, sizes: readonly number[], options: WorldOptions): Crowd {
  const world = new ServerWorld(options)
  const rounds = Math.ceil(PACKETS / count)
  const passes = new Map<number, Store[]>()
  const inside: string[] = []
  const addresses: string[] = []
  for (let i = 0; i < count; i++) {
    const client = world.connect('bench')
    while (!client.connected && world.step(world.now + 60_000));
    for (const size of sizes) {
      for (let nth = 0; nth < rounds * PASSES; nth++) {
        client.session.send(packetOf(client.inside!, '10.0.0.1', 'x'.repeat(size - 20)), world.now)
        for (let output = client.session.poll(); output !== undefined; output = client.session.poll()) {
          if (output.type !== 'transmit') continue
          const { length } = output.data
          let stores = passes.get(size)
          if (stores === undefined) {
            stores = Array.from({ length: PASSES }, () => new Store(rounds * count, length))
            passes.set(size, stores)
          }
          stores[Math.floor(nth / rounds)]!.put((nth % rounds) * count + i, output.data)
        }
      }
    }
    inside.push(client.inside!)
    addresses.push(client.address)
    world.events.length = 0
    world.forget(client)
  }
  return { count, world, crypto: options.crypto!, inside, addresses, passes }
}

/** Nanoseconds of `work` for one of `count` items, in batches made ready outside of the clock. */
function cost<T>(count: number, ready: (index: number, place: number) => T, work: (item: T) => void): number {
  let spent = 0
  for (let from = 0; from < count; from += BATCH) {
    const batch = Array.from({ length: Math.min(BATCH, count - from) }, (_, place) => ready(from + place, place))
    const start = process.cpuUsage()
    for (const item of batch) work(item)
    spent += cpuMs(start)
  }
  return (spent * 1e6) / count
}

/** One pass: nanoseconds that the server takes for a packet of a client, and for one to a client. */
function pass({ addresses, inside, passes, world }: Crowd, size: number, nth: number): readonly [number, number] {
  const { server } = world
  const store = passes.get(size)![nth]!
  const count = Math.ceil(PACKETS / inside.length) * inside.length
  const places = (length: number) => Array.from({ length: BATCH }, () => new Uint8Array(length))
  const [datagrams, packets] = [places(store.length), places(size)]
  const taken = (): number =>
    server.clients().reduce((sum, { stats }) => sum + stats.packetsReceived + stats.packetsSent, 0)
  const before = taken()
  const fromNs = cost(
    count,
    (index, place) => {
      const data = datagrams[place]!
      store.copyTo(data, index)
      const address = addresses[index % addresses.length]!
      // A string of its own, as a socket gives with every datagram.
      return { data, from: `${address.slice(0, 1)}${address.slice(1)}` }
    },
    ({ data, from }) => {
      server.receive(data, from, world.now)
      while (server.poll() !== undefined);
    },
  )
  const toNs = cost(
    count,
    (index, place) => {
      const data = packets[place]!
      data.set(packetOf('10.0.0.1', inside[index % inside.length]!, 'x'.repeat(size - 20)))
      return data
    },
    (packet) => {
      server.send(packet, world.now)
      while (server.poll() !== undefined);
    },
  )
  if (taken() - before !== 2 * count) throw new Error('a packet was not taken')
  return [fromNs, toNs]
}

/** Nanoseconds per packet from and to a client, of each crowd: the middle of all passes but the first. */
export function packetCosts(
  crowds: readonly Crowd[],
  size: number,
): readonly { readonly fromNs: number; readonly toNs: number }[] {
  const costs = crowds.map((): (readonly [number, number])[] => [])
  for (let nth = 0; nth < PASSES; nth++) {
    for (const [i, crowd] of crowds.entries()) costs[i]!.push(pass(crowd, size, nth))
  }
  return costs.map((all) => ({
    fromNs: median(all.slice(1).map(([from]) => from)),
    toNs: median(all.slice(1).map(([, to]) => to)),
  }))
}
