import {
  type DurableStore,
  type KeyValueStore,
  keyValueStore,
  type StateKey,
  selectByKeys,
  stateKey,
} from '@tactus/storage'
import {
  type NodeRow,
  nodeRow,
  type SubscriptionRow,
  subscriptionRow,
  toSubscription,
} from './rows.ts'

/** A node as it stands in the list of an entity's nodes. */
export interface NodeRecord {
  readonly name: string
  /** Domain of the service whose node it is; empty for those of accounts. */
  readonly service: string
  /** Bare JID. */
  readonly creator: string
  /** Wall clock, ms. */
  readonly createdAt: number
  /** What differs from the defaults: the texts of form fields, by name. */
  readonly config: Readonly<Record<string, readonly string[]>>
}

/** An item without its payload. */
export interface ItemEntry {
  /** Grows with every publication of the node, so that it orders them; never used twice. */
  readonly seq: number
  /** The number of its first publication under this id, so that an item that is overwritten keeps its place (XEP-0413). */
  readonly born: number
  readonly id: string
  /** JID of who published it. */
  readonly publisher: string
  /** Wall clock, ms. */
  readonly at: number
  /** Of the payload, in UTF-8. */
  readonly bytes: number
}

/** XEP-0060 §4.1, without `none`. */
export type Affiliation = 'owner' | 'publisher' | 'publish-only' | 'member' | 'outcast'

/** A subscription to a node (XEP-0060 §4.2). */
export interface Subscription {
  readonly subid: string
  readonly jid: string
  readonly state: 'subscribed' | 'pending'
  /** What differs from the defaults of its options (§6.3): the texts of form fields, by name. */
  readonly options: Readonly<Record<string, readonly string[]>>
}

/** Who has to do with a node, beyond the owner of the entity. */
export interface People {
  /** By bare JID. */
  readonly affiliations: ReadonlyMap<string, Affiliation>
  /** By SubID: an address may have several (§6.1.6). */
  readonly subscriptions: ReadonlyMap<string, Subscription>
}

const nobody: People = { affiliations: new Map(), subscriptions: new Map() }

/** Tables of this module; all of them have a column `entity`. */
export const tables = {
  nodes: 'pubsub_node',
  items: 'pubsub_item',
  payloads: 'pubsub_payload',
  affiliations: 'pubsub_affiliation',
  subscriptions: 'pubsub_subscriber',
} as const

/** The nodes of an entity by name; the key within the entity is `''`. */
export const nodeStore: DurableStore<ReadonlyMap<string, NodeRecord>> = {
  kind: 'durable',
  name: 'pubsub-nodes',

  async load(reader, keys) {
    const rows = await selectByKeys(
      reader,
      tables.nodes,
      ['entity'],
      keys.map(({ entity }) => [entity]),
    )
    const found = new Map<string, Map<string, NodeRecord>>()
    for (const row of rows) {
      const { entity, node, service, creator, created_at, config } = row as unknown as NodeRow
      entryOf(found, stateKey(entity, ''), newMap<NodeRecord>).set(node, {
        name: node,
        service,
        creator,
        createdAt: created_at,
        config: JSON.parse(config),
      })
    }
    return found
  },

  save(changes, rows) {
    for (const { entity, before = none, after = none } of changes) {
      for (const [node, record] of after) {
        if (before.get(node) === record) continue
        rows.upsert(tables.nodes, nodeKey, { entity, ...nodeRow(record) })
      }
      for (const node of before.keys())
        if (!after.has(node)) rows.delete(tables.nodes, nodeKey, { entity, node })
    }
  },
}

/** The items of a node in the order of their publication, without their payloads; the key is the node. */
export const itemStore: DurableStore<readonly ItemEntry[]> = {
  kind: 'durable',
  name: 'pubsub-items',

  async load(reader, keys) {
    const rows = await selectByKeys(reader, tables.items, nodeKey, keys.map(pairOf))
    const found = new Map<string, ItemEntry[]>()
    for (const row of rows) {
      const { entity, node, seq, born, id, publisher, at, bytes } = row as unknown as ItemRow
      entryOf(found, stateKey(entity, node), newList<ItemEntry>).push({
        seq,
        // Of what was published before there was such a number, nobody knows.
        born: born === 0 ? seq : born,
        id,
        publisher,
        at,
        bytes,
      })
    }
    for (const list of found.values()) list.sort((one, other) => one.seq - other.seq)
    return found
  },

  save(changes, rows) {
    for (const { entity, key: node, before = [], after = [] } of changes) {
      for (const { seq } of missingFrom(after, before))
        rows.delete(tables.items, itemKey, { entity, node, seq })
      // What stays is the same object and comes first, so what is new is found from the end.
      const kept = after.findLastIndex((entry) => before.at(-1) === entry || before.includes(entry))
      for (const entry of after.slice(kept + 1))
        rows.upsert(tables.items, itemKey, { entity, node, ...entry })
    }
  },
}

/**
 * Payloads, by the items' numbers. The key is made by `payloadKey`.
 *
 * Append-only, so that a publication reads none: rows come through `Turn.insert` and go through `Turn.remove` and
 * `Turn.clear`.
 */
