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
import { errorReply, iqResult, readPageRequest, StanzaError } from '@tactus/stanza'
import {
  type Conversation,
  type InboxPageRequest,
  type InboxPlace,
  type InboxTotals,
  inboxTotals,
  readInboxPage,
} from '@tactus/storage'
import { Stanza } from '@tactus/xml'
import { entryMessage, finElement, placeId, readPlace, readWanted } from './wire.ts'

/** Bounds of a query. */
export interface QueryLimits {
  /** Conversations of a page where nothing is asked, and at most. */
  readonly page: { readonly default: number; readonly max: number }
  /** Queries of an account that may be under way at once. */
  readonly parallel: number
}

/** Bytes of the messages of a page at most. */
const pageBytes = 1_048_576
/** Conversations that cost as much as one stanza. */
const entriesPerUnit = 10

/** A page is asked for: the job's spec. */
interface PageSpec {
  readonly job: 'page'
  readonly session: string
  readonly request: Uint8Array
  readonly page: InboxPageRequest
}

interface Found {
  readonly conversations: readonly Conversation[]
  readonly totals: InboxTotals
}

/** Queries that are under way, by their job. */
export const runningStore: LiveStore<true> = liveStore('inbox-running')

/**
 * Notes the job that answers (XEP-0430 §3.1): it reads what was accepted before, and its answer comes behind all that was
 * delivered before.
 */
export function askInbox(request: IqRequest, limits: QueryLimits): typeof deferred {
  const { payload, scope, session, stanza } = request
  if (!session) throw new StanzaError('not-allowed')
  const { after, before, index, max } = readPageRequest(payload, limits.page)
  if (index !== undefined)
    throw new StanzaError('feature-not-implemented', 'Pages are asked for by id, not by index.')
  if (scope.all(runningStore).size >= limits.parallel)
    throw new StanzaError('resource-constraint', `At most ${limits.parallel} queries run at once.`)
  scope.charge(Math.ceil(max / entriesPerUnit))
  const spec: PageSpec = {
    job: 'page',
    session: session.id,
    request: stanza.bytes,
    page: {
      ...readWanted(payload),
      account: scope.entity,
      max,
      bytes: pageBytes,
      after: place(after),
      before: place(before),
      fromEnd: before !== undefined,
    },
  }
  const id = `inbox ${scope.makeId()}`
  scope.set(runningStore, id, true)
  scope.job('inbox', id, spec)
  return deferred
}

/** XEP-0059 §2.2, §2.5: no id, or an empty one, is no bound. */
function place(id: string | undefined): InboxPlace | undefined {
  if (!id) return undefined
  const found = readPlace(id)
  if (!found) throw new StanzaError('item-not-found')
  return found
}

/** The job of `askInbox`. */
export const pageJob: JobDefinition<PageSpec, Found> = {
  async run({ page }: PageSpec, { reader }: JobContext): Promise<Found> {
    const conversations = await readInboxPage(reader, page)
    return { conversations, totals: await inboxTotals(reader, page.account) }
  },

  done(scope, spec, result) {
    const { input } = scope.turn
    if (input.kind === 'job') scope.set(runningStore, input.id, undefined)
    const session = scope.sessions().find(({ id }) => id === spec.session)
    if (!session) return
    if (result.ok) deliverPage(scope, session, spec, result.value)
    else refuse(scope, session, spec)
  },
}

function deliverPage(scope: Scope, session: Session, spec: PageSpec, found: Found): void {
  const { page } = spec
  const request = Stanza.parse(spec.request)
  // A shorter page is allowed, an ended session is no answer.
  const most = Math.max(1, Math.floor(scope.room(session) / 2))
  const { conversations, totals } = found
  const shown = page.fromEnd ? conversations.slice(-most) : conversations.slice(0, most)
  for (const conversation of shown) {
    const head = { id: scope.makeId(), to: session.jid, from: scope.entity, query: request.id }
    scope.deliver(session, entryMessage(conversation, head))
  }
  const [first, last] = [shown.at(0), shown.at(-1)]
  const fin = finElement(totals, {
    count: page.unreadOnly ? totals.unread : totals.total,
    ...(first && last && { ends: { first: placeId(first), last: placeId(last) } }),
  })
  scope.deliver(session, iqResult(request, fin))
}

function refuse(scope: Scope, session: Session, { request }: PageSpec): void {
  const error = new StanzaError('resource-constraint', 'The inbox did not answer in time.')
  const reply = errorReply(Stanza.parse(request), error)
  if (reply)
    scope.deliver(session, reply.from === undefined ? reply.with({ from: scope.entity }) : reply)
}
