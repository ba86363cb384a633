import { StanzaError, type StanzaErrorType } from '@tactus/stanza'
import { type Stanza, type XmlElement, xml } from '@tactus/xml'

/** XEP-0060 §16.1. */
export const NS_PUBSUB = 'http://jabber.org/protocol/pubsub'
/** XEP-0060 §16.1: what only owners may ask. */
export const NS_PUBSUB_OWNER = 'http://jabber.org/protocol/pubsub#owner'
/** XEP-0060 §16.1: notifications. */
export const NS_PUBSUB_EVENT = 'http://jabber.org/protocol/pubsub#event'
const NS_PUBSUB_ERRORS = 'http://jabber.org/protocol/pubsub#errors'
/** Configuration forms (XEP-0060 §16.4.3). */
export const NODE_CONFIG = 'http://jabber.org/protocol/pubsub#node_config'
/** Preconditions of a publication (XEP-0060 §7.1.5). */
export const PUBLISH_OPTIONS = 'http://jabber.org/protocol/pubsub#publish-options'
/** What a subscriber chooses (XEP-0060 §16.4.2). */
export const SUBSCRIBE_OPTIONS = 'http://jabber.org/protocol/pubsub#subscribe_options'
/** Requests to subscribe, for owners to decide (XEP-0060 §8.6). */
export const SUBSCRIBE_AUTHORIZATION = 'http://jabber.org/protocol/pubsub#subscribe_authorization'
/** What a node says of itself (XEP-0060 §5.4). */
export const META_DATA = 'http://jabber.org/protocol/pubsub#meta-data'
/** XEP-0033 §10. */
export const NS_ADDRESSES = 'http://jabber.org/protocol/address'

type Condition = ConstructorParameters<typeof StanzaError>[0]

/** An error with a condition of XEP-0060's own, as its examples show them. */
export function pubsubError(
  condition: Condition,
  own: string,
  {
    feature,
    type,
    detail,
  }: {
    readonly feature?: string
    readonly type?: StanzaErrorType
    readonly detail?: XmlElement
  } = {},
): StanzaError {
  const application = xml(own, { xmlns: NS_PUBSUB_ERRORS, feature })
  return new StanzaError(condition, undefined, {
    application,
    ...(type && { type }),
    ...(detail && { detail }),
  })
}

/** Something that this engine, or this node, does not do. */
export function unsupported(feature: string): StanzaError {
  return pubsubError('feature-not-implemented', 'unsupported', { feature })
}

/** `<pubsub/>` with one child. */
export function pubsubElement(...children: readonly (XmlElement | undefined)[]): XmlElement {
  return xml('pubsub', { xmlns: NS_PUBSUB }, children)
}

/** The same for what owners are answered. */
export function ownerElement(child: XmlElement): XmlElement {
  return xml('pubsub', { xmlns: NS_PUBSUB_OWNER }, child)
}

/** `<event/>` of a notification. */
export function eventElement(child: XmlElement): XmlElement {
  return xml('event', { xmlns: NS_PUBSUB_EVENT }, child)
}

/** Tells one subscription of an address from the others (XEP-0060 §7.1.2.4, XEP-0131). */
export function subscriptionHeaders(subids: readonly string[]): XmlElement {
  const headers = subids.map((subid) => xml('header', { name: 'SubID' }, subid))
  return xml('headers', { xmlns: 'http://jabber.org/protocol/shim' }, headers)
}

/** Which resource published (XEP-0163 §4.3.1). */
export function replyTo(jid: string): XmlElement {
  return xml('addresses', { xmlns: NS_ADDRESSES }, xml('address', { type: 'replyto', jid }))
}

/** The payload of a request that is for nodes; undefined for any other. */
export function payloadOf(stanza: Stanza): XmlElement | undefined {
  return stanza.child('pubsub', NS_PUBSUB) ?? stanza.child('pubsub', NS_PUBSUB_OWNER)
}

/**
 * The node that an action names.
 *
 * @throws {StanzaError} `bad-request` with `nodeid-required`
 */
export function requireNode(action: XmlElement): string {
  const { node } = action.attrs
  if (!node) throw pubsubError('bad-request', 'nodeid-required')
  return node
}

/** XEP-0060 §7.2.1: 1 and true mean yes. */
export function isYes(value: string | undefined): boolean {
  return value === '1' || value === 'true'
}
