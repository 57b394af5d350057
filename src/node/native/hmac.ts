/**
 * HMAC of libcrypto: one context per key, started again for each message without the key.
 */
import { UsageError } from '../../bytes/index.ts'
import { HASH_LENGTH, type HashName, type Hmac } from '../../crypto/index.ts'
import type { Libcrypto, Pointer } from './library.ts'

const freeLater = new FinalizationRegistry<{ library: Libcrypto; context: Pointer }>(({ library, context }) => {
  library.HMAC_CTX_free(context)
})

class NativeHmac implements Hmac {
  readonly length: number
  readonly #library: Libcrypto
  readonly #context: Pointer
  readonly #mac: Uint8Array

  constructor(library: Libcrypto, hash: HashName, key: Uint8Array) {
    this.length = HASH_LENGTH[hash]
    this.#library = library
    this.#mac = new Uint8Array(this.length)
    const digest = library.EVP_get_digestbyname(hash)
    const context = library.HMAC_CTX_new()
    if (digest === null || context === null) throw new UsageError(`this libcrypto has no ${hash}`)
    this.#context = context
    freeLater.register(this, { library, context })
    // an empty key must still be a pointer, as none stands for the key of before
    const memory = key.length === 0 ? new Uint8Array(1) : key
    if (library.HMAC_Init_ex(context, memory, key.length, digest, null) !== 1) {
      throw new UsageError('libcrypto refused the HMAC key')
    }
  }

  update(data: Uint8Array, start?: number, end?: number): this {
    const part = start === undefined ? data : data.subarray(start, end)
    if (part.length > 0) this.#library.HMAC_Update(this.#context, part, part.length)
    return this
  }

  finishInto(out: Uint8Array, offset: number): void {
    const library = this.#library
    library.HMAC_Final(this.#context, this.#mac, null)
    library.HMAC_Init_ex(this.#context, null, 0, null, null)
    out.set(this.#mac, offset)
  }

  finish(): Uint8Array {
    const out = new Uint8Array(this.length)
    this.finishInto(out, 0)
    return out
  }
}

/** As `CryptoProvider.createHmac`. CRY-3 */
export function createNativeHmac(library: Libcrypto, hash: HashName, key: Uint8Array): Hmac {
  return new NativeHmac(library, hash, key)
}
