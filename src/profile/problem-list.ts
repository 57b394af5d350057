/**
 * Findings as they come up, bounded: of each kind the first thousand are told one by one and the rest is counted.
 *
 * Nobody reads more, and a hostile text of hundreds of thousands of bad lines costs no more than one of good ones. What is
 * left out keeps its weight: where an error is among it, the line that counts them is an error.
 */
import type { Place } from './entry.ts'
import type { ProblemCode, ProblemSeverity, ProfileProblem } from './problem.ts'
import { shown } from './read-words.ts'

/** Most findings of one kind that are told one by one. */
export const MAX_FINDINGS = 1000

/** Collects findings. */
export class ProblemList {
  readonly #problems: ProfileProblem[] = []
  readonly #counts = new Map<ProblemCode, number>()
  /** The first or gravest of those left out, by kind. */
  readonly #leftOut = new Map<ProblemCode, ProfileProblem>()

  /** Adds a finding at a place. The directive is cut to what is safe to show. */
  report(
    code: ProblemCode,
    severity: ProblemSeverity,
    place: Place,
    directive: string,
    message: string,
    remedy: string,
  ): void {
    const count = (this.#counts.get(code) ?? 0) + 1
    this.#counts.set(code, count)
    const left = count <= MAX_FINDINGS ? undefined : this.#leftOut.get(code)
    if (left !== undefined && (left.severity === 'error' || severity !== 'error')) return
    const { file, line, column } = place
    const problem = { code, severity, file, line, column, directive: shown(directive), message, remedy }
    if (count <= MAX_FINDINGS) this.#problems.push(problem)
    else this.#leftOut.set(code, problem)
  }

  /** Everything found, in the order it was, with a line for each kind that had more. */
  finish(): readonly ProfileProblem[] {
    const rest = [...this.#leftOut].map(([code, problem]) => {
      const more = (this.#counts.get(code) ?? 0) - MAX_FINDINGS
      return { ...problem, directive: '', message: `${more} more findings of this kind are left out` }
    })
    return [...this.#problems, ...rest]
  }
}