export const payloadStore: DurableStore<ReadonlyMap<number, string>> = {
  kind: 'durable',
  name: 'pubsub-payloads',

  async load(reader, keys) {
    const wanted = keys.flatMap(({ entity, key }) => {
      const { node, seqs } = readPayloadKey(key)
      return seqs.map((seq) => [entity, node, seq])
    })
    const rows = await selectByKeys(reader, tables.payloads, itemKey, wanted)
    const texts = new Map(
      (rows as unknown as readonly PayloadRow[]).map(({ entity, node, seq, xml }) => [
        `${entity}\0${node}\0${seq}`,
        xml,
      ]),
    )
    const textsOf = ({ entity, key }: StateKey): ReadonlyMap<number, string> => {
      const { node, seqs } = readPayloadKey(key)
      const found = seqs.map((seq) => [seq, texts.get(`${entity}\0${node}\0${seq}`)] as const)
      return new Map(found.filter((pair): pair is [number, string] => pair[1] !== undefined))
    }
    return new Map(keys.map((key) => [stateKey(key.entity, key.key), textsOf(key)]))
  },

  save() {
    throw new TypeError('payloads are inserted and removed, the value is not set')
  },
}

/** Who has an affiliation or a subscription; the key is the node. */
export const peopleStore: DurableStore<People> = {
  kind: 'durable',
  name: 'pubsub-people',

  async load(reader, keys) {
    const pairs = keys.map(pairOf)
    const [affiliated, subscribed] = await Promise.all([
      selectByKeys(reader, tables.affiliations, nodeKey, pairs),
      selectByKeys(reader, tables.subscriptions, nodeKey, pairs),
    ])
    const found = new Map<string, LoadingPeople>()
    for (const row of affiliated as unknown as readonly AffiliationRow[])
      entryOf(found, stateKey(row.entity, row.node), newPeople).affiliations.set(
        row.jid,
        row.affiliation,
      )
    for (const row of subscribed as unknown as readonly SubscriptionRow[]) {
      const subscription = toSubscription(row)
      const { subscriptions } = entryOf(found, stateKey(row.entity, row.node), newPeople)
      subscriptions.set(subscription.subid, subscription)
    }
    return found
  },

  save(changes, rows) {
    for (const { entity, key: node, before = nobody, after = nobody } of changes) {
      const which = { entity, node }
      saveMap(before.affiliations, after.affiliations, {
        put: (jid, affiliation) =>
          rows.upsert(tables.affiliations, personKey, { ...which, jid, affiliation }),
        drop: (jid) => rows.delete(tables.affiliations, personKey, { ...which, jid }),
      })
      saveMap(before.subscriptions, after.subscriptions, {
        put: (_, subscription) =>
          rows.upsert(tables.subscriptions, subscriptionKey, {
            ...which,
            ...subscriptionRow(subscription),
          }),
        drop: (subid) => rows.delete(tables.subscriptions, subscriptionKey, { ...which, subid }),
      })
    }
  },
}

/** What an entity's payloads take together; the key is `''`. */
export const usageStore: KeyValueStore<{ readonly bytes: number }> = keyValueStore({
  name: 'pubsub-usage',
  table: 'pubsub_usage',
  columns: { bytes: 'number' },
})

/** The key under which payloads of these items of a node are loaded. */
export function payloadKey(node: string, seqs: readonly number[]): string {
  return `${node}\0${seqs.join()}`
}

const none: ReadonlyMap<string, NodeRecord> = new Map()
const nodeKey = ['entity', 'node']
/** Key columns of an item's rows. */
export const itemKey: readonly string[] = ['entity', 'node', 'seq']
const personKey = ['entity', 'node', 'jid']
const subscriptionKey = ['entity', 'node', 'subid']

interface LoadingPeople {
  readonly affiliations: Map<string, Affiliation>
  readonly subscriptions: Map<string, Subscription>
}
interface ItemRow extends ItemEntry {
  readonly entity: string
  readonly node: string
}
interface PayloadRow {
  readonly entity: string
  readonly node: string
  readonly seq: number
  readonly xml: string
}
interface AffiliationRow {
  readonly entity: string
  readonly node: string
  readonly jid: string
  readonly affiliation: Affiliation
}
function readPayloadKey(key: string): { readonly node: string; readonly seqs: readonly number[] } {
  const end = key.lastIndexOf('\0')
  const list = key.slice(end + 1)
  return { node: key.slice(0, end), seqs: list === '' ? [] : list.split(',').map(Number) }
}

/** Those of a list, ordered by number, that are not in another one. */
function missingFrom(
  list: readonly ItemEntry[],
  others: readonly ItemEntry[],
): readonly ItemEntry[] {
  let next = 0
  return others.filter(({ seq }) => {
    while ((list[next]?.seq ?? Number.POSITIVE_INFINITY) < seq) next += 1
    return list[next]?.seq !== seq
  })
}

function saveMap<V>(
  before: ReadonlyMap<string, V>,
  after: ReadonlyMap<string, V>,
  { put, drop }: { put(key: string, value: V): void; drop(key: string): void },
): void {
  for (const [key, value] of after) if (before.get(key) !== value) put(key, value)
  for (const key of before.keys()) if (!after.has(key)) drop(key)
}

const pairOf = ({ entity, key }: StateKey): readonly string[] => [entity, key]
const newMap = <V>(): Map<string, V> => new Map()
const newList = <V>(): V[] => []
const newPeople = (): LoadingPeople => ({ affiliations: new Map(), subscriptions: new Map() })

function entryOf<V>(values: Map<string, V>, key: string, make: () => V): V {
  const known = values.get(key)
  if (known !== undefined) return known
  const made = make()
  values.set(key, made)
  return made
}
