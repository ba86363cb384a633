import {
  inbound,
  isFrom,
  isListed,
  listedItems,
  outbound,
  relate,
  relationTo,
  rosterOf,
  type Scope,
  saveRoster,
  sendCurrentPresence,
  sendSubscription,
  sendUnavailable,
} from '@tactus/core'
import type { BareJid } from '@tactus/jid'
import { StanzaError, type SubscriptionType } from '@tactus/stanza'
import type { Roster } from '@tactus/storage'
import type { Stanza } from '@tactus/xml'
import { deliverToAvailable } from './availability.ts'
import { roomForRequest } from './requests.ts'
import { storedRequest } from './wire.ts'

/** Bounds of what subscriptions may take. */
export interface SubscriptionLimits {
  /** Unanswered requests that are kept. */
  readonly requests: number
  /** Of one kept request. */
  readonly requestBytes: number
  /** Contacts in the roster. */
  readonly items: number
}

/**
 * A subscription stanza that the account sends (RFC 6121 §3, Appendix A.2).
 *
 * @throws {StanzaError} `not-allowed` to itself, and for accounts that end with their session; `policy-violation` when
 * the roster is full
 */
export function sendSubscriptionStanza(
  scope: Scope,
  { presence, contact, type }: Subscribing,
  limits: SubscriptionLimits,
): void {
  if (contact === scope.entity || scope.host.anonymous) throw new StanzaError('not-allowed')
  const roster = rosterOf(scope)
  const before = relationTo(roster, contact)
  const { relation, route } = outbound(before, type)
  const edit = relate(roster, contact, { relation, request: undefined, now: scope.now })
  if (edit.changed) requireRoom(roster, contact, limits)
  // §3.1.1: from and to are bare, so that no resource is part of a subscription.
  if (route) scope.send(presence.with({ from: scope.entity, to: contact }), { durable: true })
  saveRoster(scope, contact, edit)
  if (!isFrom(before) && isFrom(relation)) sendCurrentPresence(scope, contact)
  if (isFrom(before) && !isFrom(relation)) sendUnavailable(scope, contact)
}

/** A subscription stanza that a contact sent (RFC 6121 §3, Appendix A.3). */
export function receiveSubscriptionStanza(
  scope: Scope,
  { presence, contact, type }: Subscribing,
  limits: SubscriptionLimits,
): void {
  if (contact === scope.entity || scope.host.anonymous) return
  const before = relationTo(rosterOf(scope), contact)
  const { relation, deliver, autoReply } = inbound(before, type)
  const stanza = presence.with({ from: contact, to: scope.entity })
  const isNew = relation.pendingIn && !before.pendingIn
  const request = isNew ? storedRequest(stanza, scope.now, limits.requestBytes) : undefined
  const roster = isNew ? roomForRequest(rosterOf(scope), contact, limits.requests) : rosterOf(scope)
  const edit = relate(roster, contact, { relation, request, now: scope.now })
  if (deliver) tell(scope, stanza, type)
  saveRoster(scope, contact, edit)
  if (autoReply) sendSubscription(scope, contact, autoReply)
  if (!isFrom(before) && isFrom(relation)) sendCurrentPresence(scope, contact)
  if (isFrom(before) && !isFrom(relation)) sendUnavailable(scope, contact)
}

/** One subscription stanza: whose, which. */
export interface Subscribing {
  readonly presence: Stanza
  readonly contact: BareJid
  readonly type: SubscriptionType
}

/** §3.1.3: a request goes to all available resources; §3.1.6: an answer to all that have the roster. */
function tell(scope: Scope, stanza: Stanza, type: SubscriptionType): void {
  if (type === 'subscribe') deliverToAvailable(scope, stanza)
  else
    for (const session of scope.sessions()) if (session.interested) scope.deliver(session, stanza)
}

function requireRoom(roster: Roster, contact: BareJid, { items }: SubscriptionLimits): void {
  const item = roster.items.get(contact)
  if (item && isListed(item)) return
  if (listedItems(roster).length >= items)
    throw new StanzaError('policy-violation', `A roster may have ${items} contacts.`)
}
