/** What a server makes of a ClientHello, well-formed or not. */
import { describe, expect, it } from 'vitest'
import { concat, utf8Encode } from '../../../src/bytes/index.ts'
import type { TlsConfig } from '../../../src/tls/index.ts'
import { bytes, edit, editHello, extension, type RawHello, readHello, record, setExtension } from './edit.ts'
import { anonymous, config, Host, Puppet, type Tamper, talk } from './support.ts'

const SUPPORTED_GROUPS = 10
const SIGNATURE_ALGORITHMS = 13
const PADDING = 21
const PRE_SHARED_KEY = 41
const EARLY_DATA = 42
const SUPPORTED_VERSIONS = 43
const PSK_MODES = 45
const KEY_SHARE = 51

/** A real server after a ClientHello that a test changed. */
function serverAfter(
  change: (hello: RawHello) => void,
  client: TlsConfig = anonymous(),
  over: Partial<TlsConfig> = {},
): Host {
  const [flight] = new Host(client, 'hello').drain()
  const server = new Host(config('server', { clientAuth: 'none', ...over }), 'hello')
  server.receive(record(22, edit(flight!.subarray(5), change)))
  server.drain()
  return server
}

/** The alert that a changed ClientHello earns; `undefined` when the server answers it. */
function alertAfter(
  change: (hello: RawHello) => void,
  client?: TlsConfig,
  over?: Partial<TlsConfig>,
): string | undefined {
  return serverAfter(change, client, over).alertSent
}

const only12 = anonymous({ maxVersion: 'TLSv1.2' })

describe('form', () => {
  it('TLS-9 a hello that is cut anywhere, or too long', () => {
    const [flight] = new Host(anonymous(), 'hello').drain()
    const message = flight!.subarray(5)
    let refused = 0
    for (let length = 0; length < message.length - 4; length++) {
      const body = message.subarray(4, 4 + length)
      const server = new Host(config('server'), 'cut')
      server.receive(record(22, concat(bytes(1, 0, length >> 8, length & 255), body)))
      server.drain()
      // Without any extension it is a hello of 1.2, which lacks signature_algorithms.
      expect(['decode-error', 'handshake-failure']).toContain(server.alertSent)
      refused++
    }
    expect(refused).toBeGreaterThan(150)
    const longer = concat(
      bytes(1, 0, (message.length - 3) >> 8, (message.length - 3) & 255),
      message.subarray(4),
      bytes(0),
    )
    const server = new Host(config('server'), 'long')
    server.receive(record(22, longer))
    server.drain()
    expect(server.alertSent).toBe('decode-error')
  })

  it('TLS-9 every extension in use is read to its last byte', () => {
    const used = readHello(new Host(anonymous(), 'hello').drain()[0]!.subarray(5)).extensions!
    expect(used.length).toBe(7)
    for (const [type, value] of used) {
      for (const bad of [concat(value, bytes(0)), value.subarray(0, value.length - 1), bytes()]) {
        if (bad.length === value.length || (value.length === 0 && bad.length === 0)) continue
        expect(alertAfter((hello) => setExtension(hello, type, bad))).toBe('decode-error')
      }
    }
    for (const [type, bad] of [
      [0, bytes(0, 4, 0, 0, 9, 1)],
      [47, bytes(0, 0)],
      [47, bytes(0, 2, 0, 0)],
      [PSK_MODES, bytes(0)],
      [44, bytes(0, 0)],
      [EARLY_DATA, bytes(0)],
      [22, bytes(1)],
    ] as const) {
      expect(alertAfter((hello) => setExtension(hello, type, bad))).toBe('decode-error')
    }
  })

  it('TLS-47 server_name holds one host name in ASCII', () => {
    const named = (...names: readonly (readonly [kind: number, name: string])[]): string | undefined => {
      const list = names.map(([kind, name]) => concat(bytes(kind, 0, name.length), bytes(...utf8Encode(name))))
      const body = concat(...list)
      return alertAfter((hello) => setExtension(hello, 0, concat(bytes(body.length >> 8, body.length), body)))
    }
    expect(named()).toBe('decode-error')
    expect(named([0, ''])).toBe('decode-error')
    expect(named([0, 'a.example'], [0, 'b.example'])).toBe('illegal-parameter')
    for (const name of ['a\0.example', 'a\x07', 'a example', '\x1b[31m', '\x7f']) {
      expect(named([0, name])).toBe('illegal-parameter')
    }
    expect(named([0, 'a_b-c.example'])).toBeUndefined()
    expect(named([0, 'a.example'], [7, 'anything \x07'])).toBeUndefined()
  })

  it('TLS-10 no extension twice, known or not', () => {
    for (const type of [SUPPORTED_GROUPS, KEY_SHARE, 0xabcd]) {
      const twice = (hello: RawHello) => {
        setExtension(hello, 0xabcd, bytes(1))
        hello.extensions!.push([type, extension(hello, type) ?? bytes(0, 0)], [type, bytes(0, 0)])
      }
      expect(alertAfter(twice)).toBe('decode-error')
      expect(alertAfter(twice, only12)).toBe('decode-error')
    }
  })

  it('TLS-18 unknown values in lists are skipped', () => {
    const server = serverAfter((hello) => {
      hello.suites = [0x0a0a, ...hello.suites, 0xfafa]
      hello.extensions!.unshift([0x1a1a, bytes()])
      setExtension(
        hello,
        SUPPORTED_VERSIONS,
        concat(bytes(6, 0x2a, 0x2a), extension(hello, SUPPORTED_VERSIONS)!.subarray(1)),
      )
      const groups = extension(hello, SUPPORTED_GROUPS)!
      setExtension(hello, SUPPORTED_GROUPS, concat(bytes(0, groups.length, 0x3a, 0x3a), groups.subarray(2)))
      const schemes = extension(hello, SIGNATURE_ALGORITHMS)!
      setExtension(hello, SIGNATURE_ALGORITHMS, concat(bytes(0, schemes.length, 0x4a, 0x4a), schemes.subarray(2)))
      const shares = extension(hello, KEY_SHARE)!
      setExtension(hello, KEY_SHARE, concat(bytes(0, shares.length - 2 + 5, 0x3a, 0x3a, 0, 1, 7), shares.subarray(2)))
      setExtension(hello, 0x5a5a, bytes(1))
      setExtension(hello, 16, bytes(0, 3, 2, 0x68, 0x32))
      setExtension(hello, 5, bytes(1, 0, 0, 0, 0))
    })
    expect(server.alertSent).toBeUndefined()
    expect(server.connection.stateName).toBe('expect-client-finished')
  })

  it('null compression must be offered, and alone in 1.3', () => {
    expect(alertAfter((hello) => (hello.compression = [1]))).toBe('illegal-parameter')
    expect(alertAfter((hello) => (hello.compression = [1]), only12)).toBe('illegal-parameter')
    expect(alertAfter((hello) => (hello.compression = [1, 0]), only12)).toBeUndefined()
    expect(alertAfter((hello) => (hello.compression = []))).toBe('decode-error')
  })
})

