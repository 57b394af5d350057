/**
 * Published attacks on servers, one test each, by row and number. What is not here is proven elsewhere: A1 to A5, A7, A11 to A18
 * on every wrap in `wire.test.ts` and `session.test.ts`; A3, A4, B18 and B19 on a whole server in `server.test.ts`; B4, B7, B8,
 * B11 to B17, B21 and B22 on one session in `session.test.ts`, `control.test.ts`, `reliability.test.ts` and the data channel's
 * files; C1 to C12 there and in `data-rows.test.ts`. A10 is SRV-6 in the unit tests of the front, C2 for moved clients is in
 * `unit/server/moving.test.ts`, where no nonce may come twice.
 */
import { describe, expect, it } from 'vitest'
import { concat } from '../../src/bytes/index.ts'
import type { Grant } from '../../src/server/index.ts'
import { Opcode, opcodeOf } from '../../src/wire/index.ts'
import { clientWrap, reset, STRANGER_SESSION } from '../support/first-packets.ts'
import { PKI_NOW } from '../support/pki.ts'
import { SeededRandom } from '../support/random.ts'
import { scaled } from '../support/scale.ts'
import { packetOf, ServerWorld, textOf, type WorldClient } from '../support/server-world.ts'
import { WRAP_KINDS } from '../support/wraps.ts'

const EARLY = 0x0f000001

