/**
 * Will this profile work with that release, and why not.
 *
 * For a release of the reference the answer is about the profile as its own configuration: an `error` means that the
 * release refuses it at its start (PROF-19). Warnings say what has no effect there, what is deprecated, and what the two
 * ends may disagree about when the other end is of that release. For `openvpn3` see `lint-openvpn3.ts`.
 */
import { refusesWord } from './argument.ts'
import { wordCount } from './directive.ts'
import type { Entry } from './entry.ts'
import { type HostPathKind, hostPaths } from './host-paths.ts'
import { lintInteroperability } from './lint-interoperability.ts'
import { lintOpenvpn3 } from './lint-openvpn3.ts'
import type { ProfileProblem, ProblemCode, ProblemSeverity } from './problem.ts'
import { sortProblems, unreadDirectives } from './problem-order.ts'
import type { Profile } from './profile.ts'
import { describeCounts, describeWord, shown } from './read-words.ts'
import { isAtLeast, type LintPeer, type Release } from './release.ts'
import { applyRule, isFollowOn, judgeRow, RULES } from './rules.ts'
import { inRange, RuleView } from './rules/rule.ts'

/** What {@link lint} is asked. */
export interface LintOptions {
  readonly peer: LintPeer
  /** Those of the profile's {@link hostPaths} that are not there. Left out, nothing is said about them. */
  readonly absent?: ReadonlySet<string>
}

/** Findings of the reader that every release shares. */
const SHARED: ReadonlySet<ProblemCode> = new Set<ProblemCode>([
  'unbalanced-quote',
  'bad-backslash',
  'dangling-backslash',
  'line-too-long',
  'too-many-words',
  'nul-character',
  'not-text',
  'unterminated-block',
  'stray-close-tag',
  'broken-tag',
  'block-not-allowed',
  'nested-connection',
  'connection-directive',
  'include-depth',
  'include-limit',
  'file-missing',
  'unknown-directive',
  'ignored',
])

/** Findings about a profile in the eyes of a release, in the order of the text. */
export function lint(profile: Profile, options: LintOptions): readonly ProfileProblem[] {
  const { peer } = options
  const shared = profile.readProblems
    .filter((problem) => SHARED.has(problem.code))
    .map((problem) => readLate(problem, profile))
  if (!profile.isText) return shared
  const found = peer === 'openvpn3' ? lintOpenvpn3(profile) : lintRelease(profile, peer)
  const absent = peer === 'openvpn3' ? [] : lintPaths(profile, peer, options.absent)
  return sortProblems([...shared, ...found, ...absent], profile)
}

const ABSENT: Readonly<Record<HostPathKind, (path: string) => readonly [message: string, remedy: string]>> = {
  program: (path) => [`there is no program ${path} that can be run`, 'put it there and make it executable'],
  directory: (path) => [`there is no directory ${path}`, 'make it'],
  place: (path) => [`the directory that ${path} is to be written to is not there`, 'make it'],
  file: (path) => [`there is no file ${path}`, 'put it there'],
}

/** What the release looks for at its start and does not find. PROF-61 */
function lintPaths(profile: Profile, release: Release, absent?: ReadonlySet<string>): ProfileProblem[] {
  if (absent === undefined) return []
  const missing = hostPaths(profile).filter(({ path, entry }) => absent.has(path) && isKnown(entry, release))
  return missing.map(({ kind, entry, path }) =>
    finding(entry, 'file-missing', 'error', ...ABSENT[kind](`"${shown(path)}"`), release),
  )
}

/** Their files are looked for when a proxy asks. */
const OPENED_LATE: ReadonlySet<string> = new Set(['http-proxy-user-pass', 'http-proxy-override', 'socks-proxy'])

/** A file that the reference opens only when it needs it. */
function isOpenedLate(directive: string, profile: Profile): boolean {
  return OPENED_LATE.has(directive) || (directive === 'auth-gen-token-secret' && !profile.has('auth-gen-token'))
}

/** A missing file as grave as the release finds it: a TLS server reads its parameters at the start, a client never. */
function readLate(problem: ProfileProblem, profile: Profile): ProfileProblem {
  if (problem.code !== 'file-missing') return problem
  if (problem.directive === 'dh') {
    const { isTlsServer } = new RuleView(profile, undefined)
    return { ...problem, severity: isTlsServer ? 'error' : 'note' }
  }
  return isOpenedLate(problem.directive, profile) ? { ...problem, severity: 'warning' } : problem
}

