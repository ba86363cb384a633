import { type RawBuilder, sql } from 'kysely'
import { dialectOf } from '../query-dialect.ts'
import type { Dialect, Reader } from '../storage.ts'
import { matchOf } from './archive-words.ts'

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

/** A page, in the order of the archive. */
export interface ArchivePage {
  readonly rows: readonly ArchivePageRow[]
  /** False when there are more in the direction of the request. */
  readonly complete: boolean
  readonly count?: number
}

/** The first or the last message of an archive (XEP-0313 §5). */
export type ArchiveEnd = Pick<ArchivePageRow, 'id' | 'at'>

/**
 * How far the clocks of the routers that wrote an archive one after another may be apart. Times only narrow down where to
 * begin in the order of the archive, with this much to spare; then each message's own time is looked at.
 */
const clockSkew = 60_000

/** Messages that are looked through for a page of a search before the index is asked. */
const nearbyRows = 2_000

/** Where to look: exclusive bounds in the order of the archive. */
interface Bounds {
  readonly lower: number | undefined
  readonly upper: number | undefined
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
  const search: Search = {
    dialect: dialectOf(reader),
    owner: filter.owner,
    words: filter.words ?? [],
  }
  const from = searchedTable(search)
  const count =
    page.countTo === undefined ? undefined : await countUpTo(reader, from, where, page.countTo)
  const counted = count === undefined ? {} : { count }
  if (page.max === 0) return { rows: [], complete: count === 0, ...counted }
  const found =
    (await readNearby(reader, where, search, page)) ??
    (await readRows(
      reader,
      sql`select "n", "id", "at", "stanza" from ${from} where ${where}`,
      page,
    ))
  const { rows, more } = found
  return { rows: page.fromEnd ? rows.toReversed() : rows, complete: !more, ...counted }
}

/** The first and the last message; undefined for an empty archive. */
export async function archiveEnds(
  reader: Reader,
  owner: string,
): Promise<{ readonly first: ArchiveEnd; readonly last: ArchiveEnd } | undefined> {
  const end = async (order: RawBuilder<unknown>): Promise<ArchiveEnd | undefined> => {
    const { rows } = await sql<ArchiveEnd>`select "id", "at" from "archive"
      where "owner" = ${owner} order by "n" ${order} limit 1`.execute(reader)
    return rows[0]
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
  const { rows } = await sql<{ id: string; n: number }>`select "id", "n" from "archive"
    where "owner" = ${owner} and "id" in (${sql.join(named)})`.execute(reader)
  if (rows.length < named.length) return undefined
  const places = new Map(rows.map(({ id, n }) => [id, n]))
  const of = (list: readonly string[]): number[] => list.map((id) => places.get(id) ?? 0)
  return {
    lower: after.length === 0 ? undefined : Math.max(...of(after)),
    upper: before.length === 0 ? undefined : Math.min(...of(before)),
  }
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
  if (lower !== undefined) all.push(sql`"n" > ${lower}`)
  if (upper !== undefined) all.push(sql`"n" < ${upper}`)
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
    const { rows } = await sql<{ n: number }>`select "n" from "archive"
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

interface Search {
  readonly dialect: Dialect
  readonly owner: string
  readonly words: readonly string[]
}

/**
 * The table, or what the index of words finds in it. Found before it is sorted: in the order of the archive, a rare word
 * would be looked for in all of it.
 */
function searchedTable({ dialect, owner, words }: Search): RawBuilder<unknown> {
  if (words.length === 0) return sql`"archive"`
  const match = matchOf(dialect, owner, words)
  const found =
    dialect === 'postgres'
      ? sql`"owner" = ${owner} and "words" is not null
          and archive_lexemes("owner", "words") @@ ${match}::tsquery`
      : sql`"n" in (select "rowid" from "archive_words" where "archive_words" match ${match})`
  const fence = dialect === 'postgres' ? sql`offset 0` : sql`limit -1 offset 0`
  return sql`(select * from "archive" where ${found} ${fence}) as "archive"`
}

/** The same of a row that is there already. */
function hasWords({ dialect, words }: Search): RawBuilder<unknown> {
  if (dialect === 'postgres')
    return sql`string_to_array("words", ' ') @> array[${sql.join(words)}]::text[]`
  const found = words.map((word) => sql`instr(' ' || "words" || ' ', ${` ${word} `}) > 0`)
  return sql.join(found, sql` and `)
}

interface MeasuredRow extends ArchivePageRow {
  readonly total: number
}

interface FoundRows {
  readonly rows: readonly ArchivePageRow[]
  readonly more: boolean
}

/**
 * Looks for words that are in many messages where the page begins: the index would find all of them before the first is
 * sorted out. Undefined when they do not fill the page there.
 */
async function readNearby(
  reader: Reader,
  where: RawBuilder<unknown>,
  search: Search,
  page: ArchivePageRequest,
): Promise<FoundRows | undefined> {
  if (search.words.length === 0) return undefined
  const nearby = sql`select "n", "id", "at", "stanza" from (
    select "n", "id", "at", "stanza", "words" from "archive" where ${where} ${orderOf(page)} limit ${nearbyRows}
  ) as "nearby" where ${hasWords(search)}`
  const found = await readRows(reader, nearby, page)
  return found.more ? found : undefined
}

const orderOf = ({ fromEnd }: ArchivePageRequest): RawBuilder<unknown> =>
  fromEnd ? sql`order by "n" desc` : sql`order by "n" asc`

/** One row more than the page, to know whether there are more; sizes are summed up inside of the limit. */
async function readRows(
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
