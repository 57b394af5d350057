/**
 * The portable provider: plain JavaScript, any runtime.
 *
 * Hashes, curves and ML-KEM come from the @noble packages; RSA and the packet ciphers are this folder's own. What it
 * promises about timing is written in spec/crypto.md.
 */
import { createPortableAead, createPortableCbc, createPortableCtr } from './ciphers.ts'
import { nobleKeyShare, nobleRespond } from './noble-groups.ts'
import { createNobleHash, createNobleHmac } from './noble-hash.ts'
import { nobleDerivePublicKey, nobleSign, nobleVerify } from './noble-signatures.ts'
import type { CryptoProvider } from './provider.ts'

/**
 * The default {@link CryptoProvider}.
 *
 * @example
 * ```ts
 * const aead = noble.createAead('AES-256-GCM', key)
 * aead.seal(packet, 0, 8, 24, packet.length - 24, 8, nonce)
 * ```
 */
export const noble: CryptoProvider = {
  name: 'noble',
  fastAes: false,
  createHash: createNobleHash,
  createHmac: createNobleHmac,
  createAead: createPortableAead,
  createCbc: createPortableCbc,
  createCtr: createPortableCtr,
  createKeyShare: nobleKeyShare,
  respondKeyShare: nobleRespond,
  sign: nobleSign,
  verify: nobleVerify,
  derivePublicKey: nobleDerivePublicKey,
}