describe('A: strangers', () => {
  it.each(WRAP_KINDS)(
    'A5 state exhaustion and reflection under %s: nothing kept, nothing repeated, 1.3 times at most',
    (kind) => {
      const world = new ServerWorld({ wrap: kind })
      let sent = 0
      let answered = 0
      world.filter = (data, to) => {
        if (to.startsWith('victim')) answered += data.length + 28
        return !to.startsWith('victim')
      }
      const question = reset(kind, EARLY)
      const count = scaled(500, 20_000)
      for (let i = 0; i < count; i++) {
        sent += question.length + 28
        world.input((server) => server.receive(question, `victim ${i}`, world.now))
      }
      world.wait(120_000)
      expect(answered).toBeGreaterThan(0)
      expect(answered / sent).toBeLessThanOrEqual(1.3)
      expect([world.server.stats.resetsAnswered, world.server.retained]).toEqual([count, 0])
    },
  )

  it('A6 mixed-up replies: each of a thousand interleaved strangers gets its own', () => {
    const world = new ServerWorld({ wrap: 'tls-crypt-v2' })
    const { behind, wrap } = clientWrap('tls-crypt-v2')
    const answers = new Map<string, Uint8Array[]>()
    world.filter = (data, to) => {
      answers.set(to, [...(answers.get(to) ?? []), data])
      return false
    }
    const sessionOf = (i: number): Uint8Array => Uint8Array.of(9, 9, 9, 9, 9, 9, i >> 8, i & 255)
    for (let i = 0; i < 1000; i++) {
      const question = reset('tls-crypt-v2', EARLY, { sessionId: sessionOf(i) })
      world.server.receive(question, `udp ${i & 1} stranger ${i}`, world.now)
    }
    world.input(() => undefined)
    expect([answers.size, behind.length > 0]).toEqual([1000, true])
    for (let i = 0; i < 1000; i++) {
      const [answer, ...more] = answers.get(`udp ${i & 1} stranger ${i}`)!
      const opened = wrap.open(answer!)
      if (typeof opened === 'string') throw new Error(opened)
      expect([opened.packet.peerSessionId, more]).toEqual([sessionOf(i), []])
    }
  })

  it('A8 CVE-2025-2704, CVE-2026-13698: wrapped keys that come again, whole or damaged, before and after, change nothing', () => {
    const world = new ServerWorld({ wrap: 'tls-crypt-v2' })
    const again: Uint8Array[] = []
    world.filter = (data, to) => {
      const opcode = opcodeOf(data[0]!)
      const carries = opcode === Opcode.CONTROL_HARD_RESET_CLIENT_V3 || opcode === Opcode.CONTROL_WKC_V1
      if (to === 'server' && carries) again.push(data.slice())
      return true
    }
    const ada = world.connected('ada')
    expect(again.length).toBeGreaterThanOrEqual(2)
    const before = world.server.retained
    const random = new SeededRandom('again')
    const tries = scaled(2000, 100_000)
    for (let i = 0; i < tries; i++) {
      const bytes = again[i % again.length]!.slice()
      if (i % 3 > 0) bytes[random.below(bytes.length)]! ^= 1 << random.below(8)
      world.input((server) => server.receive(bytes, ada.address, world.now))
    }
    expect([world.server.retained, world.server.clients().length]).toEqual([before, 1])
    world.sendFrom(ada, packetOf(ada.inside!, '10.8.0.1', 'still here'))
    world.input((server) => server.renegotiate(1, world.now))
    world.wait(5000)
    expect(world.eventsOf('rekeyed').length).toBe(1)
    expect(world.packets.map(({ data }) => textOf(data))).toEqual(['still here'])
  })

  it('A9 CVE-2026-12932: client keys whose metadata is refused leave nothing behind', () => {
    const old = new ServerWorld({ wrap: 'tls-crypt-v2', server: { tlsCryptV2: { maxAgeDays: 1 } } })
    const asking = new ServerWorld({ wrap: 'tls-crypt-v2', server: { tlsCryptV2: { verify: true } } })
    asking.onEvent = ({ client, event }) => {
      if (event.type === 'client-key') asking.input((server) => server.deny(client!, 'no', asking.now))
    }
    const count = scaled(300, 20_000)
    const { behind, wrap } = clientWrap('tls-crypt-v2')
    for (let i = 0; i < count; i++) {
      const address = `stranger ${i}`
      old.input((server) => server.receive(reset('tls-crypt-v2', EARLY), address, old.now))
      let answer: Uint8Array | undefined
      asking.filter = (data) => ((answer = data), false)
      asking.input((server) => server.receive(reset('tls-crypt-v2', EARLY), address, asking.now))
      const opened = wrap.open(answer!)
      if (typeof opened === 'string') throw new Error(opened)
      const proof = {
        opcode: Opcode.CONTROL_WKC_V1,
        keyId: 0,
        sessionId: STRANGER_SESSION,
        acks: [0],
        peerSessionId: opened.packet.sessionId,
        packetId: 1,
        payload: new Uint8Array(0),
      }
      const bytes = concat(wrap.seal(proof, EARLY + 1, PKI_NOW / 1000), behind)
      asking.input((server) => server.receive(bytes, address, asking.now))
    }
    expect([old.dropped('key-too-old'), asking.dropped('key-refused')]).toEqual([count, count])
    expect([old.server.retained, asking.server.retained]).toEqual([0, 0])
    expect(asking.server.stats.clientsBegun).toBe(0)
  })
})

