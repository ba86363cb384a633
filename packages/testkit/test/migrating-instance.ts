import { realEnv } from '@tactus/env'
import { openPostgresStorage, sampleMigration } from '@tactus/storage'

/* Opens a storage and migrates it, as an instance does at its start; started by postgres-faults.test.ts. */

const [url = '', schema = ''] = process.argv.slice(2)
await using storage = await openPostgresStorage({ url, schema, env: realEnv() })
const ran = await storage.migrate([sampleMigration])
process.stdout.write(JSON.stringify(ran))
