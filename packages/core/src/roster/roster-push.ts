import { iqRequest, NS_CLIENT, NS_ROSTER } from '@tactus/stanza'
import type { RosterItem } from '@tactus/storage'
import { type XmlElement, xml } from '@tactus/xml'
import type { Scope, Session } from '../scope.ts'
import type { RosterChange } from './roster-edit.ts'

/** An item as clients see it (RFC 6121 §2.1.2). */
export function itemElement(item: RosterItem): XmlElement {
  return xml(
    'item',
    {
      jid: item.jid,
      name: item.name,
      subscription: item.subscription,
      ask: item.ask ? 'subscribe' : undefined,
      approved: item.approved ? 'true' : undefined,
    },
    item.groups.map((group) => xml('group', null, group)),
  )
}

/** The `<query/>` of a result or a push; a roster without items has one too. */
export function rosterQuery(version: number, items: readonly XmlElement[]): XmlElement {
  return xml('query', { xmlns: NS_ROSTER, ver: String(version) }, items)
}

/** Tells one resource of a change (RFC 6121 §2.1.6). */
export function pushTo(scope: Scope, sessions: readonly Session[], change: RosterChange): void {
  const item =
    'item' in change
      ? itemElement(change.item)
      : xml('item', { jid: change.removed, subscription: 'remove' })
  const options = { xmlns: NS_CLIENT, type: 'set', id: scope.makeId() } as const
  const push = iqRequest(options, rosterQuery(change.version, [item]))
  for (const session of sessions) scope.deliver(session, push, { to: session.jid })
}

/** Tells every interested resource of a change (RFC 6121 §2.1.6). */
export function pushRoster(scope: Scope, change: RosterChange): void {
  const interested = scope.sessions().filter((session) => session.interested)
  if (interested.length > 0) pushTo(scope, interested, change)
}
