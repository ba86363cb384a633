import type { Joining, Occupant, OccupantResource, Scope, ServiceStanza } from '@tactus/core'
import {
  bare,
  domainpart,
  type FullJid,
  isFull,
  type Jid,
  withResource as jidWithResource,
  resourcepart,
} from '@tactus/jid'
import { type StanzaCondition, StanzaError } from '@tactus/stanza'
import { Stanza, xml } from '@tactus/xml'
import { newOccupant, withResource } from './occupants.ts'
import { initialRole } from './permissions.ts'
import { announce, announceDeparture, introduceAll, tellItself, unavailableOf } from './presence.ts'
import { isPresent, type Rooms, RoomTurn } from './room.ts'
import { roomCountStore } from './store.ts'
import { asksForLists, sendLists } from './versions.ts'
import { bareUnavailable, itemElement, NS_MUC, userElement, withoutClaims } from './wire.ts'

/** Refuses in the room's name, as §7.2 has it. */
function refusal(scope: Scope, condition: StanzaCondition, text?: string): StanzaError {
  return new StanzaError(condition, text, { by: scope.entity })
}

/**
 * Available presence for a nickname in a room: coming in, saying something new of oneself, or changing the nickname.
 *
 * @throws {StanzaError} what XEP-0045 §7.2 asks for
 */
export function bePresent(rooms: Rooms, arriving: ServiceStanza): void {
  try {
    appear(rooms, arriving)
  } catch (error) {
    // §7.2.5 and on: by this, clients know what the error is about.
    throw error instanceof StanzaError ? error.withEcho(xml('x', { xmlns: NS_MUC })) : error
  }
}

function appear(rooms: Rooms, arriving: ServiceStanza): void {
  const { scope, from, to, stanza } = arriving
  const nick = resourcepart(to)
  if (nick === undefined || !isFull(from))
    throw refusal(scope, 'jid-malformed', 'a nickname is missing')
  const presence = withoutClaims(stanza, scope.entity).with({ to: undefined })
  mayBeThatLong(rooms, scope, { nick, presence })
  const room = RoomTurn.find(rooms, scope)
  const occupant = room?.occupantOf(from)
  if (!occupant && !stanza.hasChild('x', NS_MUC)) return sayNotIn(scope, from, nick)
  if (room) mayAppear(room, from)
  const resource = { jid: from, presence, followsLists: asksForLists(stanza) }
  if (room && occupant && !isRejoin(occupant, nick, stanza)) {
    const known = occupant.resources.find(({ jid }) => jid === from)
    const changed = { ...resource, followsLists: known?.followsLists ?? false }
    if (occupant.nick === nick) update(room, occupant, changed)
    else changeNick(room, occupant, changed, nick)
    return
  }
  enter(rooms, room, { resource, nick, stanza, scope })
}

/** @throws {StanzaError} `not-acceptable`, `policy-violation` */
function mayBeThatLong(
  rooms: Rooms,
  scope: Scope,
  { nick, presence }: { readonly nick: string; readonly presence: Stanza },
): void {
  const { nickBytes, presenceBytes } = rooms.config(scope)
  if (Buffer.byteLength(nick) > nickBytes)
    throw refusal(scope, 'not-acceptable', `A nickname may have ${nickBytes} bytes.`)
  if (presence.bytes.length > presenceBytes)
    throw refusal(scope, 'policy-violation', `Presence in a room may have ${presenceBytes} bytes.`)
}

function mayAppear(room: RoomTurn, from: FullJid): void {
  const appearing = { room, from, account: bare(from) }
  for (const feature of room.rooms.features())
    asTheRoom(room.scope, () => feature.mayAppear?.(appearing))
}

/**
 * §7.2.18: presence without `<x/>` of somebody who is not in is that of a client that believes it is. Told so, it can come
 * in again; let in by that, it would know of nobody.
 */
function sayNotIn(scope: Scope, to: Jid, nick: string): void {
  const reason = 'You are not in the room.'
  const item = itemElement({ affiliation: 'none', role: 'none', reason })
  const from = jidWithResource(scope.entity, nick)
  scope.send(
    Stanza.from(bareUnavailable(from))
      .with({ to })
      .append(userElement([110, 307, 333], item)),
  )
}

/**
 * A client that asks to join where the room has it as an occupant has lost its state, or never had it: it gets to see all
 * of it again, and nobody else is bothered.
 */
function isRejoin(occupant: Occupant, nick: string, presence: Stanza): boolean {
  return occupant.nick === nick && presence.hasChild('x', NS_MUC)
}

/** §7.7 */
function update(room: RoomTurn, occupant: Occupant, resource: OccupantResource): void {
  const changed = withResource(occupant, resource)
  room.putOccupant(changed)
  announce(room, changed)
}

interface Entering {
  readonly scope: Scope
  readonly resource: OccupantResource
  readonly nick: string
  readonly stanza: Stanza
}

function enter(rooms: Rooms, found: RoomTurn | undefined, entering: Entering): void {
  const { scope, resource, nick } = entering
  const room = found ?? create(rooms, entering)
  const joining = joiningOf(room, entering)
  // Who is in was let in, and is not told otherwise while all others see it there.
  if (found && !found.occupantOf(resource.jid)) admit(room, joining)
  const known = room.occupant(nick)
  const role = known?.role ?? initialRole(joining.affiliation, room.settings)
  if (!isPresent(role)) throw refusal(scope, 'forbidden')
  const occupant = known
    ? withResource(known, resource)
    : newOccupant(nick, role, resource, scope.now)
  mayBeThatMany(room, occupant)
  room.putOccupant(occupant)
  sendLists(room, occupant, entering.stanza)
  // §7.1: everybody's presence, one's own, then the history, the subject, and what is said.
  introduceAll(room, occupant, resource.jid)
  const selfCodes = [...entryCodes(room, occupant), ...(found ? [] : [201])]
  if (known) tellItself(room, occupant, { selfCodes }, resource.jid)
  else announce(room, occupant, { selfCodes })
  for (const feature of rooms.features()) feature.joined?.(joining, occupant)
}

