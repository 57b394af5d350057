/**
 * One directive as a profile gives it: which row of the table, where it stands, its words and their typed values.
 *
 * Words and values may be secrets, so they are private and show only through getters that `console.log` and JSON skip.
 */
import type { Directive } from './directive.ts'
import type { SecretText } from './secret.ts'
import type { DirectiveName } from './table.ts'

/** Where something stands. */
export interface Place {
  /** File name as the host gave it. */
  readonly file: string
  /** 1-based. */
  readonly line: number
  /** 1-based, in UTF-16 units. */
  readonly column: number
}

/** Everything an entry is made of. */
export interface EntryParts {
  /** Its number among the profile's entries, from 0. */
  readonly index: number
  readonly name: DirectiveName
  readonly row: Directive
  readonly place: Place
  readonly words: readonly string[]
  /** Column of each word. */
  readonly columns: readonly number[]
  readonly values: readonly unknown[]
  readonly content: SecretText | undefined
  /** Index of the connection block it stands in. */
  readonly connection: number | undefined
  /** Behind `setenv opt`, or after `setenv FORWARD_COMPATIBLE 1`. */
  readonly optional: boolean
  readonly behindSetenvOpt: boolean
  /** Directory that relative names are relative to. */
  readonly directory: string
}

/** A directive of a profile. */
export class Entry {
  /** Its number among the profile's entries, from 0. */
  readonly index: number
  readonly name: DirectiveName
  readonly row: Directive
  readonly place: Place
  /** Index of the connection block it stands in, or `undefined`. */
  readonly connection: number | undefined
  /** True behind `setenv opt`, or after `setenv FORWARD_COMPATIBLE 1`: releases pass over what they do not take. */
  readonly optional: boolean
  readonly behindSetenvOpt: boolean
  readonly directory: string
  /** Text of the inline block that it was given as. */
  readonly content: SecretText | undefined
  readonly #words: readonly string[]
  readonly #columns: readonly number[]
  readonly #values: readonly unknown[]

  constructor(parts: EntryParts) {
    this.index = parts.index
    this.name = parts.name
    this.row = parts.row
    this.place = parts.place
    this.connection = parts.connection
    this.optional = parts.optional
    this.behindSetenvOpt = parts.behindSetenvOpt
    this.directory = parts.directory
    this.content = parts.content
    this.#words = parts.words
    this.#columns = parts.columns
    this.#values = parts.values
  }

  /** The words after the name. Empty for an inline block. */
  get words(): readonly string[] {
    return this.#words
  }

  /** Typed values in the order of the row's arguments; `undefined` where a word is missing or was refused. */
  get values(): readonly unknown[] {
    return this.#values
  }

  /** True when every word that must be there is there and was understood: only then do the values have their types. */
  get sound(): boolean {
    if (this.content !== undefined) return false
    return this.row.arguments.every(({ need }, index) => need !== 'required' || this.#values[index] !== undefined)
  }

  /** The column of a word, or of the name where there is none. */
  columnOf(word: number): number {
    return this.#columns[word] ?? this.place.column
  }
}

/** `setenv FORWARD_COMPATIBLE 1`: what follows is optional. */
export function isForwardCompatible({ name, words }: Entry): boolean {
  return name === 'setenv' && words[0] === 'FORWARD_COMPATIBLE' && words[1] === '1'
}
