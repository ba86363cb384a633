import {
  type ArchiveQuery,
  archiveFin,
  NS_ARCHIVE,
  readArchiveQuery,
  readOrder,
  readPageRequest,
  StanzaError,
} from '@tactus/stanza'
import {
  type ArchiveFilter,
  type ArchivePage,
  type ArchivePageRow,
  type Reader,
  readArchivePage,
  searchedWords,
} from '@tactus/storage'
import type { XmlElement } from '@tactus/xml'

/*
 * Pages of an archive, whoever's it is and however they are delivered: what is asked, what is found, what says that it is
 * over.
 */

/** Messages of a page where nothing is asked, and at most. */
export interface PageLimits {
  readonly default: number
  readonly max: number
}

/** A page that is asked for (XEP-0313 §4), as plain data. */
export interface PageQuestion {
  readonly filter: ArchiveFilter
  readonly max: number
  readonly fromEnd: boolean
  readonly queryId: string | undefined
  /** Whether rows come in the opposite of the archive's order. */
  readonly reversed: boolean
  /** XEP-0413: and whether what says that the page is over counts them so. */
  readonly descending: boolean
}

/** Bytes of a page at most: several are under way, and each is in memory. */
const pageBytes = 1_048_576
/** A count of more costs more than it is worth. */
const mostCounted = 100_000
/** Results that cost as much as one stanza. */
const resultsPerUnit = 10

/** What decides about the other side, as each kind of archive knows it; by default what the query says. */
export type ReadPeer = (query: ArchiveQuery) => Pick<ArchiveFilter, 'peer' | 'resource'>

const asGiven: ReadPeer = ({ peer, resource }) => ({ peer, resource })

/**
 * Reads a query.
 *
 * @throws {StanzaError} `feature-not-implemented`, `bad-request`, `jid-malformed`
 */
export function readQuestion(
  payload: XmlElement,
  owner: string,
  limits: PageLimits,
  readPeer: ReadPeer = asGiven,
): PageQuestion {
  const descending = readOrder(payload)?.descending === true
  const page = readPageRequest(payload, limits)
  // XEP-0059 §2.6
  if (page.index !== undefined)
    throw new StanzaError('feature-not-implemented', 'Pages are asked for by id, not by index.')
  const query = readArchiveQuery(payload)
  const isFlipped = payload.getChild('flip-page', NS_ARCHIVE) !== undefined
  const { afterId, beforeId, text, peer: _, resource: __, ...rest } = query
  // What is in an archive stays as it came, so both orders of XEP-0413 are the archive's, or its opposite.
  const [next, previous] = descending ? [page.before, page.after] : [page.after, page.before]
  const places = (...ids: readonly (string | undefined)[]) => ids.filter(isPlace)
  const words = text === undefined ? undefined : searchedWords(text)
  // Else a search for nothing but dots would find everything.
  if (words?.length === 0) throw new StanzaError('bad-request', 'There is no word to search for.')
  return {
    filter: {
      owner,
      ...rest,
      ...readPeer(query),
      after: places(afterId, next),
      before: places(beforeId, previous),
      words,
    },
    max: page.max,
    fromEnd: (page.before !== undefined) !== descending,
    queryId: payload.attrs.queryid,
    reversed: isFlipped !== descending,
    descending,
  }
}

/** An empty place is none (XEP-0059 §2.5). */
function isPlace(id: string | undefined): id is string {
  return id !== undefined && id !== ''
}

/** Delivery units that a page costs whoever asks for it. */
export function costOf({ max }: PageQuestion): number {
  return Math.ceil(max / resultsPerUnit)
}

/** Reads the page; undefined where an id is not in the archive. For jobs. */
export async function findPage(
  reader: Reader,
  { filter, max, fromEnd }: PageQuestion,
): Promise<ArchivePage | undefined> {
  const request = { max, bytes: pageBytes, fromEnd, ...(max === 0 && { countTo: mostCounted }) }
  return await readArchivePage(reader, filter, request)
}

/** §4.3.3: flipped or not, it is the same page. */
export function inOrder(
  rows: readonly ArchivePageRow[],
  { reversed }: PageQuestion,
): readonly ArchivePageRow[] {
  return reversed ? rows.toReversed() : rows
}

/** What says that the page is over; `cut`: not all of it was delivered. */
export function endOf(
  page: ArchivePage,
  rows: readonly ArchivePageRow[],
  { descending, cut = false }: { readonly descending: boolean; readonly cut?: boolean },
): XmlElement {
  const [first, last] = descending ? [rows.at(-1), rows.at(0)] : [rows.at(0), rows.at(-1)]
  return archiveFin({
    complete: page.complete && !cut,
    count: page.count,
    ...(first && last && { ends: { first: first.id, last: last.id } }),
  })
}

/** The store did not answer. */
export function unavailable(): StanzaError {
  return new StanzaError('resource-constraint', 'The archive did not answer in time.')
}
