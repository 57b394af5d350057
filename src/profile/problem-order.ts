/**
 * In which order findings are told, and which are left unsaid because another one is their cause. PROF-63
 */
import { isFatal, type ProblemCode, type ProfileProblem } from './problem.ts'
import type { Profile } from './profile.ts'

/** Findings of the reader after which a line counts for nothing: what it would have given seems to be missing. */
const NOT_COUNTED: ReadonlySet<ProblemCode> = new Set<ProblemCode>([
  'unbalanced-quote',
  'bad-backslash',
  'dangling-backslash',
  'line-too-long',
  'nul-character',
  'unterminated-block',
  'broken-tag',
  'block-not-allowed',
  'connection-directive',
])

/** Says of a directive whether it may be there, unread: that it is missing is no news then. */
export function unreadDirectives(profile: Profile): (directive: string) => boolean {
  const unread = profile.readProblems.filter((problem) => isFatal(problem) && NOT_COUNTED.has(problem.code))
  const names = new Set(unread.map(({ directive }) => directive))
  // A block that is not closed holds the rest of the text.
  const holdsRest = unread.some(({ code }) => code === 'unterminated-block')
  return (directive) => holdsRest || names.has(directive)
}

/**
 * Orders findings by document, line and column, those about the whole profile behind all others; of the same place, in the
 * order they were found.
 */
export function sortProblems(problems: readonly ProfileProblem[], profile: Profile): readonly ProfileProblem[] {
  const order = new Map<string, number>()
  for (const document of profile.documents) if (!order.has(document.file)) order.set(document.file, order.size)
  const rank = ({ file, ofWhole }: ProfileProblem): number =>
    ofWhole === true ? Infinity : (order.get(file) ?? order.size)
  const compare = (a: ProfileProblem, b: ProfileProblem): number => {
    const [first, second] = [rank(a), rank(b)]
    return first === second ? a.line - b.line || a.column - b.column : first - second
  }
  // What the reader found is in order already.
  const ordered = problems.every((problem, index) => {
    const before = problems[index - 1]
    return before === undefined || compare(before, problem) <= 0
  })
  return ordered ? problems : [...problems].sort(compare)
}
