/**
 * The three errors a host can see, and `invariant`, the one way to say "our bug".
 *
 * A peer's bytes never cause any of them: parsers on the packet path return a reason instead.
 */

/** Base of every error this library throws on purpose. */
export class OvpnError extends Error {
  override readonly name: string = 'OvpnError'
}

/** Where in a configuration text a problem lies. */
export interface ConfigLocation {
  /** File name as the host gave it. */
  readonly file?: string
  /** 1-based line. */
  readonly line?: number
  /** 1-based column. */
  readonly column?: number
}

/** The host's configuration cannot work. Thrown before any byte moves. */
export class ConfigError extends OvpnError {
  override readonly name: string = 'ConfigError'
  /** The option or directive at fault, in the reference's spelling (`tls-crypt`, `data-ciphers`). */
  readonly option: string
  /** Place in the profile text, where the option came from one. */
  readonly location: ConfigLocation | undefined
  /** 1-based line of the profile, where known. A field of its own: JavaScriptCore gives every error a `line` of the script. */
  readonly line: number | undefined

  constructor(option: string, message: string, location?: ConfigLocation) {
    super(message)
    this.option = option
    this.location = location
    this.line = location?.line
  }
}

/** The host called a method in a way its documentation forbids. */
export class UsageError extends OvpnError {
  override readonly name: string = 'UsageError'
}

/** A rule of this library's own was broken: always a bug here, never the host's or the peer's fault. */
export class InvariantError extends OvpnError {
  override readonly name: string = 'InvariantError'
  /** Id of the broken rule in `spec/`. */
  readonly ruleId: string

  constructor(ruleId: string) {
    super(`invariant broken: ${ruleId}`)
    this.ruleId = ruleId
  }
}

/** Throws {@link InvariantError} naming `ruleId` unless `condition` holds. */
export function invariant(condition: unknown, ruleId: string): asserts condition {
  if (!condition) throw new InvariantError(ruleId)
}
