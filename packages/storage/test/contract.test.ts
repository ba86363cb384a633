import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { realEnv } from '@tactus/env'
import {
  openMemorySqlite,
  openSqliteStorage,
  type Storage,
  sampleMigration,
  storageContract,
} from '../src/index.ts'

async function prepare(storage: Storage): Promise<void> {
  await storage.migrate([sampleMigration])
  await storage.ownership.register('r1')
}

// Messages have their places in the indexes at once, none of them, and some.
for (const waitingRows of [1, 1_000, 3])
  describe(`SQLite in memory, up to ${waitingRows} messages wait for their place`, () => {
    for (const { title, run } of storageContract)
      test(title, async () => {
        await using storage = openMemorySqlite(realEnv(), { waitingRows })
        await prepare(storage)
        await run(storage)
      })
  })

for (const durability of ['batched', 'strict'] as const)
  describe(`SQLite in a folder, ${durability}`, () => {
    for (const { title, run } of storageContract)
      test(title, async (t) => {
        const folder = await mkdtemp(join(tmpdir(), 'tactus-storage-'))
        t.after(() => rm(folder, { recursive: true }))
        await using storage = await openSqliteStorage({ folder, durability, env: realEnv() })
        await prepare(storage)
        await run(storage)
      })
  })
