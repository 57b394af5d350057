/**
 * A client under a host that behaves at random: no input throws, outputs stay bounded, every socket opened is closed, and
 * the end comes once and last.
 */
import { describe, expect, it } from 'vitest'
import { UsageError } from '../../src/bytes/index.ts'
import { Client, type ClientConfig, type ClientOutput, HttpProxy, SocksProxy } from '../../src/client/index.ts'
import { nodeCrypto } from '../../src/node/crypto/index.ts'
import { pairConfigs } from '../support/pair.ts'
import { PKI_NOW } from '../support/pki.ts'
import { SeededRandom } from '../support/random.ts'
import { scaled } from '../support/scale.ts'

function randomConfig(random: SeededRandom): ClientConfig {
  const remotes = Array.from({ length: random.int(1, 4) }, (_, index) => {
    const transport = random.pick(['udp', 'tcp'] as const)
    const login = random.pick([{ type: 'none' }, { type: 'ask' }] as const)
    const [session] = pairConfigs({ transport, client: { login } })
    const server = { host: random.pick(['proxy.example', '192.0.2.80']), port: 1080 }
    const socks = { type: 'socks', server } as const
    const http = { type: 'http', server, login: { username: 'u', password: 'p' } } as const
    const proxy = random.chance(0.4) ? (transport === 'tcp' ? random.pick([socks, http]) : socks) : undefined
    const host = random.pick(['a.example', `192.0.2.${index + 1}`, 'fd00::1'])
    return { host, port: 1194, session, ...(proxy === undefined ? {} : { proxy }) }
  })
  return {
    remotes,
    remoteRandom: random.chance(0.5),
    persistRemoteIp: random.chance(0.3),
    authRetry: random.pick(['none', 'nointeract', 'interact'] as const),
    retry: { maxTurns: random.pick([0, 1, 3]), pollTimeout: 5_000, resolveRetry: random.pick([0, 10_000, Infinity]) },
  }
}

/** Answers a proxy could give, right and wrong. */
const ANSWERS = [
  'HTTP/1.1 200 OK\r\n\r\n',
  'HTTP/1.1 407 X\r\nProxy-Authenticate: Basic realm="x"\r\n\r\n',
  'HTTP/1.1 407 X\r\nProxy-Authenticate: Digest realm="x", nonce="y"\r\n\r\n',
  'HTTP/1.1 502 X\r\n\r\n',
  '\u0005\0',
  '\u0005\0\u0005\0\0\u0001\u007f\0\0\u0001\u0004\u0005',
  '\u0005\u00ff',
  'x',
]

