/**
 * Two ends of a TLS connection in memory, and a puppet: an end that keeps every rule but says what a test wants.
 */
import { Queue, utf8Encode } from '../../../src/bytes/index.ts'
import { type CryptoProvider, noble } from '../../../src/crypto/index.ts'
import { startClient } from '../../../src/tls/client-start.ts'
import { resolveConfig } from '../../../src/tls/config.ts'
import type { Context } from '../../../src/tls/context.ts'
import { onChangeCipherSpec, onMessage, type State } from '../../../src/tls/handshake.ts'
import {
  type TlsCloseReason,
  type TlsConfig,
  TlsConnection,
  type TlsInfo,
  type TlsOutput,
} from '../../../src/tls/index.ts'
import { MAX_PLAINTEXT } from '../../../src/tls/limits.ts'
import { PlaintextSealer, type RecordSealer } from '../../../src/tls/protection.ts'
import { RecordLayer } from '../../../src/tls/record-layer.ts'
import { createPeerVerifier } from '../../../src/x509/index.ts'
import { PKI_NOW, type PkiKind, toyPki } from '../../support/pki.ts'
import { SeededRandom } from '../../support/random.ts'

/** The time of every test. */
export const NOW = PKI_NOW

/** A configuration with the toy PKI's certificate and CA; `over` changes it. */
export function config(role: 'client' | 'server', over: Partial<TlsConfig> = {}, kind: PkiKind = 'P-256'): TlsConfig {
  const pki = toyPki(kind)
  return {
    role,
    certificateChain: [pki[role].der],
    privateKey: pki[role].key,
    verifier: createPeerVerifier({ ca: [pki.ca.der] }),
    clientAuth: 'required',
    groups: ['x25519', 'secp256r1'],
    ...over,
  }
}

/** A client without an own certificate. */
export function anonymous(over: Partial<TlsConfig> = {}): TlsConfig {
  const { verifier, groups } = config('client')
  return { role: 'client', ...(verifier && { verifier }), ...(groups && { groups }), ...over }
}

/** A host of one connection: keeps what came out. */
export class Host {
  readonly connection: TlsConnection
  info: TlsInfo | undefined
  closed: TlsCloseReason | undefined
  readonly data: Uint8Array[] = []
  /** Every output but `transmit`, by type. */
  readonly events: TlsOutput['type'][] = []

  constructor(over: TlsConfig, seed: string, crypto: CryptoProvider = noble) {
    const random = new SeededRandom(`${seed}/${over.role}`).source
    this.connection = new TlsConnection(over, { unixTime: NOW, random, crypto })
    this.connection.start()
  }

  receive(bytes: Uint8Array): void {
    this.connection.receive(bytes, NOW)
  }

  /** Takes all outputs; the bytes for the peer, one array per output. */
  drain(): Uint8Array[] {
    const sent: Uint8Array[] = []
    for (let output = this.connection.poll(); output !== undefined; output = this.connection.poll()) {
      if (output.type === 'transmit') {
        sent.push(output.data)
        continue
      }
      this.events.push(output.type)
      if (output.type === 'connected') this.info = output.info
      else if (output.type === 'data') this.data.push(output.data)
      else if (output.type === 'closed') this.closed = output.reason
    }
    return sent
  }

  /** All data received, as text. */
  get text(): string {
    return this.data.map((part) => String.fromCharCode(...part)).join('')
  }

  /** The alert this side sent, if it did. */
  get alertSent(): string | undefined {
    return this.closed?.type === 'alert-sent' || this.closed?.type === 'certificate' ? this.closed.alert : undefined
  }

  /** The alert the peer sent, if it did. */
  get alertReceived(): string | undefined {
    return this.closed?.type === 'alert-received' ? this.closed.alert : undefined
  }
}

/** One side of an exchange of bytes. */
export interface Talker {
  receive(bytes: Uint8Array): void
  drain(): Uint8Array[]
}

/** Passes bytes both ways until both are silent. `cut` may change how a flight is delivered. */
export function talk(
  a: Talker,
  b: Talker,
  cut: (bytes: Uint8Array) => Iterable<Uint8Array> = (bytes) => [bytes],
): void {
  for (let round = 0; round < 100; round++) {
    const fromA = a.drain()
    for (const bytes of fromA) for (const part of cut(bytes)) b.receive(part)
    const fromB = b.drain()
    for (const bytes of fromB) for (const part of cut(bytes)) a.receive(part)
    if (fromA.length + fromB.length === 0) return
  }
  throw new Error('the two never fall silent')
}

