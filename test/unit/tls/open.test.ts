/** Open connections: data, key updates, tickets, floods, ends. */
import { describe, expect, it } from 'vitest'
import { concat } from '../../../src/bytes/index.ts'
import { noble } from '../../../src/crypto/index.ts'
import { TlsConnection, type TlsVersion } from '../../../src/tls/index.ts'
import { beforeData12 } from '../../../src/tls/open12.ts'
import { beforeData13, sendKeyUpdate } from '../../../src/tls/open13.ts'
import { bytes } from './edit.ts'
import { anonymous, config, handshakeMessage, Host, NOW, pair, Puppet, talk, text } from './support.ts'

const VERSIONS: readonly TlsVersion[] = ['TLSv1.2', 'TLSv1.3']

/** An open pair with a real end and a puppet at the other. */
function open(real: 'client' | 'server', maxVersion: TlsVersion = 'TLSv1.3'): { host: Host; puppet: Puppet } {
  const host = new Host(
    real === 'client' ? anonymous({ maxVersion }) : config('server', { clientAuth: 'none' }),
    'open',
  )
  const other = real === 'client' ? config('server', { clientAuth: 'none' }) : anonymous({ maxVersion })
  const puppet = new Puppet(other)
  talk(host, puppet)
  expect(host.info?.version).toBe(maxVersion)
  expect(puppet.connected).toBe(true)
  return { host, puppet }
}

function updatePuppet(puppet: Puppet, request: boolean): void {
  if (puppet.state.type !== 'open-13') throw new Error('not open')
  puppet.state = sendKeyUpdate(puppet.context, puppet.state, request)
}

describe('data', () => {
  it.each(VERSIONS)('any amount, cut into records of at most the agreed length, under %s', (maxVersion) => {
    for (const maxFragment of [64, 1000, 16_384]) {
      const { client, server } = pair(config('client', { maxVersion, maxFragment }), config('server'))
      const sent = Uint8Array.from({ length: 40_000 }, (_, i) => (i * 31) & 255)
      expect(client.connection.write(sent)).toBe(true)
      talk(client, server)
      expect(concat(...server.data)).toEqual(sent)
      expect(Math.max(...server.data.map((part) => part.length))).toBe(Math.min(maxFragment, 16_384))
    }
  })

  it('an empty write sends nothing and is fine', () => {
    const { client } = pair(config('client'), config('server'))
    expect(client.connection.write(bytes())).toBe(true)
    expect(client.drain()).toEqual([])
  })
})

describe('KeyUpdate', () => {
  it('TLS13-25 both sides replace keys at will and go on talking', () => {
    const { client, server } = pair(config('client'), config('server'))
    for (let round = 0; round < 20; round++) {
      expect(client.connection.updateKeys(round % 2 === 0)).toBe(true)
      expect(server.connection.updateKeys(round % 3 === 0)).toBe(true)
      client.connection.write(text(`c${round};`))
      server.connection.write(text(`s${round};`))
      talk(client, server)
    }
    expect(server.text).toBe(Array.from({ length: 20 }, (_, i) => `c${i};`).join(''))
    expect(client.text).toBe(Array.from({ length: 20 }, (_, i) => `s${i};`).join(''))
  })

  it('TLS13-25 the old key is worth nothing after it', () => {
    const { host, puppet } = open('server')
    const old = puppet.records.seal(23, text('old'))
    updatePuppet(puppet, false)
    for (const flight of puppet.drain()) host.receive(flight)
    host.receive(old)
    host.drain()
    expect(host.alertSent).toBe('bad-record-mac')
    expect(host.data).toEqual([])
  })

  it('TLS13-25 is one byte, 0 or 1, and ends its record', () => {
    for (const [body, alert] of [
      [bytes(2), 'illegal-parameter'],
      [bytes(255), 'illegal-parameter'],
      [bytes(), 'decode-error'],
      [bytes(0, 0), 'decode-error'],
    ] as const) {
      const { host, puppet } = open('client')
      host.receive(puppet.records.seal(22, handshakeMessage(24, body)))
      host.drain()
      expect(host.alertSent).toBe(alert)
    }
    const { host, puppet } = open('client')
    const update = handshakeMessage(24, bytes(0))
    host.receive(puppet.records.seal(22, concat(update, update)))
    host.drain()
    expect(host.alertSent).toBe('unexpected-message')
  })

  it('TLS13-26 requests are answered once, before the next data', () => {
    const { host, puppet } = open('client')
    for (let i = 0; i < 5; i++) updatePuppet(puppet, true)
    for (const flight of puppet.drain()) host.receive(flight)
    expect(host.drain()).toEqual([])
    host.connection.write(text('now'))
    const before = puppet.state
    for (const flight of host.drain()) puppet.receive(flight)
    expect(puppet.data).toEqual([text('now')])
    expect(
      puppet.state.type === 'open-13' && before.type === 'open-13' && puppet.state.readSecret !== before.readSecret,
    ).toBe(true)
    host.connection.write(text('again'))
    expect(host.drain()).toHaveLength(1)
    talk(host, puppet)
  })

  it('TLS13-24 a flood of post-handshake messages', () => {
    const { host, puppet } = open('client')
    for (let i = 1; i <= 33; i++) {
      updatePuppet(puppet, i % 2 === 0)
      for (const flight of puppet.drain()) host.receive(flight)
      host.drain()
      expect(host.alertSent).toBe(i <= 32 ? undefined : 'unexpected-message')
    }
    const patient = open('client')
    for (let i = 0; i < 100; i++) {
      updatePuppet(patient.puppet, false)
      if (i % 30 === 29) patient.puppet.records.sendData(text('x'))
      for (const flight of patient.puppet.drain()) patient.host.receive(flight)
    }
    patient.host.drain()
    expect(patient.host.closed).toBeUndefined()
  })

  it('does not exist in 1.2', () => {
    const { client } = pair(config('client', { maxVersion: 'TLSv1.2' }), config('server'))
    expect(client.connection.updateKeys(true)).toBe(false)
    const { host, puppet } = open('client', 'TLSv1.2')
    host.receive(puppet.records.seal(22, handshakeMessage(24, bytes(0))))
    host.drain()
    expect(host.alertSent).toBe('unexpected-message')
  })
})

