import { type Kysely, sql } from 'kysely'
import { columnTypes, createTable } from './columns.ts'
import type { Cell, Row, RowCollector, StateChange, StateKey } from './rows.ts'
import { stateKey } from './state-key.ts'
import type { AnyDatabase, Dialect, DurableStore, Migration, Reader } from './storage.ts'

/** What a column of a key-value store holds; with `?` it may be absent. */
export type ValueType = 'text' | 'bytes' | 'number' | 'text?' | 'bytes?' | 'number?'

interface Held {
  readonly text: string
  readonly bytes: Uint8Array
  readonly number: number
  readonly 'text?': string | undefined
  readonly 'bytes?': Uint8Array | undefined
  readonly 'number?': number | undefined
}

/** The value of a key-value store: one property a column. */
export type ValueOf<C extends Readonly<Record<string, ValueType>>> = {
  readonly [K in keyof C]: Held[C[K]]
}

/** A durable store with a table of its own. */
export interface KeyValueStore<T> extends DurableStore<T> {
  /** For `Turn.clear(store, table, { entity })`, when the entity goes. */
  readonly table: string
  /** Makes the table; the name orders it among all migrations. */
  migration(name: string): Migration
}

/** What a key-value store is made of. Column names are snake_case and not `entity` or `key`. */
export interface KeyValueOptions<C> {
  /** Of the store, see `DurableStore.name`. */
  readonly name: string
  readonly table: string
  readonly columns: C
}

/**
 * A durable store for what has no structure that SQL must know: a value by entity and key.
 *
 * ```ts
 * const privateXml = keyValueStore({ name: 'private', table: 'private_xml', columns: { xml: 'text' } })
 * turn.set(privateXml, 'storage:bookmarks', { xml: '<storage xmlns="storage:bookmarks"/>' })
 * ```
 */
export function keyValueStore<const C extends Readonly<Record<string, ValueType>>>({
  name,
  table,
  columns,
}: KeyValueOptions<C>): KeyValueStore<ValueOf<C>> {
  const names = Object.keys(columns)
  return {
    kind: 'durable',
    name,
    table,

    async load(
      reader: Reader,
      keys: readonly StateKey[],
    ): Promise<ReadonlyMap<string, ValueOf<C>>> {
      const wanted = sql.join(keys.map(({ entity, key }) => sql`(${entity}, ${key})`))
      const { rows } = await sql<Row>`select * from ${sql.table(table)}
        where ("entity", "key") in (values ${wanted})`.execute(reader)
      return new Map(
        rows.map((row) => [
          stateKey(String(row.entity), String(row.key)),
          toValue(names, row) as ValueOf<C>,
        ]),
      )
    },

    save(changes: readonly StateChange<ValueOf<C>>[], rows: RowCollector): void {
      for (const { entity, key, after } of changes) {
        if (after) rows.upsert(table, ['entity', 'key'], { entity, key, ...toCells(names, after) })
        else rows.delete(table, ['entity', 'key'], { entity, key })
      }
    },

    migration(migrationName: string): Migration {
      return { name: migrationName, up: (db, dialect) => create(db, dialect, table, columns) }
    },
  }
}

async function create(
  db: Kysely<AnyDatabase>,
  dialect: Dialect,
  name: string,
  columns: Readonly<Record<string, ValueType>>,
): Promise<void> {
  const types = columnTypes(dialect)
  let table = createTable(db, dialect, name)
    .addColumn('entity', types.text, (column) => column.notNull())
    .addColumn('key', types.text, (column) => column.notNull())
  for (const [column, type] of Object.entries(columns)) {
    const isOptional = type.endsWith('?')
    const kind = (isOptional ? type.slice(0, -1) : type) as 'text' | 'bytes' | 'number'
    table = table.addColumn(column, kind === 'number' ? types.real : types[kind], (definition) =>
      isOptional ? definition : definition.notNull(),
    )
  }
  await table.addPrimaryKeyConstraint(`${name}_pk`, ['entity', 'key']).execute()
}

function toValue(names: readonly string[], row: Row): Readonly<Record<string, Cell | undefined>> {
  return Object.fromEntries(names.map((name) => [name, row[name] ?? undefined]))
}

function toCells(names: readonly string[], value: Readonly<Record<string, unknown>>): Row {
  return Object.fromEntries(names.map((name) => [name, (value[name] ?? null) as Cell]))
}
