import type { IqAnswer } from '@tactus/core'
import { bare, type Jid, tryParseJid } from '@tactus/jid'
import { type XmlElement, xml } from '@tactus/xml'
import {
  affiliationOf,
  requireAccess,
  requireExisting,
  requireKnown,
  requireVisible,
  subscriptionsFor,
} from '../access.ts'
import { askOwners, sendLastTo, subscriptionElement } from '../approval.ts'
import type { PubsubFeature } from '../feature.ts'
import { accessModel, allowsSubscribing, settingOf } from '../fields.ts'
import { startList } from '../lists.ts'
import { findNode, type Node, type PubsubRequest, peopleOf, savePeople } from '../service.ts'
import type { Subscription } from '../store.ts'
import { pubsubElement, pubsubError, requireNode, unsupported } from '../wire.ts'

/** XEP-0060 §6.1, §6.2 and §5.6: subscribe, unsubscribe, and know of it. */
export const subscribing: PubsubFeature = {
  announces: ['subscribe', 'retrieve-subscriptions', 'subscription-notifications'],
  actions: [
    { type: 'set', ns: 'pubsub', name: 'subscribe', handle: subscribe },
    { type: 'set', ns: 'pubsub', name: 'unsubscribe', handle: unsubscribe },
    { type: 'get', ns: 'pubsub', name: 'subscriptions', handle: list },
  ],
}

/** Stores a subscription, in the place of an older one of the same SubID. */
export function storeSubscription(node: Node, subscription: Subscription): void {
  const people = peopleOf(node)
  const { subid } = subscription
  const isNew = !people.subscriptions.has(subid)
  if (isNew && people.subscriptions.size >= node.service.limits.subscribers)
    throw pubsubError('policy-violation', 'too-many-subscriptions', { type: 'wait' })
  savePeople(node, {
    ...people,
    subscriptions: new Map(people.subscriptions).set(subid, subscription),
  })
}

/** §6.1 */
function subscribe({ service, scope, action, from }: PubsubRequest): IqAnswer {
  const name = requireNode(action)
  const jid = subscriberOf(action)
  // §6.1.3.1
  if (!jid || bare(jid) !== bare(from)) throw pubsubError('bad-request', 'invalid-jid')
  const node = requireExisting(service, findNode(service, name), from)
  const [known] = subscriptionsFor(node, jid)
  if (known?.state === 'pending') throw pubsubError('not-authorized', 'pending-subscription')
  const waits = mustWait(node, from)
  if (!waits) requireAccess(node, from)
  if (!settingOf(node.config, allowsSubscribing)) throw unsupported('subscribe')
  if (known) return pubsubElement(subscriptionElement(name, known))
  const subscription: Subscription = {
    subid: scope.makeId(),
    jid,
    state: waits ? 'pending' : 'subscribed',
    options: {},
  }
  storeSubscription(node, subscription)
  if (waits) askOwners(node, subscription)
  else sendLastTo(node, jid)
  return pubsubElement(subscriptionElement(name, subscription))
}

/** §6.1.4: an owner has to approve first. */
function mustWait(node: Node, from: Jid): boolean {
  return (
    settingOf(node.config, accessModel) === 'authorize' &&
    affiliationOf(node, from) === 'none' &&
    (node.service.owner === undefined || node.service.sharesPresence(from))
  )
}

/** §6.2 */
function unsubscribe({ service, action, from }: PubsubRequest): IqAnswer {
  const name = requireNode(action)
  const jid = subscriberOf(action)
  const node = requireExisting(service, findNode(service, name), from)
  if (!jid) throw pubsubError('bad-request', 'jid-required')
  requireSelf(node, jid, from)
  const people = peopleOf(node)
  const [known] = subscriptionsFor(node, jid)
  if (!known) {
    requireVisible(node, from)
    throw pubsubError('unexpected-request', 'not-subscribed', { type: 'cancel' })
  }
  const { subid } = action.attrs
  if (subid !== undefined && subid !== known.subid)
    throw pubsubError('not-acceptable', 'invalid-subid')
  const subscriptions = new Map(people.subscriptions)
  subscriptions.delete(known.subid)
  savePeople(node, { ...people, subscriptions })
  return pubsubElement(
    xml('subscription', { node: name, jid, subid: known.subid, subscription: 'none' }),
  )
}

/** §6.2.3.3 */
function requireSelf(node: Node, jid: Jid, from: Jid): void {
  if (bare(jid) === bare(from)) return
  requireVisible(node, from)
  throw pubsubError('forbidden', 'invalid-jid')
}

/** §5.6: the subscriptions of whoever asks. */
function list({ service, action, from, stanza, pubsub }: PubsubRequest): IqAnswer {
  const { node: name } = action.attrs
  const person = bare(from)
  if (!name)
    return startList(
      service,
      { kind: 'subscriptions', person },
      { from, id: stanza.id, set: pubsub },
    )
  const node = requireExisting(service, findNode(service, name), from)
  const mine = [...peopleOf(node).subscriptions.values()]
    .filter(({ jid }) => bare(jid as Jid) === person)
    .map((subscription) => subscriptionElement(name, subscription))
  if (mine.length === 0) requireKnown(service, from)
  return pubsubElement(xml('subscriptions', { node: name }, mine))
}

function subscriberOf(action: XmlElement): Jid | undefined {
  return action.attrs.jid ? tryParseJid(action.attrs.jid) : undefined
}
