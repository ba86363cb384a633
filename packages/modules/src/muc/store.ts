import type { Affiliation, RoomSettings } from '@tactus/core'
import { type DurableStore, type Reader, type StateKey, stateKey } from '@tactus/storage'

/** A room as its row is; the key within the entity is `''`. */
export interface RoomRecord {
  /** Domain of the service. */
  readonly service: string
  readonly created: number
  /** The account that made it, whoever owns it now; undefined for one that an operator made. */
  readonly creator: string | undefined
  readonly secret: string
  /** Its owner has not configured it yet (XEP-0045 §10.1). */
  readonly locked: boolean
  /** Shown in the list of rooms. */
  readonly listed: boolean
  /** Since when it goes with its last occupant, ms; undefined where it stays. */
  readonly temporary: number | undefined
  readonly title: string
  readonly settings: RoomSettings
  /** What features keep, by their names. */
  readonly kept: Readonly<Record<string, unknown>>
}

/** What an account is to a room beyond a visit. */
export interface Affiliated {
  readonly affiliation: Exclude<Affiliation, 'none'>
  /** Registered nickname. */
  readonly nick: string | undefined
  readonly reason: string | undefined
}

/** One line of the history, as it was sent to all. */
export interface HistoryLine {
  readonly id: string
  readonly at: number
  readonly stanza: Uint8Array
}

/** Rooms. */
export const roomTable = 'muc_room'
/** Who is what to a room. */
export const affiliationTable = 'muc_affiliation'
/** What was said last. */
export const historyTable = 'muc_history'

/** Rooms, the durable half. */
export const roomStore: DurableStore<RoomRecord> = {
  kind: 'durable',
  name: 'muc-room',

  async load(reader, keys) {
    const rows = await rowsOf<{
      entity: string
      service: string
      created: number
      creator: string | null
      locked: number
      listed: number
      temporary: number | null
      title: string
      data: string
    }>(reader, roomTable, keys)
    return new Map(
      rows.map(({ entity, service, created, creator, locked, listed, temporary, title, data }) => [
        stateKey(entity, ''),
        {
          service,
          created: Number(created),
          creator: creator ?? undefined,
          locked: Number(locked) === 1,
          listed: Number(listed) === 1,
          temporary: temporary === null ? undefined : Number(temporary),
          title,
          ...(JSON.parse(data) as Pick<RoomRecord, 'secret' | 'settings' | 'kept'>),
        },
      ]),
    )
  },

  save(changes, rows) {
    for (const { entity, after } of changes) {
      if (!after) {
        rows.delete(roomTable, ['entity'], { entity })
        continue
      }
      const { service, created, creator, locked, listed, temporary, title } = after
      const { secret, settings, kept } = after
      rows.upsert(roomTable, ['entity'], {
        entity,
        service,
        created,
        creator: creator ?? null,
        locked: locked ? 1 : 0,
        listed: listed ? 1 : 0,
        temporary: temporary ?? null,
        title,
        data: JSON.stringify({ secret, settings, kept }),
      })
    }
  },
}

const nobody: ReadonlyMap<string, Affiliated> = new Map()

/** Affiliations of a room by bare JID; the key within the entity is `''`. */
export const affiliationStore: DurableStore<ReadonlyMap<string, Affiliated>> = {
  kind: 'durable',
  name: 'muc-affiliation',

  async load(reader, keys) {
    const rows = await rowsOf<{
      entity: string
      jid: string
      affiliation: Affiliated['affiliation']
      nick: string | null
      reason: string | null
    }>(reader, affiliationTable, keys)
    const lists = new Map<string, Map<string, Affiliated>>()
    for (const { entity, jid, affiliation, nick, reason } of rows)
      entryOf(lists, entity, () => new Map()).set(jid, {
        affiliation,
        nick: nick ?? undefined,
        reason: reason ?? undefined,
      })
    return lists
  },

  save(changes, rows) {
    for (const { entity, before = nobody, after = nobody } of changes) {
      for (const [jid, affiliated] of after)
        if (before.get(jid) !== affiliated) {
          const { affiliation, nick = null, reason = null } = affiliated
          rows.upsert(affiliationTable, ['entity', 'jid'], {
            entity,
            jid,
            affiliation,
            nick,
            reason,
          })
        }
      for (const jid of before.keys())
        if (!after.has(jid)) rows.delete(affiliationTable, ['entity', 'jid'], { entity, jid })
    }
  },
}

/** The last lines of a room, oldest first; the key within the entity is `''`. */
export const historyStore: DurableStore<readonly HistoryLine[]> = {
  kind: 'durable',
  name: 'muc-history',

  async load(reader, keys) {
    const entities = keys.map(({ entity }) => entity)
    const rows = (await reader
      .selectFrom(historyTable)
      .selectAll()
      .where('entity', 'in', entities)
      .orderBy('number')
      .execute()) as (HistoryLine & { readonly entity: string })[]
    const lines = new Map<string, HistoryLine[]>()
    for (const { entity, id, at, stanza } of rows)
      entryOf(lines, entity, () => []).push({ id, at: Number(at), stanza })
    return lines
  },

  save(changes, rows) {
    for (const { entity, before = [], after = [] } of changes) {
      const known = new Set(before)
      const left = new Set(after)
      for (const line of before)
        if (!left.has(line)) rows.delete(historyTable, ['entity', 'id'], { entity, id: line.id })
      for (const line of after)
        if (!known.has(line)) {
          const { id, at, stanza } = line
          rows.upsert(historyTable, ['entity', 'id'], { entity, id, at, stanza })
        }
    }
  },
}

/**
 * How many rooms there are already where one more shall be. Key within the room: the account that makes it.
 *
 * SECURITY: those count that it made itself. Anybody may make others owners, who then could make none any more.
 */
export const roomCountStore: DurableStore<{ readonly own: number; readonly all: number }> = {
  kind: 'durable',
  name: 'muc-room-count',

  async load(reader, keys) {
    const counts = new Map<string, { readonly own: number; readonly all: number }>()
    for (const { entity, key } of keys) {
      const own = await countOf(reader, roomTable, { creator: key })
      const service = entity.slice(entity.indexOf('@') + 1)
      const all = await countOf(reader, roomTable, { service })
      counts.set(stateKey(entity, key), { own, all })
    }
    return counts
  },

  save() {},
}

async function countOf(
  reader: Reader,
  table: string,
  where: Readonly<Record<string, string | number>>,
): Promise<number> {
  let query = reader.selectFrom(table).select((build) => build.fn.countAll().as('count'))
  for (const [column, value] of Object.entries(where)) query = query.where(column, '=', value)
  const row = await query.executeTakeFirst()
  return Number(row?.count ?? 0)
}

async function rowsOf<R>(reader: Reader, table: string, keys: readonly StateKey[]): Promise<R[]> {
  const entities = keys.map(({ entity }) => entity)
  const rows = await reader.selectFrom(table).selectAll().where('entity', 'in', entities).execute()
  return rows as R[]
}

function entryOf<V>(values: Map<string, V>, entity: string, make: () => V): V {
  const key = stateKey(entity, '')
  const known = values.get(key)
  if (known) return known
  const made = make()
  values.set(key, made)
  return made
}
