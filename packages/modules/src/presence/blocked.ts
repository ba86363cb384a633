import { isFrom, listedItems, rosterOf, type Scope, type Session } from '@tactus/core'
import { bare, domainpart, type Jid } from '@tactus/jid'
import { directedTo, forget } from './directed.ts'
import { unavailable } from './wire.ts'

/** Takes back, from those who are about to be blocked, what they believe of the account's resources (XEP-0191 §3.3). */
export function vanishFrom(scope: Scope, addresses: readonly Jid[]): void {
  const contacts = contactsAmong(scope, addresses)
  for (const session of scope.sessions()) {
    const directed = directedTo(scope, session).filter((jid) => covers(addresses, jid))
    for (const jid of directed) forget(scope, session, jid)
    const others = directed.filter((jid) => !contacts.has(bare(jid)))
    const isSeen = session.presence && !session.invisible
    scope.multicast([...(isSeen ? contacts : []), ...others], unavailable(session.jid))
  }
}

/** Shows the account's resources again to those who may see them (XEP-0191 §3.4). */
export function appearTo(scope: Scope, addresses: readonly Jid[]): void {
  const contacts = [...contactsAmong(scope, addresses)]
  for (const { presence, invisible } of scope.sessions())
    if (presence && !invisible) scope.multicast(contacts, presence.stanza)
}

/** Takes back what those believe of one resource that it is about to be hidden from. */
export function hide(scope: Scope, session: Session, from: (jid: Jid) => boolean): void {
  const contacts = session.presence && !session.invisible ? watchers(scope).filter(from) : []
  const directed = directedTo(scope, session).filter(from)
  for (const jid of directed) forget(scope, session, jid)
  const others = directed.filter((jid) => !contacts.includes(bare(jid)))
  scope.multicast([...contacts, ...others], unavailable(session.jid))
}

/** Shows one resource to contacts that it was hidden from. */
export function show(
  scope: Scope,
  { presence, invisible }: Session,
  to: (jid: Jid) => boolean,
): void {
  if (presence && !invisible) scope.multicast(watchers(scope).filter(to), presence.stanza)
}

function watchers(scope: Scope): readonly Jid[] {
  return listedItems(rosterOf(scope))
    .filter(isFrom)
    .map(({ jid }) => jid as Jid)
}

/** Those of the addresses that may see the account's presence, contacts at a domain among them. */
function contactsAmong(scope: Scope, addresses: readonly Jid[]): ReadonlySet<Jid> {
  const found = new Set<Jid>()
  for (const item of listedItems(rosterOf(scope)).filter(isFrom)) {
    const contact = item.jid as Jid
    if (covers(addresses, contact)) found.add(contact)
    else for (const jid of addresses) if (bare(jid) === contact) found.add(jid)
  }
  return found
}

/** True when an address, its account or its domain is among them. */
function covers(addresses: readonly Jid[], jid: Jid): boolean {
  return addresses.some(
    (address) => address === jid || address === bare(jid) || address === domainpart(jid),
  )
}
