import type { Stanza } from '@tactus/xml'

/** RFC 6121 §4.7.1, where available presence has no type; here it has a name. */
export type PresenceType =
  | 'available'
  | 'error'
  | 'probe'
  | 'subscribe'
  | 'subscribed'
  | 'unavailable'
  | 'unsubscribe'
  | 'unsubscribed'

const presenceTypes: readonly PresenceType[] = [
  'error',
  'probe',
  'subscribe',
  'subscribed',
  'unavailable',
  'unsubscribe',
  'unsubscribed',
]

/** Those that change or ask for a subscription (RFC 6121 §3). */
export type SubscriptionType = 'subscribe' | 'subscribed' | 'unsubscribe' | 'unsubscribed'

/**
 * The type of a presence stanza; undefined for one that RFC 6121 §4.7.1 does not define, which is
 * to be answered with `bad-request`.
 */
export function presenceType(presence: Stanza): PresenceType | undefined {
  const { type } = presence
  return type === undefined ? 'available' : presenceTypes.find((known) => known === type)
}

/** Whether a presence type belongs to the subscription handshake. */
export function isSubscriptionType(type: PresenceType | undefined): type is SubscriptionType {
  return type?.startsWith('subscribe') === true || type?.startsWith('unsubscribe') === true
}

/** RFC 6121 §4.7.2.3: −128 to 127; what is no such number counts as the default, 0. */
export function presencePriority(presence: Stanza): number {
  const text = presence.child('priority', presence.ns)?.text().trim() ?? ''
  const priority = /^[+-]?\d{1,3}$/.test(text) ? Number(text) : 0
  return priority >= -128 && priority <= 127 ? priority || 0 : 0
}

/** RFC 6121 §4.7.2.1; undefined means plainly available. */
export type PresenceShow = 'away' | 'chat' | 'dnd' | 'xa'

/** The availability within availability; undefined when absent or unknown. */
export function presenceShow(presence: Stanza): PresenceShow | undefined {
  const text = presence.child('show', presence.ns)?.text().trim()
  const shows: readonly PresenceShow[] = ['away', 'chat', 'dnd', 'xa']
  return shows.find((show) => show === text)
}
