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
  type archiveFin,
  archiveMetadata,
  archiveResult,
  errorReply,
  iqResult,
  StanzaError,
} from '@tactus/stanza'
import { type ArchivePage, type ArchivePageRow, archiveEnds, waitingAmong } from '@tactus/storage'
import { Stanza } from '@tactus/xml'
import {
  costOf,
  endOf,
  findPage,
  inOrder,
  type PageLimits,
  type PageQuestion,
  readQuestion,
  unavailable,
} from './pages.ts'
import { archiveOwner } from './settings.ts'

/** Bounds of a query. */
export interface QueryLimits {
  /** Messages of a page where nothing is asked, and at most. */
  readonly page: PageLimits
  /** Queries of an account that may be under way at once. */
  readonly parallel: number
}

/** Who asked, and for which answer they wait; as it travels in a job. */
interface Asked {
  readonly session: string
  readonly request: Uint8Array
  readonly host: string
}

/** A page is asked for: the job's spec. */
export interface PageSpec extends Asked, PageQuestion {
  readonly job: 'page'
  readonly account: string
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
  const question = readQuestion(payload, archiveOwner(scope), limits.page)
  scope.charge(costOf(question))
  const spec: PageSpec = { ...asked(request), job: 'page', account: scope.entity, ...question }
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

/** What a page's job found; undefined where an id is not in the archive. */
type FoundPage = (ArchivePage & { readonly waiting: readonly string[] }) | undefined

/** The job of `askPage`. */
export const pageJob: JobDefinition<PageSpec, FoundPage> = {
  async run(spec: PageSpec, { reader }: JobContext): Promise<FoundPage> {
    const page = await findPage(reader, spec)
    if (!page) return undefined
    const ids = page.rows.map(({ id }) => id)
    return { ...page, waiting: await waitingAmong(reader, spec.account, ids) }
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
    answer(scope, session, spec, archiveMetadata(result.value))
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
  for (const row of inOrder(rows, spec))
    scope.deliver(
      session,
      archiveResult(row, session.jid, from, { id: scope.makeId(), queryId: spec.queryId }),
      waiting.has(row.id) ? { mailbox: row.id, copy: true } : {},
    )
  answer(scope, session, spec, endOf(page, rows, { ...spec, cut }))
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
  payload: ReturnType<typeof archiveFin>,
): void {
  scope.deliver(session, iqResult(Stanza.parse(request), payload))
}

function refuse(scope: Scope, session: Session, { request }: Asked, error: StanzaError): void {
  const stanza = Stanza.parse(request)
  const reply = errorReply(stanza, error)
  if (reply)
    scope.deliver(session, reply.from === undefined ? reply.with({ from: scope.entity }) : reply)
}
