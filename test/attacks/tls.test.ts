/** Known attacks on TLS, each with a count of what got through: none. */
import { describe, expect, it } from 'vitest'
import { concat } from '../../src/bytes/index.ts'
import type { TlsConfig, TlsVersion } from '../../src/tls/index.ts'
import { bytes, editHello, record, replace, setExtension } from '../unit/tls/edit.ts'
import {
  anonymous,
  config,
  handshakeMessage,
  Host,
  pair,
  Puppet,
  type Tamper,
  talk,
  text,
} from '../unit/tls/support.ts'

const VERSIONS: readonly TlsVersion[] = ['TLSv1.2', 'TLSv1.3']
const ROLES = ['client', 'server'] as const

/** A real end against a puppet of the other role; the puppet's own confusion does not matter. */
function against(real: 'client' | 'server', version: TlsVersion, tamper: Tamper, over: Partial<TlsConfig> = {}): Host {
  const host = new Host(config(real, { maxVersion: version, ...over }), 'victim')
  const puppet = new Puppet(config(real === 'client' ? 'server' : 'client', { maxVersion: version }), tamper)
  try {
    talk(host, puppet)
  } catch {
    // A puppet that was told to break the rules cannot always go on.
  }
  host.drain()
  return host
}

/** Types of the messages an honest puppet sends. */
function sentBy(role: 'client' | 'server', version: TlsVersion): readonly number[] {
  const types: number[] = []
  const host = against(
    role === 'client' ? 'server' : 'client',
    version,
    (message) => (types.push(message[0]!), [message]),
  )
  expect(host.info).toBeDefined()
  return types
}

describe('message flow', () => {
  it.each(VERSIONS.flatMap((version) => ROLES.map((role) => [version, role] as const)))(
    'TLS-25 TLS-26 under %s no message of the %s may be skipped, repeated, swapped or replaced',
    (version, role) => {
      const victim = role === 'client' ? 'server' : 'client'
      const count = sentBy(role, version).length
      expect(count).toBeGreaterThanOrEqual(4)
      let tried = 0
      let admitted = 0
      const attempt = (tamper: Tamper): void => {
        const host = against(victim, version, tamper)
        tried++
        if (host.info !== undefined || host.data.length > 0) admitted++
      }
      for (let at = 0; at < count; at++) {
        attempt((message, i) => (i === at ? [] : [message]))
        // A ClientHello or Finished sent twice at the very end would come after the connection is made.
        if (at < count - 1) attempt((message, i) => (i === at ? [message, message] : [message]))
        if (at > 0) attempt(swap(at))
        for (const type of [0, 1, 2, 4, 5, 8, 11, 12, 13, 14, 15, 16, 20, 24, 254]) {
          attempt((message, i) => (i === at ? [handshakeMessage(type, bytes()), message] : [message]))
        }
      }
      expect(tried).toBeGreaterThan(60)
      expect(admitted).toBe(0)
    },
  )

  /** Sends message `at` before the one that precedes it. */
  function swap(at: number): Tamper {
    let held: Uint8Array | undefined
    return (message, i) => {
      if (i === at - 1) {
        held = message
        return []
      }
      return i === at && held !== undefined ? [message, held] : [message]
    }
  }

  it('TLS-24 a client that skips its certificate, its proof, or both', () => {
    let admitted = 0
    for (const version of VERSIONS) {
      for (const skipped of [[11], [15], [11, 15], [11, 15, 20], [15, 20]]) {
        const host = against('server', version, (message) => (skipped.includes(message[0]!) ? [] : [message]))
        if (host.info !== undefined) admitted++
      }
      const empty = version === 'TLSv1.3' ? bytes(0, 0, 0, 0) : bytes(0, 0, 0)
      const host = against(
        'server',
        version,
        replace(11, () => [handshakeMessage(11, empty)]),
      )
      if (host.info !== undefined) admitted++
      expect(host.closed).toMatchObject({ type: 'certificate', problem: 'no-certificate' })
    }
    expect(admitted).toBe(0)
  })

  it('TLS12-7 CVE-2014-0224: a ChangeCipherSpec before the keys exist', () => {
    let admitted = 0
    for (const role of ROLES) {
      const host = new Host(config(role, { maxVersion: 'TLSv1.2' }), 'ccs')
      const puppet = new Puppet(config(role === 'client' ? 'server' : 'client', { maxVersion: 'TLSv1.2' }))
      for (const flight of host.drain()) puppet.receive(flight)
      // A client has keys as soon as it answered, so there the record comes before the flight; a server has none after a hello.
      const early = record(20, bytes(1))
      for (const flight of puppet.drain())
        host.receive(role === 'client' ? concat(early, flight) : concat(flight, early))
      host.drain()
      if (host.info !== undefined) admitted++
      expect(host.alertSent).toBe('unexpected-message')
    }
    expect(admitted).toBe(0)
  })
})

