import { type KeyValueStore, keyValueStore } from '@tactus/storage'

/** The vCard of an account; the key within the entity is `''`. */
export const vcardStore: KeyValueStore<{ readonly xml: string }> = keyValueStore({
  name: 'vcard',
  table: 'vcard',
  columns: { xml: 'text' },
})
