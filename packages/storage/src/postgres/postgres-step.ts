import { identifier, identifiers } from '../executor.ts'
import type { Cell, Row, RowWrite } from '../rows.ts'
import type { StepTransaction } from '../storage.ts'

/** One statement with `$n`; an array is sent as an array of Postgres, one element a row. */
export interface StepStatement {
  readonly sql: string
  readonly params: readonly (Cell | readonly Cell[])[]
}

/**
 * Takes the step, or fails by dividing by zero when no row was touched.
 *
 * An error is the only thing that stops what is already on its way behind it: so the whole transaction is sent at
 * once, and no answer has to be awaited while the row is locked.
 */
export const guardStatement = `WITH taken AS (
  UPDATE router SET step = $2 WHERE id = $1 AND step < $2 AND fenced = 0 RETURNING id
) SELECT 1 / count(*) FROM taken`

/** What the guard fails with. */
export const guardState = '22012'

/**
 * A step as what Postgres runs, the guard first; one statement a write.
 *
 * Rows travel as one array a column and are unnested there: a statement's text does not depend on the number of rows,
 * so that it is prepared once, and no limit of parameters is ever near.
 *
 * @throws {TypeError} for names that are none
 */
export function postgresStep({
  router,
  step,
  record,
  forget,
  writes,
}: StepTransaction): StepStatement[] {
  const statements: StepStatement[] = [{ sql: guardStatement, params: [router, step] }]
  if (record)
    statements.push({
      sql: 'INSERT INTO outbox (router, step, record) VALUES ($1, $2, $3)',
      params: [router, step, record],
    })
  if (forget.length > 0) statements.push(deletion('outbox', ['router', 'step'], sorted(forget)))
  for (const op of ['clear', 'delete', 'upsert', 'insert'] as const)
    for (const write of writes)
      if (write.op === op && !isEmpty(write)) statements.push(statementOf(write))
  return statements
}

const isEmpty = (write: RowWrite): boolean => write.op !== 'clear' && write.rows.length === 0

function statementOf(write: RowWrite): StepStatement {
  if (write.op === 'clear') return clearing(write.table, write.where)
  if (write.op === 'delete') return deletion(write.table, write.key, write.rows)
  const columns = Object.keys(write.rows[0] ?? {})
  const { values, from, params } = unnested(columns, write.rows)
  const conflict = write.op === 'upsert' ? onConflict(write.key, columns) : ''
  return {
    sql: `INSERT INTO ${identifier(write.table)} (${identifiers(columns)}) SELECT ${values.join(', ')} FROM ${from}${conflict}`,
    params,
  }
}

function deletion(table: string, key: readonly string[], rows: readonly Row[]): StepStatement {
  const { values, from, params } = unnested(key, rows)
  const target = identifier(table)
  const matches = key.map((column, i) => `${target}.${identifier(column)} = ${values[i]}`)
  return { sql: `DELETE FROM ${target} USING ${from} WHERE ${matches.join(' AND ')}`, params }
}

/** `NULL` equals nothing in SQL, but it is a value that may be asked for. */
function clearing(table: string, where: Row): StepStatement {
  const columns = Object.keys(where)
  if (columns.length === 0) throw new TypeError(`clear of ${table} without a condition`)
  const params: Cell[] = []
  const matches = columns.map((column) => {
    const cell = where[column] ?? null
    if (cell === null) return `${identifier(column)} IS NULL`
    params.push(cell)
    return `${identifier(column)} = $${params.length}`
  })
  return { sql: `DELETE FROM ${identifier(table)} WHERE ${matches.join(' AND ')}`, params }
}

interface Unnested {
  /** For each column, what stands for its value. */
  readonly values: readonly string[]
  readonly from: string
  readonly params: readonly (readonly Cell[])[]
}

function unnested(columns: readonly string[], rows: readonly Row[]): Unnested {
  const params: Cell[][] = []
  const arrays: string[] = []
  const names: string[] = []
  const values = columns.map((column) => {
    const cells = rows.map((row) => row[column] ?? null)
    const type = typeOf(cells)
    if (type === undefined) return 'NULL'
    params.push(cells)
    arrays.push(`$${params.length}::${type}[]`)
    names.push(`c${params.length}`)
    return `v.c${params.length}`
  })
  if (params.length === 0) throw new TypeError('rows that are all NULL')
  return { values, from: `unnest(${arrays.join(', ')}) AS v(${names.join(', ')})`, params }
}

/** Assignment turns bigint into whatever number the column is. All NULL has no type, and needs none. */
function typeOf(cells: readonly Cell[]): string | undefined {
  let type: string | undefined
  for (const cell of cells) {
    if (cell === null) continue
    if (typeof cell === 'string') return 'text'
    if (typeof cell === 'object') return 'bytea'
    if (typeof cell === 'number' && !Number.isSafeInteger(cell)) return 'float8'
    type = 'int8'
  }
  return type
}

function onConflict(key: readonly string[], columns: readonly string[]): string {
  const others = columns.filter((column) => !key.includes(column))
  const set = others.map((column) => `${identifier(column)} = excluded.${identifier(column)}`)
  const action = set.length > 0 ? `UPDATE SET ${set.join(', ')}` : 'NOTHING'
  return ` ON CONFLICT (${identifiers(key)}) DO ${action}`
}

/** Several takers may forget the same records: in one order they wait for each other and do not deadlock. */
function sorted(forget: StepTransaction['forget']): Row[] {
  return forget
    .toSorted((a, b) => a.step - b.step || (a.router < b.router ? -1 : 1))
    .map(({ router, step }) => ({ router, step }))
}
