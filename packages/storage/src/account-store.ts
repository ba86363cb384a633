import type { Kysely } from 'kysely'
import { columnTypes, createTable } from './columns.ts'
import type { RowCollector, StateChange, StateKey } from './rows.ts'
import { stateKey } from './state-key.ts'
import type { DurableStore, Migration, Reader } from './storage.ts'

/** Salted keys of one hash function (RFC 5802 §3); never a password. */
export interface ScramKeys {
  readonly salt: Uint8Array
  readonly iterations: number
  readonly storedKey: Uint8Array
  readonly serverKey: Uint8Array
}

/** An account, but for what belongs to features. */
export interface Account {
  /** Milliseconds since 1970. */
  readonly createdAt: number
  readonly disabled: boolean
  /** Raised with every change of keys or state: a session opened with an older one is refused. */
  readonly version: number
  /** By hash name: `sha-1`, `sha-256`, `sha-512`. */
  readonly keys: Readonly<Record<string, ScramKeys>>
  readonly role: 'user' | 'admin'
}

/** What SASL needs to know of an account. */
export type Credentials = Pick<Account, 'version' | 'disabled' | 'keys'>

/** An account as lists show it. */
export interface AccountSummary extends Pick<Account, 'createdAt' | 'disabled' | 'role'> {
  readonly jid: string
}

interface AccountTable {
  readonly account: {
    readonly jid: string
    readonly host: string
    readonly created: number
    readonly disabled: number
    readonly version: number
    readonly role: string
    readonly keys: string
  }
}

/** Accounts by bare JID; the key within the entity is `''`. */
export const accountStore: DurableStore<Account> = {
  kind: 'durable',
  name: 'account',

  async load(reader: Reader, keys: readonly StateKey[]): Promise<ReadonlyMap<string, Account>> {
    const rows = await tables(reader)
      .selectFrom('account')
      .selectAll()
      .where(
        'jid',
        'in',
        keys.map(({ entity }) => entity),
      )
      .execute()
    return new Map(rows.map((row) => [stateKey(row.jid, ''), toAccount(row)]))
  },

  save(changes: readonly StateChange<Account>[], rows: RowCollector): void {
    for (const { entity, after } of changes) {
      if (after) rows.upsert('account', ['jid'], toRow(entity, after))
      else rows.delete('account', ['jid'], { jid: entity })
    }
  },
}

/** The keys of one account, for SASL; `undefined` where there is none. */
export async function credentials(reader: Reader, jid: string): Promise<Credentials | undefined> {
  const row = await tables(reader)
    .selectFrom('account')
    .select(['version', 'disabled', 'keys'])
    .where('jid', '=', jid)
    .executeTakeFirst()
  if (!row) return undefined
  return { version: row.version, disabled: row.disabled === 1, keys: parseKeys(row.keys) }
}

/** Which accounts of a host are meant. */
export interface AccountFilter {
  readonly disabled?: boolean | undefined
  readonly role?: Account['role'] | undefined
}

/** A page of a host's accounts in the order of their JIDs, after the given one. */
export async function listAccounts(
  reader: Reader,
  host: string,
  page: AccountFilter & { readonly after?: string | undefined; readonly limit: number },
): Promise<readonly AccountSummary[]> {
  const { after, limit, disabled, role } = page
  const rows = await tables(reader)
    .selectFrom('account')
    .select(['jid', 'created', 'disabled', 'role'])
    .where('host', '=', host)
    .where('jid', '>', after ?? '')
    .$if(disabled !== undefined, (query) => query.where('disabled', '=', disabled ? 1 : 0))
    .$if(role !== undefined, (query) => query.where('role', '=', role ?? 'user'))
    .orderBy('jid')
    .limit(limit)
    .execute()
  return rows.map(({ jid, created, disabled, role }) => ({
    jid,
    createdAt: created,
    disabled: disabled === 1,
    role: toRole(role),
  }))
}

/** How many accounts a host has. */
export async function countAccounts(
  reader: Reader,
  host: string,
  { disabled, role }: AccountFilter = {},
): Promise<number> {
  const { count } = await tables(reader)
    .selectFrom('account')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('host', '=', host)
    .$if(disabled !== undefined, (query) => query.where('disabled', '=', disabled ? 1 : 0))
    .$if(role !== undefined, (query) => query.where('role', '=', role ?? 'user'))
    .executeTakeFirstOrThrow()
  return Number(count)
}

/** The table of `accountStore`. */
export const accountMigration: Migration = {
  name: '0002-account',
  async up(db, dialect) {
    const { text, integer, flag } = columnTypes(dialect)
    await createTable(db, dialect, 'account')
      .addColumn('jid', text, (column) => column.primaryKey())
      .addColumn('host', text, (column) => column.notNull())
      .addColumn('created', integer, (column) => column.notNull())
      .addColumn('disabled', flag, (column) => column.notNull())
      .addColumn('version', integer, (column) => column.notNull())
      .addColumn('role', text, (column) => column.notNull())
      .addColumn('keys', text, (column) => column.notNull())
      .execute()
    await db.schema.createIndex('account_host').on('account').columns(['host', 'jid']).execute()
  },
}

const tables = (reader: Reader): Kysely<AccountTable> => reader

function toRow(jid: string, account: Account): AccountTable['account'] {
  return {
    jid,
    host: jid.slice(jid.indexOf('@') + 1),
    created: account.createdAt,
    disabled: account.disabled ? 1 : 0,
    version: account.version,
    role: account.role,
    keys: JSON.stringify(formatKeys(account.keys)),
  }
}

function toAccount(row: AccountTable['account']): Account {
  return {
    createdAt: row.created,
    disabled: row.disabled === 1,
    version: row.version,
    keys: parseKeys(row.keys),
    role: toRole(row.role),
  }
}

const toRole = (role: string): Account['role'] => (role === 'admin' ? 'admin' : 'user')

interface StoredKeys {
  readonly salt: string
  readonly iterations: number
  readonly storedKey: string
  readonly serverKey: string
}

function formatKeys(keys: Account['keys']): Record<string, StoredKeys> {
  return Object.fromEntries(
    Object.entries(keys).map(([hash, { salt, iterations, storedKey, serverKey }]) => [
      hash,
      {
        iterations,
        salt: toBase64(salt),
        storedKey: toBase64(storedKey),
        serverKey: toBase64(serverKey),
      },
    ]),
  )
}

function parseKeys(text: string): Record<string, ScramKeys> {
  const stored: Record<string, StoredKeys> = JSON.parse(text)
  return Object.fromEntries(
    Object.entries(stored).map(([hash, { salt, iterations, storedKey, serverKey }]) => [
      hash,
      {
        iterations,
        salt: fromBase64(salt),
        storedKey: fromBase64(storedKey),
        serverKey: fromBase64(serverKey),
      },
    ]),
  )
}

const toBase64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
const fromBase64 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'))
