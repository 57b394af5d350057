/**
 * Words of one pushed option (spec/push.md).
 *
 * The same small language as a line of a configuration file: words between white space, double or single quotes around
 * words with spaces, a backslash that takes the next character as it is (not inside single quotes), and `#` or `;` at the
 * start of a word to begin a comment. One pass, no regular expression over the whole, at most 256 characters and 16 words.
 */
import type { PushRefusalReason } from './tunnel-options.ts'

/** Longest option, in characters. */
export const MAX_OPTION_LENGTH = 256
/** Most words of an option. */
export const MAX_OPTION_WORDS = 16

/** The words of an option, or why it has none. PUSH-2, PUSH-3 */
export function splitOptionWords(text: string): readonly string[] | PushRefusalReason {
  if (text.length > MAX_OPTION_LENGTH) return 'too-long'
  const words: string[] = []
  let word = ''
  let inWord = false
  let quote = ''
  for (let i = 0; i < text.length; i++) {
    const character = text.charAt(i)
    if (quote === "'") {
      if (character === "'") quote = ''
      else word += character
    } else if (character === '\\') {
      if (++i === text.length) return 'bad-quoting'
      word += text.charAt(i)
      inWord = true
    } else if (quote === '"') {
      if (character === '"') quote = ''
      else word += character
    } else if (character === '"' || character === "'") {
      quote = character
      inWord = true
    } else if (isSpace(character)) {
      if (inWord) words.push(word)
      word = ''
      inWord = false
    } else if (!inWord && (character === '#' || character === ';')) {
      break
    } else {
      word += character
      inWord = true
    }
  }
  if (quote !== '') return 'bad-quoting'
  if (inWord) words.push(word)
  return words.length > MAX_OPTION_WORDS ? 'too-many-words' : words
}

function isSpace(character: string): boolean {
  return character === ' ' || character === '\t'
}

/** A word as it has to be written to come back unchanged. */
export function quoteOptionWord(word: string): string {
  if (/^[^\s"'\\#;,]+$/.test(word)) return word
  return `"${word.replace(/["\\]/g, '\\$&')}"`
}
