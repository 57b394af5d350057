/**
 * A profile that was read: typed access to its directives, its connections, and the files it names.
 *
 * The last occurrence of a directive counts, except where the table says that all do. Values have the types of the
 * directive table: `profile.value('keepalive')` is a pair of numbers. A server's and a client's profile are the same
 * class; {@link Profile.role} says which it is.
 */
import { ConfigError } from '../bytes/index.ts'
import { Connection } from './connection.ts'
import type { ProfileRole } from './directive.ts'
import { documentText, type ProfileDocument } from './document.ts'
import type { Entry, Place } from './entry.ts'
import { resolvePath } from './paths.ts'
import type { ProfileProblem } from './problem.ts'
import type { FileReference, ReadResult } from './read-result.ts'
import { type ProfileFiles, sourceBytes, sourceText } from './source.ts'
import type { DirectiveName, ValuesFor } from './table.ts'

/** A configuration as its text says it. Immutable. */
export class Profile {
  /** The main file's name as the host gave it. */
  readonly file: string
  /** Every directive that counts somewhere, in the order of the text, includes in place. */
  readonly entries: readonly Entry[]
  /** The files it was read from, the main one first; they print back to the exact text. */
  readonly documents: readonly ProfileDocument[]
  /** Files that it names and that were not supplied. */
  readonly missingFiles: readonly FileReference[]
  /** One per remote, in the order of the text. Empty for a server. */
  readonly connections: readonly Connection[]
  /** What settings apply to: the connections, or the profile as a whole where there are none. */
  readonly scopes: readonly Connection[]
  /** What reading found: syntax, names, words. Rules about directives together come on top of it. */
  readonly readProblems: readonly ProfileProblem[]
  /** Names that `ignore-unknown-option` lists. */
  readonly ignorable: ReadonlySet<string>
  /** Where each connection block starts, and how many entries stand before it. */
  readonly blocks: ReadResult['blocks']
  readonly #files: ProfileFiles
  readonly #directory: string | undefined
  readonly #byName = new Map<string, Entry[]>()
  readonly #byBlock: readonly Entry[][]

  constructor(read: ReadResult, files: ProfileFiles | undefined) {
    const main = read.documents[0]
    this.file = main?.file ?? ''
    this.entries = read.entries
    this.documents = read.documents
    this.missingFiles = read.missing
    this.blocks = read.blocks
    this.ignorable = read.ignorable
    this.#files = files ?? new Map()
    this.#directory = read.directory
    this.#byBlock = read.blocks.map(() => [])
    for (const entry of read.entries) {
      if (entry.connection !== undefined) {
        this.#byBlock[entry.connection]?.push(entry)
        continue
      }
      const name = entry.row.aliasOf ?? entry.name
      const list = this.#byName.get(name)
      if (list === undefined) this.#byName.set(name, [entry])
      else list.push(entry)
    }
    this.readProblems = read.problems
    this.connections = Connection.listOf(this)
    this.scopes = this.connections.length === 0 ? [Connection.wholeOf(this)] : this.connections
  }

  /** False when the main file is no text: nothing was read of it. */
  get isText(): boolean {
    return this.documents[0]?.isText !== false
  }

  /** What the profile is for: many clients, one peer that pushes settings, or one equal peer. */
  get role(): ProfileRole {
    if (this.has('server') || this.has('server-bridge') || this.has('server-ipv6')) return 'server'
    if (this.value('mode')?.[0] === 'server') return 'server'
    return this.has('client') || this.has('pull') ? 'client' : 'peer'
  }

  /** The main file's exact text. */
  get text(): string {
    const main = this.documents[0]
    return main === undefined ? '' : documentText(main)
  }

  /** True when the directive stands outside connection blocks. Aliases count as what they stand for. */
  has(name: DirectiveName): boolean {
    return this.#byName.has(name)
  }

  /** The occurrence that counts: the last one outside connection blocks. */
  entry(name: DirectiveName): Entry | undefined {
    return this.#byName.get(name)?.at(-1)
  }

