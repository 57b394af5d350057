/**
 * First in, first out, in a ring: every output queue is one of these.
 */

/** Places of the smallest ring, a power of two; a queue that was never used has none. */
const LEAST = 8

/** A FIFO whose `push` and `shift` cost the same however long it is. */
export class Queue<T> {
  #items: (T | undefined)[] = []
  #head = 0
  #length = 0

  get length(): number {
    return this.#length
  }

  push(item: T): void {
    if (this.#length === this.#items.length) this.#grow()
    this.#items[(this.#head + this.#length) & (this.#items.length - 1)] = item
    this.#length++
  }

  /** Takes the oldest item, or `undefined` when empty. */
  shift(): T | undefined {
    if (this.#length === 0) return undefined
    const item = this.#items[this.#head]
    this.#items[this.#head] = undefined
    this.#head = (this.#head + 1) & (this.#items.length - 1)
    this.#length--
    return item
  }

  /** The oldest item, left in place. */
  peek(): T | undefined {
    return this.#length === 0 ? undefined : this.#items[this.#head]
  }

  clear(): void {
    this.#items = []
    this.#head = 0
    this.#length = 0
  }

  #grow(): void {
    const larger = new Array<T | undefined>(Math.max(LEAST, this.#items.length * 2))
    for (let i = 0; i < this.#length; i++) larger[i] = this.#items[(this.#head + i) & (this.#items.length - 1)]
    this.#items = larger
    this.#head = 0
  }
}
