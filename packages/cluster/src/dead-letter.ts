import { columnTypes, createTable, type DurableStore, type Migration } from '@tactus/storage'
import { pack } from 'msgpackr'
import type { Effect } from './effects.ts'
import type { WorkItem } from './state.ts'

/** Inputs that killed their owners again and again, for an operator to list, read and replay (design §3.10). */
export const deadLetterMigration: Migration = {
  name: '0001-dead-letter',
  async up(db, dialect) {
    const { text, integer, bytes } = columnTypes(dialect)
    await createTable(db, dialect, 'dead_letter')
      .addColumn('router', text, (column) => column.notNull())
      .addColumn('position', text, (column) => column.notNull())
      .addColumn('unit', integer, (column) => column.notNull())
      .addColumn('at', integer, (column) => column.notNull())
      .addColumn('partition', integer, (column) => column.notNull())
      .addColumn('entity', text, (column) => column.notNull())
      .addColumn('kind', text, (column) => column.notNull())
      .addColumn('frame', bytes, (column) => column.notNull())
      .addPrimaryKeyConstraint('dead_letter_pk', ['router', 'position', 'unit'])
      .execute()
  },
}

/** Written only, by the engine; operators read the table. */
const deadLetters: DurableStore<unknown> = {
  kind: 'durable',
  name: 'dead-letter',
  load: async () => new Map(),
  save: () => {},
}

/** The row that keeps an input: its frame as msgpack, the stanza as its bytes. */
export function deadLetterEffect(
  { entity, entry, unit, input }: WorkItem,
  router: string,
  at: number,
): Effect {
  const frame = 'stanza' in input ? { ...input, stanza: input.stanza.bytes } : input
  return {
    effect: 'insert',
    entity,
    store: deadLetters,
    table: 'dead_letter',
    key: [],
    row: {
      router,
      position: entry?.position ?? '0',
      unit,
      at,
      partition: entity.partition.id,
      entity: entity.id,
      kind: input.kind,
      frame: pack(frame),
    },
  }
}
