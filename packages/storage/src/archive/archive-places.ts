import type { Executor } from '../executor.ts'
import type { RowWrite } from '../rows.ts'
import { archiveTable } from './archive-store.ts'

/*
 * On SQLite a message has its place in the indexes of the archive later than in the table (migration 0008). Each of them
 * would have a page written in each step for each account that said something, and the index of words a segment; for a
 * thousand messages at once they have a few. What waits is found by an index of its own, which is small.
 */

/** Rows that wait at most; what has to be looked through beside the index of words, and a pause of some milliseconds. */
export const waitingRows = 1_000

const place = 'UPDATE archive INDEXED BY archive_waiting SET placed = 1 WHERE placed = 0'

/** Gives the rows their places, whenever enough wait for them. */
export class ArchivePlaces {
  readonly #executor: Executor
  readonly #most: number
  #waiting: number

  constructor(executor: Executor, most: number) {
    this.#executor = executor
    this.#most = most
    // What a process before this one left: it goes with the first that comes.
    this.#waiting = most
  }

  /** A step was committed. What of it waits is counted; its place comes in a transaction behind it. */
  committed(writes: readonly RowWrite[]): void {
    let added = 0
    for (const write of writes)
      if (write.table === archiveTable && (write.op === 'insert' || write.op === 'upsert'))
        added += write.rows.length
    if (added === 0) return
    this.#waiting += added
    if (this.#waiting >= this.#most) void this.#place()
  }

  async #place(): Promise<void> {
    const waited = this.#waiting
    this.#waiting = 0
    try {
      await this.#executor.transaction([{ sql: place, params: [] }])
    } catch {
      // They are found where they are. Whatever is wrong, the steps say so; the next of them tries again.
      this.#waiting += waited
    }
  }
}
