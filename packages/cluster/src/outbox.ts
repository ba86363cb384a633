import { type Bus, comparePositions, type Position, type StreamName } from '@tactus/bus'
import type { Forgettable } from './commit-line.ts'

/** A record that every stream has passed. */
export interface Passed extends Forgettable {
  /** It held frames for partitions: left behind it would be replayed after a loss, long after they were done. */
  readonly urgent: boolean
}

interface Kept extends Passed {
  /** Streams that the record's entries have not left yet. */
  readonly waits: Map<StreamName, Position>
}

/**
 * Which records of the outbox are still needed (design §3.6): one goes when every partition it wrote to has
 * passed its entries, and every shard what may not be lost.
 *
 * An emptied bus looks like one where everything has passed. So what a poll finds counts only once a commit that began
 * after it was applied: the step counter shows that nothing was lost.
 */
export class Outbox {
  #kept: Kept[] = []
  #passed: Passed[] = []
  #proven: Passed[] = []
  readonly #atOnce: boolean

  /** `atOnce` only where a test proves that records must be kept. */
  constructor(options: { readonly atOnce: boolean }) {
    this.#atOnce = options.atOnce
  }

  get tracked(): number {
    return this.#kept.length
  }

  /**
   * Whether something should be forgotten though there are no rows to write: what a step that only forgets leaves behind
   * itself is not worth the next one.
   */
  get due(): boolean {
    return this.#passed.some(({ urgent }) => urgent) || this.#proven.some(({ urgent }) => urgent)
  }

  track(
    router: string,
    step: number,
    waits: Map<StreamName, Position>,
    urgent: boolean = waits.size > 0,
  ): void {
    if (this.#atOnce || waits.size === 0) this.#passed.push({ router, step, urgent })
    else this.#kept.push({ router, step, urgent, waits })
  }

  streams(): StreamName[] {
    return [...new Set(this.#kept.flatMap(({ waits }) => [...waits.keys()]))]
  }

  async poll(bus: Bus): Promise<void> {
    if (this.#kept.length === 0) return
    const kept = this.#kept.length
    const extents = await bus.extent(this.streams())
    const polled = this.#kept.slice(0, kept)
    for (const { waits } of polled)
      for (const [stream, position] of waits) {
        const first = extents.get(stream)?.first
        if (first === undefined || comparePositions(first, position) > 0) waits.delete(stream)
      }
    this.#passed.push(...this.#kept.filter(({ waits }) => waits.size === 0))
    this.#kept = this.#kept.filter(({ waits }) => waits.size > 0)
  }

  /** Marks what is known when a commit begins; `prove` it when that commit is applied. */
  candidates(): Passed[] {
    return this.#passed.splice(0)
  }

  prove(candidates: readonly Passed[]): void {
    this.#proven.push(...candidates)
  }

  /** Takes what may be forgotten with the next rows. */
  take(): Passed[] {
    return this.#proven.splice(0)
  }

  /** A step was not written: nothing was forgotten with it, and nothing is proven by it. */
  giveBack(forget: readonly Passed[], candidates: readonly Passed[]): void {
    this.#proven.push(...forget)
    this.#passed.push(...candidates)
  }
}
