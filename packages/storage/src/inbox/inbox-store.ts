import { sql } from 'kysely'
import { type KeyValueStore, keyValueStore, type ValueOf } from '../key-value-store.ts'
import type { Migration } from '../storage.ts'

const columns = {
  at: 'number',
  last: 'text',
  message: 'text',
  owner: 'text',
  unread: 'number',
  unseen: 'text',
} as const

/**
 * One conversation of an account; the key is the other side's bare JID.
 *
 * `at` and `message` are of its last instant message, `last` is the id of whatever of it was archived last, `owner` the
 * archive that has them, and `unseen` remembers the newest of the unread messages in the words of the module.
 */
export const inboxStore: KeyValueStore<ValueOf<typeof columns>> = keyValueStore({
  name: 'inbox',
  table: 'inbox',
  columns,
})

/** A row of `inboxStore`. */
export type InboxRow = ValueOf<typeof columns>

/** The table, and what makes the cost of a page that of the page: its order, and that of what is unread. */
export const inboxMigrations: readonly Migration[] = [
  inboxStore.migration('0142-inbox'),
  {
    name: '0143-inbox-order',
    async up(db) {
      await sql`create index "inbox_order" on "inbox" ("entity", "at", "key")`.execute(db)
      await sql`create index "inbox_unread" on "inbox" ("entity", "at", "key")
        where "unread" > 0`.execute(db)
    },
  },
]
