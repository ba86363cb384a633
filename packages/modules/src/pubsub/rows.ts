import { bare, type Jid } from '@tactus/jid'
import { isDerived } from './attachments/names.ts'
import type { NodeRecord, Subscription } from './store.ts'

/** Columns of a node. What stands in its configuration and is searched for has a column besides. */
export interface NodeRow {
  readonly entity: string
  readonly node: string
  readonly service: string
  readonly creator: string
  readonly created_at: number
  readonly config: string
}

/** Columns of a subscription. */
export interface SubscriptionRow {
  readonly entity: string
  readonly node: string
  readonly subid: string
  readonly jid: string
  readonly state: Subscription['state']
  readonly options: string
}

/** Nodes whose access model lets everybody know of them; others are for those who know their names. */
const listedModels: readonly string[] = ['open', 'authorize']

/** A node as its row is, without the entity. */
export function nodeRow({
  name,
  service,
  creator,
  createdAt,
  config,
}: NodeRecord): Readonly<Record<string, string | number>> {
  const [model = ''] = config['pubsub#access_model'] ?? []
  const listed = service !== '' && !isDerived(name) && listedModels.includes(model)
  return {
    ...{ node: name, service, creator, created_at: createdAt, config: JSON.stringify(config) },
    title: config['pubsub#title']?.[0] ?? '',
    payload_type: config['pubsub#type']?.[0] ?? '',
    collection: config['pubsub#collection']?.[0] ?? '',
    listed: listed ? 1 : 0,
  }
}

/** A subscription as its row is, without the entity and the node. */
export function subscriptionRow({
  subid,
  jid,
  state,
  options,
}: Subscription): Readonly<Record<string, string>> {
  const texts = Object.keys(options).length > 0 ? JSON.stringify(options) : ''
  return { subid, jid, person: bare(jid as Jid), state, options: texts }
}

/** A row as the subscription that it stands for. */
export function toSubscription({ subid, jid, state, options }: SubscriptionRow): Subscription {
  return { subid, jid, state, options: options === '' ? {} : JSON.parse(options) }
}
