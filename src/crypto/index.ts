/**
 * The provider seam and the portable provider: hashes, HMAC, KDFs, AEADs, CBC, CTR, key agreement, signatures.
 *
 * @module
 */
export * from './hash-names.ts'
export * from './kdf.ts'
export * from './noble.ts'
export * from './provider-parts.ts'
export * from './provider.ts'
