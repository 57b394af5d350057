/**
 * A `Server` and a `Client` of the library with a virtual wire between them, in virtual time. Nothing here knows the page:
 * Node runs the same world in a test, and the same seed gives the same datagrams to the byte.
 */
import {
  Client,
  type ClientEvent,
  type ClientOutput,
  createPeerVerifier,
  parseStaticKey,
  Server,
  type ServerEvent,
  type ServerOutput,
  type WrapConfig,
} from 'ovpn-core'
import { digest, noble } from 'ovpn-core/crypto'
import { planAddresses } from 'ovpn-core/server'
import { recordClient, type WriteLine } from 'ovpn-core/record'
import { makePki, type ThrowAwayPki } from 'ovpn-core/x509'
import { type Datagram, Link, type LinkSettings, type Side } from './link.ts'
import { address, readEcho, writeEcho } from './ping.ts'
import { SeededRandom } from './random.ts'

/** How control packets are protected. */
export type Wrap = 'none' | 'tls-auth' | 'tls-crypt'

/** What a world is made of. */
export interface WorldOptions {
  readonly seed: string
  readonly wrap: Wrap
  readonly link: LinkSettings
}

/** News of one end, for the ladder. */
export interface Note {
  readonly at: number
  readonly side: Side
  readonly text: string
}

const SERVER = '10.8.0.1'
const TIME_ORIGIN = Date.UTC(2026, 0, 1)
const FROM_CLIENT = 'client'

/** The static key of tls-auth and tls-crypt, drawn from the seed. */
export function wrapKey(seed: string): string {
  const bytes = new SeededRandom(`${seed}/key`).bytes(256)
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
  const lines = hex.match(/.{32}/g) ?? []
  return ['-----BEGIN OpenVPN Static key V1-----', ...lines, '-----END OpenVPN Static key V1-----', ''].join('\n')
}

function wrapOf(wrap: Wrap, seed: string, direction: 0 | 1): WrapConfig {
  if (wrap === 'none') return { type: 'none' }
  const key = parseStaticKey(wrapKey(seed))
  return wrap === 'tls-auth' ? { type: 'tls-auth', key, direction } : { type: 'tls-crypt', key }
}

/** Two ends, what they sent, and what they said. */
export class World {
  now = 0
  readonly options: WorldOptions
  readonly link: Link
  readonly server: Server
  readonly client: Client
  readonly datagrams: Datagram[] = []
  readonly notes: Note[] = []
  readonly pings = { sent: 0, answered: 0 }
  /** Lines of a key log: the page shows what is inside. */
  readonly secrets: string[] = []
  #clientAddress: string | undefined

