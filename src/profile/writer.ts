/**
 * A profile back into text.
 *
 * `documentText` prints a file exactly as it was; this writer prints what the profile means: one directive a line in the
 * order it was read, includes in place, comments gone, names as the table spells them. What it prints reads back as the same
 * profile, and prints the same again (PROF-32). Keys and certificates go into inline blocks or into files of their own, or
 * stay where they are.
 */
import { ConfigError } from '../bytes/index.ts'
import { type Entry, isForwardCompatible } from './entry.ts'
import { joinWords } from './lexer.ts'
import { directoryOf } from './paths.ts'
import type { Profile } from './profile.ts'

/**
 * Where contents go. `as-is`: blocks stay blocks, files stay files. `inline`: everything that may stand in a block and was
 * supplied does. `files`: every block becomes a file.
 */
export type ContentStyle = 'as-is' | 'inline' | 'files'

/** Options of {@link writeProfile}. */
export interface WriteOptions {
  /** Default `as-is`. */
  readonly style?: ContentStyle
  /** What the names of new files start with, for `files`. Default `profile`. */
  readonly stem?: string
}

/** What was written. */
export interface WrittenProfile {
  readonly text: string
  /** Contents of the files that `text` newly names, by name relative to it. */
  readonly files: ReadonlyMap<string, string>
}

/** Directives that the written text does without: includes are in place, names are as they resolve. */
const DISSOLVED: ReadonlySet<string> = new Set(['config', 'cd'])

/** Endings of new files. */
const ENDINGS: Readonly<Record<string, string>> = {
  ca: 'crt',
  cert: 'crt',
  'extra-certs': 'crt',
  pkcs12: 'p12',
  'crl-verify': 'pem',
}

/**
 * The text of a profile.
 *
 * @throws ConfigError for a word that no line can hold, such as one from a command line with a line feed in it.
 */
export function writeProfile(profile: Profile, options: WriteOptions = {}): WrittenProfile {
  const writer = new ProfileWriter(profile, options.style ?? 'as-is', options.stem ?? 'profile')
  return { text: writer.write(), files: writer.files }
}

class ProfileWriter {
  readonly files = new Map<string, string>()
  readonly #profile: Profile
  readonly #style: ContentStyle
  readonly #stem: string
  /** A written line has made everything behind it optional. */
  #forwardCompatible = false

  constructor(profile: Profile, style: ContentStyle, stem: string) {
    this.#profile = profile
    this.#style = style
    this.#stem = stem
  }

  write(): string {
    const { blocks, entries } = this.#profile
    const parts: string[] = []
    let block = 0
    const openBlocks = (before: number): void => {
      for (; (blocks[block]?.entriesBefore ?? Infinity) <= before; block++) {
        const inside = this.#profile.entriesIn(block).map((entry) => this.#entry(entry))
        parts.push(`<connection>\n${inside.join('')}</connection>\n`)
      }
    }
    for (const entry of entries) {
      openBlocks(entry.index)
      if (entry.connection === undefined && !DISSOLVED.has(entry.name)) parts.push(this.#entry(entry))
    }
    openBlocks(entries.length)
    return parts.join('')
  }

  #entry(entry: Entry): string {
    const { content } = entry
    if (content !== undefined) {
      const text = content.reveal()
      return this.#style === 'files' ? this.#toFile(entry, text) : block(entry, text)
    }
    const inlined = this.#style === 'inline' ? this.#toBlock(entry) : undefined
    return inlined ?? this.#line(entry, this.#words(entry))
  }

  /** The words, with file names as they are seen from the written text. */
  #words(entry: Entry): readonly string[] {
    return entry.words.map((word, index) => {
      if (entry.row.arguments[index]?.file === undefined || word === '') return word
      const path = this.#profile.resolve(entry, word)
      const home = directoryOf(this.#profile.file)
      return home !== '' && path.startsWith(`${home}/`) ? path.slice(home.length + 1) : path
    })
  }

  #toFile(entry: Entry, text: string): string {
    const ending = Object.hasOwn(ENDINGS, entry.name) ? (ENDINGS[entry.name] as string) : 'key'
    const taken = (name: string): boolean => this.files.has(name) && this.files.get(name) !== text
    const base = `${this.#stem}-${entry.name}`
    let name = `${base}.${ending}`
    for (let n = 2; taken(name); n++) name = `${base}-${n}.${ending}`
    this.files.set(name, text)
    return this.#line(entry, [name])
  }

  /** The file of an entry as a block, where it may be one and was supplied; what else stood on the line gets a line. */
  #toBlock(entry: Entry): string | undefined {
    const [file] = entry.row.arguments
    if (entry.row.inline === undefined || file?.file !== 'content' || entry.words[0] === undefined) return undefined
    const [, second] = entry.words
    const direction = entry.name === 'tls-auth' || entry.name === 'secret'
    if (second !== undefined && !direction) return undefined
    const text = this.#profile.suppliedText(entry)
    if (text === undefined || text.includes(`</${entry.name}>`) || text.includes('</connection>')) return undefined
    const ended = text === '' || text.endsWith('\n') ? text : `${text}\n`
    return (second === undefined ? '' : `key-direction ${second}\n`) + block(entry, ended)
  }

  #line(entry: Entry, words: readonly string[]): string {
    const opt = entry.optional && !this.#forwardCompatible
    if (isForwardCompatible(entry)) this.#forwardCompatible = true
    const spelled = joinWords([...(opt ? ['setenv', 'opt'] : []), entry.name, ...words])
    if (spelled !== undefined) return spelled.endsWith('\n') ? spelled : `${spelled}\n`
    throw new ConfigError(
      entry.name,
      'no line of a profile can hold these words; they have line feeds in them',
      entry.place,
    )
  }
}

function block(entry: Entry, text: string): string {
  return `<${entry.name}>\n${text}</${entry.name}>\n`
}
