import { realEnv } from '@tactus/env'
import { collectRows, openSqliteStorage } from '../src/index.ts'

/*
 * Commits one step after another and says so on its standard output, until it is killed. Started by
 * sqlite-kill.test.ts with a folder.
 */

const [folder = ''] = process.argv.slice(2)
const storage = await openSqliteStorage({ folder, durability: 'batched', env: realEnv() })
const known = await storage.ownership.routers()
for (let step = (known[0]?.step ?? 0) + 1; ; step += 1) {
  const rows = collectRows()
  for (let i = 0; i < 20; i += 1)
    rows.insert('sample', { owner: String(step), name: String(i), size: step })
  rows.upsert('sample_mark', ['name'], { name: String(step) })
  await storage.commit({ router: 'r1', step, record: undefined, forget: [], writes: rows.writes() })
  process.stdout.write(`${step}\n`)
}
