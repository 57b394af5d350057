/**
 * One line at the bottom of the terminal that says how things stand, drawn anew every second and whenever something else
 * was printed above it. Nothing is drawn where the output is no terminal.
 */
import type { CommandIo } from './io.ts'

/** Pause between two drawings, in ms. */
const PERIOD = 1000

/** A command's streams with a status line below them. */
export class StatusLine {
  /** The same streams; what is printed goes above the line. */
  readonly io: CommandIo
  readonly #terminal: NodeJS.WriteStream | undefined
  readonly #text: () => string
  #timer: NodeJS.Timeout | undefined

  /**
   * @param text - the line now; empty for none.
   * @param wanted - false: draw nothing.
   */
  constructor(io: CommandIo, text: () => string, wanted: boolean, terminal: NodeJS.WriteStream = process.stdout) {
    this.#text = text
    this.#terminal = wanted && terminal.isTTY ? terminal : undefined
    this.io =
      this.#terminal === undefined
        ? io
        : {
            ...io,
            out: (line) => {
              this.#above(() => {
                io.out(line)
              })
            },
            error: (line) => {
              this.#above(() => {
                io.error(line)
              })
            },
          }
  }

  start(): void {
    if (this.#terminal === undefined) return
    this.#timer ??= setInterval(() => {
      this.draw()
    }, PERIOD)
    this.draw()
  }

  /** Takes the line away, for a question or for good. */
  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#terminal?.write(CLEAR)
  }

  /** Draws the line as it is now. */
  draw(): void {
    if (this.#terminal === undefined || this.#timer === undefined) return
    const { columns } = this.#terminal
    // A terminal may not know its width.
    const width = (columns > 0 ? columns : 80) - 1
    this.#terminal.write(`${CLEAR}${this.#text().slice(0, width)}`)
  }

  #above(print: () => void): void {
    this.#terminal?.write(CLEAR)
    print()
    this.draw()
  }
}

/** To the start of the line, and nothing on it. */
const CLEAR = '\r\u001b[2K'

/** Bytes over time: remembers the last look, so call it once per drawing. */
export class Rate {
  #bytes = 0
  #at: number
  #rate = 0

  constructor(now: number) {
    this.#at = now
  }

  /** Bits per second since the last look of at least half a period ago. */
  look(bytes: number, now: number): number {
    const time = now - this.#at
    if (time >= PERIOD / 2) {
      this.#rate = (Math.max(bytes - this.#bytes, 0) * 8000) / time
      this.#bytes = bytes
      this.#at = now
    }
    return this.#rate
  }
}

/** `1.2 MB`. */
export function showBytes(bytes: number): string {
  return showScaled(bytes, ['B', 'kB', 'MB', 'GB', 'TB'])
}

/** `3.4 Mbit/s`. */
export function showRate(bitsPerSecond: number): string {
  return showScaled(bitsPerSecond, ['bit/s', 'kbit/s', 'Mbit/s', 'Gbit/s'])
}

function showScaled(value: number, units: readonly string[]): string {
  let scaled = value
  let unit = 0
  while (scaled >= 1000 && unit < units.length - 1) {
    scaled /= 1000
    unit++
  }
  const digits = unit === 0 || scaled >= 100 ? 0 : 1
  return `${scaled.toFixed(digits)} ${units[unit] ?? ''}`
}

/** `1:02:03`, or `2:03`. */
export function showDuration(ms: number): string {
  const seconds = Math.max(Math.floor(ms / 1000), 0)
  const two = (value: number): string => `${value}`.padStart(2, '0')
  const hours = Math.floor(seconds / 3600)
  const minutes = Math.floor(seconds / 60) % 60
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`
}
