/**
 * What OpenVPN says inside TLS: key method 2, peer info, options string, cipher negotiation, control messages and pushed
 * options. Pure functions between bytes or text and plain records.
 *
 * @module
 */
export * from './ciphers.ts'
export * from './compression.ts'
export * from './key-method.ts'
export * from './negotiation.ts'
export * from './options-string.ts'
export * from './peer-info.ts'
export * from './protocol-flags.ts'
export { parseDecimal, printable, printableText } from './text.ts'
export * from './tunnel-options.ts'
