/**
 * Certificates: parsing, chains, revocation, OpenVPN's own checks, private keys and issuance.
 *
 * @module
 */
export * from './problem.ts'
export type * from './types.ts'
export type * from './verifier-types.ts'
