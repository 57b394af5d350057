/**
 * The next deadline among thousands of clients: a binary heap whose items know their place, so that moving one costs
 * log n and looking at the earliest costs nothing (SRV-50).
 */

/** What the heap orders. `heapIndex` is the heap's own; -1 means outside. */
export interface HeapItem {
  deadline: number
  heapIndex: number
}

/** Items with a finite deadline, earliest first. */
export class DeadlineHeap<T extends HeapItem> {
  readonly #items: T[] = []

  get size(): number {
    return this.#items.length
  }

  /** The earliest deadline; `Infinity` when there is none. */
  get earliest(): number {
    return this.#items[0]?.deadline ?? Infinity
  }

  /** The item with the earliest deadline. */
  peek(): T | undefined {
    return this.#items[0]
  }

  /** Moves an item to its new deadline; `Infinity` takes it out. SRV-50 */
  set(item: T, deadline: number): void {
    if (item.deadline === deadline && (item.heapIndex >= 0 || deadline === Infinity)) return
    item.deadline = deadline
    if (deadline === Infinity) {
      this.#remove(item)
      return
    }
    if (item.heapIndex < 0) {
      item.heapIndex = this.#items.length
      this.#items.push(item)
    }
    this.#down(this.#up(item.heapIndex))
  }

  #remove(item: T): void {
    const at = item.heapIndex
    if (at < 0) return
    item.heapIndex = -1
    const last = this.#items.pop()
    if (last === undefined || last === item) return
    this.#items[at] = last
    last.heapIndex = at
    this.#down(this.#up(at))
  }

  #up(start: number): number {
    let at = start
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!this.#before(at, parent)) break
      this.#swap(at, parent)
      at = parent
    }
    return at
  }

  #down(start: number): void {
    let at = start
    for (;;) {
      let least = at
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < this.#items.length && this.#before(child, least)) least = child
      }
      if (least === at) return
      this.#swap(at, least)
      at = least
    }
  }

  #before(a: number, b: number): boolean {
    return (this.#items[a] as T).deadline < (this.#items[b] as T).deadline
  }

  #swap(a: number, b: number): void {
    const [first, second] = [this.#items[a] as T, this.#items[b] as T]
    this.#items[a] = second
    this.#items[b] = first
    second.heapIndex = a
    first.heapIndex = b
  }
}
