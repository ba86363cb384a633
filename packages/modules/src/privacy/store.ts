import { type DurableStore, type KeyValueStore, keyValueStore } from '@tactus/storage'
import type { Rule } from './wire.ts'

/** The privacy lists of an account. */
export interface PrivacyLists {
  /** Name of the list that applies where no other is active. */
  readonly byDefault: string | undefined
  /** Rules by list, in their order; of the default list without those that are its block list. */
  readonly lists: ReadonlyMap<string, readonly Rule[]>
}

/** What an account has that never touched a list. */
export const noLists: PrivacyLists = { byDefault: undefined, lists: new Map() }

const rows: KeyValueStore<{
  readonly by_default: string | undefined
  readonly lists: string
}> = keyValueStore({
  name: 'privacy',
  table: 'privacy_list',
  columns: { by_default: 'text?', lists: 'text' },
})

/** Privacy lists by account; the key within the entity is `''`. Read as a whole, as each stanza needs the rules. */
export const privacyStore: DurableStore<PrivacyLists> = {
  kind: 'durable',
  name: rows.name,

  async load(reader, keys) {
    const found = new Map<string, PrivacyLists>()
    for (const [key, row] of await rows.load(reader, keys)) {
      const lists = JSON.parse(row.lists) as [string, Rule[]][]
      found.set(key, { byDefault: row.by_default, lists: new Map(lists) })
    }
    return found
  },

  save(changes, collector) {
    const encoded = changes.map(({ entity, key, after }) => ({
      entity,
      key,
      before: undefined,
      after: after && { by_default: after.byDefault, lists: encodeLists(after) },
    }))
    rows.save(encoded, collector)
  },
}

/** Makes its table. */
export const privacyMigration: ReturnType<typeof rows.migration> =
  rows.migration('0140-privacy-lists')

/** All rules as they are kept. */
export function encodeLists({ lists }: PrivacyLists): string {
  return JSON.stringify([...lists])
}
