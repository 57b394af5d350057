/**
 * The ways in: text, a command line or a file for one client, into a profile and everything that is wrong with it.
 *
 * {@link inspectProfile} never throws and returns all findings at once; {@link parseProfile} throws a `ProfileError`, a
 * `ConfigError` that carries them all, when one of them keeps the profile from working.
 */
import { joinWords } from './lexer.ts'
import { parseDocument } from './document.ts'
import { isFatal, ProfileError, type ProfileProblem } from './problem.ts'
import { sortProblems } from './problem-order.ts'
import { Profile } from './profile.ts'
import type { ProfileContext } from './placement.ts'
import { readDocument } from './read.ts'
import { checkRules } from './rules.ts'
import type { ProfileFiles } from './source.ts'

/** A profile and everything found in it. */
export interface Inspection {
  readonly profile: Profile
  /** In the order of the text, file by file; what the profile lacks comes last. */
  readonly problems: readonly ProfileProblem[]
}

/** Options of {@link inspectProfile} and {@link parseProfile}. */
export interface ParseOptions {
  /** The main file's name, for messages and for relative names. Default `profile.ovpn`. */
  readonly file?: string
  /** Default `profile`. */
  readonly context?: ProfileContext
}

/**
 * Reads a profile and says all that is wrong with it.
 *
 * @param text - the text, or the file's bytes.
 * @param files - contents of the files it names, by {@link ProfileFiles} keys. Left out, files are not missed; given, a
 * file that is not in it is an error.
 */
export function inspectProfile(
  text: string | Uint8Array,
  files?: ProfileFiles,
  options: ParseOptions = {},
): Inspection {
  const context = options.context ?? 'profile'
  const read = readDocument(parseDocument(options.file ?? 'profile.ovpn', text), files, context)
  const profile = new Profile(read, files)
  const problems = context === 'per-client' || !profile.isText ? [] : checkRules(profile)
  return { profile, problems: sortProblems([...read.problems, ...problems], profile) }
}

/**
 * Reads a profile that is meant to work.
 *
 * @example
 * const profile = parseProfile(text, new Map([['ca.crt', caPem]]))
 * profile.connections[0]?.host
 *
 * @throws ProfileError when something keeps it from working: every finding is in `problems`.
 */
export function parseProfile(text: string | Uint8Array, files?: ProfileFiles, options: ParseOptions = {}): Profile {
  const { profile, problems } = inspectProfile(text, files, options)
  if (problems.some(isFatal)) throw new ProfileError(problems)
  return profile
}

/** The text of a command line (`--dev`, `tun`, …), one directive a line; a single bare word is a file to include. */
export function commandLineText(words: readonly string[]): string {
  const [only] = words
  if (words.length === 1 && only !== undefined && !only.startsWith('--'))
    return `${joinWords(['config', only]) ?? ''}\n`
  const lines: string[][] = []
  for (const word of words) {
    // Words before the first option belong to nothing: they stand alone and are found to be no directive.
    if (word.startsWith('--') || lines.length === 0) lines.push([word])
    else lines.at(-1)?.push(word)
  }
  return lines.map((line) => `${joinWords(line) ?? ''}\n`).join('')
}
