/** The record layer as a peer meets it: caps, floods, cuts and what may stand where. */
import { describe, expect, it } from 'vitest'
import { concat } from '../../../src/bytes/index.ts'
import { noble } from '../../../src/crypto/index.ts'
import { HandshakeStream, handshakeMessage } from '../../../src/tls/handshake-stream.ts'
import { Opener13, Sealer13 } from '../../../src/tls/protection.ts'
import { RecordReader } from '../../../src/tls/record-reader.ts'
import { SeededRandom } from '../../support/random.ts'
import { bytes, record } from './edit.ts'
import { anonymous, config, Host, pair, Puppet, talk, text } from './support.ts'

/** A server that got these bytes and nothing else. */
function serverAfter(...input: readonly Uint8Array[]): Host {
  const server = new Host(config('server'), 'records')
  for (const part of input) server.receive(part)
  server.drain()
  return server
}

function clientHello(): Uint8Array {
  const [flight] = new Host(config('client'), 'records').drain()
  return flight!
}

/** An open pair whose server is real and whose client says anything. */
function openPuppet(maxVersion: 'TLSv1.2' | 'TLSv1.3'): { client: Puppet; server: Host } {
  const client = new Puppet(config('client', { maxVersion }))
  const server = new Host(config('server'), 'records')
  talk(client, server)
  expect(server.info?.version).toBe(maxVersion)
  return { client, server }
}

describe('record headers', () => {
  it('TLS-5 unknown content types are refused from the header alone', () => {
    for (const type of [0, 19, 24, 0x47, 0x80]) {
      expect(serverAfter(bytes(type, 3, 1, 0, 5)).alertSent).toBe('unexpected-message')
    }
  })

  it('TLS-5 record versions: 3.x before protection, 0x0303 under it', () => {
    expect(serverAfter(bytes(22, 2, 0, 0, 5)).alertSent).toBe('protocol-version')
    expect(serverAfter(bytes(22, 3, 0x7f, 0, 5)).closed).toBeUndefined()
    const { client, server } = openPuppet('TLSv1.3')
    client.records.sendData(text('x'))
    const [sealed] = client.drain()
    sealed![2] = 1
    server.receive(sealed!)
    server.drain()
    expect(server.alertSent).toBe('protocol-version')
  })

  it('TLS-5 payload lengths are capped from the header alone', () => {
    expect(serverAfter(bytes(22, 3, 1, 0x40, 0x00)).closed).toBeUndefined()
    expect(serverAfter(bytes(22, 3, 1, 0x40, 0x01)).alertSent).toBe('record-overflow')
    for (const [version, most] of [
      ['TLSv1.3', 16_640],
      ['TLSv1.2', 18_432],
    ] as const) {
      const header = (length: number) => bytes(23, 3, 3, length >> 8, length & 255)
      const fits = openPuppet(version).server
      fits.receive(header(most))
      fits.drain()
      expect(fits.closed).toBeUndefined()
      const over = openPuppet(version).server
      over.receive(header(most + 1))
      over.drain()
      expect(over.alertSent).toBe('record-overflow')
    }
  })

  it('TLS-5 TLS13-20 protected contents are capped at 16,384 bytes', () => {
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      for (const [length, alert] of [
        [16_384, undefined],
        [16_385, 'record-overflow'],
      ] as const) {
        const { client, server } = openPuppet(version)
        server.receive(client.records.seal(23, new Uint8Array(length)))
        server.drain()
        expect(server.alertSent).toBe(alert)
        expect(server.data.length).toBe(alert === undefined ? 1 : 0)
      }
    }
  })
})

