/**
 * What a user imports.
 *
 * @module
 */
export { ConfigError, InvariantError, OvpnError, UsageError } from './bytes/index.ts'
