/**
 * Files that commands read and write, with errors in words.
 */
import { appendFileSync, closeSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { ConfigError } from '../../bytes/index.ts'
import { isRecording } from '../../record/index.ts'
import { CommandLineError } from './io.ts'

/** Owner only: what these commands write is mostly secret. */
const PRIVATE = 0o600

/** The bytes of a file that the command line names. */
export function readInput(path: string): Uint8Array {
  try {
    return new Uint8Array(readFileSync(path))
  } catch (error) {
    throw new CommandLineError(`can't read ${path}: ${reason(error)}`)
  }
}

/** The text of a file that the command line names. */
export function readInputText(path: string): string {
  return Buffer.from(readInput(path)).toString('utf8')
}

/**
 * What `read` makes of the text of a file that the command line names.
 * @throws ConfigError of `read`, with the file's name.
 */
export function readInputAs<T>(path: string, read: (text: string) => T): T {
  const text = readInputText(path)
  try {
    return read(text)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    throw new ConfigError(error.option, error.message, { file: path })
  }
}

/** Writes a file that only its owner may read; an existing one is left alone unless `force`. */
export function writePrivate(path: string, content: string | Uint8Array, force = false): void {
  try {
    writeFileSync(path, content, { mode: PRIVATE, flag: force ? 'w' : 'wx' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') {
      throw new CommandLineError(`${path} is there already; --force overwrites it`)
    }
    throw new CommandLineError(`can't write ${path}: ${reason(error)}`)
  }
}

/** Opens a file for lines to be added at its end, for its owner only; each call of the result adds one. */
export function appendPrivate(path: string): (line: string) => void {
  try {
    closeSync(openSync(path, 'a', PRIVATE))
  } catch (error) {
    throw new CommandLineError(`can't write ${path}: ${reason(error)}`)
  }
  return (line) => {
    appendFileSync(path, `${line}\n`, { mode: PRIVATE })
  }
}

/** The same for a new recording, in place of an older one; any other file with something in it is left alone. */
export function createRecording(path: string): (line: string) => void {
  if (statSync(path, { throwIfNoEntry: false })?.isFile() === true) {
    const text = readInputText(path)
    if (text !== '' && !isRecording(text)) throw new CommandLineError(`${path} is there already and is no recording`)
  }
  writePrivate(path, '', true)
  return appendPrivate(path)
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
