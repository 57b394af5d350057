/**
 * Kinds of arguments: how one word of a directive is read.
 *
 * A kind has a name for messages, a reader that yields a typed value or `undefined`, and a sentence that says what would
 * have been right. The typed values of a directive follow from its row in the table: see {@link ValuesOf}. The releases
 * of the reference differ in how closely they look: `checkedSince` names the first release that refuses at its start
 * what the reader here refuses; where it is absent every release does, and `never` means that the reference takes
 * anything and finds out later, or never.
 */
import type { Release } from './release.ts'
import { SecretText } from './secret.ts'

/** Since when the reference itself refuses a wrong value at its start. */
export type CheckedSince = Release | 'always' | 'never'

/** One argument of a directive. */
export interface Argument<T = unknown, N extends Need = Need> {
  /** As a message or the support matrix shows it. */
  readonly name: string
  readonly need: N
  /** The value of a word, or `undefined` when it is not one. */
  readonly read: (text: string) => T | undefined
  /** What would be right, after the words "wants". */
  readonly expected: string
  readonly checkedSince: CheckedSince
  /** What releases before `checkedSince` ask of a word; absent: nothing. `undefined`: they refuse it, too. */
  readonly loose: ((text: string, release: Release) => unknown) | undefined
  /** True: the word is a secret, messages must not quote it. */
  readonly secret: boolean
  /** What kind of file the word names, where it names one. */
  readonly file: FileUse | undefined
}

/** `rest`: any number of further words, read one by one. */
export type Need = 'required' | 'optional' | 'rest'

/** What the word of a file argument is used for: contents this library reads, or a path that only the host needs. */
export type FileUse = 'content' | 'path'

/** The typed values of a list of arguments. */
export type ValuesOf<A extends readonly Argument[]> = {
  readonly [K in keyof A]: A[K] extends Argument<infer T, infer N>
    ? N extends 'required'
      ? T
      : N extends 'optional'
        ? T | undefined
        : readonly T[]
    : never
}

/** A required argument out of its parts. */
function kind<T>(
  name: string,
  expected: string,
  read: (text: string) => T | undefined,
  checkedSince: CheckedSince = 'always',
): Argument<T, 'required'> {
  return { name, need: 'required', read, expected, checkedSince, loose: undefined, secret: false, file: undefined }
}

/** True when the release itself refuses the word at its start. */
export function refusesWord(argument: Argument, word: string, release: Release): boolean {
  const { checkedSince } = argument
  const checks = checkedSince === 'always' || (checkedSince !== 'never' && release >= checkedSince)
  if (checks) return argument.read(word) === undefined
  return argument.loose !== undefined && argument.loose(word, release) === undefined
}

/** The same argument, which may be left out. */
export function optional<T>(argument: Argument<T, 'required'>): Argument<T, 'optional'> {
  return { ...argument, need: 'optional' }
}

/** Any number of such words. */
export function rest<T>(argument: Argument<T, 'required'>): Argument<T, 'rest'> {
  return { ...argument, need: 'rest' }
}

/** The same argument with another statement of which releases check it. */
export function checked<T>(since: CheckedSince, argument: Argument<T, 'required'>): Argument<T, 'required'> {
  return { ...argument, checkedSince: since }
}

/** Any word. */
export function text(name: string): Argument<string, 'required'> {
  return kind(name, 'a text', (word) => word, 'never')
}

/** Any word of at least so many characters. */
export function word(name: string, least = 1): Argument<string, 'required'> {
  const expected = least === 1 ? 'a text that is not empty' : `a text of ${least} characters or more`
  return kind(name, expected, (text) => (text.length < least ? undefined : text))
}

/** A word that no message may quote. */
export function secretText(name: string): Argument<SecretText, 'required'> {
  return { ...kind(name, 'a text', (word) => new SecretText(word), 'never'), secret: true }
}

/** A file whose contents this library reads; the host supplies them. */
export function file(name = 'file'): Argument<string, 'required'> {
  return { ...kind(name, 'a file name', notEmpty), file: 'content' }
}

/** A file with a password. Its name is never quoted: people put the password itself there. */
export function passwordFile(name = 'file'): Argument<string, 'required'> {
  return { ...file(name), secret: true }
}

/** A file or directory that only the host touches. */
export function path(name: string): Argument<string, 'required'> {
  return { ...kind(name, 'a path', notEmpty, 'never'), file: 'path' }
}

/** A command line for the host to run. */
export function command(name = 'command'): Argument<string, 'required'> {
  return kind(name, 'a command', notEmpty)
}

function notEmpty(word: string): string | undefined {
  return word === '' ? undefined : word
}

/**
 * A whole number in decimal digits from `least` to `most`.
 *
 * Releases before 2.7 read as many digits as there are and take what follows as noise; 2.7 refuses.
 */
export function integer(
  name: string,
  least = 0,
  most = 2_147_483_647,
  checkedSince: CheckedSince = '2.7',
): Argument<number, 'required'> {
  const range = most === 2_147_483_647 ? `of at least ${least}` : `from ${least} to ${most}`
  return kind(
    name,
    `a whole number ${range}`,
    (word) => {
      if (!/^[+-]?\d{1,19}$/.test(word)) return undefined
      const value = Number(word)
      return value >= least && value <= most ? value : undefined
    },
    checkedSince,
  )
}

/**
 * A whole number whose range releases before 2.7 check, too, on what they make of the word.
 *
 * @param bounds - where their range is another one.
 */
export function rangedInteger(
  name: string,
  least: number,
  most = 2_147_483_647,
  bounds: { readonly since?: Release; readonly least?: number; readonly most?: number } = {},
): Argument<number, 'required'> {
  return {
    ...integer(name, least, most),
    loose: (word, release) => {
      const value = leadingNumber(word)
      const checks = bounds.since === undefined || release >= bounds.since
      return !checks || (value >= (bounds.least ?? least) && value <= (bounds.most ?? most)) ? value : undefined
    },
  }
}

/** The number that a word starts with, as C reads it into 32 bits: 0 where there is none. */
function leadingNumber(word: string): number {
  const digits = /^\s*([+-]?\d+)/.exec(word)?.[1]
  return digits === undefined ? 0 : Number(BigInt.asIntN(32, BigInt(digits)))
}

/** A duration in whole seconds. */
export function seconds(name = 'seconds', least = 0): Argument<number, 'required'> {
  return integer(name, least)
}

/** One of a few words. */
export function choice<const W extends string>(
  name: string,
  words: readonly W[],
  checkedSince: CheckedSince = 'always',
): Argument<W, 'required'> {
  return kind(
    name,
    words.length === 1 ? `"${words.join()}"` : `one of ${words.map((word) => `"${word}"`).join(', ')}`,
    (word) => words.find((candidate) => candidate === word),
    checkedSince,
  )
}

/** A TCP or UDP port. The reference also takes service names, which only a host's tables can resolve. */
export function port(name = 'port', least = 1): Argument<number, 'required'> {
  return kind(
    name,
    `a port number from ${least} to 65535`,
    (word) => {
      if (!/^\d{1,5}$/.test(word)) return undefined
      const value = Number(word)
      return value >= least && value <= 65_535 ? value : undefined
    },
    'never',
  )
}

/** A host name or an address. */
export function host(name = 'host'): Argument<string, 'required'> {
  return kind(name, 'a host name or an IP address', notEmpty, 'never')
}

/** An argument read by a function of its own. */
export function custom<T>(
  name: string,
  expected: string,
  read: (text: string) => T | undefined,
  checkedSince: CheckedSince = 'always',
): Argument<T, 'required'> {
  return kind(name, expected, read, checkedSince)
}
