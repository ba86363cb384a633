import { isFrom, listedItems, rosterOf, type Scope } from '@tactus/core'
import type { Jid } from '@tactus/jid'
import { type Stanza, xml } from '@tactus/xml'

/** XEP-0153 §5. */
const NS_UPDATE = 'vcard-temp:x:update'

/**
 * Says in presence which avatar the account has (XEP-0398 §4): a client need not know it to be there.
 *
 * One that says that it shows none is left alone.
 */
export function stampAvatar(presence: Stanza, hash: string): Stanza {
  const update = presence.child('x', NS_UPDATE)
  const photo = update?.getChild('photo', NS_UPDATE)
  if (photo && (photo.text() === '' || photo.text() === hash)) return presence
  const stamp = xml('x', { xmlns: NS_UPDATE }, xml('photo', null, hash))
  return presence.without(({ name, ns }) => name === 'x' && ns === NS_UPDATE).append(stamp)
}

/**
 * Sends the presence of all resources again that would say something else now: contacts that know only vCards learn of a
 * new avatar by that. Directed presence is the clients' to repeat (XEP-0398 §5.1).
 */
export function showAvatar(scope: Scope, hash: string): void {
  const contacts = listedItems(rosterOf(scope))
    .filter(isFrom)
    .map(({ jid }) => jid as Jid)
  for (const session of scope.sessions()) {
    if (!session.presence || session.invisible) continue
    const stanza = stampAvatar(session.presence.stanza, hash)
    if (stanza === session.presence.stanza) continue
    scope.setPresence(session, { ...session.presence, stanza })
    scope.multicast(contacts, stanza)
    for (const other of scope.sessions())
      if (other.presence && scope.mayGet(other, stanza)) scope.deliver(other, stanza)
  }
}
