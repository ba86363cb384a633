import { StorageRefused, StorageUnavailable } from '../storage.ts'

/** An error of the database thread, as data: classes do not survive the passage. */
export interface SqliteFault {
  readonly kind: 'unavailable' | 'refused'
  readonly code: string
  readonly message: string
}

/**
 * Result codes that say nothing against the rows: busy, locked, no memory, read-only, interrupted, I/O error,
 * corrupt, full, cannot open, protocol, not a database.
 *
 * A damaged file counts here too: were it *refused*, every stanza would be bounced as if it were at fault.
 */
const unavailable: ReadonlySet<number> = new Set([5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 26])

/** What an exception of `node:sqlite` means for the step that caused it. */
export function faultOf(error: unknown): SqliteFault {
  const { errcode, code, message } = error as Error & { errcode?: number; code?: string }
  if (errcode === undefined)
    return { kind: 'refused', code: code ?? 'ERROR', message: message ?? String(error) }
  const primary = errcode & 0xff
  return {
    kind: unavailable.has(primary) ? 'unavailable' : 'refused',
    code: `SQLITE_${errcode}`,
    message,
  }
}

/** The port's exception for a fault. */
export function errorOf({ kind, code, message }: SqliteFault): Error {
  return kind === 'unavailable'
    ? new StorageUnavailable(`SQLite: ${message} (${code})`)
    : new StorageRefused(code, `SQLite: ${message}`)
}
