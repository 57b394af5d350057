/**
 * How long a data key may be used.
 *
 * Every limit has two marks. At the first one the channel asks for a new key and keeps working; at the second it stops,
 * because going on would repeat a nonce, wrap a counter, or leave the bounds within which the AEAD is proven.
 *
 * Spec: data.md, "Limits".
 */
import type { AeadAlgorithm } from '../crypto/index.ts'

/** Last epoch. */
export const LAST_EPOCH = 0xffff
/** From this send epoch on a new key is due (DATA-22). */
export const EPOCH_WARNING = 0xf000
/** Failed verifications after which a new key is due (DATA-21). */
export const FAILED_VERIFICATION_WARNING = 2 ** 35
/** Failed verifications after which a key opens nothing more (DATA-21). */
export const FAILED_VERIFICATION_LIMIT = 2 ** 36
/** Bytes, both directions together, after which a key of a 64-bit block cipher is due (DATA-19). */
export const SMALL_BLOCK_BYTES = 64 * 1024 * 1024

/**
 * 16-byte blocks plus packets that one key may seal or open: 2^36 - 1 for AES-GCM, no limit of its own for
 * CHACHA20-POLY1305 (DATA-20).
 */
export function aeadUsageLimit(algorithm: AeadAlgorithm): number {
  return algorithm === 'CHACHA20-POLY1305' ? Infinity : 2 ** 36 - 1
}

/** 7/8 of a usage limit, where a new key is due. */
export function usageWarning(limit: number): number {
  return Math.floor(limit / 8) * 7
}
