import type { Occupant } from '@tactus/core'
import type { Jid } from '@tactus/jid'
import { Stanza, xml } from '@tactus/xml'
import { withoutResource } from './occupants.ts'
import {
  type Announcement,
  announce,
  announceDeparture,
  tellItself,
  unavailableOf,
} from './presence.ts'
import type { RoomTurn } from './room.ts'
import { bareUnavailable, itemElement, userElement, withoutClaims } from './wire.ts'

/** A resource leaves (XEP-0045 §7.14), or its server says that it is gone: when its session ended, never when it waits. */
export function leave(room: RoomTurn, from: Jid, presence: Stanza): void {
  const occupant = room.occupantOf(from)
  if (!occupant) return
  const said = withoutClaims(presence, room.jid)
  // Nobody is kept in for what it says, but all would get it.
  depart(
    room,
    occupant,
    from,
    said.bytes.length > room.config.presenceBytes ? {} : { presence: said },
  )
}

/** A resource that could not be reached is gone (§11.1). */
export function lose(room: RoomTurn, from: Jid): void {
  const occupant = room.occupantOf(from)
  if (occupant) depart(room, occupant, from, { codes: [333] })
}

/** Takes an occupant out of the room with all its resources: kicked, banned, or not allowed to be here any more. */
export function expel(room: RoomTurn, occupant: Occupant, what: Announcement): void {
  room.dropOccupant(occupant)
  announceDeparture(room, occupant, what)
  closeIfEmpty(room)
}

function depart(room: RoomTurn, occupant: Occupant, from: Jid, what: Announcement): void {
  const rest = withoutResource(occupant, from)
  room.dropOccupant(occupant, rest)
  if (!rest) {
    announceDeparture(room, occupant, what)
    // §10.1.3: who made the room and goes before it is configured takes it along.
    if (room.record.locked) destroy(room, {})
    else closeIfEmpty(room)
    return
  }
  const presence = what.presence ?? unavailableOf(room, occupant)
  tellItself(room, occupant, { ...what, presence, role: 'none' }, from)
  // The others see no difference, as it is there with another resource; or what that one said, if they saw this one.
  if (occupant.resources.at(-1)?.jid === from) announce(room, rest)
}

function closeIfEmpty(room: RoomTurn): void {
  if (room.isEmpty && !room.isPersistent) room.remove()
}

/** Where people are sent when a room is destroyed (§10.9). */
export interface Venue {
  readonly jid?: string | undefined
  readonly reason?: string | undefined
  readonly password?: string | undefined
}

/** Ends a room: everybody gets one presence and is out. */
export function destroy(room: RoomTurn, { jid, reason, password }: Venue): void {
  const venue = xml(
    'destroy',
    { jid },
    password !== undefined && xml('password', null, password),
    reason !== undefined && reason !== '' && xml('reason', null, reason),
  )
  const item = itemElement({ affiliation: 'none', role: 'none' })
  for (const occupant of [...room.occupants()]) {
    const presence = bareUnavailable(room.addressOf(occupant.nick))
    room.tellOccupant(occupant, Stanza.from(presence).append(userElement([], item, venue)))
  }
  room.remove()
}
