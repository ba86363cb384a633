import { type RawBuilder, sql } from 'kysely'
import type { Reader } from '../storage.ts'
import {
  type ArchivePageRequest,
  type ArchivePageRow,
  allArchived,
  clockSkew,
  readRows,
} from './archive-rows.ts'
import { partOf, type Search, searchedTable, searchPage, type Times } from './archive-search.ts'

/** Which messages of an archive are wanted (XEP-0313 §4). */
export interface ArchiveFilter {
  readonly owner: string
  /** The other side: a bare JID, or any of several, and where given its resource. */
  readonly peer?: string | readonly string[] | undefined
  readonly resource?: string | undefined
  /** Milliseconds since 1970, both included. */
  readonly start?: number | undefined
  readonly end?: number | undefined
  /** Only what comes after, or before, messages of these ids, which are not included. */
  readonly after?: readonly string[] | undefined
  readonly before?: readonly string[] | undefined
  /** Only these. */
  readonly ids?: readonly string[] | undefined
  /** Only messages that have all of these words (`searchedWords`). */
  readonly words?: readonly string[] | undefined
}

/** A page, in the order of the archive. */
export interface ArchivePage {
  readonly rows: readonly ArchivePageRow[]
  /** False when there are more in the direction of the request. */
  readonly complete: boolean
  readonly count?: number
}

/** The first or the last message of an archive (XEP-0313 §5). */
export type ArchiveEnd = Pick<ArchivePageRow, 'id' | 'at'>

/** Where to look: exclusive bounds in the order of the archive. */
interface Bounds {
  readonly lower: Place | undefined
  readonly upper: Place | undefined
}

/** Where a message is in the order of the archive, and when it was accepted. */
interface Place {
  readonly n: number
  readonly at: number
}

/**
 * Reads a page of an archive. Its cost depends on the page and not on where in the archive it is.
 *
 * @returns undefined when one of the ids that the filter names is not in the archive
 */
export async function readArchivePage(
  reader: Reader,
  filter: ArchiveFilter,
  page: ArchivePageRequest,
): Promise<ArchivePage | undefined> {
  const bounds = await boundsOf(reader, filter)
  if (!bounds) return undefined
  const where = sql.join(await conditions(reader, filter, bounds), sql` and `)
  const search = await searchOf(reader, filter, bounds)
  const from = searchedTable(reader, search)
  const count =
    page.countTo === undefined ? undefined : await countUpTo(reader, from, where, page.countTo)
  const counted = count === undefined ? {} : { count }
  if (page.max === 0) return { rows: [], complete: count === 0, ...counted }
  const found = search
    ? await searchPage(reader, where, search, page)
    : await readRows(
        reader,
        sql`select "n", "id", "at", "stanza" from ${from} where ${where}`,
        page,
      )
  const { rows, more } = found
  return { rows: page.fromEnd ? rows.toReversed() : rows, complete: !more, ...counted }
}

/** The first and the last message; undefined for an empty archive. */
export async function archiveEnds(
  reader: Reader,
  owner: string,
): Promise<{ readonly first: ArchiveEnd; readonly last: ArchiveEnd } | undefined> {
  const end = async (order: RawBuilder<unknown>): Promise<ArchiveEnd | undefined> => {
    const { rows } = await sql<ArchiveEnd & { n: number }>`select "id", "at", "n"
      from ${allArchived(reader)} where "owner" = ${owner} order by "n" ${order} limit 1`.execute(
      reader,
    )
    return rows[0] && { id: rows[0].id, at: rows[0].at }
  }
  const [first, last] = await Promise.all([end(sql`asc`), end(sql`desc`)])
  return first && last && { first, last }
}

