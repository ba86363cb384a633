import { sql } from 'kysely'
import type { Reader } from '../storage.ts'
import { allArchived } from './archive-rows.ts'

/** What an archive keeps; undefined is no limit. */
export interface Retention {
  /** Messages that were accepted earlier go, milliseconds since 1970. */
  readonly before: number | undefined
  /** The newest messages that stay. */
  readonly messages: number | undefined
}

/**
 * Ids of messages that have to go, oldest first, `limit` at most. Only from the beginning of the archive, so that it never
 * has a hole (XEP-0313 §3.2).
 */
export async function expiredMessages(
  reader: Reader,
  owner: string,
  { before, messages }: Retention,
  limit: number,
): Promise<readonly string[]> {
  const last = messages === undefined ? undefined : await placeOf(reader, owner, messages)
  const { rows } = await sql<{ id: string; n: number; at: number }>`select "id", "n", "at"
    from ${allArchived(reader)} where "owner" = ${owner} order by "n" limit ${limit}`.execute(
    reader,
  )
  const stays = rows.findIndex(
    ({ n, at }) => !((last !== undefined && n <= last) || (before !== undefined && at < before)),
  )
  return (stays === -1 ? rows : rows.slice(0, stays)).map(({ id }) => id)
}

/** Where the newest message is that is one too many. */
async function placeOf(
  reader: Reader,
  owner: string,
  messages: number,
): Promise<number | undefined> {
  const { rows } = await sql<{ n: number }>`select "n" from ${allArchived(reader)}
    where "owner" = ${owner} order by "n" desc limit 1 offset ${messages}`.execute(reader)
  return rows[0]?.n
}
