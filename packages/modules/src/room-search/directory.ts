import { type LiveStore, liveStore, type Room, type RoomFeature, type Scope } from '@tactus/core'
import { domainpart } from '@tactus/jid'
import { type KeyValueStore, keyValueStore, type Reader, type ValueOf } from '@tactus/storage'

const columns = {
  service: 'text',
  name: 'text',
  description: 'text',
  language: 'text',
  /** How many are in, as it was some time ago. */
  users: 'number',
  /** 1 where nothing is needed to come in. */
  is_open: 'number',
  /** 1 where real addresses are shown to all. */
  is_shown: 'number',
  name_folded: 'text',
  description_folded: 'text',
} as const

/** What rooms that are shown say of themselves; the key is `''`. `…_folded` is what is searched. */
export const directoryStore: KeyValueStore<ValueOf<typeof columns>> = keyValueStore({
  name: 'room-search',
  table: 'room_search_room',
  columns,
})

/** A look at how many are in is arranged; the key is `''`. */
export const countingStore: LiveStore<true> = liveStore('room-search-counting')
/** Name of its timer. */
export const countTimer = 'room-search-count'
/** How old the number of users gets, ms: each new one is a row that is written. */
const countInterval = 60_000

/** Keeps the directory as rooms are: what is hidden, or gone, is not in it. */
export const listed: RoomFeature = {
  name: 'room-search',
  settled: enter,
  populated({ scope }) {
    if (scope.get(countingStore)) return
    scope.set(countingStore, '', true)
    scope.timer(countTimer, scope.now + countInterval)
  },
  destroyed: ({ scope }) => leave(scope),
}

/** The timer: what the number of users is by now. Also puts rooms in that were there before the directory. */
export function count(scope: Scope, room: Room | undefined): void {
  scope.set(countingStore, '', undefined)
  if (room) enter(room)
}

function enter(room: Room): void {
  const { scope } = room
  const before = scope.get(directoryStore)
  if (room.isLocked || !room.setting('muc#roomconfig_publicroom')) return leave(scope)
  const after = entryOf(room)
  const isSame =
    before &&
    (Object.keys(after) as (keyof typeof after)[]).every((key) => before[key] === after[key])
  if (!isSame) scope.set(directoryStore, '', after)
}

function leave(scope: Scope): void {
  if (scope.get(directoryStore)) scope.set(directoryStore, '', undefined)
}

function entryOf(room: Room): ValueOf<typeof columns> {
  const name = room.setting<string>('muc#roomconfig_roomname')
  const description = room.setting<string>('muc#roomconfig_roomdesc')
  const isClosed =
    room.setting<boolean>('muc#roomconfig_membersonly') ||
    room.setting<boolean>('muc#roomconfig_passwordprotectedroom')
  return {
    service: domainpart(room.jid),
    name,
    description,
    language: room.setting<string>('muc#roomconfig_lang'),
    users: [...room.occupants()].length,
    is_open: isClosed ? 0 : 1,
    is_shown: room.showsAddresses ? 1 : 0,
    name_folded: fold(name),
    description_folded: fold(description),
  }
}

/** Text as it is compared. */
export function fold(text: string): string {
  return text.normalize('NFKC').toLowerCase()
}

/** Which rooms are looked for. */
export interface RoomQuery {
  /** All of them are in one of the places; folded. */
  readonly terms: readonly string[]
  readonly inName: boolean
  readonly inDescription: boolean
  readonly inAddress: boolean
  readonly leastUsers: number
  /** Other kinds of rooms are looked for, of which there are none. */
  readonly none: boolean
  /** Those with most users first; else by address. */
  readonly byUsers: boolean
}

/** A room that was found. */
export interface ListedRoom extends ValueOf<typeof columns> {
  readonly address: string
}

/** Which page: what comes after a room, as `placeOf` names it. */
export interface RoomPage {
  readonly after: string | undefined
  readonly limit: number
}

/** Finds rooms of a service. For jobs. */
export async function findRooms(
  reader: Reader,
  service: string,
  query: RoomQuery,
  { after, limit }: RoomPage,
): Promise<readonly ListedRoom[]> {
  const places = placesOf(query)
  if (query.none || (query.terms.length > 0 && places.length === 0)) return []
  let rows = reader
    .selectFrom(directoryStore.table)
    .selectAll()
    .where('service', '=', service)
    .where('users', '>=', query.leastUsers)
  for (const term of query.terms)
    rows = rows.where((build) =>
      build.or(places.map((place) => build(place, 'like', `%${pattern(term)}%`))),
    )
  if (after !== undefined) {
    const { users, address } = readPlace(after)
    rows = query.byUsers
      ? rows.where((build) =>
          build.or([
            build('users', '<', users),
            build.and([build('users', '=', users), build('entity', '>', address)]),
          ]),
        )
      : rows.where('entity', '>', address)
  }
  if (query.byUsers) rows = rows.orderBy('users', 'desc')
  const found = (await rows.orderBy('entity').limit(limit).execute()) as unknown as readonly (Omit<
    ListedRoom,
    'address'
  > & { readonly entity: string })[]
  return found.map(({ entity, ...room }) => ({ ...room, address: entity }))
}

function placesOf({ inName, inDescription, inAddress }: RoomQuery): readonly string[] {
  return [
    ...(inName ? ['name_folded'] : []),
    ...(inDescription ? ['description_folded'] : []),
    ...(inAddress ? ['entity'] : []),
  ]
}

/** SECURITY: nobody searches by patterns of their own; what would be one stands for any one character. */
function pattern(term: string): string {
  return term.replaceAll(/[%\\]/g, '_')
}

/** Where a room is in a list, for the page after it. */
export function placeOf({ users, address }: ListedRoom): string {
  return `${users} ${address}`
}

function readPlace(place: string): { readonly users: number; readonly address: string } {
  const [users = '', address = ''] = place.split(' ', 2)
  return { users: /^\d{1,9}$/.test(users) ? Number(users) : 0, address }
}
