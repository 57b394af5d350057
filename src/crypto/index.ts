/**
 * The provider seam and the portable provider: hashes, HMAC, KDFs, AEADs, CBC, CTR, key agreement, signatures.
 *
 * @module
 */
export * from './provider.ts'
