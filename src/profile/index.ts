/**
 * The `.ovpn` language: text into a typed profile, findings with places and remedies, and back into text.
 *
 * @module
 */
export * from './argument.ts'
export * from './directive.ts'
export * from './document.ts'
export * from './lexer.ts'
export * from './problem.ts'
export * from './release.ts'
export * from './secret.ts'
export * from './table.ts'
export * from './connection.ts'
export * from './entry.ts'
export * from './lint.ts'
export { OPENVPN3_NAMES } from './lint-openvpn3.ts'
export * from './parse.ts'
export * from './profile.ts'
export * from './read.ts'
export type { ProfileContext } from './placement.ts'
export { RULES } from './rules.ts'
export { type SessionConfigOptions, toSessionConfig } from './session-config.ts'
export * from './source.ts'
export * from './writer.ts'
export * from './matrix.ts'
export * from './pushed.ts'
export * from './client-config.ts'
export * from './server-config.ts'
