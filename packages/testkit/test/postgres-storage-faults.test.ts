import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import { realEnv } from '@tactus/env'
import {
  openPostgresStorage,
  type StepTransaction,
  type Storage,
  StorageUnavailable,
  sampleMigration,
  type TransactionOutcome,
} from '@tactus/storage'
import pg from 'pg'
import { ownPostgres, postgresFor } from '../src/services.ts'
import { passOn, Wire } from './wire.ts'

const newSchema = (): string => `faults_${randomBytes(6).toString('hex')}`

/** A step of `r1` with one row of its own. */
const stepOf = (step: number): StepTransaction => ({
  router: 'r1',
  step,
  record: new Uint8Array([step]),
  forget: [],
  writes: [{ op: 'insert', table: 'sample', rows: [{ owner: 'a', name: String(step) }] }],
})

/** Sends the same step until the answer is certain, as the engine does. */
async function insist(storage: Storage, step: number): Promise<TransactionOutcome> {
  for (;;) {
    try {
      return await storage.commit(stepOf(step))
    } catch (error) {
      assert(error instanceof StorageUnavailable, String(error))
    }
  }
}

async function names(storage: Storage): Promise<readonly string[]> {
  const rows = await storage.reader.selectFrom('sample').select('name').execute()
  return rows.map(({ name }) => String(name)).sort((a, b) => Number(a) - Number(b))
}

const counted = (to: number): string[] => Array.from({ length: to }, (_, i) => String(i + 1))

interface Scene {
  readonly wire: Wire
  /** Over the wire. */
  readonly storage: Storage
  /** Past the wire. */
  readonly other: Storage
  /** A bare connection with the schema as its search path. */
  readonly psql: pg.Client
}

async function prepare(t: TestContext): Promise<Scene | undefined> {
  const service = await postgresFor(t)
  if (!service) return undefined
  const schema = newSchema()
  const env = realEnv()
  const url = new URL(service.url)
  const wire = new Wire(Number(url.port || 5432))
  const other = await openPostgresStorage({ url: service.url, schema, env, readers: 2 })
  await other.migrate([sampleMigration])
  await other.ownership.register('r1')
  const wired = new URL(service.url)
  wired.port = String(await wire.listen())
  const storage = await openPostgresStorage({ url: wired.href, schema, env, readers: 2 })
  const psql = new pg.Client({ connectionString: service.url, options: `-c search_path=${schema}` })
  await psql.connect()
  t.after(async () => {
    await psql.end()
    await storage[Symbol.asyncDispose]()
    await wire[Symbol.asyncDispose]()
    await other[Symbol.asyncDispose]()
  })
  return { wire, storage, other, psql }
}

test('A5: the answer to COMMIT is lost: the same step again is committed once', async (t) => {
  const scene = await prepare(t)
  if (!scene) return
  const { wire, storage } = scene
  await storage.commit(stepOf(1))
  wire.handle = (chunk, ends) => {
    passOn(chunk, ends)
    if (!chunk.includes('COMMIT')) return
    ends.client.destroy()
    wire.handle = passOn
  }
  await assert.rejects(storage.commit(stepOf(2)), StorageUnavailable)
  assert.equal(await insist(storage, 2), 'committed')
  assert.deepEqual(await names(storage), ['1', '2'])
})

test('A5: a wire that is cut anywhere: each step is committed once, none is lost', async (t) => {
  const scene = await prepare(t)
  if (!scene) return
  const { wire, storage, other } = scene
  // Enough for a connection and a step are some 2,000 bytes; cuts fall before, within and after.
  let cuts = 0
  let left = 0
  wire.handle = (chunk, ends) => {
    const passed = chunk.subarray(0, left)
    if (passed.length > 0) ends.server.write(passed)
    left -= chunk.length
    if (left > 0) return
    cuts += 1
    left = 1 + ((cuts * 397) % 2_200)
    // One time the server still finds out all that it was sent, the other time it does not.
    if (cuts % 2 === 0) ends.client.destroy()
    else ends.server.destroy()
  }
  for (let step = 1; step <= 60; step += 1) assert.equal(await insist(storage, step), 'committed')
  assert(cuts > 20, `${cuts} cuts`)
  assert.deepEqual(await names(other), counted(60))
  assert.equal((await other.ownership.records('r1')).length, 60)
})

test('A6: a fence waits for the open transaction, and answers what it committed', async (t) => {
  const scene = await prepare(t)
  if (!scene) return
  const { other, psql } = scene
  await psql.query('BEGIN')
  await psql.query("UPDATE router SET step = 5 WHERE id = 'r1'")
  let isFenced = false
  const fenced = other.ownership.fence('r1').finally(() => {
    isFenced = true
  })
  await until(psql, "wait_event_type = 'Lock'")
  assert.equal(isFenced, false)
  await psql.query('COMMIT')
  assert.deepEqual(await fenced, { step: 5, record: undefined })
})

