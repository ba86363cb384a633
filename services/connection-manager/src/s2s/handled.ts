import type { Mark } from './ledger.ts'
import type { Shard } from './shard.ts'

/**
 * How many of the other server's stanzas came by a stream that we opened (XEP-0288), and are committed: what may be
 * acknowledged, and what is said when the stream is resumed, on whatever instance (XEP-0198 §5).
 */
export class Handled {
  readonly #shard: Shard
  readonly #pair: string
  #id: string | undefined
  #stream = Symbol('stream')
  #received = 0
  #committed = 0

  constructor(shard: Shard, pair: string) {
    this.#shard = shard
    this.#pair = pair
    const inherited = shard.inheritHandled(pair)
    this.#id = inherited?.id
    this.#received = inherited?.h ?? 0
    this.#committed = this.#received
  }

  /** Committed of a stream; those of another one are none. */
  of(id: string): number {
    return id === this.#id ? this.#committed : 0
  }

  /** All that came is committed. */
  get isSettled(): boolean {
    return this.#committed === this.#received
  }

  /** Another stream begins. Only what may be resumed is noted on the bus. */
  begin(id: string | undefined): void {
    this.#id = id
    this.#stream = Symbol('stream')
    this.#received = 0
    this.#committed = 0
  }

  /** One came; `committed` is called with how many are, once this one is. */
  received(committed: (h: number) => void): {
    readonly marks: readonly Mark[]
    readonly done: () => void
  } {
    this.#received += 1
    const [id, h, stream] = [this.#id, this.#received, this.#stream]
    const marks = id === undefined ? [] : [this.#shard.handledMark(this.#pair, { id, h })]
    const done = (): void => {
      // What was committed of an earlier stream says nothing of this one.
      if (stream !== this.#stream) return
      this.#committed = h
      committed(h)
    }
    return { marks, done }
  }
}
