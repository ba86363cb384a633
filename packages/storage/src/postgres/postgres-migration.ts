import type pg from 'pg'
import { identifier } from '../executor.ts'
import type { MigrationSession } from '../migrate.ts'
import { kyselyOver } from '../query-dialect.ts'
import { errorOf } from './postgres-errors.ts'
import { toResult } from './postgres-pool.ts'

/** One of two numbers that name our lock among all advisory locks of a database; the other is the schema's. */
const lockNumber = 0x74616374

/**
 * One connection on which migrations run one at a time among all instances.
 *
 * Waiting for each other may take as long as a migration does. Waiting for a table may not, since all that comes behind
 * waits too: it fails after a second, and is tried again.
 */
export function migrationSession(client: pg.Client, schema: string | undefined): MigrationSession {
  const run = async (sql: string): Promise<void> => {
    try {
      await client.query(sql)
    } catch (error) {
      throw errorOf(error)
    }
  }
  return {
    dialect: 'postgres',
    db: kyselyOver('postgres', 'migrate', async (sql, params) => {
      try {
        return toResult(await client.query(sql, [...params]))
      } catch (error) {
        throw errorOf(error)
      }
    }),
    async begin() {
      await run('BEGIN')
      await run('SET LOCAL lock_timeout = 0')
      await run(`SELECT pg_advisory_xact_lock(${lockNumber}, hashtext('${schema ?? ''}'))`)
      if (schema !== undefined) await run(`CREATE SCHEMA IF NOT EXISTS ${identifier(schema)}`)
      await run("SET LOCAL lock_timeout = '1s'")
    },
    commit: () => run('COMMIT'),
    // The connection may be what failed; closing it rolls back as well.
    rollback: () => run('ROLLBACK').catch(() => {}),
  }
}