describe('version', () => {
  it('TLS-15 supported_versions decides, legacy_version does not', () => {
    expect(serverAfter((hello) => (hello.version = 0x0301)).connection.stateName).toBe('expect-client-finished')
    expect(serverAfter((hello) => (hello.version = 0x0399)).connection.stateName).toBe('expect-client-finished')
    expect(alertAfter((hello) => (hello.version = 0x0300))).toBe('protocol-version')
    expect(alertAfter((hello) => setExtension(hello, SUPPORTED_VERSIONS, bytes(2, 3, 2)))).toBe('protocol-version')
    expect(alertAfter((hello) => setExtension(hello, SUPPORTED_VERSIONS, bytes(2, 3, 5)))).toBe('protocol-version')
    expect(alertAfter((hello) => setExtension(hello, SUPPORTED_VERSIONS, bytes(2, 3, 3)))).toBeUndefined()
    expect(alertAfter((hello) => (hello.version = 0x0302), only12)).toBe('protocol-version')
    expect(alertAfter((hello) => (hello.version = 0x0304), only12)).toBeUndefined()
  })

  it('TLS-17 a fallback signal below the highest version', () => {
    const signal = (hello: RawHello) => hello.suites.push(0x5600)
    expect(alertAfter(signal, only12)).toBe('inappropriate-fallback')
    expect(alertAfter(signal, only12, { maxVersion: 'TLSv1.2' })).toBeUndefined()
    expect(alertAfter(signal)).toBeUndefined()
  })
})