describe('downgrade', () => {
  it('TLS-16 stripping 1.3 from a hello is noticed by its mark', () => {
    // The attacker rewrites the hello in flight; the server then speaks 1.2 and marks its random.
    const client = new Host(config('client'), 'strip')
    const server = new Host(config('server'), 'strip')
    const strip = editHello((hello) => {
      for (const type of [43, 51]) setExtension(hello, type, undefined)
    })
    for (const flight of client.drain()) server.receive(record(22, strip(flight.subarray(5), 0)[0]!))
    for (const flight of server.drain()) client.receive(flight)
    client.drain()
    expect(client.alertSent).toBe('illegal-parameter')
    expect(client.info).toBeUndefined()
  })

  it('TLS-25 any change of a hello in flight ends the handshake, in both versions', () => {
    let admitted = 0
    let tried = 0
    for (const version of VERSIONS) {
      const length = new Host(config('client', { maxVersion: version }), 'flight').drain()[0]!.length
      for (let at = 5; at < length; at += 3) {
        const client = new Host(config('client', { maxVersion: version }), 'flight')
        const server = new Host(config('server'), 'flight')
        const [flight] = client.drain()
        flight![at]! ^= 1
        server.receive(flight!)
        talk(client, server)
        tried++
        if (client.info !== undefined && server.info !== undefined) admitted++
        if (server.info !== undefined) admitted++
      }
    }
    expect(tried).toBeGreaterThan(100)
    expect(admitted).toBe(0)
  })

  it('TLS-17 a fallback by a client that knows better', () => {
    const fallback = editHello((hello) => hello.suites.push(0x5600))
    const server = new Host(config('server'), 'fallback')
    talk(new Puppet(config('client', { maxVersion: 'TLSv1.2' }), fallback), server)
    expect(server.alertSent).toBe('inappropriate-fallback')
  })
})

describe('secrets', () => {
  it('TLS12-12 triple handshake: no keying material leaves a 1.2 connection without extended_master_secret', () => {
    const without = editHello((hello) => setExtension(hello, 23, undefined))
    const server = new Host(config('server'), 'triple')
    talk(new Puppet(config('client', { maxVersion: 'TLSv1.2' }), without), server)
    let exported = 0
    try {
      server.connection.exportKeyingMaterial('EXPORTER-OpenVPN-datakeys', undefined, 256)
      exported++
    } catch (error) {
      expect(error).toMatchObject({ name: 'UsageError' })
    }
    expect(exported).toBe(0)
  })

  it('TLS-31 invalid points and small-order points lead nowhere', () => {
    let admitted = 0
    const points: readonly (readonly [number, readonly number[]])[] = [
      [29, new Array<number>(32).fill(0)],
      [29, [1, ...new Array<number>(31).fill(0)]],
      [29, [0xec, ...new Array<number>(30).fill(0xff), 0x7f]],
      [29, [0xed, ...new Array<number>(30).fill(0xff), 0x7f]],
      [23, [4, ...new Array<number>(64).fill(0)]],
      [23, [4, ...new Array<number>(64).fill(0xff)]],
    ]
    for (const [group, point] of points) {
      const over = { groups: [group === 29 ? ('x25519' as const) : ('secp256r1' as const)] }
      const share = bytes(0, point.length + 4, 0, group, 0, point.length, ...point)
      const server = new Host(config('server', over), 'points')
      const client = new Puppet(
        config('client', over),
        editHello((hello) => setExtension(hello, 51, share)),
      )
      for (const flight of client.drain()) server.receive(flight)
      server.drain()
      if (server.connection.stateName !== 'closed') admitted++
      const old = new Host(config('server', { ...over, groups: ['x25519', 'secp256r1'] }), 'points')
      const body = bytes(point.length, ...point)
      const both: Partial<TlsConfig> = {
        maxVersion: 'TLSv1.2',
        groups: group === 29 ? ['x25519', 'secp256r1'] : ['secp256r1'],
      }
      talk(
        new Puppet(
          anonymous(both),
          replace(16, () => [handshakeMessage(16, body)]),
        ),
        old,
      )
      if (old.info !== undefined) admitted++
    }
    expect(admitted).toBe(0)
  })

  it('TLS-4 a record of one direction sent back to its sender', () => {
    let accepted = 0
    for (const maxVersion of VERSIONS) {
      const { client, server } = pair(config('client', { maxVersion }), config('server'))
      client.connection.write(text('reflected'))
      for (const flight of client.drain()) client.receive(flight)
      client.drain()
      if (client.data.length > 0) accepted++
      expect(client.alertSent).toBe('bad-record-mac')
      expect(server.closed).toBeUndefined()
    }
    expect(accepted).toBe(0)
  })
})

describe('resources', () => {
  it('TLS-6 TLS-13 TLS-14 TLS13-24 floods end in bounded work', () => {
    const floods: readonly (readonly [string, (server: Host) => void])[] = [
      ['empty records', (server) => flood(server, record(22, bytes()))],
      ['warnings', (server) => flood(server, record(21, bytes(1, 90)))],
      ['change cipher specs', (server) => flood(server, record(20, bytes(1)))],
      [
        'a message that never ends',
        (server) => flood(server, record(22, concat(bytes(1, 0, 0x3f, 0xff), new Uint8Array(1000)))),
      ],
      ['a message that is far too long', (server) => flood(server, record(22, bytes(1, 0xff, 0xff, 0xff)))],
    ]
    for (const [name, run] of floods) {
      const server = new Host(config('server'), name)
      run(server)
      expect([name, server.closed?.type]).toEqual([name, 'alert-sent'])
      expect(server.events).toEqual(['closed'])
    }
    function flood(server: Host, one: Uint8Array): void {
      for (let i = 0; i < 1000; i++) {
        server.receive(one)
        server.drain()
      }
    }
  })

  it('TLS-2 rubbish of any shape ends in one alert, without a throw', () => {
    const rubbish = [
      'GET / HTTP/1.1\r\n\r\n',
      'SSH-2.0-x\r\n',
      '\x80\x2e\x01\x03\x01',
      '\x16\x03\x01\x00\x04\x02\x00\x00\x00',
    ]
    for (const role of ROLES) {
      for (const words of rubbish) {
        const host = new Host(config(role), 'rubbish')
        host.drain()
        host.receive(Uint8Array.from(words, (character) => character.charCodeAt(0)))
        const sent = host.drain()
        expect(host.events).toEqual(['closed'])
        expect(concat(...sent).slice(0, 3)).toEqual(bytes(21, 3, 1))
      }
    }
  })
})
