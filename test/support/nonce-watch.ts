/**
 * A crypto provider that remembers every AEAD nonce it seals under, and stops at the second use of one under one key.
 *
 * It wraps another provider and changes nothing else, so any test can run under it.
 */
import { toHex } from '../../src/bytes/index.ts'
import type { Aead, CryptoProvider } from '../../src/crypto/index.ts'

/** Watches nonces. */
export class NonceWatch {
  /** Seals so far. */
  seals = 0
  readonly provider: CryptoProvider
  /** By key: nonces used. */
  readonly #used = new Map<string, Set<string>>()

  constructor(inner: CryptoProvider) {
    this.provider = Object.create(inner, {
      createAead: {
        value: (...[algorithm, key]: Parameters<CryptoProvider['createAead']>): Aead =>
          this.#watch(inner.createAead(algorithm, key), `${algorithm}/${toHex(key)}`),
      },
    }) as CryptoProvider
  }

  #watch(aead: Aead, key: string): Aead {
    return {
      algorithm: aead.algorithm,
      seal: (buffer, aadOffset, aadLength, offset, length, tagOffset, nonce) => {
        this.#note(key, toHex(nonce))
        aead.seal(buffer, aadOffset, aadLength, offset, length, tagOffset, nonce)
      },
      open: (...args) => aead.open(...args),
    }
  }

  #note(key: string, nonce: string): void {
    this.seals++
    let nonces = this.#used.get(key)
    if (nonces === undefined) this.#used.set(key, (nonces = new Set()))
    if (nonces.has(nonce)) throw new Error(`nonce ${nonce} was used twice under one key`)
    nonces.add(nonce)
  }
}
