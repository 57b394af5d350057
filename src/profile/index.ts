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
