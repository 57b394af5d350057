/** TLS 1.2 by its rules: hellos, key exchange, ChangeCipherSpec, secrets. */
import { describe, expect, it } from 'vitest'
import { concat, equalBytes } from '../../../src/bytes/index.ts'
import { noble } from '../../../src/crypto/index.ts'
import type { TlsConfig } from '../../../src/tls/index.ts'
import { exportKey12 } from '../../../src/tls/key-schedule12.ts'
import { bytes, editHello, type RawHello, readHello, record, replace, setExtension } from './edit.ts'
import { anonymous, config, handshakeMessage, Host, pair, Puppet, type Tamper, talk, text } from './support.ts'

const as12 = { maxVersion: 'TLSv1.2' } as const
const GROUPS = 10
const EXTENDED_MASTER_SECRET = 23
const RENEGOTIATION_INFO = 0xff01

/** A real client after the flight of a 1.2 server whose messages a test changed. */
function clientAfter(tamper: Tamper, over: Partial<TlsConfig> = {}, server: Partial<TlsConfig> = {}): Host {
  const client = new Host(config('client', { ...as12, ...over }), 'client')
  const puppet = new Puppet(config('server', { clientAuth: 'none', ...as12, ...server }), tamper)
  for (const flight of client.drain()) puppet.receive(flight)
  for (const flight of puppet.drain()) client.receive(flight)
  client.drain()
  return client
}

/** A real server after the flights of a 1.2 client whose messages a test changed. */
function serverAfter(tamper: Tamper, over: Partial<TlsConfig> = {}, client: TlsConfig = config('client', as12)): Host {
  const server = new Host(config('server', over), 'server')
  talk(new Puppet(client, tamper), server)
  return server
}

const hello = (change: (hello: RawHello) => void) => editHello(change)

describe('ServerHello', () => {
  it('TLS12-1 TLS12-4 chooses a suite that was offered, no compression, no session', () => {
    expect(clientAfter((message) => [message]).closed).toBeUndefined()
    for (const suite of [0xc009, 0xc02f, 0x009c, 0x1301, 0x0000, 0x00ff]) {
      const over = { cipherSuites: ['TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256'] } as const
      expect(
        clientAfter(
          hello((h) => (h.suites = [suite])),
          over,
        ).alertSent,
      ).toBe('illegal-parameter')
    }
    expect(clientAfter(hello((h) => (h.compression = [1]))).alertSent).toBe('illegal-parameter')
    expect(clientAfter(hello((h) => (h.sessionId = bytes(1, 2, 3)))).closed).toBeUndefined()
    const offered: Uint8Array[] = []
    const client = new Host(config('client'), 'echo')
    const [flight] = client.drain()
    offered.push(readHello(flight!.subarray(5)).sessionId)
    expect(offered[0]).toHaveLength(32)
    const puppet = new Puppet(
      config('server', as12),
      hello((h) => (h.sessionId = offered[0]!)),
    )
    puppet.receive(flight!)
    for (const part of puppet.drain()) client.receive(part)
    client.drain()
    expect(client.alertSent).toBe('illegal-parameter')
  })

  it('TLS-11 TLS12-4 answers only what was offered', () => {
    for (const type of [0, 1, 5, 13, 16, 22, 35, 0xabcd]) {
      expect(clientAfter(hello((h) => setExtension(h, type, bytes()))).alertSent).toBe('unsupported-extension')
    }
    expect(clientAfter(hello((h) => setExtension(h, GROUPS, bytes(0, 2, 0, 29)))).closed).toBeUndefined()
    expect(clientAfter(hello((h) => setExtension(h, 11, bytes(1, 1)))).alertSent).toBe('illegal-parameter')
    expect(clientAfter(hello((h) => setExtension(h, 11, bytes(2, 0)))).alertSent).toBe('decode-error')
    expect(clientAfter(hello((h) => setExtension(h, EXTENDED_MASTER_SECRET, bytes(0)))).alertSent).toBe('decode-error')
  })

  it('TLS12-3 renegotiation_info is there and empty', () => {
    expect(clientAfter(hello((h) => setExtension(h, RENEGOTIATION_INFO, bytes(1, 9)))).alertSent).toBe(
      'handshake-failure',
    )
    expect(clientAfter(hello((h) => setExtension(h, RENEGOTIATION_INFO, undefined))).alertSent).toBe(
      'handshake-failure',
    )
    const lenient = { allowLegacyServer: true }
    expect(
      clientAfter(
        hello((h) => setExtension(h, RENEGOTIATION_INFO, undefined)),
        lenient,
      ).closed,
    ).toBeUndefined()
    expect(
      clientAfter(
        hello((h) => setExtension(h, RENEGOTIATION_INFO, bytes(1, 9))),
        lenient,
      ).alertSent,
    ).toBe('handshake-failure')
    expect(serverAfter(hello((h) => setExtension(h, RENEGOTIATION_INFO, bytes(1, 9)))).alertSent).toBe(
      'handshake-failure',
    )
  })

  it('TLS12-3 TLS12-4 what a server answers: what the client knows, no session, no block without need', () => {
    const answer = (change: (hello: RawHello) => void) => {
      const server = new Host(config('server'), 'answer')
      const puppet = new Puppet(config('client', as12), editHello(change))
      for (const flight of puppet.drain()) server.receive(flight)
      return readHello(server.drain()[0]!.subarray(5, 5 + 200)).sessionId.length
    }
    expect(answer(() => undefined)).toBe(0)
    const types = (change: (h: RawHello) => void) => {
      const server = new Host(config('server', { clientAuth: 'none' }), 'types')
      for (const flight of new Puppet(config('client', as12), editHello(change)).drain()) server.receive(flight)
      const flight = server.drain()[0]!
      const length = (flight[7]! << 8) | flight[8]!
      return readHello(flight.subarray(5, 9 + length)).extensions?.map(([type]) => type)
    }
    expect(types(() => undefined)).toEqual([RENEGOTIATION_INFO, EXTENDED_MASTER_SECRET, 11])
    const bare = (h: RawHello) => (h.extensions = h.extensions!.filter(([type]) => type === 13 || type === GROUPS))
    expect(types(bare)).toBeUndefined()
    const signal = (h: RawHello) => {
      bare(h)
      h.suites.push(0x00ff)
    }
    expect(types(signal)).toEqual([RENEGOTIATION_INFO])
  })
})

