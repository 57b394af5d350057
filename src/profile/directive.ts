/**
 * One row of the directive table: everything that is known about a directive, as data.
 *
 * The parser, the typed values, the rules, the linter, the writer and the support matrix all read the same row, so a
 * directive is described once. Rows are written with {@link directive}, which keeps the types of the arguments.
 */
import type { Argument, CheckedSince, ValuesOf } from './argument.ts'
import type { Release } from './release.ts'

/** Which ends a directive concerns: a pulling client, a multi-client server, an end of a point-to-point tunnel. */
export type ProfileRole = 'client' | 'server' | 'peer'

/**
 * What this library makes of a directive. `supported`: it does it. `host`: it hands it to the host as data. `ignored`:
 * it takes it and nothing changes. `refused`: a profile with it can't be turned into a session.
 */
export type DirectiveStatus = 'supported' | 'host' | 'ignored' | 'refused'

/** How many words a release takes after the name; the most is 16 less the name where there is no limit. */
export type WordCount = readonly [least: number, most: number]

/** What a row says besides its arguments. */
export interface DirectiveFacts {
  readonly status: DirectiveStatus
  /** One sentence: what it is for here, or why it is ignored or refused. */
  readonly does: string
  /** Ends it concerns. Absent: all. */
  readonly roles?: readonly ProfileRole[]
  /** First release that knows it. Absent: older than 2.4. */
  readonly since?: Release
  /** Last release that knows it. Absent: still known. */
  readonly until?: Release
  /** From this release on it is read and changes nothing. */
  readonly inertSince?: Release
  /** The release that refuses it on sight, though it knows the name. */
  readonly fatalSince?: Release
  /** From when it is on its way out, and what to write instead. */
  readonly deprecated?: { readonly since: Release; readonly instead: string }
  /** Why it makes a tunnel less safe. */
  readonly danger?: string
  /** A server may push it, a client may take it. A release: since when. */
  readonly pushable?: true | Release
  /** Its value may stand in an inline block. A release: since when. */
  readonly inline?: true | Release
  /** May stand in a `connection` block. */
  readonly connection?: true
  /** May stand in a server's file for one client. `only`: nowhere else. */
  readonly perClient?: true | 'only'
  /** Comes from a server and stands in no file. */
  readonly pushedOnly?: true
  /** Every occurrence counts, not just the last one. */
  readonly repeats?: true
  /** Releases before 2.7 judge the words of the last line only. */
  readonly judgedLast?: true
  /** The reference starts a program for it; here none is. */
  readonly program?: true
  /** A command of the reference's program, no configuration. */
  readonly tool?: true
  /** A usual build on Linux does not know it: only one for another system, or one made with an option of its own. */
  readonly only?: 'Windows' | 'Android' | 'special'
  /** The name under which its values are found, where it is another spelling. */
  readonly aliasOf?: string
  /** Looks at all words together: what would be right, or `undefined` when they are. */
  readonly check?: (words: readonly string[]) => string | undefined
  /** Since when the reference refuses what `check` does. Default: always. */
  readonly checkSince?: CheckedSince
  /** Word counts of releases that differ from what the arguments say. */
  readonly counts?: Partial<Readonly<Record<Release, WordCount>>>
}

/** A row of the table, without its name. */
export interface Directive<A extends readonly Argument[] = readonly Argument[]> extends DirectiveFacts {
  readonly arguments: A
}

/** Typed values of a row. */
export type DirectiveValues<D> = D extends Directive<infer A> ? ValuesOf<A> : never

/** A row: its arguments in order, then the facts. */
export function directive<const A extends readonly Argument[]>(args: A, facts: DirectiveFacts): Directive<A> {
  return { ...facts, arguments: args }
}

/** How many words the row's arguments make. */
export function wordCount(row: Directive, release?: Release): WordCount {
  const measured = release === undefined ? undefined : row.counts?.[release]
  if (measured !== undefined) return measured
  const least = row.arguments.filter((argument) => argument.need === 'required').length
  const open = row.arguments.some((argument) => argument.need === 'rest')
  return [least, open ? 15 : row.arguments.length]
}
