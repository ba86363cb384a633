import type { Affiliation, Occupant, Role } from '@tactus/core'
import type { BareJid, Jid } from '@tactus/jid'
import { NS_CLIENT, NS_HINTS, StanzaError } from '@tactus/stanza'
import { xml } from '@tactus/xml'
import type { VersionStep } from './affiliation-log.ts'
import { expel } from './leave.ts'
import { initialRole } from './permissions.ts'
import { announceChange, isSeen } from './presence.ts'
import { isPresent, type RoomTurn } from './room.ts'
import { followersOf, versionElement } from './versions.ts'
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
  const affiliated = affiliation === 'none' ? undefined : { affiliation, nick, reason }
  const versions = room.setAffiliated(account, affiliated)
  if (versions) tellOfChange(room, { ...change, versions })
}

/** Takes an account out of the lists, the last owner among them, because there is no such account any more. */
export function forget(room: RoomTurn, account: BareJid): void {
  const versions = room.setAffiliated(account, undefined)
  if (versions) tellOfChange(room, { account, affiliation: 'none', versions })
}

interface MadeChange extends AffiliationChange {
  readonly versions: VersionStep | undefined
}

function tellOfChange(room: RoomTurn, change: MadeChange): void {
  const { account } = change
  const present = [...room.occupants()].filter((occupant) => occupant.account === account)
  let isHeard = false
  for (const [index, occupant] of present.entries()) {
    // Whoever is there under several nicknames changes the lists once.
    const role = applyTo(room, occupant, index === 0 ? change : { ...change, versions: undefined })
    // A temporary room went with its last occupant, and its lists with it.
    if (room.isGone) return
    if (index === 0) isHeard = isSeen(room, role)
  }
  if (!isHeard) tellOfUnseen(room, change)
}

/**
 * §10.3, §10.6, §10.7: who is not in has no presence that could say it, and of those whose presence is not shown nobody
 * sees any.
 *
 * SECURITY: V44, only to those who may know of addresses.
 */
function tellOfUnseen(room: RoomTurn, change: MadeChange): void {
  const { account, affiliation, reason, versions } = change
  const knowing = [...room.occupants()].filter(
    (occupant) => occupant.account !== account && room.may(room.actor(occupant), 'see-addresses'),
  )
  const item = itemElement({ affiliation, jid: account, role: 'none', reason })
  const attrs = { xmlns: NS_CLIENT, from: room.jid, id: room.scope.makeId() }
  // It is news for those who are here now, and nothing that anybody needs to find later.
  const hint = xml('no-store', { xmlns: NS_HINTS })
  const following = knowing.flatMap((occupant) => followersOf(room, occupant))
  const others = knowing.flatMap(({ resources }) =>
    resources.filter((resource) => !following.includes(resource)),
  )
  room.spread(others, xml('message', attrs, userElement([], item), hint))
  if (following.length === 0) return
  const user = userElement([], versionElement(room, versions), item)
  room.spread(following, xml('message', attrs, user, hint))
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

/** What it means for somebody who is in the room; answers the role whose presence others see of it. */
function applyTo(
  room: RoomTurn,
  occupant: Occupant,
  { affiliation, reason, actor, versions }: MadeChange,
): Role {
  const item = { reason, actor: actor && { nick: actor.nick, jid: actor.jid } }
  // §9.1
  if (affiliation === 'outcast') {
    expel(room, occupant, { codes: [301], affiliation, item, versions })
    return occupant.role
  }
  const role = roleAfter(room, occupant, affiliation)
  // §9.4: who is no member any more has to leave where only members are.
  if (!isPresent(role)) {
    expel(room, occupant, { codes: [321], affiliation, item, versions })
    return occupant.role
  }
  const changed = { ...occupant, role }
  room.putOccupant(changed)
  announceChange(room, changed, occupant, { item, versions })
  return role
}

/** Admins are moderators; who was one by that alone is what somebody of the new affiliation comes in as. */
function roleAfter(room: RoomTurn, { role }: Occupant, affiliation: Affiliation): Role {
  const initial = initialRole(affiliation, room.settings)
  if (initial === 'moderator' || initial === 'none') return initial
  if (role === 'visitor' && initial === 'participant') return 'participant'
  return role === 'moderator' ? initial : role
}
