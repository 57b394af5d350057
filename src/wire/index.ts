/**
 * OpenVPN bytes to records and back: opcodes, control and data headers, packet ids, static keys and the control wraps.
 *
 * @module
 */
export * from './control-packet.ts'
export * from './data-header.ts'
export * from './opcodes.ts'
export * from './packet-id.ts'
export * from './problems.ts'
export * from './static-key.ts'
export * from './tls-auth.ts'
export * from './tls-crypt.ts'
