import type { Clock } from '@tactus/env'
import { type Kysely, sql } from 'kysely'
import { columnTypes, createTable } from './columns.ts'
import type { Executor } from './executor.ts'
import type { RowCollector, StateChange, StateKey } from './rows.ts'
import { stateKey } from './state-key.ts'
import type { DurableStore, Migration, Reader } from './storage.ts'

/** What outlives the loss of Redis of a session (design §3.6): enough for an exact `<failed h='…'/>`. */
export interface SessionRow {
  /** Number of the last input that was committed together with rows (design §3.4). */
  readonly inSeq: number
  /** XEP-0198 count of handled stanzas that belongs to it. */
  readonly h: number
  /** When, milliseconds since 1970. */
  readonly at: number
}

interface SessionTable {
  readonly session: {
    readonly id: string
    readonly account: string
    readonly in_seq: number
    readonly h: number
    readonly at: number
  }
}

/** How long a session's row is kept after its last change, milliseconds. */
export const sessionRowLifetime: number = 48 * 3_600_000

/** Session rows of an account, by session id. */
export const sessionStore: DurableStore<SessionRow> = {
  kind: 'durable',
  name: 'session',

  async load(reader: Reader, keys: readonly StateKey[]): Promise<ReadonlyMap<string, SessionRow>> {
    const wanted = new Set(keys.map(({ entity, key }) => stateKey(entity, key)))
    const rows = await (reader as Kysely<SessionTable>)
      .selectFrom('session')
      .selectAll()
      .where(
        'id',
        'in',
        keys.map(({ key }) => key),
      )
      .execute()
    const found = new Map<string, SessionRow>()
    for (const { id, account, in_seq: inSeq, h, at } of rows) {
      // An id is only good for the account that it was given to.
      const name = stateKey(account, id)
      if (wanted.has(name)) found.set(name, { inSeq, h, at })
    }
    return found
  },

  save(changes: readonly StateChange<SessionRow>[], rows: RowCollector): void {
    for (const { entity, key, after } of changes) {
      if (!after) rows.delete('session', ['id'], { id: key })
      else
        rows.upsert('session', ['id'], {
          id: key,
          account: entity,
          in_seq: after.inSeq,
          h: after.h,
          at: after.at,
        })
    }
  },
}

/** The table of `sessionStore`. */
export const sessionMigration: Migration = {
  name: '0005-session',
  async up(db, dialect) {
    const { text, integer } = columnTypes(dialect)
    const table = createTable(db, dialect, 'session')
      .addColumn('id', text, (column) => column.primaryKey())
      .addColumn('account', text, (column) => column.notNull())
      .addColumn('in_seq', integer, (column) => column.notNull())
      .addColumn('h', integer, (column) => column.notNull())
      .addColumn('at', integer, (column) => column.notNull())
    // Updated with nearly every step: room on the page, and no index on what changes, keep that heap-only.
    await (dialect === 'postgres' ? table.modifyEnd(sql`with (fillfactor = 70)`) : table).execute()
  },
}

/** Removes the rows of sessions that nobody can resume any more. Answers how many went. */
export async function expireSessions(executor: Executor, clock: Clock): Promise<number> {
  const [gone] =
    (await executor.transaction([
      { sql: 'DELETE FROM session WHERE at < ?', params: [clock.now() - sessionRowLifetime] },
    ])) ?? []
  return gone?.changes ?? 0
}
