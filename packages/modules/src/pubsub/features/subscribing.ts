import type { IqAnswer } from '@tactus/core'
import { bare, type Jid, tryParseJid } from '@tactus/jid'
import { findForm, NS_PUBLIC_SUBSCRIPTIONS, readForm, type StanzaError } from '@tactus/stanza'
import { type XmlElement, xml } from '@tactus/xml'
import {
  affiliationOf,
  requireAccess,
  requireExisting,
  requireKnown,
  requireVisible,
  subscriptionsFor,
} from '../access.ts'
import { askOwners, awaitEnd, sendLastTo, subscriptionElement, tellOwners } from '../approval.ts'
import { followOptions } from '../digest.ts'
import type { PubsubFeature } from '../feature.ts'
import { accessModel, allowsSubscribing, type ConfigTexts, settingOf } from '../fields.ts'
import { findAsked } from '../followers/followers.ts'
import { isPublic, withPublicity } from '../followers/names.ts'
import { startList } from '../lists.ts'
import { optionsForm, readSubscriptionOptions, sameOptions } from '../options.ts'
import { findNode, type Node, type PubsubRequest, peopleOf, savePeople } from '../service.ts'
import type { Subscription } from '../store.ts'
import { NS_PUBSUB, pubsubElement, pubsubError, requireNode, unsupported } from '../wire.ts'

/** How many subscriptions an address may have at a node, each with other options. */
const mostOfOne = 10

/** XEP-0060 §6.1 to §6.4 and §5.6: subscribe, unsubscribe, choose how, and know of it. */
export const subscribing: PubsubFeature = {
  announces: [
    'subscribe',
    'retrieve-subscriptions',
    'subscription-notifications',
    'subscription-options',
    'retrieve-default-sub',
    'multi-subscribe',
    'leased-subscription',
    'get-pending',
  ],
  actions: [
    { type: 'set', ns: 'pubsub', name: 'subscribe', handle: subscribe },
    { type: 'set', ns: 'pubsub', name: 'unsubscribe', handle: unsubscribe },
    { type: 'get', ns: 'pubsub', name: 'subscriptions', handle: list },
    { type: 'get', ns: 'pubsub', name: 'options', handle: offerOptions },
    { type: 'set', ns: 'pubsub', name: 'options', handle: changeOptions },
    { type: 'get', ns: 'pubsub', name: 'default', handle: defaultOptions },
  ],
}

/** Stores a subscription, in the place of an older one of the same SubID. */
export function storeSubscription(node: Node, subscription: Subscription): void {
  const people = peopleOf(node)
  const { subid } = subscription
  const isNew = !people.subscriptions.has(subid)
  if (isNew && people.subscriptions.size >= node.service.limits.subscribers) throw tooMany()
  savePeople(node, {
    ...people,
    subscriptions: new Map(people.subscriptions).set(subid, subscription),
  })
  awaitEnd(node, subscription)
}

/** §6.1.3.9 */
function tooMany(): StanzaError {
  return pubsubError('policy-violation', 'too-many-subscriptions', { type: 'wait' })
}

/** §6.1 */
function subscribe({ service, scope, action, from, pubsub }: PubsubRequest): IqAnswer {
  const name = requireNode(action)
  const jid = subscriberOf(action)
  // §6.1.3.1
  if (!jid || bare(jid) !== bare(from)) throw pubsubError('bad-request', 'invalid-jid')
  const node = requireExisting(service, findAsked(service, name, from), from)
  const known = subscriptionsFor(node, jid)
  if (known.some(({ state }) => state === 'pending'))
    throw pubsubError('not-authorized', 'pending-subscription')
  const waits = mustWait(node, from)
  if (!waits) requireAccess(node, from)
  if (!settingOf(node.config, allowsSubscribing)) throw unsupported('subscribe')
  const options = chosenOptions(node, pubsub)
  const former = known.find((each) => !options || sameOptions(each.options, options))
  const toAll = action.getChild('public', NS_PUBLIC_SUBSCRIPTIONS) !== undefined
  if (former) return subscribeAgain(node, former, toAll)
  if (known.length >= mostOfOne) throw tooMany()
  const subscription: Subscription = {
    subid: scope.makeId(),
    jid,
    state: waits ? 'pending' : 'subscribed',
    options: withPublicity(options ?? {}, toAll),
  }
  storeSubscription(node, subscription)
  if (waits) askOwners(node, subscription)
  else {
    tellOwners(node, { jid, state: 'subscribed' })
    sendLastTo(node, subscription)
  }
  const told = options && xml('options', null, optionsForm(node, subscription, 'result'))
  return pubsubElement(subscriptionElement(name, subscription), told)
}