async function boundsOf(
  reader: Reader,
  { owner, after = [], before = [], ids = [] }: ArchiveFilter,
): Promise<Bounds | undefined> {
  const named = [...new Set([...after, ...before, ...ids])]
  if (named.length === 0) return { lower: undefined, upper: undefined }
  const { rows } = await sql<Place & { id: string }>`select "id", "n", "at" from "archive"
    where "owner" = ${owner} and "id" in (${sql.join(named)})`.execute(reader)
  if (rows.length < named.length) return undefined
  const of = (list: readonly string[]): Place[] =>
    rows.filter(({ id }) => list.includes(id)).toSorted((a, b) => a.n - b.n)
  return { lower: of(after).at(-1), upper: of(before)[0] }
}

/** What is searched for, and in which time all of it is; undefined where no words are asked for. */
async function searchOf(
  reader: Reader,
  { owner, words = [], start, end }: ArchiveFilter,
  { lower, upper }: Bounds,
): Promise<Search | undefined> {
  if (words.length === 0) return undefined
  const ends = await archiveEnds(reader, owner)
  const part = await partOf(reader, owner)
  if (!ends) return { owner, words, times: undefined, part }
  const times: Times = {
    from: Math.max(start ?? 0, (lower?.at ?? ends.first.at) - clockSkew, 0),
    to: Math.min(end ?? ends.last.at + clockSkew, (upper?.at ?? ends.last.at) + clockSkew),
  }
  return { owner, words, times: times.from <= times.to ? times : undefined, part }
}

async function conditions(
  reader: Reader,
  filter: ArchiveFilter,
  { lower, upper }: Bounds,
): Promise<RawBuilder<unknown>[]> {
  const { owner, peer, resource, start, end, ids } = filter
  const all = [sql`"owner" = ${owner}`]
  if (typeof peer === 'string') all.push(sql`"peer" = ${peer}`)
  else if (peer) all.push(sql`"peer" in (${sql.join(peer)})`)
  if (resource !== undefined) all.push(sql`"resource" = ${resource}`)
  if (ids) all.push(sql`"id" in (${sql.join(ids)})`)
  if (lower !== undefined) all.push(sql`"n" > ${lower.n}`)
  if (upper !== undefined) all.push(sql`"n" < ${upper.n}`)
  all.push(...(await timeConditions(reader, owner, start, end)))
  return all
}

/**
 * The times, and the places in the archive between which all messages of that time are: walking there along the archive
 * would cost more the further away it is. The sum keeps the index of times out of the rest, which would give another order.
 */
async function timeConditions(
  reader: Reader,
  owner: string,
  start: number | undefined,
  end: number | undefined,
): Promise<RawBuilder<unknown>[]> {
  const all: RawBuilder<unknown>[] = []
  const place = async (condition: RawBuilder<unknown>): Promise<number | undefined> => {
    const { rows } = await sql<Place>`select "n", "at" from ${allArchived(reader)}
      where "owner" = ${owner} and ${condition} limit 1`.execute(reader)
    return rows[0]?.n
  }
  if (start !== undefined) {
    all.push(sql`"at" + 0 >= ${start}`)
    const before = await place(sql`"at" < ${start - clockSkew} order by "at" desc`)
    if (before !== undefined) all.push(sql`"n" > ${before}`)
  }
  if (end !== undefined) {
    all.push(sql`"at" + 0 <= ${end}`)
    const behind = await place(sql`"at" > ${end + clockSkew} order by "at" asc`)
    if (behind !== undefined) all.push(sql`"n" < ${behind}`)
  }
  return all
}

/** Undefined where there are more: a count of everything would cost more the more there is. */
async function countUpTo(
  reader: Reader,
  from: RawBuilder<unknown>,
  where: RawBuilder<unknown>,
  most: number,
): Promise<number | undefined> {
  const { rows } = await sql<{ count: number }>`select count(*) as "count" from (
    select 1 from ${from} where ${where} limit ${most + 1}
  ) as "found"`.execute(reader)
  const count = Number(rows[0]?.count ?? 0)
  return count > most ? undefined : count
}
