/** What a column can hold in both dialects. Times are milliseconds since 1970 as numbers. */
export type Cell = string | number | bigint | Uint8Array | null
/** One row, by column name in snake_case. */
export type Row = Readonly<Record<string, Cell>>

/**
 * One grouped write of a step: data, not code, so that a step can be sent again exactly (design §3.3).
 *
 * Order within a step: `clear` first, then `delete`, then `upsert` and `insert`. The collector keeps that
 * order meaningful (a `clear` also forgets earlier writes of the same step that it would have removed).
 */
export type RowWrite =
  /** Inserts or replaces, by key columns. Keys are distinct within one write. */
  | {
      readonly op: 'upsert'
      readonly table: string
      readonly key: readonly string[]
      readonly rows: readonly Row[]
    }
  | { readonly op: 'insert'; readonly table: string; readonly rows: readonly Row[] }
  /** Removes rows by key columns; rows that are not there are no error. */
  | {
      readonly op: 'delete'
      readonly table: string
      readonly key: readonly string[]
      readonly rows: readonly Row[]
    }
  /** Removes all rows whose columns equal these. */
  | { readonly op: 'clear'; readonly table: string; readonly where: Row }

/** Collects a step's writes, one statement a table and kind, last value of a key wins. */
export interface RowCollector {
  upsert(table: string, key: readonly string[], row: Row): void
  insert(table: string, row: Row): void
  delete(table: string, key: readonly string[], row: Row): void
  clear(table: string, where: Row): void
}

/** Addresses one value of a durable store: the entity it belongs to and a key within it (often ''). */
export interface StateKey {
  readonly entity: string
  readonly key: string
}

/** A changed value: `undefined` where it was or is absent. Values are immutable. */
export interface StateChange<T> extends StateKey {
  readonly before: T | undefined
  readonly after: T | undefined
}
