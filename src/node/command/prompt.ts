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

  async #ask(question: string, echo: boolean): Promise<string | undefined> {
    const input = process.stdin
    if (!input.isTTY) return await this.#line()
    process.stderr.write(question)
    input.setRawMode(true)
    try {
      return await typed(input, echo)
    } finally {
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
          done(data?.toString())
        }
        const atEnd = (): void => {
          finish(undefined)
        }
        input.on('data', finish)
        input.on('end', atEnd)
        if (input.readableEnded) atEnd()
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

/** Reads keys up to Enter. */
function typed(input: ReadStream, echo: boolean): Promise<string | undefined> {
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
    input.on('data', take)
    input.resume()
  })
}
