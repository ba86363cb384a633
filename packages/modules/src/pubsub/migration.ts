import { columnTypes, createTable, type Migration } from '@tactus/storage'
import { tables, usageStore } from './store.ts'

/** The tables of all stores of this folder. */
export const pubsubMigration: Migration = {
  name: '0120-pubsub',
  async up(db, dialect) {
    const { text, integer } = columnTypes(dialect)
    const table = (name: string) =>
      createTable(db, dialect, name)
        .addColumn('entity', text, (column) => column.notNull())
        .addColumn('node', text, (column) => column.notNull())
    await table(tables.nodes)
      .addColumn('creator', text, (column) => column.notNull())
      .addColumn('created_at', integer, (column) => column.notNull())
      .addColumn('config', text, (column) => column.notNull())
      .addPrimaryKeyConstraint('pubsub_node_pk', ['entity', 'node'])
      .execute()
    await table(tables.items)
      .addColumn('seq', integer, (column) => column.notNull())
      .addColumn('id', text, (column) => column.notNull())
      .addColumn('publisher', text, (column) => column.notNull())
      .addColumn('at', integer, (column) => column.notNull())
      .addColumn('bytes', integer, (column) => column.notNull())
      .addPrimaryKeyConstraint('pubsub_item_pk', ['entity', 'node', 'seq'])
      .execute()
    await table(tables.payloads)
      .addColumn('seq', integer, (column) => column.notNull())
      .addColumn('xml', text, (column) => column.notNull())
      .addPrimaryKeyConstraint('pubsub_payload_pk', ['entity', 'node', 'seq'])
      .execute()
    await table(tables.affiliations)
      .addColumn('jid', text, (column) => column.notNull())
      .addColumn('affiliation', text, (column) => column.notNull())
      .addPrimaryKeyConstraint('pubsub_affiliation_pk', ['entity', 'node', 'jid'])
      .execute()
    await table(tables.subscriptions)
      .addColumn('jid', text, (column) => column.notNull())
      .addColumn('subid', text, (column) => column.notNull())
      .addColumn('state', text, (column) => column.notNull())
      .addPrimaryKeyConstraint('pubsub_subscription_pk', ['entity', 'node', 'jid'])
      .execute()
    await usageStore.migration('').up(db, dialect)
  },
}
