/** Connections one after another, each with the session of an earlier one, and clocks of their own. */
import { expect } from 'vitest'
import { concat } from '../../../src/bytes/index.ts'
import { noble } from '../../../src/crypto/index.ts'
import type { Context } from '../../../src/tls/context.ts'
import { type TlsConfig, TlsConnection, type TlsOutput } from '../../../src/tls/index.ts'
import { readSession, type Session, writeSession } from '../../../src/tls/resumption.ts'
import { SeededRandom } from '../../support/random.ts'
import { readHello, writeHello } from './edit.ts'
import { config, NOW } from './support.ts'

export const KEY = new Uint8Array(32).fill(7)
export const OTHER_KEY = new Uint8Array(32).fill(8)
export const DAY = 86_400_000

export type Version = 'TLSv1.2' | 'TLSv1.3'
export const only = (version: Version): Partial<TlsConfig> => ({ minVersion: version, maxVersion: version })
export const VERSIONS: readonly Version[] = ['TLSv1.2', 'TLSv1.3']

/** One end with a clock of its own; keeps what its host is told. */
export class End {
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

export interface Run {
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

export function connect(run: Run): { client: End; server: End } {
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
export function first(version: Version, run: Run = {}): Uint8Array {
  const { client, server } = connect({ ...run, client: { ...only(version), ...run.client }, seed: 'first' })
  expect([client.info?.resumed, server.info?.resumed]).toEqual([false, false])
  expect(client.sessions.length).toBe(1)
  return client.sessions[0]!
}

/** Both ends' word on whether the session was gone on with; they must agree. */
export function resumed(session: Uint8Array, run: Run = {}): boolean {
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

/** What sealing and opening a server's tickets needs. */
export const ticketContext = {
  config: { resumption: { ticketKeys: [KEY] } },
  crypto: noble,
  random: new SeededRandom('ticket').source,
} as unknown as Context

/** The first flight without extended_master_secret. */
export function dropBinding(bytes: Uint8Array, flight: number): Uint8Array {
  if (flight > 0) return bytes
  const hello = readHello(bytes.subarray(5))
  const extensions = hello.extensions!.filter(([type]) => type !== 23)
  return handshakeRecord(writeHello({ ...hello, extensions }))
}

export function handshakeRecord(message: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(22, 3, 1, message.length >> 8, message.length & 255), message)
}

export const changed = (session: Uint8Array, over: Partial<Session>): Uint8Array =>
  writeSession({ ...readSession(session)!, ...over })