  /** @param record - takes the lines of a recording of the client. */
  constructor(options: WorldOptions, record?: WriteLine) {
    this.options = options
    const { seed, wrap } = options
    const random = new SeededRandom(seed)
    const pki = makePki('P-256', TIME_ORIGIN, noble, (length) => random.bytes(length))
    this.link = new Link(options.link, new SeededRandom(`${seed}/link`))
    this.server = new Server(this.#serverConfig(pki), this.#environment('server'))
    const session = {
      role: 'client',
      transport: 'udp',
      keyLog: true,
      wrap: wrapOf(wrap, seed, 1),
      tls: identity(pki, 'client', 'server'),
    } as const
    const remotes = [{ host: '192.0.2.1', port: 1194, session }]
    const environment = this.#environment('client')
    this.client =
      record === undefined ? new Client({ remotes }, environment) : recordClient({ remotes }, environment, record)
    this.#drain()
  }

  /** Lets time pass until `to`, doing everything that falls due on the way, in order. */
  advance(to: number): void {
    for (let due = this.nextDue(); due <= to; due = this.nextDue()) {
      this.now = Math.max(this.now, due)
      for (let datagram = this.link.poll(this.now); datagram !== undefined; datagram = this.link.poll(this.now)) {
        if (datagram.from === 'client') this.server.receive(datagram.bytes, FROM_CLIENT, this.now)
        else this.client.receive(datagram.bytes, this.now)
        this.#drain()
      }
      this.client.handleTimeout(this.now)
      this.server.handleTimeout(this.now)
      this.#drain()
    }
    this.now = Math.max(this.now, to)
  }

  /** When something happens next. */
  nextDue(): number {
    return Math.min(this.link.pollTimeout(), this.client.pollTimeout(), this.server.pollTimeout())
  }

  /** The client pings the server's address inside the tunnel. */
  ping(): void {
    if (this.#clientAddress === undefined) return
    const sequence = ++this.pings.sent
    const [source, destination] = [address(this.#clientAddress), address(SERVER)]
    this.client.send(writeEcho({ kind: 'request', source, destination, sequence }), this.now)
    this.#drain()
  }

  /** The client asks for new keys. */
  renegotiate(): void {
    this.client.renegotiate(this.now)
    this.#drain()
  }

  /** The client says goodbye. */
  close(): void {
    this.client.close(this.now)
    this.#drain()
  }

  /** SHA-256 of everything that was sent, in hex: equal on every machine for equal seeds and inputs. */
  digest(): string {
    const parts = this.datagrams.flatMap(({ from, bytes, sentAt }) => [
      Uint8Array.from(`${from} ${sentAt.toFixed(6)} ${bytes.length};`, (letter) => letter.charCodeAt(0)),
      bytes,
    ])
    const hash = digest(noble, 'SHA256', ...parts)
    return Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('')
  }

  #serverConfig(pki: ThrowAwayPki): ConstructorParameters<typeof Server>[0] {
    const { seed, wrap } = this.options
    return {
      wraps: [wrapOf(wrap, seed, 0)],
      tls: identity(pki, 'server', 'client'),
      addresses: planAddresses({ device: 'tun', server: { network: '10.8.0.0', netmask: '255.255.255.0' } }),
      push: ['ping 10', 'ping-restart 60'],
      session: { timers: { ping: 10_000, pingRestart: 120_000 } },
    }
  }

  #environment(end: Side): ConstructorParameters<typeof Server>[1] {
    const random = new SeededRandom(`${this.options.seed}/${end}`)
    return { now: 0, timeOrigin: TIME_ORIGIN, random: (length) => random.bytes(length), crypto: noble }
  }

  #drain(): void {
    for (;;) {
      const fromClient = this.client.poll()
      if (fromClient !== undefined) this.#onClient(fromClient)
      const fromServer = this.server.poll()
      if (fromServer !== undefined) this.#onServer(fromServer)
      if (fromClient === undefined && fromServer === undefined) return
    }
  }

  #onClient(output: ClientOutput): void {
    if (output.type === 'connect') this.client.connected(output.link, this.now)
    else if (output.type === 'transmit') this.#send('client', output.data)
    else if (output.type === 'packet') this.#onPacketAtClient(output.data)
    else if (output.type === 'event') this.#tellClient(output.event)
  }

  #onServer(output: ServerOutput): void {
    if (output.type === 'transmit') this.#send('server', output.data)
    else if (output.type === 'packet') this.#answer(output.data)
    else if (output.type === 'event') this.#tellServer(output.event)
  }

  #send(from: Side, bytes: Uint8Array): void {
    this.datagrams.push(this.link.send(from, bytes, this.now))
  }

  #answer(packet: Uint8Array): void {
    const echo = readEcho(packet)
    if (echo?.kind !== 'request') return
    const { source, destination, sequence } = echo
    this.server.send(writeEcho({ kind: 'reply', source: destination, destination: source, sequence }), this.now)
  }

  #onPacketAtClient(packet: Uint8Array): void {
    if (readEcho(packet)?.kind === 'reply') this.pings.answered++
  }

  #tellClient(event: ClientEvent): void {
    if (event.type === 'key-log') this.secrets.push(event.line.reveal())
    else if (event.type === 'attempt') this.#note('client', `connects to ${event.address}`)
    else if (event.type === 'connected') {
      this.#clientAddress = event.options.ipv4?.address
      const { tlsVersion, group, dataCipher } = event.negotiated
      this.#note('client', `connected: ${tlsVersion}, ${group ?? ''}, ${dataCipher}, ${this.#clientAddress ?? ''}`)
    } else if (event.type === 'rekeyed') this.#note('client', `new keys, key id ${event.keyId}`)
    else if (event.type === 'retry') this.#note('client', `tries again: ${event.end.type}`)
    else if (event.type === 'closed') this.#note('client', `closed: ${event.reason.type}`)
  }

  #tellServer(event: ServerEvent): void {
    if (event.type === 'client-begun') this.#note('server', 'its address is proved')
    else if (event.type === 'client-connected') this.#note('server', `${event.name ?? ''} is in`)
    else if (event.type === 'rekeyed') this.#note('server', `new keys, key id ${event.keyId}`)
    else if (event.type === 'client-closed') this.#note('server', `client gone: ${event.reason.type}`)
  }

  #note(side: Side, text: string): void {
    this.notes.push({ at: this.now, side, text })
  }
}

/** One end's certificate, and whom it trusts. */
function identity(pki: ThrowAwayPki, own: Side, peer: Side): ConstructorParameters<typeof Server>[0]['tls'] {
  return {
    certificateChain: [pki[own].certificate],
    privateKey: pki[own].key,
    verifier: createPeerVerifier({ ca: pki.ca, remoteCertTls: peer }),
  }
}
