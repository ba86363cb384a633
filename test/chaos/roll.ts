/** What became of lines that many hear. */
export interface RollVerdict {
  readonly sent: number
  readonly accepted: number
  readonly heard: number
  /** Accepted, and not heard by a listener who was there all the time. */
  readonly lost: readonly string[]
  readonly doubled: readonly string[]
  /** Not in the order in which somebody else heard them, or with something left out between. */
  readonly reordered: readonly string[]
}

type Fate = 'sent' | 'accepted' | 'refused'

/** One stay of a listener: from when it came until it had to come anew. */
interface Stay {
  readonly listener: string
  readonly heard: string[]
  readonly seen: Set<string>
}

/**
 * Every line that was said to all, and every time it was heard (L1 of what is promised of rooms and nodes).
 *
 * All must hear the same lines in the same order; a stay is a slice of that, without a hole. What was accepted is heard
 * by everybody whose stay never ended.
 */
export class Roll {
  readonly #lines = new Map<string, Fate>()
  readonly #stays: Stay[] = []
  readonly #present = new Map<string, Stay>()
  readonly #doubled: string[] = []

  /** A listener comes, for the first time or anew. */
  begin(listener: string): void {
    const stay: Stay = { listener, heard: [], seen: new Set() }
    this.#stays.push(stay)
    this.#present.set(listener, stay)
  }

  /** Its session is gone: what it hears before it has come anew is not told in order. */
  end(listener: string): void {
    this.#present.delete(listener)
  }

  said(id: string): void {
    this.#lines.set(id, 'sent')
  }

  accepted(id: string): void {
    if (this.#lines.get(id) === 'sent') this.#lines.set(id, 'accepted')
  }

  /** The sender was told that it comes to nothing. */
  refused(id: string): void {
    if (this.#lines.has(id)) this.#lines.set(id, 'refused')
  }

  heard(listener: string, id: string): void {
    const stay = this.#present.get(listener)
    if (!stay || !this.#lines.has(id)) return
    if (stay.seen.has(id)) this.#doubled.push(`${id} at ${listener}`)
    stay.seen.add(id)
    stay.heard.push(id)
  }

  /** Lines that somebody who was there all the time has not heard. */
  get open(): number {
    return this.#missing().length
  }

  verdict(): RollVerdict {
    const fates = [...this.#lines.values()]
    return {
      sent: fates.length,
      accepted: fates.filter((fate) => fate === 'accepted').length,
      heard: this.#stays.reduce((sum, { heard }) => sum + heard.length, 0),
      lost: this.#missing(),
      doubled: this.#doubled,
      reordered: this.#disorder(),
    }
  }

  #missing(): string[] {
    const times = Map.groupBy(this.#stays, ({ listener }) => listener)
    const steady = [...times.values()].flatMap((stays) => (stays.length === 1 ? stays : []))
    return [...this.#lines].flatMap(([id, fate]) =>
      fate === 'accepted'
        ? steady.filter(({ seen }) => !seen.has(id)).map(({ listener }) => `${id} at ${listener}`)
        : [],
    )
  }

  /** What one listener heard next after a line, all others did who heard more. */
  #disorder(): string[] {
    const next = new Map<string, { readonly id: string; readonly listener: string }>()
    const disorder: string[] = []
    for (const { listener, heard } of this.#stays)
      for (const [index, id] of heard.entries()) {
        const after = heard[index + 1]
        if (after === undefined) continue
        const known = next.get(id)
        if (!known) next.set(id, { id: after, listener })
        else if (known.id !== after)
          disorder.push(`${id}: ${listener} heard ${after} next, ${known.listener} ${known.id}`)
      }
    return disorder
  }
}

/** Whether all that is promised was kept. */
export function isRollKept({ lost, doubled, reordered }: RollVerdict): boolean {
  return lost.length + doubled.length + reordered.length === 0
}
