import { type BareJid, bare, type Jid } from '@tactus/jid'
import { NS_CLIENT, StanzaError, type SubscriptionType } from '@tactus/stanza'
import { type Roster, type RosterItem, rosterStore } from '@tactus/storage'
import { xml } from '@tactus/xml'
import type { Scope, Session } from '../scope.ts'
import { emptyRoster, isListed, type RosterEdit, relationTo, removeItem } from './roster-edit.ts'
import { pushRoster } from './roster-push.ts'
import { isFrom, isTo } from './subscription.ts'

/** The roster of the scope's account. */
export function rosterOf(scope: Scope): Roster {
  return scope.get(rosterStore) ?? emptyRoster
}

/** True for the account itself and for contacts that it lets see its presence (RFC 6121 §2.1.2.5). */
export function maySeePresence(scope: Scope, from: Jid): boolean {
  const asking = bare(from)
  return asking === scope.entity || isFrom(relationTo(rosterOf(scope), asking))
}

/**
 * Refuses what only the account itself may ask of itself.
 *
 * SECURITY: in the words that an account that does not exist is refused with (RFC 6121 §8.5.1), so that nobody can
 * find out who has an account here.
 * @throws {StanzaError} `service-unavailable`
 */
export function requireOwn(request: { readonly own: boolean }): void {
  if (!request.own) throw new StanzaError('service-unavailable')
}

/**
 * Refuses what only those may know that may see the account's presence.
 *
 * @throws {StanzaError} `service-unavailable`, for the reason of `requireOwn`
 */
export function requirePresenceAccess(scope: Scope, from: Jid): void {
  if (!maySeePresence(scope, from)) throw new StanzaError('service-unavailable')
}

/** Keeps a changed roster and tells the interested resources and the observers. */
export function saveRoster(scope: Scope, contact: BareJid, edit: RosterEdit): void {
  const before = rosterOf(scope).items.get(contact)
  if (edit.roster !== rosterOf(scope)) scope.set(rosterStore, '', edit.roster)
  if (!edit.changed) return
  pushRoster(scope, { version: edit.changed.version, item: edit.changed })
  scope.emit('roster.changed', { contact, before })
}

/** Sends a subscription stanza in the account's name; from bare to bare JID, as RFC 6121 §3 demands. */
export function sendSubscription(scope: Scope, contact: BareJid, type: SubscriptionType): void {
  const id = scope.makeId()
  const attrs = { xmlns: NS_CLIENT, type, id, from: scope.entity, to: contact }
  scope.send(xml('presence', attrs), { durable: true })
}

/** Sends the presence of every available resource (RFC 6121 §3.1.5, §4.3.2). */
export function sendCurrentPresence(scope: Scope, to: Jid): void {
  for (const session of scope.sessions()) sendPresenceOf(scope, session, to)
}

/** True where somebody who may see the account's presence sees this resource, invisible ones (XEP-0186) left out. */
export function shows(scope: Scope, { presence, invisible }: Session, to: Jid): boolean {
  return presence !== undefined && !invisible && scope.mayHear(to, presence.stanza)
}

/** Sends the presence of one resource, if it has any, to somebody who may see it and is not kept from it. */
export function sendPresenceOf(scope: Scope, session: Session, to: Jid): void {
  const { presence } = session
  if (presence && shows(scope, session, to)) scope.send(presence.stanza.with({ to }))
}

/**
 * Answers a probe of somebody who may not see the presence (RFC 6121 §4.3.2, rule 1).
 *
 * SECURITY: an account that does not exist says the same, or probing would find those that do.
 */
export function refuseProbe(scope: Scope, from: Jid): void {
  const attrs = { type: 'unsubscribed', from: scope.entity, to: bare(from) }
  scope.send(xml('presence', { xmlns: NS_CLIENT, ...attrs }), { durable: false })
}

/** Tells somebody who may no longer see the account's presence that every resource is gone (RFC 6121 §3.2.1). */
export function sendUnavailable(scope: Scope, to: Jid): void {
  for (const { presence, jid, invisible } of scope.sessions())
    if (presence && !invisible)
      scope.send(xml('presence', { xmlns: NS_CLIENT, type: 'unavailable', from: jid, to }))
}

/**
 * Takes a contact out of the roster and ends all subscriptions with it (RFC 6121 §2.5.2): both sides agree
 * afterwards that there are none.
 */
export function removeContact(scope: Scope, item: RosterItem): void {
  const contact = item.jid as BareJid
  const roster = removeItem(rosterOf(scope), contact, scope.now)
  scope.set(rosterStore, '', roster)
  if (isListed(item)) pushRoster(scope, { version: roster.version, removed: contact })
  if (isTo(item) || item.ask) sendSubscription(scope, contact, 'unsubscribe')
  if (isFrom(item) || item.pendingIn) sendSubscription(scope, contact, 'unsubscribed')
  if (isFrom(item)) sendUnavailable(scope, contact)
  scope.emit('roster.changed', { contact, before: item })
}
