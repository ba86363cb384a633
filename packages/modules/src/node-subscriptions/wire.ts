import { type BareJid, type Jid, tryParseJid } from '@tactus/jid'
import {
  iqRequest,
  NS_CLIENT,
  NS_PUBLIC_SUBSCRIPTIONS,
  StanzaError,
  type StanzaErrorOptions,
} from '@tactus/stanza'
import { clone, type Stanza, type XmlElement, xml } from '@tactus/xml'

/** XEP-0376 §3.1. */
export const NS_PAM = 'urn:xmpp:pam:0'
const NS_PUBSUB = 'http://jabber.org/protocol/pubsub'
const NS_PUBSUB_EVENT = `${NS_PUBSUB}#event`
const NS_PUBSUB_ERRORS = `${NS_PUBSUB}#errors`

/** What a subscription can be (XEP-0060 §4.2), where there is one. */
export type SubscriptionState = 'pending' | 'subscribed' | 'unconfigured'

/** A subscription of the account at a node, wherever that is. */
export interface NodeSubscription {
  readonly service: string
  readonly node: string
  /** Undefined where the service gives none. */
  readonly subid?: string | undefined
  readonly state: SubscriptionState
  /** The account tells of it (XEP-0465). */
  readonly isPublic?: boolean | undefined
}

/** What a client asks its server to ask a service. */
export interface NodeRequest {
  readonly action: 'subscribe' | 'unsubscribe'
  readonly service: Jid
  readonly node: string
  readonly subid: string | undefined
  readonly options?: XmlElement | undefined
  /** The subscription is for all to see (XEP-0465 §4.1). */
  readonly isPublic?: boolean
}

/** What a service says of subscriptions to a node of its own. */
export interface NodeNews {
  readonly node: string
  /** All of the node where it is undefined. */
  readonly subid: string | undefined
  /** Undefined where there is none any more. */
  readonly state: SubscriptionState | undefined
  /** Where it is known to be for all to see from now on, or not (XEP-0465); else as it was. */
  readonly isPublic?: boolean
}

/** Longest SubID that is kept, in bytes; it comes from another server. */
const subidBytes = 256

/**
 * Reads what stands in `<pam/>` (§3.2). The example there says `jid` where the text says `service`.
 *
 * @throws {StanzaError} as XEP-0060 §6.1.3 and §6.2.3 have it
 */
export function readRequest(pam: XmlElement, account: BareJid): NodeRequest {
  const service = tryParseJid(pam.attrs.jid ?? pam.attrs.service ?? '')
  if (!service) throw refusal(account, 'jid-malformed')
  const actions = pam
    .getChildElements()
    .filter((child) => ['subscribe', 'unsubscribe'].some((name) => child.is(name, NS_PUBSUB)))
  const [action] = actions
  if (!action || actions.length > 1) throw refusal(account, 'bad-request')
  const { node, jid, subid } = action.attrs
  if (!node) throw refusal(account, 'bad-request', 'nodeid-required')
  // The bare JID and no other: what comes of it is for all of the account's devices.
  if (tryParseJid(jid ?? '') !== account) throw refusal(account, 'bad-request', 'invalid-jid')
  return {
    action: action.name === 'subscribe' ? 'subscribe' : 'unsubscribe',
    ...{ service, node, subid },
    options: pam.getChild('options', NS_PUBSUB),
    isPublic: action.getChild('public', NS_PUBLIC_SUBSCRIPTIONS) !== undefined,
  }
}

/** A refusal that says whose it is (§3.2). */
export function refusal(
  account: BareJid,
  condition: StanzaError['condition'],
  own?: string,
): StanzaError {
  const options: StanzaErrorOptions = { by: account }
  const application = own === undefined ? undefined : xml(own, { xmlns: NS_PUBSUB_ERRORS })
  return new StanzaError(condition, undefined, { ...options, ...(application && { application }) })
}

