import { randomBytes } from 'node:crypto'
import { after, test } from 'node:test'
import { realEnv } from '@tactus/env'
import {
  openPostgresStorage,
  type Storage,
  sampleMigration,
  storageContract,
} from '@tactus/storage'
import { postgres, postgresFor } from '../src/services.ts'

/** A storage in a schema of its own. */
async function openFresh(url: string): Promise<Storage> {
  const schema = `contract_${randomBytes(6).toString('hex')}`
  const storage = await openPostgresStorage({ url, env: realEnv(), schema, readers: 2 })
  await storage.migrate([sampleMigration])
  await storage.ownership.register('r1')
  return storage
}

after(async () => {
  if (!process.env.DATABASE_URL)
    await (await postgres().catch(() => undefined))?.[Symbol.asyncDispose]()
})

for (const { title, run } of storageContract)
  test(`Postgres: ${title}`, async (t) => {
    const service = await postgresFor(t)
    if (!service) return
    await using storage = await openFresh(service.url)
    await run(storage)
  })
