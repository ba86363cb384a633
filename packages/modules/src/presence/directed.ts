import { type LiveStore, liveStore, type Scope, type Session } from '@tactus/core'
import { bare, type Jid } from '@tactus/jid'
import { StanzaError } from '@tactus/stanza'

/**
 * Who a resource sent its presence to by name, by session id: rooms, gateways, people that are no contacts.
 *
 * They learn that it is gone as contacts do (RFC 6121 §4.6.3).
 */
export const directedStore: LiveStore<readonly Jid[]> = liveStore('presence-directed')

/** Addresses that this resource sent directed presence to and took not back. */
export function directedTo(scope: Scope, session: Session): readonly Jid[] {
  return scope.get(directedStore, session.id) ?? []
}

/**
 * Remembers that `to` knows of this resource.
 *
 * @throws {StanzaError} `resource-constraint` beyond `limit` addresses: what cannot be taken back is not sent
 */
export function remember(scope: Scope, session: Session, to: Jid, limit: number): void {
  const known = directedTo(scope, session)
  // The account's own resources are told anyway.
  if (known.includes(to) || bare(to) === scope.entity) return
  if (known.length >= limit)
    throw new StanzaError('resource-constraint', `Presence may go to ${limit} addresses.`)
  scope.set(directedStore, session.id, [...known, to])
}

/** `to` was told that the resource is gone, or said itself that it is. */
export function forget(scope: Scope, session: Session, to: Jid): void {
  const known = directedTo(scope, session)
  if (!known.includes(to)) return
  const others = known.filter((jid) => jid !== to)
  scope.set(directedStore, session.id, others.length > 0 ? others : undefined)
}

/** Forgets all of a resource's and answers what it was. */
export function takeDirected(scope: Scope, session: Session): readonly Jid[] {
  const known = directedTo(scope, session)
  if (known.length > 0) scope.set(directedStore, session.id, undefined)
  return known
}
