import { sql } from 'kysely'
import type { Row } from './rows.ts'
import type { Reader } from './storage.ts'

/**
 * All rows whose columns have one of these combinations of values: the grouped read of a durable store whose keys have
 * several parts. Numbers are compared as whole numbers.
 */
export async function selectByKeys(
  reader: Reader,
  table: string,
  columns: readonly string[],
  keys: readonly (readonly (string | number)[])[],
): Promise<readonly Row[]> {
  if (keys.length === 0) return []
  const names = sql.join(columns.map((column) => sql.ref(column)))
  const wanted = sql.join(keys.map((key) => sql`(${sql.join(key.map(cell))})`))
  const { rows } = await sql<Row>`select * from ${sql.table(table)}
    where (${names}) in (values ${wanted})`.execute(reader)
  return rows
}

/** Postgres takes what it is not told about for text. */
function cell(value: string | number): ReturnType<typeof sql> {
  return typeof value === 'number' ? sql`cast(${value} as bigint)` : sql`${value}`
}
