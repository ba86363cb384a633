import {
  type JobDefinition,
  type LiveStore,
  liveStore,
  type Scope,
  type ServiceStanza,
} from '@tactus/core'
import { bare, type FullJid, isFull } from '@tactus/jid'
import { NS_CLIENT, StanzaError } from '@tactus/stanza'
import { type Stanza, xml } from '@tactus/xml'
import type { MucConfig } from './config.ts'
import { memberRooms } from './queries.ts'

/** Room Activity Indicators (XEP-0437). */
export const NS_ACTIVITY = 'urn:xmpp:rai:0'
/** Said by a service to its rooms only. */
export const NS_WATCH = 'urn:tactus:muc:watch'
/** What a subscription costs its account, in units of `Scope.charge`. */
const unitsPerSubscription = 5

/** Who wants to hear that something happens in rooms, and which rooms know; the key is the full JID. */
export const subscriptionStore: LiveStore<readonly string[]> = liveStore('muc-activity')

interface Spec {
  readonly job: 'activity'
  readonly service: string
  readonly subscriber: string
  readonly limit: number
}

/**
 * Presence of a client for the service itself: it subscribes with it, or it is gone (XEP-0437 §3).
 *
 * The rooms in the lists of which it is are told. Then each tells it by itself, in the name of the service, so that
 * nothing passes through here for which there are many.
 *
 * @throws {StanzaError} `resource-constraint` where there are as many subscribers as may be
 */
export function hearPresence({ scope, from, stanza }: ServiceStanza, config: MucConfig): void {
  if (!isFull(from)) return
  if (stanza.type === 'unavailable' || stanza.type === 'error') return unsubscribe(scope, from)
  if (
    stanza.type !== undefined ||
    !stanza.hasChild('rai', NS_ACTIVITY) ||
    config.activityRooms === 0
  )
    return
  const subscribers = scope.all(subscriptionStore)
  // Other presence of the same client is no other subscription.
  if (subscribers.has(from)) return
  const account = bare(from)
  const own = [...subscribers.keys()].filter((each) => bare(each as FullJid) === account).length
  if (subscribers.size >= config.activitySubscribers || own >= config.resources)
    throw new StanzaError('resource-constraint', 'Too many are subscribed.')
  scope.charge(unitsPerSubscription)
  scope.set(subscriptionStore, from, [])
  const { entity: service } = scope
  const spec: Spec = { job: 'activity', service, subscriber: from, limit: config.activityRooms }
  scope.job('muc', `muc activity ${scope.makeId()}`, spec)
}

/** A client that could not be reached is not subscribed any more; other messages to the service say nothing. */
export function hearMessage({ scope, from, stanza }: ServiceStanza): void {
  if (stanza.type !== 'error') throw new StanzaError('service-unavailable')
  if (isFull(from)) unsubscribe(scope, from)
}

function unsubscribe(scope: Scope, subscriber: FullJid): void {
  const rooms = scope.get(subscriptionStore, subscriber)
  if (!rooms) return
  scope.set(subscriptionStore, subscriber, undefined)
  order(scope, rooms, { jid: subscriber, end: 'true' })
}

function order(
  scope: Scope,
  rooms: readonly string[],
  attrs: { readonly jid: string; readonly end?: string },
): void {
  for (const to of rooms) {
    const message = { xmlns: NS_CLIENT, type: 'headline', from: scope.entity, to }
    scope.send(xml('message', message, xml('watch', { xmlns: NS_WATCH, ...attrs })))
  }
}

/** Finds the rooms that somebody is a member of. */
export const activityJob: JobDefinition<Spec, readonly string[]> = {
  run: ({ service, subscriber, limit }, { reader }) =>
    memberRooms(reader, { service, account: bare(subscriber as FullJid), limit }),
  done(scope, { subscriber }, result) {
    if (!result.ok || !scope.get(subscriptionStore, subscriber)) return
    scope.set(subscriptionStore, subscriber, result.value)
    order(scope, result.value, { jid: subscriber })
  },
}

/** Whether a message to a room is the service's. */
export function orderIn(
  message: Stanza,
): { readonly jid: string | undefined; readonly isEnd: boolean } | undefined {
  const watch = message.child('watch', NS_WATCH)
  return watch && { jid: watch.attrs.jid, isEnd: watch.attrs.end === 'true' }
}