describe('ClientHello', () => {
  it('TLS12-2 needs groups, one in common, and uncompressed points', () => {
    expect(serverAfter(hello((h) => setExtension(h, GROUPS, undefined))).alertSent).toBe('handshake-failure')
    expect(serverAfter(hello((h) => setExtension(h, GROUPS, bytes(0, 2, 0, 30)))).alertSent).toBe('handshake-failure')
    expect(serverAfter(hello((h) => setExtension(h, 11, bytes(1, 1)))).alertSent).toBe('illegal-parameter')
    expect(serverAfter(hello((h) => setExtension(h, 13, undefined))).alertSent).toBe('handshake-failure')
  })

  it('TLS12-5 the curve of the certificate is one of the groups', () => {
    const client = config('client', { ...as12, groups: ['x25519'] })
    expect(pair(client, config('server')).server.alertSent).toBe('handshake-failure')
    const tolerant = config('client', { ...as12, groups: ['x25519', 'secp256r1'] })
    expect(pair(tolerant, config('server', { groups: ['x25519'] })).server.alertSent).toBeUndefined()
    // A server that ignores the rule meets a client that does not.
    const client2 = new Host(client, 'curve')
    const puppet = new Puppet(config('server'))
    const [flight] = client2.drain()
    const widened = new Puppet(
      config('client', as12),
      editHello((h) => (h.random = readHello(flight!.subarray(5)).random)),
    )
    for (const part of widened.drain()) puppet.receive(part)
    for (const part of puppet.drain()) client2.receive(part)
    client2.drain()
    expect(client2.alertSent).toBe('illegal-parameter')
  })
})

