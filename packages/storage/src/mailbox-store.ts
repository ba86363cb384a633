import { type Kysely, type RawBuilder, sql } from 'kysely'
import { columnTypes, createTable } from './columns.ts'
import type { StateKey } from './rows.ts'
import { stateKey } from './state-key.ts'
import type { DurableStore, Migration, Reader } from './storage.ts'

/** One stanza that was accepted for an account and is not acknowledged by a session yet (design §3.6). */
export interface MailboxRow {
  /** The id that it carries everywhere (design §3.4); unique within the account. */
  readonly id: string
  /** What kind of stanza, in the words of whoever wrote it. */
  readonly kind: string
  /** When it was accepted, milliseconds since 1970. */
  readonly at: number
  readonly stanza: Uint8Array
}

/** The oldest rows that wait, in the order of their acceptance. */
export interface Mailbox {
  readonly rows: readonly MailboxRow[]
  /** More wait behind these: they show once these are removed. */
  readonly more: boolean
}

/** Most rows and bytes of one account that are loaded at a time. */
export const mailboxPage: { readonly rows: number; readonly bytes: number } = {
  rows: 1_000,
  bytes: 5 * 1024 * 1024,
}

interface MailboxTable {
  readonly mailbox: {
    readonly n: number
    readonly account: string
    readonly id: string
    readonly kind: string
    readonly at: number
    readonly stanza: Uint8Array
  }
}

/**
 * What waits for an account; the key within the entity is `''`, an account for which nothing waits has no value.
 *
 * Append-only: rows come through `Turn.insert` (`account`, `id`, `kind`, `at`, `stanza`) and go through
 * `Turn.remove` by `account` and `id`, never by setting the value.
 */
export const mailboxStore: DurableStore<Mailbox> = {
  kind: 'durable',
  name: 'mailbox',

  async load(reader: Reader, keys: readonly StateKey[]): Promise<ReadonlyMap<string, Mailbox>> {
    const pages = keys.map(({ entity }) => pageOf(entity))
    const all = sql<PageRow>`${sql.join(pages, sql` union all `)} order by "n"`
    const { rows } = await all.execute(reader)
    const found = new Map<string, Loading>()
    for (const row of rows) addTo(found, row)
    return found
  },

  save(): void {
    throw new TypeError('rows of a mailbox are inserted and removed, the value is not set')
  },
}

/** The table of `mailboxStore`. */
export const mailboxMigration: Migration = {
  name: '0004-mailbox',
  async up(db, dialect) {
    const { text, integer, bytes, counter } = columnTypes(dialect)
    await createTable(db, dialect, 'mailbox')
      .addColumn('n', counter)
      .addColumn('account', text, (column) => column.notNull())
      .addColumn('id', text, (column) => column.notNull())
      .addColumn('kind', text, (column) => column.notNull())
      .addColumn('at', integer, (column) => column.notNull())
      .addColumn('stanza', bytes, (column) => column.notNull())
      .addUniqueConstraint('mailbox_account_id', ['account', 'id'])
      .execute()
    await db.schema.createIndex('mailbox_order').on('mailbox').columns(['account', 'n']).execute()
  },
}

/** How many rows wait for an account; counts no further than `limit`. */
export async function mailboxCount(
  reader: Reader,
  account: string,
  limit: number,
): Promise<number> {
  const { count } = await (reader as Kysely<MailboxTable>)
    .selectFrom((eb) =>
      eb
        .selectFrom('mailbox')
        .select('n')
        .where('account', '=', account)
        .limit(limit)
        .as('waiting'),
    )
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  return count
}

/** Which of these messages wait for an account. */
export async function waitingAmong(
  reader: Reader,
  account: string,
  ids: readonly string[],
): Promise<readonly string[]> {
  if (ids.length === 0) return []
  const rows = await (reader as Kysely<MailboxTable>)
    .selectFrom('mailbox')
    .select('id')
    .where('account', '=', account)
    .where('id', 'in', [...ids])
    .execute()
  return rows.map(({ id }) => id)
}

type PageRow = Omit<MailboxTable['mailbox'], 'n'> & { readonly total: number }

/**
 * One row more than a page, to know whether there is more. The sizes are summed up inside of the limit, so that
 * a mailbox of any size costs one page; the first row comes whatever its size is.
 */
function pageOf(account: string): RawBuilder<PageRow> {
  return sql`select "n", "account", "id", "kind", "at", "stanza", "total" from (
    select "oldest".*,
      count(*) over () as "total",
      sum(length("stanza")) over (order by "n") - length("stanza") as "before"
    from (
      select * from "mailbox" where "account" = ${account} order by "n" limit ${mailboxPage.rows + 1}
    ) as "oldest"
  ) as "page" where "before" < ${mailboxPage.bytes}`
}

function addTo(
  found: Map<string, Loading>,
  { account, total, id, kind, at, stanza }: PageRow,
): void {
  const key = stateKey(account, '')
  let mailbox = found.get(key)
  if (!mailbox) {
    mailbox = { rows: [], more: false }
    found.set(key, mailbox)
  }
  if (mailbox.rows.length < mailboxPage.rows) mailbox.rows.push({ id, kind, at, stanza })
  mailbox.more = total > mailbox.rows.length
}

interface Loading {
  readonly rows: MailboxRow[]
  more: boolean
}
