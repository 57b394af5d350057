/**
 * One line of configuration text into words, the way the reference's tokenizer does it.
 *
 * White space separates words. `#` or `;` where a word would start opens a comment. A word that starts with `"` runs to the
 * next `"`, one that starts with `'` to the next `'`; quotes inside a word are ordinary characters. A backslash, outside
 * single quotes, takes the next character literally and may stand only before a backslash, a double quote or white space.
 * Where a word would start, a backslash changes nothing about white space and comments: they start no word.
 * A line is up to 255 bytes with its line feed and yields at most 16 words. Spec: spec/profile.md, PROF-1 to PROF-5.
 * What breaks a rule is reported, not thrown; the words read so far are kept for the message only.
 */

/** One word of a line. */
export interface Word {
  readonly text: string
  /** 1-based column of its first character, in UTF-16 units. */
  readonly column: number
}

/** Why a line is no list of words. */
export type LexFault =
  | 'unbalanced-quote'
  | 'bad-backslash'
  | 'dangling-backslash'
  | 'line-too-long'
  | 'too-many-words'
  | 'nul-character'

/** A line taken apart. */
export interface LexedLine {
  readonly words: readonly Word[]
  /** 1-based column where a comment starts, or 0. */
  readonly comment: number
  readonly fault: LexFault | undefined
  /** 1-based column of the fault, or 0. */
  readonly faultColumn: number
}

/** Most words a line yields; the reference drops the rest without a word. */
export const MAX_WORDS = 16
/** Most bytes of a line, its line feed included. */
export const MAX_LINE_BYTES = 255

const BACKSLASH = 0x5c
const HASH = 0x23
const SEMICOLON = 0x3b

/** True for the characters that C's `isspace` calls white space. */
export function isSpace(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d)
}

/**
 * Splits one line, given with its line feed (and carriage return) if it has one.
 *
 * @param limitLength - false for text without a line limit: command lines and pushed options.
 */
export function splitLine(line: string, limitLength = true): LexedLine {
  // PROF-4
  if (limitLength && line.length * 3 > MAX_LINE_BYTES && utf8Length(line) > MAX_LINE_BYTES) {
    return lexed([], 'line-too-long', 1, 0)
  }
  const words: Word[] = []
  let at = 0
  for (;;) {
    at = wordStart(line, at)
    if (at >= line.length) return lexed(words, undefined, 0, 0)
    const first = line.charAt(at)
    // PROF-2
    if (first === '#' || first === ';') return lexed(words, undefined, 0, at + 1)
    // PROF-5
    if (words.length === MAX_WORDS) return lexed(words, 'too-many-words', at + 1, 0)
    const word = readWord(line, at)
    if (word.fault !== undefined) return lexed(words, word.fault, word.end + 1, 0)
    words.push({ text: word.text, column: at + 1 })
    at = word.end
  }
}

/** Index of the next character that starts a word or a comment, or the line's length. */
function wordStart(line: string, start: number): number {
  let at = start
  while (at < line.length) {
    // PROF-3
    const escaped = line.charCodeAt(at) === BACKSLASH
    const code = escaped ? line.charCodeAt(at + 1) : line.charCodeAt(at)
    if (escaped && (code === HASH || code === SEMICOLON)) return at + 1
    if (escaped && at + 1 >= line.length) return line.length
    if (!isSpace(code)) return at
    at += escaped ? 2 : 1
  }
  return at
}

function lexed(words: readonly Word[], fault: LexFault | undefined, faultColumn: number, comment: number): LexedLine {
  return { words, comment, fault, faultColumn }
}

interface ReadWord {
  readonly text: string
  /** Index after the word, or of the fault. */
  readonly end: number
  readonly fault: LexFault | undefined
}

/** Reads the word that starts at `start`, which is neither white space nor a comment. */
function readWord(line: string, start: number): ReadWord {
  const quote = line.charAt(start)
  const quoted = quote === '"' || quote === "'"
  let text = ''
  let at = quoted ? start + 1 : start
  // Runs of plain characters are copied as slices: a long word costs one pass.
  let run = at
  for (; at < line.length; at++) {
    const code = line.charCodeAt(at)
    if (code === 0) return { text, end: at, fault: 'nul-character' }
    if (quoted ? line.charAt(at) === quote : isSpace(code)) {
      return { text: text + line.slice(run, at), end: quoted ? at + 1 : at, fault: undefined }
    }
    if (code !== BACKSLASH || quote === "'") continue
    // PROF-3
    text += line.slice(run, at)
    const next = line.charCodeAt(at + 1)
    if (at + 1 >= line.length) return { text, end: at, fault: quoted ? 'unbalanced-quote' : 'dangling-backslash' }
    if (next !== BACKSLASH && next !== 0x22 && !isSpace(next)) return { text, end: at, fault: 'bad-backslash' }
    at++
    run = at
  }
  if (quoted) return { text, end: start, fault: 'unbalanced-quote' }
  return { text: text + line.slice(run), end: at, fault: undefined }
}

/** Length of `text` in UTF-8 bytes. */
export function utf8Length(text: string): number {
  let length = text.length
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code < 0x80) continue
    // A surrogate pair is two units and four bytes, any other character above U+07FF one unit and three.
    length += code < 0x800 || (code >= 0xd800 && code <= 0xdfff) ? 1 : 2
  }
  return length
}

/**
 * Writes words so that {@link splitLine} reads the same words back; `undefined` when no spelling exists.
 *
 * Words are written bare where that works, else in double quotes; a line that would become too long is written as short as
 * can be. A line feed can only end the last word; the result then ends with it.
 */
export function joinWords(words: readonly string[]): string | undefined {
  const last = words.length - 1
  const spellings = words.map((word, index) => spellingsOf(word, index === last))
  if (spellings.some((list) => list.length === 0)) return undefined
  const plain = spellings.map((list) => list[0]).join(' ')
  if (utf8Length(plain) < MAX_LINE_BYTES) return plain
  return spellings.map((list) => list.reduce((best, next) => (next.length < best.length ? next : best))).join(' ')
}

/** Every way to spell a word, the nicest first. */
function spellingsOf(word: string, isLast: boolean): string[] {
  const feed = word.indexOf('\n')
  if (word.includes('\0') || (feed >= 0 && (!isLast || feed !== word.length - 1))) return []
  const spellings: string[] = []
  // A word can't start with these bare, and of them only the double quote may be escaped there.
  const escaped = word.replace(/[ \t\n\v\f\r\\]|^"/g, (character) => `\\${character}`)
  const bare = word !== '' && !/^['#; \t\n\v\f\r]/.test(word) && !(word.startsWith('<') && word.endsWith('>'))
  if (bare && escaped === word) spellings.push(word)
  if (feed < 0) spellings.push(`"${word.replace(/["\\]/g, (character) => `\\${character}`)}"`)
  if (feed < 0 && !word.includes("'")) spellings.push(`'${word}'`)
  if (bare && escaped !== word) spellings.push(escaped)
  return spellings
}
