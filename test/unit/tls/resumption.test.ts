/** Sessions over several connections, in both versions: who gets one, who may go on with it, and ways to try without the right. */
import { describe, expect, it } from 'vitest'
import { concat, ConfigError } from '../../../src/bytes/index.ts'
import { noble } from '../../../src/crypto/index.ts'
import { type TlsConfig, TlsConnection } from '../../../src/tls/index.ts'
import { MAX_SESSION_LIFETIME, readSession } from '../../../src/tls/resumption.ts'
import { openTicket } from '../../../src/tls/ticket.ts'
import { createPeerVerifier } from '../../../src/x509/index.ts'
import { toyPki } from '../../support/pki.ts'
import { SeededRandom } from '../../support/random.ts'
import { readHello } from './edit.ts'
import {
  changed,
  connect,
  DAY,
  End,
  first,
  KEY,
  only,
  OTHER_KEY,
  resumed,
  ticketContext,
  VERSIONS,
} from './sessions.ts'
import { config, NOW } from './support.ts'

describe.each(VERSIONS)('%s', (version) => {
  it('TLS-53 TLS12-20 TLS12-23 TLS13-34 a session goes on: who the peers are is known without a certificate on the wire', () => {
    const session = first(version)
    const { client, server } = connect({ client: { ...only(version), resumption: { session } } })
    expect([client.info?.resumed, server.info?.resumed]).toEqual([true, true])
    expect(client.info?.version).toBe(version)
    expect(server.info?.peerCertificates).toEqual([toyPki('P-256').client.der])
    expect(client.info?.peerCertificates).toEqual([toyPki('P-256').server.der])
    expect([client.info?.peerSignatureScheme, client.info?.ownSignatureScheme]).toEqual([
      'ecdsa_secp256r1_sha256',
      undefined,
    ])
    expect(client.info?.peerLeaf?.subject).toBeDefined()
    expect(resumed(session)).toBe(true)
    const { server: full } = connect({ client: only(version) })
    const bytes = (end: End) => concat(...end.sent).length
    expect(bytes(server)).toBeLessThan(bytes(full) - 300)
  })

  it('TLS-53 nothing of it is there unless both hosts ask', () => {
    const session = first(version)
    const plain = connect({ client: { ...only(version), resumption: undefined as never } })
    expect(plain.client.sessions).toEqual([])
    const hello = readHello(plain.client.sent[0]!.subarray(5))
    expect(hello.extensions!.map(([type]) => type).filter((type) => [35, 41, 45].includes(type))).toEqual([])
    const { client, server } = connect({
      client: { resumption: { session } },
      server: { resumption: undefined as never },
    })
    expect([client.info?.resumed, server.info?.resumed, client.sessions.length]).toEqual([false, false, 0])
    const keyless = connect({ client: { resumption: { session } }, server: { resumption: {} } })
    expect([keyless.client.info?.resumed, keyless.client.sessions.length]).toEqual([false, 0])
  })

  it('TLS-49 a ticket under an older key still opens; under a key that is gone there is a full handshake and a new ticket', () => {
    const session = first(version)
    const rotated = { server: { resumption: { ticketKeys: [OTHER_KEY, KEY] } } }
    expect(resumed(session, rotated)).toBe(true)
    const gone = { server: { resumption: { ticketKeys: [OTHER_KEY] } } }
    expect(resumed(session, gone)).toBe(false)
    const { client } = connect({ ...gone, client: { ...only(version), resumption: { session } } })
    expect(resumed(client.sessions[0]!, gone)).toBe(true)
  })

  it('TLS-48 no forged, cut or exchanged ticket is taken', () => {
    const session = first(version)
    const { ticket } = readSession(session)!
    const forgeries: Uint8Array[] = []
    for (let bit = 0; bit < ticket.length * 8; bit += 7) {
      const forged = ticket.slice()
      forged[bit >> 3]! ^= 1 << (bit & 7)
      forgeries.push(forged)
    }
    for (const length of [1, 31, 32, 48, 49, ticket.length - 1]) forgeries.push(ticket.slice(0, length))
    forgeries.push(concat(ticket, Uint8Array.of(0)), new Uint8Array(ticket.length))
    expect(openTicket(ticketContext, ticket)?.secret).toEqual(readSession(session)!.secret)
    let accepted = 0
    for (const forged of forgeries) if (openTicket(ticketContext, forged) !== undefined) accepted++
    for (const forged of forgeries.slice(0, 2)) if (resumed(changed(session, { ticket: forged }))) accepted++
    expect(forgeries.length).toBeGreaterThan(500)
    expect(accepted).toBe(0)
  })

  it('TLS-51 a ticket lives as long as the server said, and no session more than seven days', () => {
    const session = first(version, { server: { resumption: { ticketKeys: [KEY], ticketLifetime: 3600 } } })
    expect(readSession(session)?.lifetime).toBe(3600)
    const at = (ms: number) => ({ clientNow: NOW + ms, serverNow: NOW + ms })
    expect(resumed(session, at(3_599_000))).toBe(true)
    expect(resumed(session, at(3_601_000))).toBe(false)
    // A client that does not care about time finds a server that does, and the other way round.
    const stretched = changed(session, { lifetime: MAX_SESSION_LIFETIME })
    expect(resumed(stretched, at(3_601_000))).toBe(false)
    expect(resumed(changed(session, { issuedAt: NOW - 3_601_000 }))).toBe(false)
    expect(resumed(changed(session, { issuedAt: NOW + 61_000 }))).toBe(false)
    expect(resumed(session, { serverNow: NOW - 61_000 })).toBe(false)
    expect(resumed(session, { serverNow: NOW - 59_000 })).toBe(true)
    const old = changed(session, { authenticatedAt: NOW - MAX_SESSION_LIFETIME * 1000 - 1 })
    expect(resumed(old)).toBe(false)
  })

  it('TLS-52 a session is of one name', () => {
    const named = { client: { serverName: 'vpn.example' } }
    const session = first(version, named)
    expect(resumed(session, named)).toBe(true)
    expect(resumed(session, { client: { serverName: 'other.example' } })).toBe(false)
    // A client that lies about the name meets a server that remembers it.
    const lie = changed(session, { serverName: new TextEncoder().encode('other.example') })
    expect(resumed(lie, { client: { serverName: 'other.example' } })).toBe(false)
    expect(resumed(changed(session, { serverName: new Uint8Array(0) }))).toBe(false)
  })

  it('TLS-50 the peer is judged again, by the one who resumes and by what it asks today', () => {
    const session = first(version)
    const otherCa = createPeerVerifier({ ca: [toyPki('P-384').ca.der] })
    const { client, server } = connect({
      client: { resumption: { session }, verifier: otherCa },
    })
    expect(readHello(client.sent[0]!.subarray(5)).extensions!.some(([type]) => type === 41)).toBe(false)
    expect([client.info, server.info]).toEqual([undefined, undefined])
    const strict = connect({ client: { resumption: { session } }, server: { verifier: otherCa } })
    expect(strict.server.info).toBeUndefined()
    expect(resumed(session, { server: { clientAuth: 'none' } })).toBe(false)
    expect(resumed(session, { server: { clientAuth: 'optional' } })).toBe(true)
    const schemes = { signatureSchemes: ['ed25519', 'ecdsa_secp384r1_sha384'] } as const
    const narrowed = connect({ client: { resumption: { session } }, server: schemes })
    expect(narrowed.server.info?.resumed).not.toBe(true)
  })

  it('TLS-50 a client without certificate goes on where none is required, and only there', () => {
    const nameless = { certificateChain: undefined as never, privateKey: undefined as never }
    const session = first(version, { client: nameless, server: { clientAuth: 'optional' } })
    const again = (clientAuth: 'none' | 'optional' | 'required') =>
      connect({ client: { ...only(version), ...nameless, resumption: { session } }, server: { clientAuth } }).server
        .info?.resumed
    expect([again('none'), again('optional'), again('required')]).toEqual([true, true, undefined])
  })

  it('TLS-50 certificates that ended since the session began end it', () => {
    const lifetime = { server: { resumption: { ticketKeys: [KEY], ticketLifetime: MAX_SESSION_LIFETIME } } }
    const session = first(version, lifetime)
    const notAfter = NOW + 6 * DAY
    const judge = createPeerVerifier({ ca: [toyPki('P-256').ca.der] })
    const expiring: NonNullable<TlsConfig['verifier']> = {
      verify: (chain, role, now, crypto) =>
        now > notAfter
          ? { type: 'refused', problem: 'expired', detail: 'the test says so' }
          : judge.verify(chain, role, now, crypto),
    }
    const at = NOW + 6 * DAY + 1
    const late = connect({
      client: { ...only(version), resumption: { session } },
      server: { ...lifetime.server, verifier: expiring },
      clientNow: at,
      serverNow: at,
    })
    expect(late.server.info).toBeUndefined()
    expect(late.server.outputs.at(-1)).toMatchObject({
      type: 'closed',
      reason: { type: 'certificate', problem: 'expired' },
    })
  })

  it('a session with another secret connects to nobody', () => {
    const session = first(version)
    let accepted = 0
    for (let byte = 0; byte < 48; byte += 13) {
      const { secret } = readSession(session)!
      const wrong = secret.slice()
      wrong[byte % wrong.length]! ^= 0x40
      const { client, server } = connect({
        client: { ...only(version), resumption: { session: changed(session, { secret: wrong }) } },
      })
      if (client.info !== undefined || server.info !== undefined) accepted++
      expect([client.alertSent, server.alertSent]).toContain(version === 'TLSv1.3' ? 'decrypt-error' : 'bad-record-mac')
    }
    expect(accepted).toBe(0)
  })
})

