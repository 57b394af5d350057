/**
 * The packet ciphers of the portable provider by name.
 *
 * The 64-bit-block ciphers are not among them: neither @noble/ciphers nor any other well-kept pure package has Blowfish
 * or DES, and a peer that can do nothing else is better refused (CRY-33).
 */
import { UsageError } from '../bytes/index.ts'
import { AesCbc, AesCtr } from './aes-modes.ts'
import { ChachaPoly } from './chacha.ts'
import { AesGcm } from './gcm.ts'
import {
  type Aead,
  AEAD_KEY_LENGTH,
  type AeadAlgorithm,
  type Cbc,
  CBC_LENGTHS,
  type CbcAlgorithm,
  type Ctr,
} from './provider.ts'

/** As `CryptoProvider.createAead`. */
export function createPortableAead(algorithm: AeadAlgorithm, key: Uint8Array): Aead {
  if (key.length !== AEAD_KEY_LENGTH[algorithm]) throw new UsageError(`wrong key length for ${algorithm}`) // CRY-34
  return algorithm === 'CHACHA20-POLY1305' ? new ChachaPoly(key) : new AesGcm(algorithm, key)
}

/** As `CryptoProvider.createCbc`. */
export function createPortableCbc(algorithm: CbcAlgorithm, key: Uint8Array): Cbc | undefined {
  if (key.length !== CBC_LENGTHS[algorithm].key) throw new UsageError(`wrong key length for ${algorithm}`) // CRY-34
  return CBC_LENGTHS[algorithm].block === 16 ? new AesCbc(algorithm, key) : undefined // CRY-33
}

/** As `CryptoProvider.createCtr`. */
export function createPortableCtr(key: Uint8Array): Ctr {
  return new AesCtr(key)
}