describe('a client under a random host', () => {
  it('never throws, stays bounded, closes what it opened, ends once and last', () => {
    let closed = 0
    let connects = 0
    const runs = scaled(150, 15_000)
    for (let seed = 0; seed < runs; seed++) {
      const random = new SeededRandom(`random host ${seed}`)
      const client = new Client(randomConfig(random), {
        now: 0,
        timeOrigin: PKI_NOW,
        random: random.fork('client').source,
        crypto: nodeCrypto,
      })
      const open = new Set<number>()
      const links: number[] = [0]
      const requests: number[] = [0]
      let now = 0
      const life = { ended: false }
      const drain = (): void => {
        let count = 0
        for (let output: ClientOutput | undefined = client.poll(); output !== undefined; output = client.poll()) {
          if (life.ended) throw new Error(`an output after closed, seed ${seed}`)
          if (++count > 100) throw new Error(`too many outputs, seed ${seed}`)
          if (output.type === 'connect') {
            connects++
            open.add(output.link)
            links.push(output.link)
          } else if (output.type === 'disconnect') {
            if (!open.delete(output.link)) throw new Error(`a link closed twice, seed ${seed}`)
          } else if (output.type === 'transmit') {
            if (!open.has(output.link)) throw new Error(`bytes for a closed link, seed ${seed}`)
          } else if (output.type === 'resolve') {
            requests.push(output.request)
          } else if (output.type === 'event' && output.event.type === 'closed') {
            life.ended = true
          }
        }
      }
      drain()
      for (let step = 0; step < 120; step++) {
        now += random.pick([0, 1, 100, 3_000])
        const link = random.chance(0.8) ? links.at(-1)! : random.pick(links)
        const request = random.chance(0.8) ? requests.at(-1)! : random.pick(requests)
        const action = random.below(10)
        if (action < 3) client.connected(link, now)
        else if (action === 3) {
          client.disconnected(link, 'random', now)
          open.delete(link)
        } else if (action === 4) {
          const bytes = random.chance(0.7)
            ? Buffer.from(random.pick(ANSWERS), 'latin1')
            : random.bytes(random.below(80))
          client.receive(bytes, now, link)
        } else if (action === 5)
          client.resolved(request, random.pick([[], ['192.0.2.7'], ['x', 'fd00::7', '10.0.0.1']]), now)
        else if (action === 6) {
          try {
            client.authenticate({ type: 'password', username: 'u', password: 'p' }, now)
          } catch (error) {
            expect(error).toBeInstanceOf(UsageError)
          }
        } else if (action === 7) client.send(new Uint8Array(40), now)
        else if (action === 8 && random.chance(0.03)) client.close(now)
        else client.handleTimeout(now)
        drain()
        client.handleTimeout(now)
        if (client.pollTimeout() <= now) throw new Error(`a deadline stays due, seed ${seed}`)
        drain()
      }
      client.close(now)
      for (let i = 0; i < 20 && !life.ended; i++) {
        drain()
        now += 60_000
        client.handleTimeout(now)
      }
      drain()
      expect(life.ended, `seed ${seed}`).toBe(true)
      expect([...open], `seed ${seed}`).toEqual([])
      expect(client.pollTimeout()).toBe(Infinity)
      closed++
    }
    expect(closed).toBe(runs)
    expect(connects).toBeGreaterThan(runs * 3)
  })

  it('proxy machines take any bytes in any cut the same way', () => {
    const random = new SeededRandom('proxy bytes')
    const ends = new Map<string, number>()
    for (let i = scaled(3_000, 300_000); i > 0; i--) {
      let bytes: Uint8Array = Buffer.concat([
        Buffer.from(random.pick(ANSWERS), 'latin1'),
        random.bytes(random.below(20)),
      ])
      if (random.chance(0.5)) {
        bytes = bytes.slice()
        bytes[random.below(bytes.length)] = random.below(256)
      }
      const target = { host: 'vpn.example', port: 1 }
      const make = random.chance(0.5)
        ? () =>
            new HttpProxy(
              { ...target, login: { username: 'u', password: 'p' } },
              nodeCrypto,
              new SeededRandom(1).source,
            )
        : () => new SocksProxy({ command: 'connect', target })
      const results = [[bytes], [...bytes].map((byte) => Uint8Array.of(byte))].map((pieces) => {
        const proxy = make()
        proxy.connected()
        let rest = ''
        const types: string[] = []
        for (const piece of pieces) {
          proxy.receive(piece)
          for (let output = proxy.poll(); output !== undefined; output = proxy.poll()) {
            types.push(output.type === 'failed' ? output.problem : output.type)
            if (output.type === 'open') rest = Buffer.from(output.rest).toString('hex')
          }
          if (types.includes('open')) break
        }
        return { types, early: rest }
      })
      expect(results[1]!.types).toEqual(results[0]!.types)
      const last = results[0]!.types.at(-1)!
      ends.set(last, (ends.get(last) ?? 0) + 1)
    }
    for (const end of ['open', 'reconnect', 'proxy-refused', 'proxy-malformed', 'transmit'])
      expect(ends.get(end) ?? 0, end).toBeGreaterThan(10)
  })
})