describe('floods', () => {
  it('TLS-13 32 empty records pass, one more ends the connection', () => {
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const { client, server } = openPuppet(version)
      for (let i = 1; i <= 33; i++) {
        server.receive(client.records.seal(23, bytes()))
        server.drain()
        expect(server.alertSent).toBe(i <= 32 ? undefined : 'unexpected-message')
      }
      const again = openPuppet(version)
      for (let i = 0; i < 100; i++) {
        again.server.receive(again.client.records.seal(23, i % 30 === 29 ? text('x') : bytes()))
      }
      again.server.drain()
      expect(again.server.closed).toBeUndefined()
      expect(again.server.data.length).toBe(3)
    }
  })

  it('TLS-14 four warnings pass, the fifth ends the connection', () => {
    const { client, server } = openPuppet('TLSv1.2')
    for (let i = 1; i <= 5; i++) {
      client.records.sendAlert('warning', 'user-canceled')
      talk(client, server)
      expect(server.alertSent).toBe(i <= 4 ? undefined : 'unexpected-message')
    }
  })

  it('TLS13-4 32 ChangeCipherSpec records pass, not one more, and none that is malformed', () => {
    const client = new Host(config('client'), 'ccs')
    const server = new Host(config('server'), 'ccs')
    for (const flight of client.drain()) server.receive(flight)
    const answer = server.drain()
    for (let i = 0; i < 31; i++) server.receive(record(20, bytes(1)))
    for (const flight of answer) client.receive(flight)
    for (const flight of client.drain()) server.receive(flight)
    server.drain()
    expect(server.info).toBeDefined()
    server.receive(record(20, bytes(1)))
    server.drain()
    expect(server.alertSent).toBe('unexpected-message')
    for (const bad of [record(20, bytes(2)), record(20, bytes(1, 1)), record(20, bytes())]) {
      const fresh = serverAfter(clientHello(), bad)
      expect(fresh.alertSent).toBe('unexpected-message')
    }
    expect(serverAfter(record(20, bytes(1))).alertSent).toBe('unexpected-message')
  })
})

