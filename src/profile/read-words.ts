/**
 * What the reader says about single lines and words, and how it quotes them.
 */
import type { Argument } from './argument.ts'
import { type Directive, wordCount } from './directive.ts'
import { type LexFault, MAX_LINE_BYTES, MAX_WORDS, type Word } from './lexer.ts'
import type { ProblemCode, ProblemSeverity } from './problem.ts'
import { RELEASES } from './release.ts'

/** What is wrong with a line that is no list of words, and what would be right. */
export const FAULTS: Readonly<Record<LexFault, readonly [message: string, remedy: string]>> = {
  'unbalanced-quote': ['a quotation mark is not closed on its line', 'close it, or put a backslash before it'],
  'bad-backslash': [
    'a backslash stands before a character it can not escape',
    'double it: backslashes escape only themselves, double quotes and white space',
  ],
  'dangling-backslash': ['the text ends with a backslash', 'double it or take it out'],
  'line-too-long': [`the line has more than ${MAX_LINE_BYTES} bytes`, 'shorten it, or use an inline block'],
  'too-many-words': [`only the first ${MAX_WORDS} words of a line are read`, 'split it into several lines'],
  'nul-character': ['the line holds a NUL character', 'save the file as plain text'],
}

/** What is wrong with a file that is no text, and what would be right. */
export const NOT_TEXT = ['the file is no text, or text in UTF-16', 'name a profile, saved as UTF-8'] as const

/** Takes a finding about a directive's words; without a column it is about the whole line. */
export type WordReport = (
  column: number | undefined,
  code: ProblemCode,
  severity: ProblemSeverity,
  message: string,
  remedy: string,
) => void

/** The typed values of a directive's words, in the order of its arguments. What is wrong is reported. PROF-10 */
export function readWords(row: Directive, words: readonly Word[], report: WordReport): unknown[] {
  if (!countFits(row, words.length)) {
    report(undefined, 'argument-count', 'error', `it has ${words.length} word(s) after its name`, describeCounts(row))
    return []
  }
  const values: unknown[] = []
  for (const [index, argument] of row.arguments.entries()) {
    if (argument.need === 'rest') {
      const read = words.slice(index).map((word) => readWord(row, argument, word, report))
      values.push(read.filter((value) => value !== undefined))
      break
    }
    const word = words[index]
    values.push(word === undefined ? undefined : readWord(row, argument, word, report))
  }
  const remedy = row.check?.(words.map((word) => word.text))
  if (remedy !== undefined) {
    const severity = row.status === 'supported' || row.checkSince === undefined ? 'error' : 'warning'
    report(undefined, 'bad-argument', severity, 'its words do not fit together', remedy)
  }
  return values
}

function readWord(row: Directive, argument: Argument, word: Word, report: WordReport): unknown {
  const value = argument.read(word.text)
  if (value !== undefined) return value
  const matters = argument.checkedSince === 'always' || row.status === 'supported'
  report(word.column, 'bad-argument', matters ? 'error' : 'warning', ...describeWord(argument, word.text))
  return undefined
}

/** What is wrong with a word, and what would be right. */
export function describeWord(argument: Argument, word: string): readonly [message: string, remedy: string] {
  const quoted = argument.secret ? `the ${argument.name}` : `"${shown(word)}"`
  return [`${quoted} is no ${argument.name} it takes`, `it wants ${argument.expected}`]
}

/** True when some release takes so many words. */
function countFits(row: Directive, count: number): boolean {
  const fits = ([least, most]: readonly [number, number]): boolean => count >= least && count <= most
  return fits(wordCount(row)) || (row.counts !== undefined && RELEASES.some((release) => fits(wordCount(row, release))))
}

/** How a directive is written, for a remedy. */
export function describeCounts(row: Directive): string {
  if (row.arguments.length === 0) return 'write it alone on its line'
  const words = row.arguments.map((argument) => {
    if (argument.need === 'required') return argument.name
    return argument.need === 'optional' ? `[${argument.name}]` : `[${argument.name} ...]`
  })
  return `after its name come: ${words.join(' ')}`
}

/** True for what could be the name of a directive: not for base64, not for the hexadecimal digits of a key. */
export function looksLikeName(name: string): boolean {
  return /^[a-zA-Z][a-zA-Z0-9_-]{0,39}$/.test(name) && !/^[0-9a-fA-F]{8,}$/.test(name)
}

/** At most 64 characters of something that is safe to show, without control characters. */
export function shown(text: string): string {
  if (/^[ -~]{0,64}$/.test(text)) return text
  // eslint-disable-next-line no-control-regex
  const plain = text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, '?')
  return plain.length > 64 ? `${plain.slice(0, 61)}...` : plain
}
