import type { Executor } from '../executor.ts'
import { allArchivedIn } from './archive-rows.ts'

/** Table of the owners that are no more: what is left of their archives goes bit by bit, in no step. */
export const archivePurgeTable = 'archive_purge'

/** Rows that are removed at once: locks are short, and nobody else waits. */
export const purgedAtOnce = 1_000

const next = 'SELECT owner FROM archive_purge ORDER BY owner LIMIT 1'

/** On Postgres `n` alone would be looked for in all partitions; on SQLite the owner would be looked through for it. */
const partition = { postgres: `owner = (${next}) AND`, sqlite: '' } as const

/**
 * Removes a part of the archives that were given up (`archive_purge`). Answers how many messages went; fewer than
 * `purgedAtOnce` says that nothing is left. Nobody reads or writes them any more, so several instances may do this at once.
 */
export async function purgeArchives(executor: Executor): Promise<number> {
  const [gone] =
    (await executor.transaction([
      {
        sql: `DELETE FROM archive WHERE ${partition[executor.dialect]} n IN (
          SELECT n FROM ${allArchivedIn(executor.dialect)} WHERE owner = (${next}) ORDER BY n LIMIT ${purgedAtOnce})`,
        params: [],
      },
      {
        sql: `DELETE FROM archive_purge WHERE owner = (${next})
          AND NOT EXISTS (SELECT 1 FROM archive WHERE archive.owner = archive_purge.owner)`,
        params: [],
      },
    ])) ?? []
  return gone?.changes ?? 0
}
