export {
  type Account,
  type AccountFilter,
  type AccountSummary,
  accountStore,
  type Credentials,
  countAccounts,
  credentials,
  listAccounts,
  type ScramKeys,
} from './account-store.ts'
export { expiredMessages, type Retention } from './archive/archive-expiry.ts'
export {
  type ArchiveEnd,
  type ArchiveFilter,
  type ArchivePage,
  archiveEnds,
  readArchivePage,
} from './archive/archive-page.ts'
export { archivePurgeTable, purgedAtOnce } from './archive/archive-purge.ts'
export type { ArchivePageRequest, ArchivePageRow } from './archive/archive-rows.ts'
export {
  type ArchivedMessage,
  archivedKey,
  archiveKey,
  archiveRow,
  archiveStore,
  archiveTable,
  originKey,
} from './archive/archive-store.ts'
export { spokenAt } from './archive/archive-times.ts'
export { searchedWords, wordsOf } from './archive/archive-words.ts'
export { blockListStore } from './block-list-store.ts'
export { type ColumnTypes, columnTypes, createTable } from './columns.ts'
export {
  componentSecret,
  componentStore,
  listComponents,
  type StoredComponent,
} from './component-store.ts'
export { storageContract } from './contract/contract.ts'
export { type StorageCase, sampleMigration } from './contract/support.ts'
export { type GateEntry, gateStore, listGate } from './gate-store.ts'
export {
  type Conversation,
  type InboxPageRequest,
  type InboxPlace,
  type InboxTotals,
  inboxTotals,
  readInboxPage,
  superfluousConversations,
} from './inbox/inbox-page.ts'
export { type InboxRow, inboxMigrations, inboxStore } from './inbox/inbox-store.ts'
export {
  type KeyValueOptions,
  type KeyValueStore,
  keyValueStore,
  type ValueOf,
  type ValueType,
} from './key-value-store.ts'
export {
  type Mailbox,
  type MailboxRow,
  mailboxCount,
  mailboxPage,
  mailboxStore,
  waitingAmong,
} from './mailbox-store.ts'
export { coreMigrations } from './migrate.ts'
export { openPostgresStorage, type PostgresStorageOptions } from './postgres/postgres-storage.ts'
export { type Roster, type RosterItem, rosterStore } from './roster-store.ts'
export { type CollectedRows, collectRows } from './row-collector.ts'
export type { Cell, Row, RowCollector, RowWrite, StateChange, StateKey } from './rows.ts'
export { selectByKeys } from './select-by-keys.ts'
export { type SessionRow, sessionRowLifetime, sessionStore } from './session-store.ts'
export { FolderInUse } from './sqlite/folder-lock.ts'
export {
  openMemorySqlite,
  openSqliteStorage,
  type SqliteStorageOptions,
} from './sqlite/sqlite-storage.ts'
export { stateKey } from './state-key.ts'
export * from './storage.ts'
