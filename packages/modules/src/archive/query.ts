import {
  deferred,
  type IqRequest,
  type JobContext,
  type JobDefinition,
  type LiveStore,
  liveStore,
  type Scope,
  type Session,
} from '@tactus/core'
import {
  errorReply,
  iqResult,
  type PageRequest,
  readPageRequest,
  StanzaError,
} from '@tactus/stanza'
import {
  type ArchiveFilter,
  type ArchivePage,
  type ArchivePageRow,
  archiveEnds,
  readArchivePage,
  searchedWords,
  waitingAmong,
} from '@tactus/storage'
import { Stanza } from '@tactus/xml'
import { archiveOwner } from './settings.ts'
import { finElement, metadataElement, NS_ARCHIVE, readQuery, resultMessage } from './wire.ts'

/** Bounds of a query. */
export interface QueryLimits {
  /** Messages of a page where nothing is asked, and at most. */
  readonly page: { readonly default: number; readonly max: number }
  /** Queries of an account that may be under way at once. */
  readonly parallel: number
}

/** Bytes of a page at most: several are under way, and each is in memory. */
const pageBytes = 1_048_576
/** A count of more costs more than it is worth. */
const mostCounted = 100_000
/** Results that cost as much as one stanza. */
const resultsPerUnit = 10

/** Who asked, and for which answer they wait; as it travels in a job. */
interface Asked {
  readonly session: string
  readonly request: Uint8Array
  readonly host: string
}

/** A page is asked for: the job's spec. */
export interface PageSpec extends Asked {
  readonly job: 'page'
  readonly filter: ArchiveFilter
  readonly account: string
  readonly max: number
  readonly fromEnd: boolean
  readonly queryId: string | undefined
  readonly flip: boolean
}

/** The ends of the archive are asked for. */
export interface EndsSpec extends Asked {
  readonly job: 'ends'
  readonly owner: string
}

/** Queries that are under way, by the id of their job: nobody starts any number of them (V49). */
export const runningStore: LiveStore<true> = liveStore('archive-running')

/**
 * Notes the job that answers a query (XEP-0313 §4). It starts when the step is committed, so it finds all that was
 * accepted before; its answer is an input, so it comes behind all that was delivered before.
 */
export function askPage(request: IqRequest, limits: QueryLimits): typeof deferred {
  const { payload, scope } = request
  const page = readPageRequest(payload, limits.page)
  // XEP-0059 §2.6
  if (page.index !== undefined)
    throw new StanzaError('feature-not-implemented', 'Pages are asked for by id, not by index.')
  const filter = filterOf(scope, request, page)
  scope.charge(Math.ceil(page.max / resultsPerUnit))
  const spec: PageSpec = {
    ...asked(request),
    job: 'page',
    filter,
    account: scope.entity,
    max: page.max,
    fromEnd: page.before !== undefined,
    queryId: payload.attrs.queryid,
    flip: payload.getChild('flip-page', NS_ARCHIVE) !== undefined,
  }
  return start(scope, spec, limits)
}

/** Notes the job that tells the ends of the archive (§5). */
export function askEnds(request: IqRequest, limits: QueryLimits): typeof deferred {
  const spec: EndsSpec = { ...asked(request), job: 'ends', owner: archiveOwner(request.scope) }
  return start(request.scope, spec, limits)
}

function start(
  scope: Scope,
  spec: PageSpec | EndsSpec,
  { parallel }: QueryLimits,
): typeof deferred {
  if (scope.all(runningStore).size >= parallel)
    throw new StanzaError('resource-constraint', `At most ${parallel} queries run at once.`)
  const id = `archive ${scope.makeId()}`
  scope.set(runningStore, id, true)
  scope.job('archive', id, spec)
  return deferred
}

function asked({ session, stanza, host }: IqRequest): Asked {
  // Whoever asks about itself from elsewhere has no session to send messages to.
  if (!session) throw new StanzaError('not-allowed')
  return { session: session.id, request: stanza.bytes, host: host.name }
}

function filterOf(scope: Scope, { payload }: IqRequest, page: PageRequest): ArchiveFilter {
  const { afterId, beforeId, text, ...rest } = readQuery(payload)
  const after = [afterId, page.after].filter((id) => id !== undefined)
  const before = [beforeId, page.before].filter((id) => id !== undefined && id !== '')
  const words = text === undefined ? undefined : searchedWords(text)
  // Else a search for nothing but dots would find everything.
  if (words?.length === 0) throw new StanzaError('bad-request', 'There is no word to search for.')
  return { owner: archiveOwner(scope), ...rest, after, before: before as string[], words }
}