describe('tickets', () => {
  const ticket = handshakeMessage(4, bytes(0, 0, 14, 16, 1, 2, 3, 4, 1, 0, 0, 3, 7, 8, 9, 0, 0))

  it('TLS13-23 are swallowed by clients, between data, without an answer', () => {
    const { host, puppet } = open('client')
    host.receive(puppet.records.seal(22, concat(ticket, ticket)))
    expect(host.drain()).toEqual([])
    puppet.records.sendData(text('after'))
    talk(host, puppet)
    expect(host.text).toBe('after')
    expect(host.events).toEqual(['connected', 'data'])
  })

  it('TLS13-23 are checked for form', () => {
    for (const body of [bytes(), ticket.subarray(4, ticket.length - 1), concat(ticket.subarray(4), bytes(0))]) {
      const { host, puppet } = open('client')
      host.receive(puppet.records.seal(22, handshakeMessage(4, body)))
      host.drain()
      expect(host.alertSent).toBe('decode-error')
    }
    const { host, puppet } = open('client')
    host.receive(puppet.records.seal(22, handshakeMessage(4, bytes(0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0))))
    host.drain()
    expect(host.alertSent).toBe('decode-error')
  })

  it('TLS13-23 are nothing for servers, like every other handshake message', () => {
    for (const message of [
      ticket,
      ...[0, 1, 2, 5, 8, 11, 13, 15, 16, 20].map((type) => handshakeMessage(type, bytes())),
    ]) {
      for (const role of ['client', 'server'] as const) {
        if (role === 'client' && message === ticket) continue
        const { host, puppet } = open(role)
        host.receive(puppet.records.seal(22, message))
        host.drain()
        expect(host.alertSent).toBe('unexpected-message')
      }
    }
  })
})

describe('renegotiation', () => {
  it('TLS12-17 is refused: once with a warning, then for good', () => {
    for (const [role, message] of [
      ['client', handshakeMessage(0, bytes())],
      ['server', handshakeMessage(1, bytes())],
    ] as const) {
      const { host, puppet } = open(role, 'TLSv1.2')
      puppet.records.sendHandshake(message)
      talk(host, puppet)
      expect(puppet.alert).toEqual({ level: 1, code: 100 })
      puppet.records.sendData(text('still here'))
      talk(host, puppet)
      expect(host.text).toBe('still here')
      puppet.records.sendHandshake(message)
      talk(host, puppet)
      expect(host.alertSent).toBe('no-renegotiation')
    }
  })

  it('TLS12-17 a HelloRequest has no body, and nothing else counts as one', () => {
    for (const [role, message, alert] of [
      ['client', handshakeMessage(0, bytes(1)), 'decode-error'],
      ['client', handshakeMessage(1, bytes()), 'unexpected-message'],
      ['server', handshakeMessage(0, bytes()), 'unexpected-message'],
      ['server', handshakeMessage(20, bytes()), 'unexpected-message'],
    ] as const) {
      const { host, puppet } = open(role, 'TLSv1.2')
      host.receive(puppet.records.seal(22, message))
      host.drain()
      expect(host.alertSent).toBe(alert)
    }
  })
})

