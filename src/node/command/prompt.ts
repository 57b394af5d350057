/**
 * Questions to the person at the terminal, and their answers: secrets without echo.
 *
 * Where standard input is no terminal its lines are the answers, in the order of the questions, so that a program can give
 * them. Ctrl-C and the end of the input refuse to answer.
 */
import type { ReadStream } from 'node:tty'

/** Asks one question after the other. */
export class Prompter {
  #rest = ''
  #queue: Promise<unknown> = Promise.resolve()
  /** Ends the question that is being asked, without an answer. */
  #cancel: (() => void) | undefined
  #closed = false

  /**
   * Resolves with the answer; undefined when there is none.
   *
   * @param echo - the answer may be seen while it is typed.
   */
  async ask(question: string, echo: boolean): Promise<string | undefined> {
    const answer = this.#queue.then(() => this.#ask(question, echo))
    this.#queue = answer
    return await answer
  }

  /** Asks no more: who is being asked now, and whoever comes later, gives no answer. */
  close(): void {
    this.#closed = true
    this.#cancel?.()
  }

  async #ask(question: string, echo: boolean): Promise<string | undefined> {
    const input = process.stdin
    if (this.#closed) return undefined
    if (!input.isTTY) return await this.#line()
    process.stderr.write(question)
    input.setRawMode(true)
    try {
      return await typed(input, echo, (cancel) => {
        this.#cancel = cancel
      })
    } finally {
      this.#cancel = undefined
      input.setRawMode(false)
      input.pause()
      process.stderr.write('\n')
    }
  }

  /** The next line of standard input. */
  async #line(): Promise<string | undefined> {
    const input = process.stdin
    while (!this.#rest.includes('\n')) {
      const more = await new Promise<string | undefined>((done) => {
        const finish = (data: Buffer | undefined): void => {
          input.off('data', finish)
          input.off('end', atEnd)
          this.#cancel = undefined
          done(data?.toString())
        }
        const atEnd = (): void => {
          finish(undefined)
        }
        this.#cancel = atEnd
        input.on('data', finish)
        input.on('end', atEnd)
        if (input.readableEnded) atEnd()
        else input.resume()
      })
      input.pause()
      if (more === undefined) {
        if (this.#rest === '') return undefined
        this.#rest += '\n'
      } else {
        this.#rest += more
      }
    }
    const end = this.#rest.indexOf('\n')
    const line = this.#rest.slice(0, end).replace(/\r$/, '')
    this.#rest = this.#rest.slice(end + 1)
    return line
  }
}

/** Reads keys up to Enter. `cancellable` is given what ends that without an answer. */
function typed(
  input: ReadStream,
  echo: boolean,
  cancellable: (cancel: () => void) => void,
): Promise<string | undefined> {
  const characters: string[] = []
  return new Promise((done) => {
    const finish = (answer: string | undefined): void => {
      input.off('data', take)
      done(answer)
    }
    const take = (data: Buffer): void => {
      for (const key of data.toString()) {
        if (key === '\r' || key === '\n') return finish(characters.join(''))
        if (key === '\u0003' || key === '\u0004') return finish(undefined)
        if (key === '\u007f' || key === '\b') {
          if (characters.pop() !== undefined && echo) process.stderr.write('\b \b')
        } else if (key >= ' ') {
          characters.push(key)
          if (echo) process.stderr.write(key)
        }
      }
    }
    cancellable(() => {
      finish(undefined)
    })
    input.on('data', take)
    input.resume()
  })
}