/** What a page's job found; undefined where an id is not in the archive. */
type FoundPage = (ArchivePage & { readonly waiting: readonly string[] }) | undefined

/** The job of `askPage`. */
export const pageJob: JobDefinition<PageSpec, FoundPage> = {
  async run(
    { filter, account, max, fromEnd }: PageSpec,
    { reader }: JobContext,
  ): Promise<FoundPage> {
    const request = { max, bytes: pageBytes, fromEnd, ...(max === 0 && { countTo: mostCounted }) }
    const page = await readArchivePage(reader, filter, request)
    if (!page) return undefined
    const ids = page.rows.map(({ id }) => id)
    return { ...page, waiting: await waitingAmong(reader, account, ids) }
  },

  done(scope, spec, result) {
    const session = finished(scope, spec)
    if (!session) return
    if (!result.ok) return refuse(scope, session, spec, unavailable())
    // §4.1.3, §4.3.1
    if (!result.value) return refuse(scope, session, spec, new StanzaError('item-not-found'))
    deliverPage(scope, session, spec, result.value)
  },
}

/** The job of `askEnds`. */
export const endsJob: JobDefinition<EndsSpec, Awaited<ReturnType<typeof archiveEnds>>> = {
  run: ({ owner }: EndsSpec, { reader }: JobContext) => archiveEnds(reader, owner),

  done(scope, spec, result) {
    const session = finished(scope, spec)
    if (!session) return
    if (!result.ok) return refuse(scope, session, spec, unavailable())
    answer(scope, session, spec, metadataElement(result.value))
  },
}

/** The session that asked, if it is still there. */
function finished(scope: Scope, { session }: Asked): Session | undefined {
  const { input } = scope.turn
  if (input.kind === 'job') scope.set(runningStore, input.id, undefined)
  return scope.sessions().find(({ id }) => id === session)
}

/**
 * What also waits in the mailbox waits no longer once the client has acknowledged its copy, so that it is not told twice
 * (§6.1, XEP-0160). Not so for resources that get no messages for the account.
 */
function deliverPage(
  scope: Scope,
  session: Session,
  spec: PageSpec,
  page: NonNullable<FoundPage>,
): void {
  const settles = (session.presence?.priority ?? 0) >= 0
  const waiting = new Set(settles ? page.waiting : [])
  const { rows, cut } = fitting(page.rows, scope.room(session), spec.fromEnd)
  const from = scope.entity
  // §4.3.3: flipped or not, it is the same page.
  for (const row of spec.flip ? rows.toReversed() : rows)
    scope.deliver(
      session,
      resultMessage(row, session.jid, from, { id: scope.makeId(), queryId: spec.queryId }),
      waiting.has(row.id) ? { mailbox: row.id, copy: true } : {},
    )
  const [first, last] = [rows.at(0), rows.at(-1)]
  const fin = finElement({
    complete: page.complete && !cut,
    count: page.count,
    ...(first && last && { ends: { first: first.id, last: last.id } }),
  })
  answer(scope, session, spec, fin)
}

/**
 * As much of a page as the session's queue takes and then has room for live messages: a shorter page is allowed (§4.3),
 * an ended session is no answer.
 */
function fitting(
  rows: readonly ArchivePageRow[],
  room: number,
  fromEnd: boolean,
): { readonly rows: readonly ArchivePageRow[]; readonly cut: boolean } {
  const most = Math.max(1, Math.floor(room / 2))
  if (rows.length <= most) return { rows, cut: false }
  return { rows: fromEnd ? rows.slice(-most) : rows.slice(0, most), cut: true }
}

function answer(
  scope: Scope,
  session: Session,
  { request }: Asked,
  payload: ReturnType<typeof finElement>,
): void {
  scope.deliver(session, iqResult(Stanza.parse(request), payload))
}

function refuse(scope: Scope, session: Session, { request }: Asked, error: StanzaError): void {
  const stanza = Stanza.parse(request)
  const reply = errorReply(stanza, error)
  if (reply)
    scope.deliver(session, reply.from === undefined ? reply.with({ from: scope.entity }) : reply)
}

function unavailable(): StanzaError {
  return new StanzaError('resource-constraint', 'The archive did not answer in time.')
}
