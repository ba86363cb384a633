import type { Cell } from '../rows.ts'
import type { PackedBatches } from './packed-batches.ts'
import type { Answer, SqliteOptions } from './sqlite-database.ts'
import type { SqliteFault } from './sqlite-errors.ts'

/** What a database thread is started with. */
export interface WorkerOptions extends SqliteOptions {
  /** Milliseconds between flushes of the log to the disk; undefined where every commit flushes, or none. */
  readonly flushEvery: number | undefined
}

/** What the database thread is asked; it answers in the same order. */
export type WorkerRequest =
  | { readonly op: 'query'; readonly sql: string; readonly params: readonly Cell[] }
  | { readonly op: 'transaction'; readonly packed: PackedBatches }
  | { readonly op: 'forget' }
  | { readonly op: 'close' }

/** What it answers. The first message after the start says that the database is open, or why not. */
export type WorkerReply =
  | { readonly ok: true; readonly value: Answer | readonly Answer[] | undefined }
  | { readonly ok: false; readonly fault: SqliteFault }
