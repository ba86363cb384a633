import { columnTypes, createTable, type Migration } from '@tactus/storage'
import { tables, usageStore } from './store.ts'

/** Subscriptions stood there before an address could have several. */
const formerSubscriptions = 'pubsub_subscription'

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
    await table(formerSubscriptions)
      .addColumn('jid', text, (column) => column.notNull())
      .addColumn('subid', text, (column) => column.notNull())
      .addColumn('state', text, (column) => column.notNull())
      .addPrimaryKeyConstraint('pubsub_subscription_pk', ['entity', 'node', 'jid'])
      .execute()
    await usageStore.migration('').up(db, dialect)
  },
}

/**
 * Nodes of services and several subscriptions of an address: what is searched for across entities gets columns and
 * indexes.
 */
export const hostedMigration: Migration = {
  name: '0121-pubsub-hosted',
  async up(db, dialect) {
    const { text, flag } = columnTypes(dialect)
    for (const name of ['service', 'title', 'payload_type', 'collection'])
      await db.schema
        .alterTable(tables.nodes)
        .addColumn(name, text, (column) => column.notNull().defaultTo(''))
        .execute()
    await db.schema
      .alterTable(tables.nodes)
      .addColumn('listed', flag, (column) => column.notNull().defaultTo(0))
      .execute()
    await createTable(db, dialect, tables.subscriptions)
      .addColumn('entity', text, (column) => column.notNull())
      .addColumn('node', text, (column) => column.notNull())
      .addColumn('subid', text, (column) => column.notNull())
      .addColumn('jid', text, (column) => column.notNull())
      .addColumn('person', text, (column) => column.notNull())
      .addColumn('state', text, (column) => column.notNull())
      .addColumn('options', text, (column) => column.notNull())
      .addPrimaryKeyConstraint('pubsub_subscriber_pk', ['entity', 'node', 'subid'])
      .execute()
    await db
      .insertInto(tables.subscriptions)
      .columns(['entity', 'node', 'subid', 'jid', 'person', 'state', 'options'])
      .expression((build) => {
        const slash = build.val('/')
        const end = build.fn<number>('instr', [build('jid', '||', slash), slash])
        const person =
          dialect === 'sqlite'
            ? build.fn('substr', ['jid', build.lit(1), build(end, '-', build.lit(1))])
            : build.fn('split_part', ['jid', slash, build.lit(1)])
        return build
          .selectFrom(formerSubscriptions)
          .select(['entity', 'node', 'subid', 'jid', person.as('person'), 'state'])
          .select(build.val('').as('options'))
      })
      .execute()
    await db.schema.dropTable(formerSubscriptions).execute()
    const index = (table: string, columns: readonly string[]) =>
      db.schema
        .createIndex(`${table}_${columns[0]}`)
        .on(table)
        .columns([...columns])
        .execute()
    await index(tables.nodes, ['service', 'listed', 'collection', 'node'])
    await index(tables.nodes, ['creator', 'service'])
    await index(tables.subscriptions, ['person', 'entity'])
    await index(tables.affiliations, ['jid', 'entity'])
  },
}

/** Items know when they were published first (XEP-0413). */
export const orderMigration: Migration = {
  name: '0122-pubsub-order',
  async up(db, dialect) {
    const { integer } = columnTypes(dialect)
    await db.schema
      .alterTable(tables.items)
      .addColumn('born', integer, (column) => column.notNull().defaultTo(0))
      .execute()
  },
}
