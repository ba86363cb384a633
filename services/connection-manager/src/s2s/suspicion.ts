import type { Sent } from './item-queue.ts'
import type { Item } from './shard.ts'

/** Streams that may end over a stanza that was under way alone, before it is given up. */
const mostEnds = 2

/**
 * Who is to blame when the other server ends its streams by an error while stanzas are on their way to it (design §3.10,
 * for this direction): what it does not bear must not hold up for ever what is behind.
 *
 * After the first such end what was under way goes one stanza at a time, so that the next tells which it is.
 */
export class Suspicion {
  /** Stanzas that still go alone. */
  #alone = 0
  #suspect: Item | undefined
  #ends = 0

  /** Whether nothing else may be on its way beside a stanza. */
  get isRaised(): boolean {
    return this.#alone > 0
  }

  /** The other server ended the stream; `sent` is what it may not have, in order. */
  raise(sent: readonly Sent[]): void {
    const [first] = sent
    if (!first) return
    if (first.item !== this.#suspect) this.#ends = 0
    this.#suspect = first.item
    if (this.isRaised) this.#ends += 1
    this.#alone = Math.max(this.#alone, sent.length)
  }

  /** So many arrived, or went back. */
  passed(count: number): void {
    this.#alone = Math.max(0, this.#alone - count)
  }

  isGuilty(item: Item): boolean {
    return item === this.#suspect && this.#ends >= mostEnds
  }
}
