import { type Env, sleep } from '@tactus/env'
import pg from 'pg'
import { purgeArchives } from '../archive/archive-purge.ts'
import { type Executor, identifier } from '../executor.ts'
import { missingMigrations, runMigrations } from '../migrate.ts'
import { SqlOwnershipStore } from '../ownership.ts'
import { kyselyOver } from '../query-dialect.ts'
import { expireSessions } from '../session-store.ts'
import { refusedOutcome } from '../step-outcome.ts'
import {
  type Migration,
  type OwnershipStore,
  type Reader,
  type StepTransaction,
  type Storage,
  StorageRefused,
  type TransactionOutcome,
} from '../storage.ts'
import { errorOf, stateOf } from './postgres-errors.ts'
import { migrationSession } from './postgres-migration.ts'
import { executorOn, openPool, queryOn } from './postgres-pool.ts'
import { postgresStep, type StepStatement } from './postgres-step.ts'
import { typeParsers } from './postgres-values.ts'
import { PostgresWriter } from './postgres-writer.ts'

/** Where Postgres is and how much of it one instance may use. */
export interface PostgresStorageOptions {
  /** `postgres://…`, to the server itself: a pooler that changes connections between statements loses the timeouts. */
  readonly url: string
  readonly env: Env
  /** Schema to use, made by `migrate` when missing; by default what the login finds first. */
  readonly schema?: string
  /** Most connections for loads and requests, 8 by default; 7 more are for commits, ownership and jobs. */
  readonly readers?: number
}

/** Milliseconds, on the server's side. */
const timeouts = {
  write: {
    statement_timeout: 5_000,
    lock_timeout: 1_000,
    // A router frozen inside of a transaction holds the row that its taker waits for, this long.
    idle_in_transaction_session_timeout: 3_000,
  },
  // A fence waits for the open transaction of the router, so longer than that one may last.
  own: {
    statement_timeout: 15_000,
    lock_timeout: 12_000,
    idle_in_transaction_session_timeout: 3_000,
  },
  read: { statement_timeout: 5_000 },
  job: { statement_timeout: 30_000 },
  migrate: { idle_in_transaction_session_timeout: 60_000 },
}

/**
 * What is read is short: to compile a plan, or to start workers for it, takes longer than to run it, by seconds where the
 * machine is busy.
 */
const forReads =
  '-c default_transaction_read_only=on -c jit=off -c max_parallel_workers_per_gather=0'

/** How often a migration is tried that did not get its tables, a second each. */
const migrationAttempts = 30

/**
 * Opens the storage of a cluster: Postgres 12 or later.
 *
 * @throws {StorageUnavailable} it cannot be reached now; a later call may succeed
 */
export async function openPostgresStorage(options: PostgresStorageOptions): Promise<Storage> {
  const storage = new PostgresStorage(options)
  try {
    await storage.ping()
  } catch (error) {
    await storage[Symbol.asyncDispose]()
    throw error
  }
  return storage
}

class PostgresStorage implements Storage {
  readonly dialect = 'postgres'
  readonly reader: Reader
  readonly jobReader: Reader
  readonly ownership: OwnershipStore
  readonly #env: Env
  readonly #schema: string | undefined
  readonly #config: pg.ClientConfig
  readonly #pools: readonly pg.Pool[]
  readonly #executor: Executor
  readonly #writer: PostgresWriter

  constructor({ url, env, schema, readers = 8 }: PostgresStorageOptions) {
    this.#env = env
    this.#schema = schema
    const config = connectionConfig(url, schema)
    this.#config = config
    const readOnly = { options: `${config.options} ${forReads}` }
    const reads = openPool({ ...config, ...timeouts.read, ...readOnly, max: readers })
    const jobs = openPool({ ...config, ...timeouts.job, ...readOnly, max: 4 })
    const owns = openPool({ ...config, ...timeouts.own, max: 2 })
    this.#pools = [reads, jobs, owns]
    this.reader = kyselyOver('postgres', 'read', queryOn(reads))
    this.jobReader = kyselyOver('postgres', 'read', queryOn(jobs))
    this.#executor = executorOn(owns)
    this.ownership = new SqlOwnershipStore(this.#executor, env.clock)
    this.#writer = new PostgresWriter(
      () => new pg.Client({ ...config, ...timeouts.write, pipeline: true }),
      env.clock,
    )
  }

  async ping(): Promise<void> {
    await this.#executor.transaction([])
  }

  async commit(transaction: StepTransaction): Promise<TransactionOutcome> {
    const done = await this.#writer.transaction(compile(transaction))
    return done ? 'committed' : refusedOutcome(this.#executor, transaction)
  }

  async migrate(migrations: readonly Migration[]): Promise<readonly string[]> {
    const ran: string[] = []
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.#migrateOnce(migrations, ran)
        return ran
      } catch (error) {
        if (!isLockTrouble(error) || attempt === migrationAttempts) throw error
        await sleep(this.#env.clock, 1_000)
      }
    }
  }

  async pending(migrations: readonly Migration[]): Promise<readonly string[]> {
    return missingMigrations(this.reader, this.dialect, migrations)
  }

  async expireSessions(): Promise<number> {
    return expireSessions(this.#executor, this.#env.clock)
  }

  async purgeArchives(): Promise<number> {
    return purgeArchives(this.#executor)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer.close()
    await Promise.all(this.#pools.map((pool) => pool.end()))
  }

  async #migrateOnce(migrations: readonly Migration[], ran: string[]): Promise<void> {
    const client = new pg.Client({ ...this.#config, ...timeouts.migrate })
    client.on('error', () => {})
    try {
      await client.connect()
    } catch (error) {
      throw errorOf(error)
    }
    try {
      const session = migrationSession(client, this.#schema)
      await runMigrations(session, migrations, () => this.#env.clock.now(), ran)
    } finally {
      await client.end()
    }
  }
}

/** A lock that did not come in time, or a deadlock: worth another try at once, unlike a server that is away. */
function isLockTrouble(error: unknown): boolean {
  const state = stateOf((error as Error).cause)
  return state === '55P03' || state === '40P01'
}

function connectionConfig(
  url: string,
  schema: string | undefined,
): pg.ClientConfig & { options: string } {
  const path = schema === undefined ? '' : `-c search_path=${identifier(schema).slice(1, -1)}`
  return {
    connectionString: url,
    application_name: 'tactus',
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
    types: typeParsers,
    options: path,
  }
}

function compile(transaction: StepTransaction): readonly StepStatement[] {
  try {
    return postgresStep(transaction)
  } catch (error) {
    throw new StorageRefused('NAME', (error as Error).message, { cause: error })
  }
}
