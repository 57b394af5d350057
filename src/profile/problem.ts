/**
 * What can be wrong with a profile, in a form a person can act on.
 *
 * Every finding names the file, the line, the column and the directive, says what is wrong and what would be right, and
 * since which release that holds where it depends on one. Findings are values, collected all at once; {@link ProfileError}
 * is how they are thrown when a profile can't work. Messages quote directive names and harmless arguments only: the text of
 * inline blocks, passwords and tokens never appears in one (PROF-20).
 */
import { ConfigError } from '../bytes/index.ts'
import type { LintPeer } from './release.ts'

/** `error`: can't work. `warning`: works, and somebody should look. `note`: worth knowing. */
export type ProblemSeverity = 'error' | 'warning' | 'note'

/** Every kind of finding, with what it means. */
export const PROBLEM_CODES = {
  'unbalanced-quote': 'a quotation mark is not closed on its line',
  'bad-backslash': 'a backslash stands before a character it may not escape',
  'dangling-backslash': 'a backslash is the last character of the text',
  'line-too-long': 'the line is longer than the reference reads',
  'too-many-words': 'the line has more words than the reference reads',
  'nul-character': 'the line holds a NUL character',
  'not-text': 'the file is no text that can be read',
  'unterminated-block': 'an inline block has no closing tag',
  'stray-close-tag': 'a closing tag stands alone',
  'broken-tag': 'a tag that opens a block lacks a bracket',
  'block-not-allowed': 'this directive takes no inline block',
  'nested-connection': 'a connection block lies inside another',
  'connection-directive': 'this directive may not stand where it does',
  'include-depth': 'configuration files include each other too deeply',
  'include-limit': 'the included text is larger than this reader takes',
  'file-missing': 'a file that the profile names was not supplied',
  'file-unreadable': 'a file that the profile names does not hold what it should',
  'unknown-directive': 'no release knows this directive',
  'argument-count': 'a word too few or too many',
  'bad-argument': 'an argument is not one of the values the directive takes',
  'not-in-release': 'the release does not know this directive or this form of it',
  conflict: 'two directives exclude each other',
  dependency: 'a directive needs another one that is missing',
  unsupported: 'this library can not do what the directive asks',
  ignored: 'the directive has no effect here',
  deprecated: 'the directive is on its way out',
  dangerous: 'the directive makes the tunnel less safe',
  interoperability: 'the two ends may not understand each other',
} as const satisfies Record<string, string>

/** A kind of finding. */
export type ProblemCode = keyof typeof PROBLEM_CODES

/** One finding. */
export interface ProfileProblem {
  readonly code: ProblemCode
  readonly severity: ProblemSeverity
  /** File name as the host gave it. */
  readonly file: string
  /** 1-based line. */
  readonly line: number
  /** 1-based column, in UTF-16 units. */
  readonly column: number
  /** The directive at fault, as the table spells it; as written where it is unknown; empty where a line has none. */
  readonly directive: string
  /** What is wrong: one sentence without a full stop. */
  readonly message: string
  /** What would be right: one sentence without a full stop. */
  readonly remedy: string
  /** The release that the finding is about, or from which on it holds, where it depends on one. */
  readonly since?: LintPeer
  /** It is about what the profile lacks, or the file as a whole: line and column are only where the text begins. */
  readonly ofWhole?: true
}

/** A profile that can't work: a `ConfigError` for the first problem that carries all of them. */
export class ProfileError extends ConfigError {
  override readonly name: string = 'ProfileError'
  /** Everything found, errors and warnings, in the order of the text. */
  readonly problems: readonly ProfileProblem[]

  constructor(problems: readonly ProfileProblem[]) {
    const first = problems.find((problem) => problem.severity === 'error')
    const place = first?.ofWhole === true ? { file: first.file } : first
    super(first?.directive ?? '', first === undefined ? 'nothing is wrong' : `${first.message}; ${first.remedy}`, place)
    this.problems = problems
  }
}

/**
 * One line: `client.ovpn:3:1: error: cipher: what is wrong; what would be right (OpenVPN 2.7)`. In brackets stands the release
 * that was asked about, or, as `since 2.4`, the one that began to say so. Without line and column it is about the whole profile.
 */
export function describeProblem(problem: ProfileProblem): string {
  const place = problem.ofWhole === true ? problem.file : `${problem.file}:${problem.line}:${problem.column}`
  const directive = problem.directive === '' ? '' : `${problem.directive}: `
  return `${place}: ${problem.severity}: ${directive}${problem.message}; ${problem.remedy}${describeSince(problem)}`
}

function describeSince({ code, since }: ProfileProblem): string {
  if (since === undefined) return ''
  if (code === 'deprecated') return ` (since ${since})`
  return since === 'openvpn3' ? ' (OpenVPN 3)' : ` (OpenVPN ${since})`
}

/** True when a finding keeps the profile from working. */
export function isFatal(problem: ProfileProblem): boolean {
  return problem.severity === 'error'
}
