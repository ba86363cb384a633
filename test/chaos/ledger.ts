/** What became of every numbered message, and what must not have become of it. */
export interface Verdict {
  readonly sent: number
  /** The server took responsibility for these. */
  readonly accepted: number
  /** Nobody can say whether these were accepted: they may arrive once or not at all. */
  readonly unknown: number
  readonly delivered: number
  /** Received again in a later session, after theirs could not be resumed: XEP-0198 cannot prevent it. */
  readonly repeated: number
  readonly lost: readonly string[]
  readonly doubled: readonly string[]
  readonly reordered: readonly string[]
  /** Arrived although they were never sent like that. */
  readonly foreign: readonly string[]
  /** What the archives of both sides say otherwise. */
  readonly archive: readonly string[]
}

type Fate = 'sent' | 'accepted' | 'unknown'

interface Entry {
  fate: Fate
  /** The session in which it was received. */
  session: string | undefined
  sentAt: number
}

interface Path {
  readonly to: string
  readonly entries: Entry[]
  /** The highest number received. */
  last: number
}

/**
 * The checker: every message has the name of its path (one sender, one recipient) and its number on it.
 * What was accepted must arrive once and in order; what is unknown at most once.
 */
export class Ledger {
  readonly #paths = new Map<string, Path>()
  readonly #doubled: string[] = []
  readonly #reordered: string[] = []
  readonly #foreign: string[] = []
  readonly #archive: string[] = []
  #repeated = 0
  #delivered = 0

  /** Answers the id for the next message from one to another. */
  send(from: string, to: string): string {
    const name = `${from}>${to}`
    const path = this.#paths.get(name) ?? { to, entries: [], last: -1 }
    this.#paths.set(name, path)
    path.entries.push({ fate: 'sent', session: undefined, sentAt: performance.now() })
    return `${name}#${path.entries.length - 1}`
  }

  settle(id: string, fate: 'accepted' | 'unknown'): void {
    const found = this.#find(id)
    if (found) found.entry.fate = fate
  }

  /**
   * `session` tells one session of the recipient from the next. What is `early` came to the full JID before the
   * recipient was available: what waits for the account comes after it, so it says nothing about order.
   */
  received(
    id: string,
    by: string,
    { session, early }: { readonly session: string; readonly early: boolean },
  ): void {
    const found = this.#find(id)
    if (!found || found.path.to !== by) {
      this.#foreign.push(`${id} at ${by}`)
      return
    }
    const { entry, path, n } = found
    if (entry.session !== undefined) {
      if (entry.session === session) this.#doubled.push(id)
      else this.#repeated += 1
      return
    }
    entry.session = session
    this.#delivered += 1
    if (n < path.last) this.#reordered.push(`${id} after ${path.last}`)
    else if (!early) path.last = n
  }

  /** Compares an account's archive: what was accepted is in it once and in order, what is unknown at most once. */
  archived(account: string, ids: readonly string[]): void {
    const found = new Map<string, number>()
    const last = new Map<string, number>()
    for (const id of ids) {
      found.set(id, (found.get(id) ?? 0) + 1)
      const [path, n] = parted(id)
      if (n < (last.get(path) ?? -1))
        this.#archive.push(`${account}: ${id} after ${last.get(path)}`)
      last.set(path, n)
    }
    for (const [name, path] of this.#paths)
      if (name.split('>').some((jid) => jid.split('/')[0] === account))
        this.#compare(account, name, path, found)
  }

  #compare(account: string, name: string, path: Path, found: ReadonlyMap<string, number>): void {
    for (const [n, { fate }] of path.entries.entries()) {
      const times = found.get(`${name}#${n}`) ?? 0
      if (times > 1 || (times === 0 && fate === 'accepted'))
        this.#archive.push(`${account}: ${name}#${n} is there ${times} times`)
    }
  }

  /** Accepted and not yet received. */
  get open(): number {
    return this.#missing().length
  }

  /** Answers a question that is true once everything sent up to now has been accepted and received. */
  mark(): () => boolean {
    const until = new Map([...this.#paths].map(([name, { entries }]) => [name, entries.length]))
    return () =>
      [...until].every(([name, n]) =>
        (this.#paths.get(name)?.entries ?? [])
          .slice(0, n)
          .every(({ fate, session }) => fate === 'unknown' || session !== undefined),
      )
  }

  verdict(): Verdict {
    const entries = [...this.#paths.values()].flatMap((path) => path.entries)
    const count = (fate: Fate): number => entries.filter((entry) => entry.fate === fate).length
    return {
      sent: entries.length,
      accepted: count('accepted'),
      unknown: count('unknown') + count('sent'),
      delivered: this.#delivered,
      repeated: this.#repeated,
      lost: this.#missing(),
      doubled: this.#doubled,
      reordered: this.#reordered,
      foreign: this.#foreign,
      archive: this.#archive,
    }
  }

  #missing(): string[] {
    return [...this.#paths].flatMap(([name, { entries }]) =>
      entries.flatMap(({ fate, session }, n) =>
        fate === 'accepted' && session === undefined ? `${name}#${n}` : [],
      ),
    )
  }

  #find(id: string): { path: Path; entry: Entry; n: number } | undefined {
    const [name, n] = parted(id)
    const path = this.#paths.get(name)
    const entry = path?.entries[n]
    return path && entry ? { path, entry, n } : undefined
  }
}

/** The path and the number on it. */
function parted(id: string): [path: string, n: number] {
  const at = id.lastIndexOf('#')
  return [id.slice(0, at), Number(id.slice(at + 1))]
}

/** Whether a run kept every promise. */
export function isKept({ lost, doubled, reordered, foreign, archive }: Verdict): boolean {
  return [lost, doubled, reordered, foreign, archive].every((list) => list.length === 0)
}
