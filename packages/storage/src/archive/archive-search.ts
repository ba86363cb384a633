import { type RawBuilder, sql } from 'kysely'
import { dialectOf } from '../query-dialect.ts'
import type { Reader } from '../storage.ts'
import {
  type ArchivePageRequest,
  allArchived,
  clockSkew,
  type FoundRows,
  orderOf,
  readRows,
} from './archive-rows.ts'
import { type Pieces, pieceLength, postgresMatch, sqliteMatch } from './archive-words.ts'

/** The time from which messages are, both ends included, milliseconds since 1970. */
export interface Times {
  readonly from: number
  readonly to: number
}

/** What is searched for (XEP-0431). */
export interface Search {
  readonly owner: string
  readonly words: readonly string[]
  /** Nothing that is asked for is of another time; undefined where there is nothing. */
  readonly times: Times | undefined
  /** The part of the table that has the archive, as SQL names it. */
  readonly part: string
}

/** Messages that are looked through for a page before the index is asked. */
const nearbyRows = 2_000

/** The table, or what the index of words finds in it. */
export function searchedTable(reader: Reader, search: Search | undefined): RawBuilder<unknown> {
  if (!search) return allArchived(reader)
  return dialectOf(reader) === 'sqlite'
    ? sqliteTable(search)
    : postgresTable(search, piecesOf(search))
}

/** A page of what has the words. */
export async function searchPage(
  reader: Reader,
  where: RawBuilder<unknown>,
  search: Search,
  page: ArchivePageRequest,
): Promise<FoundRows> {
  const nearby = await readNearby(reader, where, search, page)
  if (nearby) return nearby
  if (dialectOf(reader) === 'sqlite')
    return await readRows(reader, sql`${rowsOf(sqliteTable(search))} where ${where}`, page)
  const places = await findPlaces(reader, where, search, page)
  if (places.length === 0) return { rows: [], more: false }
  const found = sql`"owner" = ${search.owner} and "n" in (${sql.join(places)})`
  return await readRows(reader, sql`${rowsOf(sql`"archive"`)} where ${found}`, page)
}

const rowsOf = (table: RawBuilder<unknown>): RawBuilder<unknown> =>
  sql`select "n", "id", "at", "stanza" from ${table}`

/**
 * Found before it is sorted: in the order of the archive, a rare word would be looked for in all of it. And what the index
 * does not have yet.
 */
function sqliteTable({ owner, words }: Search): RawBuilder<unknown> {
  return sql`(select * from (select * from "archive" where "n" in (
      select "rowid" from "archive_words" where "archive_words" match ${sqliteMatch(owner, words)}
    ) limit -1 offset 0) union all select * from "archive"
      where "placed" = 0 and "owner" = ${owner} and ${sqliteHasWords(words)}) as "archive"`
}

/**
 * Which part of the table an archive is in. On Postgres a search names it: where the owner picks it, a plan may go through
 * all of the owner's archive as well, to narrow down what the index of words has found already.
 */
export async function partOf(reader: Reader, owner: string): Promise<string> {
  if (dialectOf(reader) === 'sqlite') return '"archive"'
  const { rows } = await sql<{ part: string }>`select "tableoid"::regclass::text as "part"
    from "archive" where "owner" = ${owner} limit 1`.execute(reader)
  return rows[0]?.part ?? '"archive"'
}

function postgresTable({ owner, words, part }: Search, pieces: Pieces): RawBuilder<unknown> {
  return sql`(select * from ${sql.raw(part)} where "owner" || '' = ${owner} and "words" is not null
    and archive_lexemes("owner", "at", "words") @@ ${postgresMatch(owner, words, pieces)}::tsquery
    offset 0) as "archive"`
}

function piecesOf({ times }: Search): Pieces {
  if (!times) return { first: 0, last: 0 }
  return { first: pieceOf(times.from), last: pieceOf(times.to) }
}

const pieceOf = (at: number): number => Math.floor(at / pieceLength)

interface Place {
  readonly n: number
  readonly at: number
}

/**
 * Asks the index for one piece of time after the other from where the page begins, for more of them each time, until it
 * is full: what a frequent word finds in all the others is not even read. Answers the places of one message more than a
 * page has, where there is one.
 */
async function findPlaces(
  reader: Reader,
  where: RawBuilder<unknown>,
  search: Search,
  page: ArchivePageRequest,
): Promise<readonly number[]> {
  let places: readonly Place[] = []
  let left = piecesOf(search)
  for (let width = 1; left.first <= left.last; width *= 2) {
    const next = page.fromEnd
      ? { first: Math.max(left.first, left.last - width + 1), last: left.last }
      : { first: left.first, last: Math.min(left.last, left.first + width - 1) }
    left = page.fromEnd ? { ...left, last: next.first - 1 } : { ...left, first: next.last + 1 }
    const { rows } = await sql<Place>`select "n", "at" from ${postgresTable(search, next)}
      where ${where} ${orderOf(page)} limit ${page.max + 1}`.execute(reader)
    places = inOrder([...places, ...rows], page)
    const certain = left.first > left.last ? places : certainOf(places, left, page)
    if (certain.length > page.max) return certain.slice(0, page.max + 1).map(({ n }) => n)
  }
  return places.map(({ n }) => n)
}

/** Clocks may differ: up to here nothing can stand between these that is of the pieces that are left. */
function certainOf(
  places: readonly Place[],
  left: Pieces,
  { fromEnd }: ArchivePageRequest,
): readonly Place[] {
  const isCertain = ({ at }: Place): boolean =>
    fromEnd
      ? at >= (left.last + 1) * pieceLength + clockSkew
      : at < left.first * pieceLength - clockSkew
  const end = places.findIndex((place) => !isCertain(place))
  return end === -1 ? places : places.slice(0, end)
}

function inOrder(places: readonly Place[], { fromEnd }: ArchivePageRequest): readonly Place[] {
  return places.toSorted((a, b) => (fromEnd ? b.n - a.n : a.n - b.n))
}

/**
 * Looks for words that are in many messages where the page begins: the index would find more of them than are wanted.
 * Undefined when they do not fill the page there.
 */
async function readNearby(
  reader: Reader,
  where: RawBuilder<unknown>,
  search: Search,
  page: ArchivePageRequest,
): Promise<FoundRows | undefined> {
  const nearby = sql`select "n", "id", "at", "stanza" from (
    select "n", "id", "at", "stanza", "words" from ${allArchived(reader)} where ${where} ${orderOf(page)} limit ${nearbyRows}
  ) as "nearby" where ${hasWords(reader, search)}`
  const found = await readRows(reader, nearby, page)
  return found.more ? found : undefined
}

/** Whether a row that is there already has the words. */
function hasWords(reader: Reader, { words }: Search): RawBuilder<unknown> {
  if (dialectOf(reader) === 'postgres')
    return sql`string_to_array("words", ' ') @> array[${sql.join(words)}]::text[]`
  return sqliteHasWords(words)
}

function sqliteHasWords(words: readonly string[]): RawBuilder<unknown> {
  const found = words.map((word) => sql`instr(' ' || "words" || ' ', ${` ${word} `}) > 0`)
  return sql.join(found, sql` and `)
}
