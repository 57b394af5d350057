/** Sessions over several connections: who gets one, who may go on with it, and every way to try without the right. */
import { describe, expect, it } from 'vitest'
import { concat, ConfigError } from '../../../src/bytes/index.ts'
import { noble } from '../../../src/crypto/index.ts'
import { type TlsConfig, TlsConnection, type TlsOutput } from '../../../src/tls/index.ts'
import type { Context } from '../../../src/tls/context.ts'
import { fillBinder } from '../../../src/tls/resumption13.ts'
import { openTicket, sealTicket } from '../../../src/tls/ticket.ts'
import { Transcript } from '../../../src/tls/transcript.ts'
import { MAX_SESSION_LIFETIME, readSession, type Session, writeSession } from '../../../src/tls/resumption.ts'
import { createPeerVerifier } from '../../../src/x509/index.ts'
import { toyPki } from '../../support/pki.ts'
import { SeededRandom } from '../../support/random.ts'
import { type RawHello, readHello, writeHello } from './edit.ts'
import { config, NOW, Puppet } from './support.ts'

const KEY = new Uint8Array(32).fill(7)
const OTHER_KEY = new Uint8Array(32).fill(8)
const DAY = 86_400_000

type Version = 'TLSv1.2' | 'TLSv1.3'
const only = (version: Version): Partial<TlsConfig> => ({ minVersion: version, maxVersion: version })
const VERSIONS: readonly Version[] = ['TLSv1.2', 'TLSv1.3']

/** One end with a clock of its own; keeps what its host is told. */
class End {
  readonly connection: TlsConnection
  readonly outputs: TlsOutput[] = []
  readonly sent: Uint8Array[] = []
  readonly #now: number

  constructor(over: TlsConfig, now: number, seed: string) {
    this.#now = now
    const random = new SeededRandom(`${seed}/${over.role}`).source
    this.connection = new TlsConnection(over, { unixTime: now, random, crypto: noble })
    this.connection.start()
  }

  receive(bytes: Uint8Array): void {
    this.connection.receive(bytes, this.#now)
  }

  drain(): Uint8Array[] {
    const sent: Uint8Array[] = []
    for (let output = this.connection.poll(); output !== undefined; output = this.connection.poll()) {
      if (output.type === 'transmit') sent.push(output.data)
      else this.outputs.push(output)
    }
    this.sent.push(...sent)
    return sent
  }

  get info() {
    return this.outputs.find((output) => output.type === 'connected')?.info
  }

  get sessions(): Uint8Array[] {
    return this.outputs.flatMap((output) => (output.type === 'session' ? [output.session] : []))
  }

  get alertSent(): string | undefined {
    const reason = this.outputs.find((output) => output.type === 'closed')?.reason
    return reason?.type === 'alert-sent' ? reason.alert : undefined
  }
}

interface Run {
  readonly client?: Partial<TlsConfig>
  readonly server?: Partial<TlsConfig>
  readonly clientNow?: number
  readonly serverNow?: number
  readonly seed?: string
  /** Changes the client's n-th flight. */
  readonly tamper?: (bytes: Uint8Array, flight: number) => Uint8Array
  /** Changes the server's n-th flight. */
  readonly tamperBack?: (bytes: Uint8Array, flight: number) => Uint8Array
}

function connect(run: Run): { client: End; server: End } {
  const seed = run.seed ?? 'resume'
  const server = new End(
    config('server', { resumption: { ticketKeys: [KEY] }, ...run.server }),
    run.serverNow ?? NOW,
    seed,
  )
  const client = new End(config('client', { resumption: {}, ...run.client }), run.clientNow ?? NOW, seed)
  let flight = 0
  let answer = 0
  for (let round = 0; round < 20; round++) {
    const out = client.drain()
    for (const bytes of out) server.receive(run.tamper?.(bytes, flight++) ?? bytes)
    const back = server.drain()
    for (const bytes of back) client.receive(run.tamperBack?.(bytes, answer++) ?? bytes)
    if (out.length + back.length === 0) break
  }
  return { client, server }
}

/** A session of a first, full handshake. */
function first(version: Version, run: Run = {}): Uint8Array {
  const { client, server } = connect({ ...run, client: { ...only(version), ...run.client }, seed: 'first' })
  expect([client.info?.resumed, server.info?.resumed]).toEqual([false, false])
  expect(client.sessions.length).toBe(1)
  return client.sessions[0]!
}

/** Both ends' word on whether the session was gone on with; they must agree. */
function resumed(session: Uint8Array, run: Run = {}): boolean {
  const version = readSession(session)?.suite.version
  const { client, server } = connect({
    ...run,
    client: { ...(version && only(version)), ...run.client, resumption: { session } },
  })
  expect(client.info, client.alertSent ?? server.alertSent ?? 'connected').toBeDefined()
  expect(server.info).toBeDefined()
  expect(client.info?.resumed).toBe(server.info?.resumed)
  expect(client.info?.peerLeaf).toBeDefined()
  const exported = (end: End) => end.connection.exportKeyingMaterial('EXPORTER-test', undefined, 32)
  expect(exported(client)).toEqual(exported(server))
  client.connection.write(Uint8Array.of(1, 2, 3))
  for (const bytes of client.drain()) server.receive(bytes)
  server.drain()
  expect(server.outputs.at(-1)).toEqual({ type: 'data', data: Uint8Array.of(1, 2, 3) })
  return client.info?.resumed ?? false
}

/** The first flight without extended_master_secret. */
function dropBinding(bytes: Uint8Array, flight: number): Uint8Array {
  if (flight > 0) return bytes
  const hello = readHello(bytes.subarray(5))
  const extensions = hello.extensions!.filter(([type]) => type !== 23)
  return handshakeRecord(writeHello({ ...hello, extensions }))
}

function handshakeRecord(message: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(22, 3, 1, message.length >> 8, message.length & 255), message)
}

