/**
 * The last step of every password-based scheme for files: a block cipher in CBC mode, and the padding that tells whether
 * the password was right.
 */
import type { CbcAlgorithm, CryptoProvider } from '../crypto/index.ts'
import { malformed } from './fault.ts'

/** A plaintext, or why there is none: the padding did not come out, or the provider has no such cipher. */
export type Decrypted = Uint8Array | 'wrong-password' | 'unsupported'

/** Decrypts and takes the padding off. @throws CertificateFault when IV or ciphertext have lengths that cannot be. */
export function decryptCbc(
  crypto: CryptoProvider,
  algorithm: CbcAlgorithm,
  key: Uint8Array,
  iv: Uint8Array,
  ciphertext: Uint8Array,
): Decrypted {
  const cbc = crypto.createCbc(algorithm, key)
  if (cbc === undefined) return 'unsupported'
  if (iv.length !== cbc.blockLength) malformed('Its initialization vector has a wrong length.')
  if (ciphertext.length === 0 || ciphertext.length % cbc.blockLength !== 0) malformed('Its ciphertext is cut short.')
  const plain = ciphertext.slice()
  cbc.decrypt(plain, 0, plain.length, iv, 0)
  return removePadding(plain, cbc.blockLength) ?? 'wrong-password'
}

function removePadding(plain: Uint8Array, blockLength: number): Uint8Array | undefined {
  const count = plain.at(-1) as number
  if (count === 0 || count > blockLength) return undefined
  if (plain.subarray(plain.length - count).some((byte) => byte !== count)) return undefined
  return plain.subarray(0, plain.length - count)
}
