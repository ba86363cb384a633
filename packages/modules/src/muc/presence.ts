import type { Affiliation, Occupant, Role } from '@tactus/core'
import type { Jid } from '@tactus/jid'
import { Stanza, type XmlElement } from '@tactus/xml'
import type { RoomTurn } from './room.ts'
import { bareUnavailable, type ItemFacts, itemElement, userElement } from './wire.ts'

/** What the room says with an occupant's presence. */
export interface Announcement {
  readonly codes?: readonly number[]
  /** Only for the occupant itself. */
  readonly selfCodes?: readonly number[]
  /** In place of what the occupant last said; of a departure what it said in leaving, if anything. */
  readonly presence?: Stanza | undefined
  readonly affiliation?: Affiliation
  readonly role?: Role
  readonly item?: Pick<ItemFacts, 'nick' | 'reason' | 'actor'>
  readonly children?: readonly XmlElement[]
}

/** The role's presence is one that all see (`muc#roomconfig_presencebroadcast`). */
function isSeen(room: RoomTurn, role: Role): boolean {
  return room.setting<readonly string[]>('muc#roomconfig_presencebroadcast').includes(role)
}

/** Tells everybody of an occupant's presence, itself last and with status 110 (XEP-0045 §7.2.2). */
export function announce(room: RoomTurn, occupant: Occupant, what: Announcement = {}): void {
  const others = isSeen(room, occupant.role) ? othersThan(room, occupant) : []
  tellOthers(room, others, { occupant, what })
  tellItself(room, occupant, what)
}

/** Tells that somebody is gone: the others, and the resources that it was there with. */
export function announceDeparture(room: RoomTurn, occupant: Occupant, what: Announcement): void {
  const departure = { role: 'none' as const, ...what, presence: departing(room, occupant, what) }
  const others = isSeen(room, occupant.role) ? othersThan(room, occupant) : []
  tellOthers(room, others, { occupant, what: departure })
  tellItself(room, occupant, departure)
}

/** An occupant whose role or affiliation changed; those who saw it and may no longer are told that it is gone. */
export function announceChange(
  room: RoomTurn,
  occupant: Occupant,
  before: Occupant,
  what: Announcement = {},
): void {
  if (isSeen(room, before.role) && !isSeen(room, occupant.role)) {
    const presence = departing(room, occupant, {})
    tellOthers(room, othersThan(room, occupant), {
      occupant: before,
      what: { presence, role: 'none' },
    })
  }
  announce(room, occupant, what)
}

/** The presence of everybody who is in the room, for somebody who has just come in (§7.2.2). */
export function introduceAll(room: RoomTurn, newcomer: Occupant, to: Jid): void {
  const knows = room.may(room.actor(newcomer), 'see-addresses')
  for (const occupant of room.occupants())
    if (occupant.nick !== newcomer.nick && isSeen(room, occupant.role))
      room.tell(to, presenceOf(room, occupant, {}, knows))
}

/** An occupant's own presence as one of its resources sees it. */
export function tellItself(
  room: RoomTurn,
  occupant: Occupant,
  what: Announcement,
  only?: Jid,
): void {
  const codes = [110, ...(what.codes ?? []), ...(what.selfCodes ?? [])]
  const presence = presenceOf(room, occupant, { ...what, codes }, true)
  if (only === undefined) room.tellOccupant(occupant, presence)
  else room.tell(only, presence)
}

function tellOthers(
  room: RoomTurn,
  others: readonly Occupant[],
  { occupant, what }: { readonly occupant: Occupant; readonly what: Announcement },
): void {
  const knowing: Occupant[] = []
  const unknowing: Occupant[] = []
  for (const other of others)
    (room.may(room.actor(other), 'see-addresses') ? knowing : unknowing).push(other)
  // At most two encodings, however many there are.
  if (knowing.length > 0) room.multicast(knowing, presenceOf(room, occupant, what, true))
  if (unknowing.length > 0) room.multicast(unknowing, presenceOf(room, occupant, what, false))
}

function othersThan(room: RoomTurn, { nick }: Occupant): readonly Occupant[] {
  return [...room.occupants()].filter((other) => other.nick !== nick)
}

function presenceOf(
  room: RoomTurn,
  occupant: Occupant,
  what: Announcement,
  knows: boolean,
): Stanza {
  const last = occupant.resources.at(-1)
  const presence = what.presence ?? last?.presence ?? unavailableOf(room, occupant)
  const item = itemElement({
    affiliation: what.affiliation ?? room.affiliationOf(occupant.account),
    role: what.role ?? occupant.role,
    // SECURITY: V44, only for those whom the configuration lets know.
    jid: knows ? last?.jid : undefined,
    ...what.item,
    actor: what.item?.actor && {
      nick: what.item.actor.nick,
      jid: knows ? what.item.actor.jid : undefined,
    },
  })
  return presence
    .with({ from: room.addressOf(occupant.nick), to: undefined })
    .append(
      userElement(what.codes ?? [], item, ...(what.children ?? [])),
      ...stampsOf(room, occupant),
    )
}

/** What features say of an occupant wherever it appears. */
export function stampsOf(room: RoomTurn, occupant: Occupant): readonly XmlElement[] {
  return room.rooms.features().flatMap((feature) => feature.inPresence?.(room, occupant) ?? [])
}

function departing(room: RoomTurn, occupant: Occupant, { presence }: Announcement): Stanza {
  return presence ?? unavailableOf(room, occupant)
}

/** What somebody who is gone said, who said nothing. */
export function unavailableOf(room: RoomTurn, { nick }: Occupant): Stanza {
  return Stanza.from(bareUnavailable(room.addressOf(nick)))
}
