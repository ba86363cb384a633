import type { Item } from './shard.ts'

/** One that was sent. */
export interface Sent {
  readonly item: Item
  /** Number of its last stanza. */
  readonly n: number
}

/** Stanzas that wait, in order, and how many bytes they are. */
export class ItemQueue {
  #items: Item[] = []
  #bytes = 0

  get length(): number {
    return this.#items.length
  }

  get bytes(): number {
    return this.#bytes
  }

  get lastBytes(): number {
    return this.#items.at(-1)?.bytes ?? 0
  }

  get first(): Item | undefined {
    return this.#items[0]
  }

  push(item: Item): void {
    this.#items.push(item)
    this.#bytes += item.bytes
  }

  take(): Item | undefined {
    return this.#gone(this.#items.shift())
  }

  /** Takes the next one where it was sent before then, in milliseconds since 1970. */
  takeOlder(than: number): Item | undefined {
    const [first] = this.#items
    return first && first.frame.at < than ? this.take() : undefined
  }

  /** Takes back what came last. */
  pop(): Item | undefined {
    return this.#gone(this.#items.pop())
  }

  /** Those that were taken before come first again. */
  putBack(items: readonly Item[]): void {
    this.#items = [...items, ...this.#items]
    this.#bytes = this.#items.reduce((sum, { bytes }) => sum + bytes, 0)
  }

  clear(): void {
    this.#items = []
    this.#bytes = 0
  }

  #gone(item: Item | undefined): Item | undefined {
    this.#bytes -= item?.bytes ?? 0
    return item
  }
}