describe('TLS 1.3', () => {
  it('TLS13-10 mandatory extensions', () => {
    for (const type of [SUPPORTED_GROUPS, SIGNATURE_ALGORITHMS, KEY_SHARE]) {
      expect(alertAfter((hello) => setExtension(hello, type, undefined))).toBe('missing-extension')
    }
  })

  it('TLS13-11 key shares: one a group, only for listed groups', () => {
    const share = (hello: RawHello) => extension(hello, KEY_SHARE)!.subarray(2)
    expect(
      alertAfter((hello) => setExtension(hello, KEY_SHARE, concat(bytes(0, 72), share(hello), share(hello)))),
    ).toBe('illegal-parameter')
    expect(
      alertAfter((hello) => setExtension(hello, KEY_SHARE, concat(bytes(0, 41), share(hello), bytes(0, 24, 0, 1, 4)))),
    ).toBe('illegal-parameter')
    expect(
      alertAfter((hello) => setExtension(hello, KEY_SHARE, concat(bytes(0, 40), share(hello), bytes(0, 23, 0, 0)))),
    ).toBe('decode-error')
  })

  it('TLS13-9 pre_shared_key is the last extension, with its modes, and otherwise ignored', () => {
    const psk = bytes(0, 7, 0, 1, 9, 0, 0, 0, 0, 0, 33, 32, ...new Array<number>(32).fill(0))
    const offer = (hello: RawHello) => {
      setExtension(hello, PSK_MODES, bytes(1, 1))
      setExtension(hello, PRE_SHARED_KEY, psk)
    }
    expect(alertAfter(offer)).toBeUndefined()
    expect(
      alertAfter((hello) => {
        offer(hello)
        setExtension(hello, PADDING, bytes(0))
      }),
    ).toBe('illegal-parameter')
    expect(alertAfter((hello) => setExtension(hello, PRE_SHARED_KEY, psk))).toBe('missing-extension')
  })

  it('TLS-31 invalid key shares', () => {
    const bad: readonly (readonly [number, readonly number[]])[] = [
      [29, new Array<number>(32).fill(0)],
      [29, [1, ...new Array<number>(31).fill(0)]],
      [29, new Array<number>(31).fill(9)],
      [23, [4, ...new Array<number>(64).fill(1)]],
      [23, [2, ...new Array<number>(32).fill(1)]],
      [23, [0]],
    ]
    for (const [group, share] of bad) {
      const value = bytes(0, share.length + 4, 0, group, 0, share.length, ...share)
      const change = (hello: RawHello) => setExtension(hello, KEY_SHARE, value)
      expect(alertAfter(change, anonymous(), { groups: [group === 29 ? 'x25519' : 'secp256r1'] })).toBe(
        'illegal-parameter',
      )
    }
  })

  it('no group and no signature scheme in common', () => {
    expect(alertAfter(() => undefined, anonymous(), { groups: ['secp521r1'] })).toBe('handshake-failure')
    expect(alertAfter((hello) => setExtension(hello, SIGNATURE_ALGORITHMS, bytes(0, 4, 8, 4, 2, 3)))).toBe(
      'handshake-failure',
    )
  })
})

describe('the second ClientHello', () => {
  /** A server that asked for P-256, after a second hello that a test changed. */
  function after(change: (hello: RawHello) => void, first: (hello: RawHello) => void = () => undefined): Host {
    const tamper: Tamper = (message, index) => [edit(message, index === 0 ? first : change)]
    const client = new Puppet(anonymous(), tamper)
    const server = new Host(config('server', { clientAuth: 'none', groups: ['secp256r1'] }), 'second')
    for (const flight of client.drain()) server.receive(flight)
    for (const flight of server.drain()) client.receive(flight)
    for (const flight of client.drain()) server.receive(flight)
    server.drain()
    return server
  }

  it('TLS13-8 repeats the first but for what may change', () => {
    expect(after(() => undefined).connection.stateName).toBe('expect-client-finished')
    expect(after((hello) => setExtension(hello, PADDING, bytes(0, 0))).closed).toBeUndefined()
    const changes: readonly ((hello: RawHello) => void)[] = [
      (hello) => (hello.random = new Uint8Array(32)),
      (hello) => (hello.sessionId = bytes(1)),
      (hello) => (hello.suites = hello.suites.slice(1)),
      (hello) => (hello.version = 0x0302),
      (hello) => setExtension(hello, 0xabcd, bytes()),
      (hello) => setExtension(hello, 23, undefined),
      (hello) => setExtension(hello, SIGNATURE_ALGORITHMS, bytes(0, 2, 4, 3)),
    ]
    for (const change of changes) expect(after(change).alertSent).toBe('illegal-parameter')
  })

  it('TLS13-7 TLS13-8 holds one share, of the group asked for', () => {
    const shares = (hello: RawHello) => extension(hello, KEY_SHARE)!.subarray(2)
    expect(after((hello) => setExtension(hello, KEY_SHARE, bytes(0, 0))).alertSent).toBe('illegal-parameter')
    const x25519 = bytes(0, 29, 0, 32, ...new Array<number>(32).fill(9))
    expect(after((hello) => setExtension(hello, KEY_SHARE, concat(bytes(0, 36), x25519))).alertSent).toBe(
      'illegal-parameter',
    )
    const both = (hello: RawHello) => setExtension(hello, KEY_SHARE, concat(bytes(0, 105), shares(hello), x25519))
    expect(after(both).alertSent).toBe('illegal-parameter')
  })

  it('TLS13-22 early data is offered in the first only', () => {
    const offer = (hello: RawHello) => setExtension(hello, EARLY_DATA, bytes())
    expect(after(() => undefined, offer).closed).toBeUndefined()
    expect(after(offer, offer).alertSent).toBe('illegal-parameter')
  })
})

