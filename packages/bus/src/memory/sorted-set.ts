/** A member and its score. */
export type Scored = readonly [member: string, score: number]

const order = (a: Scored, b: Scored): number => {
  if (a[1] !== b[1]) return a[1] - b[1]
  if (a[0] === b[0]) return 0
  return a[0] < b[0] ? -1 : 1
}

/** Members kept in order of their scores, as a sorted set of Redis. */
export class SortedSet {
  readonly #scores = new Map<string, number>()
  readonly #ordered: Scored[] = []

  get size(): number {
    return this.#scores.size
  }

  add(member: string, score: number): void {
    this.remove(member)
    this.#scores.set(member, score)
    const scored: Scored = [member, score]
    this.#ordered.splice(this.#indexOf(scored), 0, scored)
  }

  remove(member: string): void {
    const score = this.#scores.get(member)
    if (score === undefined) return
    this.#scores.delete(member)
    this.#ordered.splice(this.#indexOf([member, score]), 1)
  }

  /** Members with a score up to `max`, lowest first. */
  upTo(max: number, limit: number): Scored[] {
    let end = 0
    while (end < limit && (this.#ordered[end]?.[1] ?? Number.POSITIVE_INFINITY) <= max) end += 1
    return this.#ordered.slice(0, end)
  }

  /** Where a member stands or would have to. */
  #indexOf(scored: Scored): number {
    let low = 0
    let high = this.#ordered.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const at = this.#ordered[middle]
      if (at && order(at, scored) < 0) low = middle + 1
      else high = middle
    }
    return low
  }
}
