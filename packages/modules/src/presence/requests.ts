import { relate, relationTo, waitingRequests } from '@tactus/core'
import { type BareJid, domainpart } from '@tactus/jid'
import { NS_DELAY, readDelay } from '@tactus/stanza'
import type { Roster, RosterItem } from '@tactus/storage'
import { Stanza } from '@tactus/xml'

/**
 * The roster with room for one more unanswered request.
 *
 * SECURITY: when `limit` of them wait already, the oldest of the same domain makes way, and only when there is none
 * the oldest of all: a domain that floods pushes out its own requests first.
 */
export function roomForRequest(roster: Roster, contact: BareJid, limit: number): Roster {
  const waiting = waitingRequests(roster)
  if (waiting.length < limit) return roster
  const domain = domainpart(contact)
  const same = waiting.filter(({ jid }) => domainpart(jid as BareJid) === domain)
  const oldest = oldestOf(same.length > 0 ? same : waiting)
  if (!oldest) return roster
  const relation = { ...relationTo(roster, oldest.jid), pendingIn: false }
  // Clients see no difference, so no version and no time is needed.
  return relate(roster, oldest.jid, { relation, request: undefined, now: 0 }).roster
}

function oldestOf(items: readonly RosterItem[]): RosterItem | undefined {
  let oldest: { readonly item: RosterItem; readonly at: number } | undefined
  for (const item of items) {
    const at = cameAt(item)
    if (!oldest || at < oldest.at) oldest = { item, at }
  }
  return oldest?.item
}

function cameAt({ pendingIn }: RosterItem): number {
  const delay = pendingIn && Stanza.parse(pendingIn).child('delay', NS_DELAY)
  return (delay && readDelay(delay)?.stamp) ?? 0
}
