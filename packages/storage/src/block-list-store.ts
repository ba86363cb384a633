import type { StateKey } from './rows.ts'
import { stateKey } from './state-key.ts'
import type { DurableStore, Reader } from './storage.ts'

interface BlockedRow {
  readonly entity: string
  readonly jid: string
}

const table = 'blocking_jid'
const key = ['entity', 'jid']
const none: ReadonlySet<string> = new Set()

/**
 * Addresses that an account blocked; the key within the entity is `''`.
 *
 * The block list (XEP-0191) and the default privacy list (XEP-0016) are two views of it. The blocking module makes its table.
 */
export const blockListStore: DurableStore<ReadonlySet<string>> = {
  kind: 'durable',
  name: 'blocking-list',

  async load(reader, keys) {
    const lists = new Map<string, Set<string>>()
    for (const { entity, jid } of await rowsOf(reader, keys)) {
      const list = lists.get(stateKey(entity, ''))
      if (list) list.add(jid)
      else lists.set(stateKey(entity, ''), new Set([jid]))
    }
    return lists
  },

  save(changes, rows) {
    for (const { entity, before = none, after = none } of changes) {
      for (const jid of after) if (!before.has(jid)) rows.insert(table, { entity, jid })
      for (const jid of before) if (!after.has(jid)) rows.delete(table, key, { entity, jid })
    }
  },
}

async function rowsOf(reader: Reader, keys: readonly StateKey[]): Promise<readonly BlockedRow[]> {
  const entities = keys.map(({ entity }) => entity)
  const rows = await reader.selectFrom(table).selectAll().where('entity', 'in', entities).execute()
  return rows as unknown as BlockedRow[]
}