describe('B: clients', () => {
  it('B1 CVE-2023-46850, CVE-2026-12996: nothing of a client that was killed, replaced or restarted leaves for another', () => {
    const world = new ServerWorld({ server: { clientToClient: true } })
    const random = new SeededRandom('slots')
    const names = ['ada', 'bob', 'eve']
    const current = new Map<string, WorldClient>()
    let exchanged = 0
    for (let round = 0; round < scaled(40, 1000); round++) {
      const name = names[random.below(3)]!
      const action = random.below(4)
      const client = current.get(name)
      if (client === undefined || action === 0) current.set(name, world.connected(name))
      else if (action === 1) {
        world.input((server) => server.kill(world.idOf(name), 'RESTART', world.now))
        current.delete(name)
      } else if (action === 2) {
        world.clients.delete(client.address)
        const next = world.connect(name, {}, client.address)
        expect(world.run(world.now + 60_000, () => next.connected)).toBe(true)
        current.set(name, next)
      } else world.input((server) => server.renegotiate(world.idOf(name), world.now))
      for (const [to, target] of current) {
        if (target.inside === undefined) continue
        world.input((server) => server.send(packetOf('10.8.0.1', target.inside!, `for ${to}`), world.now))
      }
      world.wait(200)
      for (const [to, target] of current) {
        for (const packet of target.packets.splice(0)) {
          expect(textOf(packet)).toBe(`for ${to}`)
          exchanged++
        }
      }
    }
    expect(exchanged).toBeGreaterThan(20)
  })

  it('B3 CVE-2022-0547: of several answers to one login the first counts, and no later one undoes a refusal', () => {
    for (const order of ['deny allow', 'deny deny allow', 'defer deny allow', 'allow deny']) {
      const world = new ServerWorld({ server: { admission: 'ask' } })
      const ada = world.connect('ada')
      world.wait(3000)
      const results = order.split(' ').map((verb) =>
        world.input((server) => {
          if (verb === 'deny') return server.deny(1, 'no', world.now)
          return verb === 'allow' ? server.allow(1, {}, world.now) : server.defer(1, 20, world.now)
        }),
      )
      world.wait(10_000)
      expect(ada.connected).toBe(order.startsWith('allow'))
      expect(results.at(-1)).toBe(false)
    }
  })

  it('B5 CVE-2026-13122: malformed, cut and foreign tokens are refused, and the server lives', () => {
    const key = new Uint8Array(128).fill(7)
    const world = new ServerWorld({
      server: { admission: 'ask', authToken: { key, lifetime: 0, renewal: 600_000 } },
      client: { login: { type: 'password', username: 'ada', password: 'secret' } },
    })
    world.onEvent = ({ client, event }) => {
      if (event.type === 'login') world.input((server) => server.allow(client!, {}, world.now))
    }
    const token = world.connected('ada').session.token!.login('ada').password
    const asked = world.eventsOf('login').length
    const bad = [11, 12, 31, token.length - 1].map((length) => token.slice(0, length))
    bad.push(`${token}A`, token.replace(/.$/, '!'), token.slice(0, -8) + 'AAAAAAAA')
    for (const password of bad) {
      const client = world.connect('ada', { login: { type: 'password', username: 'ada', password } })
      world.wait(5000)
      expect(client.connected, password).toBe(false)
      world.clients.delete(client.address)
    }
    const thief = world.connect('bob', { login: { type: 'password', username: 'bob', password: token } })
    world.wait(5000)
    expect(thief.connected).toBe(false)
    expect(world.eventsOf('login').length).toBe(asked)
  })

  it('B20 spoofed inner sources and a thousand networks: dropped, refused, and nobody else notices', () => {
    const grants: Record<string, Grant> = {
      eve: { routes: Array.from({ length: 1000 }, (_, i) => `10.${100 + (i >> 8)}.${i & 255}.0/24`) },
    }
    const world = new ServerWorld({ server: { admission: 'ask', clientToClient: true } })
    world.onEvent = ({ client, event }) => {
      if (event.type === 'login') {
        world.input((server) => server.allow(client!, grants[event.commonName ?? ''] ?? {}, world.now))
      }
    }
    const [ada, bob] = [world.connected('ada'), world.connected('bob')]
    const tableBefore = world.server.retained
    const eve = world.connect('eve')
    world.wait(10_000)
    expect(eve.connected).toBe(false)
    expect(world.server.retained).toBe(tableBefore)
    const random = new SeededRandom('spoof')
    const count = scaled(500, 50_000)
    for (let i = 0; i < count; i++) {
      const source = [10, 8, 0, 3 + random.below(250)].join('.')
      world.sendFrom(ada, packetOf(source, bob.inside!, 'spoofed'))
    }
    world.wait(100)
    expect([bob.packets.length, world.packets.length, world.dropped('bad-source')]).toEqual([0, 0, count])
    expect(world.server.retained).toBe(tableBefore)
  })
})