describe('key exchange', () => {
  const exchange = (change: (body: Uint8Array) => Uint8Array) =>
    replace(12, (m) => [handshakeMessage(12, change(m.subarray(4)))])

  it('TLS12-6 named groups that were offered, signed as sent', () => {
    const set = (at: number, ...values: number[]) => exchange((body) => body.map((b, i) => values[i - at] ?? b))
    expect(clientAfter(set(0, 1)).alertSent).toBe('illegal-parameter')
    expect(clientAfter(set(1, 0, 24)).alertSent).toBe('illegal-parameter')
    expect(clientAfter(set(1, 0x11, 0xec)).alertSent).toBe('illegal-parameter')
    expect(clientAfter(set(10, 0)).alertSent).toBe('decrypt-error')
    expect(clientAfter(exchange((body) => body.subarray(0, body.length - 1))).alertSent).toBe('decode-error')
    expect(clientAfter(exchange((body) => concat(body, bytes(0)))).alertSent).toBe('decode-error')
    expect(clientAfter(exchange((body) => body.subarray(0, 10))).alertSent).toBe('decode-error')
  })

  it('TLS12-6 the signature covers both randoms', () => {
    expect(clientAfter(hello((h) => (h.random = h.random.map((b, i) => (i === 5 ? b ^ 1 : b))))).alertSent).toBe(
      'decrypt-error',
    )
  })

  it('TLS-31 a client share that is no point', () => {
    const share = (...values: number[]) => replace(16, () => [handshakeMessage(16, bytes(values.length, ...values))])
    const over = { groups: ['secp256r1'] } as const
    for (const tamper of [share(), share(4), share(4, ...new Array<number>(64).fill(7)), share(0)]) {
      const server = new Host(config('server', { ...over, clientAuth: 'none' }), 'share')
      talk(new Puppet(anonymous({ ...as12, ...over }), tamper), server)
      expect(server.alertSent).toBe('illegal-parameter')
    }
    const cut = replace(16, (m) => [handshakeMessage(16, concat(m.subarray(4), bytes(0)))])
    expect(serverAfter(cut, { clientAuth: 'none' }, anonymous(as12)).alertSent).toBe('decode-error')
  })

  it('TLS12-5 a certificate of the wrong kind for the suite', () => {
    const rsa = config('server', { ...as12, clientAuth: 'none' }, 'rsa-2048')
    const client = new Host(config('client', { ...as12, verifier: config('client', {}, 'rsa-2048').verifier! }), 'kind')
    const puppet = new Puppet(
      rsa,
      hello((h) => (h.suites = [0xc02c])),
    )
    for (const flight of client.drain()) puppet.receive(flight)
    for (const flight of puppet.drain()) client.receive(flight)
    client.drain()
    expect(client.alertSent).toBe('illegal-parameter')
  })

  it('TLS12-11 a CertificateRequest that does not list the kind of key', () => {
    const request = (...types: number[]) =>
      replace(13, (m) => [handshakeMessage(13, concat(bytes(types.length, ...types), m.subarray(4 + 1 + m[4]!)))])
    const asking = { clientAuth: 'optional' } as const
    expect(clientAfter(request(1, 64), {}, asking).closed).toBeUndefined()
    const insisting = { insistOnCertificate: true }
    expect(clientAfter(request(1, 64), insisting, asking).closed).toBeUndefined()
    expect(clientAfter(request(1, 2), insisting, asking).alertSent).toBe('handshake-failure')
    const nameless = clientAfter(request(1, 2), {}, asking)
    expect(nameless.connection.stateName).toBe('expect-server-change-cipher-spec')
    expect(clientAfter(request(), {}, asking).alertSent).toBe('decode-error')
  })

  it('TLS12-9 an anonymous client sends an empty Certificate and no CertificateVerify', () => {
    const sent: number[] = []
    const watch: Tamper = (message) => {
      sent.push(message[0]!)
      return [message]
    }
    const server = new Host(config('server', { clientAuth: 'optional' }), 'watch')
    talk(new Puppet(anonymous(as12), watch), server)
    expect(server.info).toBeDefined()
    expect(sent).toEqual([1, 11, 16, 20])
    const own: number[] = []
    const certified = new Host(config('server'), 'watch')
    talk(new Puppet(config('client', as12), (m) => (own.push(m[0]!), [m])), certified)
    expect(own).toEqual([1, 11, 16, 15, 20])
  })
})

