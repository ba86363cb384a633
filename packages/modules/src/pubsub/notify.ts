import type { Scope, Session } from '@tactus/core'
import { bare, type Jid } from '@tactus/jid'
import { delayElement, NS_CLIENT } from '@tactus/stanza'
import { clone, type XmlElement, xml } from '@tactus/xml'
import { mayAccess } from './access.ts'
import { collect, mayWait } from './digest.ts'
import {
  deliverNotifications,
  deliverPayloads,
  itemReply,
  notificationType,
  presenceBased,
  settingOf,
} from './fields.ts'
import { bodyOf, deliver, endOf, includeBody, payloadIn } from './options.ts'
import { addressOf, type Node, peopleOf, savePeople } from './service.ts'
import type { Subscription } from './store.ts'
import { eventElement, replyTo, subscriptionHeaders } from './wire.ts'

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
 * that lost its right ends here (XEP-0163 §7.1).
 */
export function notify(node: Node, content: XmlElement, by?: Session): void {
  const { service } = node
  const event = eventElement(content)
  const author = by?.presence && !by.invisible ? replyTo(by.jid) : undefined
  const entitled = entitledSubscriptions(node)
  const waiting = entitled.filter((each) => mayWait(node, each, content))
  const { plain, withBody, several } = audienceOf(
    entitled.filter((each) => !waiting.includes(each)),
    entitled,
  )
  // XEP-0163 §4.3.2: one notification, whatever somebody is told for.
  service.announce(
    node,
    messageOf(node, event, author),
    new Set([...plain, ...withBody, ...several.keys()]),
  )
  keepOnly(node, entitled)
  for (const subscription of waiting) collect(node, subscription, content)
  const body = bodyOf(payloadIn(content))
  // XEP-0163 §4.3.1. SECURITY: where the owner is, is for those who see the presence.
  const tellAll = (jids: readonly Jid[], ...all: readonly (XmlElement | undefined)[]): void => {
    const isNear = (jid: Jid): boolean => author !== undefined && service.sharesPresence(jid)
    tell(node, jids.filter(isNear), ...all, author)
    tell(node, author ? jids.filter((jid) => !isNear(jid)) : jids, ...all)
  }
  tellAll(plain, event)
  tellAll(withBody, body, event)
  for (const [jid, { subids, wantsBody }] of several)
    tellAll([jid], wantsBody ? body : undefined, event, subscriptionHeaders(subids))
}

/** One payload for all of them; what is kept for those who are away is kept for good. */
function tell(
  node: Node,
  recipients: readonly Jid[],
  ...content: readonly (XmlElement | undefined)[]
): void {
  if (recipients.length === 0) return
  const message = messageOf(node, ...content.map((each) => each && clone(each)))
  const durable = message.attrs.type === 'normal'
  node.service.scope.multicast(recipients, message, { durable })
}

interface Several {
  readonly subids: readonly string[]
  readonly wantsBody: boolean
}

/**
 * Who gets the same: those with one subscription, and one by one those that have to tell theirs apart (§7.1.2.4), also
 * where one of `all` of theirs alone is told of this.
 */
function audienceOf(
  subscriptions: readonly Subscription[],
  all: readonly Subscription[],
): {
  readonly plain: readonly Jid[]
  readonly withBody: readonly Jid[]
  readonly several: ReadonlyMap<Jid, Several>
} {
  const addresses = new Map<Jid, Several>()
  for (const { jid, subid, state, options } of subscriptions) {
    if (state !== 'subscribed' || !settingOf(options, deliver)) continue
    const before = addresses.get(jid as Jid)
    const wantsBody = before?.wantsBody || settingOf(options, includeBody)
    addresses.set(jid as Jid, { subids: [...(before?.subids ?? []), subid], wantsBody })
  }
  const counts = new Map<string, number>()
  for (const { jid } of all) counts.set(jid, (counts.get(jid) ?? 0) + 1)
  const hasOne = ([jid]: readonly [Jid, Several]): boolean => counts.get(jid) === 1
  const single = [...addresses].filter(hasOne)
  const pick = (wanted: boolean): readonly Jid[] =>
    single.filter(([, { wantsBody }]) => wantsBody === wanted).map(([jid]) => jid)
  const several = new Map([...addresses].filter((each) => !hasOne(each)))
  return { plain: pick(false), withBody: pick(true), several }
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
export function deliverOrSend(
  scope: Scope,
  to: string,
  stanza: XmlElement,
  { durable = false }: { readonly durable?: boolean } = {},
): void {
  stanza.attrs.to = to
  const own = scope.sessions().find(({ jid }) => jid === to)
  if (own) scope.deliver(own, stanza)
  else scope.send(stanza, { durable })
}

function messageOf(node: Node, ...content: readonly (XmlElement | undefined)[]): XmlElement {
  const { scope, address } = node.service
  const type = messageTypeOf(node)
  const attrs = { xmlns: NS_CLIENT, type, id: scope.makeId(), from: address }
  return xml('message', attrs, content)
}

/**
 * A headline reaches who is online and nobody else (RFC 6121 §8.5.2): that is delivery by presence, without the service
 * having to know it.
 */
export function messageTypeOf({ config }: Node): 'normal' | 'headline' {
  return settingOf(config, presenceBased) ? 'headline' : settingOf(config, notificationType)
}

/** Those subscriptions whose holders may still have the items. */
function entitledSubscriptions(node: Node): readonly Subscription[] {
  const { now } = node.service.scope
  return [...peopleOf(node).subscriptions.values()].filter(
    (each) =>
      (endOf(each) ?? Number.POSITIVE_INFINITY) > now &&
      (each.state === 'pending' || mayAccess(node, each.jid as Jid)),
  )
}

/** Ends all other subscriptions. */
function keepOnly(node: Node, entitled: readonly Subscription[]): void {
  const people = peopleOf(node)
  if (entitled.length === people.subscriptions.size) return
  const kept = [...people.subscriptions].filter(([, each]) => entitled.includes(each))
  savePeople(node, { ...people, subscriptions: new Map(kept) })
}
