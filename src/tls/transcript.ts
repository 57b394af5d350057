/**
 * The running hash over all handshake messages (RFC 8446 section 4.4.1).
 */
import { type CryptoProvider, digest, type Hash, type HashName } from '../crypto/index.ts'
import { handshakeMessage } from './handshake-stream.ts'
import { HandshakeType } from './registry.ts'

/** Hashes messages as they come; its value can be read at any point. */
export class Transcript {
  readonly #state: Hash

  constructor(crypto: CryptoProvider, hash: HashName, ...messages: readonly Uint8Array[]) {
    this.#state = crypto.createHash(hash)
    for (const message of messages) this.add(message)
  }

  /** Adds a whole message, header included. */
  add(message: Uint8Array): void {
    this.#state.update(message)
  }

  /** Hash of all messages so far. */
  hash(): Uint8Array {
    return this.#state.clone().finish()
  }

  /** Hash of all messages so far and the beginning of the next. */
  hashWith(beginning: Uint8Array): Uint8Array {
    return this.#state.clone().update(beginning).finish()
  }
}

/** What stands for the first ClientHello after a HelloRetryRequest: a message holding its hash. TLS13-6 */
export function syntheticHello(crypto: CryptoProvider, hash: HashName, clientHello: Uint8Array): Uint8Array {
  return handshakeMessage(HandshakeType.messageHash, digest(crypto, hash, clientHello))
}
