/**
 * A crowd on one server: a tenth of it leaves and comes back every minute, some without a word; it moves, a fiftieth of all
 * datagrams is lost, and one neighbour sends far more than it is granted. Packets are canaries that name whom they are for.
 */
import { describe, expect, it } from 'vitest'
import { SeededRandom } from '../support/random.ts'
import { scaled, soaking } from '../support/scale.ts'
import { packetOf, ServerWorld, textOf, type WorldClient } from '../support/server-world.ts'

const COUNT = scaled(60, 1000)
const MINUTES = scaled(5, 60)
const CHURN = 0.1
const LOSS = 0.02
const SERVER = '10.8.0.1'
/** Tunnel bytes per second granted to everyone, and how many may come at once. */
const RATE = { bytesPerSecond: 2000, burst: 20_000 }
/** Packets of the greedy one each ten seconds: four times what it is granted. */
const GREED = 80
const LARGE = 'x'.repeat(980)

/** What a client asked to be carried to the server's side, and what arrived there. */
interface Share {
  offered: number
  delivered: number
}

/** A crowd, what it was given, and what of it arrived. */
class Crowd {
  readonly world: ServerWorld
  readonly live = new Map<string, WorldClient>()
  readonly shares = new Map<string, Share>()
  readonly greedy: Share = { offered: 0, delivered: 0 }
  canaries = 0
  /** Tunnel addresses in use, by the number of the client that has each. */
  readonly #held = new Map<string, number>()
  readonly #random = new SeededRandom('crowd/choices')

  constructor() {
    this.world = new ServerWorld({
      seed: 'crowd',
      wrap: 'tls-crypt',
      loss: LOSS,
      pool: { network: '10.8.0.0', netmask: '255.255.0.0' },
      server: {
        admission: 'ask',
        clientToClient: true,
        maxClients: 2 * COUNT,
        handshakeWork: { count: 1e6, period: 1000 },
      },
    })
    this.world.onEvent = ({ client, event }) => {
      if (event.type === 'login')
        this.world.input((server) => server.allow(client!, { rate: { fromClient: RATE } }, this.world.now))
      else if (event.type === 'client-connected') {
        const address = event.addresses.ipv4!
        expect(this.#held.has(address), `${address} given twice`).toBe(false)
        this.#held.set(address, client!)
      } else if (event.type === 'client-closed') {
        for (const [address, holder] of this.#held) if (holder === client) this.#held.delete(address)
      }
    }
    for (let i = 0; i < COUNT; i++) this.#join(`c${i}`)
    this.world.settle()
  }

  get held(): number {
    return this.#held.size
  }

  /** Ten seconds: everyone sends to the server's side and to somebody; some move. */
  send(): void {
    const targets = [...this.live.values()]
    for (const [name, client] of this.live) {
      const { inside } = client
      if (inside === undefined || client.closed) continue
      if (this.#random.chance(0.02)) this.world.float(client)
      if (name === 'c0') {
        for (let i = 0; i < GREED; i++) this.world.sendFrom(client, packetOf(inside, SERVER, `greedy ${LARGE}`))
        this.greedy.offered += GREED
        continue
      }
      this.world.sendFrom(client, packetOf(inside, SERVER, name))
      this.shares.get(name)!.offered++
      const target = this.#random.pick(targets).inside
      if (target !== undefined && target !== inside) this.world.sendFrom(client, packetOf(inside, target, target))
    }
    this.world.wait(5000)
    this.#collect()
  }

  /** A part of the crowd leaves, half of it without a word, and comes back from elsewhere. */
  churn(part: number): void {
    for (let i = Math.round(part * COUNT); i > 0; i--) {
      const name = `c${1 + this.#random.below(COUNT - 1)}`
      const leaving = this.live.get(name)!
      if (this.#random.chance(0.5)) {
        leaving.session.close(this.world.now)
        this.world.drain(leaving)
      }
      this.world.clients.delete(leaving.address)
      this.#join(name)
    }
    this.world.wait(5000)
    this.#collect()
  }

  /** Everyone leaves without a word. */
  end(): void {
    this.live.clear()
    this.world.clients.clear()
    this.world.wait(200_000)
  }

  #join(name: string): void {
    this.live.set(name, this.world.connect(name))
    if (!this.shares.has(name)) this.shares.set(name, { offered: 0, delivered: 0 })
  }

  /** Counts what arrived; a packet for anybody else fails. */
  #collect(): void {
    for (const client of this.live.values()) {
      for (const packet of client.packets.splice(0)) {
        expect(textOf(packet)).toBe(client.inside)
        this.canaries++
      }
    }
    for (const { data } of this.world.packets.splice(0)) {
      const name = textOf(data)
      if (name.startsWith('greedy')) this.greedy.delivered++
      else this.shares.get(name)!.delivered++
    }
    this.world.events.length = 0
  }
}

describe('a crowd over time', () => {
  it('SRV-24, SRV-81: no cross-talk, no address twice, fair beside a greedy neighbour, everything freed', {
    timeout: 900_000,
  }, () => {
    const crowd = new Crowd()
    expect(crowd.held).toBe(COUNT)
    for (let minute = 0; minute < MINUTES; minute++) {
      for (let tick = 0; tick < 6; tick++) {
        crowd.send()
        crowd.churn(CHURN / 6)
      }
    }
    const parts = [...crowd.shares]
      .filter(([name]) => name !== 'c0')
      .map(([, { delivered, offered }]) => [delivered, offered] as const)
    const offered = parts.reduce((sum, part) => sum + part[1], 0)
    expect(offered).toBeGreaterThan(0.9 * 6 * MINUTES * (COUNT - 1))
    const shares = parts.map(([delivered, each]) => delivered / each)
    expect(Math.max(...shares)).toBeLessThanOrEqual(1)
    expect(Math.max(...shares) / Math.min(...shares)).toBeLessThanOrEqual(2)
    // The greedy one has its grant and no more.
    const { greedy } = crowd
    const granted = (60 * MINUTES * RATE.bytesPerSecond + RATE.burst) / (LARGE.length + 27)
    expect(greedy.delivered).toBeLessThanOrEqual(granted)
    expect(greedy.delivered).toBeGreaterThan(granted / 2)
    expect(greedy.delivered).toBeLessThan(greedy.offered / 2)
    expect(crowd.canaries).toBeGreaterThan(0.7 * offered)
    const { stats } = crowd.world.server
    expect(stats.floats).toBeGreaterThan(0.5 * 0.02 * offered)
    expect(stats.clientsConnected).toBeGreaterThan(COUNT * (1 + 0.7 * CHURN * MINUTES))
    if (soaking()) console.log({ offered, least: Math.min(...shares), most: Math.max(...shares), greedy, ...stats })
    crowd.end()
    expect(crowd.held).toBe(0)
    expect(crowd.world.server.retained).toBe(0)
    expect(stats.clientsBegun).toBe(stats.clientsClosed)
  })
})
