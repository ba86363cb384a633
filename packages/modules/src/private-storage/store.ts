import type { Scope } from '@tactus/core'
import { StanzaError } from '@tactus/stanza'
import { type KeyValueStore, keyValueStore } from '@tactus/storage'

/** Fragments of an account, by the name and namespace of their root element. */
export const fragmentStore: KeyValueStore<{ readonly xml: string }> = keyValueStore({
  name: 'private-storage',
  table: 'private_storage_fragment',
  columns: { xml: 'text' },
})

/** No fragment has this key: here is the list of those that there are, so that they can be counted. */
const listKey = ''

/**
 * Stores a fragment.
 *
 * @throws {StanzaError} `policy-violation` when the account has `limit` others
 */
export function storeFragment(scope: Scope, key: string, xml: string, limit: number): void {
  const list = scope.get(fragmentStore, listKey)?.xml ?? '[]'
  const keys = JSON.parse(list) as readonly string[]
  if (!keys.includes(key)) {
    if (keys.length >= limit)
      throw new StanzaError('policy-violation', `An account may have ${limit} fragments.`)
    scope.set(fragmentStore, listKey, { xml: JSON.stringify([...keys, key]) })
  }
  scope.set(fragmentStore, key, { xml })
}
