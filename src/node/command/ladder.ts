/**
 * A conversation drawn as a ladder: two columns, one line per packet, notes at the side they belong to.
 */
import type { ControlTrace } from '../../session/index.ts'

/** Which end of the ladder. */
export type Side = 'left' | 'right'

const WIDTH = 58
const STYLE = { dim: '\u001b[2m', bold: '\u001b[1m', cyan: '\u001b[36m', green: '\u001b[32m', reset: '\u001b[0m' }

/** Writes the rungs as they happen. */
export class Ladder {
  readonly #write: (line: string) => void
  readonly #colour: boolean
  readonly #start: number

  /** @param start - the clock's value, in ms, that is shown as 0. */
  constructor(write: (line: string) => void, colour: boolean, start: number) {
    this.#write = write
    this.#colour = colour
    this.#start = start
  }

  /** The two names above the columns. */
  heading(left: string, right: string): void {
    this.#write(`${' '.repeat(9)}${this.#paint('bold', left.padEnd(WIDTH - right.length + 2) + right)}`)
  }

  /** One control packet, by its trace, sent from `from`. */
  control(now: number, from: Side, trace: ControlTrace): void {
    const id = trace.packetId === undefined ? '' : ` #${trace.packetId}`
    const acks = trace.acks.length === 0 ? '' : ` ack ${trace.acks.join(',')}`
    const key = trace.keyId === 0 ? '' : ` key ${trace.keyId}`
    const again = trace.repeated ? ' again' : ''
    this.#arrow(now, from, `${trace.opcode}${key}${id}${acks}${again}`, `${trace.size} B`)
  }

  /** A rung with a label of the caller's. */
  arrow(now: number, from: Side, label: string, remark = ''): void {
    this.#arrow(now, from, label, remark)
  }

  #arrow(now: number, from: Side, label: string, remark: string): void {
    const text = ` ${label} `
    const fill = '─'.repeat(Math.max(2, WIDTH - 1 - text.length))
    const half = Math.min(3, fill.length - 1)
    const line =
      from === 'left'
        ? `├${fill.slice(0, half)}${text}${fill.slice(half)}▶│`
        : `│◀${fill.slice(0, half)}${text}${fill.slice(half)}┤`
    this.#write(`${this.#time(now)} ${this.#paint('cyan', line)} ${this.#paint('dim', remark)}`)
  }

  /** News at one side, over one or more lines. */
  note(now: number, side: Side, ...lines: readonly string[]): void {
    lines.forEach((text, index) => {
      const time = index === 0 ? this.#time(now) : ' '.repeat(8)
      const body = side === 'left' ? `● ${text}` : `${text} ●`.padStart(WIDTH + 2)
      this.#write(`${time} ${this.#paint('green', body)}`)
    })
  }

  #time(now: number): string {
    return this.#paint('dim', (now - this.#start).toFixed(1).padStart(8))
  }

  #paint(style: keyof typeof STYLE, text: string): string {
    return this.#colour ? `${STYLE[style]}${text}${STYLE.reset}` : text
  }
}
