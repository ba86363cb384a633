import {
  columnTypes,
  createTable,
  type DurableStore,
  type KeyValueStore,
  keyValueStore,
  type Migration,
  type Reader,
  type StateKey,
  stateKey,
} from '@tactus/storage'

/** What a host tells its accounts until it is taken back. */
export interface Notice {
  readonly id: string
  readonly text: string
  /** Wall clock, ms. */
  readonly at: number
}

/** Notices of a host by what they are: `motd`, `welcome`. */
export const noticeStore: KeyValueStore<Notice> = keyValueStore({
  name: 'announce-notice',
  table: 'announce_notice',
  columns: { id: 'text', text: 'text', at: 'number' },
})

/** Which message of the day waits for an account, and which it had last; the key is `''`, no id is the empty one. */
export const markerStore: KeyValueStore<{ readonly pending: string; readonly seen: string }> =
  keyValueStore({
    name: 'announce-marker',
    table: 'announce_marker',
    columns: { pending: 'text', seen: 'text' },
  })

/** An announcement on its way to the accounts of a host, page by page. */
export interface Campaign {
  readonly id: string
  /** Everybody; who is online; everybody, once each, when they come. */
  readonly kind: 'all' | 'online' | 'motd'
  readonly subject: string
  readonly text: string
  /** Address of the last account that it was sent to: what comes after it is still to be done. */
  readonly after: string
  readonly sent: number
  readonly at: number
}

interface CampaignRow {
  readonly entity: string
  readonly id: string
  readonly kind: string
  readonly subject: string
  readonly text: string
  readonly after: string
  readonly sent: number
  readonly at: number
}

const table = 'announce_campaign'
const key = ['entity', 'id']

/** Campaigns of a host that are not done yet, oldest first; the key is `''`. Writes only those that changed. */
export const campaignStore: DurableStore<readonly Campaign[]> = {
  kind: 'durable',
  name: 'announce-campaign',

  async load(reader, keys) {
    return await loadCampaigns(reader, keys)
  },

  save(changes, rows) {
    for (const { entity, before = [], after = [] } of changes) {
      for (const campaign of after)
        if (!before.includes(campaign)) rows.upsert(table, key, { entity, ...campaign })
      for (const { id } of before)
        if (!after.some((campaign) => campaign.id === id)) rows.delete(table, key, { entity, id })
    }
  },
}

/** The tables of all of them. */
export const announceMigrations: readonly Migration[] = [
  noticeStore.migration('0120-announce-notice'),
  markerStore.migration('0121-announce-marker'),
  {
    name: '0122-announce-campaign',
    async up(db, dialect) {
      const { text, integer } = columnTypes(dialect)
      await createTable(db, dialect, table)
        .addColumn('entity', text, (column) => column.notNull())
        .addColumn('id', text, (column) => column.notNull())
        .addColumn('kind', text, (column) => column.notNull())
        .addColumn('subject', text, (column) => column.notNull())
        .addColumn('text', text, (column) => column.notNull())
        .addColumn('after', text, (column) => column.notNull())
        .addColumn('sent', integer, (column) => column.notNull())
        .addColumn('at', integer, (column) => column.notNull())
        .addPrimaryKeyConstraint('announce_campaign_pk', ['entity', 'id'])
        .execute()
    },
  },
]

/** What a host tells its accounts at present. */
export async function readNotice(
  reader: Reader,
  host: string,
  kind: 'motd' | 'welcome',
): Promise<Notice | undefined> {
  const loaded = await noticeStore.load(reader, [{ entity: host, key: kind }])
  return loaded.get(stateKey(host, kind))
}

async function loadCampaigns(
  reader: Reader,
  keys: readonly StateKey[],
): Promise<ReadonlyMap<string, readonly Campaign[]>> {
  const entities = keys.map(({ entity }) => entity)
  const rows = (await reader
    .selectFrom(table)
    .selectAll()
    .where('entity', 'in', entities)
    .orderBy('at')
    .orderBy('id')
    .execute()) as CampaignRow[]
  const campaigns = new Map<string, Campaign[]>()
  for (const { entity, kind, ...rest } of rows) {
    const list = campaigns.get(stateKey(entity, '')) ?? []
    list.push({ ...rest, kind: kind as Campaign['kind'] })
    campaigns.set(stateKey(entity, ''), list)
  }
  return campaigns
}