/** A client and a server, connected as far as they get. */
export function pair(
  client: TlsConfig,
  server: TlsConfig,
  seed = 'pair',
  crypto: CryptoProvider = noble,
): { client: Host; server: Host } {
  const hosts = { client: new Host(client, seed, crypto), server: new Host(server, seed, crypto) }
  talk(hosts.client, hosts.server)
  return hosts
}

/** Text as bytes. */
export const text = utf8Encode

/** What a puppet may do to one of its own handshake messages before it is sealed: none, one or several go out. */
export type Tamper = (message: Uint8Array, index: number) => readonly Uint8Array[]

/** A record layer that also sends what an honest one would not. */
export class TamperingRecords extends RecordLayer {
  readonly #tamper: Tamper
  lastSent: Uint8Array | undefined
  #index = 0
  #sealer: RecordSealer = new PlaintextSealer(0x0303)

  constructor(tamper: Tamper) {
    super(MAX_PLAINTEXT)
    this.#tamper = tamper
  }

  override setSealer(sealer: RecordSealer): void {
    super.setSealer(sealer)
    this.#sealer = sealer
  }

  /** One record under the current key, past fragmentation and caps. It is for the test to deliver. */
  seal(type: number, content: Uint8Array): Uint8Array {
    return this.#sealer.seal(type, content)
  }

  /** Makes the current key look as if it had sealed that many records; what it seals then cannot be opened. */
  wear(sealed: number): void {
    ;(this.#sealer as { sealed: number }).sealed = sealed
  }

  override sendHandshake(message: Uint8Array): void {
    for (const changed of this.#tamper(message, this.#index++)) {
      this.lastSent = changed
      super.sendHandshake(changed)
    }
  }
}

/**
 * An end that follows the protocol through the engine's own states, but whose messages a test changes before they are
 * sealed under the right keys. It never sends alerts and keeps quiet about the peer's faults.
 */
export class Puppet implements Talker {
  readonly records: TamperingRecords
  readonly context: Context
  readonly #outputs = new Queue<TlsOutput>()
  state: State
  alert: { level: number; code: number } | undefined
  readonly data: Uint8Array[] = []

  constructor(
    over: TlsConfig,
    tamper: Tamper = (message) => [message],
    seed = 'puppet',
    crypto: CryptoProvider = noble,
  ) {
    const resolved = resolveConfig(over, crypto)
    this.records = new TamperingRecords(tamper)
    this.records.limitMessages(() => 0xffffff)
    const random = new SeededRandom(`${seed}/${over.role}`).source
    const emit = (output: TlsOutput) => this.#outputs.push(output)
    this.context = { config: resolved, crypto, random, records: this.records, emit, keyLog: undefined, unixTime: NOW }
    this.state = over.role === 'client' ? this.#start() : { type: 'expect-client-hello' }
  }

  /** The transcript begins with the ClientHello as it went out. */
  #start(): State {
    const state = startClient(this.context)
    const raw = this.records.lastSent
    return state.type === 'expect-server-hello' && raw !== undefined
      ? { ...state, hello: { ...state.hello, raw } }
      : state
  }

  get connected(): boolean {
    return this.state.type === 'open-12' || this.state.type === 'open-13'
  }

  receive(bytes: Uint8Array): void {
    this.records.receive(bytes)
    for (let incoming = this.records.next(); incoming !== undefined; incoming = this.records.next()) {
      if (incoming.type === 'handshake') this.state = onMessage(this.context, this.state, incoming.message)
      else if (incoming.type === 'change-cipher-spec') this.state = onChangeCipherSpec(this.context, this.state)
      else if (incoming.type === 'alert') this.alert = { level: incoming.level, code: incoming.code }
      else this.data.push(incoming.data)
    }
  }

  drain(): Uint8Array[] {
    const bytes = this.records.takeOutput()
    return bytes.length === 0 ? [] : [bytes]
  }
}

/** A handshake message from its type and body. */
export { handshakeMessage } from '../../../src/tls/handshake-stream.ts'