describe('messages in records', () => {
  it('TLS-6 long messages are refused from their header', () => {
    const header = (type: number, length: number) => bytes(type, length >> 16, (length >> 8) & 255, length & 255)
    expect(serverAfter(record(22, header(1, 16_384))).closed).toBeUndefined()
    expect(serverAfter(record(22, header(1, 16_385))).alertSent).toBe('illegal-parameter')
    const large = new Host(config('server', { maxClientHello: 100_000 }), 'large')
    large.receive(record(22, header(1, 100_000)))
    large.drain()
    expect(large.closed).toBeUndefined()
    for (const [limit, alert] of [
      [102_400, undefined],
      [102_401, 'illegal-parameter'],
    ] as const) {
      const client = new Host(config('client', { maxVersion: 'TLSv1.2' }), 'chain')
      const server = new Puppet(config('server'), (message) => (message[0] === 11 ? [header(11, limit)] : [message]))
      for (const flight of client.drain()) server.receive(flight)
      for (const flight of server.drain()) client.receive(flight)
      client.drain()
      expect(client.alertSent).toBe(alert)
    }
  })

  it('TLS-8 nothing else may stand inside a handshake message', () => {
    const half = clientHello().subarray(5, 60)
    for (const inside of [record(23, bytes(1)), record(20, bytes(1))]) {
      expect(serverAfter(record(22, half), inside).alertSent).toBe('unexpected-message')
    }
  })

  it('TLS-8 nor inside one on an open connection: what follows its half is not heard', () => {
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      // Half a HelloRequest or ClientHello, and half a KeyUpdate.
      const half = version === 'TLSv1.2' ? bytes(1, 0, 0) : bytes(24, 0)
      const { client, server } = openPuppet(version)
      server.receive(client.records.seal(22, half))
      server.drain()
      expect(server.alertSent).toBeUndefined()
      server.receive(client.records.seal(23, text('inside')))
      server.drain()
      expect(server.alertSent).toBe('unexpected-message')
      expect(server.data).toEqual([])
    }
  })

  it('TLS-4 a protected record is one of application data, even where it authenticates as something else', () => {
    const keys = { algorithm: 'AES-128-GCM', key: new Uint8Array(16).fill(1), iv: new Uint8Array(12).fill(2) } as const
    const opened = (type: number) => {
      const inner = concat(text('inside'), bytes(23))
      const sealed = concat(bytes(type, 3, 3, 0, inner.length + 16), inner, new Uint8Array(16))
      // The first nonce is the IV, for the sequence number is zero.
      noble.createAead(keys.algorithm, keys.key).seal(sealed, 0, 5, 5, inner.length, 5 + inner.length, keys.iv)
      return new Opener13(noble, keys).open(sealed, 0, inner.length + 16)
    }
    expect(opened(23)).toEqual({ type: 23, fragment: text('inside') })
    for (const type of [21, 22]) expect(() => opened(type)).toThrow(/a protected record of type/)
  })

  it('TLS-7 nothing may stand behind the end of a flight', () => {
    const hello = clientHello().subarray(5)
    const behind = concat(hello, handshakeMessage(16, bytes(0)).subarray(0, 2))
    expect(serverAfter(record(22, behind)).alertSent).toBe('unexpected-message')
    for (const [maxVersion, type] of [
      ['TLSv1.2', 14],
      ['TLSv1.3', 2],
      ['TLSv1.3', 20],
    ] as const) {
      const client = new Host(anonymous({ maxVersion }), 'behind')
      const more = (message: Uint8Array) => (message[0] === type ? [concat(message, bytes(0))] : [message])
      const server = new Puppet(config('server', { clientAuth: 'none' }), more)
      for (const flight of client.drain()) server.receive(flight)
      for (const flight of server.drain()) client.receive(flight)
      client.drain()
      expect(client.alertSent).toBe('unexpected-message')
    }
  })

  it('TLS13-19 TLS13-21 inner types: padding is cut, nothing but padding and empty handshake records are refused', () => {
    // A sealer adds its type behind the content: with type 0 the content itself ends with the wanted type and zeros.
    const seal = (client: Puppet, inner: Uint8Array) => client.records.seal(0, inner)
    const padded = openPuppet('TLSv1.3')
    padded.server.receive(seal(padded.client, concat(text('padded'), bytes(23, 0, 0, 0))))
    padded.server.drain()
    expect(padded.server.text).toBe('padded')
    for (const inner of [bytes(), bytes(0, 0), bytes(22), bytes(21)]) {
      const { client, server } = openPuppet('TLSv1.3')
      server.receive(seal(client, inner))
      server.drain()
      expect(server.alertSent).toBe('unexpected-message')
    }
  })

  it('TLS-26 application data before the handshake is done', () => {
    expect(serverAfter(record(23, bytes(1, 2, 3))).alertSent).toBe('unexpected-message')
    expect(serverAfter(clientHello(), record(23, bytes(1, 2, 3))).alertSent).toBe('bad-record-mac')
    const idle = new Host(config('client'), 'early')
    expect(idle.connection.write(text('x'))).toBe(false)
    const server = new Host(config('server'), 'early')
    for (const flight of idle.drain()) server.receive(flight)
    server.drain()
    expect(server.connection.write(text('x'))).toBe(false)
    expect(server.drain()).toEqual([])
  })
})

