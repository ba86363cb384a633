import type { Kysely } from 'kysely'
import type { RowCollector, RowWrite, StateChange, StateKey } from './rows.ts'

/** Any table: each repository narrows it to the tables it owns. */
// biome-ignore lint/suspicious/noExplicitAny: the one place where the schema is open; repositories cast to their own tables
export type AnyDatabase = any
/** Read access. Writes leave through `Storage.commit` only. */
export type Reader = Kysely<AnyDatabase>

/**
 * A kind of durable state that belongs to an entity and is loaded before its handlers run (design §7).
 *
 * Values are immutable; `save` sees the value before and after the step and adds the difference as rows.
 */
export interface DurableStore<T> {
  readonly kind: 'durable'
  /** Unique; a step remembers (entity, name) of what it has not written yet (design §3.3). */
  readonly name: string
  /** One grouped statement for all keys; absent keys are left out of the answer. Map key: `entity + '\0' + key`. */
  load(reader: Reader, keys: readonly StateKey[]): Promise<ReadonlyMap<string, T>>
  save(changes: readonly StateChange<T>[], rows: RowCollector): void
}

/** A schema change; its number orders it among all modules' (`0001-accounts`). Runs in both dialects. */
export interface Migration {
  readonly name: string
  up(db: Kysely<AnyDatabase>, dialect: Dialect): Promise<void>
}

/** Which SQL the storage speaks, for the few places where the two must differ. */
export type Dialect = 'sqlite' | 'postgres'

/** The durable half of one step: 3(a). */
export interface StepTransaction {
  readonly router: string
  /** Number of this step in Postgres; higher than the last durable one, holes allowed (steps without rows skip it). */
  readonly step: number
  /** The encoded `StepRecord`; undefined in standalone, where the bus dies with the process. */
  readonly record: Uint8Array | undefined
  readonly writes: readonly RowWrite[]
  /** Records of this router (or of one it took over from) that every stream has passed. */
  readonly forget: readonly { readonly router: string; readonly step: number }[]
}

/** `committed` also when an earlier attempt of the same step did it. */
export type TransactionOutcome = 'committed' | 'fenced'

/** The store cannot be reached, or the outcome is unknown: send the same transaction again. */
export class StorageUnavailable extends Error {}
/** The rows themselves are refused (22xxx, 23xxx, …): sending them again would fail again (design §3.10). */
export class StorageRefused extends Error {
  readonly code: string
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** A fenced router's last record, for the taker. */
export interface StoredRecord {
  readonly step: number
  readonly record: Uint8Array
}

/** Who owns what: the authority of design §3.2. All calls are idempotent. */
export interface OwnershipStore {
  /** Adds this boot. */
  register(router: string): Promise<void>
  partitions(): Promise<
    readonly { readonly partition: number; readonly router: string | undefined }[]
  >
  /** Final. Waits for the router's open transaction; answers its last durable step and that step's record, if still kept. */
  fence(
    router: string,
  ): Promise<{ readonly step: number; readonly record: StoredRecord | undefined }>
  /** Also of a router that is not listed: it was fenced so long ago that it was forgotten. */
  isFenced(router: string): Promise<boolean>
  /** `UPDATE partition SET router = to WHERE id IN … AND router = from` (undefined: unowned). Answers those that changed hands. */
  transfer(
    partitions: readonly number[],
    from: string | undefined,
    to: string,
  ): Promise<readonly number[]>
  /** Records kept by routers that are fenced, oldest first (for §3.6 and §3.11). */
  records(router: string): Promise<readonly StoredRecord[]>
  routers(): Promise<
    readonly { readonly id: string; readonly fenced: boolean; readonly step: number }[]
  >
  incarnation(): Promise<number>
  /** Compare and set; fences all routers in the same transaction. False when somebody else was first. */
  raiseIncarnation(from: number): Promise<boolean>
  /** Cells do not mix (design §3.12): stores the values at first, and makes the partitions; answers those that stand. */
  settings(mine: ClusterSettings): Promise<ClusterSettings>
}

/** What all instances of a cluster must agree on; one that finds it different refuses to start. */
export interface ClusterSettings {
  readonly cluster: string
  readonly partitions: number
  readonly secretFingerprint: string
}

/** Durable storage: Postgres, or SQLite in a worker thread; one contract suite. */
export interface Storage extends AsyncDisposable {
  readonly dialect: Dialect
  /** For loads, jobs and requests; on the primary, never inside a step's transaction. */
  readonly reader: Reader
  /** For jobs (design §5): searches and long lists, which would hold up what waits behind them on `reader`. */
  readonly jobReader: Reader
  readonly ownership: OwnershipStore
  /** @throws {StorageUnavailable} repeat the same @throws {StorageRefused} the rows are at fault */
  commit(transaction: StepTransaction): Promise<TransactionOutcome>
  /**
   * Runs what is missing: the core's own first, unasked, then these in order of their names; each in a transaction,
   * safe when several instances start at once. Answers the names that ran.
   */
  migrate(migrations: readonly Migration[]): Promise<readonly string[]>
  /** Names of migrations that are missing. */
  pending(migrations: readonly Migration[]): Promise<readonly string[]>
  /** Housekeeping: removes session rows that are older than 48 h. Answers how many; safe on several instances at once. */
  expireSessions(): Promise<number>
  /** Housekeeping: removes a part of the archives of accounts that are no more. Answers how many messages; see `purgedAtOnce`. */
  purgeArchives(): Promise<number>
}
