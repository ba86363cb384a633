import { type Kysely, sql } from 'kysely'
import { accountMigration } from './account-store.ts'
import {
  archiveLexemesMigration,
  archiveMigration,
  archivePlacesMigration,
  archiveSearchMigration,
} from './archive/archive-migration.ts'
import { clusterMigration } from './cluster-tables.ts'
import { mailboxMigration } from './mailbox-store.ts'
import { rosterMigration } from './roster-store.ts'
import { sessionMigration } from './session-store.ts'
import type { AnyDatabase, Dialect, Migration } from './storage.ts'

/** Tables that every server has: `Storage.migrate` runs them before all others, unasked. */
export const coreMigrations: readonly Migration[] = [
  clusterMigration,
  accountMigration,
  rosterMigration,
  mailboxMigration,
  sessionMigration,
  archiveMigration,
  archiveSearchMigration,
  archivePlacesMigration,
  archiveLexemesMigration,
]

/** One connection on which a migration runs in a transaction of its own. */
export interface MigrationSession {
  readonly dialect: Dialect
  readonly db: Kysely<AnyDatabase>
  /** Opens the transaction and waits until no other instance is in one of these. */
  begin(): Promise<void>
  commit(): Promise<void>
  rollback(): Promise<void>
}

/** The core's own first, then the rest, each in the order of its names. @throws {TypeError} two of one name */
export function inOrder(migrations: readonly Migration[]): readonly Migration[] {
  const rest = migrations.filter((migration) => !coreMigrations.includes(migration))
  const all = [...coreMigrations, ...rest.toSorted((a, b) => (a.name < b.name ? -1 : 1))]
  const names = new Set<string>()
  for (const { name } of all) {
    if (names.has(name)) throw new TypeError(`two migrations are named ${name}`)
    names.add(name)
  }
  return all
}

/**
 * Runs what is missing; each migration and the note that it ran are one transaction.
 *
 * Several instances may do this at once: whether one is missing is asked under the lock. `ran` gets each name as soon
 * as it is committed, so that a caller that has to begin again loses none.
 */
export async function runMigrations(
  session: MigrationSession,
  migrations: readonly Migration[],
  now: () => number,
  ran: string[] = [],
): Promise<readonly string[]> {
  await within(session, () =>
    session.db.schema
      .createTable('migration')
      .ifNotExists()
      .addColumn('name', 'text', (column) => column.primaryKey())
      .addColumn('at', 'bigint', (column) => column.notNull())
      .execute(),
  )
  for (const migration of inOrder(migrations)) {
    const isMine = await within(session, () => runOne(session, migration, now()))
    if (isMine) ran.push(migration.name)
  }
  return ran
}

/** Names of those that have not run here; `read` may find no table at all. */
export async function missingMigrations(
  read: Kysely<AnyDatabase>,
  dialect: Dialect,
  migrations: readonly Migration[],
): Promise<readonly string[]> {
  const names = inOrder(migrations).map(({ name }) => name)
  if (!(await hasMigrationTable(read, dialect))) return names
  const done = await read.selectFrom('migration').select('name').execute()
  const known = new Set(done.map((row) => row.name))
  return names.filter((name) => !known.has(name))
}

/** Another schema of the same database may well have one, so kysely's list of all tables is no answer. */
async function hasMigrationTable(read: Kysely<AnyDatabase>, dialect: Dialect): Promise<boolean> {
  const found =
    dialect === 'postgres'
      ? sql<{ here: number }>`select 1 as here where to_regclass('migration') is not null`
      : sql<{ here: number }>`select 1 as here from sqlite_master where name = 'migration'`
  return (await found.execute(read)).rows.length > 0
}

async function runOne(
  { db, dialect }: MigrationSession,
  { name, up }: Migration,
  at: number,
): Promise<boolean> {
  const done = await db.selectFrom('migration').select('name').where('name', '=', name).execute()
  if (done.length > 0) return false
  await up(db, dialect)
  await db.insertInto('migration').values({ name, at }).execute()
  return true
}

async function within<T>(session: MigrationSession, task: () => Promise<T>): Promise<T> {
  await session.begin()
  try {
    const result = await task()
    await session.commit()
    return result
  } catch (error) {
    await session.rollback()
    throw error
  }
}
