import pg from 'pg'
import type { Executor, Statement, StatementResult } from '../executor.ts'
import type { RunQuery } from '../query-dialect.ts'
import { errorOf } from './postgres-errors.ts'
import { numbered } from './postgres-values.ts'

/** A pool whose connections are known to be to the primary: what a standby answers may be old (design §3.1). */
export function openPool(config: pg.PoolConfig): pg.Pool {
  const pool = new pg.Pool({ ...config, onConnect: refuseStandby })
  // A connection that dies at rest is replaced by the pool; without a listener it would end the process.
  pool.on('error', () => {})
  return pool
}

async function refuseStandby(client: pg.ClientBase): Promise<void> {
  // Whoever uses a connection learns of its death from the query; the pool takes its own listener away meanwhile.
  client.on('error', () => {})
  const { rows } = await client.query('SELECT pg_is_in_recovery() AS standby')
  if (rows[0].standby) throw new Error('the server is a standby')
}

/** Single statements over a pool, for kysely. */
export function queryOn(pool: pg.Pool): RunQuery {
  return async (sql, params) => {
    try {
      return toResult(await pool.query(sql, [...params]))
    } catch (error) {
      throw errorOf(error)
    }
  }
}

/** Small transactions over a pool, statement by statement. */
export function executorOn(pool: pg.Pool): Executor {
  return {
    dialect: 'postgres',
    async transaction(statements) {
      const client = await connect(pool)
      try {
        const results = await runAll(client, statements)
        client.release()
        return results
      } catch (error) {
        // Closing the connection ends what is open, whatever state it is in.
        client.release(true)
        throw errorOf(error)
      }
    },
  }
}

async function connect(pool: pg.Pool): Promise<pg.PoolClient> {
  try {
    return await pool.connect()
  } catch (error) {
    throw errorOf(error)
  }
}

async function runAll(
  client: pg.ClientBase,
  statements: readonly Statement[],
): Promise<readonly StatementResult[] | undefined> {
  const results: StatementResult[] = []
  await client.query('BEGIN')
  for (const { sql, params, guard } of statements) {
    const result = toResult(await client.query(numbered(sql), [...params]))
    if (guard && result.changes === 0) {
      await client.query('ROLLBACK')
      return undefined
    }
    results.push(result)
  }
  await client.query('COMMIT')
  return results
}

/** What the driver answered, in our words. */
export function toResult({ rows, rowCount }: pg.QueryResult): StatementResult {
  return { rows, changes: rowCount ?? 0 }
}
