import {
  columnTypes,
  createTable,
  type DurableStore,
  type Migration,
  type Reader,
  type Row,
  type StateKey,
  stateKey,
} from '@tactus/storage'

/** A complaint as operators find it. */
export interface Report {
  readonly id: string
  /** Wall clock, ms. */
  readonly at: number
  /** Who is complained about. */
  readonly jid: string
  readonly reason: string
  readonly text: string | undefined
  readonly stanzaIds: readonly string[]
  readonly reportOrigin: boolean
  readonly thirdParty: boolean
}

/** A report as its row is. */
interface ReportRow {
  readonly entity: string
  readonly id: string
  readonly at: number
  readonly jid: string
  readonly reason: string
  readonly text: string | null
  readonly stanza_ids: string
  readonly report_origin: number
  readonly third_party: number
}

const listTable = 'blocking_jid'
const reportTable = 'blocking_report'

/** Complaints of an account, oldest first; the key within the entity is `''`. */
export const reportStore: DurableStore<readonly Report[]> = {
  kind: 'durable',
  name: 'blocking-report',

  async load(reader, keys) {
    const reports = new Map<string, Report[]>()
    for (const row of await rowsOf<ReportRow>(reader, reportTable, keys))
      entryOf(reports, row.entity, () => []).push(toReport(row))
    for (const list of reports.values()) list.sort((one, other) => one.at - other.at)
    return reports
  },

  save(changes, rows) {
    for (const { entity, before = [], after = [] } of changes) {
      for (const report of after)
        if (!before.includes(report))
          rows.upsert(reportTable, ['entity', 'id'], toRow(entity, report))
      for (const { id } of before)
        if (!after.some((report) => report.id === id))
          rows.delete(reportTable, ['entity', 'id'], { entity, id })
    }
  },
}

/** The tables of both. */
export const blockingMigration: Migration = {
  name: '0104-blocking',
  async up(db, dialect) {
    const { text, integer, flag } = columnTypes(dialect)
    await createTable(db, dialect, listTable)
      .addColumn('entity', text, (column) => column.notNull())
      .addColumn('jid', text, (column) => column.notNull())
      .addPrimaryKeyConstraint('blocking_jid_pk', ['entity', 'jid'])
      .execute()
    await createTable(db, dialect, reportTable)
      .addColumn('entity', text, (column) => column.notNull())
      .addColumn('id', text, (column) => column.notNull())
      .addColumn('at', integer, (column) => column.notNull())
      .addColumn('jid', text, (column) => column.notNull())
      .addColumn('reason', text, (column) => column.notNull())
      .addColumn('text', text)
      .addColumn('stanza_ids', text, (column) => column.notNull())
      .addColumn('report_origin', flag, (column) => column.notNull())
      .addColumn('third_party', flag, (column) => column.notNull())
      .addPrimaryKeyConstraint('blocking_report_pk', ['entity', 'id'])
      .execute()
    await db.schema.createIndex('blocking_report_at').on(reportTable).column('at').execute()
  },
}

/** Reports of all accounts, newest first, those before a point in time. */
export async function listReports(
  reader: Reader,
  { before, limit }: { readonly before: number; readonly limit: number },
): Promise<readonly (Report & { readonly reporter: string })[]> {
  const rows = await reader
    .selectFrom(reportTable)
    .selectAll()
    .where('at', '<', before)
    .orderBy('at', 'desc')
    .orderBy('id')
    .limit(limit)
    .execute()
  return (rows as ReportRow[]).map((row) => ({ ...toReport(row), reporter: row.entity }))
}

async function rowsOf<R>(reader: Reader, table: string, keys: readonly StateKey[]): Promise<R[]> {
  const entities = keys.map(({ entity }) => entity)
  const rows = await reader.selectFrom(table).selectAll().where('entity', 'in', entities).execute()
  return rows as R[]
}

function entryOf<V>(values: Map<string, V>, entity: string, make: () => V): V {
  const key = stateKey(entity, '')
  const known = values.get(key)
  if (known) return known
  const made = make()
  values.set(key, made)
  return made
}

function toReport(row: ReportRow): Report {
  const { id, at, jid, reason } = row
  return {
    id,
    at,
    jid,
    reason,
    text: row.text ?? undefined,
    stanzaIds: row.stanza_ids === '' ? [] : row.stanza_ids.split('\n'),
    reportOrigin: row.report_origin === 1,
    thirdParty: row.third_party === 1,
  }
}

function toRow(entity: string, report: Report): Row & ReportRow {
  const { id, at, jid, reason, text, stanzaIds, reportOrigin, thirdParty } = report
  return {
    entity,
    id,
    at,
    jid,
    reason,
    text: text ?? null,
    stanza_ids: stanzaIds.map((stanzaId) => stanzaId.replaceAll('\n', ' ')).join('\n'),
    report_origin: reportOrigin ? 1 : 0,
    third_party: thirdParty ? 1 : 0,
  }
}
