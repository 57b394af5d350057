/** Laws of the TLS engine: cuts change nothing, mutations never get in, and nothing ever throws. */
import { describe, expect, it } from 'vitest'
import { concat } from '../../src/bytes/index.ts'
import type { TlsConfig, TlsVersion } from '../../src/tls/index.ts'
import { SeededRandom } from '../support/random.ts'
import { scaled } from '../support/scale.ts'
import { bytes } from '../unit/tls/edit.ts'
import { anonymous, config, Host, Puppet, talk, text } from '../unit/tls/support.ts'

const VERSIONS: readonly TlsVersion[] = ['TLSv1.2', 'TLSv1.3']

/** Handshakes of every shape: mutual, anonymous, with a retry, in both versions. */
const SHAPES: Readonly<Record<string, { readonly client: TlsConfig; readonly server: TlsConfig }>> = {
  'TLS 1.3 mutual': { client: config('client'), server: config('server') },
  'TLS 1.3 with a retry': { client: config('client'), server: config('server', { groups: ['secp256r1'] }) },
  'TLS 1.3 anonymous': { client: anonymous(), server: config('server', { clientAuth: 'optional' }) },
  'TLS 1.2 mutual': { client: config('client', { maxVersion: 'TLSv1.2' }), server: config('server') },
  'TLS 1.2 anonymous': {
    client: anonymous({ maxVersion: 'TLSv1.2' }),
    server: config('server', { clientAuth: 'none' }),
  },
}

/** What the two ends see of a whole conversation, bytes on the wire left out. */
interface Story {
  readonly events: readonly (readonly string[])[]
  readonly heard: readonly string[]
}

/** Runs a conversation and records every flight, in order, with who received it. */
function record(shape: string): { story: Story; flights: { to: 'client' | 'server'; data: Uint8Array }[] } {
  const { client, server } = hosts(shape)
  const flights: { to: 'client' | 'server'; data: Uint8Array }[] = []
  const note = (to: 'client' | 'server', target: Host) => (data: Uint8Array) => {
    flights.push({ to, data: data.slice() })
    target.receive(data)
  }
  const forClient = note('client', client)
  const forServer = note('server', server)
  converse(
    { receive: forClient, drain: () => client.drain() },
    { receive: forServer, drain: () => server.drain() },
    client,
    server,
  )
  return { story: storyOf(client, server), flights }
}

function hosts(shape: string): { client: Host; server: Host } {
  const { client, server } = SHAPES[shape]!
  return { client: new Host(client, shape), server: new Host(server, shape) }
}

function converse(
  a: { receive(b: Uint8Array): void; drain(): Uint8Array[] },
  b: typeof a,
  client: Host,
  server: Host,
): void {
  talk(a, b)
  client.connection.write(text('one'))
  server.connection.write(text('two'))
  talk(a, b)
  client.connection.close()
  talk(a, b)
}

function storyOf(client: Host, server: Host): Story {
  return { events: [[...client.events], [...server.events]], heard: [client.text, server.text] }
}

describe('cuts', () => {
  it.each(Object.keys(SHAPES))(
    'TLS-1 every flight of a %s handshake, cut at every offset, tells the same story',
    (shape) => {
      const { story, flights } = record(shape)
      expect(story.heard).toEqual(['two', 'one'])
      expect(flights.length).toBeGreaterThanOrEqual(5)
      // Both ends are deterministic, so one end replays from recorded flights: one run per flight and cut.
      let cuts = 0
      for (const role of ['client', 'server'] as const) {
        const own = flights.filter(({ to }) => to === role)
        const expected = replay(shape, role, own, undefined)
        for (const [index, { data }] of own.entries()) {
          const step = Math.max(1, Math.ceil(data.length / scaled(6, data.length)))
          for (let at = 1; at < data.length; at += step) {
            expect(replay(shape, role, own, { index, at })).toBe(expected)
            cuts++
          }
        }
      }
      expect(cuts).toBeGreaterThan(15)
    },
  )

  /** One end fed with recorded flights, one of them in two pieces; everything it put out, as text. */
  function replay(
    shape: string,
    role: 'client' | 'server',
    flights: readonly { data: Uint8Array }[],
    cut: { index: number; at: number } | undefined,
  ): string {
    const host = hosts(shape)[role]
    const wire: Uint8Array[] = host.drain()
    for (const [index, { data }] of flights.entries()) {
      const parts = cut?.index === index ? [data.subarray(0, cut.at), data.subarray(cut.at)] : [data]
      for (const part of parts) {
        host.receive(part)
        wire.push(...host.drain())
      }
    }
    return JSON.stringify([host.events, host.text, host.closed, [...concat(...wire)]])
  }

  it.each(VERSIONS)('TLS-1 byte by byte under %s', (maxVersion) => {
    const client = new Host(config('client', { maxVersion }), 'bytes')
    const server = new Host(config('server'), 'bytes')
    talk(client, server, function* (flight) {
      for (const byte of flight) yield bytes(byte)
    })
    expect(client.info?.version).toBe(maxVersion)
    expect(server.info?.version).toBe(maxVersion)
  })

  it('TLS-1 random cuts and joins', () => {
    const random = new SeededRandom('joins')
    for (let i = 0; i < scaled(10, 2000); i++) {
      const [client, server] = [new Host(config('client'), 'joins'), new Host(config('server'), 'joins')]
      talk(client, server, (flight) => {
        const parts: Uint8Array[] = []
        for (let at = 0; at < flight.length; ) {
          const next = at + random.int(1, 200)
          parts.push(flight.subarray(at, next))
          at = next
        }
        return parts
      })
      expect(client.info).toBeDefined()
      expect(server.info).toBeDefined()
    }
  })
})