const changed = (session: Uint8Array, over: Partial<Session>): Uint8Array =>
  writeSession({ ...readSession(session)!, ...over })

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
    const resumption = { session: undefined, ticketKeys: [KEY], ticketLifetime: 60, withoutExtendedMasterSecret: false }
    const context = { config: { resumption }, crypto: noble } as unknown as Context
    expect(openTicket(context, ticket)?.secret).toEqual(readSession(session)!.secret)
    let accepted = 0
    for (const forged of forgeries) if (openTicket(context, forged) !== undefined) accepted++
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
    const outcome = (change: (hello: RawHello) => void) => {
      const tamper = (bytes: Uint8Array, flight: number) => {
        if (flight > 0) return bytes
        const hello = readHello(bytes.subarray(5))
        change(hello)
        const message = writeHello(hello)
        if (hello.extensions!.at(-1)![0] === 41) {
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
    expect(outcome(set(41, twoForOne))).toBe('illegal-parameter')
    expect(outcome(set(41, concat(identity, Uint8Array.of(0, 32, 31), new Uint8Array(31))))).toBe('decode-error')
    expect(outcome(set(41, Uint8Array.of(0, 0, 0, 0)))).toBe('decode-error')
    expect(outcome((hello) => hello.extensions!.reverse())).toBe('illegal-parameter')
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
      chain.push(Math.round(readSession(current)!.lifetime / 8640))
    }
    expect(chain).toEqual([50, 30, 10, 1])
    const late = { clientNow: NOW + 7 * DAY + 1000, serverNow: NOW + 7 * DAY + 1000 }
    expect(resumed(current, { server, ...late })).toBe(false)
  })
})

describe('TLS 1.2', () => {
  it('TLS12-22 a session goes on with its own suite only', () => {
    const session = first('TLSv1.2')
    const cipherSuites = ['TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256', 'TLS_AES_128_GCM_SHA256'] as const
    expect(resumed(session, { server: { cipherSuites, maxVersion: 'TLSv1.2' } })).toBe(false)
    expect(resumed(session, { server: { maxVersion: 'TLSv1.2' }, client: { cipherSuites } })).toBe(false)
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
    const random = new SeededRandom('ticket').source
    const unbound = { ...readSession(first('TLSv1.2'))!, extendedMasterSecret: false }
    const resumption = { session: undefined, ticketKeys: [KEY], ticketLifetime: 60, withoutExtendedMasterSecret: true }
    const ticket = sealTicket({ config: { resumption }, crypto: noble, random } as unknown as Context, unbound)!
    const client = {
      ...only('TLSv1.2'),
      resumption: { session: writeSession({ ...unbound, ticket, extendedMasterSecret: true }) },
    }
    for (const withoutExtendedMasterSecret of [false, true]) {
      const server = { resumption: { ticketKeys: [KEY], withoutExtendedMasterSecret } }
      expect(connect({ client, server }).server.info?.resumed).toBe(false)
    }
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
