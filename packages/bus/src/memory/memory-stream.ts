import type { Entry, Position, StreamName } from '../bus.ts'

interface Stored {
  readonly entry: Entry
  readonly bytes: number
}

/** What `extent` answers of one stream. */
export interface Extent {
  readonly first: Position | undefined
  readonly last: Position
  readonly length: number
}

/** One stream: positions count from 1, so that an entry is found without searching. */
export class MemoryStream {
  readonly #name: StreamName
  /** From the first entry that is still there to the last; removed ones in between leave holes. */
  #stored: (Stored | undefined)[] = []
  /** Holes before the first entry, cut off now and then. */
  #head = 0
  /** Position of `#stored[0]`. */
  #base = 1
  #length = 0
  #bytes = 0

  constructor(name: StreamName) {
    this.#name = name
  }

  get length(): number {
    return this.#length
  }

  get bytes(): number {
    return this.#bytes
  }

  append(frames: Entry['frames'], bytes: number): Position {
    const position = String(this.#base + this.#stored.length)
    this.#stored.push({ entry: { stream: this.#name, position, frames }, bytes })
    this.#length += 1
    this.#bytes += bytes
    return position
  }

  /** Adds at most `count` entries after `position` to `entries`. */
  collect(position: Position, count: number, entries: Entry[]): void {
    const enough = entries.length + count
    let index = Math.max(Number.parseInt(position, 10) + 1 - this.#base, this.#head)
    for (; index < this.#stored.length && entries.length < enough; index += 1) {
      const stored = this.#stored[index]
      if (stored) entries.push(stored.entry)
    }
  }

  /** Takes one entry out and answers its bytes; 0 when it is gone already. */
  remove(position: Position): number {
    const index = Number(position) - this.#base
    const stored = this.#stored[index]
    if (!stored) return 0
    this.#stored[index] = undefined
    this.#length -= 1
    this.#bytes -= stored.bytes
    this.#compact()
    return stored.bytes
  }

  /** Takes out everything up to and including `position` and answers its bytes. */
  removeUpTo(position: Position): number {
    const end = Math.min(Number.parseInt(position, 10) + 1 - this.#base, this.#stored.length)
    let bytes = 0
    for (let index = this.#head; index < end; index += 1) {
      const stored = this.#stored[index]
      if (!stored) continue
      this.#stored[index] = undefined
      this.#length -= 1
      bytes += stored.bytes
    }
    this.#bytes -= bytes
    this.#compact()
    return bytes
  }

  extent(): Extent {
    return {
      first: this.#length > 0 ? String(this.#base + this.#head) : undefined,
      last: String(this.#base + this.#stored.length - 1),
      length: this.#length,
    }
  }

  #compact(): void {
    const end = this.#stored.length
    while (this.#head < end && this.#stored[this.#head] === undefined) this.#head += 1
    if (this.#head < end && this.#head < 64) return
    if (this.#head < end / 2) return
    this.#stored = this.#stored.slice(this.#head)
    this.#base += this.#head
    this.#head = 0
  }
}
