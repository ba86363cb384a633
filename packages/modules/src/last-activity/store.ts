import { type KeyValueStore, keyValueStore } from '@tactus/storage'

/** When an account's last resource became unavailable (ms since 1970) and what it said; the key is `''`. */
export const lastActivityStore: KeyValueStore<{
  readonly at: number
  readonly status: string | undefined
}> = keyValueStore({
  name: 'last-activity',
  table: 'last_activity',
  columns: { at: 'number', status: 'text?' },
})