describe('ends', () => {
  it.each(VERSIONS)('TLS-27 close_notify is answered and ends the connection under %s', (maxVersion) => {
    const { host, puppet } = open('client', maxVersion)
    puppet.records.sendAlert('warning', 'close-notify')
    talk(host, puppet)
    expect(host.closed).toEqual({ type: 'close-notify', by: 'peer' })
    expect(puppet.alert).toEqual({ level: 1, code: 0 })
    expect(host.events.at(-1)).toBe('closed')
  })

  it.each(VERSIONS)('TLS-28 a fatal alert ends the connection without an answer under %s', (maxVersion) => {
    for (const [code, name] of [
      [20, 'bad-record-mac'],
      [48, 'unknown-ca'],
      [116, 'certificate-required'],
      [200, 'unknown'],
    ] as const) {
      const { host, puppet } = open('client', maxVersion)
      host.receive(puppet.records.seal(21, bytes(2, code)))
      expect(host.drain()).toEqual([])
      expect(host.closed).toEqual({ type: 'alert-received', alert: name, code })
    }
  })

  it('TLS-28 warnings: passed over in 1.2, but for user_canceled an error in 1.3', () => {
    for (const [version, code, alert] of [
      ['TLSv1.2', 90, undefined],
      ['TLSv1.2', 43, undefined],
      ['TLSv1.3', 90, undefined],
      ['TLSv1.3', 43, 'decode-error'],
      ['TLSv1.3', 200, 'decode-error'],
    ] as const) {
      const { host, puppet } = open('client', version)
      host.receive(puppet.records.seal(21, bytes(1, code)))
      host.drain()
      expect(host.alertSent).toBe(alert)
    }
  })

  it('TLS-28 an alert is two bytes, its level 1 or 2', () => {
    for (const [content, alert] of [
      [bytes(2), 'decode-error'],
      [bytes(2, 40, 2, 40), 'decode-error'],
      [bytes(3, 40), 'illegal-parameter'],
      [bytes(0, 40), 'illegal-parameter'],
    ] as const) {
      const { host, puppet } = open('server', 'TLSv1.2')
      host.receive(puppet.records.seal(21, content))
      host.drain()
      expect(host.alertSent).toBe(alert)
    }
  })

  it('TLS-29 half-closed: nothing more is sent, everything is still heard', () => {
    for (const maxVersion of VERSIONS) {
      const { client, server } = pair(config('client', { maxVersion }), config('server'))
      client.connection.endWrite()
      client.connection.endWrite()
      expect(client.connection.write(text('x'))).toBe(false)
      expect(client.connection.updateKeys(true)).toBe(false)
      server.connection.write(text('last words'))
      const [goodbye] = client.drain()
      for (const flight of server.drain()) client.receive(flight)
      server.receive(goodbye!)
      for (const flight of server.drain()) client.receive(flight)
      expect(client.drain()).toEqual([])
      expect(client.text).toBe('last words')
      expect([client.closed, server.closed]).toEqual([
        { type: 'close-notify', by: 'peer' },
        { type: 'close-notify', by: 'peer' },
      ])
    }
    const early = new Host(config('client'), 'early')
    early.drain()
    early.connection.endWrite()
    expect(early.drain()).toEqual([])
  })

  it('TLS-2 a host may end a connection with an alert of its choice', () => {
    const { client, server } = pair(config('client'), config('server'))
    server.connection.abort('access-denied')
    talk(client, server)
    expect(server.alertSent).toBe('access-denied')
    expect(client.alertReceived).toBe('access-denied')
  })

  it('TLS-2 a client that never started closes in silence', () => {
    const environment = { unixTime: NOW, random: () => bytes(), crypto: noble }
    const client = new TlsConnection(config('client'), environment)
    client.close()
    expect(client.poll()).toEqual({ type: 'closed', reason: { type: 'close-notify', by: 'us' } })
    expect(client.poll()).toBeUndefined()
  })
})

describe('worn keys', () => {
  it('TLS13-27 are replaced in 1.3', () => {
    const { puppet } = open('server')
    if (puppet.state.type !== 'open-13') throw new Error('not open')
    expect(beforeData13(puppet.context, puppet.state)).toBe(puppet.state)
    const { writeSecret } = puppet.state
    // The key has sealed 2^24 records and would do so once more.
    puppet.records.wear(2 ** 24 - 1)
    expect(puppet.records.worn).toBe(false)
    puppet.records.wear(2 ** 24)
    const renewed = beforeData13(puppet.context, puppet.state)
    expect(renewed.writeSecret).not.toBe(writeSecret)
    expect(puppet.records.worn).toBe(false)
  })

  it('TLS12-18 end the connection in 1.2', () => {
    const { puppet } = open('server', 'TLSv1.2')
    if (puppet.state.type !== 'open-12') throw new Error('not open')
    const { state } = puppet
    expect(beforeData12(puppet.context, state)).toBe(state)
    puppet.records.wear(2 ** 24)
    expect(() => beforeData12(puppet.context, state)).toThrow(/worn out/)
  })
})
