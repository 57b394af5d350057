/**
 * Conversations of every shape, recorded flight by flight and replayed to one end: both ends are deterministic, so one
 * end needs only what the other once said.
 */
import { concat } from '../../src/bytes/index.ts'
import type { TlsConfig } from '../../src/tls/index.ts'
import { nodeCrypto } from '../../src/node/crypto/index.ts'
import { anonymous, config, Host, type Talker, talk, text } from '../unit/tls/support.ts'
import { MeteredCrypto } from './metered-crypto.ts'

/** The ends of a connection. */
export type Role = 'client' | 'server'

const metered = new MeteredCrypto(nodeCrypto)

/** Counters of all replays. */
export const { work } = metered

const CBC = ['TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256'] as const
const only12 = { maxVersion: 'TLSv1.2' } as const
const stapled = { ocspResponse: text('response'), certificateTimestamps: Uint8Array.of(0, 3, 0, 1, 9) }
const asking = { requestOcsp: true, requestTimestamps: true, serverName: 'toy.example' }

function remembered(ends: { client: TlsConfig; server: TlsConfig }): { client: TlsConfig; server: TlsConfig } {
  const verifiers = new Map<unknown, NonNullable<TlsConfig['verifier']>>()
  const end = (own: TlsConfig): TlsConfig => {
    if (own.verifier === undefined) return own
    const verifier = verifiers.get(own.verifier) ?? metered.remembering(own.verifier)
    verifiers.set(own.verifier, verifier)
    return { ...own, verifier }
  }
  return { client: end(ends.client), server: end(ends.server) }
}

/** An end with an Ed25519 certificate, the quickest to sign with. */
const quick = (role: Role, over: Partial<TlsConfig> = {}): TlsConfig => config(role, over, 'ed25519')

/** A client without certificate that trusts the Ed25519 PKI. */
function nameless(over: Partial<TlsConfig> = {}): TlsConfig {
  const { verifier } = quick('client')
  return { ...anonymous(over), ...(verifier && { verifier }) }
}

/** Both configurations of each shape. */
const SHAPES: Readonly<Record<string, { readonly client: TlsConfig; readonly server: TlsConfig }>> = {
  'TLS 1.3 mutual': { client: quick('client'), server: quick('server') },
  'TLS 1.3 with a retry': { client: quick('client'), server: quick('server', { groups: ['secp256r1'] }) },
  'TLS 1.3 anonymous': { client: nameless(), server: quick('server', { clientAuth: 'optional' }) },
  'TLS 1.3 stapled': { client: nameless(asking), server: quick('server', { clientAuth: 'none', ...stapled }) },
  'TLS 1.3 ChaCha20 and RSA': {
    client: config('client', { cipherSuites: ['TLS_CHACHA20_POLY1305_SHA256'] }, 'rsa-2048'),
    server: config('server', {}, 'rsa-2048'),
  },
  'TLS 1.2 mutual': { client: quick('client', only12), server: quick('server') },
  'TLS 1.2 mutual, P-256': { client: config('client', only12), server: config('server') },
  'TLS 1.2 optional, without certificate': {
    client: nameless(only12),
    server: quick('server', { clientAuth: 'optional' }),
  },
  'TLS 1.2 anonymous': { client: nameless(only12), server: quick('server', { clientAuth: 'none' }) },
  'TLS 1.2 stapled': {
    client: nameless({ ...asking, ...only12 }),
    server: quick('server', { clientAuth: 'none', ...stapled }),
  },
  'TLS 1.2 CBC': {
    client: quick('client', { ...only12, cipherSuites: CBC }),
    server: quick('server', { ...only12, cipherSuites: CBC }),
  },
}

const CONFIGS = new Map(Object.entries(SHAPES).map(([name, ends]) => [name, remembered(ends)]))

/** Names of all shapes. */
export const SHAPE_NAMES: readonly string[] = [...CONFIGS.keys()]

/** One end of a shape, as it always begins. */
export function hostOf(shape: string, role: Role): Host {
  return new Host(CONFIGS.get(shape)![role], shape, metered.crypto)
}

/** A recorded conversation. */
export interface Recording {
  /** What each end was given, flight by flight. */
  readonly flights: Readonly<Record<Role, readonly Uint8Array[]>>
  /** How many of them belong to the handshake; the others carry data and close_notify. */
  readonly handshake: Readonly<Record<Role, number>>
  readonly heard: readonly string[]
}

function recordOne(shape: string): Recording {
  const ends = { client: hostOf(shape, 'client'), server: hostOf(shape, 'server') }
  const flights = { client: [] as Uint8Array[], server: [] as Uint8Array[] }
  const listener = (role: Role): Talker => ({
    receive(data) {
      flights[role].push(data.slice())
      ends[role].receive(data)
    },
    drain: () => ends[role].drain(),
  })
  const [client, server] = [listener('client'), listener('server')]
  talk(client, server)
  if (ends.client.info === undefined || ends.server.info === undefined) throw new Error(`${shape} does not connect`)
  const handshake = { client: flights.client.length, server: flights.server.length }
  ends.client.connection.write(text('one'))
  ends.server.connection.write(text('two'))
  talk(client, server)
  ends.client.connection.close()
  talk(client, server)
  return { flights, handshake, heard: [ends.client.text, ends.server.text] }
}

/** Every shape's conversation. */
export const RECORDINGS: ReadonlyMap<string, Recording> = new Map(SHAPE_NAMES.map((name) => [name, recordOne(name)]))
metered.stopLearning()

/** One end fed with recorded flights, one of them in two pieces; everything it put out, as text. */
export function replay(shape: string, role: Role, cut?: { readonly index: number; readonly at: number }): string {
  const host = hostOf(shape, role)
  const wire: Uint8Array[] = host.drain()
  for (const [index, data] of RECORDINGS.get(shape)!.flights[role].entries()) {
    const parts = cut?.index === index ? [data.subarray(0, cut.at), data.subarray(cut.at)] : [data]
    for (const part of parts) {
      host.receive(part)
      wire.push(...host.drain())
    }
  }
  const sent = Buffer.from(concat(...wire)).toString('latin1')
  return JSON.stringify([host.events, host.text, host.closed, sent])
}

/** Sets the counters to zero. */
export function resetWork(): void {
  metered.reset()
}
