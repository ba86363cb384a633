import { bare, type Jid, tryParseJid } from '@tactus/jid'
import {
  booleanField,
  type DataForm,
  formElement,
  formTypeField,
  formTypeOf,
  NS_CLIENT,
  NS_DATA_FORMS,
  readForm,
  StanzaError,
} from '@tactus/stanza'
import { type Stanza, type XmlElement, xml } from '@tactus/xml'
import { affiliationOf } from './access.ts'
import { sendItems } from './fetch.ts'
import { notifySubscriptions, sendLast, settingOf } from './fields.ts'
import { deliverOrSend } from './notify.ts'
import { deliver, endOf } from './options.ts'
import { findNode, itemsOf, type Node, peopleOf, type Service, savePeople } from './service.ts'
import type { Subscription } from './store.ts'
import { eventElement, SUBSCRIBE_AUTHORIZATION } from './wire.ts'

/** How a subscription is told of. */
export function subscriptionElement(node: string, { jid, subid, state }: Subscription): XmlElement {
  return xml('subscription', { node, jid, subid, subscription: state })
}

/** Asks the owners, or some of them, whether somebody may subscribe (XEP-0060 §8.6). */
export function askOwners(
  node: Node,
  { jid, subid }: Subscription,
  owners: Iterable<string> = ownersOf(node),
): void {
  const { scope, address } = node.service
  const field = (
    name: string,
    type: 'boolean' | 'hidden' | 'jid-single' | 'text-single',
    value: string,
    label?: string,
  ) => ({
    ...{ var: `pubsub#${name}`, type, label },
    values: [value],
  })
  const form = formElement({
    type: 'form',
    title: 'PubSub subscriber request',
    instructions: ['Choose whether this address may subscribe to the node.'],
    fields: [
      formTypeField(SUBSCRIBE_AUTHORIZATION),
      field('subid', 'hidden', subid),
      field('node', 'text-single', node.name, 'Node ID'),
      field('subscriber_jid', 'jid-single', jid, 'Subscriber Address'),
      field('allow', 'boolean', 'false', 'Allow this JID to subscribe to this pubsub node?'),
    ],
  })
  for (const to of owners)
    scope.send(xml('message', { xmlns: NS_CLIENT, from: address, to, id: scope.makeId() }, form))
}

function ownersOf(node: Node): ReadonlySet<string> {
  const { owner } = node.service
  const owners = [...peopleOf(node).affiliations].filter(
    ([, affiliation]) => affiliation === 'owner',
  )
  return new Set([...(owner === undefined ? [] : [owner]), ...owners.map(([person]) => person)])
}

/**
 * Takes an owner's answer to that (XEP-0060 §8.6).
 *
 * SECURITY: whoever is no owner says nothing by it, and gets no answer: a message is none that has to have one.
 */
export function takeApproval(service: Service, message: Stanza): void {
  const element = message.child('x', NS_DATA_FORMS)
  const from = tryParseJid(message.from ?? '')
  if (element?.attrs.type !== 'submit' || message.type === 'error' || !from) return
  const form = tryReadForm(element)
  if (!form || formTypeOf(form) !== SUBSCRIBE_AUTHORIZATION) return
  const text = (name: string) =>
    form.fields.find((each) => each.var === `pubsub#${name}`)?.values ?? []
  const node = findNode(service, text('node')[0] ?? '')
  if (!node || affiliationOf(node, from) !== 'owner') return
  const waiting = peopleOf(node).subscriptions.get(text('subid')[0] ?? '')
  const allow = booleanField.read(text('allow'))
  const isAbout = waiting?.jid === text('subscriber_jid')[0]
  if (waiting?.state !== 'pending' || !isAbout || allow === undefined) return
  settleSubscription(node, waiting, allow)
}

/** Any message may hold a form of any make: that is no reason to refuse it. */
function tryReadForm(element: XmlElement): DataForm | undefined {
  try {
    return readForm(element)
  } catch (error) {
    if (error instanceof StanzaError) return undefined
    throw error
  }
}

/** Lets somebody subscribe that was waiting, or ends a subscription, and tells the subscriber (XEP-0060 §12.20). */
export function settleSubscription(node: Node, subscription: Subscription, allow: boolean): void {
  const people = peopleOf(node)
  const subscriptions = new Map(people.subscriptions)
  const jid = subscription.jid as Jid
  const { subid } = subscription
  if (allow) subscriptions.set(subid, { ...subscription, state: 'subscribed' })
  else subscriptions.delete(subid)
  savePeople(node, { ...people, subscriptions })
  const state = allow ? 'subscribed' : 'none'
  tellOf(node, jid, { jid, state })
  // A request that is turned down is neither a new subscriber nor one that goes.
  if (allow || subscription.state === 'subscribed') tellOwners(node, { jid, state })
  if (allow) sendLastTo(node, subscription)
}

/** First word of the timers that end subscriptions. */
export const leaseTimer = 'pubsub-lease'

/** Has a subscription end when its time is over (§12.18). */
export function awaitEnd({ service, name }: Node, subscription: Subscription): void {
  const { subid } = subscription
  service.scope.timer(`${leaseTimer} ${subid}`, endOf(subscription), `${subid} ${name}`)
}

/** That time has come, unless the lease was made longer meanwhile. */
export function endLease(service: Service, data: string): void {
  const [subid = '', ...words] = data.split(' ')
  const node = findNode(service, words.join(' '))
  const subscription = node && peopleOf(node).subscriptions.get(subid)
  if (!node || !subscription) return
  const end = endOf(subscription)
  if (end !== undefined && end <= service.scope.now) settleSubscription(node, subscription, false)
}

/** §6.1.7, for who wants notifications; it comes after the answer, as its payload has to be read first. */
export function sendLastTo(node: Node, { jid, subid, options }: Subscription): void {
  const last = itemsOf(node).at(-1)
  if (last && settingOf(node.config, sendLast) !== 'never' && settingOf(options, deliver))
    sendItems(node.service, jid, [{ node, entry: last }], subid)
}

/** Tells the owners who subscribed, or does not any more, where they want it (§16.4.3, `pubsub#notify_sub`). */
export function tellOwners(node: Node, changed: Change): void {
  if (!settingOf(node.config, notifySubscriptions)) return
  for (const owner of ownersOf(node))
    if (owner !== bare(changed.jid)) tellOf(node, owner as Jid, changed)
}

/** What became of a subscription. */
interface Change {
  readonly jid: Jid
  readonly state: 'subscribed' | 'none'
}

function tellOf(
  { service: { scope, address }, name }: Node,
  to: Jid,
  { jid, state }: Change,
): void {
  const event = eventElement(xml('subscription', { node: name, jid, subscription: state }))
  const attrs = { xmlns: NS_CLIENT, type: 'headline', from: address, id: scope.makeId() }
  deliverOrSend(scope, to, xml('message', attrs, event))
}
