import type { Reader } from '@tactus/storage'
import { affiliationTable, roomTable } from './store.ts'

/** Which part of the list is wanted; all for jobs. */
export interface RoomPage {
  readonly after?: string
  readonly before?: string
  readonly offset: number
  readonly limit: number
}

/** The rooms that are shown: of a service, without those that went with their occupants before that time, ms. */
export interface ShownRooms {
  readonly service: string
  readonly since: number
}

/** Rooms of a service that are shown, by their addresses. */
export async function listRooms(
  reader: Reader,
  which: ShownRooms,
  page: RoomPage,
): Promise<readonly { readonly jid: string; readonly name: string }[]> {
  let query = shown(reader, which).select(['entity', 'title'])
  if (page.after !== undefined) query = query.where('entity', '>', page.after)
  if (page.before) query = query.where('entity', '<', page.before)
  const isBackwards = page.before !== undefined
  const rows = (await query
    .orderBy('entity', isBackwards ? 'desc' : 'asc')
    .offset(page.offset)
    .limit(page.limit)
    .execute()) as { entity: string; title: string }[]
  const rooms = rows.map(({ entity, title }) => ({ jid: entity, name: title }))
  return isBackwards ? rooms.reverse() : rooms
}

/** How many rooms of a service are shown, or how many of them come before an address. */
export async function countRooms(
  reader: Reader,
  which: ShownRooms,
  before?: string,
): Promise<number> {
  let query = shown(reader, which).select((build) => build.fn.countAll().as('count'))
  if (before !== undefined) query = query.where('entity', '<', before)
  const row = await query.executeTakeFirst()
  return Number(row?.count ?? 0)
}

function shown(reader: Reader, { service, since }: ShownRooms) {
  return reader
    .selectFrom(roomTable)
    .where('service', '=', service)
    .where('listed', '=', 1)
    .where((build) => build.or([build('temporary', 'is', null), build('temporary', '>=', since)]))
}

/** Temporary rooms of a service that are so since before a time, by their addresses. */
export async function temporaryRooms(
  reader: Reader,
  { service, since }: ShownRooms,
  { after, limit }: { readonly after: string; readonly limit: number },
): Promise<readonly string[]> {
  const rows = (await reader
    .selectFrom(roomTable)
    .select('entity')
    .where('service', '=', service)
    .where('temporary', '<', since)
    .where('entity', '>', after)
    .orderBy('entity')
    .limit(limit)
    .execute()) as { entity: string }[]
  return rows.map(({ entity }) => entity)
}

/** Rooms that an account has an affiliation to, by their addresses. */
export async function roomsOf(
  reader: Reader,
  account: string,
  { after, limit }: { readonly after: string; readonly limit: number },
): Promise<readonly string[]> {
  const rows = (await reader
    .selectFrom(affiliationTable)
    .select('entity')
    .where('jid', '=', account)
    .where('entity', '>', after)
    .orderBy('entity')
    .limit(limit)
    .execute()) as { entity: string }[]
  return rows.map(({ entity }) => entity)
}

/** Rooms of a service that an account is a member of, or more, by their addresses. */
export async function memberRooms(
  reader: Reader,
  {
    service,
    account,
    limit,
  }: { readonly service: string; readonly account: string; readonly limit: number },
): Promise<readonly string[]> {
  const rows = (await reader
    .selectFrom(affiliationTable)
    .select('entity')
    .where('jid', '=', account)
    .where('affiliation', 'in', ['owner', 'admin', 'member'])
    .where('entity', 'like', `%@${service.replaceAll('%', '_')}`)
    .orderBy('entity')
    .limit(limit)
    .execute()) as { entity: string }[]
  return rows.map(({ entity }) => entity).filter((entity) => entity.endsWith(`@${service}`))
}

/** A room as operators see it in a list. */
interface ListedRoom {
  readonly jid: string
  readonly name: string
  readonly listed: boolean
  readonly persistent: boolean
  readonly created: number
}

/** All rooms, or those of a service, by their addresses. */
export async function allRooms(
  reader: Reader,
  page: { readonly service: string | undefined; readonly after: string; readonly limit: number },
): Promise<readonly ListedRoom[]> {
  const { service, after, limit } = page
  let query = reader
    .selectFrom(roomTable)
    .select(['entity', 'title', 'listed', 'temporary', 'created'])
    .where('entity', '>', after)
  if (service !== undefined) query = query.where('service', '=', service)
  const rows = (await query.orderBy('entity').limit(limit).execute()) as {
    entity: string
    title: string
    listed: number
    temporary: number | null
    created: number
  }[]
  return rows.map(({ entity, title, listed, temporary, created }) => ({
    jid: entity,
    name: title,
    listed: Number(listed) === 1,
    persistent: temporary === null,
    created: Number(created),
  }))
}
