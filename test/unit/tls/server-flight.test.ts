/** What a client makes of a server's flight, honest or not. */
import { describe, expect, it } from 'vitest'
import { concat, Writer } from '../../../src/bytes/index.ts'
import type { TlsConfig } from '../../../src/tls/index.ts'
import { bytes, edit, editHello, extension, type RawHello, record, replace, setExtension } from './edit.ts'
import { anonymous, config, handshakeMessage, Host, Puppet, type Tamper, talk } from './support.ts'

const SUPPORTED_VERSIONS = 43
const COOKIE = 44
const KEY_SHARE = 51

/** A real client after the flight of a server whose messages a test changed. */
function clientAfter(tamper: Tamper, over: Partial<TlsConfig> = {}, server: Partial<TlsConfig> = {}): Host {
  const client = new Host(anonymous(over), 'client')
  const puppet = new Puppet(config('server', { clientAuth: 'none', ...server }), tamper)
  for (const flight of client.drain()) puppet.receive(flight)
  for (const flight of puppet.drain()) client.receive(flight)
  client.drain()
  return client
}

function alertAfter(
  change: (hello: RawHello) => void,
  over?: Partial<TlsConfig>,
  server?: Partial<TlsConfig>,
): string | undefined {
  return clientAfter(editHello(change), over, server).alertSent
}

const as12 = { maxVersion: 'TLSv1.2' } as const
const setVersion =
  (...value: number[]) =>
  (hello: RawHello) =>
    setExtension(hello, SUPPORTED_VERSIONS, bytes(...value))