/** XEP-0465 §4.3: once more without it, and a subscription that was public is nobody else’s business again. */
function subscribeAgain(node: Node, former: Subscription, toAll: boolean): XmlElement {
  if (isPublic(former.options) !== toAll)
    storeSubscription(node, { ...former, options: withPublicity(former.options, toAll) })
  return pubsubElement(subscriptionElement(node.name, former))
}

/** §6.3.7: what comes with the request; undefined where nothing does. */
function chosenOptions(node: Node, pubsub: XmlElement): ConfigTexts | undefined {
  const element = pubsub.getChild('options', NS_PUBSUB)
  const form = element && findForm(element)
  return form && readSubscriptionOptions(node, readForm(form))
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
function unsubscribe(request: PubsubRequest): IqAnswer {
  const { node, subscription } = namedSubscription(request)
  const { subid, state } = subscription
  const jid = subscription.jid as Jid
  const people = peopleOf(node)
  const subscriptions = new Map(people.subscriptions)
  subscriptions.delete(subid)
  savePeople(node, { ...people, subscriptions })
  if (state === 'subscribed') tellOwners(node, { jid, state: 'none' })
  return pubsubElement(xml('subscription', { node: node.name, jid, subid, subscription: 'none' }))
}

/** §6.3.2 */
function offerOptions(request: PubsubRequest): IqAnswer {
  const { node, subscription } = namedSubscription(request)
  const { jid, subid } = subscription
  const attrs = { node: node.name, jid, ...(request.action.attrs.subid && { subid }) }
  return pubsubElement(xml('options', attrs, optionsForm(node, subscription)))
}

/** §6.3.5 */
function changeOptions(request: PubsubRequest): IqAnswer {
  const { node, subscription } = namedSubscription(request)
  const element = findForm(request.action)
  if (!element) throw pubsubError('bad-request', 'invalid-options')
  const form = readForm(element)
  if (form.type === 'cancel') return undefined
  const options = { ...subscription.options, ...readSubscriptionOptions(node, form) }
  const changed = { ...subscription, options }
  storeSubscription(node, changed)
  followOptions(node, changed)
  return undefined
}

/** §6.4 */
function defaultOptions({ service, action, from }: PubsubRequest): IqAnswer {
  const { node: name } = action.attrs
  const node = name ? requireExisting(service, findNode(service, name), from) : undefined
  if (node) requireAccess(node, from)
  else requireKnown(service, from)
  return pubsubElement(xml('default', { node: name }, optionsForm(node)))
}

/**
 * The subscription that a request names (§6.2.3, §6.3.4).
 *
 * @throws {StanzaError} as the examples there show
 */
function namedSubscription({ service, action, from }: PubsubRequest): {
  readonly node: Node
  readonly subscription: Subscription
} {
  const name = requireNode(action)
  const jid = subscriberOf(action)
  const node = requireExisting(service, findNode(service, name), from)
  if (!jid) throw pubsubError('bad-request', 'jid-required')
  requireSelf(node, jid, from)
  const known = subscriptionsFor(node, jid)
  const [first, ...others] = known
  if (!first) {
    requireVisible(node, from)
    throw pubsubError('unexpected-request', 'not-subscribed', { type: 'cancel' })
  }
  const { subid } = action.attrs
  if (subid === undefined) {
    if (others.length > 0) throw pubsubError('bad-request', 'subid-required')
    return { node, subscription: first }
  }
  const subscription = known.find((each) => each.subid === subid)
  if (!subscription) throw pubsubError('not-acceptable', 'invalid-subid')
  return { node, subscription }
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
