import type { BareJid } from '@tactus/jid'
import { type DurableStore, stateKey } from '@tactus/storage'
import { tables } from '../store.ts'

/** What is counted is counted anew every second: nodes come and go elsewhere. */
export function countKey(creator: BareJid, now: number): string {
  return `${Math.floor(now / 1_000)} ${creator}`
}

/**
 * How many nodes a service has already where one more shall be, and of these how many somebody has made. Only read; the
 * key within the node's entity is made by `countKey`.
 */
export const nodeCountStore: DurableStore<{ readonly own: number; readonly all: number }> = {
  kind: 'durable',
  name: 'pubsub-node-count',

  async load(reader, keys) {
    const counts = new Map<string, { readonly own: number; readonly all: number }>()
    for (const { entity, key } of keys) {
      const creator = key.slice(key.indexOf(' ') + 1)
      const service = entity.slice(entity.indexOf('@') + 1)
      const all = reader.selectFrom(tables.nodes).where('service', '=', service)
      const count = async (query: typeof all): Promise<number> => {
        const row = await query
          .select((build) => build.fn.countAll().as('count'))
          .executeTakeFirst()
        return Number(row?.count ?? 0)
      }
      counts.set(stateKey(entity, key), {
        all: await count(all),
        own: await count(all.where('creator', '=', creator)),
      })
    }
    return counts
  },

  save() {},
}