describe('ServerHello', () => {
  it('TLS13-2 echoes the session id, without compression, with an offered suite', () => {
    expect(clientAfter((message) => [message]).info?.version).toBe('TLSv1.3')
    expect(alertAfter((hello) => (hello.sessionId = bytes()))).toBe('illegal-parameter')
    expect(alertAfter((hello) => (hello.compression = [1]))).toBe('illegal-parameter')
    for (const suite of [0x1304, 0xc02b, 0x1301]) {
      const over = { cipherSuites: ['TLS_AES_256_GCM_SHA384', 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256'] } as const
      expect(alertAfter((hello) => (hello.suites = [suite]), over)).toBe('illegal-parameter')
    }
  })

  it('TLS-11 TLS13-2 holds nothing but the version and the share', () => {
    for (const type of [0, 5, 10, 11, 16, 23, 35, 41, 42, 44, 0xff01, 0xabcd]) {
      expect(alertAfter((hello) => setExtension(hello, type, bytes()))).toBe('unsupported-extension')
    }
    for (const type of [0, 5, 16, 22, 35, 43, 51, 0xabcd]) {
      const value = type === 43 ? bytes(3, 3) : bytes()
      const alert = type === 43 ? 'illegal-parameter' : 'unsupported-extension'
      expect(alertAfter((hello) => setExtension(hello, type, value), {}, as12)).toBe(alert)
    }
  })

  it('TLS-15 names a version that was offered', () => {
    expect(alertAfter(setVersion(3, 3))).toBe('illegal-parameter')
    expect(alertAfter(setVersion(3, 5))).toBe('illegal-parameter')
    expect(alertAfter(setVersion(3, 4), as12, as12)).toBe('unsupported-extension')
    expect(alertAfter((hello) => (hello.version = 0x0304))).toBe('illegal-parameter')
    expect(alertAfter((hello) => setExtension(hello, SUPPORTED_VERSIONS, undefined), { minVersion: 'TLSv1.3' })).toBe(
      'protocol-version',
    )
    for (const version of [0x0300, 0x0301, 0x0302, 0x0304]) {
      expect(alertAfter((hello) => (hello.version = version), {}, as12)).toBe('protocol-version')
    }
  })

  it('TLS-16 a 1.2 ServerHello with the mark of a server that knows better', () => {
    const mark = (last: number) => (hello: RawHello) =>
      hello.random.set([0x44, 0x4f, 0x57, 0x4e, 0x47, 0x52, 0x44, last], 24)
    expect(alertAfter(mark(1), {}, as12)).toBe('illegal-parameter')
    expect(alertAfter(mark(0), {}, as12)).toBe('illegal-parameter')
    // Without 1.3 on offer the mark says nothing; the changed random then shows at the signature.
    expect(alertAfter(mark(1), as12, as12)).toBe('decrypt-error')
  })

  it('TLS-16 a server that knows 1.3 and is made to speak 1.2 sends the mark', () => {
    const client = new Puppet(anonymous(as12))
    const server = new Host(config('server', { clientAuth: 'none' }), 'mark')
    for (const flight of client.drain()) server.receive(flight)
    const [flight] = server.drain()
    expect([...flight!.subarray(5 + 4 + 2 + 24, 5 + 4 + 2 + 32)]).toEqual([0x44, 0x4f, 0x57, 0x4e, 0x47, 0x52, 0x44, 1])
    const old = new Host(config('server', { clientAuth: 'none', ...as12 }), 'mark')
    old.receive(new Puppet(anonymous(as12)).drain()[0]!)
    expect([...old.drain()[0]!.subarray(35, 38)]).not.toEqual([0x44, 0x4f, 0x57])
  })

  it('TLS13-3 TLS-31 answers a share that was sent, with a valid one', () => {
    const set =
      (...value: number[]) =>
      (hello: RawHello) =>
        setExtension(hello, KEY_SHARE, bytes(...value))
    expect(alertAfter((hello) => setExtension(hello, KEY_SHARE, undefined))).toBe('missing-extension')
    expect(alertAfter(set(0, 23, 0, 1, 4))).toBe('illegal-parameter')
    expect(alertAfter(set(0, 29, 0, 32, ...new Array<number>(32).fill(0)))).toBe('illegal-parameter')
    expect(alertAfter(set(0, 29, 0, 31, ...new Array<number>(31).fill(5)))).toBe('illegal-parameter')
    expect(alertAfter(set(0, 29, 0, 40))).toBe('decode-error')
  })

  it('TLS-9 TLS-10 is read to its last byte, without doubles', () => {
    expect(clientAfter((message, i) => [i === 0 ? resize(message, 1) : message]).alertSent).toBe('decode-error')
    expect(clientAfter((message, i) => [i === 0 ? resize(message, -1) : message]).alertSent).toBe('decode-error')
    const twice = (hello: RawHello) => hello.extensions!.push([SUPPORTED_VERSIONS, bytes(3, 4)])
    expect(alertAfter(twice)).toBe('decode-error')
  })
})

/** A message longer or shorter by some bytes, its header adjusted. */
function resize(message: Uint8Array, by: number): Uint8Array {
  const body = by > 0 ? concat(message.subarray(4), new Uint8Array(by)) : message.subarray(4, message.length + by)
  return handshakeMessage(message[0]!, body)
}

describe('HelloRetryRequest', () => {
  const retrying = { groups: ['secp256r1'] } as const
  const retry = (change: (hello: RawHello) => void) => clientAfter(editHello(change), {}, retrying)

  it('TLS13-7 asks for something new that was offered', () => {
    expect(retry(() => undefined).connection.stateName).toBe('expect-retried-server-hello')
    expect(retry((hello) => setExtension(hello, KEY_SHARE, undefined)).alertSent).toBe('illegal-parameter')
    expect(retry((hello) => setExtension(hello, KEY_SHARE, bytes(0, 29))).alertSent).toBe('illegal-parameter')
    expect(retry((hello) => setExtension(hello, KEY_SHARE, bytes(0, 25))).alertSent).toBe('illegal-parameter')
    expect(retry((hello) => setExtension(hello, KEY_SHARE, bytes(1, 0))).alertSent).toBe('illegal-parameter')
    expect(retry((hello) => setExtension(hello, KEY_SHARE, bytes(0, 23, 0))).alertSent).toBe('decode-error')
    expect(retry((hello) => setExtension(hello, COOKIE, bytes(0, 0))).alertSent).toBe('decode-error')
    expect(retry((hello) => setExtension(hello, 0xabcd, bytes())).alertSent).toBe('unsupported-extension')
    expect(retry((hello) => (hello.compression = [1])).alertSent).toBe('decode-error')
    expect(retry((hello) => hello.extensions!.push([KEY_SHARE, bytes(0, 23)])).alertSent).toBe('illegal-parameter')
  })

  it('TLS13-7 a cookie comes back, alone or with a group', () => {
    for (const drop of [true, false]) {
      const client = new Host(anonymous(), 'cookie')
      const puppet = new Puppet(
        config('server', retrying),
        editHello((hello) => {
          if (drop) setExtension(hello, KEY_SHARE, undefined)
          setExtension(hello, COOKIE, bytes(0, 3, 7, 8, 9))
        }),
      )
      for (const flight of client.drain()) puppet.receive(flight)
      for (const flight of puppet.drain()) client.receive(flight)
      const second = concat(...client.drain())
      const at = second.indexOf(COOKIE)
      expect(at).toBeGreaterThan(0)
      expect(String(second)).toContain(String([0, COOKIE, 0, 5, 0, 3, 7, 8, 9]))
    }
  })

  it('TLS13-7 there is only one, and what it fixed stands', () => {
    const second = (change: (hello: RawHello) => void) => {
      const client = new Host(anonymous(), 'twice')
      const puppet = new Puppet(config('server', { clientAuth: 'none', ...retrying }), editHello(change, 1))
      talkOnce(client, puppet)
      talkOnce(client, puppet)
      client.drain()
      return client.alertSent
    }
    const random = [0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91]
    const rest = [0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c]
    expect(second((hello) => (hello.random = bytes(...random, ...rest)))).toBe('unexpected-message')
    expect(second((hello) => (hello.suites = [hello.suites[0] === 0x1301 ? 0x1302 : 0x1301]))).toBe('illegal-parameter')
    expect(second((hello) => setExtension(hello, SUPPORTED_VERSIONS, undefined))).toBe('illegal-parameter')
    expect(
      second((hello) => setExtension(hello, KEY_SHARE, concat(bytes(0, 24), extension(hello, KEY_SHARE)!.subarray(2)))),
    ).toBe('illegal-parameter')
  })
})

/** One flight each way. */
function talkOnce(client: Host, puppet: Puppet): void {
  for (const flight of client.drain()) puppet.receive(flight)
  for (const flight of puppet.drain()) client.receive(flight)
}

describe('the rest of a 1.3 flight', () => {
  const encryptedExtensions = (...body: number[]) => replace(8, () => [handshakeMessage(8, bytes(...body))])

  it('TLS13-13 EncryptedExtensions answer nothing that was not asked', () => {
    expect(clientAfter(encryptedExtensions(0, 6, 0, 10, 0, 2, 0, 0)).alertSent).toBe('decode-error')
    expect(clientAfter(encryptedExtensions(0, 8, 0, 10, 0, 4, 0, 2, 0, 23)).alertSent).toBe('decrypt-error')
    for (const type of [0, 16, 42, 51, 43, 200]) {
      expect(clientAfter(encryptedExtensions(0, 4, 0, type, 0, 0)).alertSent).toBe('unsupported-extension')
    }
    expect(clientAfter(encryptedExtensions(0, 1)).alertSent).toBe('decode-error')
    expect(clientAfter(encryptedExtensions()).alertSent).toBe('decode-error')
  })

  it('TLS13-15 certificate entries carry no extensions, and the context is empty', () => {
    const build = (context: readonly number[], extensions: readonly number[]): Tamper =>
      replace(11, (message) => {
        const der = message.subarray(4 + 4 + 3, message.length - 2)
        const writer = new Writer(1024).vector(1, bytes(...context))
        writer.block(3, (w) => w.vector(3, der).vector(2, bytes(...extensions)))
        return [handshakeMessage(11, writer.finish())]
      })
    // The certificate itself is untouched, so the fault shows at the signature over the changed transcript.
    expect(clientAfter(build([], [])).info).toBeDefined()
    expect(clientAfter(build([], [0, 5, 0, 0])).alertSent).toBe('unsupported-extension')
    expect(clientAfter(build([], [0xab, 0xcd, 0, 0])).alertSent).toBe('unsupported-extension')
    expect(clientAfter(build([1], [])).alertSent).toBe('illegal-parameter')
  })

  it('TLS-12 at most 16 certificates, none of them empty, at least one', () => {
    const chain = (count: number, der: (message: Uint8Array) => Uint8Array): Tamper =>
      replace(11, (message) => {
        const writer = new Writer(1024).u8(0)
        writer.block(3, (w) => {
          for (let i = 0; i < count; i++) w.vector(3, der(message)).u16(0)
        })
        return [handshakeMessage(11, writer.finish())]
      })
    const own = (message: Uint8Array) => message.subarray(11, message.length - 2)
    expect(clientAfter(chain(0, own)).alertSent).toBe('decode-error')
    expect(clientAfter(chain(16, own)).alertSent).toBe('decrypt-error')
    expect(clientAfter(chain(17, own)).alertSent).toBe('bad-certificate')
    expect(clientAfter(chain(1, () => bytes())).alertSent).toBe('decode-error')
  })

  it('TLS13-17 a CertificateRequest without signature_algorithms', () => {
    const request = (...body: number[]) =>
      clientAfter(
        replace(13, () => [handshakeMessage(13, bytes(...body))]),
        {},
        { clientAuth: 'optional' },
      )
    expect(request(0, 0, 0).alertSent).toBe('missing-extension')
    expect(request(1, 9, 0, 8, 0, 13, 0, 4, 0, 2, 4, 3).alertSent).toBe('illegal-parameter')
    expect(request(0, 0, 8, 0, 13, 0, 4, 0, 2, 4, 3, 0).alertSent).toBe('decode-error')
    expect(request(0, 0, 14, 0, 13, 0, 4, 0, 2, 4, 3, 0, 47, 0, 2, 0, 0).alertSent).toBe('decode-error')
  })

  it('a ChangeCipherSpec instead of a ServerHello', () => {
    const client = new Host(anonymous(), 'ccs')
    client.drain()
    client.receive(record(20, bytes(1)))
    client.drain()
    expect(client.alertSent).toBe('unexpected-message')
  })
})

describe('middlebox compatibility', () => {
  const changeCipherSpecs = (flights: readonly Uint8Array[]) => {
    let count = 0
    const all = concat(...flights)
    for (let at = 0; at < all.length; at += 5 + ((all[at + 3]! << 8) | all[at + 4]!)) if (all[at] === 20) count++
    return count
  }

  it('TLS13-5 one ChangeCipherSpec from each side, none without a session id', () => {
    for (const groups of [['x25519'], ['secp256r1']] as const) {
      for (const compatibilityMode of [true, false]) {
        const client = new Host(config('client', { compatibilityMode }), 'compat')
        const server = new Host(config('server', { groups }), 'compat')
        const sent = { client: [] as Uint8Array[], server: [] as Uint8Array[] }
        talk(
          { receive: (b) => client.receive(b), drain: () => keep(client, sent.client) },
          { receive: (b) => server.receive(b), drain: () => keep(server, sent.server) },
        )
        expect(server.info?.helloRetryRequest).toBe(groups[0] === 'secp256r1')
        expect(changeCipherSpecs(sent.client)).toBe(compatibilityMode ? 1 : 0)
        expect(changeCipherSpecs(sent.server)).toBe(compatibilityMode ? 1 : 0)
        expect(edit(sent.client[0]!.subarray(5, 5 + 4 + helloLength(sent.client[0]!)), () => undefined)[38]).toBe(
          compatibilityMode ? 32 : 0,
        )
      }
    }
  })
})

function helloLength(flight: Uint8Array): number {
  return (flight[6]! << 16) | (flight[7]! << 8) | flight[8]!
}

function keep(host: Host, into: Uint8Array[]): Uint8Array[] {
  const flights = host.drain()
  into.push(...flights)
  return flights
}