describe('mutations', () => {
  /** One change of a flight: a flipped bit, a changed byte, a piece cut out, doubled or moved, rubbish put in. */
  function mutate(flight: Uint8Array, random: SeededRandom): Uint8Array {
    const at = random.below(flight.length)
    const length = random.int(1, 40)
    switch (random.below(7)) {
      case 0:
        return flight.map((byte, i) => (i === at ? byte ^ (1 << random.below(8)) : byte))
      case 1:
        return flight.map((byte, i) => (i === at ? (byte + random.int(1, 255)) & 255 : byte))
      case 2:
        return concat(flight.subarray(0, at), flight.subarray(at + length))
      case 3:
        return concat(flight.subarray(0, at + length), flight.subarray(at))
      case 4:
        return concat(flight.subarray(0, at), random.bytes(length), flight.subarray(at))
      case 5:
        return flight.subarray(0, at)
      default:
        return concat(flight.subarray(at), flight.subarray(0, at))
    }
  }

  it('TLS-2 TLS-25 of recorded flights: no throw, no acceptance, one end at most', () => {
    const random = new SeededRandom('mutations')
    const shapes = Object.keys(SHAPES)
    const recorded = new Map(shapes.map((shape) => [shape, record(shape).flights]))
    const runs = scaled(1200, 1_000_000)
    let accepted = 0
    let ended = 0
    for (let run = 0; run < runs; run++) {
      const shape = shapes[run % shapes.length]!
      const role = random.chance(0.5) ? 'client' : 'server'
      const own = recorded.get(shape)!.filter(({ to }) => to === role)
      const host = hosts(shape)[role]
      host.drain()
      const handshake = own.slice(0, 2)
      const target = random.below(handshake.length)
      for (const [i, { data }] of handshake.entries()) {
        const changed = i === target ? mutate(data, random) : data
        const before = host.info !== undefined
        host.receive(changed)
        host.drain()
        const won = i === target && !before && host.info !== undefined
        if (won && !saysTheSame(changed, data, shape)) accepted++
      }
      const ends = host.events.filter((event) => event === 'closed').length
      expect(ends).toBeLessThanOrEqual(1)
      if (ends === 1) {
        ended++
        expect(host.events.at(-1)).toBe('closed')
      }
    }
    expect(ended).toBeGreaterThan(runs / 3)
    expect(accepted).toBe(0)
  })

  function same(a: Uint8Array, b: Uint8Array): boolean {
    return a.length === b.length && a.every((byte, i) => byte === b[i])
  }

  /**
   * True when a flight begins with everything that TLS protects of another. Two things no TLS protects: the second byte of
   * a plaintext record's version, and under 1.3 the ChangeCipherSpec records that are there for middleboxes.
   */
  function saysTheSame(changed: Uint8Array, data: Uint8Array, shape: string): boolean {
    const essence = (flight: Uint8Array): string => {
      const records: string[] = []
      for (let at = 0; at + 5 <= flight.length; ) {
        const end = at + 5 + ((flight[at + 3]! << 8) | flight[at + 4]!)
        const dropped = flight[at] === 20 && shape.includes('1.3')
        if (end <= flight.length && !dropped) records.push(`${flight[at]}:${String(flight.subarray(at + 5, end))};`)
        at = end
      }
      return records.join('')
    }
    return essence(changed).startsWith(essence(data))
  }

  it('TLS-2 TLS-25 of messages before they are sealed: no throw, no acceptance', () => {
    const random = new SeededRandom('messages')
    const runs = scaled(250, 100_000)
    let accepted = 0
    let mutated = 0
    for (let run = 0; run < runs; run++) {
      const maxVersion = VERSIONS[run & 1]!
      const real = run & 2 ? 'client' : 'server'
      const host = new Host(config(real, { maxVersion }), 'victim')
      // A changed ClientHello of a puppet is a hello like any other: its transcript begins with what went out.
      const target = real === 'server' ? random.int(1, 4) : random.below(6)
      const puppet = new Puppet(config(real === 'client' ? 'server' : 'client', { maxVersion }), (message, index) => {
        if (index !== target) return [message]
        const changed = mutate(message, random)
        if (!same(changed, message)) mutated++
        return [changed]
      })
      const before = mutated
      try {
        talk(host, puppet)
      } catch {
        // The puppet may meet its own rubbish.
      }
      host.drain()
      if (mutated > before && host.info !== undefined) accepted++
    }
    expect(mutated).toBeGreaterThan(runs / 2)
    expect(accepted).toBe(0)
  })

  it('TLS-2 of records on an open connection: nothing of them is heard', () => {
    const random = new SeededRandom('records')
    const runs = scaled(150, 50_000)
    let heard = 0
    for (let run = 0; run < runs; run++) {
      const host = new Host(config('server', { clientAuth: 'none' }), 'open')
      const puppet = new Puppet(anonymous({ maxVersion: VERSIONS[run & 1]! }))
      talk(host, puppet)
      const sealed = puppet.records.seal(23, text('secret'))
      const changed = mutate(sealed, random)
      if (same(changed, sealed)) continue
      host.receive(changed)
      host.drain()
      if (host.data.length > 0 && !String(changed).startsWith(String(sealed))) heard++
    }
    expect(heard).toBe(0)
  })
})
