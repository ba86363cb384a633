import type { KeptRange } from './record.ts'

/** An answer as this instance gave it. */
export interface KeptAnswer extends KeptRange {
  /** Undefined where another instance gave it: its stanzas are in the session's queue. */
  readonly text: string | undefined
  /** Monotonic milliseconds. */
  readonly at: number | undefined
}

/**
 * The answers that a client may ask for again, until it is known to have them (XEP-0124 §14.3): as many as it may have
 * requests, since whoever sends another one has the answers before those.
 */
export class KeptAnswers {
  #answers: KeptAnswer[]

  constructor(ranges: readonly KeptRange[] = []) {
    this.#answers = ranges.map((range) => ({ ...range, text: undefined, at: undefined }))
  }

  get ranges(): readonly KeptRange[] {
    return this.#answers.map(({ rid, from, to, extra, key }) => ({ rid, from, to, extra, key }))
  }

  find(rid: number): KeptAnswer | undefined {
    return this.#answers.find((answer) => answer.rid === rid)
  }

  add(answer: KeptAnswer): void {
    this.#answers.push(answer)
  }

  /** The client has the answers up to `rid`. Returns the last out-number in them; undefined where none is new. */
  acknowledge(rid: number): number | undefined {
    const done = this.#answers.filter((answer) => answer.rid <= rid)
    this.#answers = this.#answers.filter((answer) => answer.rid > rid)
    return done.at(-1)?.to
  }
}
