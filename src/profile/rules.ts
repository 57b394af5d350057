/**
 * All rules over a profile, and the findings they make.
 *
 * A rule looks at the whole profile; what single rows of the table say, deprecated, dangerous, ignored or refused, is
 * turned into findings here too. `checkRules` asks what holds for this library, `lint.ts` asks on behalf of a release.
 */
import type { Entry } from './entry.ts'
import type { ProfileProblem, ProblemSeverity } from './problem.ts'
import { type Profile, startOf } from './profile.ts'
import { unreadDirectives } from './problem-order.ts'
import type { LintPeer, Release } from './release.ts'
import { cipherRules } from './rules/ciphers.ts'
import { compressionRules } from './rules/compression.ts'
import { conflictRules } from './rules/conflicts.ts'
import { contentRules } from './rules/contents.ts'
import { credentialRules } from './rules/credentials.ts'
import { dependencyRules } from './rules/dependencies.ts'
import { linkRules } from './rules/link.ts'
import { type Rule, RuleView } from './rules/rule.ts'
import { resolverRules } from './rules/resolvers.ts'
import { safetyRules } from './rules/safety.ts'
import { pushRules } from './rules/pushes.ts'
import { serverRules } from './rules/server.ts'
import { supportRules } from './rules/support.ts'

/** Every rule, for documentation and tests. */
export const RULES: readonly Rule[] = [
  ...conflictRules,
  ...linkRules,
  ...compressionRules,
  ...serverRules,
  ...dependencyRules,
  ...credentialRules,
  ...cipherRules,
  ...contentRules,
  ...resolverRules,
  ...pushRules,
  ...safetyRules,
  ...supportRules,
]

/** What rules and rows find wrong with a profile as far as this library is concerned. */
export function checkRules(profile: Profile): ProfileProblem[] {
  const view = new RuleView(profile, undefined)
  const isUnread = unreadDirectives(profile)
  const found = RULES.flatMap((rule) =>
    rule.own === undefined || isFollowOn(rule, isUnread) ? [] : applyRule(rule, view, rule.own),
  )
  return [...found, ...profile.entries.flatMap((entry) => [...judgeRow(entry), ...supportOf(entry)])]
}

/** What the rule misses is there, in a line that can't be read. PROF-63 */
export function isFollowOn({ code, directive }: Rule, isUnread: (directive: string) => boolean): boolean {
  return code === 'dependency' && isUnread(directive)
}

/** The findings of one rule. */
export function applyRule(rule: Rule, view: RuleView, severity: ProblemSeverity, since?: LintPeer): ProfileProblem[] {
  return rule.find(view).map((blamed) => {
    const place = blamed === 'profile' ? startOf(view.profile) : blamed.place
    return {
      code: rule.code,
      severity,
      file: place.file,
      line: place.line,
      column: place.column,
      directive: blamed === 'profile' ? rule.directive : blamed.name,
      message: rule.message,
      remedy: rule.remedy,
      ...(since === undefined ? {} : { since }),
      ...(blamed === 'profile' ? { ofWhole: true as const } : {}),
    }
  })
}

/** Deprecated and dangerous rows. A switched-off compression is no danger. */
export function judgeRow(entry: Entry, release?: Release): ProfileProblem[] {
  const { deprecated, danger, fatalSince } = entry.row
  const found: ProfileProblem[] = []
  const harmless = entry.name === 'compress' ? entry.words[0]?.startsWith('stub') === true : entry.words[0] === 'no'
  if (danger !== undefined && !harmless) {
    found.push(finding(entry, 'dangerous', 'warning', danger, deprecated?.instead ?? 'take it out where you can'))
  }
  // One finding a line is enough.
  if (found.length > 0) return found
  const applies = release === undefined || (deprecated !== undefined && deprecated.since <= release)
  if (deprecated !== undefined && applies && fatalSince === undefined) {
    const problem = finding(entry, 'deprecated', 'warning', 'it is on its way out', remedyFor(deprecated.instead))
    found.push({ ...problem, since: deprecated.since })
  }
  return found
}

function remedyFor(instead: string): string {
  return /^(leave|take) /.test(instead) ? instead : `use ${instead}`
}

/** What this library makes of a row that it does not carry out. */
function supportOf(entry: Entry): ProfileProblem[] {
  const { status, does, deprecated, program } = entry.row
  if (program === true) {
    const message = `no program is started here: ${lowerFirst(does)}`
    return [finding(entry, 'unsupported', 'note', message, 'leave it, unless you rely on it')]
  }
  if (status === 'refused') {
    return [finding(entry, 'unsupported', 'error', lowerFirst(does), remedyFor(deprecated?.instead ?? 'take it out'))]
  }
  return status === 'ignored'
    ? [finding(entry, 'ignored', 'note', lowerFirst(does), 'leave it or take it out: it does no harm')]
    : []
}

/** A sentence without its full stop, to be put behind a directive's name. */
function lowerFirst(sentence: string): string {
  if (/^.[A-Z]/.test(sentence)) return sentence.replace(/\.$/, '') // A name such as IPv6.
  return sentence.charAt(0).toLowerCase() + sentence.slice(1).replace(/\.$/, '')
}

function finding(
  entry: Entry,
  code: ProfileProblem['code'],
  severity: ProblemSeverity,
  message: string,
  remedy: string,
): ProfileProblem {
  const { file, line, column } = entry.place
  return { code, severity, file, line, column, directive: entry.name, message, remedy }
}
