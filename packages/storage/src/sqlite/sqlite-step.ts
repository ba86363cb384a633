import { identifier, identifiers } from '../executor.ts'
import type { Row, RowWrite } from '../rows.ts'
import type { StepTransaction } from '../storage.ts'
import type { Batch } from './sqlite-database.ts'

/**
 * A step as what SQLite runs: one prepared statement a write, once a row.
 *
 * Longer statements with several rows would save nothing where no network is between.
 */
export function sqliteStep({ router, step, record, forget, writes }: StepTransaction): Batch[] {
  const batches: Batch[] = [
    {
      sql: 'UPDATE router SET step = ? WHERE id = ? AND step < ? AND fenced = 0',
      runs: [[step, router, step]],
      guard: true,
    },
  ]
  if (record)
    batches.push({
      sql: 'INSERT INTO outbox (router, step, record) VALUES (?, ?, ?)',
      runs: [[router, step, record]],
    })
  if (forget.length > 0)
    batches.push({
      sql: 'DELETE FROM outbox WHERE router = ? AND step = ?',
      runs: forget.map((done) => [done.router, done.step]),
    })
  for (const op of ['clear', 'delete', 'upsert', 'insert'] as const)
    for (const write of writes) if (write.op === op) addWrite(batches, write)
  return batches
}

function addWrite(batches: Batch[], write: RowWrite): void {
  if (write.op === 'clear') return void batches.push(clear(write.table, write.where))
  const [first] = write.rows
  if (!first) return
  const columns = write.op === 'delete' ? write.key : Object.keys(first)
  const runs = write.rows.map((row) => columns.map((column) => row[column] ?? null))
  if (write.op === 'delete')
    batches.push({ sql: `DELETE FROM ${identifier(write.table)} WHERE ${equals(columns)}`, runs })
  else batches.push({ sql: insert(write.table, columns) + onConflict(write, columns), runs })
}

/** `NULL` equals nothing in SQL, but it is a value that may be asked for. */
function clear(table: string, where: Row): Batch {
  const columns = Object.keys(where)
  if (columns.length === 0) throw new TypeError(`clear of ${table} without a condition`)
  return {
    sql: `DELETE FROM ${identifier(table)} WHERE ${equals(columns)}`,
    runs: [Object.values(where)],
  }
}

const equals = (columns: readonly string[]): string =>
  columns.map((column) => `${identifier(column)} IS ?`).join(' AND ')

function insert(table: string, columns: readonly string[]): string {
  const values = columns.map(() => '?').join(', ')
  return `INSERT INTO ${identifier(table)} (${identifiers(columns)}) VALUES (${values})`
}

function onConflict(write: RowWrite, columns: readonly string[]): string {
  if (write.op !== 'upsert') return ''
  const others = columns.filter((column) => !write.key.includes(column))
  const set = others.map((column) => `${identifier(column)} = excluded.${identifier(column)}`)
  const action = set.length > 0 ? `UPDATE SET ${set.join(', ')}` : 'NOTHING'
  return ` ON CONFLICT (${identifiers(write.key)}) DO ${action}`
}
