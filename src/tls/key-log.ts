/**
 * The secrets of a connection in the NSS key log format, which Wireshark and other analysers read: a label, the client's
 * random and the secret, in hex, a line each (draft-ietf-tls-keylogfile).
 *
 * Nothing is told unless the configuration asks for it (TLS-38). The lines bypass the record layer: a connection with a key log
 * sends the same bytes as one without.
 */
import { EMPTY, fromHex, type Queue, toHex } from '../bytes/index.ts'
import type { ApplicationSecrets, HandshakeSecrets } from './key-schedule.ts'
import type { TlsOutput } from './output.ts'

/** What a line of a key log holds. `CLIENT_RANDOM` is the master secret of TLS 1.2. */
export type KeyLogLabel = (typeof LABELS)[number]

const LABELS = [
  'CLIENT_RANDOM',
  'CLIENT_HANDSHAKE_TRAFFIC_SECRET',
  'SERVER_HANDSHAKE_TRAFFIC_SECRET',
  'CLIENT_TRAFFIC_SECRET_0',
  'SERVER_TRAFFIC_SECRET_0',
  'EXPORTER_SECRET',
] as const

/** One secret out of a key log. */
export interface TlsSecret {
  readonly label: KeyLogLabel
  /** 32 bytes: which connection it is of. */
  readonly clientRandom: Uint8Array
  readonly secret: Uint8Array
}

/** Reads a line; `undefined` for comments, other labels and what is malformed. */
export function parseKeyLogLine(line: string): TlsSecret | undefined {
  const [name, random = '', hex = '', ...more] = line.trim().split(/\s+/)
  const label = LABELS.find((known) => known === name)
  const clientRandom = fromHex(random)
  const secret = fromHex(hex)
  if (label === undefined || clientRandom?.length !== 32 || secret === undefined || more.length > 0) return undefined
  return secret.length < 32 || secret.length > 64 ? undefined : { label, clientRandom, secret }
}

/** Tells the secrets of one connection. */
export class KeyLog {
  readonly #outputs: Queue<TlsOutput>
  #clientRandom: Uint8Array = EMPTY

  constructor(outputs: Queue<TlsOutput>) {
    this.#outputs = outputs
  }

  /** TLS 1.3, after the ServerHello. */
  handshake(clientRandom: Uint8Array, secrets: HandshakeSecrets): void {
    this.#clientRandom = clientRandom.slice()
    this.#tell('CLIENT_HANDSHAKE_TRAFFIC_SECRET', secrets.clientHandshakeTrafficSecret)
    this.#tell('SERVER_HANDSHAKE_TRAFFIC_SECRET', secrets.serverHandshakeTrafficSecret)
  }

  /** TLS 1.3, after the server's Finished. */
  application(secrets: ApplicationSecrets): void {
    this.#tell('CLIENT_TRAFFIC_SECRET_0', secrets.clientApplicationTrafficSecret)
    this.#tell('SERVER_TRAFFIC_SECRET_0', secrets.serverApplicationTrafficSecret)
    this.#tell('EXPORTER_SECRET', secrets.exporterMasterSecret)
  }

  /** TLS 1.2. */
  master(clientRandom: Uint8Array, masterSecret: Uint8Array): void {
    this.#clientRandom = clientRandom
    this.#tell('CLIENT_RANDOM', masterSecret)
  }

  #tell(label: KeyLogLabel, secret: Uint8Array): void {
    this.#outputs.push({ type: 'key-log', line: `${label} ${toHex(this.#clientRandom)} ${toHex(secret)}` })
  }
}
