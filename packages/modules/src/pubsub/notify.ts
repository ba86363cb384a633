import type { Scope, Session } from '@tactus/core'
import { bare, type Jid } from '@tactus/jid'
import { delayElement, NS_CLIENT } from '@tactus/stanza'
import { clone, type XmlElement, xml } from '@tactus/xml'
import { mayAccess } from './access.ts'
import {
  deliverNotifications,
  deliverPayloads,
  itemReply,
  notificationType,
  settingOf,
} from './fields.ts'
import { addressOf, type Node, peopleOf, savePeople } from './service.ts'
import type { Subscription } from './store.ts'
import { eventElement, replyTo } from './wire.ts'

/** An item as subscribers see it. */
export interface Announced {
  readonly id: string | undefined
  readonly payload: XmlElement | undefined
  /** As the node tells of it. */
  readonly publisher: string | undefined
}

/**
 * Tells all who are to hear of something that happened at a node (XEP-0060 §7.1.2), `content` being what `<event/>` holds.
 *
 * Nobody is told who may not have the node's items now, whatever was when the subscription was made; a subscription
 * that lost its right ends here (XEP-0163 §8.1).
 */
export function notify(node: Node, content: XmlElement, by?: Session): void {
  const { service } = node
  const event = eventElement(content)
  const author = by?.presence && !by.invisible ? replyTo(by.jid) : undefined
  service.announce(node, messageOf(node, event, author))
  const active = entitledSubscriptions(node).filter(({ state }) => state === 'subscribed')
  const subscribers = [...new Set(active.map(({ jid }) => jid as Jid))]
  // One payload for all of them. An address has one subscription, so there is no SubID to tell apart (§7.1.2.4).
  if (subscribers.length > 0)
    service.scope.multicast(subscribers, messageOf(node, clone(event)), { durable: false })
}

/** Tells of a published item, if the node tells of such things. */
export function notifyItem(node: Node, item: Announced, by?: Session): void {
  if (!settingOf(node.config, deliverNotifications)) return
  notify(node, itemsElement(node, item), by)
}

/** Whom an item names as the one to answer, if its node does that (XEP-0060 §12.16). SECURITY: never a resource. */
export function replyAddress(
  { service, config, creator }: Node,
  publisher: string,
): string | undefined {
  const whom = settingOf(config, itemReply)
  if (whom === 'publisher') return bare(publisher as Jid)
  return whom === 'owner' ? (service.owner ?? creator) : undefined
}

/** The `<items/>` of a notification about one item. */
export function itemsElement(node: Node, { id, payload, publisher }: Announced): XmlElement {
  const isFull = settingOf(node.config, deliverPayloads)
  const item = xml('item', { id, publisher }, isFull && payload && clone(payload))
  // §7.1.2.3: a transient notification has no item to speak of.
  return xml('items', { node: node.name }, (id !== undefined || payload) && item)
}

/** An item as somebody gets it who has just come, or subscribed (XEP-0060 §6.1.7). */
export interface OldItem {
  readonly node: string
  readonly id: string
  /** As the node tells of it. */
  readonly publisher: string | undefined
  /** Wall clock, ms. */
  readonly at: number
  /** Of the message. */
  readonly type: string
  /** Whether the node shows payloads in notifications. */
  readonly shown: boolean
}

/** The notification about an item that was there before; lacks `to`. */
export function oldItemMessage(
  scope: Scope,
  {
    node,
    id,
    publisher,
    at,
    type,
    payload,
  }: OldItem & { readonly payload: XmlElement | undefined },
): XmlElement {
  const items = xml('items', { node }, xml('item', { id, publisher }, payload))
  const attrs = { xmlns: NS_CLIENT, type, id: scope.makeId(), from: addressOf(scope) }
  return xml('message', attrs, eventElement(items), delayElement({ stamp: at }))
}

/** To a resource of the entity itself directly, to all others by their partition. */
export function deliverOrSend(scope: Scope, to: string, stanza: XmlElement): void {
  stanza.attrs.to = to
  const own = scope.sessions().find(({ jid }) => jid === to)
  if (own) scope.deliver(own, stanza)
  else scope.send(stanza, { durable: false })
}

function messageOf(node: Node, ...content: readonly (XmlElement | undefined)[]): XmlElement {
  const { scope, address } = node.service
  const type = settingOf(node.config, notificationType)
  const attrs = { xmlns: NS_CLIENT, type, id: scope.makeId(), from: address }
  return xml('message', attrs, content)
}

/** Those subscriptions whose holders may still have the items; the others are ended. */
function entitledSubscriptions(node: Node): readonly Subscription[] {
  const people = peopleOf(node)
  const entitled = new Map(
    [...people.subscriptions].filter(
      ([, { jid, state }]) => state === 'pending' || mayAccess(node, jid as Jid),
    ),
  )
  if (entitled.size < people.subscriptions.size)
    savePeople(node, { ...people, subscriptions: entitled })
  return [...entitled.values()]
}
