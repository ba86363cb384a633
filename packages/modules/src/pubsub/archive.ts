import {
  deferred,
  type IqAnswer,
  type IqRequest,
  type JobDefinition,
  type Scope,
} from '@tactus/core'
import {
  type ArchiveQuery,
  archiveFin,
  archiveMetadata,
  archiveQueryForm,
  archiveResult,
  fullTextField,
  NS_ARCHIVE,
  NS_CLIENT,
  readArchiveQuery,
  readOrder,
  readPageRequest,
  StanzaError,
} from '@tactus/stanza'
import { Stanza, xml } from '@tactus/xml'
import { requireAccess, requireExisting } from './access.ts'
import { parsedPayload, readPayloads, type Wanted, wanted } from './fetch.ts'
import { deliverPayloads, settingOf } from './fields.ts'
import { answerLater, type Reply, refuseLater } from './later.ts'
import { deliverOrSend, messageTypeOf } from './notify.ts'
import { atEndOf, fitting, type ItemList, ordered, pageOf } from './paging.ts'
import { findNode, itemsOf, type Node, type Service } from './service.ts'
import type { ItemEntry } from './store.ts'
import { eventElement, requireNode } from './wire.ts'

/** Fields that mean nothing here: a node has no other side, and nobody searches what could be anything. */
const without = ['with', 'include-groupchat', fullTextField]
/** Results that cost as much as one stanza. */
const resultsPerUnit = 10

interface Shown extends Wanted {
  readonly at: number
}

/** A page of a node's archive, the payloads of which have to be read. */
interface Spec {
  readonly job: 'archive'
  readonly entity: string
  readonly node: string
  /** As the page is, whichever way round it is told. */
  readonly list: readonly Shown[]
  readonly reply: Reply
  readonly queryId: string | undefined
  /** Of notifications. */
  readonly type: string
  readonly shown: boolean
  readonly fromEnd: boolean
  readonly flipped: boolean
  readonly complete: boolean
  readonly count: number
  readonly index: number | undefined
}

/**
 * What was published at a node and is kept there, as messages (XEP-0442).
 *
 * The archive is the node itself: what is retracted, overwritten or over is in no archive either, and nothing is kept twice.
 * The id of an item in it is the number of its publication.
 */
export function askNodeArchive(service: Service, request: IqRequest): IqAnswer {
  const { payload, from, stanza, scope } = request
  const node = requireExisting(service, findNode(service, requireNode(payload)), from)
  requireAccess(node, from)
  if (stanza.type === 'get')
    return payload.name === 'metadata' ? endsOf(node) : archiveQueryForm(...without)
  const { pageItems, pageBytes } = service.limits
  const chosen = chosenItems(itemsOf(node), readArchiveQuery(payload, ...without))
  const list = numbered(ordered(chosen, readOrder(payload) ?? oldestFirst))
  const asked = readPageRequest(payload, { default: pageItems, max: pageItems })
  const { items, summary } = pageOf(list, asked, (page) => fitting(page, pageBytes))
  const fromEnd = asked.before !== undefined
  const start = summary.index ?? 0
  scope.charge(Math.ceil(items.length / resultsPerUnit))
  const spec: Spec = {
    job: 'archive',
    entity: scope.entity,
    node: node.name,
    list: items.map((entry) => ({ ...wanted(node, entry), at: entry.at })),
    reply: { id: stanza.id ?? '', to: from, from: stanza.to ?? service.address },
    queryId: payload.attrs.queryid,
    type: messageTypeOf(node),
    shown: settingOf(node.config, deliverPayloads),
    fromEnd,
    flipped: payload.getChild('flip-page', NS_ARCHIVE) !== undefined,
    complete: atEndOf(list, { start, length: items.length, fromEnd }),
    count: list.items.length,
    index: summary.index,
  }
  scope.job('pubsub', `pubsub archive ${scope.makeId()}`, spec)
  return deferred
}

const oldestFirst = { by: 'modification', descending: false } as const