describe('ChangeCipherSpec', () => {
  const ccs = record(20, bytes(1))

  it('TLS12-7 is taken once, when the Finished is next', () => {
    const server = new Host(config('server'), 'ccs')
    const client = new Host(config('client', as12), 'ccs')
    for (const flight of client.drain()) server.receive(flight)
    server.drain()
    server.receive(ccs)
    server.drain()
    expect(server.alertSent).toBe('unexpected-message')
    const early = new Host(config('client', as12), 'ccs')
    early.drain()
    early.receive(ccs)
    early.drain()
    expect(early.alertSent).toBe('unexpected-message')
    const open = pair(config('client', as12), config('server'))
    open.server.receive(ccs)
    open.server.drain()
    expect(open.server.alertSent).toBe('bad-record-mac')
  })

  it('TLS12-7 a Finished without it', () => {
    for (const role of ['client', 'server'] as const) {
      const host = new Host(config(role, as12), 'without')
      const puppet = new Puppet(config(role === 'client' ? 'server' : 'client', as12))
      puppet.records.sendChangeCipherSpec = () => undefined
      puppet.records.setSealer = () => undefined
      talk(host, puppet)
      expect(host.info).toBeUndefined()
      expect(host.alertSent).toBe('unexpected-message')
    }
  })

  it('TLS12-7 is exactly one byte 1', () => {
    for (const content of [bytes(2), bytes(1, 1), bytes(0)]) {
      const host = new Host(config('server'), 'malformed')
      host.receive(record(20, content))
      host.drain()
      expect(host.alertSent).toBe('unexpected-message')
    }
  })
})

describe('the end of a flight', () => {
  it('TLS-7 nothing behind a Finished: refused before the connection counts as made', () => {
    const longer = replace(20, (message) => [message, bytes(20, 0, 0)])
    for (const role of ['client', 'server'] as const) {
      const host = new Host(config(role, as12), 'behind')
      talk(host, new Puppet(config(role === 'client' ? 'server' : 'client', as12), longer))
      expect(host.alertSent).toBe('unexpected-message')
      expect(host.events).toEqual(['closed'])
    }
  })
})

describe('extended master secret', () => {
  it('TLS12-8 is negotiated by both, and without it nothing is exported', () => {
    const without = hello((h) => setExtension(h, EXTENDED_MASTER_SECRET, undefined))
    const server = new Host(config('server'), 'ems')
    const client = new Puppet(config('client', as12), without)
    talk(client, server)
    expect(server.info).toMatchObject({ version: 'TLSv1.2', extendedMasterSecret: false })
    expect(() => server.connection.exportKeyingMaterial('EXPORTER-OpenVPN-datakeys', undefined, 256)).toThrow(
      /extended_master_secret/,
    )
    const both = pair(config('client', as12), config('server'))
    expect(both.server.info?.extendedMasterSecret).toBe(true)
    expect(both.server.connection.exportKeyingMaterial('EXPORTER-OpenVPN-datakeys', undefined, 256)).toHaveLength(256)
  })

  it('TLS12-12 TLS12-13 the exporter is bound to randoms, label, context and its presence', () => {
    const suite = { hash: 'SHA256' } as Parameters<typeof exportKey12>[1]
    const randoms = { client: new Uint8Array(32).fill(1), server: new Uint8Array(32).fill(2) }
    const master = new Uint8Array(48).fill(3)
    const make = (label: string, context: Uint8Array | undefined, own = randoms) =>
      exportKey12(noble, suite, master, own, label, context, 20)
    const all = [
      make('a', undefined),
      make('b', undefined),
      make('a', bytes()),
      make('a', bytes(1)),
      make('a', undefined, { client: randoms.server, server: randoms.client }),
    ]
    for (const [i, one] of all.entries()) for (const two of all.slice(i + 1)) expect(equalBytes(one, two)).toBe(false)
  })
})

describe('channel binding', () => {
  it('both sides know the same tls-unique in 1.2, none in 1.3', () => {
    const { client, server } = pair(config('client', as12), config('server'))
    expect(client.info?.tlsUnique).toHaveLength(12)
    expect(client.info?.tlsUnique).toEqual(server.info?.tlsUnique)
    expect(pair(config('client'), config('server')).client.info?.tlsUnique).toBeUndefined()
  })

  it('data flows after everything', () => {
    const { client, server } = pair(config('client', as12), config('server'))
    client.connection.write(text('end'))
    talk(client, server)
    expect(server.text).toBe('end')
  })
})