/** §3.2: a request as XEP-0060 has it, in the account’s name. */
export function serviceRequest(
  { action, service, node, subid, options, isPublic }: NodeRequest,
  account: BareJid,
  id: string,
): Stanza {
  const attrs = { xmlns: NS_CLIENT, type: 'set', id, from: account, to: service } as const
  // XEP-0465 §4.3: without it, what was public is not any more.
  const told =
    action === 'subscribe' && isPublic && xml('public', { xmlns: NS_PUBLIC_SUBSCRIPTIONS })
  const content = [xml(action, { node, jid: account, subid }, told), options && clone(options)]
  return iqRequest(attrs, xml('pubsub', { xmlns: NS_PUBSUB }, content))
}

/** The subscription that a service’s answer is about; undefined where it says nothing of it. */
export function answeredSubscription(answer: Stanza): Omit<NodeNews, 'node'> | undefined {
  const element = answer.child('pubsub', NS_PUBSUB)?.getChild('subscription', NS_PUBSUB)
  return element && { subid: subidOf(element), state: stateOf(element) }
}

/** What a service’s message says of subscriptions: changed by an owner (XEP-0060 §8.8), ended, or gone with their node. */
export function readNews(message: Stanza): NodeNews | undefined {
  const event = message.child('event', NS_PUBSUB_EVENT)
  const deleted = event?.getChild('delete', NS_PUBSUB_EVENT)?.attrs.node
  if (deleted) return { node: deleted, subid: undefined, state: undefined }
  const element = event?.getChild('subscription', NS_PUBSUB_EVENT)
  const node = element?.attrs.node
  return element && node ? { node, subid: subidOf(element), state: stateOf(element) } : undefined
}

function subidOf({ attrs: { subid } }: XmlElement): string | undefined {
  return subid !== undefined && Buffer.byteLength(subid) <= subidBytes ? subid : undefined
}

function stateOf({ attrs }: XmlElement): SubscriptionState | undefined {
  const { subscription } = attrs
  if (subscription === 'none') return undefined
  return subscription === 'pending' || subscription === 'unconfigured' ? subscription : 'subscribed'
}

/** Whether a service refused because there is no such subscription, or no such node. */
export function saysThereIsNone(answer: Stanza): boolean {
  const error = answer.child('error', answer.ns)
  return (
    error?.getChild('not-subscribed', NS_PUBSUB_ERRORS) !== undefined ||
    error?.getChildElements().some(({ name }) => name === 'item-not-found') === true
  )
}

/** §3.3: the list as a client is shown it. */
export function listElement(
  list: readonly NodeSubscription[],
  account: BareJid,
  ver: string | undefined,
): XmlElement {
  const children = list.map(({ service, node, subid, state }) =>
    xml('subscription', { service, node, jid: account, subid, subscription: state }),
  )
  return xml('subscriptions', { xmlns: NS_PAM, ver }, children)
}

/** §3.2: what devices are told of a change; without a state there is no such subscription any more. */
export function notice(
  { service, node, subid, state }: Omit<NodeSubscription, 'state'> & Pick<NodeNews, 'state'>,
  account: BareJid,
  { id, ver }: { readonly id: string; readonly ver: string },
): XmlElement {
  const attrs = { node, jid: account, subid, subscription: state ?? 'none' }
  const subscription = xml('subscription', { xmlns: NS_PUBSUB, ...attrs })
  return xml(
    'message',
    { xmlns: NS_CLIENT, type: 'headline', from: account, id },
    xml('notify', { xmlns: NS_PAM, service, ver }, subscription),
  )
}

/** §3.2: a service’s error as the client gets it, which is told whose it is. */
export function errorOf(answer: Stanza, service: string): XmlElement {
  const error = answer.child('error', answer.ns)
  if (!error)
    return new StanzaError('undefined-condition', undefined, { by: service as Jid }).toElement()
  const copy = clone(error)
  copy.attrs.by ??= service
  return copy
}
