/**
 * One login at a time: the question that the host is to answer now, and those that wait behind it.
 *
 * A peer's restart may negotiate beside a renegotiation of the session that it is to replace, each with a login of its own,
 * and the host's answers carry no number. So the second question is asked when the first has its answer (spec/session.md).
 */
import type { SessionEvent } from './output.ts'

/** The host's question. */
export type LoginQuestion = Omit<Extract<SessionEvent, { type: 'login' }>, 'number'>

interface Asked<T> {
  readonly who: T
  readonly question: LoginQuestion
}

/** The questions of one session's exchanges. */
export class LoginDesk<T extends object> {
  readonly #ask: (question: LoginQuestion, number: number) => void
  readonly #waiting: Asked<T>[] = []
  #current: T | undefined
  /** Questions put so far. */
  #count = 0

  /** @param ask - puts a question to the host, under a number of its own. */
  constructor(ask: (question: LoginQuestion, number: number) => void) {
    this.#ask = ask
  }

  /** Whose login the host is to answer. */
  get current(): T | undefined {
    return this.#current
  }

  /** The number of that question; undefined when none waits for an answer. */
  get number(): number | undefined {
    return this.#current === undefined ? undefined : this.#count
  }

  /** Asks, or lets the question wait for its turn. A newer question of the same exchange stands in the older one's place. */
  submit(who: T, question: LoginQuestion): void {
    if (this.#current === undefined || this.#current === who) {
      this.#put({ who, question })
      return
    }
    this.#remove(who)
    this.#waiting.push({ who, question })
  }

  /** The exchange's question has its answer, or nobody wants one any more: the next one's turn. */
  leave(who: T): void {
    this.#remove(who)
    if (this.#current !== who) return
    this.#current = undefined
    const next = this.#waiting.shift()
    if (next !== undefined) this.#put(next)
  }

  #put({ question, who }: Asked<T>): void {
    this.#current = who
    this.#ask(question, ++this.#count)
  }

  #remove(who: T): void {
    const index = this.#waiting.findIndex((asked) => asked.who === who)
    if (index >= 0) this.#waiting.splice(index, 1)
  }
}
