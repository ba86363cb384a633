import type { Occupant, Role } from '@tactus/core'
import { StanzaError } from '@tactus/stanza'
import { expel } from './leave.ts'
import { mayGrantRole } from './permissions.ts'
import { announceChange } from './presence.ts'
import { isPresent, type RoomTurn } from './room.ts'

/** A change of what an occupant may do during this visit. */
export interface RoleChange {
  readonly target: Occupant
  readonly role: Role
  readonly reason: string | undefined
}

/**
 * Gives or takes voice and moderation, and kicks (XEP-0045 §8.2 to §8.4, §9.6, §9.7).
 *
 * @throws {StanzaError} `not-allowed` against somebody who is above (§8.2, §8.4), `forbidden` without moderation
 */
export function grantRole(
  room: RoomTurn,
  by: Occupant,
  { target, role, reason }: RoleChange,
): void {
  if (!room.may(room.actor(by), 'moderate')) throw new StanzaError('forbidden')
  if (!mayGrantRole(room.actor(by), room.actor(target), role)) throw new StanzaError('not-allowed')
  const [resource] = by.resources
  const item = { reason, actor: { nick: by.nick, jid: resource?.jid } }
  // §8.2
  if (!isPresent(role)) return expel(room, target, { codes: [307], item })
  if (role === target.role) return
  const changed = { ...target, role }
  room.putOccupant(changed)
  announceChange(room, changed, target, { item: { reason } })
}
