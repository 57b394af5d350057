/**
 * What OpenVPN says inside TLS: key method 2, peer info, options string, cipher negotiation, control messages and pushed
 * options. Pure functions between bytes or text and plain records.
 *
 * @module
 */
export * from './addresses.ts'
export * from './auth-token.ts'
export * from './challenge.ts'
export * from './ciphers.ts'
export * from './compression.ts'
export * from './control-text.ts'
export * from './key-method.ts'
export * from './messages.ts'
export * from './negotiation.ts'
export * from './options-string.ts'
export * from './peer-info.ts'
export * from './protocol-flags.ts'
export * from './pull.ts'
export { MAX_OPTION_LENGTH, MAX_OPTION_WORDS, quoteOptionWord, splitOptionWords } from './push-lexer.ts'
export * from './push-reply.ts'
export { PushedToken } from './pushed-token.ts'
export { isPlainAscii, parseDecimal, printable, printableText } from './text.ts'
export * from './tunnel-options.ts'