describe('refused 0-RTT data', () => {
  const offer = editHello((hello) => setExtension(hello, EARLY_DATA, bytes()))
  const junk = (length: number) => record(23, new Uint8Array(length).fill(7))

  /** A server after a hello, then `early`, then the rest of the handshake if it still listens. */
  function after(early: readonly Uint8Array[], tamper: Tamper, group: 'x25519' | 'secp256r1'): Host {
    const client = new Puppet(anonymous(), tamper)
    const server = new Host(config('server', { clientAuth: 'none', groups: [group] }), 'early')
    for (const flight of client.drain()) server.receive(flight)
    for (const part of early) server.receive(part)
    if (server.connection.stateName !== 'closed') talk(client, server)
    server.drain()
    return server
  }

  it('TLS13-22 is skipped up to 16,384 bytes', () => {
    const fits = after([junk(8000), junk(8000)], offer, 'x25519')
    expect(fits.info?.version).toBe('TLSv1.3')
    expect(fits.data).toEqual([])
    expect(after([junk(8000), junk(8384)], offer, 'x25519').info?.version).toBe('TLSv1.3')
    expect(after([junk(8000), junk(8385)], offer, 'x25519').alertSent).toBe('unexpected-message')
    expect(after([junk(8000), junk(8384), junk(17)], offer, 'x25519').alertSent).toBe('bad-record-mac')
  })

  it('TLS13-22 is skipped before a second ClientHello too', () => {
    const dropInSecond: Tamper = (message, index) => (index === 0 ? offer(message, index) : [message])
    expect(after([junk(8000), junk(8000)], dropInSecond, 'secp256r1').info?.helloRetryRequest).toBe(true)
    expect(after([junk(8000), junk(8385)], dropInSecond, 'secp256r1').alertSent).toBe('unexpected-message')
  })

  it('TLS13-22 is not skipped behind a second ClientHello', () => {
    const dropInSecond: Tamper = (message, index) => (index === 0 ? offer(message, index) : [message])
    const client = new Puppet(anonymous(), dropInSecond)
    const server = new Host(config('server', { clientAuth: 'none', groups: ['secp256r1'] }), 'early')
    for (const flight of client.drain()) server.receive(flight)
    for (const flight of server.drain()) client.receive(flight)
    for (const flight of client.drain()) server.receive(flight)
    expect(server.connection.stateName).toBe('expect-client-finished')
    server.receive(junk(100))
    server.drain()
    expect(server.alertSent).toBe('bad-record-mac')
  })

  it('TLS13-22 is not skipped without the offer', () => {
    expect(after([junk(100)], (message) => [message], 'x25519').alertSent).toBe('bad-record-mac')
    expect(after([junk(100)], (message) => [message], 'secp256r1').alertSent).toBe('unexpected-message')
  })
})

describe('plaintext alerts', () => {
  it('TLS-4 TLS13-28 one is taken before the first protected record, none after it', () => {
    const alert = record(21, bytes(2, 47))
    const [flight] = new Host(anonymous(), 'alert').drain()
    const server = new Host(config('server'), 'alert')
    server.receive(flight!)
    server.receive(alert)
    server.drain()
    expect(server.closed).toEqual({ type: 'alert-received', alert: 'illegal-parameter', code: 47 })
    const client = new Host(anonymous(), 'alert')
    const open = new Host(config('server', { clientAuth: 'none' }), 'alert')
    talk(client, open)
    open.receive(alert)
    open.drain()
    expect(open.alertSent).toBe('bad-record-mac')
  })

  it('TLS-4 TLS13-28 a handshake record without protection is out of place before it, and a forgery after it', () => {
    const finished = record(22, bytes(20, 0, 0, 32, ...new Array<number>(32).fill(1)))
    for (const over of [{}, { early: true }]) {
      const offer = 'early' in over ? editHello((hello) => setExtension(hello, EARLY_DATA, bytes())) : undefined
      const client = new Puppet(anonymous(), offer ?? ((message) => [message]))
      const server = new Host(config('server', { clientAuth: 'none' }), 'plain')
      for (const flight of client.drain()) server.receive(flight)
      server.receive(finished)
      server.drain()
      expect(server.alertSent).toBe('unexpected-message')
    }
    const client = new Host(anonymous(), 'plain')
    const open = new Host(config('server', { clientAuth: 'none' }), 'plain')
    talk(client, open)
    open.receive(finished)
    open.drain()
    expect(open.alertSent).toBe('bad-record-mac')
  })
})
