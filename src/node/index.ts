/**
 * The Node shell: the fast crypto provider, clocks and randomness, a driver for sessions, client sockets, profiles from
 * disk, and a throw-away PKI.
 *
 * @module
 */
export { nodeCrypto } from './crypto/index.ts'
export * from './client-driver.ts'
export * from './driver.ts'
export * from './pki.ts'
export { inspectProfileFile } from './profile-files.ts'
export * from './transport.ts'