describe('forged records', () => {
  it('TLS-4 every changed bit of a record is noticed, and nothing of it comes through', () => {
    let forged = 0
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      for (const cipherSuites of [
        ['TLS_AES_128_GCM_SHA256', 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256'],
        ['TLS_CHACHA20_POLY1305_SHA256', 'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256'],
      ] as const) {
        const random = new SeededRandom('forge')
        const probe = openPuppet(maxVersion)
        probe.client.records.sendData(text('secret'))
        const [length] = probe.client.drain().map((flight) => flight.length)
        for (let bit = 5 * 8; bit < length! * 8; bit += random.int(7, 23)) {
          const client = new Puppet(config('client', { maxVersion, cipherSuites }))
          const server = new Host(config('server'), 'forge')
          talk(client, server)
          client.records.sendData(text('secret'))
          const [sealed] = client.drain()
          if (bit >= sealed!.length * 8) continue
          sealed![bit >> 3]! ^= 1 << (bit & 7)
          server.receive(sealed!)
          server.drain()
          expect(server.alertSent).toBe('bad-record-mac')
          expect(server.data).toEqual([])
          forged++
        }
      }
    }
    expect(forged).toBeGreaterThan(40)
  })

  it('TLS-4 a replayed, a dropped and a swapped record', () => {
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const orders: readonly (readonly number[])[] = [[0, 0], [1], [1, 0]]
      for (const order of orders) {
        const { client, server } = openPuppet(maxVersion)
        const sealed = ['first', 'second'].map((word) => {
          client.records.sendData(text(word))
          return client.drain()[0]!
        })
        for (const index of order) server.receive(sealed[index]!.slice())
        server.drain()
        expect(server.alertSent).toBe('bad-record-mac')
        expect(server.text).toBe(order[0] === 0 ? 'first' : '')
      }
    }
  })

  it('TLS-4 a record shorter than its tag', () => {
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      for (const length of [0, 1, 15, 16]) {
        const { server } = openPuppet(maxVersion)
        server.receive(record(23, new Uint8Array(length)))
        server.drain()
        expect(server.alertSent).toBe('bad-record-mac')
      }
    }
  })

  it('TLS12-19 TLS13-1 a nonce is never used twice under one key', () => {
    const { client } = openPuppet('TLSv1.2')
    const seen = new Set<string>()
    for (let i = 0; i < 50; i++) {
      client.records.sendData(text('same'))
      seen.add(String(client.drain()[0]))
    }
    expect(seen.size).toBe(50)
  })
})

describe('pieces', () => {
  it('TLS-1 a reader yields the same records however the bytes are cut', () => {
    const stream = concat(record(22, bytes(1, 2, 3)), record(23, bytes()), record(21, new Uint8Array(300)))
    for (let step = 1; step <= stream.length; step++) {
      const reader = new RecordReader()
      const found: string[] = []
      for (let at = 0; at < stream.length; at += step) {
        reader.push(stream.subarray(at, at + step))
        while (reader.whole) {
          found.push(`${reader.type}:${reader.payloadLength}`)
          reader.advance()
        }
      }
      expect(found).toEqual(['22:3', '23:0', '21:300'])
      expect(reader.length).toBe(0)
    }
  })

  it('TLS-1 a handshake stream yields the same messages however they are cut', () => {
    const stream = concat(
      handshakeMessage(1, new Uint8Array(70)),
      handshakeMessage(14, bytes()),
      handshakeMessage(20, bytes(9)),
    )
    for (let step = 1; step <= stream.length; step++) {
      const messages = new HandshakeStream()
      const found: string[] = []
      for (let at = 0; at < stream.length; at += step) {
        messages.push(stream.subarray(at, at + step))
        for (let m = messages.next(() => 100); m !== undefined; m = messages.next(() => 100))
          found.push(`${m.type}:${m.body.length}`)
      }
      expect(found).toEqual(['1:70', '14:0', '20:1'])
      expect(messages.pending).toBe(false)
    }
  })

  it('an opener tells a failure from a fault', () => {
    const keys = { algorithm: 'AES-128-GCM', key: new Uint8Array(16), iv: new Uint8Array(12) } as const
    const opener = new Opener13(noble, keys)
    const sealed = new Sealer13(noble, keys).seal(23, text('hi'))
    const buffer = concat(new Uint8Array(8), sealed)
    expect(opener.open(buffer.slice(), 8, sealed.length - 5)?.fragment).toEqual(text('hi'))
    expect(opener.open(buffer.slice(), 8, sealed.length - 5)).toBeUndefined()
  })

  it('TLS-2 after the end every input is nothing', () => {
    const { client, server } = pair(config('client'), config('server'))
    client.connection.close()
    talk(client, server)
    for (const host of [client, server]) {
      host.receive(bytes(1, 2, 3))
      host.connection.close()
      host.connection.endWrite()
      host.connection.start()
      host.connection.abort('internal-error')
      expect(host.connection.write(text('x'))).toBe(false)
      expect(host.connection.updateKeys(true)).toBe(false)
      expect(host.drain()).toEqual([])
      expect(host.events.filter((event) => event === 'closed')).toHaveLength(1)
      expect(host.events.at(-1)).toBe('closed')
    }
  })
})
