/** A queue that also takes back at its front; shifting costs the same however long it is. */
export class Fifo<T> {
  #items: (T | undefined)[] = []
  #head = 0

  get length(): number {
    return this.#items.length - this.#head
  }

  push(item: T): void {
    this.#items.push(item)
  }

  unshift(item: T): void {
    if (this.#head === 0) {
      this.#items.unshift(item)
      return
    }
    this.#head -= 1
    this.#items[this.#head] = item
  }

  peek(): T | undefined {
    return this.#items[this.#head]
  }

  shift(): T | undefined {
    if (this.length === 0) return undefined
    const item = this.#items[this.#head]
    this.#items[this.#head] = undefined
    this.#head += 1
    if (this.#head === this.#items.length) this.clear()
    else if (this.#head > 1024 && this.#head > this.#items.length / 2) this.#compact()
    return item
  }

  clear(): void {
    this.#items.length = 0
    this.#head = 0
  }

  /** Keeps what `keep` says, in order. */
  filter(keep: (item: T) => boolean): void {
    this.#items = this.toArray().filter(keep)
    this.#head = 0
  }

  toArray(): T[] {
    return this.#items.slice(this.#head) as T[]
  }

  #compact(): void {
    this.#items = this.#items.slice(this.#head)
    this.#head = 0
  }
}
