/**
 * Options that a server pushes, read through the directive table.
 *
 * A client's session has a strict reader of its own, which knows what each option does. This one answers the questions of
 * somebody who writes `push` lines: is that a directive, may it be pushed, are its words right. PROF-34
 */
import { wordForProfilesOnly } from '../control/index.ts'
import type { Directive } from './directive.ts'
import { splitLine } from './lexer.ts'
import type { ProfileProblem } from './problem.ts'
import { readWords, shown } from './read-words.ts'
import { type DirectiveName, directiveRow, isDirectiveName } from './table.ts'

/** Longest pushed option in UTF-16 units. */
export const MAX_PUSHED_LENGTH = 256

/** A pushed option that can work. */
export interface PushedDirective {
  readonly type: 'option'
  readonly name: DirectiveName
  readonly row: Directive
  readonly words: readonly string[]
  readonly values: readonly unknown[]
}

/** What is wrong with an option. */
export interface PushedProblem {
  readonly type: 'refused'
  readonly problems: readonly ProfileProblem[]
}

/** Reads one option, such as `route 10.9.0.0 255.255.0.0`. Never throws. */
export function readPushed(option: string): PushedDirective | PushedProblem {
  const problems: ProfileProblem[] = []
  const report = (
    code: ProfileProblem['code'],
    directive: string,
    message: string,
    remedy: string,
    column = 1,
  ): void => {
    problems.push({ code, severity: 'error', file: 'push', line: 1, column, directive, message, remedy })
  }
  const refused = (): PushedProblem => ({ type: 'refused', problems })
  if (option.length > MAX_PUSHED_LENGTH) {
    report('line-too-long', '', `a pushed option has ${MAX_PUSHED_LENGTH} characters at most`, 'split it')
    return refused()
  }
  const lexed = splitLine(option, false)
  const name = lexed.words[0]?.text ?? ''
  if (lexed.fault !== undefined || name === '') {
    report(
      lexed.fault ?? 'unknown-directive',
      '',
      'it is no option',
      'write a directive with its words',
      lexed.faultColumn,
    )
    return refused()
  }
  const row = directiveRow(name)
  if (row === undefined || !isDirectiveName(name)) {
    report('unknown-directive', shown(name), 'no release knows this directive', 'take it out')
    return refused()
  }
  if (row.pushable === undefined) {
    report('not-in-release', name, 'a server may not push it', 'write it into the clients’ own profiles')
    return refused()
  }
  const words = lexed.words.slice(1)
  const values = readWords(row, words, (column, code, severity, message, remedy) => {
    if (severity === 'error') report(code, name, message, remedy, column)
  })
  if (problems.length > 0) return refused()
  const texts = words.map((word) => word.text)
  const own = wordForProfilesOnly(name, texts)
  if (own !== undefined) {
    report(
      'bad-argument',
      name,
      `a client takes ${own} from its own profile only`,
      'push an address, or a number from 0',
    )
    return refused()
  }
  return { type: 'option', name, row, words: texts, values }
}