/** XEP-0313 §4.1 @throws {StanzaError} `item-not-found` for an id that is not there */
function chosenItems(
  all: readonly ItemEntry[],
  { start = 0, end = Number.POSITIVE_INFINITY, afterId, beforeId, ids }: ArchiveQuery,
): readonly ItemEntry[] {
  const known = new Map(all.map(({ seq }) => [String(seq), seq]))
  const placeOf = (id: string): number => {
    const seq = known.get(id)
    if (seq === undefined) throw new StanzaError('item-not-found')
    return seq
  }
  const lower = afterId === undefined ? Number.NEGATIVE_INFINITY : placeOf(afterId)
  const upper = beforeId === undefined ? Number.POSITIVE_INFINITY : placeOf(beforeId)
  const named = ids && new Set(ids.map(placeOf))
  return all.filter(
    ({ seq, at }) =>
      seq > lower && seq < upper && at >= start && at <= end && (!named || named.has(seq)),
  )
}

/** The places of an archive are its ids; one that is not there is no place (XEP-0313 §4.3.1). */
function numbered({ items }: ItemList): ItemList {
  return {
    items,
    nameOf: ({ seq }) => String(seq),
    around(place) {
      const index = items.findIndex(({ seq }) => String(seq) === place)
      if (index === -1) throw new StanzaError('item-not-found')
      return [index, index + 1]
    },
  }
}

/** XEP-0313 §5 */
function endsOf(node: Node): IqAnswer {
  const all = itemsOf(node)
  const [first, last] = [all[0], all.at(-1)]
  const end = ({ seq, at }: ItemEntry) => ({ id: String(seq), at })
  return archiveMetadata(first && last && { first: end(first), last: end(last) })
}

/** The job that reads a page. */
export const archiveJob: JobDefinition<Spec, readonly (string | undefined)[]> = {
  run: ({ entity, list }, { reader }) => readPayloads(reader, entity, list),

  done(scope, spec, result) {
    if (!result.ok) return refuseLater(scope, spec.reply, undefined, 'set')
    const { list, reply, flipped } = spec
    const texts = result.value
    const page = list
      .map((item, index) => ({ ...item, payload: parsedPayload(texts[index]) }))
      // What was taken out meanwhile is in the archive no more.
      .filter(({ full, payload }) => !full || payload)
    const told = tellable(scope, spec, page)
    for (const item of flipped ? told.toReversed() : told)
      deliverOrSend(scope, reply.to, resultOf(scope, spec, item).element)
    const [first, last] = [told[0], told.at(-1)]
    const ends = first && last && { first: String(first.seq), last: String(last.seq) }
    const { count, index } = spec
    const complete = spec.complete && told.length === page.length
    const cutAhead = spec.fromEnd ? page.length - told.length : 0
    const place = index === undefined ? undefined : index + cutAhead
    answerLater(scope, reply, archiveFin({ complete, count, ...(ends && { ends, index: place }) }))
  },
}

type Told = Shown & { readonly payload: ReturnType<typeof parsedPayload> }

/** As much as the queue of a session of the entity itself takes, and then has room for what else comes. */
function tellable(scope: Scope, { reply, fromEnd }: Spec, page: readonly Told[]): readonly Told[] {
  const own = scope.sessions().find(({ jid }) => jid === reply.to)
  const most = own ? Math.max(1, Math.floor(scope.room(own) / 2)) : page.length
  if (page.length <= most) return page
  return fromEnd ? page.slice(-most) : page.slice(0, most)
}

/** §2: as subscribers were told, each item in a message of its own. */
function resultOf(scope: Scope, { node, type, shown, reply, queryId }: Spec, told: Told): Stanza {
  const { id, publisher, payload, seq, at } = told
  const items = xml('items', { node }, xml('item', { id, publisher }, shown ? payload : undefined))
  const attrs = { xmlns: NS_CLIENT, type, from: reply.from }
  const { bytes } = Stanza.from(xml('message', attrs, eventElement(items)))
  const row = { id: String(seq), at, stanza: bytes }
  return archiveResult(row, reply.to, reply.from, { id: scope.makeId(), queryId })
}
