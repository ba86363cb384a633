import { sql } from 'kysely'
import { columnTypes, createTable } from './columns.ts'
import type { Migration } from './storage.ts'

/** Tables of design §3.2, §3.3 and §3.12: who owns what, the records of steps, what the cell is. */
export const clusterMigration: Migration = {
  name: '0001-cluster',
  async up(db, dialect) {
    const { text, integer, flag, bytes } = columnTypes(dialect)
    await createTable(db, dialect, 'router')
      .addColumn('id', text, (column) => column.primaryKey())
      .addColumn('step', integer, (column) => column.notNull())
      .addColumn('fenced', flag, (column) => column.notNull())
      .addColumn('started', integer, (column) => column.notNull())
      .execute()
    await createTable(db, dialect, 'partition')
      .addColumn('id', integer, (column) => column.primaryKey())
      .addColumn('router', text)
      .execute()
    await createTable(db, dialect, 'outbox')
      .addColumn('router', text, (column) => column.notNull())
      .addColumn('step', integer, (column) => column.notNull())
      .addColumn('record', bytes, (column) => column.notNull())
      .addPrimaryKeyConstraint('outbox_pk', ['router', 'step'])
      .execute()
    await createTable(db, dialect, 'cluster')
      .addColumn('id', integer, (column) => column.primaryKey())
      .addColumn('name', text)
      .addColumn('partitions', integer)
      .addColumn('secret_fingerprint', text)
      .addColumn('incarnation', integer, (column) => column.notNull())
      .execute()
    await sql`insert into cluster (id, incarnation) values (1, 1)`.execute(db)
    if (dialect === 'sqlite') return
    // Records are packed already, live for seconds, and are read only after a death.
    await sql`alter table outbox alter column record set storage external`.execute(db)
    await sql`alter table outbox set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, toast.autovacuum_vacuum_scale_factor = 0, toast.autovacuum_vacuum_threshold = 20000)`.execute(
      db,
    )
    // One row a router, updated by every step: room on its page keeps the update heap-only.
    await sql`alter table router set (fillfactor = 20, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000)`.execute(
      db,
    )
  },
}
