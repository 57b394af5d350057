/**
 * What reading documents comes to, before a profile is made of it.
 */
import type { ProfileDocument } from './document.ts'
import type { Entry, Place } from './entry.ts'
import type { ProfileProblem } from './problem.ts'

/** A file that a directive names. */
export interface FileReference {
  /** Key into {@link ProfileFiles}. */
  readonly path: string
  /** It is a directory: the files in it are wanted under its path, and where there are none an empty one called `path/`. */
  readonly isDirectory: boolean
  readonly directive: string
  readonly place: Place
}

/** A connection block: its place and how many entries stand before it. */
export interface ConnectionBlock {
  readonly place: Place
  readonly entriesBefore: number
}

/** The outcome of reading. */
export interface ReadResult {
  readonly entries: readonly Entry[]
  /** Where `cd` leads; `undefined`: names are relative to the file they stand in. */
  readonly directory: string | undefined
  readonly blocks: readonly ConnectionBlock[]
  readonly documents: readonly ProfileDocument[]
  readonly problems: readonly ProfileProblem[]
  /** Files named but not supplied. */
  readonly missing: readonly FileReference[]
  readonly ignorable: ReadonlySet<string>
}
