/** Sessions of TLS 1.3: binders, ages, retries, renewals, early data. */
import { describe, expect, it } from 'vitest'
import { concat } from '../../../src/bytes/index.ts'
import { noble } from '../../../src/crypto/index.ts'
import type { Context } from '../../../src/tls/context.ts'
import { readSession } from '../../../src/tls/resumption.ts'
import { fillBinder } from '../../../src/tls/resumption13.ts'
import { openTicket } from '../../../src/tls/ticket.ts'
import { Transcript } from '../../../src/tls/transcript.ts'
import { type RawHello, readHello, writeHello } from './edit.ts'
import { changed, connect, DAY, End, first, handshakeRecord, KEY, only, resumed, ticketContext } from './sessions.ts'
import { config, NOW, Puppet, talk } from './support.ts'

describe('TLS 1.3', () => {
  const session = first('TLSv1.3')

  it('TLS13-31 no hello is taken whose binder does not cover it', () => {
    const { client } = connect({ client: { resumption: { session } } })
    const hello = client.sent[0]!
    let accepted = 0
    let tried = 0
    // The last 32 or 48 bytes are the binder; before them every byte is covered.
    for (let at = 11; at < hello.length; at += 37) {
      tried++
      const tamper = (bytes: Uint8Array, flight: number) => {
        if (flight > 0) return bytes
        const forged = bytes.slice()
        forged[at]! ^= 1
        return forged
      }
      const { server } = connect({ client: { resumption: { session } }, tamper })
      if (server.info !== undefined) accepted++
    }
    expect(tried).toBeGreaterThan(12)
    expect(accepted).toBe(0)
    const last = (bytes: Uint8Array, flight: number) => {
      const forged = bytes.slice()
      if (flight === 0) forged[forged.length - 1]! ^= 1
      return forged
    }
    expect(connect({ client: { resumption: { session } }, tamper: last }).server.alertSent).toBe('decrypt-error')
  })

  it('TLS13-32 the hash of the suite must be that of the session', () => {
    expect(readSession(session)?.suite.hash).toBe('SHA256')
    expect(resumed(session, { server: { cipherSuites: ['TLS_AES_128_GCM_SHA256'] } })).toBe(true)
    const sha384 = { server: { cipherSuites: ['TLS_AES_256_GCM_SHA384'] } } as const
    expect(resumed(session, sha384)).toBe(false)
    const longer = first('TLSv1.3', sha384)
    expect(resumed(longer, sha384)).toBe(true)
    expect(resumed(longer)).toBe(false)
  })

  it('TLS-48 a ticket of 1.2 is none in 1.3, though its key is known', () => {
    const { ticket, secret, suite } = readSession(first('TLSv1.2'))!
    expect(suite.hash).toBe(readSession(session)?.suite.hash)
    expect(resumed(changed(session, { ticket, secret }))).toBe(false)
  })

  it('TLS13-33 the ticket goes along through a HelloRetryRequest, where it fits the suite', () => {
    const groups = { server: { groups: ['secp256r1'] } } as const
    const { client, server } = connect({ ...groups, client: { resumption: { session } } })
    expect([client.info?.helloRetryRequest, client.info?.resumed, server.info?.resumed]).toEqual([true, true, true])
    const other = { server: { groups: ['secp256r1'], cipherSuites: ['TLS_AES_256_GCM_SHA384'] } } as const
    const refused = connect({ ...other, client: { resumption: { session } } })
    expect([refused.client.info?.helloRetryRequest, refused.client.info?.resumed]).toEqual([true, false])
    const second = refused.client.sent.find((bytes, index) => index > 0 && bytes[0] === 20)!
    expect(readHello(second.subarray(11)).extensions!.some(([type]) => type === 41)).toBe(false)
  })

  it('TLS13-33 the age of a ticket is hidden on the wire', () => {
    const { ageAdd } = readSession(session)!
    const age = (now: number) => {
      const { client } = connect({ client: { resumption: { session } }, clientNow: now, serverNow: now })
      const psk = readHello(client.sent[0]!.subarray(5)).extensions!.find(([type]) => type === 41)![1]
      const { ticket } = readSession(session)!
      return new DataView(psk.buffer, psk.byteOffset + 4 + ticket.length).getUint32(0)
    }
    expect((age(NOW + 5000) - ageAdd + 2 ** 32) % 2 ** 32).toBe(5000)
    expect(age(NOW)).toBe(ageAdd)
  })

  it('TLS13-32 a server that chooses a ticket which was not offered ends the connection', () => {
    let accepted = 0
    for (const index of [1, 2, 255]) {
      const tamperBack = (bytes: Uint8Array, flight: number) => {
        if (flight > 0) return bytes
        const hello = readHello(bytes.subarray(5, 5 + ((bytes[3]! << 8) | bytes[4]!)))
        const chosen = hello.extensions!.find(([type]) => type === 41)!
        chosen[1][1] = index
        return concat(handshakeRecord(writeHello(hello)), bytes.subarray(5 + ((bytes[3]! << 8) | bytes[4]!)))
      }
      const { client } = connect({ client: { resumption: { session } }, tamperBack })
      if (client.info !== undefined) accepted++
      expect(client.alertSent).toBe('illegal-parameter')
    }
    expect(accepted).toBe(0)
  })

  it('TLS13-22 early data is neither sent nor taken: it is skipped, and the session goes on', () => {
    const saved = readSession(session)!
    const before = () => new Transcript(noble, saved.suite.hash)
    const withEarlyData = (message: Uint8Array, index: number): readonly Uint8Array[] => {
      if (index > 0) return [message]
      const hello = readHello(message)
      const psk = hello.extensions!.pop()!
      hello.extensions!.push([42, new Uint8Array(0)], psk)
      const changedHello = writeHello(hello)
      fillBinder({ crypto: noble } as Context, saved, changedHello, before())
      return [changedHello]
    }
    const puppet = new Puppet(config('client', { resumption: { session } }), withEarlyData)
    const server = new End(config('server', { resumption: { ticketKeys: [KEY] } }), NOW, 'early')
    for (const bytes of puppet.drain()) server.receive(bytes)
    server.receive(concat(Uint8Array.of(23, 3, 3, 0, 64), new Uint8Array(64).fill(9)))
    for (let round = 0; round < 3; round++) {
      for (const bytes of server.drain()) puppet.receive(bytes)
      for (const bytes of puppet.drain()) server.receive(bytes)
    }
    expect([puppet.connected, server.info?.resumed]).toEqual([true, true])
    expect(server.outputs.filter((output) => output.type === 'data')).toEqual([])
    const hello = connect({ client: { resumption: { session } } }).client.sent[0]!
    expect(readHello(hello.subarray(5)).extensions!.some(([type]) => type === 42)).toBe(false)
  })

  it('TLS13-30 tickets need the mode with a key agreement, a binder each, and the last place', () => {
    const saved = readSession(session)!
    const outcome = (change: (hello: RawHello) => void, bound = true) => {
      const tamper = (bytes: Uint8Array, flight: number) => {
        if (flight > 0) return bytes
        const hello = readHello(bytes.subarray(5))
        change(hello)
        const message = writeHello(hello)
        if (bound) {
          fillBinder({ crypto: noble } as Context, saved, message, new Transcript(noble, saved.suite.hash))
        }
        return handshakeRecord(message)
      }
      const { server } = connect({ client: { resumption: { session } }, tamper })
      const [answer] = server.sent
      if (answer?.[0] !== 22) return server.alertSent
      return readHello(answer.subarray(5)).extensions!.some(([type]) => type === 41)
    }
    const set = (type: number, value: Uint8Array) => (hello: RawHello) => {
      hello.extensions = hello.extensions!.map(([own, before]) => [own, own === type ? value : before])
    }
    expect(outcome(() => undefined)).toBe(true)
    expect(outcome(set(45, Uint8Array.of(1, 0)))).toBe(false)
    expect(outcome(set(45, Uint8Array.of(2, 0, 1)))).toBe(true)
    const identity = concat(Uint8Array.of(0, 7, 0, 1, 5, 0, 0, 0, 0))
    const twoForOne = concat(
      Uint8Array.of(0, 14),
      identity.subarray(2),
      identity.subarray(2),
      Uint8Array.of(0, 33, 32),
      new Uint8Array(32),
    )
    expect(outcome(set(41, twoForOne), false)).toBe('illegal-parameter')
    expect(outcome(set(41, concat(identity, Uint8Array.of(0, 32, 31), new Uint8Array(31))), false)).toBe('decode-error')
    expect(outcome(set(41, Uint8Array.of(0, 0, 0, 0)), false)).toBe('decode-error')
    expect(outcome((hello) => hello.extensions!.reverse(), false)).toBe('illegal-parameter')
  })

  it('TLS13-34 TLS-51 renewals do not outlive the proof: seven days after the certificate the last ticket ends', () => {
    const server = { resumption: { ticketKeys: [KEY], ticketLifetime: 5 * 86_400 } }
    let current = first('TLSv1.3', { server })
    const proven = readSession(current)!.authenticatedAt
    const chain: (number | undefined)[] = []
    for (const day of [1, 4, 6, 6.9]) {
      const now = NOW + day * DAY
      const { client } = connect({
        client: { resumption: { session: current } },
        server,
        clientNow: now,
        serverNow: now,
      })
      expect(client.info?.resumed).toBe(true)
      current = client.sessions[0]!
      expect(readSession(current)!.authenticatedAt).toBe(proven)
      expect(openTicket(ticketContext, readSession(current)!.ticket)!.authenticatedAt).toBe(proven)
      chain.push(Math.round(readSession(current)!.lifetime / 8640))
    }
    expect(chain).toEqual([50, 30, 10, 1])
    const late = { clientNow: NOW + 7 * DAY + 1000, serverNow: NOW + 7 * DAY + 1000 }
    expect(resumed(current, { server, ...late })).toBe(false)
  })

  it('TLS-25 a Finished that is wrong resumes nothing, under the right keys as well', () => {
    const spoil = (message: Uint8Array): readonly Uint8Array[] => {
      const changedMessage = message.slice()
      if (message[0] === 20) changedMessage[message.length - 1]! ^= 1
      return [changedMessage]
    }
    const session = first('TLSv1.3')
    const own = { ...only('TLSv1.3'), resumption: { session } }
    const keys = { resumption: { ticketKeys: [KEY] } }
    const server = new End(config('server', keys), NOW, 'spoilt')
    talk(new Puppet(config('client', own), spoil), server)
    const client = new End(config('client', own), NOW, 'spoilt')
    talk(client, new Puppet(config('server', keys), spoil))
    expect([server.alertSent, client.alertSent]).toEqual(['decrypt-error', 'decrypt-error'])
    expect([server.info, client.info]).toEqual([undefined, undefined])
  })
})
