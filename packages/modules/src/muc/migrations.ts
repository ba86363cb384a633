import { columnTypes, createTable, type Migration } from '@tactus/storage'
import { affiliationLogTable } from './affiliation-log.ts'
import { affiliationTable, historyTable, roomTable } from './store.ts'

/** Rooms, affiliations, history. */
export const mucMigration: Migration = {
  name: '0130-muc',
  async up(db, dialect) {
    const { text, integer, flag, bytes, counter } = columnTypes(dialect)
    await createTable(db, dialect, roomTable)
      .addColumn('entity', text, (column) => column.notNull().primaryKey())
      .addColumn('service', text, (column) => column.notNull())
      .addColumn('created', integer, (column) => column.notNull())
      .addColumn('locked', flag, (column) => column.notNull())
      .addColumn('listed', flag, (column) => column.notNull())
      .addColumn('title', text, (column) => column.notNull())
      .addColumn('data', text, (column) => column.notNull())
      .execute()
    await db.schema
      .createIndex('muc_room_listed')
      .on(roomTable)
      .columns(['service', 'listed', 'entity'])
      .execute()
    await createTable(db, dialect, affiliationTable)
      .addColumn('entity', text, (column) => column.notNull())
      .addColumn('jid', text, (column) => column.notNull())
      .addColumn('affiliation', text, (column) => column.notNull())
      .addColumn('nick', text)
      .addColumn('reason', text)
      .addPrimaryKeyConstraint('muc_affiliation_pk', ['entity', 'jid'])
      .execute()
    await db.schema
      .createIndex('muc_affiliation_jid')
      .on(affiliationTable)
      .columns(['jid', 'affiliation'])
      .execute()
    await createTable(db, dialect, historyTable)
      .addColumn('number', counter)
      .addColumn('entity', text, (column) => column.notNull())
      .addColumn('id', text, (column) => column.notNull())
      .addColumn('at', integer, (column) => column.notNull())
      .addColumn('stanza', bytes, (column) => column.notNull())
      .addUniqueConstraint('muc_history_id', ['entity', 'id'])
      .execute()
  },
}

/** Which rooms go with their last occupant, and since when that is so: before, only their settings told. */
export const temporaryMigration: Migration = {
  name: '0132-muc-temporary',
  async up(db, dialect) {
    const { integer } = columnTypes(dialect)
    await db.schema.alterTable(roomTable).addColumn('temporary', integer).execute()
    await db
      .updateTable(roomTable)
      .set({ temporary: 0 })
      .where('data', 'not like', '%"muc#roomconfig_persistentroom":true%')
      .execute()
    await db.schema
      .createIndex('muc_room_temporary')
      .on(roomTable)
      .columns(['service', 'temporary'])
      .execute()
  },
}

/** So that the list of rooms is counted in its index alone: of 100,000 rooms in a tenth of a second. */
export const listingMigration: Migration = {
  name: '0141-muc-listing',
  async up(db) {
    await db.schema
      .createIndex('muc_room_shown')
      .on(roomTable)
      .columns(['service', 'listed', 'entity', 'temporary'])
      .execute()
    await db.schema.dropIndex('muc_room_listed').execute()
  },
}

/** What became of affiliations, by the version of the lists that it made (XEP-0463). */
export const affiliationLogMigration: Migration = {
  name: '0150-muc-affiliation-log',
  async up(db, dialect) {
    const { text, integer } = columnTypes(dialect)
    await createTable(db, dialect, affiliationLogTable)
      .addColumn('entity', text, (column) => column.notNull())
      .addColumn('version', integer, (column) => column.notNull())
      .addColumn('jid', text, (column) => column.notNull())
      .addColumn('before', text, (column) => column.notNull())
      .addPrimaryKeyConstraint('muc_affiliation_change_pk', ['entity', 'version'])
      .execute()
  },
}

/** Who made a room. Of those that are there it is taken to be one of the owners. */
export const creatorMigration: Migration = {
  name: '0151-muc-creator',
  async up(db, dialect) {
    await db.schema.alterTable(roomTable).addColumn('creator', columnTypes(dialect).text).execute()
    await db
      .updateTable(roomTable)
      .set(({ selectFrom, fn }) => ({
        creator: selectFrom(affiliationTable)
          .select(fn.min('jid').as('jid'))
          .whereRef(`${affiliationTable}.entity`, '=', `${roomTable}.entity`)
          .where('affiliation', '=', 'owner'),
      }))
      .execute()
    await db.schema.createIndex('muc_room_creator').on(roomTable).columns(['creator']).execute()
  },
}
