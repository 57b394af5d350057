/** Sessions of TLS 1.2: tickets, suites and extended_master_secret. */
import { describe, expect, it } from 'vitest'
import { concat } from '../../../src/bytes/index.ts'
import { readSession, writeSession } from '../../../src/tls/resumption.ts'
import { sealTicket } from '../../../src/tls/ticket.ts'
import { toyPki } from '../../support/pki.ts'
import { readHello, writeHello } from './edit.ts'
import {
  changed,
  connect,
  dropBinding,
  End,
  first,
  handshakeRecord,
  KEY,
  only,
  resumed,
  ticketContext,
} from './sessions.ts'
import { config, NOW, Puppet, talk } from './support.ts'

describe('TLS 1.2', () => {
  it('TLS12-22 a session goes on with its own suite only', () => {
    const session = first('TLSv1.2')
    const cipherSuites = ['TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256', 'TLS_AES_128_GCM_SHA256'] as const
    expect(resumed(session, { server: { cipherSuites, maxVersion: 'TLSv1.2' } })).toBe(false)
    expect(resumed(session, { server: { maxVersion: 'TLSv1.2' }, client: { cipherSuites } })).toBe(false)
  })

  it('TLS12-22 a client refuses another suite for its session', () => {
    const tamperBack = (bytes: Uint8Array, flight: number) => {
      if (flight > 0) return bytes
      const end = 5 + ((bytes[3]! << 8) | bytes[4]!)
      const hello = readHello(bytes.subarray(5, end))
      hello.suites = [0xc02b]
      return concat(handshakeRecord(writeHello(hello)), bytes.subarray(end))
    }
    const session = first('TLSv1.2')
    expect(readSession(session)?.suite.id).not.toBe(0xc02b)
    const { client } = connect({ client: { ...only('TLSv1.2'), resumption: { session } }, tamperBack })
    expect(client.alertSent).toBe('illegal-parameter')
  })

  it('TLS12-20 a server that speaks 1.3 takes no ticket of 1.2 there', () => {
    const { client } = connect({ client: { resumption: { session: first('TLSv1.2') } } })
    expect([client.info?.version, client.info?.resumed]).toEqual(['TLSv1.3', false])
  })

  it('TLS12-21 a bound session does not go on without extended_master_secret', () => {
    const session = first('TLSv1.2')
    const client = { ...only('TLSv1.2'), resumption: { session } }
    const { server } = connect({ client, tamper: dropBinding })
    expect(server.alertSent).toBe('handshake-failure')
  })

  it('TLS12-21 a session that is not bound does not go on with extended_master_secret', () => {
    const saved = readSession(first('TLSv1.2'))!
    const ofClient = { ...saved, peerCertificates: [toyPki('P-256').client.der] }
    const outcome = (extendedMasterSecret: boolean, withoutExtendedMasterSecret: boolean) => {
      const ticket = sealTicket(ticketContext, { ...ofClient, extendedMasterSecret })!
      const client = { ...only('TLSv1.2'), resumption: { session: writeSession({ ...saved, ticket }) } }
      const server = { resumption: { ticketKeys: [KEY], withoutExtendedMasterSecret } }
      return connect({ client, server }).server.info?.resumed
    }
    expect([outcome(true, false), outcome(true, true)]).toEqual([true, true])
    expect([outcome(false, false), outcome(false, true)]).toEqual([false, false])
  })

  it('TLS12-21 TLS12-23 no ticket is promised for a session that is not bound', () => {
    for (const withoutExtendedMasterSecret of [false, true]) {
      const resumption = { ticketKeys: [KEY], withoutExtendedMasterSecret }
      const { server } = connect({
        client: only('TLSv1.2'),
        server: { resumption },
        tamper: dropBinding,
      })
      const answers = readHello(server.sent[0]!.subarray(5)).extensions!.map(([type]) => type)
      expect(answers.includes(35)).toBe(withoutExtendedMasterSecret)
    }
  })

  it('TLS12-21 sessions without extended_master_secret are neither made nor used unless the host wants them', () => {
    const session = first('TLSv1.2')
    const unbound = changed(session, { extendedMasterSecret: false })
    expect(resumed(unbound)).toBe(false)
    const { client, server } = connect({
      client: { maxVersion: 'TLSv1.2', resumption: { session: unbound, withoutExtendedMasterSecret: true } },
    })
    // The server resumes what was bound; a client that thinks otherwise ends it.
    expect([client.alertSent, client.info, server.info]).toEqual(['handshake-failure', undefined, undefined])
  })

  it('TLS-25 a Finished that is wrong resumes nothing, under the right keys as well', () => {
    const spoil = (message: Uint8Array): readonly Uint8Array[] => {
      const changedMessage = message.slice()
      if (message[0] === 20) changedMessage[message.length - 1]! ^= 1
      return [changedMessage]
    }
    const session = first('TLSv1.2')
    const own = { ...only('TLSv1.2'), resumption: { session } }
    const keys = { resumption: { ticketKeys: [KEY] } }
    const server = new End(config('server', keys), NOW, 'spoilt')
    talk(new Puppet(config('client', own), spoil), server)
    const client = new End(config('client', own), NOW, 'spoilt')
    talk(client, new Puppet(config('server', keys), spoil))
    expect([server.alertSent, client.alertSent]).toEqual(['decrypt-error', 'decrypt-error'])
    expect([server.info, client.info]).toEqual([undefined, undefined])
  })
})
