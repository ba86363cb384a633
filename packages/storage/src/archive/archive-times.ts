import { sql } from 'kysely'
import type { Reader } from '../storage.ts'
import { allArchived } from './archive-rows.ts'

/** When the last message of an archive before a time was accepted, or the first after one, ms. */
export async function spokenAt(
  reader: Reader,
  owner: string,
  where: { readonly before: number } | { readonly after: number },
): Promise<number | undefined> {
  const wanted =
    'before' in where
      ? sql`"at" < ${where.before} order by "at" desc`
      : sql`"at" > ${where.after} order by "at"`
  const { rows } = await sql<{ at: number }>`select "at" from ${allArchived(reader)}
    where "owner" = ${owner} and ${wanted} limit 1`.execute(reader)
  return rows[0] && Number(rows[0].at)
}
