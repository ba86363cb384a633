import {
  isFrom,
  isTo,
  listedItems,
  rosterOf,
  type Scope,
  type Session,
  type SessionPresence,
  waitingRequests,
} from '@tactus/core'
import { type BareJid, bare } from '@tactus/jid'
import { presencePriority } from '@tactus/stanza'
import { Stanza } from '@tactus/xml'
import { takeDirected } from './directed.ts'
import { probe, unavailable } from './wire.ts'

/** Initial and changed presence (RFC 6121 §4.2, §4.4). */
export function becomeAvailable(scope: Scope, session: Session, presence: Stanza): void {
  const before = session.presence
  const after = { stanza: presence, priority: presencePriority(presence), since: scope.now }
  const current = scope.setPresence(session, after)
  // XEP-0186 §3.1.1
  if (!session.invisible) scope.multicast(subscribers(scope), presence)
  // §4.2.2: to all available resources, the one that it came from included.
  deliverToAvailable(scope, presence)
  if (!before) introduce(scope, current)
  scope.emit('presence.changed', { session: current, before, after, unavailable: undefined })
}

/** Asks for the presence of all whose presence the account may see (RFC 6121 §4.3.1). */
export function askContacts(scope: Scope, session: Session): void {
  scope.multicast(subscriptions(scope), probe(session.jid))
}

/** Unavailable presence that a resource sent (RFC 6121 §4.5). */
export function becomeUnavailable(scope: Scope, session: Session, presence: Stanza): void {
  const before = session.presence
  const current = scope.setPresence(session, undefined)
  tellDeparture(scope, current, before, presence)
  if (!before) return
  scope.deliver(current, presence)
  scope.emit('presence.changed', {
    session: current,
    before,
    after: undefined,
    unavailable: presence,
  })
}

/** A session ended without sending unavailable presence: its server does (RFC 6121 §4.5.2). */
export function departed(
  scope: Scope,
  session: Session,
  before: SessionPresence | undefined,
): void {
  tellDeparture(scope, session, before, unavailable(session.jid))
}

/** Delivers presence to every available resource of the account that may have it. */
export function deliverToAvailable(scope: Scope, presence: Stanza): void {
  for (const session of scope.sessions())
    if (session.presence && scope.mayGet(session, presence)) scope.deliver(session, presence)
}

function tellDeparture(
  scope: Scope,
  session: Session,
  before: SessionPresence | undefined,
  presence: Stanza,
): void {
  const contacts = new Set(before && !session.invisible ? subscribers(scope) : [])
  // §4.6.3: those that only knew by directed presence; a contact hears it once.
  const others = takeDirected(scope, session).filter((jid) => !contacts.has(bare(jid)))
  scope.multicast([...contacts, ...others], presence)
  if (before) deliverToAvailable(scope, presence)
}

/** What a resource that has just become available gets to know, and asks (RFC 6121 §4.2.2, §4.3.1, §3.1.3). */
function introduce(scope: Scope, session: Session): void {
  if (session.invisible !== 'silent') askContacts(scope, session)
  for (const other of scope.sessions())
    if (other.presence && other.id !== session.id)
      scope.deliver(session, other.presence.stanza, { to: session.jid })
  for (const { pendingIn } of waitingRequests(rosterOf(scope)))
    if (pendingIn) scope.deliver(session, Stanza.parse(pendingIn))
}

function subscribers(scope: Scope): readonly BareJid[] {
  return contacts(scope, isFrom)
}

function subscriptions(scope: Scope): readonly BareJid[] {
  return contacts(scope, isTo)
}

function contacts(scope: Scope, matches: typeof isFrom): readonly BareJid[] {
  return listedItems(rosterOf(scope))
    .filter(matches)
    .map(({ jid }) => jid as BareJid)
}
