import type { Affiliation, Occupant, Role } from '@tactus/core'
import type { BareJid, Jid } from '@tactus/jid'
import { NS_CLIENT, NS_HINTS, StanzaError } from '@tactus/stanza'
import { xml } from '@tactus/xml'
import { expel } from './leave.ts'
import { initialRole } from './permissions.ts'
import { announceChange } from './presence.ts'
import { isPresent, type RoomTurn } from './room.ts'
import { itemElement, userElement } from './wire.ts'

/** A change of what an account is to the room. */
export interface AffiliationChange {
  readonly account: BareJid
  readonly affiliation: Affiliation
  /** Nickname to reserve; left as it is when absent. */
  readonly nick?: string | undefined
  readonly reason?: string | undefined
  readonly actor?: { readonly nick: string | undefined; readonly jid: Jid } | undefined
}

/**
 * Changes an affiliation and tells everybody who sees it (XEP-0045 §9, §10).
 *
 * @throws {StanzaError} `conflict` for the last owner (§10.5), `resource-constraint` for a list that is full
 */
export function changeAffiliation(room: RoomTurn, change: AffiliationChange): void {
  const { account, affiliation, reason } = change
  const before = room.affiliations().get(account)
  mayChange(room, before?.affiliation ?? 'none', affiliation)
  const isListed = affiliation !== 'none' && affiliation !== 'outcast'
  const nick = isListed ? (change.nick ?? before?.nick) : undefined
  room.setAffiliated(account, affiliation === 'none' ? undefined : { affiliation, nick, reason })
  if ((before?.affiliation ?? 'none') === affiliation) return
  const present = [...room.occupants()].filter((occupant) => occupant.account === account)
  for (const occupant of present) applyTo(room, occupant, change)
  if (present.length === 0) tellOfAbsent(room, change)
}

/**
 * §10.3, §10.6, §10.7: who is not in has no presence that could say it.
 *
 * SECURITY: V44, only to those who may know of addresses.
 */
function tellOfAbsent(room: RoomTurn, { account, affiliation, reason }: AffiliationChange): void {
  const knowing = [...room.occupants()].filter((occupant) =>
    room.may(room.actor(occupant), 'see-addresses'),
  )
  const item = itemElement({ affiliation, jid: account, role: 'none', reason })
  const attrs = { xmlns: NS_CLIENT, from: room.jid, id: room.scope.makeId() }
  // It is news for those who are here now, and nothing that anybody needs to find later.
  const hint = xml('no-store', { xmlns: NS_HINTS })
  room.multicast(knowing, xml('message', attrs, userElement([], item), hint))
}

function mayChange(room: RoomTurn, before: Affiliation, after: Affiliation): void {
  if (before === 'owner' && after !== 'owner' && ownersOf(room) < 2)
    throw new StanzaError('conflict', 'A room needs an owner.')
  if (before === 'none' && after !== 'none' && room.affiliations().size >= room.config.affiliations)
    throw new StanzaError('resource-constraint', 'The list is full.')
}

function ownersOf(room: RoomTurn): number {
  let owners = 0
  for (const { affiliation } of room.affiliations().values())
    if (affiliation === 'owner') owners += 1
  return owners
}

/** What it means for somebody who is in the room. */
function applyTo(
  room: RoomTurn,
  occupant: Occupant,
  { affiliation, reason, actor }: AffiliationChange,
): void {
  const item = { reason, actor: actor && { nick: actor.nick, jid: actor.jid } }
  // §9.1
  if (affiliation === 'outcast') return expel(room, occupant, { codes: [301], affiliation, item })
  const role = roleAfter(room, occupant, affiliation)
  // §9.4: who is no member any more has to leave where only members are.
  if (!isPresent(role)) return expel(room, occupant, { codes: [321], affiliation, item })
  const changed = { ...occupant, role }
  room.putOccupant(changed)
  announceChange(room, changed, occupant, { item })
}

/** Admins are moderators; who was one by that alone is what somebody of the new affiliation comes in as. */
function roleAfter(room: RoomTurn, { role }: Occupant, affiliation: Affiliation): Role {
  const initial = initialRole(affiliation, room.settings)
  if (initial === 'moderator' || initial === 'none') return initial
  if (role === 'visitor' && initial === 'participant') return 'participant'
  return role === 'moderator' ? initial : role
}
