import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { realEnv } from '@tactus/env'
import { sql } from 'kysely'
import { readArchivePage } from '../src/archive/archive-page.ts'
import { commitRows } from '../src/contract/support.ts'
import {
  archiveKey,
  archiveRow,
  archiveTable,
  coreMigrations,
  openMemorySqlite,
  openSqliteStorage,
  type Reader,
  type Storage,
} from '../src/index.ts'
import { kyselyOver } from '../src/query-dialect.ts'
import { LocalConnection } from '../src/sqlite/sqlite-connection.ts'

const romeo = 'romeo@montague.example'
const message = (id: string) =>
  archiveRow({
    ...{ owner: romeo, id, at: 5, incoming: true, peer: 'juliet@capulet.example' },
    ...{ resource: undefined, origin: id, words: `soft ${id}`, stanza: Buffer.from(id) },
  })

let steps = 0
async function keep(storage: Storage, ...ids: readonly string[]): Promise<void> {
  steps += 1
  const outcome = await commitRows(storage, steps, (rows) => {
    for (const id of ids) rows.insert(archiveTable, message(id))
  })
  assert.equal(outcome, 'committed')
}

async function waiting(reader: Reader): Promise<number> {
  const { rows } = await sql<{ count: number }>`select count(*) as "count" from "archive"
    where "placed" = 0`.execute(reader)
  return rows[0]?.count ?? Number.NaN
}

const found = async (reader: Reader, filter: { readonly words?: readonly string[] } = {}) =>
  (
    await readArchivePage(
      reader,
      { owner: romeo, ...filter },
      { max: 10, bytes: 10_000, fromEnd: false },
    )
  )?.rows.map(({ id }) => id)

async function prepared(storage: Storage): Promise<Storage> {
  await storage.migrate([])
  await storage.ownership.register('r1')
  return storage
}

test('messages get their places many at once', async () => {
  await using storage = await prepared(openMemorySqlite(realEnv(), { waitingRows: 3 }))
  // The first takes what a process before this one left.
  await keep(storage, 'a')
  assert.equal(await waiting(storage.reader), 0)

  await keep(storage, 'b', 'c')
  assert.equal(await waiting(storage.reader), 2)
  await keep(storage, 'd')
  assert.equal(await waiting(storage.reader), 0)

  await keep(storage, 'e')
  assert.deepEqual(await found(storage.reader), ['a', 'b', 'c', 'd', 'e'])
  assert.deepEqual(await found(storage.reader, { words: ['soft', 'e'] }), ['e'])
})

test('the index of words has what is placed, and nothing that is gone', async () => {
  await using storage = await prepared(openMemorySqlite(realEnv(), { waitingRows: 3 }))
  const remove = async (...ids: readonly string[]): Promise<void> => {
    steps += 1
    await commitRows(storage, steps, (rows) => {
      for (const id of ids) rows.delete(archiveTable, archiveKey, { owner: romeo, id })
    })
  }
  await keep(storage, 'a')
  await keep(storage, 'b')
  await remove('a', 'b')
  await keep(storage, 'c')
  await keep(storage, 'd')
  await remove('c')
  await keep(storage, 'e', 'f', 'g')
  assert.equal(await waiting(storage.reader), 0)

  await storage.migrate([
    {
      name: '9001-check',
      async up(db) {
        // https://www.sqlite.org/fts5.html §6.4: with a rank, also against the table that it is of.
        await sql`insert into "archive_words"("archive_words", "rank") values ('integrity-check', 1)`.execute(
          db,
        )
      },
    },
  ])
  assert.deepEqual(await found(storage.reader, { words: ['soft'] }), ['d', 'e', 'f', 'g'])
})

test('what waited when a process ended has its place soon after the next one began', async (t: TestContext) => {
  const folder = await mkdtemp(join(tmpdir(), 'tactus-places-'))
  t.after(() => rm(folder, { recursive: true }))
  const open = () => openSqliteStorage({ folder, durability: 'batched', env: realEnv() })
  {
    await using storage = await prepared(await open())
    await keep(storage, 'a')
    await keep(storage, 'b', 'c')
  }

  await using storage = await open()
  assert.equal(await waiting(storage.reader), 2)
  await keep(storage, 'd')
  await storage.expireSessions()
  assert.equal(await waiting(storage.reader), 0)
})

test('a place that could not be given is given with the next message', async () => {
  await using storage = await prepared(openMemorySqlite(realEnv(), { waitingRows: 2 }))
  const runs = (name: string, text: string): Promise<unknown> =>
    storage.migrate([{ name, up: async (db) => void (await sql.raw(text).execute(db)) }])
  await keep(storage, 'a')
  await runs('9001-fails', 'drop index archive_waiting')
  await keep(storage, 'b', 'c')
  assert.equal(await waiting(storage.reader), 2)

  await runs('9002-mended', 'create index archive_waiting on archive (owner, n) where placed = 0')
  await keep(storage, 'd')

  assert.equal(await waiting(storage.reader), 0)
})

test('what was archived before messages waited for places is found as before', async () => {
  const memory = { location: ':memory:', readOnly: false, synchronous: 'off' } as const
  const connection = new LocalConnection(memory)
  const db = kyselyOver('sqlite', 'migrate', async (text, params) => {
    const { columns, rows, changes } = await connection.query(text, params)
    const toRow = (cells: (typeof rows)[number]) =>
      Object.fromEntries(columns.map((column, at) => [column, cells[at] ?? null]))
    return { rows: rows.map(toRow), changes }
  })
  const last = coreMigrations.findIndex(({ name }) => name === '0008-archive-places')
  for (const { up } of coreMigrations.slice(0, last)) await up(db, 'sqlite')
  for (const id of ['a', 'b']) {
    const row = message(id)
    await sql`insert into "archive" (${sql.join(Object.keys(row).map((name) => sql.ref(name)))})
      values (${sql.join(Object.values(row))})`.execute(db)
  }

  await coreMigrations[last]?.up(db, 'sqlite')

  assert.deepEqual(await found(db), ['a', 'b'])
  assert.deepEqual(await found(db, { words: ['b'] }), ['b'])
  await connection.close()
})
