/**
 * ML-DSA signatures (FIPS 204), the same in every provider: pure mode, empty context, hedged with the caller's
 * randomness.
 *
 * A private key is its 32-byte seed, from which the expanded key is made for each signature; the seed is what files
 * store (RFC 9881), it is short, and no half-consistent expanded key can be smuggled in. The arithmetic is that of
 * @noble/post-quantum. Verifying judges lengths first and never throws.
 */
import { ml_dsa44, ml_dsa65, ml_dsa87 } from '@noble/post-quantum/ml-dsa.js'
import { equalConstantTime, UsageError } from '../bytes/index.ts'
import { drawRandom } from './curves.ts'
import type { MlDsaName, PublicKey, RandomSource } from './provider.ts'

const SIGNERS = { 'ML-DSA-44': ml_dsa44, 'ML-DSA-65': ml_dsa65, 'ML-DSA-87': ml_dsa87 } as const

/** Length of every ML-DSA seed in bytes. */
export const ML_DSA_SEED_LENGTH = 32

/** Length of a public key of each parameter set in bytes. */
export const ML_DSA_PUBLIC_LENGTH: Readonly<Record<MlDsaName, number>> = {
  'ML-DSA-44': 1312,
  'ML-DSA-65': 1952,
  'ML-DSA-87': 2592,
}

/** Length of a signature of each parameter set in bytes. */
const SIGNATURE_LENGTH: Readonly<Record<MlDsaName, number>> = {
  'ML-DSA-44': 2420,
  'ML-DSA-65': 3309,
  'ML-DSA-87': 4627,
}

/** True for the name of a parameter set. */
export function isMlDsaName(name: string): name is MlDsaName {
  return name in SIGNERS
}

function keysOf(name: MlDsaName, seed: Uint8Array): { readonly publicKey: Uint8Array; readonly secretKey: Uint8Array } {
  if (seed.length !== ML_DSA_SEED_LENGTH) throw new UsageError('an ML-DSA seed has 32 bytes')
  return SIGNERS[name].keygen(Uint8Array.from(seed))
}

/** The public half of a seed. @throws UsageError for a seed of another length. */
export function mlDsaPublicKey(name: MlDsaName, seed: Uint8Array): PublicKey {
  return { type: 'ml-dsa', parameters: name, key: keysOf(name, seed).publicKey }
}

/** True when an expanded private key is the one that a seed leads to. */
export function mlDsaSeedFits(name: MlDsaName, seed: Uint8Array, expanded: Uint8Array): boolean {
  return equalConstantTime(keysOf(name, seed).secretKey, expanded)
}

/** Signs; draws 32 bytes. @throws UsageError for a seed of another length. CRY-37 */
export function mlDsaSign(name: MlDsaName, seed: Uint8Array, message: Uint8Array, random: RandomSource): Uint8Array {
  const extraEntropy = Uint8Array.from(drawRandom(random, 32))
  return SIGNERS[name].sign(message, keysOf(name, seed).secretKey, { extraEntropy })
}

/** True when `signature` over `message` is valid. Never throws. CRY-38 */
export function mlDsaVerify(name: MlDsaName, key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (key.length !== ML_DSA_PUBLIC_LENGTH[name] || signature.length !== SIGNATURE_LENGTH[name]) return false
  try {
    return SIGNERS[name].verify(signature, message, key)
  } catch {
    return false
  }
}
