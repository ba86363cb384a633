import { deferred, type IqAnswer } from '@tactus/core'
import { bare, type Jid } from '@tactus/jid'
import {
  NS_RSM,
  type PageSummary,
  pageElement,
  readOrder,
  readPageRequest,
  StanzaError,
} from '@tactus/stanza'
import { xml } from '@tactus/xml'
import { requireAccess, requireExisting, subscriptionsFor } from '../access.ts'
import type { PubsubFeature } from '../feature.ts'
import { answerWithItems } from '../fetch.ts'
import { findAsked } from '../followers/followers.ts'
import { firstOf, fitting, type ItemList, mostRecentFirst, ordered, pageOf } from '../paging.ts'
import { itemsOf, type Node, type PubsubRequest } from '../service.ts'
import type { ItemEntry } from '../store.ts'
import { NS_PUBSUB, pubsubElement, pubsubError, requireNode } from '../wire.ts'

/** XEP-0060 §6.5: retrieve items. */
export const retrieving: PubsubFeature = {
  announces: ['retrieve-items', 'rsm', 'last-published'],
  actions: [{ type: 'get', ns: 'pubsub', name: 'items', handle: retrieve }],
}

/**
 * What is read are payloads, beside the steps: the answer comes when they are there.
 */
function retrieve(request: PubsubRequest): IqAnswer {
  const { service, action, from, stanza } = request
  const name = requireNode(action)
  const node = requireExisting(service, findAsked(service, name, from), from)
  requireAccess(node, from)
  requireSubscription(node, from, action.attrs.subid)
  const { entries, summary } = chosen(request, itemsOf(node))
  const page = summary && pageElement(summary)
  if (entries.length === 0) return pubsubElement(xml('items', { node: name }), page)
  const reply = { id: stanza.id ?? '', to: from, from: stanza.to ?? service.address }
  answerWithItems(node, entries, { reply, summary })
  return deferred
}

/** §6.5.9.1, §6.5.9.2: who has several subscriptions says by which of them. */
function requireSubscription(node: Node, from: Jid, subid: string | undefined): void {
  const own = subscriptionsFor(node, from)
  const known = own.length > 0 ? own : subscriptionsFor(node, bare(from))
  if (subid === undefined && known.length > 1) throw pubsubError('bad-request', 'subid-required')
  if (subid !== undefined && !known.some((each) => each.subid === subid))
    throw pubsubError('not-acceptable', 'invalid-subid')
}

interface Chosen {
  readonly entries: readonly ItemEntry[]
  readonly summary: PageSummary | undefined
}

/** Which items are wanted, the most recent first as in the examples of §6.5 where no order is asked for (XEP-0413). */
function chosen(request: PubsubRequest, all: readonly ItemEntry[]): Chosen {
  const { action, pubsub, service } = request
  const { pageItems, pageBytes } = service.limits
  const ids = action.getChildren('item', NS_PUBSUB).map(({ attrs }) => attrs.id)
  if (ids.length > 0) {
    const wanted = new Set(ids)
    const named = all.filter(({ id }) => wanted.has(id))
    return {
      entries: fitting(named.toReversed().slice(0, pageItems), pageBytes),
      summary: undefined,
    }
  }
  const order = readOrder(pubsub)
  const list = atMost(order ? ordered(all, order) : mostRecentFirst(all), action.attrs.max_items)
  const asked = pubsub.getChild('set', NS_RSM) !== undefined
  const limits = { default: pageItems, max: pageItems }
  const { items, summary } = pageOf(list, readPageRequest(pubsub, limits), (page) =>
    fitting(page, pageBytes),
  )
  // §6.5.4: a list that is cut short says so.
  return {
    entries: items,
    summary: asked || items.length < list.items.length ? summary : undefined,
  }
}

/** §6.5.7 */
function atMost(list: ItemList, count: string | undefined): ItemList {
  if (count === undefined) return list
  if (!/^\d{1,9}$/.test(count)) throw new StanzaError('bad-request', 'max_items is no number.')
  return firstOf(list, Number(count))
}
