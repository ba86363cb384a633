import { createHash } from 'node:crypto'
import { localpart, tryParseJid } from '@tactus/jid'
import { type Reader, selectByKeys } from '@tactus/storage'
import { accessModel, type ConfigTexts, itemExpire, settingOf } from '../fields.ts'
import { entityOfNode } from '../hosted/place.ts'
import { type ItemEntry, itemKey, tables } from '../store.ts'

/** What is asked of a node by somebody on the web, about whom nothing is known. */
export interface PageQuery {
  /** Of an account, or of a pubsub service. */
  readonly address: string
  readonly node: string
  /** Id of the last item of the page before. */
  readonly after: string | undefined
  readonly max: number
  /** Wall clock, ms. */
  readonly now: number
}

/** The most recent items of a node that everybody may read, without their payloads. */
export interface OpenPage {
  readonly entity: string
  readonly node: string
  readonly createdAt: number
  readonly config: ConfigTexts
  /** The most recent first. */
  readonly items: readonly ItemEntry[]
  readonly isLast: boolean
  /** Changes whenever what is on the page does. */
  readonly version: string
}

/** Of all payloads of a page. */
const mostBytes = 524_288

/** SECURITY: of a node that is not open, strangers hear what they hear of one that is not there. */
export async function readOpenPage(
  reader: Reader,
  query: PageQuery,
): Promise<OpenPage | undefined> {
  const { address, node, now } = query
  const jid = tryParseJid(address)
  if (!jid) return undefined
  const entity = localpart(jid) === undefined ? `${entityOfNode(node)}@${jid}` : jid
  const found = await reader
    .selectFrom(tables.nodes)
    .select(['config', 'created_at'])
    .where('entity', '=', entity)
    .where('node', '=', node)
    .executeTakeFirst()
  if (!found) return undefined
  const config: ConfigTexts = JSON.parse(String(found.config))
  if (settingOf(config, accessModel) !== 'open') return undefined
  const lifetime = settingOf(config, itemExpire)
  const since = lifetime === 'max' ? 0 : now - lifetime * 1_000
  const rows = await rowsOf(reader, { entity, query, since })
  const items = fitting(rows.slice(0, query.max))
  const createdAt = Number(found.created_at)
  return {
    ...{ entity, node, createdAt, config, items },
    isLast: items.length === rows.length,
    version: versionOf(JSON.stringify([address, node, createdAt, config, query.after, items])),
  }
}

/** One more than wanted, which tells that there are more. */
async function rowsOf(
  reader: Reader,
  {
    entity,
    query: { node, after, max },
    since,
  }: { readonly entity: string; readonly query: PageQuery; readonly since: number },
): Promise<readonly ItemEntry[]> {
  const all = reader.selectFrom(tables.items).where('entity', '=', entity).where('node', '=', node)
  let page = all
    .select(['seq', 'born', 'id', 'publisher', 'at', 'bytes'])
    .where('at', '>', since)
    .orderBy('seq', 'desc')
    .limit(max + 1)
  if (after !== undefined)
    page = page.where('seq', '<', all.select('seq').where('id', '=', after).limit(1))
  return (await page.execute()) as unknown as readonly ItemEntry[]
}

/** As many as may be on one page; one in any case. */
function fitting(items: readonly ItemEntry[]): readonly ItemEntry[] {
  let bytes = 0
  const end = items.findIndex((item) => {
    bytes += item.bytes
    return bytes > mostBytes
  })
  return end < 0 ? items : items.slice(0, Math.max(1, end))
}

/** The payloads of these items, by number. */
export async function payloadsOf(
  reader: Reader,
  { entity, node }: OpenPage,
  items: readonly ItemEntry[],
): Promise<ReadonlyMap<number, string>> {
  const keys = items.map(({ seq }) => [entity, node, seq])
  const rows = await selectByKeys(reader, tables.payloads, itemKey, keys)
  return new Map(rows.map(({ seq, xml }) => [Number(seq), String(xml)]))
}

/** The item of that id, wherever it stands. */
export async function itemCalled(
  reader: Reader,
  { entity, node }: OpenPage,
  id: string,
): Promise<ItemEntry | undefined> {
  const row = await reader
    .selectFrom(tables.items)
    .select(['seq', 'born', 'id', 'publisher', 'at', 'bytes'])
    .where('entity', '=', entity)
    .where('node', '=', node)
    .where('id', '=', id)
    .limit(1)
    .executeTakeFirst()
  return row as unknown as ItemEntry | undefined
}

function versionOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 22)
}
