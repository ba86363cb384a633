import type { Cell, Row } from './rows.ts'
import type { Dialect } from './storage.ts'

/** One SQL statement with `?` for its parameters, in either dialect. */
export interface Statement {
  readonly sql: string
  readonly params: readonly Cell[]
  /** The transaction goes on only when this statement touches a row; else all of it is rolled back. */
  readonly guard?: boolean
}

/** What a statement answered; `changes` counts rows touched, or returned. */
export interface StatementResult {
  readonly rows: readonly Row[]
  readonly changes: number
}

/** The little that ownership needs of a database: several statements, all or none. */
export interface Executor {
  readonly dialect: Dialect
  /** Answers `undefined` when a guard touched nothing. @throws {StorageUnavailable} @throws {StorageRefused} */
  transaction(statements: readonly Statement[]): Promise<readonly StatementResult[] | undefined>
}

/**
 * Quotes a table or column name.
 *
 * Names come from our own code and from modules, never from a network; refusing all but plain names keeps it so.
 *
 * @throws {TypeError} for anything that is not lower-case snake_case
 */
export function identifier(name: string): string {
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(name)) throw new TypeError(`not a table or column: ${name}`)
  return `"${name}"`
}

/** A comma-separated list of quoted names. */
export function identifiers(names: readonly string[]): string {
  return names.map(identifier).join(', ')
}
