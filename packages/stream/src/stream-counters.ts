/** The counts of XEP-0198 are of 32 bits and begin again at 0. */
const mask = (count: number): number => count >>> 0

/** How a stream's counters begin. */
export interface CountersStart {
  /** Out-number after which stanzas to the peer count. */
  readonly base: number
  /** Out-number up to which the peer is known to have everything. */
  readonly acknowledged: number
  /** Stanzas of the peer that were handled, modulo 2^32. */
  readonly handled: number
}

/**
 * The counters of XEP-0198 §4 on one stream.
 *
 * What has been *received* is not what has been *handled*: only what the session's owner has
 * committed may be acknowledged (design §3.5). So an answer to `<r/>` may have to be given twice.
 */
export class StreamCounters {
  readonly #base: number
  #acknowledged: number
  #handled: number
  #received: number
  #asked: number | undefined

  constructor({ base, acknowledged, handled }: CountersStart) {
    this.#base = base
    this.#acknowledged = acknowledged
    this.#handled = handled
    this.#received = handled
  }

  /** Stanzas of the peer that are committed, modulo 2^32: the `h` to tell. */
  get handled(): number {
    return this.#handled
  }

  /** Stanzas of the peer that came in, committed or not, modulo 2^32. */
  get count(): number {
    return this.#received
  }

  /** Out-number up to which the peer has acknowledged. */
  get acknowledged(): number {
    return this.#acknowledged
  }

  /** A stanza of the peer has come in. */
  received(): void {
    this.#received = mask(this.#received + 1)
  }

  /** The peer asks. It is answered at once; if not all it means is committed, later once more. */
  asked(): void {
    this.#asked = this.#received === this.#handled ? undefined : this.#received
  }

  /** The owner has committed up to `h`. Returns whether a peer that asked has to be told now. */
  committed(h: number): boolean {
    this.#handled = h
    if (this.#asked === undefined || mask(h - this.#asked) >= 2 ** 31) return false
    this.#asked = undefined
    return true
  }

  /**
   * The peer acknowledges with its count.
   *
   * @param out the last out-number that was sent to it
   * @returns the out-number that is acknowledged now; undefined when it claims more than was sent
   */
  acknowledge(h: number, out: number): number | undefined {
    const news = mask(h - (this.#acknowledged - this.#base))
    if (news > out - this.#acknowledged) return undefined
    this.#acknowledged += news
    return this.#acknowledged
  }

  /** How many stanzas were counted to the peer, modulo 2^32, when `out` was the last. */
  sent(out: number): number {
    return mask(out - this.#base)
  }
}
