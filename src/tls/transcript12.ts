/**
 * The handshake messages of TLS 1.2: hashed as they come, and kept whole until nobody can ask for a CertificateVerify any
 * more, because that signature covers the messages themselves under a hash that is chosen later.
 */
import { concat } from '../bytes/index.ts'
import type { CryptoProvider, HashName } from '../crypto/index.ts'
import { Transcript } from './transcript.ts'

/** Running hash plus the raw messages. */
export class Transcript12 {
  readonly #running: Transcript
  #messages: Uint8Array[] | undefined = []

  constructor(crypto: CryptoProvider, hash: HashName) {
    this.#running = new Transcript(crypto, hash)
  }

  add(message: Uint8Array): void {
    this.#running.add(message)
    this.#messages?.push(message)
  }

  /** Hash of all messages so far. */
  hash(): Uint8Array {
    return this.#running.hash()
  }

  /** All messages so far, as a CertificateVerify signs them; nothing after `forget`. TLS12-10 */
  content(): Uint8Array {
    return concat(...(this.#messages ?? []))
  }

  /** Lets go of the messages: from here on only the hash is needed. */
  forget(): void {
    this.#messages = undefined
  }
}
