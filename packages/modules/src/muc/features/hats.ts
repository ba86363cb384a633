import { createHash } from 'node:crypto'
import type { Occupant, Room, RoomFeature } from '@tactus/core'
import type { BareJid } from '@tactus/jid'
import { StanzaError } from '@tactus/stanza'
import { type XmlElement, xml } from '@tactus/xml'
import { announce } from '../presence.ts'
import type { RoomTurn } from '../room.ts'
import { NS_HATS, roomNotice } from '../wire.ts'

/** A role of the room's own making (XEP-0317): it says something, and allows nothing. */
export interface Hat {
  /** What it is known by. */
  readonly uri: string
  readonly title: string
  /** Angle of its colour, as it was written. */
  readonly hue?: string | undefined
}

/** The hats of a room, and who wears which, by URI; at most one kind of each per account. */
export interface Hats {
  readonly hats: readonly Hat[]
  readonly worn: Readonly<Record<string, readonly string[]>>
}

const feature = 'hats'
/** Hats of one account: they are in each of its presences, and all of them in the room's row. */
const hatsEach = 10
const empty: Hats = { hats: [], worn: {} }

/** Hats, shown with the presence of whoever wears one (XEP-0317 §3.1). */
export const hats: RoomFeature = {
  name: feature,
  disco: () => ({ features: [NS_HATS] }),
  info(room) {
    const known = hatsOf(room).hats
    if (known.length === 0) return []
    // §2: of the whole list, so that a change of any part of it is one.
    const hash = createHash('sha1').update(JSON.stringify(known)).digest('hex')
    return [{ var: 'hats#hash', type: 'text-single', label: 'Hats hash', values: [hash] }]
  },
  inPresence(room, occupant) {
    const worn = wornBy(room, occupant.account)
    return worn.length === 0 ? [] : [hatsElement(worn)]
  },
}

/** What a room has of hats. */
export function hatsOf(room: Room): Hats {
  return room.kept<Hats>(feature) ?? empty
}

function wornBy(room: Room, account: BareJid): readonly Hat[] {
  const { hats: known, worn } = hatsOf(room)
  const uris = worn[account] ?? []
  return uris.length === 0 ? [] : known.filter(({ uri }) => uris.includes(uri))
}

function hatsElement(worn: readonly Hat[]): XmlElement {
  return xml(
    'hats',
    { xmlns: NS_HATS },
    worn.map(({ uri, title, hue }) => xml('hat', { title, uri, hue })),
  )
}

/**
 * Makes a hat, or changes the one of its URI; those who wear it are shown anew (§3.2).
 *
 * @throws {StanzaError} `resource-constraint` where there are as many as there may be
 */
export function putHat(room: RoomTurn, hat: Hat): void {
  const { hats: known, worn } = hatsOf(room)
  const others = known.filter(({ uri }) => uri !== hat.uri)
  if (others.length >= room.config.hats)
    throw new StanzaError('resource-constraint', `A room may have ${room.config.hats} hats.`)
  const isNew = others.length === known.length
  const list = isNew ? [...known, hat] : known.map((each) => (each.uri === hat.uri ? hat : each))
  room.keep(feature, { hats: list, worn } satisfies Hats)
  tellChanged(room, isNew ? [] : wearers(room, hat.uri))
}

/**
 * Takes a hat away from the room and from all who wear it (§3.3).
 *
 * @throws {StanzaError} `item-not-found`
 */
export function destroyHat(room: RoomTurn, uri: string): void {
  const { hats: known, worn } = hatsOf(room)
  requireHat(room, uri)
  const bared = wearers(room, uri)
  const left = Object.entries(worn)
    .map(([account, uris]) => [account, uris.filter((each) => each !== uri)] as const)
    .filter(([, uris]) => uris.length > 0)
  const list = known.filter((each) => each.uri !== uri)
  room.keep(feature, { hats: list, worn: Object.fromEntries(left) } satisfies Hats)
  tellChanged(room, bared)
}

/**
 * Puts a hat on an account, or takes it off (§3.5, §3.6).
 *
 * @throws {StanzaError} `item-not-found`, `resource-constraint`
 */
export function wear(room: RoomTurn, account: BareJid, uri: string, isWorn: boolean): void {
  const { hats: known, worn } = hatsOf(room)
  requireHat(room, uri)
  const before = worn[account] ?? []
  if (before.includes(uri) === isWorn) return
  const { [account]: _, ...others } = worn
  if (isWorn && Object.keys(others).length >= room.config.hatsWorn)
    throw new StanzaError('resource-constraint', `${room.config.hatsWorn} may wear hats in a room.`)
  if (isWorn && before.length >= hatsEach)
    throw new StanzaError('resource-constraint', `One may wear ${hatsEach} hats.`)
  const after = isWorn ? [...before, uri] : before.filter((each) => each !== uri)
  const all = after.length === 0 ? others : { ...others, [account]: after }
  room.keep(feature, { hats: known, worn: all } satisfies Hats)
  show(room, (occupant) => occupant.account === account)
}

/** Whoever gets the name of an account that is gone wears none of its hats. */
export function takeHats(room: RoomTurn, account: BareJid): void {
  const { hats: known, worn } = hatsOf(room)
  if (!Object.hasOwn(worn, account)) return
  const { [account]: _, ...left } = worn
  room.keep(feature, { hats: known, worn: left } satisfies Hats)
  show(room, (occupant) => occupant.account === account)
}

function requireHat(room: Room, uri: string): void {
  if (!hatsOf(room).hats.some((hat) => hat.uri === uri))
    throw new StanzaError('item-not-found', 'There is no such hat.')
}

function wearers(room: Room, uri: string): readonly string[] {
  return Object.entries(hatsOf(room).worn)
    .filter(([, uris]) => uris.includes(uri))
    .map(([account]) => account)
}

/** §3.2: that the list is another, and how those look now whom it concerns. */
function tellChanged(room: RoomTurn, accounts: readonly string[]): void {
  room.broadcast(roomNotice(room.jid, room.scope.makeId(), [104]))
  const concerned = new Set(accounts)
  show(room, ({ account }) => concerned.has(account))
}

function show(room: RoomTurn, which: (occupant: Occupant) => boolean): void {
  for (const occupant of [...room.occupants()].filter(which)) announce(room, occupant)
}
