import {
  type CompiledQuery,
  type DatabaseConnection,
  type Driver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely'
import type { StatementResult } from './executor.ts'
import type { Cell } from './rows.ts'
import type { AnyDatabase, Dialect } from './storage.ts'

/** Runs one statement whose placeholders are the dialect's own. */
export type RunQuery = (sql: string, params: readonly Cell[]) => Promise<StatementResult>

/** What a kysely instance of ours may do: a reader only selects, a migration runs in a transaction that is open already. */
export type Access = 'read' | 'migrate'

/** Kysely over whatever runs a statement: our connections are no pools that it could borrow from. */
export function kyselyOver(dialect: Dialect, access: Access, run: RunQuery): Kysely<AnyDatabase> {
  const createDriver = (): Driver => new QueryDriver(access, run)
  if (dialect === 'sqlite')
    return new Kysely({
      dialect: {
        createDriver,
        createAdapter: () => new SqliteAdapter(),
        createIntrospector: (db) => new SqliteIntrospector(db),
        createQueryCompiler: () => new SqliteQueryCompiler(),
      },
    })
  return new Kysely({
    dialect: {
      createDriver,
      createAdapter: () => new PostgresAdapter(),
      createIntrospector: (db) => new PostgresIntrospector(db),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
  })
}

/** Which SQL a reader speaks. */
export function dialectOf(reader: Kysely<AnyDatabase>): Dialect {
  return reader.getExecutor().adapter instanceof PostgresAdapter ? 'postgres' : 'sqlite'
}

class QueryDriver implements Driver {
  readonly #connection: DatabaseConnection

  constructor(access: Access, run: RunQuery) {
    this.#connection = new QueryConnection(access, run)
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    return this.#connection
  }

  async beginTransaction(): Promise<void> {
    throw new TypeError('writes leave through Storage.commit, migrations have their transaction')
  }

  async commitTransaction(): Promise<void> {}

  async rollbackTransaction(): Promise<void> {}

  async releaseConnection(): Promise<void> {}

  async destroy(): Promise<void> {}
}

class QueryConnection implements DatabaseConnection {
  readonly #access: Access
  readonly #run: RunQuery

  constructor(access: Access, run: RunQuery) {
    this.#access = access
    this.#run = run
  }

  async executeQuery<R>(compiled: CompiledQuery): Promise<QueryResult<R>> {
    const { kind } = compiled.query
    if (this.#access === 'read' && kind !== 'SelectQueryNode' && kind !== 'RawNode')
      throw new TypeError('a reader only selects: writes leave through Storage.commit')
    const { rows, changes } = await this.#run(compiled.sql, compiled.parameters as readonly Cell[])
    return { rows: rows as R[], numAffectedRows: BigInt(changes) }
  }

  // biome-ignore lint/correctness/useYield: there is nothing to yield, pages are read by key
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new TypeError('results are not streamed: read pages by key')
  }
}
