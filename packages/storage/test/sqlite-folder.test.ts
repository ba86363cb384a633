import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import { realEnv } from '@tactus/env'
import { sql } from 'kysely'
import {
  collectRows,
  FolderInUse,
  openSqliteStorage,
  type Storage,
  StorageUnavailable,
  sampleMigration,
} from '../src/index.ts'
import { WorkerConnection } from '../src/sqlite/worker-connection.ts'

async function newFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tactus-storage-'))
  t.after(() => rm(folder, { recursive: true }))
  return folder
}

const open = (folder: string): Promise<Storage> =>
  openSqliteStorage({ folder, durability: 'batched', env: realEnv() })

/** Starts a process that commits for ever; `told` answers the last step that it was told is committed. */
function startWriter(folder: string): {
  readonly child: ChildProcess
  told(): number
  enough: Promise<void>
} {
  const script = join(import.meta.dirname, 'killed-writer.ts')
  const child = spawn(process.execPath, ['--conditions=source', script, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let last = 0
  let lines = 0
  const wanted = 1 + Math.floor(Math.random() * 40)
  const enough = new Promise<void>((resolve) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      last = Number(line)
      lines += 1
      if (lines === wanted) resolve()
    })
  })
  return { child, told: () => last, enough }
}

test('batched: kill -9, twenty times: no commit that was answered is missing, none is there in part', async (t) => {
  const folder = await newFolder(t)
  const storage = await open(folder)
  await storage.migrate([sampleMigration])
  await storage.ownership.register('r1')
  await storage[Symbol.asyncDispose]()

  for (let round = 0; round < 20; round += 1) {
    const { child, told, enough } = startWriter(folder)
    await enough
    child.kill('SIGKILL')
    await once(child, 'close')

    await using after = await open(folder)
    const [router] = await after.ownership.routers()
    assert(router && router.step >= told(), `step ${told()} was answered, ${router?.step} is there`)
    const steps = await after.reader
      .selectFrom('sample')
      .select(({ fn }) => ['owner', fn.countAll().as('rows')])
      .groupBy('owner')
      .execute()
    assert.equal(steps.length, router.step)
    assert(steps.every(({ rows }) => rows === 20))
  }
})

test('a second server on the folder is refused in one sentence, with the process that holds it', async (t) => {
  const folder = await newFolder(t)
  await using _first = await open(folder)
  await assert.rejects(open(folder), (error) => {
    assert(error instanceof FolderInUse)
    assert.equal(error.pid, process.pid)
    assert.equal(
      error.message,
      `The data folder ${folder} is in use by process ${process.pid}; stop that server first.`,
    )
    return true
  })
})

test('a server of another process holds the folder as long as it lives, and no longer', async (t) => {
  const folder = await newFolder(t)
  const storage = await open(folder)
  await storage.migrate([sampleMigration])
  await storage.ownership.register('r1')
  await storage[Symbol.asyncDispose]()

  const { child, enough } = startWriter(folder)
  await enough
  await assert.rejects(open(folder), (error) => {
    assert(error instanceof FolderInUse)
    return error.pid === child.pid
  })
  child.kill('SIGKILL')
  await once(child, 'close')
  await using _taken = await open(folder)
})

test('a process number that was left behind keeps nobody out', async (t) => {
  const folder = await newFolder(t)
  await writeFile(join(folder, 'server.pid'), `${process.pid}\n`)
  await using _storage = await open(folder)
})

test('of several that open at once one gets the folder', async (t) => {
  const folder = await newFolder(t)
  const opened = await Promise.allSettled([open(folder), open(folder), open(folder)])
  const got = opened.filter((each) => each.status === 'fulfilled')
  assert.equal(got.length, 1)
  await got[0]?.value[Symbol.asyncDispose]()
})

test('a folder without a usable database says so, and is free again', async (t) => {
  const folder = await newFolder(t)
  await writeFile(join(folder, 'tactus.sqlite'), 'this is no database, and long enough to be sure')
  await assert.rejects(open(folder), /not a database/)
  await rm(join(folder, 'tactus.sqlite'))
  await using _storage = await open(folder)
})

test('a search on the reader of jobs does not hold up a load, and neither a commit', async (t) => {
  const folder = await newFolder(t)
  await using storage = await open(folder)
  await storage.migrate([sampleMigration])
  await storage.ownership.register('r1')
  const order: string[] = []
  const counting =
    'with recursive n(i) as (select 1 union all select i + 1 from n where i < 3000000)'
  const search = sql
    .raw(`${counting} select max(i) from n`)
    .execute(storage.jobReader)
    .then(() => order.push('search'))
  const rows = collectRows()
  rows.insert('sample_mark', { name: 'x' })
  await storage.commit({
    router: 'r1',
    step: 1,
    record: undefined,
    forget: [],
    writes: rows.writes(),
  })
  assert.equal((await storage.reader.selectFrom('sample_mark').selectAll().execute()).length, 1)
  order.push('commit and load')
  await search
  assert.deepEqual(order, ['commit and load', 'search'])
})

test('what is open when the storage is closed is answered, what comes later is refused', async (t) => {
  const storage = await open(await newFolder(t))
  const open1 = storage.ownership.register('r1').catch(() => {})
  await storage[Symbol.asyncDispose]()
  await open1
  await assert.rejects(storage.ownership.incarnation(), /closed/)
})

test('a database thread that stops is started again by the next call', async (t) => {
  const folder = join(await newFolder(t), 'later')
  const connection = new WorkerConnection({
    location: join(folder, 'x.sqlite'),
    readOnly: false,
    synchronous: 'normal',
    flushEvery: undefined,
  })
  await assert.rejects(connection.query('SELECT 1', []), StorageUnavailable)
  await mkdir(folder)
  assert.deepEqual((await connection.query('SELECT 1 AS one', [])).rows, [[1]])
  await connection.close()
})

test('batched: before anything was written there is no log, and nothing to be flushed', async (t) => {
  const folder = await newFolder(t)
  const connection = new WorkerConnection({
    location: join(folder, 'x.sqlite'),
    readOnly: false,
    synchronous: 'normal',
    flushEvery: 1,
  })
  t.after(() => connection.close())
  // Many a flush falls between these.
  for (let n = 0; n < 300; n += 1) await connection.query('SELECT 1', [])
  await connection.query('CREATE TABLE here (n)', [])
})
