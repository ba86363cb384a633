import { type RawBuilder, sql } from 'kysely'
import { dialectOf } from '../query-dialect.ts'
import type { Dialect, Reader } from '../storage.ts'

/**
 * What to read the archives from in an order; a message by its id is read from the table itself. On SQLite those that have
 * no place in the indexes yet (`archive-places.ts`) are a list of their own, and what the order is by has to be asked for:
 * only then both are read along their indexes.
 */
export const allArchived = (reader: Reader): RawBuilder<unknown> =>
  sql.raw(allArchivedIn(dialectOf(reader)))

/** The same for statements that are texts. */
export const allArchivedIn = (dialect: Dialect): string =>
  dialect === 'sqlite' ? '"archive_all"' : '"archive"'

/** Which page of them. */
export interface ArchivePageRequest {
  /** Messages and bytes at most; the first message comes whatever its size is. */
  readonly max: number
  readonly bytes: number
  /** The end of the list rather than its beginning. */
  readonly fromEnd: boolean
  /** Also says how many messages there are, where they are not more than this. */
  readonly countTo?: number
}

/** A message of a page. */
export interface ArchivePageRow {
  readonly id: string
  readonly at: number
  readonly stanza: Uint8Array
}

/**
 * How far the clocks of the routers that wrote an archive one after another may be apart. Times only narrow down where to
 * begin in the order of the archive, with this much to spare; then each message's own time is looked at.
 */
export const clockSkew = 60_000

interface MeasuredRow extends ArchivePageRow {
  readonly total: number
}

/** The rows of a page, in the order of the request. */
export interface FoundRows {
  readonly rows: readonly ArchivePageRow[]
  readonly more: boolean
}

/** The direction in which a page is read. */
export const orderOf = ({ fromEnd }: ArchivePageRequest): RawBuilder<unknown> =>
  fromEnd ? sql`order by "n" desc` : sql`order by "n" asc`

/** One row more than the page, to know whether there are more; sizes are summed up inside of the limit. */
export async function readRows(
  reader: Reader,
  source: RawBuilder<unknown>,
  page: ArchivePageRequest,
): Promise<FoundRows> {
  const order = orderOf(page)
  const { rows } = await sql<MeasuredRow>`select "id", "at", "stanza", "total" from (
      select "found".*,
        count(*) over () as "total",
        sum(length("stanza")) over (${order}) - length("stanza") as "ahead"
      from (${source} ${order} limit ${page.max + 1}) as "found"
    ) as "page" where "ahead" < ${page.bytes} ${order}`.execute(reader)
  const kept = rows.slice(0, page.max).map(({ id, at, stanza }) => ({ id, at, stanza }))
  return { rows: kept, more: (rows[0]?.total ?? 0) > kept.length }
}
