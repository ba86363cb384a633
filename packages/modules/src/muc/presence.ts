import type { Affiliation, Occupant, OccupantResource, Role } from '@tactus/core'
import type { Jid } from '@tactus/jid'
import { Stanza, type XmlElement } from '@tactus/xml'
import type { VersionStep } from './affiliation-log.ts'
import type { RoomTurn } from './room.ts'
import { followersOf, versionElement } from './versions.ts'
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
  /** Where it is also a change of the lists of affiliations. */
  readonly versions?: VersionStep | undefined
}

/** What whoever gets a presence may know, and wants to. */
interface View {
  /** Real addresses. */
  readonly knows: boolean
  /** Also of who did it, where that is not the same: everybody knows the own one. */
  readonly knowsActor?: boolean
  /** From which version of the lists it leads to which. */
  readonly version?: XmlElement | undefined
}

/** The role's presence is one that all see (`muc#roomconfig_presencebroadcast`). */
export function isSeen(room: RoomTurn, role: Role): boolean {
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
      room.tell(to, presenceOf(room, occupant, {}, { knows }))
}

/** An occupant's own presence as one of its resources sees it. */
export function tellItself(
  room: RoomTurn,
  occupant: Occupant,
  what: Announcement,
  only?: Jid,
): void {
  const codes = [110, ...(what.codes ?? []), ...(what.selfCodes ?? [])]
  const told = occupant.resources.filter(({ jid }) => only === undefined || jid === only)
  const followers = new Set(followersOf(room, occupant))
  // Whatever its affiliation is from now on, it is the role that it was there with that lets it see addresses.
  const knowsActor = room.may({ affiliation: 'none', role: occupant.role }, 'see-addresses')
  const tell = (resources: Occupant['resources'], version?: XmlElement): void => {
    if (resources.length === 0) return
    const view = { knows: true, knowsActor, version }
    room.tellOccupant({ resources }, presenceOf(room, occupant, { ...what, codes }, view))
  }
  const following = told.filter((resource) => followers.has(resource))
  // XEP-0463 §5.2.1: also where nothing changed, so that clients see that they missed nothing.
  if (following.length > 0) tell(following, versionElement(room, what.versions))
  tell(told.filter((resource) => !followers.has(resource)))
}

function tellOthers(
  room: RoomTurn,
  others: readonly Occupant[],
  { occupant, what }: { readonly occupant: Occupant; readonly what: Announcement },
): void {
  const { versions } = what
  const following = versions ? others.flatMap((other) => followersOf(room, other)) : []
  const followers = new Set(following)
  const knowing: OccupantResource[] = []
  const unknowing: OccupantResource[] = []
  for (const other of others) {
    const audience = room.may(room.actor(other), 'see-addresses') ? knowing : unknowing
    audience.push(...other.resources.filter((resource) => !followers.has(resource)))
  }
  const spread = (to: readonly OccupantResource[], view: View): void => {
    if (to.length > 0) room.spread(to, presenceOf(room, occupant, what, view))
  }
  // At most three encodings, however many there are.
  spread(knowing, { knows: true })
  spread(unknowing, { knows: false })
  if (versions) spread(following, { knows: true, version: versionElement(room, versions) })
}

function othersThan(room: RoomTurn, { nick }: Occupant): readonly Occupant[] {
  return [...room.occupants()].filter((other) => other.nick !== nick)
}

function presenceOf(
  room: RoomTurn,
  occupant: Occupant,
  what: Announcement,
  { knows, knowsActor = knows, version }: View,
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
      jid: knowsActor ? what.item.actor.jid : undefined,
    },
  })
  return presence
    .with({ from: room.addressOf(occupant.nick), to: undefined })
    .append(
      userElement(what.codes ?? [], version, item, ...(what.children ?? [])),
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
