import type { Cell } from '../rows.ts'
import { type Answer, type Batch, SqliteDatabase, type SqliteOptions } from './sqlite-database.ts'
import { errorOf, faultOf } from './sqlite-errors.ts'

/** A database connection that answers in the order it is asked. */
export interface SqliteConnection {
  query(sql: string, params: readonly Cell[]): Promise<Answer>
  transaction(batches: readonly Batch[]): Promise<readonly Answer[] | undefined>
  /** Forgets prepared statements, after a migration. */
  forget(): Promise<void>
  close(): Promise<void>
}

/** A connection without a thread of its own: for tests, where every answer must come at the same point of a run. */
export class LocalConnection implements SqliteConnection {
  readonly #database: SqliteDatabase

  constructor(options: SqliteOptions) {
    this.#database = new SqliteDatabase(options)
  }

  async query(sql: string, params: readonly Cell[]): Promise<Answer> {
    return this.#try(() => this.#database.query(sql, params))
  }

  async transaction(batches: readonly Batch[]): Promise<readonly Answer[] | undefined> {
    return this.#try(() => this.#database.transaction(batches))
  }

  async forget(): Promise<void> {
    this.#database.forget()
  }

  async close(): Promise<void> {
    this.#database.close()
  }

  #try<T>(task: () => T): T {
    try {
      return task()
    } catch (error) {
      throw errorOf(faultOf(error))
    }
  }
}
