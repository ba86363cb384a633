import { join } from 'node:path'
import { type Env, realEnv } from '@tactus/env'
import { ArchivePlaces, waitingRows } from '../archive/archive-places.ts'
import { purgeArchives } from '../archive/archive-purge.ts'
import type { Executor, Statement, StatementResult } from '../executor.ts'
import { type MigrationSession, missingMigrations, runMigrations } from '../migrate.ts'
import { SqlOwnershipStore } from '../ownership.ts'
import { kyselyOver, type RunQuery } from '../query-dialect.ts'
import type { Cell, Row } from '../rows.ts'
import { expireSessions } from '../session-store.ts'
import { refusedOutcome } from '../step-outcome.ts'
import type {
  Migration,
  OwnershipStore,
  Reader,
  StepTransaction,
  Storage,
  TransactionOutcome,
} from '../storage.ts'
import { StorageRefused } from '../storage.ts'
import { lockFolder } from './folder-lock.ts'
import { LocalConnection, type SqliteConnection } from './sqlite-connection.ts'
import type { Answer } from './sqlite-database.ts'
import { sqliteStep } from './sqlite-step.ts'
import { WorkerConnection } from './worker-connection.ts'

/** How and where the embedded storage keeps its data. */
export interface SqliteStorageOptions {
  /** Made when it is not there; one server at a time. */
  readonly folder: string
  /**
   * What an answered commit has survived.
   *
   * `batched`: the death of the process, however sudden (a write-ahead log, handed to the operating system before the
   * answer), so that `kill -9` loses nothing. It is flushed to the disk at most one second later, so that a power cut
   * or a crash of the operating system loses at most the last second of commits; what is left is consistent.
   *
   * `strict`: the power cut too. The log is flushed before each answer, which costs one wait for the disk a step.
   */
  readonly durability: 'batched' | 'strict'
  readonly env: Env
}

/**
 * Opens the embedded storage: SQLite in threads of its own, one that writes and two that read.
 *
 * @throws {FolderInUse} another server works on the folder
 * @throws {StorageUnavailable} the files cannot be opened
 */
export async function openSqliteStorage({
  folder,
  durability,
  env,
}: SqliteStorageOptions): Promise<Storage> {
  const lock = lockFolder(folder)
  const location = join(folder, 'tactus.sqlite')
  const isStrict = durability === 'strict'
  const writer = new WorkerConnection({
    location,
    readOnly: false,
    synchronous: isStrict ? 'full' : 'normal',
    flushEvery: isStrict ? undefined : 1_000,
  })
  const reading = { location, readOnly: true, synchronous: 'off', flushEvery: undefined } as const
  const reader = new WorkerConnection(reading)
  const jobReader = new WorkerConnection(reading)
  try {
    await writer.open()
    await reader.open()
  } catch (error) {
    lock[Symbol.dispose]()
    throw error
  }
  return new SqliteStorage({ writer, reader, jobReader, env, lock })
}

/**
 * Opens a storage in memory, in the caller's thread: for tests and for the simulation, since every answer comes at
 * the same point of each run. It is gone when disposed.
 */
export function openMemorySqlite(
  env: Env = realEnv(),
  options: { readonly waitingRows?: number } = {},
): Storage {
  const only = new LocalConnection({ location: ':memory:', readOnly: false, synchronous: 'off' })
  return new SqliteStorage({ writer: only, reader: only, jobReader: only, env, ...options })
}

interface Parts {
  readonly writer: SqliteConnection
  readonly reader: SqliteConnection
  readonly jobReader: SqliteConnection
  readonly env: Env
  readonly lock?: Disposable
  readonly waitingRows?: number | undefined
}

class SqliteStorage implements Storage {
  readonly dialect = 'sqlite'
  readonly reader: Reader
  readonly jobReader: Reader
  readonly ownership: OwnershipStore
  readonly #parts: Parts
  readonly #executor: Executor
  readonly #places: ArchivePlaces
  /** A migration is several calls: commits wait until it is through. */
  #migrating: Promise<unknown> | undefined

  constructor(parts: Parts) {
    this.#parts = parts
    this.reader = kyselyOver('sqlite', 'read', runOn(parts.reader))
    this.jobReader = kyselyOver('sqlite', 'read', runOn(parts.jobReader))
    this.#executor = {
      dialect: 'sqlite',
      transaction: (statements) => this.#transaction(statements),
    }
    this.#places = new ArchivePlaces(this.#executor, parts.waitingRows ?? waitingRows)
    this.ownership = new SqlOwnershipStore(this.#executor, parts.env.clock)
  }

  async commit(transaction: StepTransaction): Promise<TransactionOutcome> {
    const batches = compile(transaction)
    while (this.#migrating !== undefined) await this.#migrating
    const done = await this.#parts.writer.transaction(batches)
    if (!done) return refusedOutcome(this.#executor, transaction)
    this.#places.committed(transaction.writes)
    return 'committed'
  }

  async migrate(migrations: readonly Migration[]): Promise<readonly string[]> {
    while (this.#migrating !== undefined) await this.#migrating
    const { writer, reader, jobReader, env } = this.#parts
    const running = runMigrations(sessionOf(writer), migrations, () => env.clock.now())
    this.#migrating = running.then(
      () => {},
      () => {},
    )
    try {
      return await running
    } finally {
      this.#migrating = undefined
      for (const connection of new Set([writer, reader, jobReader])) await connection.forget()
    }
  }

  async pending(migrations: readonly Migration[]): Promise<readonly string[]> {
    return missingMigrations(this.reader, this.dialect, migrations)
  }

  async expireSessions(): Promise<number> {
    return expireSessions(this.#executor, this.#parts.env.clock)
  }

  async purgeArchives(): Promise<number> {
    return purgeArchives(this.#executor)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { writer, reader, jobReader, lock } = this.#parts
    // The writer last: it then is the only one left, and folds the log into the database.
    for (const connection of new Set([jobReader, reader, writer])) await connection.close()
    lock?.[Symbol.dispose]()
  }

  async #transaction(
    statements: readonly Statement[],
  ): Promise<readonly StatementResult[] | undefined> {
    while (this.#migrating !== undefined) await this.#migrating
    const answers = await this.#parts.writer.transaction(
      statements.map(({ sql, params, guard = false }) => ({ sql, runs: [params], guard })),
    )
    return answers?.map(toResult)
  }
}

function compile(transaction: StepTransaction): ReturnType<typeof sqliteStep> {
  try {
    return sqliteStep(transaction)
  } catch (error) {
    throw new StorageRefused('NAME', (error as Error).message, { cause: error })
  }
}

function sessionOf(writer: SqliteConnection): MigrationSession {
  const run = async (sql: string): Promise<void> => {
    await writer.query(sql, [])
  }
  return {
    dialect: 'sqlite',
    db: kyselyOver('sqlite', 'migrate', runOn(writer)),
    begin: () => run('BEGIN IMMEDIATE'),
    commit: () => run('COMMIT'),
    rollback: () => run('ROLLBACK'),
  }
}

function runOn(connection: SqliteConnection): RunQuery {
  return async (sql, params) => toResult(await connection.query(sql, params))
}

function toResult({ columns, rows, changes }: Answer): StatementResult {
  return { rows: rows.map((row) => toRow(columns, row)), changes }
}

function toRow(columns: readonly string[], cells: readonly Cell[]): Row {
  const row: Record<string, Cell> = {}
  for (const [i, column] of columns.entries()) row[column] = cells[i] ?? null
  return row
}
