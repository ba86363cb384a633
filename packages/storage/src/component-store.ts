import { type KeyValueStore, keyValueStore } from './key-value-store.ts'
import type { Reader } from './storage.ts'

const table = 'component'

/**
 * External components that were added while the server runs, by host; the key is the component's domain.
 *
 * SECURITY: the secret stands there as it is, since the hand-shake of XEP-0114 needs it so; nothing hands it out.
 */
export const componentStore: KeyValueStore<{ readonly secret: string; readonly wait: number }> =
  keyValueStore({ name: 'component', table, columns: { secret: 'text', wait: 'number' } })

/** A stored component, without what nobody may see. */
export interface StoredComponent {
  readonly domain: string
  readonly host: string
  /** Milliseconds, see `componentStore`. */
  readonly wait: number
}

/** All of them, by domain. */
export async function listComponents(reader: Reader): Promise<readonly StoredComponent[]> {
  const rows = (await reader
    .selectFrom(table)
    .select(['entity', 'key', 'wait'])
    .orderBy('key')
    .orderBy('entity')
    .execute()) as { readonly entity: string; readonly key: string; readonly wait: unknown }[]
  return rows.map(({ entity, key, wait }) => ({ domain: key, host: entity, wait: Number(wait) }))
}

/** What a stored component proves its domain with; undefined where there is none. */
export async function componentSecret(
  reader: Reader,
  { host, domain }: { readonly host: string; readonly domain: string },
): Promise<string | undefined> {
  const row = (await reader
    .selectFrom(table)
    .select('secret')
    .where('entity', '=', host)
    .where('key', '=', domain)
    .executeTakeFirst()) as { readonly secret: string } | undefined
  return row?.secret
}
