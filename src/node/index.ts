/**
 * The Node shell: the fast crypto provider, clocks and randomness, drivers for sessions and clients, profiles from disk,
 * and a throw-away PKI.
 *
 * @module
 */
export { nodeCrypto } from './crypto/index.ts'
export * from './client-driver.ts'
export * from './driver.ts'
export { inspectProfileFile } from './profile-files.ts'
