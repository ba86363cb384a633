import type { Reception } from './intake.ts'
import type { Shard } from './shard.ts'

/**
 * How many of the other server's stanzas came by a stream that we opened (XEP-0288), and are on the bus: what is said when
 * the stream is resumed, on whatever instance (XEP-0198 §5). What may be acknowledged their recipients' owners have committed.
 */
export class Handled {
  readonly #shard: Shard
  readonly #pair: string
  #id: string | undefined
  #stream = Symbol('stream')
  #received = 0
  #committed = 0
  /** Numbers of those that their recipients' owners have not committed yet, rising. */
  readonly #open = new Set<number>()

  constructor(shard: Shard, pair: string) {
    this.#shard = shard
    this.#pair = pair
    const inherited = shard.inheritHandled(pair)
    this.#id = inherited?.id
    this.#received = inherited?.h ?? 0
    this.#committed = this.#received
  }

  /** How many of a stream are on the bus; those of another one are none. */
  of(id: string): number {
    return id === this.#id ? this.#committed : 0
  }

  /** All that came is on the bus. */
  get isSettled(): boolean {
    return this.#committed === this.#received
  }

  /** Another stream begins. Only what may be resumed is noted on the bus. */
  begin(id: string | undefined): void {
    this.#id = id
    this.#stream = Symbol('stream')
    this.#received = 0
    this.#committed = 0
    this.#open.clear()
  }

  /** One came; `passed` is called with how many their recipients' owners have committed, once that is more. */
  received(passed: (h: number) => void): Reception {
    this.#received += 1
    const [id, h, stream] = [this.#id, this.#received, this.#stream]
    const marks = id === undefined ? [] : [this.#shard.handledMark(this.#pair, { id, h })]
    this.#open.add(h)
    // What becomes of an earlier stream's says nothing of this one.
    const isOfThis = (): boolean => stream === this.#stream
    return {
      marks,
      done: () => {
        if (isOfThis()) this.#committed = h
      },
      passed: () => {
        if (!isOfThis()) return
        this.#open.delete(h)
        const [next = this.#received + 1] = this.#open
        passed(next - 1)
      },
    }
  }
}
