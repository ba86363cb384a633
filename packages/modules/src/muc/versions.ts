import type { Affiliation, Occupant, OccupantResource } from '@tactus/core'
import { NS_CLIENT, NS_HINTS, StanzaError } from '@tactus/stanza'
import { type Stanza, type XmlElement, xml } from '@tactus/xml'
import {
  type AffiliationLog,
  changesSince,
  readVersion,
  type VersionStep,
  versionName,
  versionOf,
} from './affiliation-log.ts'
import { mayReadLists } from './permissions.ts'
import type { RoomTurn } from './room.ts'
import { NS_AFFILIATION_VERSIONS, NS_MUC, NS_MUC_USER } from './wire.ts'

/** Items of one message; a longer list comes in several (XEP-0463 §5.2.1). */
const mostItems = 200

/** What somebody who comes in asks about the lists; undefined for who does not follow them. */
function requestIn(presence: Stanza): XmlElement | undefined {
  return presence.child('x', NS_MUC)?.getChild('mav', NS_AFFILIATION_VERSIONS)
}

/** Whether presence says that its sender keeps the lists (XEP-0463 §5.1). */
export function asksForLists(presence: Stanza): boolean {
  return requestIn(presence) !== undefined
}

/** From which version to which something leads; the one that stands where it changes nothing. */
export function versionElement(room: RoomTurn, step?: VersionStep): XmlElement {
  const { secret } = room
  const until = versionName(secret, step?.until ?? versionOf(room.affiliationLog()))
  const since = step && versionName(secret, step.since)
  return xml('mav', { xmlns: NS_AFFILIATION_VERSIONS, since, until })
}

/** Those of an occupant's resources that are told of versions: to others they say nothing, or nothing that they may know. */
export function followersOf(room: RoomTurn, occupant: Occupant): readonly OccupantResource[] {
  const following = occupant.resources.filter(({ followsLists }) => followsLists)
  if (following.length === 0 || !mayReadLists(room.actor(occupant), room.settings)) return []
  return following
}

/**
 * What changed in the lists since somebody was in last, or all of them, before it sees anybody (XEP-0463 §5.2.1).
 *
 * Who asks and may not know is told so, and comes in all the same (§5.2.3).
 */
export function sendLists(room: RoomTurn, occupant: Occupant, presence: Stanza): void {
  const request = requestIn(presence)
  const to = occupant.resources.at(-1)?.jid
  if (!request || to === undefined) return
  if (!mayReadLists(room.actor(occupant), room.settings)) {
    const { id } = presence
    const refusal = new StanzaError('forbidden', undefined, { by: room.jid })
    room.tell(to, xml('message', { xmlns: NS_CLIENT, type: 'error', id }, refusal.toElement()))
    return
  }
  const asked: string | undefined = request.attrs.since
  const since = asked === undefined ? undefined : readVersion(room.secret, asked)
  const log = room.affiliationLog()
  if (since === versionOf(log)) return
  const isAdmin = room.may(room.actor(occupant), 'administer')
  const changed = since === undefined ? [] : itemsOf(room, changesSince(log, since) ?? [], isAdmin)
  // No difference is empty: where there is nothing to be said of one, all of it is told.
  const isWhole = changed.length === 0
  const items = isWhole ? allItems(room, isAdmin) : changed
  for (const message of messagesOf(room, isWhole ? undefined : asked, items)) room.tell(to, message)
}

/** SECURITY: the list of the banned is the admins' (XEP-0045 §9.2); to others those are what anybody is. */
function shown(affiliation: Affiliation, isAdmin: boolean): Affiliation {
  return affiliation === 'outcast' && !isAdmin ? 'none' : affiliation
}

function itemsOf(room: RoomTurn, changes: AffiliationLog, isAdmin: boolean): XmlElement[] {
  const affiliations = room.affiliations()
  const is = (jid: string) => shown(affiliations.get(jid)?.affiliation ?? 'none', isAdmin)
  const known = changes.filter(
    ({ jid, before }) => is(jid) !== 'none' || shown(before, isAdmin) !== 'none',
  )
  return [...new Set(known.map(({ jid }) => jid))].map((jid) =>
    xml('item', { jid, affiliation: is(jid) }),
  )
}

function allItems(room: RoomTurn, isAdmin: boolean): XmlElement[] {
  return [...room.affiliations()]
    .map(([jid, { affiliation }]) => ({ jid, affiliation: shown(affiliation, isAdmin) }))
    .filter(({ affiliation }) => affiliation !== 'none')
    .map((attrs) => xml('item', attrs))
}

function messagesOf(
  room: RoomTurn,
  asked: string | undefined,
  items: readonly XmlElement[],
): readonly XmlElement[] {
  const parts: XmlElement[] = []
  const last = versionName(room.secret, versionOf(room.affiliationLog()))
  let since = asked
  for (let start = 0; start === 0 || start < items.length; start += mostItems) {
    const end = start + mostItems
    // Who hears no more than a part of it and comes again with its name gets all of it: it is that of no version.
    const until = end < items.length ? `${last}/${end}` : last
    const version = xml('mav', { xmlns: NS_AFFILIATION_VERSIONS, since, until })
    const attrs = { xmlns: NS_CLIENT, from: room.jid, id: room.scope.makeId() }
    const user = xml('x', { xmlns: NS_MUC_USER }, version, items.slice(start, end))
    parts.push(xml('message', attrs, user, xml('no-store', { xmlns: NS_HINTS })))
    since = until
  }
  return parts
}