test('A6: a router frozen inside of a transaction holds up its fence for three seconds at most', async (t) => {
  const scene = await prepare(t)
  if (!scene) return
  const { wire, storage, other, psql } = scene
  await storage.commit(stepOf(1))
  const held = Promise.withResolvers<void>()
  wire.handle = (chunk, ends) => {
    const at = chunk.indexOf('COMMIT')
    if (at === -1) return passOn(chunk, ends)
    // The type and the length of a message stand before it.
    passOn(chunk.subarray(0, at - 5), ends)
    held.resolve()
    wire.handle = () => {}
  }
  const committed = storage.commit(stepOf(2))
  committed.catch(() => {})
  await held.promise
  await until(psql, "state = 'idle in transaction' AND query LIKE '%INSERT INTO \"sample\"%'")
  const before = performance.now()
  const { step } = await other.ownership.fence('r1')
  assert.equal(step, 1)
  assert(performance.now() - before < 5_000)

  wire.handle = passOn
  await assert.rejects(committed, StorageUnavailable)
  assert.equal(await insist(storage, 2), 'fenced')
  assert.deepEqual(await names(other), ['1'])
})

test('A5: the step again, while its first attempt is still open: later, then committed once', async (t) => {
  const scene = await prepare(t)
  if (!scene) return
  const { storage, psql } = scene
  await psql.query('BEGIN')
  await psql.query("UPDATE router SET step = 1 WHERE id = 'r1'")
  await psql.query("INSERT INTO sample (owner, name) VALUES ('a', '1')")
  await assert.rejects(storage.commit(stepOf(1)), /55P03/)
  await psql.query('COMMIT')
  assert.equal(await storage.commit(stepOf(1)), 'committed')
  assert.deepEqual(await names(storage), ['1'])
})

test('F18: a connection that is reset inside of a transaction costs that transaction, and not the process', async (t) => {
  const scene = await prepare(t)
  if (!scene) return
  const { wire, storage } = scene
  wire.handle = (chunk, ends) => {
    if (!chunk.includes('FROM partition')) return passOn(chunk, ends)
    wire.handle = passOn
    ends.client.resetAndDestroy()
  }
  await assert.rejects(storage.ownership.partitions(), StorageUnavailable)
  assert.deepEqual(await storage.ownership.partitions(), [])
})

test('F13: Postgres goes and comes back: steps and reads fail meanwhile, and go on after', async (t) => {
  if (!(await postgresFor(t))) return
  await using server = await ownPostgres()
  await using storage = await openPostgresStorage({ url: server.url, env: realEnv() })
  await storage.migrate([sampleMigration])
  await storage.ownership.register('r1')
  await storage.commit(stepOf(1))
  assert.deepEqual(await names(storage), ['1'])

  await server.stop('immediate')
  await assert.rejects(storage.commit(stepOf(2)), StorageUnavailable)
  await assert.rejects(names(storage), StorageUnavailable)
  await assert.rejects(storage.ownership.partitions(), StorageUnavailable)
  await assert.rejects(
    storage.migrate([]).then(() => {}),
    StorageUnavailable,
  )

  await server.restart()
  assert.equal(await insist(storage, 2), 'committed')
  assert.deepEqual(await names(storage), ['1', '2'])
  assert.equal((await storage.ownership.fence('r1')).step, 2)
})

test('migrations: four instances that start at once run each of them once', async (t) => {
  const service = await postgresFor(t)
  if (!service) return
  const schema = newSchema()
  const script = join(import.meta.dirname, 'migrating-instance.ts')
  const ran = await Promise.all(
    [1, 2, 3, 4].map(() =>
      promisify(execFile)(process.execPath, [
        '--conditions=source',
        script,
        service.url,
        schema,
      ]).then(({ stdout }): string[] => JSON.parse(stdout)),
    ),
  )
  await using storage = await openPostgresStorage({ url: service.url, schema, env: realEnv() })
  assert.deepEqual(await storage.pending([sampleMigration]), [])
  const all = ran.flat()
  assert.equal(new Set(all).size, all.length)
  assert(all.includes(sampleMigration.name))
})

test('F25: a migration that does not get its table in time lets others pass, and tries again', async (t) => {
  const scene = await prepare(t)
  if (!scene) return
  const { other, psql } = scene
  await psql.query('BEGIN')
  await psql.query('LOCK TABLE sample IN ACCESS SHARE MODE')
  const migrated = other.migrate([
    sampleMigration,
    {
      name: '9001-column',
      up: (db) => db.schema.alterTable('sample').addColumn('extra', 'text').execute(),
    },
  ])
  await until(psql, "wait_event_type = 'Lock'")
  assert.equal(await insist(other, 1), 'committed')
  await psql.query('COMMIT')
  assert.deepEqual(await migrated, ['9001-column'])
})

/** Waits until some connection of a storage is in this state, which only the server knows. */
async function until(psql: pg.Client, condition: string): Promise<void> {
  const watch = `SELECT 1 FROM pg_stat_activity WHERE application_name = 'tactus' AND ${condition}`
  // Within a transaction the first look would be the last.
  while (!(await psql.query(watch)).rowCount) await psql.query('SELECT pg_stat_clear_snapshot()')
}
