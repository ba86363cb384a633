import type { Kysely } from 'kysely'
import { columnTypes, createTable } from './columns.ts'
import type { Row, RowCollector, StateChange, StateKey } from './rows.ts'
import { stateKey } from './state-key.ts'
import type { DurableStore, Migration, Reader } from './storage.ts'

/** One contact of a roster, with the states of RFC 6121 appendix A. */
export interface RosterItem {
  /** Bare JID of the contact. */
  readonly jid: string
  readonly name?: string
  readonly groups: readonly string[]
  readonly subscription: 'none' | 'to' | 'from' | 'both'
  /** A subscription request of ours is pending (`ask='subscribe'`). */
  readonly ask: boolean
  /** Requests of the contact are approved in advance (RFC 6121 §3.4). */
  readonly approved: boolean
  /** The contact's request that awaits an answer, as it came (RFC 6121 §3.1.3); such an item may be this alone. */
  readonly pendingIn: Uint8Array | undefined
  /** Roster version of the last change of this item. */
  readonly version: number
}

/** A roster with what versioning needs (RFC 6121 §2.6). */
export interface Roster {
  readonly version: number
  /** By bare JID of the contact. */
  readonly items: ReadonlyMap<string, RosterItem>
  /** Contacts removed, with the version that removed them; the writer keeps it bounded. */
  readonly removed: ReadonlyMap<string, number>
}

interface ItemRow {
  readonly account: string
  readonly contact: string
  readonly name: string | null
  readonly groups: string
  /** `remove`, the word of RFC 6121 §2.1.2.5, marks a row that only remembers the removal. */
  readonly subscription: string
  readonly ask: number
  readonly approved: number
  readonly pending_in: Uint8Array | null
  readonly version: number
}

interface RosterTables {
  readonly roster: { readonly account: string; readonly version: number }
  readonly roster_item: ItemRow
}

const itemKey = ['account', 'contact']

/** Rosters by account; the key within the entity is `''`. Writes only the items that are not the same object as before. */
export const rosterStore: DurableStore<Roster> = {
  kind: 'durable',
  name: 'roster',

  async load(reader: Reader, keys: readonly StateKey[]): Promise<ReadonlyMap<string, Roster>> {
    const rows = await (reader as Kysely<RosterTables>)
      .selectFrom('roster')
      .leftJoin('roster_item', 'roster_item.account', 'roster.account')
      .select(['roster.account as owner', 'roster.version as roster_version'])
      .selectAll('roster_item')
      .where(
        'roster.account',
        'in',
        keys.map(({ entity }) => entity),
      )
      .execute()
    const rosters = new Map<string, Loading>()
    for (const row of rows) {
      const roster = rosterOf(rosters, row.owner, row.roster_version)
      if (row.contact !== null) addRow(roster, row as ItemRow)
    }
    return rosters
  },

  save(changes: readonly StateChange<Roster>[], rows: RowCollector): void {
    for (const change of changes) {
      if (change.after) saveRoster(change.entity, change.before, change.after, rows)
      else {
        rows.clear('roster_item', { account: change.entity })
        rows.delete('roster', ['account'], { account: change.entity })
      }
    }
  },
}

/** The tables of `rosterStore`. */
export const rosterMigration: Migration = {
  name: '0003-roster',
  async up(db, dialect) {
    const { text, integer, flag, bytes } = columnTypes(dialect)
    await createTable(db, dialect, 'roster')
      .addColumn('account', text, (column) => column.primaryKey())
      .addColumn('version', integer, (column) => column.notNull())
      .execute()
    await createTable(db, dialect, 'roster_item')
      .addColumn('account', text, (column) => column.notNull())
      .addColumn('contact', text, (column) => column.notNull())
      .addColumn('name', text)
      .addColumn('groups', text, (column) => column.notNull())
      .addColumn('subscription', text, (column) => column.notNull())
      .addColumn('ask', flag, (column) => column.notNull())
      .addColumn('approved', flag, (column) => column.notNull())
      .addColumn('pending_in', bytes)
      .addColumn('version', integer, (column) => column.notNull())
      .addPrimaryKeyConstraint('roster_item_pk', ['account', 'contact'])
      .execute()
  },
}

interface Loading extends Roster {
  readonly items: Map<string, RosterItem>
  readonly removed: Map<string, number>
}

function rosterOf(rosters: Map<string, Loading>, account: string, version: number): Loading {
  const key = stateKey(account, '')
  const known = rosters.get(key)
  if (known) return known
  const roster: Loading = { version, items: new Map(), removed: new Map() }
  rosters.set(key, roster)
  return roster
}

function addRow(roster: Loading, row: ItemRow): void {
  if (row.subscription === 'remove') roster.removed.set(row.contact, row.version)
  else roster.items.set(row.contact, toItem(row))
}

function toItem(row: ItemRow): RosterItem {
  return {
    jid: row.contact,
    ...(row.name === null ? {} : { name: row.name }),
    groups: JSON.parse(row.groups),
    subscription: row.subscription as RosterItem['subscription'],
    ask: row.ask === 1,
    approved: row.approved === 1,
    pendingIn: row.pending_in ?? undefined,
    version: row.version,
  }
}

function saveRoster(
  account: string,
  before: Roster | undefined,
  after: Roster,
  rows: RowCollector,
): void {
  if (before?.version !== after.version)
    rows.upsert('roster', ['account'], { account, version: after.version })

  for (const [contact, item] of after.items) {
    if (before?.items.get(contact) !== item)
      rows.upsert('roster_item', itemKey, itemRow(account, item))
  }
  for (const [contact, version] of after.removed) {
    if (after.items.has(contact) || before?.removed.get(contact) === version) continue
    rows.upsert('roster_item', itemKey, removalRow(account, contact, version))
  }
  for (const contact of contactsOf(before)) {
    if (!after.items.has(contact) && !after.removed.has(contact))
      rows.delete('roster_item', itemKey, { account, contact })
  }
}

function* contactsOf(roster: Roster | undefined): Iterable<string> {
  if (!roster) return
  yield* roster.items.keys()
  yield* roster.removed.keys()
}

function itemRow(account: string, item: RosterItem): Row & ItemRow {
  return {
    account,
    contact: item.jid,
    name: item.name ?? null,
    groups: JSON.stringify(item.groups),
    subscription: item.subscription,
    ask: item.ask ? 1 : 0,
    approved: item.approved ? 1 : 0,
    pending_in: item.pendingIn ?? null,
    version: item.version,
  }
}

function removalRow(account: string, contact: string, version: number): Row & ItemRow {
  return {
    account,
    contact,
    name: null,
    groups: '[]',
    subscription: 'remove',
    ask: 0,
    approved: 0,
    pending_in: null,
    version,
  }
}
