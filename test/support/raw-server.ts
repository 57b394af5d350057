/**
 * A server made by hand for a world of clients: it accepts one link, remembers the login, pushes what it is told to, and
 * says whatever a test wants. It has no data channel.
 */
import { concat } from '../../src/bytes/index.ts'
import { type Login, parseClientKeyMessage, writeControlText, writeServerKeyMessage } from '../../src/control/index.ts'
import { nodeCrypto } from '../../src/node/crypto/index.ts'
import { TlsConnection } from '../../src/tls/index.ts'
import { Opcode, parseControlPlain, writeControlPlain } from '../../src/wire/index.ts'
import type { Peer, PeerLink } from './client-world.ts'
import { PKI_NOW, toyPki } from './pki.ts'
import { SeededRandom } from './random.ts'

/** How a raw server behaves; the same for all its links. */
export interface RawServerOptions {
  /** The comma list behind PUSH_REPLY; `undefined`: nothing is pushed. */
  push: string | undefined
  /** Said in place of the push, for example `AUTH_FAILED`. */
  refusal?: string | undefined
  /** Logins seen, in order. */
  readonly logins: (Login | undefined)[]
  /** The newest link's way to say something. */
  say: (text: string) => void
}

/** Options for a server that lets everybody in. */
export function rawServerOptions(more: Partial<RawServerOptions> = {}): RawServerOptions {
  return {
    push: 'ifconfig 10.8.0.2 255.255.255.0,route-gateway 10.8.0.1,topology subnet,cipher AES-256-GCM',
    logins: [],
    say: () => {
      throw new Error('nobody is connected')
    },
    ...more,
  }
}

/** A peer for `Listener.peer`. */
export function rawServer(options: RawServerOptions): (link: PeerLink) => Peer {
  return (link) => new RawServer(link, options)
}

class RawServer implements Peer {
  readonly #link: PeerLink
  readonly #options: RawServerOptions
  readonly #random: SeededRandom
  readonly #sessionId: Uint8Array
  readonly #tls: TlsConnection
  #peerSessionId: Uint8Array | undefined
  #next = 0
  #expected = 0
  #greeted = false

  constructor(link: PeerLink, options: RawServerOptions) {
    const pki = toyPki('ed25519')
    this.#link = link
    this.#options = options
    this.#random = link.world.random.fork(`raw server ${options.logins.length}`)
    this.#sessionId = this.#random.bytes(8)
    this.#tls = new TlsConnection(
      {
        role: 'server',
        certificateChain: [pki.server.der],
        privateKey: pki.server.key,
        clientAuth: 'none',
      },
      { unixTime: PKI_NOW, random: this.#random.source, crypto: nodeCrypto },
    )
  }

  receive(bytes: Uint8Array): void {
    const packet = parseControlPlain(bytes)
    if (typeof packet === 'string') return
    const first = this.#peerSessionId === undefined
    this.#peerSessionId ??= packet.sessionId
    const { packetId } = packet
    if (packetId === undefined) return
    if (packetId === this.#expected) {
      this.#expected++
      if (packet.payload.length > 0) this.#tls.receive(packet.payload, PKI_NOW)
    }
    if (first) this.#send(Opcode.CONTROL_HARD_RESET_SERVER_V2, this.#next++, new Uint8Array(0), [0])
    else this.#send(Opcode.ACK_V1, undefined, new Uint8Array(0), [packetId])
    this.#flush()
  }

  #say(text: string): void {
    this.#tls.write(writeControlText(text))
    this.#flush()
  }

  #send(opcode: number, packetId: number | undefined, payload: Uint8Array, acks: readonly number[]): void {
    const peer = acks.length > 0 && this.#peerSessionId !== undefined ? { peerSessionId: this.#peerSessionId } : {}
    const packet = { opcode, keyId: 0, sessionId: this.#sessionId, acks, packetId, payload, ...peer }
    this.#link.send(writeControlPlain(packet))
  }

  #flush(): void {
    let bytes: Uint8Array = new Uint8Array(0)
    for (let output = this.#tls.poll(); output !== undefined; output = this.#tls.poll()) {
      if (output.type === 'transmit') bytes = concat(bytes, output.data)
      else if (output.type === 'data') this.#onPlaintext(output.data)
    }
    for (let at = 0; at < bytes.length; at += 1000)
      this.#send(Opcode.CONTROL_V1, this.#next++, bytes.slice(at, at + 1000), [])
  }

  #onPlaintext(bytes: Uint8Array): void {
    if (this.#greeted) return
    this.#greeted = true
    const message = parseClientKeyMessage(bytes)
    if (typeof message === 'string') throw new Error(message)
    this.#options.logins.push(message.login)
    this.#options.say = (text) => this.#say(text)
    const random = (length: number): Uint8Array => this.#random.bytes(length)
    this.#tls.write(writeServerKeyMessage({ random1: random(32), random2: random(32), options: 'V4,dev-type tun' }))
    const { push, refusal } = this.#options
    if (refusal !== undefined) this.#tls.write(writeControlText(refusal))
    else if (push !== undefined) this.#tls.write(writeControlText(`PUSH_REPLY,${push}`))
  }
}