function lintRelease(profile: Profile, release: Release): ProfileProblem[] {
  const view = new RuleView(profile, release)
  const found = profile.entries.flatMap((entry) => lintEntry(entry, profile, release))
  const isUnread = unreadDirectives(profile)
  for (const rule of RULES) {
    if (isFollowOn(rule, isUnread)) continue
    if (inRange(release, rule.refusedBy)) found.push(...applyRule(rule, view, 'error', release))
    else if (rule.code === 'dangerous' || rule.code === 'deprecated') found.push(...applyRule(rule, view, 'warning'))
  }
  return [...found, ...lintInteroperability(view, release)]
}

/** One directive in the eyes of a release. */
function lintEntry(entry: Entry, profile: Profile, release: Release): ProfileProblem[] {
  const { fatalSince } = entry.row
  if (fatalSince !== undefined && isAtLeast(release, fatalSince) && isKnown(entry, release)) {
    const remedy = entry.row.deprecated?.instead ?? 'take it out'
    return [finding(entry, 'not-in-release', 'error', `it is refused since ${fatalSince}`, remedy, release)]
  }
  const unknown = whyUnknown(entry, release)
  if (unknown !== undefined) {
    const allowed = entry.optional || profile.ignorable.has(entry.name)
    const remedy = entry.row.deprecated?.instead ?? 'take it out, or put "setenv opt" before it'
    return [finding(entry, 'not-in-release', allowed ? 'note' : 'error', unknown, remedy, release)]
  }
  const words = lintWords(entry, release, profile.entry(entry.name) === entry)
  const forgiven = (problem: ProfileProblem): boolean => entry.optional && problem.code === 'argument-count'
  const found = words.map((problem) => (forgiven(problem) ? { ...problem, severity: 'note' as const } : problem))
  return [...found, ...judgeRow(entry, release)]
}

/** True when the release knows the name. */
function isKnown({ row: { since, until } }: Entry, release: Release): boolean {
  return (since === undefined || isAtLeast(release, since)) && (until === undefined || isAtLeast(until, release))
}

/** Why the release does not take the directive at all, or `undefined` when it does. */
function whyUnknown(entry: Entry, release: Release): string | undefined {
  const { since, until, only, inline } = entry.row
  if (since !== undefined && !isAtLeast(release, since)) return `it came with ${since}`
  if (until !== undefined && !isAtLeast(until, release)) return `it went after ${until}`
  if (only !== undefined) return `only ${only} builds know it`
  if (entry.content !== undefined && inline !== undefined && inline !== true && !isAtLeast(release, inline)) {
    return `it may stand in an inline block since ${inline}`
  }
  return undefined
}

/** The number and the kind of a directive's words. PROF-10 */
function lintWords(entry: Entry, release: Release, isLast: boolean): ProfileProblem[] {
  if (entry.content !== undefined) return []
  const { row, words } = entry
  const [least, most] = wordCount(row, release)
  if (words.length < least || words.length > most) {
    return [
      finding(
        entry,
        'argument-count',
        'error',
        `it has ${words.length} word(s) after its name`,
        describeCounts(row),
        release,
      ),
    ]
  }
  if (row.inertSince !== undefined && isAtLeast(release, row.inertSince)) return []
  const found: ProfileProblem[] = []
  const judged = row.judgedLast !== true || isLast || isAtLeast(release, '2.7')
  for (const [index, argument] of row.arguments.entries()) {
    const own = argument.need === 'rest' ? words.slice(index) : words.slice(index, index + 1)
    for (const [offset, word] of own.entries()) {
      if (argument.read(word) !== undefined) continue
      const refused = judged && refusesWord(argument, word, release)
      const said = describeWord(argument, word)
      const problem = finding(entry, 'bad-argument', refused ? 'error' : 'warning', ...said, release)
      found.push({ ...problem, column: entry.columnOf(index + offset) })
    }
  }
  const remedy = row.check?.(words)
  if (remedy !== undefined) {
    const since = row.checkSince ?? 'always'
    const refused = since === 'always' || (since !== 'never' && isAtLeast(release, since))
    found.push(
      finding(entry, 'bad-argument', refused ? 'error' : 'warning', 'its words do not fit together', remedy, release),
    )
  }
  return found
}

function finding(
  entry: Entry,
  code: ProblemCode,
  severity: ProblemSeverity,
  message: string,
  remedy: string,
  since: Release,
): ProfileProblem {
  const { file, line, column } = entry.place
  return { code, severity, file, line, column, directive: entry.name, message, remedy, since }
}