describe('the configuration', () => {
  it('TLS-53 what cannot be is refused', () => {
    const make = (over: TlsConfig) =>
      new TlsConnection(over, { unixTime: NOW, random: new SeededRandom('x').source, crypto: noble })
    const bad: TlsConfig[] = [
      config('server', { resumption: { ticketKeys: [new Uint8Array(31)] } }),
      config('server', { resumption: { ticketKeys: Array.from({ length: 9 }, () => KEY) } }),
      config('server', { resumption: { session: new Uint8Array(10) } }),
      config('client', { resumption: { ticketKeys: [KEY] } }),
      config('server', { resumption: { ticketKeys: [KEY], ticketLifetime: 604_801 } }),
      config('server', { resumption: { ticketKeys: [KEY], ticketLifetime: 0 } }),
    ]
    for (const over of bad) expect(() => make(over)).toThrow(ConfigError)
  })

  it('TLS-53 a saved session that is cut, longer or of another format counts as none', () => {
    const session = first('TLSv1.3')
    for (let length = 0; length < session.length; length++) {
      expect(readSession(session.subarray(0, length))).toBeUndefined()
    }
    expect(readSession(concat(session, Uint8Array.of(0)))).toBeUndefined()
    expect(readSession(concat(Uint8Array.of(9), session.subarray(1)))).toBeUndefined()
    expect(resumed(session.subarray(0, 40))).toBe(false)
  })
})
