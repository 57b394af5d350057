/**
 * OpenVPN bytes to records and back: opcodes, control and data headers, packet ids, static keys and the control wraps,
 * wrapped client keys, the settings and cookies of the first packets, and frames on TCP.
 *
 * @module
 */
export * from './control-packet.ts'
export * from './data-header.ts'
export * from './dynamic-key.ts'
export * from './early-negotiation.ts'
export * from './opcodes.ts'
export * from './overhead.ts'
export * from './packet-id.ts'
export * from './problems.ts'
export * from './reset-cookie.ts'
export * from './static-key.ts'
export * from './stream-framer.ts'
export * from './tls-auth.ts'
export * from './tls-crypt.ts'
export * from './tls-crypt-v2.ts'
export * from './tls-crypt-v2-keys.ts'
