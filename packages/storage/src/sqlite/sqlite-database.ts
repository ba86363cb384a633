import { DatabaseSync, type StatementSync } from 'node:sqlite'
import type { Cell } from '../rows.ts'

/** One statement to be run once for each list of parameters. */
export interface Batch {
  readonly sql: string
  readonly runs: readonly (readonly Cell[])[]
  /** The transaction goes on only when a run touches a row; else all of it is rolled back. */
  readonly guard?: boolean
}

/** Rows as arrays with the names once: that is what crosses between threads cheapest. */
export interface Answer {
  readonly columns: readonly string[]
  readonly rows: readonly (readonly Cell[])[]
  readonly changes: number
}

/** How a database is opened. `synchronous` as SQLite's pragma of that name. */
export interface SqliteOptions {
  readonly location: string
  readonly readOnly: boolean
  readonly synchronous: 'off' | 'normal' | 'full'
}

interface Prepared {
  readonly statement: StatementSync
  readonly columns: readonly string[]
}

/** Reads name varying numbers of keys, so that texts come and go; a step's writes are some dozens. */
const cachedStatements = 256

/** A SQLite database, in the thread that calls. */
export class SqliteDatabase {
  readonly #db: DatabaseSync
  readonly #prepared = new Map<string, Prepared>()

  constructor({ location, readOnly, synchronous }: SqliteOptions) {
    this.#db = new DatabaseSync(location, { readOnly, timeout: 5_000 })
    const pragmas = ['temp_store = memory', 'cache_size = -16000']
    if (!readOnly) {
      if (location !== ':memory:') pragmas.push('journal_mode = wal')
      pragmas.push(`synchronous = ${synchronous}`)
      // Every crossing of the threshold makes one commit wait for the disk: rather seldom, and a page that many commits
      // changed is written once. On macOS a plain fsync leaves the data in the drive's cache.
      pragmas.push('wal_autocheckpoint = 4000', 'journal_size_limit = 67108864', 'fullfsync = on')
    }
    for (const pragma of pragmas) this.#db.exec(`PRAGMA ${pragma}`)
  }

  /** Runs one statement outside of a transaction, or inside of the one that `begin` opened. */
  query(sql: string, params: readonly Cell[]): Answer {
    return this.#run(this.#prepare(sql), params)
  }

  /** Runs all or none; `undefined` when a guard touched nothing. */
  transaction(batches: readonly Batch[]): readonly Answer[] | undefined {
    this.query('BEGIN IMMEDIATE', [])
    try {
      const answers: Answer[] = []
      for (const batch of batches) {
        const answer = this.#runAll(batch)
        if (batch.guard && answer.changes === 0) {
          this.rollback()
          return undefined
        }
        answers.push(answer)
      }
      this.query('COMMIT', [])
      return answers
    } catch (error) {
      this.rollback()
      throw error
    }
  }

  /** Ends whatever transaction is open; SQLite ends some by itself, when the disk is full for one. */
  rollback(): void {
    if (this.#db.isTransaction) this.query('ROLLBACK', [])
  }

  /** Forgets prepared statements, whose columns a migration may have changed. */
  forget(): void {
    this.#prepared.clear()
  }

  close(): void {
    this.#prepared.clear()
    this.#db.close()
  }

  #runAll({ sql, runs }: Batch): Answer {
    const prepared = this.#prepare(sql)
    const [only] = runs
    if (runs.length === 1 && only) return this.#run(prepared, only)
    let changes = 0
    for (const params of runs)
      changes += Number(prepared.statement.run(...bindable(params)).changes)
    return { columns: [], rows: [], changes }
  }

  #run({ statement, columns }: Prepared, params: readonly Cell[]): Answer {
    if (columns.length === 0) {
      const { changes } = statement.run(...bindable(params))
      return { columns, rows: [], changes: Number(changes) }
    }
    const rows = readAll(statement, params)
    return { columns, rows, changes: rows.length }
  }

  #prepare(sql: string): Prepared {
    const known = this.#prepared.get(sql)
    if (known) {
      // A Map keeps the order of insertion: what is used moves to the end, what is not falls out.
      this.#prepared.delete(sql)
      this.#prepared.set(sql, known)
      return known
    }
    const statement = this.#db.prepare(sql)
    statement.setReturnArrays(true)
    const prepared = { statement, columns: statement.columns().map(({ name }) => name) }
    this.#prepared.set(sql, prepared)
    for (const oldest of this.#prepared.keys()) {
      if (this.#prepared.size <= cachedStatements) break
      this.#prepared.delete(oldest)
    }
    return prepared
  }
}

type Bindable = string | number | bigint | Uint8Array<ArrayBuffer> | null

/** The bindings of SQLite take views of any buffer; only their types do not say so. */
const bindable = (params: readonly Cell[]): Bindable[] => params as Bindable[]

function readAll(statement: StatementSync, params: readonly Cell[]): readonly (readonly Cell[])[] {
  try {
    return statement.all(...bindable(params)) as unknown as Cell[][]
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_OUT_OF_RANGE') throw error
    return readBig(statement, params)
  }
}

/** A number beyond 2^53 is among them: it stays a bigint, the others become numbers as usual. */
function readBig(statement: StatementSync, params: readonly Cell[]): readonly (readonly Cell[])[] {
  statement.setReadBigInts(true)
  try {
    const rows = statement.all(...bindable(params)) as unknown as Cell[][]
    return rows.map((row) => row.map(narrow))
  } finally {
    statement.setReadBigInts(false)
  }
}

function narrow(cell: Cell): Cell {
  if (typeof cell !== 'bigint') return cell
  const number = Number(cell)
  return Number.isSafeInteger(number) ? number : cell
}
