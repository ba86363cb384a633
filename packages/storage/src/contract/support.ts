import { columnTypes, createTable } from '../columns.ts'
import { collectRows } from '../row-collector.ts'
import type { Row, RowCollector } from '../rows.ts'
import type { Migration, StepTransaction, Storage, TransactionOutcome } from '../storage.ts'

/** One promise of the port; `storage` is new, with `sampleMigration` and router `r1` registered. */
export interface StorageCase {
  readonly title: string
  run(storage: Storage): Promise<void>
}

/** A table with a column of each type, and one that is a key only. */
export const sampleMigration: Migration = {
  name: '9000-sample',
  async up(db, dialect) {
    const { text, integer, real, bytes } = columnTypes(dialect)
    await createTable(db, dialect, 'sample')
      .addColumn('owner', text, (column) => column.notNull())
      .addColumn('name', text, (column) => column.notNull())
      .addColumn('note', text)
      .addColumn('size', integer)
      .addColumn('ratio', real)
      .addColumn('body', bytes)
      .addPrimaryKeyConstraint('sample_pk', ['owner', 'name'])
      .execute()
    await createTable(db, dialect, 'sample_mark')
      .addColumn('name', text, (column) => column.primaryKey())
      .execute()
  },
}

/** A row of `sample`, with what is not given absent. */
export function sample(owner: string, name: string, rest: Row = {}): Row {
  return { owner, name, note: null, size: null, ratio: null, body: null, ...rest }
}

/** Commits a step of `r1`. */
export function commitRows(
  storage: Storage,
  step: number,
  fill: (rows: RowCollector) => void,
  rest: Partial<StepTransaction> = {},
): Promise<TransactionOutcome> {
  const rows = collectRows()
  fill(rows)
  const transaction = { router: 'r1', step, record: undefined, forget: [], writes: rows.writes() }
  return storage.commit({ ...transaction, ...rest })
}

/** All rows of `sample`, by owner and name. */
export async function samples(storage: Storage): Promise<readonly Row[]> {
  return storage.reader.selectFrom('sample').selectAll().orderBy('owner').orderBy('name').execute()
}

/** The names in `sample`, in order. */
export async function sampleNames(storage: Storage): Promise<readonly unknown[]> {
  return (await samples(storage)).map(({ name }) => name)
}
