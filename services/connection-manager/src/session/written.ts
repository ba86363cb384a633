interface Mark {
  n: number
  end: number
}

/**
 * How far a session's stanzas have left for the network.
 *
 * Counted by bytes: a socket says how many it still holds, so no callback is needed for each write.
 */
export class WrittenMarks {
  #marks: Mark[] = []
  #written: number

  constructor(n = 0) {
    this.#written = n
  }

  /**
   * Stanza `n` ends at byte `end` of the stream. What the transport has not been given yet (`given`)
   * goes out with it in one write, so one mark does for all of it.
   */
  mark(n: number, end: number, given: number): void {
    const last = this.#marks.at(-1)
    if (last && last.end > given) {
      last.n = n
      last.end = end
    } else this.#marks.push({ n, end })
  }

  /** The last stanza that is written, when `flushed` bytes have left. */
  advance(flushed: number): number {
    let done = 0
    for (const { n, end } of this.#marks) {
      if (end > flushed) break
      this.#written = n
      done += 1
    }
    if (done > 0) this.#marks.splice(0, done)
    return this.#written
  }

  get isComplete(): boolean {
    return this.#marks.length === 0
  }
}