/** @throws {StanzaError} `resource-constraint` */
function mayBeThatMany(room: RoomTurn, { resources }: Occupant): void {
  const { resources: most } = room.config
  if (resources.length > most)
    throw refusal(room.scope, 'resource-constraint', `${most} resources are in already.`)
}

function joiningOf(room: RoomTurn, { resource: { jid: from }, nick, stanza }: Entering): Joining {
  const account = bare(from)
  const affiliation = room.affiliationOf(account)
  return { room, from, account, nick, affiliation, request: stanza.child('x', NS_MUC) }
}

function entryCodes(room: RoomTurn, occupant: Occupant): readonly number[] {
  return room.rooms.features().flatMap((feature) => feature.entryCodes?.(room, occupant) ?? [])
}

/** @throws {StanzaError} in the order in which §7.2 lists the reasons */
function admit(room: RoomTurn, joining: Joining): void {
  const { scope } = room
  if (joining.affiliation === 'outcast') throw refusal(scope, 'forbidden')
  if (room.isNoneTo(joining.from)) throw refusal(scope, 'item-not-found')
  for (const feature of room.rooms.features()) asTheRoom(scope, () => feature.mayJoin?.(joining))
  mayHave(room, joining)
}

/** @throws {StanzaError} `conflict` for a nickname that is somebody else's (§7.2.8) */
function mayHave(room: RoomTurn, { nick, account }: Pick<Joining, 'nick' | 'account'>): void {
  const holder = room.occupant(nick)
  if (holder && holder.account !== account) throw refusal(room.scope, 'conflict')
  for (const [jid, { nick: reserved, affiliation }] of room.affiliations())
    if (reserved === nick && jid !== account && affiliation !== 'outcast')
      throw refusal(room.scope, 'conflict', 'That nickname is reserved.')
}

function asTheRoom(scope: Scope, check: () => void): void {
  try {
    check()
  } catch (error) {
    if (!(error instanceof StanzaError) || error.by !== undefined) throw error
    const { condition, text, type, application } = error
    throw new StanzaError(condition, text, {
      type,
      by: scope.entity,
      ...(application && { application }),
    })
  }
}

/** §10.1.1: whoever comes first makes the room, where it may, and is its owner. */
function create(rooms: Rooms, { scope, resource }: Entering): RoomTurn {
  const account = bare(resource.jid)
  mayCreate(rooms, scope, resource.jid)
  const room = RoomTurn.make(rooms, scope, { locked: true, creator: account })
  room.setAffiliated(account, { affiliation: 'owner', nick: undefined, reason: undefined })
  return room
}

/** @throws {StanzaError} `not-allowed` for whom the host lets make no rooms (§10.1.1) */
export function requireCreation(rooms: Rooms, scope: Scope, by: Jid): void {
  if (rooms.isAdmin(bare(by))) return
  const { creation } = rooms.config(scope)
  const isLocal = domainpart(by) === scope.host.name
  if (creation === 'admins' || (creation === 'local' && !isLocal))
    throw refusal(scope, 'not-allowed')
}

function mayCreate(rooms: Rooms, scope: Scope, by: Jid): void {
  requireCreation(rooms, scope, by)
  const account = bare(by)
  if (rooms.isAdmin(account)) return
  const { rooms: most, roomsPerAccount } = rooms.config(scope)
  const there = scope.get(roomCountStore, account)
  if (there && (there.all >= most || there.own >= roomsPerAccount))
    throw refusal(scope, 'not-allowed', 'There are as many rooms as there may be.')
}

/** §7.6 */
function changeNick(
  room: RoomTurn,
  occupant: Occupant,
  resource: OccupantResource,
  nick: string,
): void {
  if (!room.may(room.actor(occupant), 'change-nick')) throw refusal(room.scope, 'not-acceptable')
  mayHave(room, { nick, account: occupant.account })
  const rest = occupant.resources.filter(({ jid }) => jid !== resource.jid)
  const there = room.occupant(nick)
  const moved = there
    ? withResource(there, resource)
    : newOccupant(nick, occupant.role, resource, occupant.since)
  mayBeThatMany(room, moved)
  const told = { codes: [303], item: { nick }, role: occupant.role }
  // Other resources keep the nickname: they were not asked.
  if (rest.length > 0) {
    const itself = { ...occupant, resources: [resource] }
    room.dropOccupant(occupant, { ...occupant, resources: rest })
    tellLeaving(room, itself, told)
  } else {
    room.dropOccupant(occupant)
    announceDeparture(room, { ...occupant, resources: [resource] }, told)
  }
  room.putOccupant(moved)
  announce(room, moved)
}

/** Only the resource itself is told that it left a nickname that others hold on to. */
function tellLeaving(
  room: RoomTurn,
  itself: Occupant,
  told: Parameters<typeof announceDeparture>[2],
): void {
  const [resource] = itself.resources
  if (resource)
    tellItself(room, itself, { ...told, presence: unavailableOf(room, itself) }, resource.jid)
}