  /** Every occurrence outside connection blocks, in order. */
  entriesOf(name: DirectiveName): readonly Entry[] {
    return this.#byName.get(name) ?? []
  }

  /** What stands in a connection block, in order. */
  entriesIn(block: number): readonly Entry[] {
    return this.#byBlock[block] ?? []
  }

  /** Typed values of the occurrence that counts; `undefined` when there is none, it is an inline block or a word is wrong. */
  value<N extends DirectiveName>(name: N): ValuesFor<N> | undefined {
    return valuesOf<N>(this.entry(name))
  }

  /** Typed values of every occurrence that has some. */
  values<N extends DirectiveName>(name: N): readonly ValuesFor<N>[] {
    return this.entriesOf(name)
      .map((entry) => valuesOf<N>(entry))
      .filter((values) => values !== undefined)
  }

  /** Text of an entry's inline block or of the file it names. @throws ConfigError when there is neither. */
  textOf(entry: Entry): string {
    if (entry.content !== undefined) return entry.content.reveal()
    return asText(this.#sourceOf(entry), entry)
  }

  /** Text of an entry's inline block or of the file it names; `undefined` where none was supplied or it is no text. */
  suppliedText(entry: Entry): string | undefined {
    if (entry.content !== undefined) return entry.content.reveal()
    const source = this.#files.get(this.pathOf(entry) ?? '')
    return source === undefined ? undefined : sourceText(source)
  }

  /** Bytes of an entry's inline block or file, undecoded. @throws ConfigError when there is neither. */
  bytesOf(entry: Entry): Uint8Array {
    return sourceBytes(entry.content === undefined ? this.#sourceOf(entry) : entry.content.reveal())
  }

  /** The key of the file that an entry names; `undefined` for an inline block. */
  pathOf(entry: Entry): string | undefined {
    const name = entry.words[0]
    return name === undefined || entry.content !== undefined ? undefined : this.resolve(entry, name)
  }

  /** A name that an entry gives, as a key into the files. */
  resolve(entry: Entry, name: string): string {
    return resolvePath(this.#directory ?? entry.directory, name)
  }

  /** Text of a file that an entry names beside its main one. @throws ConfigError when it was not supplied or is no text. */
  textNamed(entry: Entry, name: string): string {
    const source = this.#files.get(this.resolve(entry, name))
    if (source === undefined) throw noSuchFile(entry)
    return asText(source, entry)
  }

  /** Names of the supplied files that lie directly in a directory. */
  namesIn(directory: string): readonly string[] {
    const prefix = directory === '' || directory.endsWith('/') ? directory : `${directory}/`
    const inside = [...this.#files.keys()].filter((path) => path.startsWith(prefix))
    return inside.map((path) => path.slice(prefix.length)).filter((name) => name !== '' && !name.includes('/'))
  }

  #sourceOf(entry: Entry): string | Uint8Array {
    const source = this.#files.get(this.pathOf(entry) ?? '')
    if (source === undefined) throw noSuchFile(entry)
    return source
  }
}

function noSuchFile({ name, place }: Entry): ConfigError {
  return new ConfigError(name, 'there is no such file; put it there, or its text into an inline block', place)
}

function asText(source: string | Uint8Array, { name, place }: Entry): string {
  const text = sourceText(source)
  if (text === undefined) throw new ConfigError(name, 'the file is not text; it should be', place)
  return text
}

/** Typed values of an entry that was found under `N`. */
export function valuesOf<N extends DirectiveName>(entry: Entry | undefined): ValuesFor<N> | undefined {
  if (entry?.sound !== true) return undefined
  // The reader filled `values` from the very row that gives the type.
  return entry.values as unknown as ValuesFor<N>
}

/** The start of a profile's main file, for problems of the whole. */
export function startOf(profile: Profile): Place {
  return { file: profile.file, line: 1, column: 1 }
}
