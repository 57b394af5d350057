/**
 * Two sessions at one address: whoever can send from a client's address and hears what is sent there negotiates beside it, with
 * a certificate of its own. Neither gets what is the other's, and neither is judged in the other's place.
 */
import { describe, expect, it } from 'vitest'
import {
  type ControlPacket,
  isDataOpcode,
  Opcode,
  opcodeOf,
  parseControlPlain,
  writeControlPlain,
} from '../../src/wire/index.ts'
import { ServerWorld, type WorldClient, worldServerConfig, type WorldOptions } from '../support/server-world.ts'

/** A world in which two clients share an address, and the datagrams of each can be held back. */
class SharedAddress {
  readonly world: ServerWorld
  /** Names in the order in which the server's verifier accepted their certificates. */
  readonly verified: string[] = []
  /** Decides which of the server's datagrams to hold back. */
  hold: (name: string) => boolean = () => false
  /** The first one at the address is gone without a word. */
  firstIsGone = false
  /** The last control packet with a message of its own. */
  last: ControlPacket | undefined
  readonly #held: { readonly name: string; readonly data: Uint8Array }[] = []
  readonly #names = new Map<string, string>()
  #former: WorldClient | undefined
  #joining = ''

  constructor(options: WorldOptions = {}) {
    const { tls } = worldServerConfig(options)
    const verifier = {
      verify: (...call: Parameters<NonNullable<typeof tls.verifier>['verify']>) => {
        const verdict = tls.verifier!.verify(...call)
        if (verdict.type === 'verified') this.verified.push(verdict.username ?? '')
        return verdict
      },
    }
    this.world = new ServerWorld({ ...options, server: { ...options.server, tls: { ...tls, verifier } } })
    this.world.filter = (data, to, from) => {
      if (to !== 'server') {
        const former = this.#former
        if (former !== undefined && to === former.address && !this.firstIsGone) {
          former.session.receive(data, this.world.now)
          this.world.drain(former)
        }
        return true
      }
      if (from !== this.#former?.address && this.#former !== undefined) return true
      const packet = isDataOpcode(opcodeOf(data[0]!)) ? undefined : parseControlPlain(data)
      if (typeof packet === 'object' && packet.packetId !== undefined) this.last = packet
      const name = this.#nameOf(data)
      if (!this.hold(name)) return true
      this.#held.push({ name, data })
      return false
    }
  }

  /** The first at the address. */
  first(name: string): WorldClient {
    this.#joining = name
    this.#former = undefined
    const client = this.world.connect(name, { maxPacketSize: 300 })
    this.#former = client
    return client
  }

  /** The second at it. */
  second(name: string): WorldClient {
    this.#joining = name
    return this.world.connect(name, { maxPacketSize: 300 }, this.#former!.address)
  }

  /** What was held back of that one goes on its way; `count`: only so many. */
  release(name: string, count = Infinity): void {
    const { hold } = this
    this.hold = () => false
    for (let left = count; left > 0; left--) {
      const index = this.#held.findIndex((entry) => entry.name === name)
      if (index < 0) break
      this.world.inject(this.#held.splice(index, 1)[0]!.data, this.#former!.address)
    }
    this.hold = hold
  }

  /** A packet that goes on from the last one, with bytes that are none of TLS. */
  breakOff(): void {
    const { packetId = 0, sessionId } = this.last!
    const payload = new Uint8Array(60).fill(0x17)
    const packet = { opcode: Opcode.CONTROL_V1, keyId: 0, sessionId, acks: [], packetId: packetId + 1, payload }
    this.world.inject(writeControlPlain(packet), this.#former!.address)
  }

  get held(): readonly string[] {
    return this.#held.map(({ name }) => name)
  }

  #nameOf(data: Uint8Array): string {
    const id = data.subarray(1, 9).join()
    const known = this.#names.get(id)
    if (known !== undefined) return known
    this.#names.set(id, this.#joining)
    return this.#joining
  }
}

describe('two sessions at one address', () => {
  it('B1: a name counts for its own certificate, whatever was verified in between', () => {
    const shared = new SharedAddress({ server: { admission: 'ask' } })
    const { world } = shared
    // Both have begun, and their certificates are on their way.
    const sent = new Map<string, number>()
    shared.hold = (name) => {
      sent.set(name, (sent.get(name) ?? 0) + 1)
      return sent.get(name)! > 4
    }
    shared.first('ada')
    world.wait(300)
    shared.second('eve')
    world.wait(300)
    expect([...new Set(shared.held)]).toEqual(['ada', 'eve'])
    // Each is verified, Ada last; neither has said who it is.
    for (const name of ['eve', 'ada']) {
      while (!shared.verified.includes(name) && shared.held.includes(name)) {
        shared.release(name, 1)
        world.wait(20)
      }
    }
    expect(shared.verified).toEqual(['eve', 'ada'])
    expect(world.eventsOf('login')).toEqual([])
    shared.release('eve')
    world.wait(200)
    expect(world.eventsOf('login').map(({ commonName }) => commonName)).toEqual(['eve'])
  })

  it('B3: while a login waits, the refusal of another session at its address does not meet it', () => {
    const shared = new SharedAddress({ server: { admission: 'ask' } })
    const { world } = shared
    const ada = shared.first('ada')
    world.wait(1000)
    const { id } = world.server.clients()[0]!
    world.input((server) => server.allow(id, {}, world.now))
    world.wait(1000)
    expect(ada.connected).toBe(true)
    world.input((server) => server.renegotiate(id, world.now))
    world.wait(1000)
    expect(world.eventsOf('login').map(({ renewal }) => renewal)).toEqual([false, true])
    // The login of the renegotiation waits; somebody else begins at the address, and is turned away once it is looked at.
    const eve = shared.second('eve')
    world.wait(3000)
    expect(world.server.clients().map(({ connected, name }) => [name, connected])).toEqual([['ada', true]])
    expect(world.input((server) => server.allow(id, {}, world.now))).toBe(true)
    world.wait(3000)
    expect(world.eventsOf('rekeyed').length).toBe(1)
    expect(ada.closed).toBe(false)
    expect(eve.connected).toBe(false)
    expect(eve.session.closeReason).toMatchObject({ type: 'auth-failed' })
  })

  it('B3 SESS-119: a client that begins anew while its login waits is asked about again, and both answers are taken', () => {
    const shared = new SharedAddress({ server: { admission: 'ask' } })
    const { world } = shared
    shared.first('ada')
    world.wait(1000)
    const { id } = world.server.clients()[0]!
    world.input((server) => server.allow(id, {}, world.now))
    world.wait(1000)
    world.input((server) => server.renegotiate(id, world.now))
    world.wait(1000)
    expect(world.eventsOf('login').length).toBe(2)
    shared.firstIsGone = true
    const again = shared.second('ada')
    world.wait(1000)
    while (world.input((server) => server.allow(id, {}, world.now))) world.wait(500)
    world.wait(3000)
    expect(world.eventsOf('login').length).toBe(3)
    expect(again.connected).toBe(true)
    expect(world.server.clients().length).toBe(1)
  })

  it('B3 SESS-119: a login that is given up before it is answered needs no answer, and a late one does nothing', () => {
    const shared = new SharedAddress({ server: { admission: 'ask' } })
    const { world } = shared
    const ada = shared.first('ada')
    world.wait(1000)
    const { id } = world.server.clients()[0]!
    world.input((server) => server.allow(id, {}, world.now))
    world.wait(1000)
    // The same client begins anew at its address, is asked about, and breaks its TLS connection off.
    const again = shared.second('ada')
    world.wait(1000)
    expect(world.eventsOf('login').length).toBe(2)
    shared.breakOff()
    world.wait(100)
    expect(again.connected).toBe(false)
    for (const answer of ['allow', 'deny', 'defer'] as const) {
      const taken = world.input((server) => {
        if (answer === 'allow') return server.allow(id, {}, world.now)
        return answer === 'deny' ? server.deny(id, 'no', world.now) : server.defer(id, 9, world.now)
      })
      expect(taken, answer).toBe(false)
    }
    expect(world.server.clients().map(({ connected }) => connected)).toEqual([true])
    world.input((server) => server.renegotiate(id, world.now))
    world.wait(1000)
    expect(ada.closed).toBe(false)
    expect(world.input((server) => server.allow(id, {}, world.now))).toBe(true)
    world.wait(1000)
    expect(world.eventsOf('rekeyed').length).toBe(1)
  })
})
