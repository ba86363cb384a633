import type { Affiliation, Occupant, Role } from '@tactus/core'
import type { BareJid, Jid } from '@tactus/jid'
import { StanzaError } from '@tactus/stanza'
import { expel } from './leave.ts'
import { initialRole } from './permissions.ts'
import { announceChange } from './presence.ts'
import { isPresent, type RoomTurn } from './room.ts'

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
  for (const occupant of [...room.occupants()])
    if (occupant.account === account) applyTo(room, occupant, change)
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
