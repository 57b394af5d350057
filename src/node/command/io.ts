/**
 * What a subcommand may touch: two text streams, whether they are a terminal, and the exit codes.
 */

/** Exit codes of the `ovpn` command. */
export const EXIT = {
  ok: 0,
  /** The work failed: no connection, lost pings, a refused login. */
  failed: 1,
  /** The input can't work: a bad command line or profile. Nothing was sent. */
  usage: 2,
} as const

/** Streams of a command. */
export interface CommandIo {
  readonly out: (line: string) => void
  readonly error: (line: string) => void
  /** True when `out` is a terminal that shows colours. */
  readonly colour: boolean
}

/** The process's own streams. Colours only on a terminal, and never with NO_COLOR. */
export function processIo(): CommandIo {
  let isOpen = true
  // Who reads the output may have heard enough: `ovpn lint … | head`. The work goes on, unheard.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    isOpen = false
  })
  return {
    out: (line) => {
      if (isOpen) process.stdout.write(`${line}\n`)
    },
    error: (line) => {
      process.stderr.write(`${line}\n`)
    },
    colour: process.stdout.isTTY && process.env['NO_COLOR'] === undefined,
  }
}

/** The command line can't be understood; `message` says what would be right. */
export class CommandLineError extends Error {
  override readonly name = 'CommandLineError'
}

/** `1 error`, `2 errors`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

/** A non-negative number out of an option's text. */
export function numberOption(name: string, text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value) || value < 0) {
    throw new CommandLineError(`--${name} wants a number, not "${text}"`)
  }
  return value
}

/** The same for whole numbers of at least `least`. */
export function integerOption(name: string, text: string | undefined, fallback: number, least = 0): number {
  const value = numberOption(name, text, fallback)
  if (!Number.isInteger(value) || value < least) {
    throw new CommandLineError(`--${name} wants a whole number of at least ${least}, not "${String(text)}"`)
  }
  return value
}
